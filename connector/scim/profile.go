package scim

import (
	"maps"
	"slices"
	"strings"

	"github.com/tenurehq/tenure/connector"
)

// traits describe how a service differs from RFC 7644. The zero value describes one
// that does not differ.
type traits struct {
	// destructiveDisable: "active": false deletes the account, or does something else that
	// cannot be undone. An inactive account cannot be created either.
	destructiveDisable bool
	// keepsAccounts: the service refuses DELETE, or DELETE does no more than
	// "active": false.
	keepsAccounts bool
	// noGroups: the service has no /Groups.
	noGroups bool
	// noValues: the service neither shows nor accepts a user's roles and entitlements.
	noValues bool
	// membersHidden: the service shows groups without their members. The connector
	// looks up the users of each group instead.
	membersHidden bool
	// oneValue: a user has at most one role and one entitlement. Granting another
	// takes the first away.
	oneValue bool
	// valueTypes: the "type" that a role or an entitlement needs, by kind.
	valueTypes map[string]string
	// valueLists: the endpoint that lists roles or entitlements, by kind.
	valueLists map[string]string
	// needsEntitlement: an account cannot be created without an entitlement.
	needsEntitlement bool
	// needsDisplayName: an account cannot be created without a displayName. If none is
	// mapped, the connector sends the username.
	needsDisplayName bool
	// form: how a user is changed.
	form form
	// noPathFilters: a PATCH path cannot hold a filter. The connector names the members
	// to remove in the operation's value.
	noPathFilters bool
	// noMemberFilter: groups cannot be looked up by their members.
	noMemberFilter bool
	// cursor: lists are paged by cursor (RFC 9865), not by startIndex.
	cursor bool
	// pageSize: how many resources the connector asks for at once.
	pageSize int
	// noExclusions: the service refuses excludedAttributes.
	noExclusions bool
	// noAttributes: the service has no parameter "attributes".
	noAttributes bool
	// groupsNeedExternalID: a group cannot be created without an externalId. The connector
	// sends its name.
	groupsNeedExternalID bool
	// noExternalID: users cannot be looked up by externalId.
	noExternalID bool
	// passwords: the service lets passwords be changed.
	passwords bool
	// noEmails: users cannot be looked up by emails.
	noEmails bool
	// omitsFalse: the service shows an inactive account without "active".
	omitsFalse bool
	// putGroups: groups are changed by PUT of the whole group with all of its members.
	putGroups bool
	// combinedLookups: a filter may hold "or". One request then looks for both
	// externalId and userName.
	combinedLookups bool
	// known: the traits come from the vendor's reference or from the settings. The
	// connector then does not read the service's ServiceProviderConfig.
	known bool
}

// form names the request that changes a user.
type form string

const (
	byPath   form = "path"   // PATCH, each operation with a path
	byObject form = "object" // PATCH, one operation whose value is an object
	byPut    form = "put"    // PUT of the whole user
)

// defaultPage is how many resources the connector asks for at once by default. Services
// may send fewer.
const defaultPage = 100

// profile describes one vendor's service, and names the pages that say so.
type profile struct {
	traits
	about   string   // what people have to know, in Markdown
	sources []string // the vendor's published pages that the traits are taken from
	// required lists the attributes without which the service creates no user, according to
	// its reference. It leaves out those for which the username stands in.
	required []string
	// attributes lists the only attributes that can be mapped, according to the vendor's
	// reference; nil if it does not say.
	attributes []string
}

const generic = "generic"

// profiles holds the known services, by the value of the profile setting.
var profiles = map[string]profile{
	generic: {
		about:   "A service that keeps to RFC 7644. What it supports is read from its ServiceProviderConfig.",
		sources: []string{"https://www.rfc-editor.org/rfc/rfc7644"},
	},
	"salesforce": {
		traits: traits{
			keepsAccounts: true, needsEntitlement: true, form: byObject, known: true, combinedLookups: true,
			valueLists: map[string]string{"entitlement": "Entitlements", "role": "Roles"}, pageSize: 200,
		},
		about: "Users are deactivated and never deleted. A user cannot be made without a profile: put its ID into " +
			"`defaultEntitlement`. Permission sets are `entitlement:ID`, roles `role:ID`, public groups are groups. " +
			"Use the org's own URL, `https://DOMAIN.my.salesforce.com/services/scim/v2`.",
		sources: []string{
			"https://help.salesforce.com/s/articleView?id=xcloud.identity_scim_rest_api.htm",
			"https://help.salesforce.com/s/articleView?id=xcloud.identity_scim_deactivate_reactivate_user.htm",
		},
		required: []string{"emails", "name.familyName"},
	},
	"slack": {
		traits: traits{keepsAccounts: true, noValues: true, known: true},
		about: "DELETE deactivates, as `active` does, so that accounts are never deleted. Limits are of the whole " +
			"organisation, shared by all SCIM apps: writes of users and groups 180 a minute each (bursts of 20 for users, 80 for changed groups), reads of " +
			"one 300 a minute: set the app's rate below that. Use `https://api.slack.com/scim/v2`, and the token of an organisation " +
			"owner with the scope `admin`. Slack signs out whoever is deactivated; on Enterprise plans, `sessionsURL` also has their clients drop what they have stored. Slack finds nobody by a deactivated " +
			"user's address, but its SCIM service does, so that somebody who comes back gets the same account.",
		sources: []string{
			"https://docs.slack.dev/reference/scim-api/scim-api-2",
			"https://docs.slack.dev/reference/scim-api/rate-limits",
			"https://docs.slack.dev/reference/methods/admin.users.session.reset",
		},
		required: []string{"emails"},
	},
	"github-org": {
		traits: traits{destructiveDisable: true, noGroups: true, noValues: true, form: byObject, noPathFilters: true, known: true},
		about: "`active: false` removes the member from the organisation and deletes the SCIM identity: it cannot be undone, " +
			"and counts as destructive. There are no groups: teams are not reached by SCIM. The token must be an owner's, with " +
			"`admin:org`, and be allowed for the organisation's SAML. Held to GitHub's own contract: map both names and `emails`; " +
			"besides them GitHub knows `displayName` and `name.formatted` only.",
		sources:    []string{"https://docs.github.com/en/enterprise-cloud@latest/rest/scim/scim"},
		required:   []string{"emails", "name.familyName", "name.givenName"},
		attributes: []string{"displayName", "emails", "name.familyName", "name.formatted", "name.givenName"},
	},
	"github-emu": {
		traits: traits{
			form: byObject, noPathFilters: true, oneValue: true, known: true,
			needsDisplayName: true, noAttributes: true, groupsNeedExternalID: true,
		},
		about: "`active: false` suspends the account until it is enabled again; DELETE suspends it for good. Roles are " +
			"`role:user`, `role:enterprise_owner` and so on, one for each account. Groups must have been made by this SCIM " +
			"client. The token must be the setup user's, with `scim:enterprise`. Held to GitHub's own contract: map `emails`, and of " +
			"the names both or none; besides them GitHub knows `displayName` (if it is not mapped, it is the username), " +
			"`name.formatted` and `name.middleName` only.",
		sources: []string{
			"https://docs.github.com/en/enterprise-cloud@latest/rest/enterprise-admin/scim",
			"https://docs.github.com/en/enterprise-cloud@latest/admin/managing-iam/provisioning-user-accounts-with-scim/provisioning-users-and-groups-with-scim-using-the-rest-api",
		},
		required:   []string{"emails"},
		attributes: []string{"displayName", "emails", "name.familyName", "name.formatted", "name.givenName", "name.middleName"},
	},
	"aws-identity-center": {
		traits: traits{noValues: true, membersHidden: true, noPathFilters: true, cursor: true, noExclusions: true, known: true, pageSize: 100},
		about: "Filters are `eq` (and `and`) only; lists are paged by cursor, at most 100 (50 in some regions) at once; one " +
			"request changes at most 100 members, and cannot replace or remove all of them; of e-mails and telephone numbers a user has one. " +
			"Groups are shown without their members, so that memberships are looked up by filter. The token is made in the " +
			"console, and expires after a year.",
		sources: []string{
			"https://docs.aws.amazon.com/singlesignon/latest/developerguide/limitations.html",
			"https://docs.aws.amazon.com/singlesignon/latest/developerguide/listusers.html",
			"https://docs.aws.amazon.com/singlesignon/latest/developerguide/listgroups.html",
			"https://docs.aws.amazon.com/singlesignon/latest/developerguide/patchgroup.html",
		},
		required: []string{"name.familyName", "name.givenName"},
	},
	"atlassian": {
		traits: traits{noValues: true, known: true},
		about: "A user must have an e-mail address in a verified domain. Inactive users are missing from lists and cannot be " +
			"found by username or externalId, only by the account that is linked. DELETE unlinks the account and deactivates it. " +
			"Filters are `eq` on userName and externalId.",
		sources: []string{
			"https://developer.atlassian.com/cloud/admin/user-provisioning/rest/intro/",
			"https://developer.atlassian.com/cloud/admin/user-provisioning/rest/api-group-users/",
		},
	},
	"pagerduty": {
		traits: traits{
			destructiveDisable: true, noGroups: true, oneValue: true, needsDisplayName: true, known: true,
			valueTypes: map[string]string{"role": "base", "entitlement": "license"},
		},
		about: "`active: false` deletes the user: it cannot be undone, and counts as destructive. There are no groups. A user has " +
			"one role (`role:user`, `role:limited_user`, `role:observer` and so on) and one licence (`entitlement:LICENSE_ID`). " +
			"A user with open incidents cannot be deleted unless incident reassignment is on. `displayName` is required, and the " +
			"username is the e-mail address.",
		sources: []string{"https://support.pagerduty.com/main/docs/scim-user-provisioning"},
	},
	"superoffice": {
		traits: traits{keepsAccounts: true, noValues: true, known: true},
		about: "Which users get in, and with what role and licence, is decided by the SCIM rules of SuperOffice's Identity " +
			"Manager, by the groups that a user is in: an account that no rule lets in is taken and ignored. SuperOffice documents " +
			"its endpoint for Entra ID only, so that nothing is deleted here. The token is Identity Manager's.",
		sources: []string{
			"https://docs.superoffice.com/en/online/identity/scim/scim-rules.html",
			"https://docs.superoffice.com/en/online/identity/scim/setup/create-azure-enterprise-app.html",
		},
	},
	"zendesk-like": {
		traits: traits{keepsAccounts: true, noGroups: true, oneValue: true, known: true},
		about: "A help desk that keeps everyone who ever answered a ticket: accounts are suspended and never deleted, there are no " +
			"groups, and an account has one role. Zendesk publishes no reference of its SCIM endpoint: this is the careful choice, " +
			"to be loosened by the settings.",
		sources: []string{"https://support.zendesk.com/hc/en-us/articles/8966513066138-Does-Zendesk-support-SCIM"},
	},
}

// profileNames returns the names of the profiles: generic first, then the others sorted.
func profileNames() []string {
	names := slices.Sorted(maps.Keys(profiles))
	names = slices.DeleteFunc(names, func(name string) bool { return name == generic })
	return append([]string{generic}, names...)
}

// traitsIn returns the traits of the profile that the settings name. Other settings
// override single traits.
func traitsIn(settings *connector.Values) traits {
	t := profiles[settings.Text("profile")].traits
	if settings.Has("disable") {
		t.destructiveDisable = settings.Text("disable") == "destructive"
	}
	if settings.Has("delete") {
		t.keepsAccounts = !settings.Bool("delete")
	}
	if settings.Has("groups") {
		t.noGroups = !settings.Bool("groups")
	}
	if settings.Has("combinedLookups") {
		t.combinedLookups = settings.Bool("combinedLookups")
	}
	if settings.Has("filterExternalID") {
		t.noExternalID = !settings.Bool("filterExternalID")
	}
	if settings.Has("filterEmails") {
		t.noEmails = !settings.Bool("filterEmails")
	}
	if settings.Has("filterMembers") {
		t.noMemberFilter = !settings.Bool("filterMembers")
	}
	if settings.Has("removeMembers") {
		t.noPathFilters = settings.Text("removeMembers") == "value"
	}
	if settings.Has("showsInactive") {
		t.omitsFalse = !settings.Bool("showsInactive")
	}
	if settings.Has("changeGroups") {
		t.putGroups = settings.Text("changeGroups") == string(byPut)
	}
	if settings.Has("changeUsers") {
		t.form, t.known = form(settings.Text("changeUsers")), true
	}
	if settings.Has("paging") {
		t.cursor, t.known = settings.Text("paging") == "cursor", true
	}
	if settings.Has("pageSize") {
		t.pageSize = settings.Int("pageSize")
	}
	if t.form == "" {
		t.form = byPath
	}
	if t.pageSize == 0 {
		t.pageSize = defaultPage
	}
	return t
}

// aboutProfiles returns the part of Kind.About that describes the profiles.
func aboutProfiles() string {
	var text strings.Builder
	for _, name := range profileNames() {
		p := profiles[name]
		text.WriteString("\n- `" + name + "`: " + p.about)
		for i, page := range p.sources {
			text.WriteString([]string{" Source: ", ", "}[min(i, 1)] + "<" + page + ">")
		}
		text.WriteString(".")
	}
	return text.String()
}
