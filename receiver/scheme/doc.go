// Package scheme holds the ways in which HR systems show that a webhook is
// theirs: a signature over the body, or a token.
//
// Each is a small value that implements [Verifier]. Secrets are compared in
// constant time and only so: hmac.Equal, subtle.ConstantTimeCompare. A [Refusal]
// says for logs and metrics why a request is not taken; whoever sent it is not
// told.
//
// The package is pure: it imports the standard library only.
package scheme
