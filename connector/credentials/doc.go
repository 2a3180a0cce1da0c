// Package credentials authorizes the requests of the connectors whose apps are reached by
// HTTP: by a token that was given, a user's password, or tokens that a token service issues
// for a client (OAuth 2.0, RFC 6749) that proves itself by a secret or by a signed assertion
// (RFC 7523).
//
// Secrets are read each time they are used, so that they can be rotated without a restart.
// Errors hold no secret, and nothing of what a token service says but its error code.
package credentials
