package okta

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/rest"
)

// nobody is an ID in the form of Okta's that no user and no group has.
const nobody = "00u00000000000000000"

// Probe implements connector.Connector. To try a right to change, it asks for a change of a
// user who does not exist: Okta refuses that with 404 to whoever has the right, and with 403
// to others.
func (c *client) Probe(ctx context.Context) []connector.Finding {
	few := url.Values{"limit": {"1"}}
	probes := []struct {
		what, need string
		request    rest.Request
	}{
		{"may read users", "okta.users.read or .manage", rest.Request{Path: "/users", Query: few}},
		{"may change users", "okta.users.manage", rest.Request{Method: http.MethodPost, Path: rest.Path("users", nobody, "lifecycle", unsuspend)}},
		{"may read groups", "okta.groups.read or .manage", rest.Request{Path: "/groups", Query: few}},
		{"may change members of groups", "okta.groups.manage", rest.Request{Method: http.MethodPut, Path: rest.Path("groups", nobody, "users", nobody)}},
	}
	if c.adminRoles {
		probes = append(probes, struct {
			what, need string
			request    rest.Request
		}{"may change admin roles", "okta.roles.manage, and a super administrator", rest.Request{Method: http.MethodDelete, Path: rest.Path("users", nobody, "roles", nobody)}})
	}
	var findings []connector.Finding
	for _, probe := range probes {
		probe.request.Op = connector.OpProbe
		finding := connector.Finding{What: probe.what}
		if _, err := c.api.Do(ctx, probe.request, nil); err != nil && !rest.Has(err, notFound) {
			finding.Problem = why(err) + "; it needs " + probe.need
		}
		findings = append(findings, finding)
	}
	return findings
}

// why returns an error's message without its operation and kind.
func why(err error) string {
	var failed *connector.Error
	if errors.As(err, &failed) {
		return failed.Message
	}
	return err.Error()
}
