// Package scim talks to apps by SCIM 2.0 (RFC 7643, RFC 7644).
//
// How a service deviates from the RFCs is data: the traits in profile.go, one set
// for each vendor, named by the profile setting and overruled by others. No code
// asks for a profile's name.
//
// # Accounts
//
// The person ID is the account's externalId. An account is found by its id, else
// by externalId, else by userName (whatever its case); one that carries another
// externalId is never found by userName. What the service sends is compared here
// once more, so that one that ignores a filter does no harm.
//
// # Entitlements
//
// An entitlement is membership of a group, and its name is the group's
// displayName, in the service's own spelling. What an account has is read from
// its groups attribute or, where the service does not send that, by asking for
// the groups that it is a member of. Memberships that come from nested groups
// are not counted: nobody can take them from the account alone. That an account is in
// no group is believed while another one is seen in its groups in the same way, or where
// all groups show their members: see sightings. Names such as
// "role:admin" and "entitlement:E3" are values of the user's attributes of those
// names.
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
