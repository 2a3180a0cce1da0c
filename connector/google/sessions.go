package google

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/rest"
)

// RevokeSessions implements connector.Connector. It ends web and device sessions, the tokens
// of each OAuth client, and app passwords; all of that works on a suspended user.
func (c *client) RevokeSessions(ctx context.Context, accountID string) error {
	const op = connector.OpRevokeSessions
	if _, err := c.api.Do(ctx, rest.Request{Op: op, Method: http.MethodPost, Path: users(accountID, "signOut"), Repeatable: true}, nil); err != nil {
		return err
	}
	tokens, err := rest.Collect(list[struct {
		ClientID string `json:"clientId"`
	}](ctx, c.api, op, users(accountID, "tokens"), "items", nil))
	if err != nil {
		return err
	}
	passwords, err := rest.Collect(list[struct {
		CodeID json.Number `json:"codeId"`
	}](ctx, c.api, op, users(accountID, "asps"), "items", nil))
	if err != nil {
		return err
	}
	var paths []string
	for _, token := range tokens {
		paths = append(paths, users(accountID, "tokens", token.ClientID))
	}
	for _, password := range passwords {
		paths = append(paths, users(accountID, "asps", password.CodeID.String()))
	}
	return connector.Each(paths, func(path string) error {
		_, err := c.api.Do(ctx, rest.Request{Op: op, Method: http.MethodDelete, Path: path, Repeatable: true}, nil)
		return rest.Gone(err)
	})
}

// ResetCredentials implements connector.Connector. It sets a random password and removes the
// recovery addresses. Google invalidates backup codes and turns off the second factor only of
// a user who is not suspended, and the latter only where it is not enforced; what it does not
// turn off opens nothing without the password.
func (c *client) ResetCredentials(ctx context.Context, accountID string) error {
	const op = connector.OpResetCredentials
	u, err := c.get(ctx, op, accountID)
	if err != nil {
		return err
	}
	changed := user{"password": newPassword()}
	for _, recovery := range []string{"recoveryEmail", "recoveryPhone"} {
		if u.Text(recovery) != "" {
			changed[recovery] = ""
		}
	}
	if err := c.put(ctx, op, u, changed); err != nil || off(u) {
		return err
	}
	if err := c.invalidateCodes(ctx, op, u); err != nil {
		return err
	}
	if !u.Is("isEnrolledIn2Sv") || u.Is("isEnforcedIn2Sv") {
		return nil
	}
	_, err = c.api.Do(ctx, rest.Request{Op: op, Method: http.MethodPost, Path: users(accountID, "twoStepVerification", "turnOff")}, nil)
	return err
}

// invalidateCodes invalidates the backup codes of a user who is not suspended.
func (c *client) invalidateCodes(ctx context.Context, op string, u user) error {
	_, err := c.api.Do(ctx, rest.Request{Op: op, Method: http.MethodPost, Path: users(u.Text("id"), "verificationCodes", "invalidate"), Repeatable: true}, nil)
	return err
}

// Probe implements connector.Connector. It asks for a token for each scope by itself, since
// the token service refuses all scopes if one is missing, and then reads a page of each list.
func (c *client) Probe(ctx context.Context) []connector.Finding {
	const op = connector.OpProbe
	var findings []connector.Finding
	for _, scope := range c.scopes() {
		finding := connector.Finding{What: "may have the scope " + strings.TrimPrefix(scope, scopeRoot)}
		if _, err := c.tokens([]string{scope}).Token(ctx, op); err != nil {
			finding.Problem = err.Error() + "; the scope is " + scope
		}
		findings = append(findings, finding)
	}
	for _, look := range c.looks() {
		finding := connector.Finding{What: look.what}
		if _, err := look.api.Do(ctx, rest.Request{Op: op, Path: look.path, Query: look.query}, nil); err != nil {
			finding.Problem = err.Error()
		}
		findings = append(findings, finding)
	}
	return findings
}

// look is a page of a list that shows a right.
type look struct {
	what  string
	api   *rest.Client
	path  string
	query url.Values
}

// looks returns the pages that show whether the administrator has the privileges. That it may
// change what it may read cannot be seen without a change.
func (c *client) looks() []look {
	first := url.Values{"customer": {c.customer}, "maxResults": {"1"}}
	looks := []look{
		{"may read users", c.api, directory + "/users", first},
		{"may read groups", c.api, directory + "/groups", first},
		{"may read the tokens of users", c.api, users(c.admin, "tokens"), nil},
	}
	if c.roles {
		looks = append(looks, look{"may read admin roles", c.api, c.customerPath("roleassignments"), url.Values{"maxResults": {"1"}}})
	}
	if len(c.handOver) > 0 {
		looks = append(looks, look{"may read what can be transferred", c.api, "/admin/datatransfer/v1/applications", nil})
	}
	for _, licence := range c.licences {
		looks = append(looks, look{"may read the licence " + licence, c.licensing, licencePath(licence, "users"), url.Values{"customerId": {c.customer}, "maxResults": {"1"}}})
	}
	return looks
}
