// Package atlassian is the connector to an Atlassian Cloud organisation, by its organisation
// API and its user management API.
//
// Sources: the Organizations REST API
// (https://developer.atlassian.com/cloud/admin/organization/rest/intro/), whose users, groups
// and directories it reads and changes, and the User management REST API
// (https://developer.atlassian.com/cloud/admin/user-management/rest/intro/), which deactivates
// and deletes managed accounts and deletes their API tokens.
package atlassian
