package salesforce

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/rest"
)

// Disable implements connector.Connector. It freezes the user, which Salesforce does at once
// and always, and then deactivates them, which frees the licence. If Salesforce refuses that,
// Disable ends the sessions by itself, since its callers do so only after it has succeeded:
// a user whom a human has to free first is cut off all the same.
func (c *client) Disable(ctx context.Context, accountID string) error {
	const op = connector.OpDisable
	frozen := c.freeze(ctx, op, accountID, true)
	if connector.Retryable(frozen) || connector.Is(frozen, connector.KindNotFound, connector.KindUnauthorized) {
		return connector.Unfinished(frozen)
	}
	// A user who cannot be frozen, for want of a right, can be deactivated.
	refused := c.change(ctx, op, accountID, map[string]any{"IsActive": false})
	if refused == nil || connector.Retryable(refused) || connector.Is(refused, connector.KindNotFound, connector.KindUnauthorized) {
		return connector.Unfinished(refused)
	}
	ended := c.endSessions(ctx, op, accountID)
	if connector.Retryable(ended) {
		return connector.Unfinished(ended)
	}
	return connector.Unfinished(blocked(refused, frozen, ended))
}

// blocked returns the error for a user who stays active: why, and how far they are cut off.
func blocked(refused, frozen, ended error) error {
	var app *connector.Error
	if !errors.As(refused, &app) {
		return refused
	}
	told := *app
	switch {
	case frozen != nil:
		told.Message = "the user CAN STILL SIGN IN, since it could be neither frozen nor deactivated: freeze it by hand now. " + app.Message
	case ended != nil:
		told.Message = "the user is frozen and cannot sign in, but sessions may go on: end them by hand (Setup, Session Management). " + app.Message
	default:
		told.Message = "the user is frozen and cannot sign in, and their sessions have been ended, but the user is not deactivated and keeps the licence. " + app.Message
	}
	return &told
}

// Enable implements connector.Connector. The user stays frozen until they are active, since
// activation fails if no licence is left.
func (c *client) Enable(ctx context.Context, accountID string) error {
	const op = connector.OpEnable
	if err := c.change(ctx, op, accountID, map[string]any{"IsActive": true}); err != nil {
		return err
	}
	return c.freeze(ctx, op, accountID, false)
}

// freeze freezes or unfreezes a user.
func (c *client) freeze(ctx context.Context, op, id string, frozen bool) error {
	if !userID.MatchString(id) {
		return gone(op)
	}
	found, err := c.all(ctx, op, "SELECT Id, IsFrozen FROM UserLogin WHERE UserId = "+quote(id))
	if err != nil {
		return err
	}
	if len(found) == 0 && frozen {
		return &connector.Error{Kind: connector.KindForbidden, Op: op, Message: "Salesforce shows no UserLogin of the user: check the right Manage Users"}
	}
	for _, login := range found {
		if login["IsFrozen"] == frozen {
			continue
		}
		if err := c.patch(ctx, op, "UserLogin", login.Text("Id"), map[string]any{"IsFrozen": frozen}); err != nil {
			return c.orGone(ctx, op, id, err)
		}
	}
	return nil
}

// RevokeSessions implements connector.Connector.
func (c *client) RevokeSessions(ctx context.Context, accountID string) error {
	const op = connector.OpRevokeSessions
	if !userID.MatchString(accountID) {
		return gone(op)
	}
	return c.endSessions(ctx, op, accountID)
}

// endSessions ends the sessions of a user, and the OAuth tokens of the apps that act for them,
// and looks whether Salesforce still shows any of them. Sessions come last, since an app can
// begin one by its token.
func (c *client) endSessions(ctx context.Context, op, id string) error {
	tokens, sessions, err := c.sessions(ctx, op, id)
	if err == nil && len(tokens)+len(sessions) == 0 {
		_, err = c.read(connector.SparingEntitlements(ctx), op, id) // nobody has none either
	}
	if err != nil || len(tokens)+len(sessions) == 0 {
		return err
	}
	for _, token := range tokens {
		form := url.Values{"token": {token.Text("DeleteToken")}}
		_, err := c.api.Do(ctx, rest.Request{Op: op, Method: http.MethodPost, Path: "/services/oauth2/revoke", Body: form}, nil)
		if err != nil && !rest.Has(err, "invalid_token") {
			return err
		}
	}
	for _, session := range sessions {
		if err := c.remove(ctx, op, "AuthSession", session.Text("Id")); err != nil {
			return err
		}
	}
	leftTokens, leftSessions, err := c.sessions(ctx, op, id)
	if err != nil {
		return err
	}
	for _, left := range slices.Concat(leftTokens, leftSessions) {
		was := func(old record) bool { return old.Text("Id") == left.Text("Id") }
		if slices.ContainsFunc(tokens, was) || slices.ContainsFunc(sessions, was) {
			return rest.Contradictory(op, "Salesforce accepted the end of a session or token, and still shows it")
		}
	}
	return nil
}

// sessions returns the OAuth tokens and the sessions of a user.
func (c *client) sessions(ctx context.Context, op, id string) (tokens, sessions []record, err error) {
	if tokens, err = c.all(ctx, op, "SELECT Id, DeleteToken FROM OauthToken WHERE UserId = "+quote(id)); err != nil {
		return nil, nil, err
	}
	sessions, err = c.all(ctx, op, "SELECT Id FROM AuthSession WHERE UsersId = "+quote(id))
	return tokens, sessions, err
}
