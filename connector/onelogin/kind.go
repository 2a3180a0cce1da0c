package onelogin

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/credentials"
	"github.com/tenurehq/tenure/connector/rest"
	"github.com/tenurehq/tenure/internal/remote"
)

// Kind describes this kind of app for the catalog.
var Kind = connector.Kind{
	Name:    "onelogin",
	Summary: "a OneLogin account's users and roles, by its API",
	About: `Setting it up, the rights that it needs, and what happens to a leaver: [apps/onelogin.md](apps/onelogin.md).

**Never run against OneLogin.** It was tested on a stand-in that behaves as OneLogin's reference says. Try yours with
` + "`tenure app test NAME --write`" + ` first.

**Keys.** The person ID is kept in external_id. Accounts are found by it, by username and by e-mail, also suspended ones. Policy has to
map email, which OneLogin requires, unless the username is an address.

**Entitlements** are the names of roles. OneLogin's mappings may give and take roles by themselves: then a role that was taken is back,
and the step says so. The group of a user is the attribute ` + "`group_id`" + `, since there is one only.

**What disabling does.** Tenure suspends the user (status 2), which keeps everything else, and ends the sessions at OneLogin. It cannot
end the sessions of the apps themselves. New users have no password (status 7 until they set one), and OneLogin sends no mail.

**Deleting** cannot be undone.

`,
	Settings: []connector.Setting{
		{Name: "url", Type: connector.TypeText, Required: true, Text: "Address of the account, such as \"https://example.onelogin.com\", without /api."},
		remote.Plaintext,
		{Name: "clientID", Type: connector.TypeText, Required: true, Text: "Client ID of the API credentials."},
		{Name: "clientSecret", Type: connector.TypeSecret, Required: true, Text: "Client secret of the API credentials."},
		{Name: "timeout", Type: connector.TypeDuration, Default: 30 * time.Second, Text: "How long one request may take."},
	},
	Operations: []connector.Operation{
		{Op: connector.OpFind, Calls: "GET /api/2/users/{id}; or GET /api/2/users?external_id, then ?username, then ?email, and GET /api/2/users/{id} of each account found"},
		{Op: connector.OpRead, Calls: "GET /api/2/users/{id}; GET /api/2/roles by pages (remembered for a minute)"},
		{Op: connector.OpCheck, Calls: "GET /api/2/users?limit=1"},
		{Op: connector.OpProbe, Calls: "GET /api/2/users?limit=1, GET /api/2/roles?limit=1, PUT logout of a user who does not exist"},
		{Op: connector.OpList, Calls: "GET /api/2/users by pages; GET /api/2/roles and GET /api/2/roles/{id}/users by pages"},
		{Op: connector.OpPage, Calls: "as list, from any page on"},
		{Op: connector.OpListEntitlements, Calls: "GET /api/2/roles by pages"},
		{Op: connector.OpCreate, Calls: "POST /api/2/users"},
		{Op: connector.OpAdopt, Calls: "GET and PUT /api/2/users/{id}"},
		{Op: connector.OpUpdate, Calls: "PUT /api/2/users/{id}"},
		{Op: connector.OpRelabel, Calls: "GET and PUT /api/2/users/{id}"},
		{Op: connector.OpGrant, Calls: "PUT /api/1/users/{id}/add_roles for all roles"},
		{Op: connector.OpRevoke, Calls: "PUT /api/1/users/{id}/remove_roles for all roles"},
		{Op: connector.OpDisable, Calls: "PUT /api/2/users/{id} status 2"},
		{Op: connector.OpEnable, Calls: "GET /api/2/users/{id}; PUT /api/2/users/{id} status 1 and state 1"},
		{Op: connector.OpRevokeSessions, Calls: "PUT /api/1/users/{id}/logout"},
		{Op: connector.OpDelete, Calls: "DELETE /api/2/users/{id}"},
	},
	Attributes:      attributes,
	OtherAttributes: "Any custom attribute, as custom_attributes.NAME.",
	Foresee:         foresee,
	Unreached:       "OneLogin",
	LastUse:         lastUse,
	Connect:         connect,
}

// attributes lists the fields of a user that policy can map ("User Resource" in the reference).
var attributes = []string{
	"comment", "company", "department", "email", "firstname", "group_id", "lastname", "manager_ad_id", "manager_user_id", "phone",
	"preferred_locale_code", "samaccountname", "title", "userprincipalname",
}

// custom begins the names of custom attributes.
const custom = "custom_attributes."

// unknown returns why policy cannot map an attribute; "" if it can.
func unknown(name string) string {
	if field, ok := strings.CutPrefix(name, custom); ok && field != "" || slices.Contains(attributes, name) {
		return ""
	}
	return "is no field of a OneLogin user that can be mapped: known are " + strings.Join(attributes, ", ") + " and custom_attributes.NAME"
}

func foresee(*connector.Values) connector.Foresight {
	return connector.Foresight{Attribute: unknown, Required: []string{"email"}}
}

func connect(_ context.Context, env connector.Env, settings *connector.Values) (connector.Connector, error) {
	base, timeout := remote.BaseURL(settings, "url"), settings.Duration("timeout")
	if base == nil {
		return nil, nil //nolint:nilnil // the setting was rejected
	}
	if strings.Contains(base.Path, "/api") {
		settings.Reject("url", "must end before /api")
	}
	c := &client{api: rest.New(vendor, timeout)}
	c.pages.Gather, c.pages.Fetch = c.held, c.fetch
	c.api.Base, c.api.Pace, c.api.Pause = rest.At(base), env.Pace, env.Pause
	// "Generate Tokens" in the reference: client credentials, by HTTP Basic.
	c.api.Credentials = credentials.NewTokens(credentials.Client{
		URL: base.JoinPath("auth/oauth2/v2/token").String(), URLSetting: "url", ID: settings.Text("clientID"),
		Proof: credentials.Secret("clientSecret", settings.Secret("clientSecret"), nil), Settings: "clientID and clientSecret",
	}, timeout)
	return c, nil
}

// The codes below are ours: OneLogin has names in version 2, and numbers in version 1.
const (
	notFound  = "not found"
	duplicate = "exists already"
)

// vendor says what OneLogin's errors mean. The reset of its quota is the seconds that are left.
var vendor = rest.Vendor{
	Name:  "OneLogin",
	Codes: codes,
	Rules: []rest.Rule{
		{Status: http.StatusNotFound, Code: notFound, Kind: connector.KindNotFound, Advice: "it has no such user"},
		{Code: duplicate, Op: connector.OpCreate, Kind: connector.KindExists, Advice: "there is such an account"},
		{Code: duplicate, Op: connector.OpRelabel, Kind: connector.KindExists, Advice: "another account has this username"},
		{Code: duplicate, Kind: connector.KindInvalid, Advice: "another account has a value that may be there once only: check the attribute mappings"},
	},
}

// codes returns the codes in an error's body: version 2 has {name, message, statusCode}, and
// version 1 {status: {error, code, type, message}}.
func codes(body []byte) []string {
	var e struct {
		Name    string          `json:"name"`
		Message string          `json:"message"`
		Status  json.RawMessage `json:"status"`
	}
	var first struct {
		Error bool   `json:"error"`
		Code  int    `json:"code"`
		Text  string `json:"message"`
	}
	if json.Unmarshal(body, &e) != nil {
		return nil
	}
	_ = json.Unmarshal(e.Status, &first) // version 2 has none
	var found []string
	if e.Name == "NotFoundError" || first.Error && first.Code == http.StatusNotFound {
		found = append(found, notFound)
	}
	if text := e.Message + first.Text; strings.Contains(text, "already been taken") || strings.Contains(text, "must be unique") {
		found = append(found, duplicate)
	}
	return found
}
