// Package receiver is the starter's intake for webhooks: it takes the requests of HR
// systems over HTTP and publishes them to a topic.
//
// # The promise
//
// A request is answered with 2xx only after the broker has acknowledged its
// record. Whatever else happens (a lost broker, a full disk, a process that is
// killed), the HR system gets another answer or none, and sends the request
// again. A record may have been published although its request was not answered with
// 2xx; the next attempt publishes a second one, which the consumer drops as a
// duplicate.
//
// # What a request goes through
//
// The intake checks path, method, content type and size. It reads the whole body and checks
// the signature over the bytes as they came. Then it applies the endpoint's rate, which
// only requests of the HR system itself can use up. Last, it publishes the record within
// the time that Tuning.Publish allows. The table in outcome.go lists the answers.
//
// HR systems treat an answer of 4xx as final, and some lose the event then. So a request
// that can never succeed gets 4xx, and one that may succeed later gets 503.
//
// # Records
//
// A record's value is the body, byte for byte. Its headers are content-type, the headers
// that the signature covers, and three that the intake adds: the endpoint, the time of
// receipt, and the request's ID, which is in the answer and the log too. Signatures and
// tokens are not kept. The key is the person's ID, if the HR system's decoder finds it.
//
// Neither logs nor answers ever contain a secret or any part of a request's body.
//
// The package knows neither Kafka nor the configuration: Options holds all that it needs.
package receiver
