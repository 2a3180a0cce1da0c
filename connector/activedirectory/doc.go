// Package activedirectory is the connector for Microsoft Active Directory, spoken
// to by LDAP over TLS.
//
// An account is known by its objectGUID, which neither a new name nor a move to
// another OU changes; requests name it so too (MS-ADTS section 3.1.1.3.1.2.4), so
// that one which is moved between two of them is not taken for gone. Whether it is
// enabled is one bit of its userAccountControl, which is changed only if nobody
// else changed the rest meanwhile.
//
// Accounts that Active Directory protects or made itself (domain administrators,
// krbtgt, computers, trusts) are never matched, listed or changed.
//
// It imports the connector contract, internal/directory and internal/remote.
package activedirectory
