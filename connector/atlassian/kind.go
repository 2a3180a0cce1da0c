package atlassian

import (
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/credentials"
	"github.com/tenurehq/tenure/connector/rest"
	"github.com/tenurehq/tenure/internal/remote"
)

const about = `Setting it up, the rights that it needs, and what happens to a leaver: [apps/atlassian.md](apps/atlassian.md), which also says when the
kind scim with the profile atlassian is the better one.

**Never run against Atlassian.** It was tested on a stand-in that behaves as Atlassian's reference says. Try yours with
` + "`tenure app test NAME --write`" + ` first.

**Managed accounts** are those of a domain that the organisation has verified. A leaver's is deactivated, which ends it in all of Atlassian,
and its API tokens are deleted. If Atlassian refuses to deactivate it, access to the organisation is suspended, and the step says what a
human has to do. **Unmanaged accounts** belong to their owners: access to the organisation is suspended, and nothing else can be done. With
managed: false, all are treated so.

**Keys.** Accounts are found by their e-mail addresses; Atlassian keeps no person ID here. The username is the part of the address before
@domain; an address in another domain is a username as a whole.

**Entitlements.** A name without a prefix is a group of the directory, by its name. ` + "`role:org-admin`" + ` makes an organisation administrator;
` + "`role:site-admin`, `role:user-access-admin` and `role:ai-access`" + ` are the others. Access to apps, and the seat that it takes, comes with groups.

**New accounts** are invited into the groups of the setting invitedTo. Without it, none are created: Grant invites managed accounts that
are not in the directory.

**Attributes** are none: people's names come from single sign-on, or from themselves.

**Deleting** is for managed accounts: 14 days in which it can be undone, and in which nobody else can have the address. An unmanaged
account is removed from the directory.
`

// Kind describes this kind of app for the catalog.
var Kind = connector.Kind{
	Name:    "atlassian",
	Summary: "an Atlassian Cloud organisation's users and groups, by its organisation API",
	About:   about,
	Settings: []connector.Setting{
		{Name: "url", Type: connector.TypeText, Default: "https://api.atlassian.com", Text: "Address of Atlassian's API."},
		remote.Plaintext,
		{Name: "orgID", Type: connector.TypeText, Required: true, Text: "ID of the organisation, as in admin.atlassian.com/o/ID."},
		{Name: "token", Type: connector.TypeSecret, Required: true, Text: "API key of the organisation. For managed accounts it has to be one without scopes."},
		{Name: "directory", Type: connector.TypeText, Text: "ID of the directory whose users and groups these are; may be left out if the organisation has one."},
		{Name: "domain", Type: connector.TypeText, Required: true, Text: "Domain of people's addresses: the username zoe becomes zoe@DOMAIN. An address in another domain is a username as a whole."},
		{Name: "managed", Type: connector.TypeBool, Default: true, Text: "The domain is verified, so that the organisation manages its accounts. Otherwise access to the organisation is suspended, and nothing else."},
		{Name: "invitedTo", Type: connector.TypeTexts, Text: "Groups that new people are invited to. Without any, no accounts are created."},
		{Name: "invitation", Type: connector.TypeText, Text: "Text of the invitation that Atlassian mails to new people. Without it, none is mailed."},
		{Name: "timeout", Type: connector.TypeDuration, Default: 30 * time.Second, Text: "How long one request may take."},
	},
	Operations: []connector.Operation{
		{Op: connector.OpFind, Calls: "POST users/search by e-mail address (paths without a version stand for /admin/v2/orgs/{org}/directories/{directory}/...)"},
		{Op: connector.OpRead, Calls: "POST users/search by account ID; GET users/{id} if that shows nobody"},
		{Op: connector.OpCheck, Calls: "GET /admin/v1/orgs/{org}"},
		{Op: connector.OpProbe, Calls: "POST users/search, POST groups/search, GET /users/{id}/manage of a managed account"},
		{Op: connector.OpList, Calls: "POST users/search by pages"},
		{Op: connector.OpPage, Calls: "as list, from any page on"},
		{Op: connector.OpListEntitlements, Calls: "POST groups/search by pages"},
		{Op: connector.OpCreate, Calls: "POST users/search and groups/search, POST /admin/v2/orgs/{org}/users/invite, GET users/{id}"},
		{Op: connector.OpGrant, Calls: "POST groups/search, POST groups/{id}/memberships or /admin/v1/orgs/{org}/users/{id}/role-assignments/assign each; POST /admin/v2/orgs/{org}/users/invite for a managed account that is not in the directory"},
		{Op: connector.OpRevoke, Calls: "POST groups/search, DELETE groups/{id}/memberships/{account} or POST /admin/v1/orgs/{org}/users/{id}/role-assignments/revoke each"},
		{Op: connector.OpDisable, Calls: "as read; POST /users/{id}/manage/lifecycle/disable, or POST users/{id}/suspend"},
		{Op: connector.OpEnable, Calls: "as read; POST /users/{id}/manage/lifecycle/enable, POST users/{id}/restore"},
		{Op: connector.OpRevokeSessions, Calls: "as read; GET /users/{id}/manage/api-tokens, DELETE each"},
		{Op: connector.OpDelete, Calls: "as read; POST /users/{id}/manage/lifecycle/delete, or DELETE users/{id}"},
		{Op: connector.OpRestore, Calls: "as read; POST /users/{id}/manage/lifecycle/cancel-delete and disable"},
	},
	Foresee:   foresee,
	Unreached: "Atlassian",
	LastUse:   lastUse,
	Connect:   connect,
}

// idForm is the form of Atlassian's IDs of organisations and directories.
var idForm = regexp.MustCompile(`^[A-Za-z0-9-]{1,64}$`)

func connect(_ context.Context, env connector.Env, settings *connector.Values) (connector.Connector, error) {
	base := remote.BaseURL(settings, "url")
	c := &client{
		org: settings.Text("orgID"), named: settings.Text("directory"), domain: strings.ToLower(settings.Text("domain")), managed: settings.Bool("managed"),
		invitedTo: settings.Texts("invitedTo"), invitation: settings.Text("invitation"), inviting: make(chan struct{}, 1),
	}
	for name, id := range map[string]string{"orgID": c.org, "directory": c.named} {
		if id != "" && !idForm.MatchString(id) {
			settings.Reject(name, "must be an ID of letters, digits and dashes, without a URL")
		}
	}
	if c.domain != "" && (strings.ContainsAny(c.domain, "@/ ") || !strings.Contains(c.domain, ".")) {
		settings.Reject("domain", "must be a domain, such as example.com")
	}
	if c.invitation != "" && len(c.invitedTo) == 0 {
		settings.Reject("invitation", "is of no use without invitedTo")
	}
	c.api, c.pages.Fetch = rest.New(vendor, settings.Duration("timeout")), c.fetch
	c.api.Base, c.api.Pace, c.api.Pause = rest.At(base), env.Pace, env.Pause
	c.api.Credentials = credentials.Token{Scheme: "Bearer", Setting: "token", Token: settings.Secret("token")}
	return c, nil
}

func foresee(*connector.Values) connector.Foresight {
	return connector.Foresight{
		Attribute: func(string) string {
			return "cannot be set: people's profiles come from single sign-on, or from themselves"
		},
		Entitlement: func(name string) string {
			role, is := strings.CutPrefix(name, rolePrefix)
			switch {
			case is && !slices.Contains(roles, role):
				return "is no role of an organisation: known are " + strings.Join(roles, ", ")
			case connector.KindOf(name) == connector.Licence:
				return "cannot be granted: access to an app, and the seat, comes with a group"
			}
			return ""
		},
	}
}

// The codes of Atlassian's errors that calls look for ("ApiError" in the organisation API's
// reference).
const (
	unknownResource = "ADMIN-UAM-404-1"
	unknownGroup    = "ADMIN-UAM-404-3"
	conflicting     = "ADMIN-UAM-409-2" // for a membership: it is there already
)

const checkIDs = "it knows no such user, group or directory: check the settings orgID and directory"

// vendor says what Atlassian's errors mean. A 404 is no NotFound: it also stands for a
// directory that the key does not see, so that each call decides by itself.
var vendor = rest.Vendor{Name: "Atlassian", Codes: codes, Rules: []rest.Rule{
	{Code: unknownResource, Kind: connector.KindInvalid, Advice: checkIDs},
	{Code: unknownGroup, Kind: connector.KindInvalid, Advice: checkIDs},
	{Code: "ADMIN-UAM-404-2", Kind: connector.KindInvalid, Advice: "it knows no such organisation: check the setting orgID"},
	{Code: conflicting, Op: connector.OpCreate, Kind: connector.KindExists, Advice: "there is such an account"},
	{Code: "ADMIN-UAM-409-3", Kind: connector.KindConflict, Advice: noSeat},
	{Code: "ADMIN-409-3", Kind: connector.KindConflict, Advice: noSeat},
	{Status: http.StatusPaymentRequired, Kind: connector.KindConflict, Advice: "the organisation has no paid subscription, without which nobody can be invited by the API"},
	{Code: "forbidden.action", Kind: connector.KindForbidden, Advice: "the account is managed elsewhere: an identity provider provisions it by SCIM (then use the kind scim with the profile atlassian), or it has no verified address"},
	{Status: http.StatusForbidden, Kind: connector.KindForbidden, Advice: "the API key lacks a right: managed accounts need a key without scopes, made by an organisation administrator"},
	{Status: http.StatusBadRequest, Op: connector.OpDisable, Kind: connector.KindInvalid, Advice: "it refuses to turn the account off: take role:org-admin from it, and in Atlassian Administration the sites and subscriptions that it owns, then retry"},
}}

const noSeat = "no seat is left of an app that the group gives: raise the user limit or free a seat, then retry"

// codeForm is the form of codes: nothing else of an error's body is kept.
var codeForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9._-]{0,60}$`)

// codes returns the codes in an error's body: the organisation API has {errors: [{code}]}, and
// the user management API {key} or a list of {code}.
func codes(body []byte) []string {
	type coded struct {
		Code string `json:"code"`
	}
	var told struct {
		Key    string  `json:"key"`
		Errors []coded `json:"errors"`
	}
	var list []coded
	if json.Unmarshal(body, &told) != nil && json.Unmarshal(body, &list) != nil {
		return nil
	}
	var found []string
	for _, one := range append(append(told.Errors, list...), coded{told.Key}) {
		if codeForm.MatchString(one.Code) {
			found = append(found, one.Code)
		}
	}
	return found
}
