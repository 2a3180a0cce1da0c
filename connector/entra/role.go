package entra

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/rest"
)

// role is a role definition (learn.microsoft.com/graph/api/resources/unifiedroledefinition).
type role struct {
	ID   string `json:"id"`
	Name string `json:"displayName"`
}

// assignment gives a role to somebody in a scope. Roles are assigned by the API of unified
// roles, which Microsoft recommends over directoryRoles: it has custom roles and scopes (learn.
// microsoft.com/graph/api/resources/unifiedroleassignment).
type assignment struct {
	ID        string `json:"id"`
	Role      string `json:"roleDefinitionId"`
	Principal string `json:"principalId"`
	Scope     string `json:"directoryScopeId"`
	AppScope  string `json:"appScopeId"`
}

const (
	assignmentsPath = "/roleManagement/directory/roleAssignments"
	definitionsPath = "/roleManagement/directory/roleDefinitions"

	tenantWide = "/" // the scope of a role in the whole tenant
)

// name returns the name of the entitlement: "role:NAME", or "role:NAME@SCOPE" for a role that
// does not hold in the whole tenant.
func (a assignment) name(roles []role) string {
	name := a.Role
	if i := slices.IndexFunc(roles, func(r role) bool { return r.ID == a.Role }); i >= 0 {
		name = roles[i].Name
	}
	if scope := cmp.Or(a.Scope, a.AppScope); scope != tenantWide {
		name += "@" + scope
	}
	return rolePrefix + name
}

// definitions returns the roles that there are; none if roles are left out.
func (c *client) definitions(ctx context.Context, op string) ([]role, error) {
	if !c.roles {
		return nil, nil
	}
	return c.roleIs.Get("", func() ([]role, error) {
		query := url.Values{"$select": {"id,displayName"}}
		return rest.Collect(each[role](ctx, c, rest.Request{Op: op, Path: definitionsPath, Query: query}))
	})
}

// assignments returns the role assignments of a user, or of everybody if accountID is empty;
// none if roles are left out.
func (c *client) assignments(ctx context.Context, op, accountID string) ([]assignment, error) {
	if !c.roles {
		return nil, nil
	}
	query := url.Values{}
	if accountID != "" {
		query.Set("$filter", "principalId eq "+quote(accountID))
	}
	assigned, err := rest.Collect(each[assignment](ctx, c, rest.Request{Op: op, Path: assignmentsPath, Query: query}))
	if err == nil && accountID != "" && slices.ContainsFunc(assigned, func(a assignment) bool { return !strings.EqualFold(a.Principal, accountID) }) {
		return nil, rest.Contradictory(op, "Microsoft Graph ignored a filter, and answered with role assignments that were not asked for")
	}
	return assigned, err
}

// theRole returns the role and the scope that an entitlement names.
func (c *client) theRole(ctx context.Context, op, name string) (id, scope string, err error) {
	if !c.roles {
		return "", "", connector.Invalid(op, "the role %q cannot be granted or revoked: set roles to true", name)
	}
	name, scope, scoped := strings.Cut(name, "@/")
	if scope = tenantWide + scope; !scoped {
		scope = tenantWide
	}
	roles, err := c.definitions(ctx, op)
	if err != nil {
		return "", "", err
	}
	i := slices.IndexFunc(roles, func(r role) bool { return strings.EqualFold(r.Name, name) })
	if i < 0 {
		return "", "", connector.Invalid(op, "there is no role %q", name)
	}
	return roles[i].ID, scope, nil
}

// assign gives a user a role (learn.microsoft.com/graph/api/rbacapplication-post-
// roleassignments).
func (c *client) assign(ctx context.Context, accountID, name string) error {
	const op = connector.OpGrant
	id, scope, err := c.theRole(ctx, op, name)
	if err != nil {
		return err
	}
	body := map[string]any{"roleDefinitionId": id, "principalId": accountID, "directoryScopeId": scope}
	_, err = c.api.Do(ctx, rest.Request{Op: op, Method: http.MethodPost, Path: assignmentsPath, Body: body}, nil)
	switch {
	case rest.Has(err, codeAssigned):
		return nil
	case connector.Is(err, connector.KindNotFound, connector.KindInvalid):
		return c.blame(ctx, op, accountID, failed(op, connector.KindInvalid, "Microsoft Graph refuses the role, or does not know its scope"))
	}
	return err
}

// unassign takes a role from a user. A role that is not there is none to take.
func (c *client) unassign(ctx context.Context, accountID, name string) error {
	const op = connector.OpRevoke
	id, scope, err := c.theRole(ctx, op, name)
	if err != nil {
		if c.roles && connector.Is(err, connector.KindInvalid) {
			return nil
		}
		return err
	}
	assigned, err := c.assignments(ctx, op, accountID)
	if err != nil {
		return err
	}
	for _, a := range assigned {
		if a.Role != id || cmp.Or(a.Scope, a.AppScope) != scope {
			continue
		}
		if _, err := c.api.Do(ctx, rest.Request{Op: op, Method: http.MethodDelete, Path: assignmentsPath + rest.Path(a.ID)}, nil); rest.Gone(err) != nil {
			return err
		}
	}
	return nil
}
