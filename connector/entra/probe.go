package entra

import (
	"context"
	"net/http"
	"net/url"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/rest"
)

// nobody is the ID of an object that does not exist.
const nobody = "00000000-0000-0000-0000-000000000000"

// right is a right of the app registration, and a request that shows whether it has it. A
// change is of an object that does not exist: Graph refuses a caller without the right before
// it looks for the object.
type right struct {
	what, name string
	needed     func(*client) bool // nil: always
	request    rest.Request
}

func always(*client) bool { return true }

// rights lists what the app registration needs (learn.microsoft.com/graph/permissions-
// reference).
var rights = []right{
	{"may read users", "User.Read.All", always, rest.Request{Path: "/users", Query: url.Values{"$top": {"1"}, "$select": {"id"}}}},
	{"may create and change users", "User.ReadWrite.All", always, rest.Request{Method: http.MethodPatch, Path: "/users/" + nobody, Body: user{"department": "tenure"}}},
	{"may disable users", "User.EnableDisableAccount.All, or User.ReadWrite.All", always, rest.Request{Method: http.MethodPatch, Path: "/users/" + nobody, Body: user{"accountEnabled": false}}},
	{"may revoke sessions", "User.RevokeSessions.All", always, rest.Request{Method: http.MethodPost, Path: "/users/" + nobody + "/revokeSignInSessions"}},
	{"may delete users", "User.DeleteRestore.All, or User.ReadWrite.All", always, rest.Request{Method: http.MethodDelete, Path: "/users/" + nobody}},
	{"may restore users", "User.DeleteRestore.All, or User.ReadWrite.All", always, rest.Request{Method: http.MethodPost, Path: "/directory/deletedItems/" + nobody + "/restore"}},
	{"may read groups", "GroupMember.Read.All", always, rest.Request{Path: "/groups", Query: url.Values{"$top": {"1"}, "$select": {"id"}}}},
	{"may change who is in groups", "GroupMember.ReadWrite.All", always, rest.Request{Method: http.MethodDelete, Path: "/groups/" + nobody + "/members/" + nobody + "/$ref"}},
	{"may read licences", "LicenseAssignment.Read.All", func(c *client) bool { return c.licences }, rest.Request{Path: "/subscribedSkus"}},
	{"may give licences", "LicenseAssignment.ReadWrite.All", func(c *client) bool { return c.licences }, rest.Request{
		Method: http.MethodPost, Path: "/users/" + nobody + "/assignLicense", Body: map[string]any{"addLicenses": []any{}, "removeLicenses": []any{}},
	}},
	{"may read roles", "RoleManagement.Read.Directory", func(c *client) bool { return c.roles }, rest.Request{Path: definitionsPath}},
	{"may assign roles", "RoleManagement.ReadWrite.Directory", func(c *client) bool { return c.roles }, rest.Request{Method: http.MethodDelete, Path: assignmentsPath + "/" + nobody}},
	{"may set passwords", "User-PasswordProfile.ReadWrite.All and the directory role User Administrator", func(c *client) bool { return c.resets }, rest.Request{
		Method: http.MethodPatch, Path: "/users/" + nobody, Body: user{"passwordProfile": user{"forceChangePasswordNextSignIn": true}},
	}},
	{"may remove authentication methods", "UserAuthenticationMethod.ReadWrite.All", func(c *client) bool { return c.resets }, rest.Request{
		Method: http.MethodDelete, Path: "/users/" + nobody + "/authentication/phoneMethods/" + nobody,
	}},
	{"may disable devices", "Device.ReadWrite.All and the directory role Cloud Device Administrator", func(c *client) bool { return c.devices }, rest.Request{
		Method: http.MethodPatch, Path: "/devices/" + nobody, Body: user{"accountEnabled": false},
	}},
	{"may take assigned apps", "AppRoleAssignment.ReadWrite.All", func(c *client) bool { return c.appRoles }, rest.Request{
		Method: http.MethodDelete, Path: "/users/" + nobody + "/appRoleAssignments/" + nobody,
	}},
	{"may read the last sign-in", "AuditLog.Read.All, and Entra ID P1", func(c *client) bool { return c.lastSignIn }, rest.Request{
		Path: "/users", Query: url.Values{"$top": {"1"}, "$select": {"id,signInActivity"}},
	}},
}

// Probe implements connector.Connector.
func (c *client) Probe(ctx context.Context) []connector.Finding {
	var findings []connector.Finding
	for _, r := range rights {
		if !r.needed(c) {
			continue
		}
		request := r.request
		request.Op = connector.OpProbe
		_, err := c.api.Do(ctx, request, nil)
		finding := connector.Finding{What: r.what}
		switch {
		case connector.Is(err, connector.KindForbidden):
			finding.Problem = "grant the app registration " + r.name + ", with admin consent"
		case err != nil && !connector.Is(err, connector.KindNotFound, connector.KindInvalid):
			finding.Problem = err.Error()
		}
		findings = append(findings, finding)
	}
	return findings
}
