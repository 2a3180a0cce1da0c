// Package salesforce connects Tenure to a Salesforce org by its REST API: users, public groups,
// permission sets and licences.
//
// Salesforce never deletes a user, and refuses to deactivate one whom its own configuration
// names (a default owner, a workflow, a hierarchy field). So Disable freezes the user first,
// which Salesforce never refuses, and then deactivates them: see Disable.
//
// Sources, all at developer.salesforce.com/docs unless said otherwise: the REST API Developer
// Guide (platform/api-rest/guide: query, sObject rows, "Status Codes and Error Responses"), the
// Object Reference (platform/object-reference: User, UserLogin, AuthSession, OauthToken,
// PermissionSetAssignment, PermissionSetLicense), the SOQL reference ("Reserved Characters"), and
// help.salesforce.com: "OAuth 2.0 JWT Bearer Flow for Server-to-Server Integration", "Revoke OAuth
// Tokens Programmatically", articles 000384586, 000384761 and 000386275 on deactivation.
package salesforce
