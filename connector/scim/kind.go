package scim

import (
	"context"
	"strings"
	"time"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/remote"
)

const unprintable = "must be one line of printable ASCII without spaces"

// overview is what Kind.About says of the kind as a whole.
const overview = `The person ID is kept in **externalId**; accounts are found by it, else by userName. Entitlements are names of
groups, or ` + "`role:VALUE` and `entitlement:VALUE`" + `, which are values of the user's own attributes of those names.
Groups with such prefixes cannot be reached.

How the service differs from RFC 7644 is told by the **profile** setting. Each part of it can be overruled by a setting of its
own. The generic profile reads the service's ServiceProviderConfig once a day: whether PATCH is supported (else users are
changed by PUT with If-Match), how large a page may be, and whether pages go by cursor. It was proven on SCIMMY, a real
server. The vendors' profiles were proven on a stand-in that fails as their references say, and never on the vendors' own
servers: try yours with ` + "`tenure app test NAME --write`" + ` first.

What else a service does not do as RFC 7644 has it is found out by its answers, and said by ` + "`tenure app test`" + `. It is believed when it was met
twice with no answer to the contrary between, and tried again after an hour. That there is no /Groups is believed if the
service's ResourceTypes have no groups, or if /Groups is not there for a minute and has never answered; until then whoever's
groups are to be known waits. Memberships are taken from the users, from a look-up of groups by a member once one has found
something, or from all groups, each one read by itself where lists do not show its members; where none of these tells who is
in a group, that is an error.

Not used, on purpose: /Bulk, since a person's change is a handful of requests that have to be told apart when one fails, and
few services offer it; and one PATCH for many persons, since each person's change is done and proven by itself.

The profiles:
`

// Kind is the catalog's entry.
var Kind = connector.Kind{
	Name:    "scim",
	Summary: "any app with a SCIM 2.0 service (RFC 7644)",
	About:   overview + aboutProfiles() + "\n",
	Settings: []connector.Setting{
		{Name: "url", Type: connector.TypeText, Required: true, Text: "Base URL of the service, without /Users."},
		remote.Plaintext,
		{Name: "profile", Type: connector.TypeText, Default: generic, Choices: profileNames(), Text: "Whose service it is: what is known of its deviations."},
		{Name: "token", Type: connector.TypeSecret, Text: "Bearer token (RFC 6750)."},
		{Name: "tokenURL", Type: connector.TypeText, Text: "In place of token: where to get one by OAuth 2 client credentials (RFC 6749 section 4.4)."},
		{Name: "clientID", Type: connector.TypeText, Text: "With tokenURL: the client."},
		{Name: "clientSecret", Type: connector.TypeSecret, Text: "With tokenURL: the client's secret."},
		{Name: "scopes", Type: connector.TypeTexts, Text: "With tokenURL: the scopes to ask for."},
		{Name: "username", Type: connector.TypeText, Text: "In place of token: the user of HTTP Basic authentication."},
		{Name: "password", Type: connector.TypeSecret, Text: "With username: the password."},
		{Name: "timeout", Type: connector.TypeDuration, Default: 15 * time.Second, Text: "How long one request may take."},
		{Name: "userAgent", Type: connector.TypeText, Default: "tenure", Text: "User-Agent header of every request."},
		{Name: "createGroups", Type: connector.TypeBool, Text: "Make groups that are to be granted and do not exist."},
		{Name: "defaultEntitlement", Type: connector.TypeText, Text: "A value of entitlements that every new account gets, such as a Salesforce profile's ID."},
		{Name: "disable", Type: connector.TypeText, Choices: []string{"reversible", "destructive"}, Text: "In place of the profile's: whether an account that was disabled can be enabled."},
		{Name: "delete", Type: connector.TypeBool, Text: "In place of the profile's: whether DELETE deletes accounts."},
		{Name: "groups", Type: connector.TypeBool, Text: "In place of the profile's: whether there are groups."},
		{Name: "filterExternalID", Type: connector.TypeBool, Text: "In place of the profile's: whether users can be looked up by externalId. Else they are by userName, and what is found is compared with externalId."},
		{Name: "filterEmails", Type: connector.TypeBool, Text: "In place of what is found out: whether users can be looked up by an email address. It finds accounts that nobody has, for a human to decide about."},
		{Name: "filterMembers", Type: connector.TypeBool, Text: "In place of the profile's: whether groups can be looked up by their members. Else all groups are read."},
		{Name: "removeMembers", Type: connector.TypeText, Choices: []string{"path", "value"}, Text: "In place of the profile's: how a member is removed from a group, by a path with a filter or by a value."},
		{Name: "changeUsers", Type: connector.TypeText, Choices: []string{string(byPath), string(byObject), string(byPut)}, Text: "In place of the profile's: how users are changed, by PATCH with paths, by PATCH with an object, or by PUT."},
		{Name: "changeGroups", Type: connector.TypeText, Choices: []string{"patch", string(byPut)}, Text: "How groups are changed, by PATCH or by PUT of the whole group. PUT takes a service that shows all members of a group, and undoes what others change meanwhile where it has no versions: it is used only if this says so."},
		{Name: "showsInactive", Type: connector.TypeBool, Default: true, Text: "Whether accounts that are not active are shown with active: false. Else one without active is not active."},
		{Name: "paging", Type: connector.TypeText, Choices: []string{"index", "cursor"}, Text: "In place of the profile's: how pages are asked for, by startIndex or by cursor (RFC 9865)."},
		{Name: "pageSize", Type: connector.TypeInt, Text: "In place of the profile's: the most resources to ask for at once."},
		{Name: "combinedLookups", Type: connector.TypeBool, Text: "In place of the profile's: whether a filter may hold \"or\", which saves one request for each new account."},
	},
	Operations: []connector.Operation{
		{Op: connector.OpFind, Calls: "GET /Users?filter=externalId eq, then userName eq, then emails.value eq; or GET /Users/{id}"},
		{Op: connector.OpRead, Calls: "GET /Users/{id}"},
		{Op: connector.OpCheck, Calls: "GET /Users?count=1"},
		{Op: connector.OpProbe, Calls: "GET /Users?count=1, GET /Groups?count=1, PATCH of a user that does not exist"},
		{Op: connector.OpList, Calls: "GET /Users by pages"},
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
		{Op: connector.OpDelete, Calls: "DELETE /Users/{id}"},
	},
	Attributes:      attributeNames(),
	OtherAttributes: "Any attribute of an extension, by its full name (urn:...:name).",
	Foresee:         foresee,

	Proven:  []string{"SCIMMY"},
	Connect: connect,
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
		service: &service{
			answers:     remote.NewAnswers(),
			http:        remote.NewHTTPClient(timeout),
			base:        base,
			credentials: credentialsIn(settings, timeout),
			userAgent:   userAgent,
			timeout:     timeout,
			pace:        env.Pace,
			now:         time.Now,
		},
		traits:             t,
		survey:             survey{asking: newTurn()},
		groups:             newGroupCache(),
		createGroups:       settings.Bool("createGroups"),
		defaultEntitlement: settings.Text("defaultEntitlement"),
	}, nil
}

// printable says whether s can stand in a header: RFC 6750's b64token and what
// services issue in its place.
func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}
