// Package directory speaks LDAP (RFC 4511) for the connectors of directories:
// encrypted connections that are made anew when broken and used by one call at a
// time, paged searches (RFC 2696), escaping, values, and what a server's result
// codes mean for the caller.
//
// Every error is a *remote.Error whose text, and that of all it wraps, holds no
// distinguished name (DN), no value and no secret. What the server said in its
// own words is there for a connector to look at (ResultOf), never to print.
//
// It imports go-ldap, internal/remote, internal/settings and package secret.
package directory
