// Package ldap is the connector for OpenLDAP and other directories that speak RFC 4511.
// Kind.About, which docs/connectors.md shows, says what operators have to know.
//
// An account is an entry of one of the people's object classes, below the base of
// people or the leavers' OU. Its ID is the server's own (entryUUID, RFC 4530), so
// that it stays the same one when it is renamed or moved. An entitlement is
// membership of a group, by the group's cn. The server may update references among
// entries by itself (OpenLDAP's refint and memberof overlays, 389 Directory
// Server's Referential Integrity) or not: the connector keeps memberships right
// either way when it moves or deletes an entry.
package ldap
