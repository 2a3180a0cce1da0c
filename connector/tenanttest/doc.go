// Package tenanttest runs the suite of connectors on a real tenant of a vendor's, for whoever
// has one: see scripts/real-tenant and docs/proving-a-tenant.md. Everything about the tenant
// comes from environment variables ([FromEnv]).
//
// Every account that is made has a username that begins with [Marker], and is noted before
// it is made ([Keep]). [Sweep] deletes what was noted and what has the marker, also after a
// run that was killed.
package tenanttest
