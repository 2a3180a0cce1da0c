// Package scheme verifies that a webhook comes from an HR system: by a signature over the
// body, or by a token.
//
// Each scheme is a small value that implements [Verifier]. Secrets are always compared in
// constant time, by hmac.Equal or subtle.ConstantTimeCompare. A [Refusal] gives the reason
// for logs and metrics. The sender does not learn it.
//
// The package is pure: it imports the standard library only.
package scheme
