// Package okta connects apps of kind "okta": an Okta org's directory of users, by its
// management API (https://developer.okta.com/docs/api/openapi/okta-management/management/).
//
// A user is found by its ID or login, which Okta answers with what is current. Other keys
// can be looked up only by search, whose results come from a data source that lags ("List
// all users" in the reference). So a search is a hint: each user that it names is read by
// its ID, and those who were changed within the setting searchLag come from a filter by
// lastUpdated, which does not lag. Lists without a filter leave deactivated users out;
// filters do not.
//
// What disabling and enabling do depends on the status of the user: see statuses.
package okta
