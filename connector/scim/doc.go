// Package scim is the connector for apps that speak SCIM 2.0 (RFC 7643, RFC 7644).
//
// The ways in which a service deviates from the RFCs are data: the traits in profile.go,
// one set for each vendor. The profile setting selects a set, and other settings override
// single traits. No code asks for a profile's name.
//
// # Accounts
//
// The person ID is the account's externalId. Find looks for an account by its id, else
// by externalId, else by userName (it ignores the case). It never finds an account with
// another externalId by userName. It compares what the service sends once more, so that
// a service that ignores a filter does no harm.
//
// # Entitlements
//
// An entitlement is membership of a group, and its name is the group's
// displayName, in the service's own spelling. The connector reads the groups of an
// account from its groups attribute or, if the service does not send that, looks up the
// groups that have it as a member. Memberships by nested groups do not count: nobody can
// take them from the account alone. The connector believes that an account is in no group
// only if it sees another account in its groups in the same way, or if all groups show
// their members: see sightings. Names such as "role:admin" and "entitlement:E3" stand for
// values of the user's attributes roles and entitlements.
//
// # Attributes
//
// The attributes that a configuration can map to, all taking one text unless
// noted:
//
//	displayName nickName title userType profileUrl
//	preferredLanguage locale timezone
//	name.formatted name.givenName name.middleName name.familyName
//	name.honorificPrefix name.honorificSuffix
//	emails          the value of type "work", made primary
//	phoneNumbers    the value of type "work", made primary
//	employeeNumber costCenter organization division department
//	manager         the account ID of the manager in the same app
//	urn:...:name    attribute of any other extension schema, in full; text,
//	                bool, number or list, and sent as it is
//
// Those from employeeNumber to manager belong to the enterprise extension.
package scim
