// Package salesforcetest is a stand-in for a Salesforce org: the token endpoint, SOQL as far as
// the connector salesforce needs it, and the rows of the objects that it reads and writes. It is
// used by tests only.
//
// It behaves as Salesforce's documentation says, and refuses what Salesforce refuses: unknown
// fields and objects, missing required fields, usernames that are no e-mail address or are
// taken, and texts that are too long. Switches make it fail as Salesforce does. It was written
// by us: that the connector passes on it does not prove that it works with Salesforce.
package salesforcetest
