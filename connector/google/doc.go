// Package google is the connector for Google Workspace. It calls the Directory API and the
// Data Transfer API of the Admin SDK, and the Enterprise License Manager API, by plain HTTP:
// https://developers.google.com/workspace/admin.
//
// Accounts are known by their immutable ID. The person ID is one of the user's externalIds,
// and the primary address is the username. Google answers an address that is only an alias
// as well, so each look-up by an address compares the one that it got.
//
// Google's answers lag: searches by up to 36 hours, a new user or member by minutes. So a
// person is looked for by a search and by the primary address, and Capabilities.Settling
// says how long a "not found" proves nothing.
package google
