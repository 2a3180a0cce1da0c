package scim

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/credentials"
	"github.com/tenurehq/tenure/connector/rest"
	"github.com/tenurehq/tenure/internal/remote"
)

// SCIM has no word for sessions. Slack ends them by a method of its Web API, which takes the
// SCIM ID of the user: https://docs.slack.dev/reference/methods/admin.users.session.reset.

// slackSays maps the errors of Slack's Web API to what they mean. Slack answers them with
// status 200.
var slackSays = map[string]struct {
	kind   connector.ErrorKind
	advice string
}{
	"user_not_found":             {connector.KindNotFound, "there is no such account"},
	"user_not_visible":           {connector.KindNotFound, "there is no such account"},
	"cannot_reset_bot":           {connector.KindInvalid, "the account is a bot's, and has no sessions"},
	"cannot_reset_primary_owner": {connector.KindForbidden, "only the primary owner can end their own sessions: make somebody else the primary owner"},
	"not_an_admin":               {connector.KindForbidden, "the token must be an organisation owner's or administrator's"},
	"missing_scope":              {connector.KindForbidden, "the token lacks the scope admin.users:write"},
	"no_permission":              {connector.KindForbidden, "the token lacks the scope admin.users:write"},
	"not_allowed_token_type":     {connector.KindForbidden, "the token must be a user token with the scope admin.users:write"},
	"feature_not_enabled":        {connector.KindInvalid, "only Slack's Enterprise plans offer this: remove the setting sessionsURL, since deactivating is the only way on other plans"},
	"unknown_method":             {connector.KindInvalid, "check the setting sessionsURL"},
	"invalid_auth":               {connector.KindUnauthorized, "it refuses the token: renew it and check the setting sessionsToken"},
	"not_authed":                 {connector.KindUnauthorized, "it refuses the token: renew it and check the setting sessionsToken"},
	"account_inactive":           {connector.KindUnauthorized, "the token's own user is deactivated: use another one's"},
	"token_revoked":              {connector.KindUnauthorized, "it refuses the token: renew it and check the setting sessionsToken"},
	"token_expired":              {connector.KindUnauthorized, "it refuses the token: renew it and check the setting sessionsToken"},
	"access_denied":              {connector.KindForbidden, "it denies the token access"},
	"ratelimited":                {connector.KindRateLimited, "too many requests"},
}

// sessionsIn returns the client that ends sessions; nil if the settings name none.
func sessionsIn(settings *connector.Values, timeout time.Duration, env connector.Env) *rest.Client {
	if !settings.Has("sessionsURL") {
		if settings.Has("sessionsToken") {
			settings.Reject("sessionsToken", "goes with sessionsURL")
		}
		return nil
	}
	if !settings.Withholds("profile") && settings.Text("profile") != "slack" {
		settings.Reject("sessionsURL", `goes with "profile: slack"`)
	}
	token := credentials.Token{Scheme: "Bearer", Setting: "sessionsToken", Token: settings.Secret("sessionsToken")}
	if !settings.Has("sessionsToken") {
		token.Setting, token.Token = "token", settings.Secret("token")
	}
	c := rest.New(rest.Vendor{Name: "Slack"}, timeout)
	c.Base, c.Credentials = rest.At(remote.BaseURL(settings, "sessionsURL")), token
	c.Pace, c.Pause = env.Pace, env.Pause
	return c
}

// RevokeSessions implements connector.Connector for services with the setting sessionsURL.
func (c *client) RevokeSessions(ctx context.Context, accountID string) error {
	const op = connector.OpRevokeSessions
	if accountID == "" {
		return noID(op)
	}
	var said struct {
		OK    bool   `json:"ok"`
		Error string `json:"error"`
	}
	_, err := c.sessions.Do(ctx, rest.Request{Op: op, Method: http.MethodPost, Body: url.Values{"user_id": {accountID}}}, &said)
	if err != nil || said.OK {
		return err
	}
	meaning, known := slackSays[said.Error]
	if !known {
		return &connector.Error{Kind: connector.KindUnavailable, Op: op, Message: "Slack did not end the sessions"}
	}
	return &connector.Error{Kind: meaning.kind, Op: op, Message: "Slack answered " + said.Error + ": " + meaning.advice}
}
