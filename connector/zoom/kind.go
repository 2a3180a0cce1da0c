package zoom

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
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
	Name:    "zoom",
	Summary: "a Zoom account's users, groups, roles and licences, by its REST API",
	About: `Setting it up, the rights that it needs, and what happens to a leaver: [apps/zoom.md](apps/zoom.md).

**Never run against Zoom.** It was tested on a stand-in that behaves as Zoom's reference says. Try yours with
` + "`tenure app test NAME --write`" + ` first.

**Keys.** A user is found by the address, which is the username with the domain. The person ID is kept in a custom attribute if
` + "`personAttribute`" + ` names one; without it, accounts are not marked as anybody's. An address that belongs to another Zoom account is an
error that says so.

**Creating.** ` + "`create: ssoCreate`" + ` makes users who sign in by single sign-on, at once and without mail. With ` + "`create: create`" + ` Zoom
sends an invitation, and the user is pending until it is accepted. A pending user counts as on, since they can accept at any time;
disabling one takes the invitation back.

**Entitlements** are the names of groups; ` + "`licence:Licensed`" + ` with ` + "`licences`" + `, and ` + "`role:NAME`" + ` with ` + "`roles`" + `. A user has one
role: whoever loses theirs is a Member.

**Deleting** is for good, and hands over what ` + "`handOver`" + ` names, to whom Tenure names (the manager). Before that, the user is
deactivated and keeps everything.
`,
	Settings: []connector.Setting{
		{Name: "accountID", Type: connector.TypeText, Required: true, Text: "Account ID of the Server-to-Server OAuth app."},
		{Name: "clientID", Type: connector.TypeText, Required: true, Text: "Client ID of the app."},
		{Name: "clientSecret", Type: connector.TypeSecret, Required: true, Text: "Client secret of the app."},
		{Name: "domain", Type: connector.TypeText, Required: true, Text: "Domain of new accounts: the username zoe becomes zoe@DOMAIN. An address in another domain is a username as a whole."},
		{Name: "create", Type: connector.TypeText, Default: ssoCreate, Text: "How users are made: ssoCreate (at once, for single sign-on), or create (by an invitation)."},
		{Name: "personAttribute", Type: connector.TypeText, Text: "Key of the custom attribute that holds the person ID. Finding somebody by it reads the list of users."},
		{Name: "roles", Type: connector.TypeBool, Text: "Roles are entitlements (role:NAME)."},
		{Name: "licences", Type: connector.TypeBool, Text: "Zoom's licence for users is an entitlement (licence:Licensed)."},
		{Name: "handOver", Type: connector.TypeTexts, Default: []string{"meetings", "webinars", "recordings"}, Text: "What goes to somebody else when a user is deleted: any of meetings, webinars, recordings, whiteboards, clips, notes, docs."},
		{Name: "url", Type: connector.TypeText, Default: "https://api.zoom.us/v2", Text: "Address of the API."},
		{Name: "tokenURL", Type: connector.TypeText, Default: "https://zoom.us/oauth/token", Text: "Zoom's token endpoint."},
		remote.Plaintext,
		{Name: "timeout", Type: connector.TypeDuration, Default: 30 * time.Second, Text: "How long one request may take."},
	},
	Operations: []connector.Operation{
		{Op: connector.OpFind, Calls: "GET /users by pages, of all three statuses, with personAttribute; then GET /users/ADDRESS; GET /users?status=pending by pages if that shows no address; then as read"},
		{Op: connector.OpRead, Calls: "GET /users/ID; GET /groups by pages and with roles GET /roles by pages, both remembered for a minute"},
		{Op: connector.OpCheck, Calls: "GET /users, one user"},
		{Op: connector.OpProbe, Calls: "POST token, and GET /users; with licences GET /accounts/me/plans/usage"},
		{Op: connector.OpList, Calls: "GET /users by pages, of all three statuses; GET /users/ADDRESS of each pending user; groups and roles as read"},
		{Op: connector.OpPage, Calls: "as list, from any page on"},
		{Op: connector.OpListEntitlements, Calls: "GET /groups by pages; with roles GET /roles by pages; with licences GET /accounts/me/plans/usage"},
		{Op: connector.OpCreate, Calls: "POST /users; PATCH /users/ID; PUT /users/ID/status if the account is to be off; then as read"},
		{Op: connector.OpAdopt, Calls: "GET and PATCH /users/ID"},
		{Op: connector.OpUpdate, Calls: "GET and PATCH /users/ID"},
		{Op: connector.OpRelabel, Calls: "GET /users/ID; PUT /users/ID/email; PATCH /users/ID"},
		{Op: connector.OpGrant, Calls: "as read; POST /groups/G/members; POST /roles/R/members; PATCH /users/ID type 2, and GET /accounts/me/plans/usage if that is refused"},
		{Op: connector.OpRevoke, Calls: "as read; DELETE /groups/G/members/ID; DELETE /roles/R/members/ID; PATCH /users/ID type 1"},
		{Op: connector.OpDisable, Calls: "GET /users/ID; PUT /users/ID/status deactivate, or DELETE /users/ID?action=disassociate of a pending user"},
		{Op: connector.OpEnable, Calls: "GET /users/ID; PUT /users/ID/status activate"},
		{Op: connector.OpRevokeSessions, Calls: "GET /users/ID; DELETE /users/ID/token"},
		{Op: connector.OpDelete, HandsOver: true, Calls: "GET /users/ID; GET /users/ID of who gets the data; DELETE /users/ID?action=delete&transfer_email=..."},
	},
	Attributes:      attributes,
	OtherAttributes: "Any custom attribute, by its key: custom_attributes.KEY.",
	Foresee:         foresee,
	Unreached:       "Zoom",
	LastUse:         lastUse,
	Connect:         connect,
}

// The ways of making a user ("Create users"): custCreate makes users who cannot sign in, and
// autoCreate sets a password that somebody would have to be told.
const (
	ssoCreate = "ssoCreate"
	invite    = "create"
)

// transferable maps what can be handed over to the parameters of "Delete a user".
var transferable = map[string]string{
	"meetings": "transfer_meeting", "webinars": "transfer_webinar", "recordings": "transfer_recording",
	"whiteboards": "transfer_whiteboard", "clips": "transfer_clipfiles", "notes": "transfer_notes", "docs": "transfer_docs",
}

// foresee finds mistakes in what policy maps and grants.
func foresee(settings *connector.Values) connector.Foresight {
	return connector.Foresight{
		Attribute: func(name string) string {
			if name == custom+settings.Text("personAttribute") {
				return "holds the person ID, which Tenure sets"
			}
			return unknown(name)
		},
		Entitlement: func(name string) string {
			return unmanaged(name, settings.Bool("roles"), settings.Bool("licences"))
		},
	}
}

func connect(_ context.Context, env connector.Env, settings *connector.Values) (connector.Connector, error) {
	base, tokenURL := remote.BaseURL(settings, "url"), remote.HTTPURL(settings, "tokenURL")
	timeout := settings.Duration("timeout")
	c := &client{
		api: rest.New(vendor, timeout), now: time.Now,
		domain: strings.ToLower(settings.Text("domain")), create: settings.Text("create"), person: settings.Text("personAttribute"),
		roles: settings.Bool("roles"), licences: settings.Bool("licences"), handOver: settings.Texts("handOver"),
	}
	c.pages.Fetch = connector.InTurn(c.fetch(statuses[0]), c.fetch(statuses[1]), c.fetch(statuses[2]))
	if strings.ContainsAny(c.domain, "@/ ") || !strings.Contains(c.domain, ".") {
		settings.Reject("domain", "must be a domain, such as example.com")
	}
	if c.create != ssoCreate && c.create != invite {
		settings.Reject("create", "must be ssoCreate or create")
	}
	for _, name := range c.handOver {
		if transferable[name] == "" {
			settings.Reject("handOver", "holds what cannot be handed over: known are meetings, webinars, recordings, whiteboards, clips, notes, docs")
		}
	}
	if base == nil || tokenURL == nil {
		return c, nil // rejected
	}
	c.api.Base, c.api.Pace, c.api.Pause = rest.At(base), env.Pace, env.Pause
	// "Server-to-Server OAuth", "Use account credentials to get an access token".
	grant := url.Values{"grant_type": {"account_credentials"}, "account_id": {settings.Text("accountID")}}
	c.tokens = credentials.NewTokens(credentials.Client{
		URL: tokenURL.String(), URLSetting: "tokenURL", ID: settings.Text("clientID"),
		Proof: credentials.Secret("clientSecret", settings.Secret("clientSecret"), grant), Settings: "accountID, clientID and clientSecret",
	}, timeout)
	c.api.Credentials = c.tokens
	return c, nil
}

// The codes of Zoom's errors. The last two are ours.
const (
	notFound  = "1001" // "User does not exist": the only answer that proves that there is no user
	elsewhere = "1010" // "User not found on this account"
	taken     = "1005" // "User already in the account"
	holds     = "1009" // the address "already holds an active account"
	pending   = "1000" // settings of users who are still pending cannot be used
	noRight   = "200"  // "No privilege", or the plan lacks it
	invalid   = "300"
	daily     = "daily limit"
	disused   = "being disassociated"
)

const (
	aDay      = time.Hour   // when a daily limit is looked at again that does not say until when
	aSecond   = time.Second // the same of a limit by the second
	untilMail = time.Hour   // the same of an invitation
)

// vendor says what Zoom's errors mean ("Error codes", and the errors of each call). A missing
// scope is a 400 with a code of its own.
var vendor = rest.Vendor{
	Name:  "Zoom",
	Codes: codes,
	Rules: []rest.Rule{
		{Status: http.StatusNotFound, Code: notFound, Kind: connector.KindNotFound, Advice: "it has no such user"},
		{Code: elsewhere, Kind: connector.KindConflict, Advice: "the user belongs to another Zoom account, or has left this one: have them moved here, or take the address out of that account"},
		{Code: taken, Op: connector.OpCreate, Kind: connector.KindExists, Advice: "there is such an account"},
		{Code: taken, Op: connector.OpRelabel, Kind: connector.KindExists, Advice: "another user has this address"},
		{Code: holds, Op: connector.OpRelabel, Kind: connector.KindExists, Advice: "another user has this address"},
		{Code: holds, Kind: connector.KindInvalid, Advice: "the address belongs to another Zoom account: claim the domain in Zoom, or have that account give the user up"},
		{Code: pending, Kind: connector.KindPending, Advice: "the person has not accepted the invitation yet", Wait: untilMail},
		{Code: "104", Kind: connector.KindForbidden, Advice: noScope},
		{Code: "4700", Kind: connector.KindForbidden, Advice: noScope},
		{Code: "4711", Kind: connector.KindForbidden, Advice: noScope},
		{Status: http.StatusTooManyRequests, Code: disused, Kind: connector.KindUnavailable, Advice: "it is letting this user go already"},
		{Status: http.StatusTooManyRequests, Code: daily, Kind: connector.KindRateLimited, Advice: "the limit of the day is used up, which all apps of the account share", Wait: aDay},
		{Status: http.StatusTooManyRequests, Kind: connector.KindRateLimited, Advice: "too many requests in a second: if it goes on, lower the app's rate", Wait: aSecond},
		{Status: http.StatusBadRequest, Code: noRight, Kind: connector.KindForbidden, Advice: "the account's plan or the app's rights do not allow it, or the user is the account's owner"},
		{Status: http.StatusBadRequest, Code: invalid, Op: connector.OpDelete, Kind: connector.KindInvalid, Advice: "it does not delete this user: somebody with events needs a recipient (`handOver`), who must not be the user, and who needs the licences for what they get"},
	},
}

const noScope = "the app lacks a scope: add it in the Zoom App Marketplace as the documentation of this kind says, and activate the app again"

// codes returns the codes in an error's body: {code, message}.
func codes(body []byte) []string {
	var e struct {
		Code    json.Number `json:"code"`
		Message string      `json:"message"`
	}
	if json.Unmarshal(body, &e) != nil || e.Code == "" {
		return nil
	}
	found := []string{e.Code.String()}
	text := strings.ToLower(e.Message)
	if strings.Contains(text, "daily") {
		found = append(found, daily)
	}
	if strings.Contains(text, "disassociate") {
		found = append(found, disused)
	}
	return found
}

// right is a scope that the app needs: the granular one, or the classic one of older apps.
type right struct {
	may, granular, classic string
	needed                 func(*client) bool // nil: always
}

func byRoles(c *client) bool    { return c.roles }
func byLicences(c *client) bool { return c.licences }

// rights lists the scopes ("Granular scopes" of each call).
var rights = []right{
	{"read users", "user:read:user:admin", "user:read:admin", nil},
	{"list users", "user:read:list_users:admin", "user:read:admin", nil},
	{"make users", "user:write:user:admin", "user:write:admin", nil},
	{"change users", "user:update:user:admin", "user:write:admin", nil},
	{"change addresses", "user:update:email:admin", "user:write:admin", nil},
	{"deactivate users", "user:update:status:admin", "user:write:admin", nil},
	{"end sessions", "user:delete:token:admin", "user:write:admin", nil},
	{"delete users", "user:delete:user:admin", "user:write:admin", nil},
	{"list groups", "group:read:list_groups:admin", "group:read:admin", nil},
	{"add to groups", "group:write:member:admin", "group:write:admin", nil},
	{"take out of groups", "group:delete:member:admin", "group:write:admin", nil},
	{"list roles", "role:read:list_roles:admin", "role:read:admin", byRoles},
	{"give roles", "role:write:member:admin", "role:write:admin", byRoles},
	{"take roles", "role:delete:member:admin", "role:write:admin", byRoles},
	{"see how many licences are left", "billing:read:plan_usage:admin", "account:read:admin", byLicences},
}

// Probe implements connector.Connector. Zoom's token says which scopes it has.
func (c *client) Probe(ctx context.Context) []connector.Finding {
	const op = connector.OpProbe
	_, err := c.api.Do(ctx, rest.Request{Op: op, Path: "/users", Query: url.Values{"page_size": {"1"}}}, nil)
	reads := connector.Finding{What: "answers"}
	if err != nil {
		reads.Problem = err.Error()
	}
	findings := []connector.Finding{reads}
	token, err := c.tokens.Token(ctx, op)
	if err != nil {
		return findings
	}
	said, _ := token.Extra("scope").(string)
	scopes := strings.Fields(strings.ReplaceAll(said, ",", " "))
	for _, r := range rights {
		if r.needed != nil && !r.needed(c) {
			continue
		}
		finding := connector.Finding{What: "may " + r.may}
		if !slices.Contains(scopes, r.granular) && !slices.Contains(scopes, r.classic) {
			finding.Problem = "the app lacks the scope " + r.granular
		}
		findings = append(findings, finding)
	}
	return findings
}
