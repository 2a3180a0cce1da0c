// Package receiver takes what HR systems send over HTTP and publishes it: the
// starter's intake.
//
// # The promise
//
// A request is answered with 2xx only after the broker has acknowledged its
// record. Whatever else happens (a lost broker, a full disk, a process that is
// killed), the HR system gets another answer or none, and sends the request
// again. A record may be there though its request was not answered with 2xx; the
// next attempt makes a second one, and whoever consumes them drops it as a
// duplicate.
//
// # What a request goes through
//
// Path, method, content type, size; then the body is read whole, and its
// signature checked over the bytes as they came; then the endpoint's rate, which
// only requests of the HR system itself can use up; then it is published, for so
// long as Tuning.Publish allows. What is answered, and when, is in the table in
// outcome.go.
//
// HR systems treat an answer of 4xx as final, and some lose the event then. So
// 4xx is for what cannot succeed however often it is sent, and 503 for all that
// passes.
//
// # Records
//
// The value is the body, to the byte. Headers are content-type, those that the
// scheme has signed, and three of ours: which endpoint took it, when, and the
// request's ID, which the answer and the log have too. Signatures and tokens go
// nowhere. The key is the person's ID where the HR system's decoder can tell it.
//
// Nothing of a request's body, and no secret, is ever logged or answered.
//
// The package knows HTTP, and neither Kafka nor the configuration: what it needs
// it is given in Options.
package receiver
