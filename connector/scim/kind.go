package scim

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/rest"
	"github.com/tenurehq/tenure/internal/nearest"
	"github.com/tenurehq/tenure/internal/remote"
)

// overview is the part of Kind.About that is not about profiles.
const overview = `**Keys.** The person ID is kept in externalId. Accounts are found by it, and otherwise by userName.

**Entitlements** are names of groups, or ` + "`role:VALUE` and `entitlement:VALUE`" + ` for values of the user's attributes roles and
entitlements. Groups whose names begin with these prefixes cannot be granted.

**Deviations.** The **profile** setting says how the service differs from RFC 7644, and other settings override each part of it.
The generic profile reads the service's ServiceProviderConfig once a day: whether the service supports PATCH (if not, users are
changed by PUT with If-Match), how large a page may be, and whether pages go by cursor. It was tested on SCIMMY, scim2-server and Keycloak, servers that are not ours.
The vendors' profiles were tested on a stand-in that behaves as their references say, and never on the vendors' own servers:
try yours with ` + "`tenure app test NAME --write`" + ` first.

Tenure finds other deviations by the service's answers, and ` + "`tenure app test`" + ` shows them. It believes a deviation that it met
twice, with no answer to the contrary in between, and tries again after an hour. It believes that there is no /Groups if the
service's ResourceTypes have no groups, or if /Groups is missing for a minute and has never answered; until then, steps that need
groups wait.

**Memberships** are read from the users; or by looking up groups by member, once such a look-up has found something; or from
all groups, each read by itself if lists do not show its members. If none of these shows who is in a group, the step fails.

Tenure does not use /Bulk, because few services offer it, and because the requests of one change have to be told apart when one
fails. It does not change several people in one PATCH, because it makes and proves each person's change by itself.

The profiles:
`

// Kind describes this kind of app for the catalog.
var Kind = connector.Kind{
	Name:    "scim",
	Summary: "any app with a SCIM 2.0 service (RFC 7644)",
	About:   overview + aboutProfiles() + "\n",
	Settings: []connector.Setting{
		{Name: "url", Type: connector.TypeText, Required: true, Text: "Base URL of the service, without /Users."},
		remote.Plaintext,
		{Name: "profile", Type: connector.TypeText, Default: generic, Choices: profileNames(), Text: "Vendor of the service: sets the deviations that are known of it."},
		{Name: "token", Type: connector.TypeSecret, Text: "Bearer token (RFC 6750)."},
		{Name: "tokenURL", Type: connector.TypeText, Text: "Instead of token: the URL that issues one, by OAuth 2 client credentials (RFC 6749 section 4.4)."},
		{Name: "clientID", Type: connector.TypeText, Text: "With tokenURL: the client."},
		{Name: "clientSecret", Type: connector.TypeSecret, Text: "With tokenURL: the client's secret."},
		{Name: "scopes", Type: connector.TypeTexts, Text: "With tokenURL: the scopes to ask for."},
		{Name: "username", Type: connector.TypeText, Text: "Instead of token: the user of HTTP Basic authentication."},
		{Name: "password", Type: connector.TypeSecret, Text: "With username: the password."},
		{Name: "sessionsURL", Type: connector.TypeText, Text: "With the profile slack, on Enterprise plans only: the method that resets somebody's sessions, `https://slack.com/api/admin.users.session.reset`. Without it, Slack signs them out by deactivating."},
		{Name: "sessionsToken", Type: connector.TypeSecret, Text: "With sessionsURL: a user token with the scope admin.users:write. Default: token."},
		{Name: "timeout", Type: connector.TypeDuration, Default: 15 * time.Second, Text: "How long one request may take."},
		{Name: "userAgent", Type: connector.TypeText, Default: "tenure", Text: "User-Agent header of every request."},
		{Name: "createGroups", Type: connector.TypeBool, Text: "Create groups that are to be granted and do not exist."},
		{Name: "defaultEntitlement", Type: connector.TypeText, Text: "Value of entitlements that every new account gets, such as the ID of a Salesforce profile."},
		{Name: "disable", Type: connector.TypeText, Choices: []string{"reversible", "destructive"}, Text: "Overrides the profile: whether an account that was disabled can be enabled."},
		{Name: "delete", Type: connector.TypeBool, Text: "Overrides the profile: whether DELETE deletes accounts."},
		{Name: "groups", Type: connector.TypeBool, Text: "Overrides the profile: whether there are groups."},
		{Name: "filterExternalID", Type: connector.TypeBool, Text: "Overrides the profile: whether users can be looked up by externalId. If not, Tenure looks them up by userName and compares externalId."},
		{Name: "filterEmails", Type: connector.TypeBool, Text: "Overrides what Tenure finds out: whether users can be looked up by an email address. This finds accounts that are not linked, about which an operator decides."},
		{Name: "filterMembers", Type: connector.TypeBool, Text: "Overrides the profile: whether groups can be looked up by their members. If not, Tenure reads all groups."},
		{Name: "removeMembers", Type: connector.TypeText, Choices: []string{"path", "value"}, Text: "Overrides the profile: how a member is removed from a group, by a path with a filter or by a value."},
		{Name: "changeUsers", Type: connector.TypeText, Choices: []string{string(byPath), string(byObject), string(byPut)}, Text: "Overrides the profile: how users are changed, by PATCH with paths, by PATCH with an object, or by PUT."},
		{Name: "changeGroups", Type: connector.TypeText, Choices: []string{"patch", string(byPut)}, Text: "How groups are changed, by PATCH or by PUT of the whole group. PUT is used only if you set it: it needs a service that shows all members of a group, and if the service has no versions, it undoes what others change at the same moment."},
		{Name: "showsInactive", Type: connector.TypeBool, Default: true, Text: "Whether the service shows disabled accounts with active: false. If not, an account without active is disabled."},
		{Name: "paging", Type: connector.TypeText, Choices: []string{"index", "cursor"}, Text: "Overrides the profile: how pages are asked for, by startIndex or by cursor (RFC 9865)."},
		{Name: "pageSize", Type: connector.TypeInt, Text: "Overrides the profile: the most resources to ask for at once."},
		{Name: "combinedLookups", Type: connector.TypeBool, Text: "Overrides the profile: whether a filter may hold \"or\", which saves one request for each new account."},
	},
	Operations: []connector.Operation{
		{Op: connector.OpFind, Calls: "GET /Users?filter=externalId eq, then userName eq, then emails.value eq; or GET /Users/{id}"},
		{Op: connector.OpRead, Calls: "GET /Users/{id}"},
		{Op: connector.OpCheck, Calls: "GET /Users?count=1"},
		{Op: connector.OpProbe, Calls: "GET /Users?count=1, GET /Groups?count=1, PATCH of a user that does not exist"},
		{Op: connector.OpList, Calls: "GET /Users by pages"},
		{Op: connector.OpPage, Calls: "GET /Users?startIndex or cursor; GET /Groups by pages before the first page, if users come without their groups"},
		{Op: connector.OpListEntitlements, Calls: "GET /Groups by pages; also /Entitlements and /Roles where the profile has them"},
		{Op: connector.OpCreate, Calls: "POST /Users"},
		{Op: connector.OpAdopt, Calls: "PATCH /Users/{id} externalId"},
		{Op: connector.OpUpdate, Calls: "PATCH /Users/{id}"},
		{Op: connector.OpRelabel, Calls: "GET /Users/{id}; PATCH /Users/{id} userName and externalId"},
		{Op: connector.OpGrant, Calls: "GET /Groups?filter=displayName eq (remembered for a minute) and PATCH /Groups/{id} add members, for each group; GET and PATCH /Users/{id} for all roles, or all entitlements"},
		{Op: connector.OpRevoke, Calls: "as grant, with remove"},
		{Op: connector.OpDisable, Calls: "PATCH /Users/{id} active false"},
		{Op: connector.OpEnable, Calls: "PATCH /Users/{id} active true"},
		{Op: connector.OpResetCredentials, Calls: "PATCH /Users/{id} password, where ServiceProviderConfig says that changePassword is supported"},
		{Op: connector.OpRevokeSessions, Calls: "POST of user_id to sessionsURL"},
		{Op: connector.OpDelete, Calls: "DELETE /Users/{id}"},
	},
	Attributes:      attributeNames(),
	OtherAttributes: "Any attribute of an extension, by its full name (urn:...:name).",
	Foresee:         foresee,

	Unreached: "the service of any vendor that has a profile",
	LastUse:   lastUse,
	Connect:   connect,
}

func connect(_ context.Context, env connector.Env, settings *connector.Values) (connector.Connector, error) {
	base := remote.BaseURL(settings, "url")
	timeout, userAgent := settings.Duration("timeout"), settings.Text("userAgent")
	if strings.ContainsAny(userAgent, "\r\n") {
		settings.Reject("userAgent", "must be one line")
	}
	t := traitsIn(settings)
	if t.needsEntitlement && !settings.Has("defaultEntitlement") {
		settings.Reject("defaultEntitlement", "is missing: with this profile an account cannot be made without one")
	}
	return &client{
		sessions: sessionsIn(settings, timeout, env),
		service: &service{
			answers:     remote.NewAnswers(),
			http:        remote.NewHTTPClient(timeout),
			base:        base,
			credentials: credentialsIn(settings, timeout),
			userAgent:   userAgent,
			timeout:     timeout,
			turns:       rest.Turns{Pace: env.Pace, Pause: env.Pause},
			now:         time.Now,
		},
		traits:             t,
		survey:             survey{asking: semaphore.NewWeighted(1)},
		groups:             newGroupCache(),
		createGroups:       settings.Bool("createGroups"),
		defaultEntitlement: settings.Text("defaultEntitlement"),
	}, nil
}

func attributeNames() []string { return slices.Sorted(maps.Keys(attributes)) }

func foresee(settings *connector.Values) connector.Foresight {
	f := connector.Foresight{
		Attribute: func(name string) string {
			if _, err := lookup(connector.OpCreate, name); err == nil {
				return ""
			}
			return "is no attribute that SCIM has" + hint(name)
		},
	}
	if !settings.Withholds("profile") {
		t, p := traitsIn(settings), profiles[settings.Text("profile")]
		f.Required = p.required
		f.Doubt = func(name string) string {
			if p.attributes == nil || slices.Contains(p.attributes, name) {
				return ""
			}
			return "is no attribute that the service has, according to its vendor: expect that it is refused or lost"
		}
		f.Entitlement = func(name string) string {
			switch _, _, valued := valuedOf(name); {
			case valued && t.noValues:
				return "cannot be granted: with this profile, users have neither roles nor entitlements of their own"
			case !valued && t.noGroups:
				return "cannot be granted: with this profile or these settings, there are no groups"
			default:
				return ""
			}
		}
	}
	return f
}

// hint suggests a known attribute in place of an unknown one.
func hint(name string) string {
	if near := nearest.Hint(name, attributeNames()); near != "" {
		return near
	}
	return "; an extension's goes by its full name (urn:...:name)"
}
