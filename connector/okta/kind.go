package okta

import (
	"context"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/credentials"
	"github.com/tenurehq/tenure/connector/rest"
	"github.com/tenurehq/tenure/internal/remote"
)

// The values of the setting disable.
const (
	bySuspending   = "suspend"
	byDeactivating = "deactivate"
)

// Kind describes this kind of app for the catalog.
var Kind = connector.Kind{
	Name:    "okta",
	Summary: "an Okta org's users, groups and admin roles, by the management API",
	About: `Setting it up, the rights that it needs, and what happens to a leaver: [apps/okta.md](apps/okta.md).

**Never run against Okta.** It was tested on a stand-in that behaves as Okta's reference says. Try yours with
` + "`tenure app test NAME --write`" + ` first.

**Keys.** The login is the username and ` + "`usernameSuffix`" + `. The person ID is kept in a profile attribute (` + "`externalID`" + `). Accounts are found by it, also
deactivated ones, so that somebody who comes back gets the old account.

**New accounts** have no password. Tenure creates them without mail (STAGED) and activates them when they are to be on; Okta mails
the activation link only with ` + "`activationMail`" + `. Until somebody has followed it, the account is PROVISIONED. Policy has to map firstName and
lastName, unless your org has made them optional, and email where the login is no address. Where email is empty, it is the login.

**What disabling does.** Tenure suspends the account: it keeps its groups and app assignments, and enabling brings everything back.
Okta suspends only accounts that are ACTIVE. Tenure unlocks one that is LOCKED_OUT first. One that is PROVISIONED, in RECOVERY or
PASSWORD_EXPIRED is deactivated. With ` + "`disable: deactivate`" + ` every account is. Deactivation takes the app assignments and the password
away for good, and the apps' own provisioning may delete data. Groups stay, and assignments by group come back with them.

**Sessions.** Tenure ends the sessions at Okta and revokes OAuth tokens. It cannot end the sessions of the apps themselves.

**Entitlements** are the names of groups of type OKTA_GROUP. Okta allows no changes of other groups (Everyone, those of Active
Directory and of apps), so they cannot be granted and are not shown. A group rule fills its group again: then a membership that was
taken is back, and the step says so. With ` + "`adminRoles`" + `, ` + "`role:TYPE`" + ` stands for a standard admin role, such as ` + "`role:HELP_DESK_ADMIN`" + `.

**Deactivated accounts** can be changed only if the org allows it (Directory > People > More actions > Edit Deactivated User
Profile Updates).

**Deleting** cannot be undone: Okta has no recycle bin.

`,
	Settings: []connector.Setting{
		{Name: "url", Type: connector.TypeText, Required: true, Text: "Address of the org, such as \"https://example.okta.com\", without /api/v1. Not the admin console's (example-admin)."},
		remote.Plaintext,
		{Name: "token", Type: connector.TypeSecret, Text: "API token. It has the rights of the administrator who created it, and ends when nobody has used it for 30 days or that administrator is deactivated."},
		{Name: "clientID", Type: connector.TypeText, Text: "Instead of token: the client ID of an API services app."},
		{Name: "privateKey", Type: connector.TypeSecret, Text: "With clientID: the app's private key in PEM."},
		{Name: "keyID", Type: connector.TypeText, Text: "With clientID: the ID of the key (kid), as the app's public keys show it."},
		{Name: "scopes", Type: connector.TypeTexts, Text: "With clientID: the scopes to ask for. Default: okta.users.manage and okta.groups.manage; with adminRoles also okta.roles.manage."},
		{Name: "usernameSuffix", Type: connector.TypeText, Text: "What is appended to usernames without @ to make logins, such as \"@example.com\". Okta wants logins to look like addresses, unless the org allows others."},
		{Name: "externalID", Type: connector.TypeText, Default: "employeeNumber", Text: "Profile attribute that holds the person ID."},
		{Name: "employeeNumber", Type: connector.TypeText, Text: "Profile attribute that holds the employee number. This finds accounts that are not linked, about which an operator decides."},
		{Name: "disable", Type: connector.TypeText, Default: bySuspending, Choices: []string{bySuspending, byDeactivating}, Text: "What disabling does: suspend where Okta can, else deactivate; or always deactivate."},
		{Name: "adminRoles", Type: connector.TypeBool, Text: "Show, grant and revoke admin roles. Only a super administrator may grant them."},
		{Name: "activationMail", Type: connector.TypeBool, Text: "Have Okta mail the activation link to the account's address whenever an account is activated."},
		{Name: "searchLag", Type: connector.TypeDuration, Default: 5 * time.Minute, Text: "How long a change may take to show up in searches. Users who were changed within this time are looked up without a search."},
		{Name: "timeout", Type: connector.TypeDuration, Default: 30 * time.Second, Text: "How long one request may take."},
	},
	Operations: []connector.Operation{
		{Op: connector.OpFind, Calls: "GET /users/{id}; or GET /users?search, GET /users?filter=lastUpdated gt, GET /users/{login}; for each account found: GET /users/{id}/groups, with adminRoles GET /users/{id}/roles"},
		{Op: connector.OpRead, Calls: "GET /users/{id}, GET /users/{id}/groups, with adminRoles GET /users/{id}/roles"},
		{Op: connector.OpCheck, Calls: "GET /users?limit=1"},
		{Op: connector.OpProbe, Calls: "GET /users?limit=1, GET /groups?limit=1; POST unsuspend, PUT of a membership and, with adminRoles, GET and DELETE of roles, all of a user that does not exist"},
		{Op: connector.OpList, Calls: "GET /users by pages; GET /groups and GET /groups/{id}/users by pages; with adminRoles GET /iam/assignees/users and GET /users/{id}/roles of each"},
		{Op: connector.OpPage, Calls: "as list, from any page on"},
		{Op: connector.OpListEntitlements, Calls: "GET /groups by pages"},
		{Op: connector.OpCreate, Calls: "POST /users?activate=false, POST /users/{id}/lifecycle/activate, GET /users/{id}"},
		{Op: connector.OpAdopt, Calls: "GET /users/{id}, POST /users/{id}"},
		{Op: connector.OpUpdate, Calls: "POST /users/{id}; before that GET /users/{id} if email is empty"},
		{Op: connector.OpRelabel, Calls: "GET /users/{id}, POST /users/{id}"},
		{Op: connector.OpGrant, Calls: "GET /groups?q (remembered for a minute) and PUT /groups/{id}/users/{id} for each group; POST /users/{id}/roles for each role"},
		{Op: connector.OpRevoke, Calls: "GET /groups?q (remembered for a minute) and DELETE /groups/{id}/users/{id} for each group; GET /users/{id}/roles and DELETE /users/{id}/roles/{id} for each role"},
		{Op: connector.OpDisable, Calls: "POST /users/{id}/lifecycle/suspend; if refused GET /users/{id} and POST unlock or deactivate"},
		{Op: connector.OpEnable, Calls: "POST /users/{id}/lifecycle/unsuspend; if refused, or with disable: deactivate, GET /users/{id}, POST activate, GET /users/{id}"},
		{Op: connector.OpRevokeSessions, Calls: "DELETE /users/{id}/sessions?oauthTokens=true&forgetDevices=true"},
		{Op: connector.OpResetCredentials, Calls: "GET /users/{id}; POST /users/{id} with a random password, POST /users/{id}/lifecycle/reset_factors; of a PROVISIONED user POST /users/{id}/lifecycle/reactivate"},
		{Op: connector.OpDelete, Calls: "DELETE /users/{id} twice"},
	},
	Attributes:      baseAttributes,
	OtherAttributes: "Any custom attribute of the Okta user profile, by its variable name.",
	Foresee:         foresee,
	LongestUsername: 64, // a login has 100 characters, with the suffix
	Unreached:       "Okta",
	LastUse:         lastUse,
	Connect:         connect,
}

// baseAttributes lists the attributes of Okta's default profile that policy can map.
var baseAttributes = []string{
	"city", "costCenter", "countryCode", "department", "displayName", "division", "email", "employeeNumber", "firstName",
	"honorificPrefix", "honorificSuffix", "lastName", "locale", "manager", "managerId", "middleName", "mobilePhone", "nickName",
	"organization", "postalAddress", "preferredLanguage", "primaryPhone", "profileUrl", "secondEmail", "state", "streetAddress",
	"timezone", "title", "userType", "zipCode",
}

// attributeName is what Okta allows as the variable name of a profile attribute.
var attributeName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

var suffixForm = regexp.MustCompile(`^[A-Za-z0-9._-]*@[A-Za-z0-9.-]+$`)

// login is the profile attribute that is the username, and email the one that every user has.
const (
	login = "login"
	email = "email"
)

func connect(_ context.Context, env connector.Env, settings *connector.Values) (connector.Connector, error) {
	base := remote.BaseURL(settings, "url")
	timeout := settings.Duration("timeout")
	c := &client{
		externalID:     settings.Text("externalID"),
		employeeNumber: settings.Text("employeeNumber"),
		suffix:         settings.Text("usernameSuffix"),
		deactivates:    settings.Text("disable") == byDeactivating,
		adminRoles:     settings.Bool("adminRoles"),
		activationMail: settings.Bool("activationMail"),
		searchLag:      settings.Duration("searchLag"),
		pauses:         pauses,
	}
	for _, name := range []string{"externalID", "employeeNumber"} {
		if text := settings.Text(name); text != "" && (!attributeName.MatchString(text) || text == login) {
			settings.Reject(name, "must be the variable name of a profile attribute, and not login")
		}
	}
	if text := settings.Text("usernameSuffix"); text != "" && !suffixForm.MatchString(text) {
		settings.Reject("usernameSuffix", "must look like @example.com")
	}
	if base == nil {
		return nil, nil //nolint:nilnil // the setting was rejected
	}
	if strings.HasSuffix(base.Path, "/api/v1") {
		settings.Reject("url", "must end before /api/v1")
	}
	c.api = rest.New(vendor, timeout)
	c.pages.Gather, c.pages.Fetch = c.everyEntitlement, c.fetch
	c.api.Base = rest.At(base.JoinPath("api/v1"))
	c.api.Pace, c.api.Pause = env.Pace, env.Pause
	c.api.Credentials = credentialsIn(settings, base, timeout)
	return c, nil
}

// credentialsIn reads the credentials from the settings: an API token, or an API services
// app that signs with its key ("Implement OAuth for Okta with a service app" in Okta's
// guides: client credentials with private_key_jwt, the token endpoint as the audience).
func credentialsIn(settings *connector.Values, org *url.URL, timeout time.Duration) credentials.Credentials {
	token, app := settings.Has("token"), settings.Has("clientID")
	switch {
	case token && app:
		settings.Reject("clientID", "cannot be together with token")
	case token:
		secret := settings.Secret("token")
		if text, err := secret.Reveal(); err == nil && !credentials.Printable(text) {
			settings.Reject("token", credentials.Unprintable)
		}
		return credentials.Token{Scheme: "SSWS", Setting: "token", Token: secret}
	case !app:
		settings.Reject("token", "is missing: give it, or clientID, privateKey and keyID")
		return nil
	}
	for _, name := range []string{"privateKey", "keyID"} {
		if !settings.Has(name) {
			settings.Reject(name, "is missing: it goes with clientID")
		}
	}
	key := credentials.Key{Setting: "privateKey", PEM: settings.Secret("privateKey"), ID: settings.Text("keyID")}
	if problem := key.Check(); settings.Has("privateKey") && problem != "" {
		settings.Reject("privateKey", problem)
	}
	endpoint, id := org.JoinPath("oauth2/v1/token").String(), settings.Text("clientID")
	scopes := settings.Texts("scopes")
	if len(scopes) == 0 {
		if scopes = []string{"okta.users.manage", "okta.groups.manage"}; settings.Bool("adminRoles") {
			scopes = append(scopes, "okta.roles.manage")
		}
	}
	return credentials.NewTokens(credentials.Client{
		URL: endpoint, URLSetting: "url", ID: id, Scopes: scopes,
		Proof:    key.Assertion(credentials.Claims{Issuer: id, Subject: id, Audience: endpoint}),
		Settings: "clientID, privateKey, keyID and scopes",
	}, timeout)
}

func foresee(settings *connector.Values) connector.Foresight {
	return connector.Foresight{
		Attribute: func(name string) string { return unmappable(name, settings.Text("externalID")) },
		Doubt: func(name string) string {
			if slices.Contains(baseAttributes, name) {
				return ""
			}
			return "is no attribute of Okta's default profile: your org has to have it as a custom one"
		},
		Required: []string{"firstName", "lastName"},
		Entitlement: func(name string) string {
			role, isRole := strings.CutPrefix(name, rolePrefix)
			switch {
			case !isRole:
				return ""
			case !settings.Bool("adminRoles"):
				return "cannot be granted: the setting adminRoles is off"
			case !slices.Contains(roleTypes, role):
				return "is no standard admin role: known are " + strings.Join(roleTypes, ", ")
			}
			return ""
		},
	}
}

// unmappable returns why policy cannot map an attribute; "" if it can.
func unmappable(name, externalID string) string {
	switch {
	case name == login:
		return "is the username, and is not mapped"
	case name == externalID:
		return "holds the person ID (setting externalID), and is not mapped"
	case !attributeName.MatchString(name):
		return "is no variable name of a profile attribute"
	}
	return ""
}
