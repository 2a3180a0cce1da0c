package github

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/credentials"
	"github.com/tenurehq/tenure/connector/rest"
	"github.com/tenurehq/tenure/internal/remote"
)

const about = `**Whose an account is.** GitHub keeps no person ID. The setting **logins** says which login a person has, and is taken as certain. Where a
company has its people make accounts by a rule, **loginSuffix** is that rule: the username, with dashes for dots and underscores, and the
suffix. Anybody on GitHub can take such a name first, so check the first invitations. Somebody with neither is not invited.

**Members.** Creating an account invites its owner. An invitation that waits counts as an active account, since its owner can accept it
at any time: a leaver's is cancelled. Disabling removes the member, cancels the invitation, and removes them as outside collaborator; only
a new invitation brings them back. Invitations by e-mail, without a login, are neither sent nor listed.

**Entitlements.** A name without a prefix is a team, by its slug; ` + "`role:owner`" + ` makes an owner of the organisation. Teams that are
synchronised from an identity provider refuse changes. ` + "`licence:seat`" + ` is listed with the seats of the plan, and comes with membership.

With managed users (EMU), use the kind scim with the profile github-emu. It was tested on a stand-in that is held to GitHub's OpenAPI
document, and never on GitHub itself: try yours with ` + "`tenure app test NAME --write`" + ` first, with ` + "`--login`" + ` for whom to invite.
[apps/github.md](apps/github.md) says how to set it up.
`

// Kind describes this kind of app for the catalog.
var Kind = connector.Kind{
	Name:    "github",
	Summary: "a GitHub organisation with people's own accounts, by its REST API",
	About:   about,
	Settings: []connector.Setting{
		{Name: "url", Type: connector.TypeText, Default: "https://api.github.com", Text: "Base URL of the API. With data residency: https://api.SUBDOMAIN.ghe.com."},
		remote.Plaintext,
		{Name: "org", Type: connector.TypeText, Required: true, Text: "The organisation, as in github.com/ORG."},
		{Name: "token", Type: connector.TypeSecret, Text: "Personal access token of an owner. Rather use an app."},
		{Name: "appID", Type: connector.TypeText, Text: "Instead of token: the ID or client ID of a GitHub App that is installed in the organisation."},
		{Name: "installationID", Type: connector.TypeText, Text: "With appID: the ID of the installation."},
		{Name: "privateKey", Type: connector.TypeSecret, Text: "With appID: the app's private key in PEM."},
		{Name: "logins", Type: connector.TypeMap, Text: "The login of each person, by person ID."},
		{Name: "loginSuffix", Type: connector.TypeText, Text: "Rule for people who are not in logins: their login is the username with this suffix, such as -acme."},
		{Name: "saml", Type: connector.TypeBool, Text: "The organisation has SAML single sign-on (Enterprise Cloud): end the authorisations of tokens and SSH keys."},
		{Name: "timeout", Type: connector.TypeDuration, Default: 15 * time.Second, Text: "How long one request may take."},
	},
	Operations: []connector.Operation{
		{Op: connector.OpFind, Calls: "GET /orgs/{org}/memberships/{login}; then as read"},
		{Op: connector.OpRead, Calls: "GET /user/{id}, GET /orgs/{org}/memberships/{login}; for teams POST /graphql, or GET /orgs/{org}/invitations and their teams; GET /orgs/{org}/invitations if there is no membership"},
		{Op: connector.OpCheck, Calls: "GET /orgs/{org}"},
		{Op: connector.OpProbe, Calls: "GET /orgs/{org}/members, invitations, teams, and credential-authorizations with saml"},
		{Op: connector.OpList, Calls: "GET /orgs/{org}/members, invitations, teams and the members of each team, by pages; GET /users/{login} for each invitation"},
		{Op: connector.OpPage, Calls: "as list, from any page on"},
		{Op: connector.OpListEntitlements, Calls: "GET /orgs/{org}/teams by pages, GET /orgs/{org}"},
		{Op: connector.OpCreate, Calls: "GET /users/{login}, POST /orgs/{org}/invitations; then as read"},
		{Op: connector.OpGrant, Calls: "as read; PUT /orgs/{org}/teams/{slug}/memberships/{login} or PUT /orgs/{org}/memberships/{login}"},
		{Op: connector.OpRevoke, Calls: "as read; DELETE /orgs/{org}/teams/{slug}/memberships/{login} or PUT /orgs/{org}/memberships/{login}"},
		{Op: connector.OpDisable, Calls: "GET /user/{id}, DELETE /orgs/{org}/memberships/{login}, DELETE /orgs/{org}/outside_collaborators/{login}"},
		{Op: connector.OpEnable, Calls: "as read: nothing is to be done"},
		{Op: connector.OpRevokeSessions, Calls: "GET /user/{id}, GET /orgs/{org}/credential-authorizations?login=; DELETE each"},
	},
	Foresee:         foresee,
	LongestUsername: 39, // of a login
	AtOnce:          5,  // GitHub wants requests one after the other, and punishes many at once

	Logins:    "logins",
	Unreached: "GitHub",
	LastUse:   lastUse,
	Connect:   connect,
}

var (
	loginForm  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,38}$`)
	suffixForm = regexp.MustCompile(`^[A-Za-z0-9-]{1,30}$`)
)

func connect(_ context.Context, env connector.Env, settings *connector.Values) (connector.Connector, error) {
	base := remote.BaseURL(settings, "url")
	org, suffix := settings.Text("org"), settings.Text("loginSuffix")
	if org != "" && !loginForm.MatchString(org) {
		settings.Reject("org", "must be the organisation's name, without a URL")
	}
	if suffix != "" && !suffixForm.MatchString(suffix) {
		settings.Reject("loginSuffix", "must be letters, digits and dashes, such as -acme")
	}
	c := &client{org: org, suffix: suffix, saml: settings.Bool("saml"), logins: settings.Map("logins"), persons: map[string]string{}}
	for person, login := range c.logins {
		if !loginForm.MatchString(login) {
			settings.Reject("logins", "holds a text that is no login")
		}
		if _, twice := c.persons[strings.ToLower(login)]; twice {
			settings.Reject("logins", "gives the same login to two people")
		}
		c.persons[strings.ToLower(login)] = person
	}
	timeout := settings.Duration("timeout")
	c.api = newAPI(base, timeout, env)
	c.pages.Gather, c.pages.Fetch = c.allTeams, connector.InTurn(c.members("admin"), c.members("member"), c.invitations)
	c.api.Credentials = credentialsIn(settings, base, timeout, env)
	return c, nil
}

// newAPI returns a client of GitHub's API without credentials.
func newAPI(base *url.URL, timeout time.Duration, env connector.Env) *rest.Client {
	api := rest.New(vendor, timeout)
	api.Base, api.Pace, api.Pause = rest.At(base), env.Pace, env.Pause
	api.Header = http.Header{"Accept": {"application/vnd.github+json"}, "X-Github-Api-Version": {"2022-11-28"}}
	return api
}

// credentialsIn reads the credentials from the settings: a token, or an app.
func credentialsIn(settings *connector.Values, base *url.URL, timeout time.Duration, env connector.Env) credentials.Credentials {
	if !settings.Has("appID") {
		if !settings.Has("token") {
			settings.Reject("token", "is missing: give it, or appID, installationID and privateKey")
			return nil
		}
		return credentials.Token{Scheme: "Bearer", Setting: "token", Token: settings.Secret("token")}
	}
	if settings.Has("token") {
		settings.Reject("token", "cannot be together with appID")
	}
	for _, name := range []string{"installationID", "privateKey"} {
		if !settings.Has(name) {
			settings.Reject(name, "is missing: it goes with appID")
			return nil
		}
	}
	key := credentials.Key{Setting: "privateKey", PEM: settings.Secret("privateKey")}
	if problem := key.Check(); problem != "" {
		settings.Reject("privateKey", problem)
	}
	app := newAPI(base, timeout, env)
	app.Credentials = credentials.Signed{Key: key, Claims: credentials.Claims{Issuer: settings.Text("appID")}}
	return credentials.NewTokens(credentials.Client{
		ID: settings.Text("appID"), URLSetting: "url",
		Fetch: func(ctx context.Context, op string) (*oauth2.Token, error) {
			return installationToken(ctx, op, app, settings.Text("installationID"))
		},
	}, timeout)
}

// installationToken gets the token of an app's installation, which lives an hour.
func installationToken(ctx context.Context, op string, app *rest.Client, installation string) (*oauth2.Token, error) {
	var answer struct {
		Token   string    `json:"token"`
		Expires time.Time `json:"expires_at"`
	}
	_, err := app.Do(ctx, rest.Request{Op: op, Method: http.MethodPost, Path: rest.Path("app", "installations", installation, "access_tokens")}, &answer)
	switch {
	case rest.Has(err, notFound):
		return nil, &connector.Error{Kind: connector.KindUnauthorized, Op: op, Message: "GitHub has no such installation of the app: check the settings appID, installationID and privateKey"}
	case err != nil:
		return nil, err
	case answer.Token == "" || !credentials.Printable(answer.Token):
		return nil, rest.Contradictory(op, "GitHub answered without a token of the installation")
	}
	return &oauth2.Token{AccessToken: answer.Token, Expiry: answer.Expires}, nil
}

// slugForm is the form of a team's slug.
var slugForm = regexp.MustCompile(`^[a-z0-9_][a-z0-9_-]*$`)

func foresee(*connector.Values) connector.Foresight {
	return connector.Foresight{
		Attribute: func(string) string { return "cannot be set: the accounts of GitHub belong to their owners" },
		Entitlement: func(name string) string {
			switch {
			case name == owner || slugForm.MatchString(name):
				return ""
			case name == seat:
				return "cannot be granted: each member has one"
			case strings.Contains(name, ":"):
				return "is none that GitHub has: known are the slugs of teams, and " + owner
			}
			return "is no slug of a team: take the last part of the team's address"
		},
	}
}

// login returns the login of a person; empty if nothing says which it is.
func (c *client) login(personID, username string) string {
	if login := c.logins[personID]; personID != "" && login != "" {
		return login
	}
	if c.suffix == "" || username == "" {
		return ""
	}
	return strings.NewReplacer(".", "-", "_", "-").Replace(username) + c.suffix
}

// username returns the username of a login: without the suffix if it has it.
func (c *client) username(login string) string {
	if at := len(login) - len(c.suffix); c.suffix != "" && at > 0 && strings.EqualFold(login[at:], c.suffix) {
		return login[:at]
	}
	return login
}
