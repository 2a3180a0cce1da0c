// Package receiver takes what HR systems send over HTTP and publishes it: the
// starter's intake.
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
// Path, method, content type, size; then the body is read whole, and its
// signature checked over the bytes as they came; then the endpoint's rate, which
// only requests of the HR system itself can use up; then it is published, within the
// time that Tuning.Publish allows. The table in outcome.go lists the answers.
//
// HR systems treat an answer of 4xx as final, and some lose the event then. So 4xx is
// for what can never succeed, and 503 for what may succeed later.
//
// # Records
//
// The value is the body, to the byte. Headers are content-type, those that the
// scheme has signed, and three that the intake adds: which endpoint took it, when, and
// the request's ID, which the answer and the log have too. Signatures and tokens are not
// kept. The key is the person's ID, if the HR system's decoder finds it.
//
// Nothing of a request's body, and no secret, is ever logged or answered.
//
// The package knows HTTP, and neither Kafka nor the configuration: Options holds what
// it needs.
package receiver
