// Package activedirectory is the connector for Microsoft Active Directory. It speaks
// LDAP over TLS.
//
// An account's ID is its objectGUID, which neither a new name nor a move to another OU
// changes. Requests name the account by it too (MS-ADTS section 3.1.1.3.1.2.4), so that
// an account that is moved between two requests does not count as gone. One bit of
// userAccountControl says whether it is enabled. The connector changes the bit only if
// nobody else has changed the others meanwhile.
//
// The connector never matches, lists or changes accounts that Active Directory protects
// or created itself (domain administrators, krbtgt, computers, trusts).
//
// It imports the connector contract, internal/directory and internal/remote.
package activedirectory
