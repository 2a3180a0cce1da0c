// Package directory speaks LDAP (RFC 4511) for the connectors of directories. It has
// encrypted connections that one call at a time uses and that are opened again when broken,
// paged searches (RFC 2696), escaping, values, and the meaning of a server's result codes
// for the caller.
//
// Every error is a *remote.Error. Its text, and the text of every error that it wraps, holds
// no distinguished name (DN), no value and no secret. A connector can examine the server's
// own message by ResultOf, but must never print it.
//
// It imports go-ldap, internal/remote, internal/settings and package secret.
package directory
