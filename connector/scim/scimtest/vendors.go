package scimtest

// Vendors holds the deviations of services that cannot run here, by the names of their
// profiles in connector/scim. Each is taken from the vendor's reference alone.
var Vendors = map[string]Deviations{
	// https://help.salesforce.com/s/articleView?id=xcloud.identity_scim_rest_api.htm:
	// users are created, read, updated and deactivated; entitlements and roles can
	// be listed, 200 at most. A user needs a profile, which is an entitlement.
	"salesforce": {NoDelete: true, EntitlementRequired: true, ValueLists: true, PageMax: 200},
	// https://docs.slack.dev/reference/scim-api/scim-api-2: DELETE "sets a Slack
	// user to deactivated".
	"slack": {DeleteDeactivates: true, NoValues: true},
	// https://docs.github.com/en/enterprise-cloud@latest/rest/scim/scim: active
	// false removes the member and deletes the identity; "path selectors that
	// include filters are not supported"; there are users only. What a user has
	// and needs is in GitHub's OpenAPI document, to which `make test-real` holds this.
	"github-org": {
		ActiveFalseDeletes: true, EndedShown: true, NoGroups: true, NoPathFilters: true, NoValues: true, NoVersions: true,
		Filters:    []string{"userName", "externalId", "id", "emails/value"},
		Required:   []string{"emails", "name.givenName", "name.familyName"},
		Attributes: []string{"displayName", "emails", "name"},
	},
	// https://docs.github.com/en/enterprise-cloud@latest/rest/enterprise-admin/scim:
	// paths as for github-org; a user has one role. The rest is in the same document.
	"github-emu": {
		NoPathFilters: true, OneValue: true, NoVersions: true, NoAttributes: true, BareReferences: true, PlainNotFound: true,
		Filters:    []string{"userName", "externalId", "id", "displayName", "members/value"},
		Required:   []string{"displayName", "emails"},
		Attributes: []string{"displayName", "emails", "name", "roles"},
		OfGroups:   []string{"externalId"},
		Roles:      []string{"user", "guest_collaborator", "enterprise_owner", "billing_manager"},
	},
	// https://docs.aws.amazon.com/singlesignon/latest/developerguide/: limitations,
	// listusers, listgroups, patchgroup.
	"aws-identity-center": {
		Filters: []string{"userName", "externalId", "groups/value", "displayName", "members/value"},
		PageMax: 100, CursorPaging: true, NoExcludedAttributes: true, MembersHidden: true,
		MemberMax: 100, NoMemberReplace: true, NoValues: true, OneValue: true, NoPathFilters: true,
	},
	// https://developer.atlassian.com/cloud/admin/user-provisioning/rest/api-group-users/:
	// "a single exact match (eq) against the userName and externalId attributes".
	"atlassian": {InactiveUnlisted: true, NoValues: true, Filters: []string{"userName", "externalId", "displayName", "members/value"}},
	// https://support.pagerduty.com/main/docs/scim-user-provisioning: active "when
	// set to false, the user will be deleted"; roles and entitlements are "single
	// element" arrays; displayName is required.
	"pagerduty": {
		ActiveFalseDeletes: true, NoGroups: true, OneValue: true, Required: []string{"displayName"},
		Roles: []string{"admin", "read_only_user", "read_only_limited_user", "user", "limited_user", "observer", "restricted_access"},
	},
	// https://docs.superoffice.com/en/online/identity/scim/scim-rules.html describes
	// users and groups, and mentions no deletion.
	"superoffice": {NoDelete: true, NoValues: true},
	// The vendor publishes no reference: these match connector/scim's careful choice.
	"zendesk-like": {NoDelete: true, NoGroups: true, OneValue: true},
}
