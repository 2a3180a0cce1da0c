// Package ldap talks to OpenLDAP and other directories that speak RFC 4511. What
// one has to know before using it is in Kind.About, and so in docs/connectors.md.
//
// An account is an entry of one of the people's object classes, below the base of
// people or the leavers' OU. Its ID is the server's own (entryUUID, RFC 4530), so
// that it stays the same one when it is renamed or moved. An entitlement is
// membership of a group, by the group's cn. The server may keep references among
// entries whole by itself (OpenLDAP's refint and memberof overlays, 389 Directory
// Server's Referential Integrity) or not: a move or deletion here takes care of
// memberships either way.
package ldap
