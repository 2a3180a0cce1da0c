package okta

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/rest"
)

// rolePrefix begins the entitlements that are admin roles.
const rolePrefix = "role:"

// roleTypes lists the standard admin roles (RoleType in the reference, without CUSTOM).
var roleTypes = []string{
	"ACCESS_CERTIFICATIONS_ADMIN", "ACCESS_REQUESTS_ADMIN", "API_ACCESS_MANAGEMENT_ADMIN", "APP_ADMIN", "GROUP_MEMBERSHIP_ADMIN",
	"HELP_DESK_ADMIN", "ORG_ADMIN", "READ_ONLY_ADMIN", "REPORT_ADMIN", "SUPER_ADMIN", "USER_ADMIN", "WORKFLOWS_ADMIN",
}

// role is an admin role that a user has.
type role struct {
	ID         string `json:"id"`
	Type       string `json:"type"`
	Label      string `json:"label"`
	Assignment string `json:"assignmentType"` // USER, or GROUP if it comes with a group
}

// entitlement returns the name of the role as an entitlement. A custom role has its label.
func (r role) entitlement() string {
	if r.Type == "CUSTOM" {
		return rolePrefix + r.Label
	}
	return rolePrefix + r.Type
}

func (c *client) roles(ctx context.Context, op, userID string) ([]role, error) {
	var roles []role
	_, err := c.api.Do(ctx, rest.Request{Op: op, Path: rest.Path("users", userID, "roles")}, &roles)
	return roles, err
}

// administrators returns the IDs of the users who have admin roles of their own.
func (c *client) administrators(ctx context.Context, op string) (ids []string, err error) {
	type assignees struct {
		Value []struct {
			ID string `json:"id"`
		} `json:"value"`
		Links struct {
			Next struct {
				Href string `json:"href"`
			} `json:"next"`
		} `json:"_links"`
	}
	next := func(page assignees, _ http.Header) (rest.Request, bool) {
		return rest.Request{Op: op, Link: page.Links.Next.Href}, page.Links.Next.Href != ""
	}
	first := rest.Request{Op: op, Path: "/iam/assignees/users", Query: url.Values{"limit": {"100"}}}
	for page, err := range rest.Pages(ctx, c.api, first, next) {
		if err != nil {
			return nil, err
		}
		for _, user := range page.Value {
			ids = append(ids, user.ID)
		}
	}
	return ids, nil
}

// grantRole grants a standard admin role. That the user has it already is no error.
func (c *client) grantRole(ctx context.Context, userID, roleType string) error {
	const op = connector.OpGrant
	if problem := c.roleProblem(roleType); problem != "" {
		return connector.Invalid(op, "%s", problem)
	}
	_, err := c.api.Do(ctx, rest.Request{Op: op, Method: http.MethodPost, Path: rest.Path("users", userID, "roles"), Body: map[string]any{"type": roleType}}, nil)
	if rest.Has(err, hasRole) {
		return nil
	}
	return err
}

// revokeRole takes a standard admin role from a user.
func (c *client) revokeRole(ctx context.Context, userID, roleType string) error {
	const op = connector.OpRevoke
	if !c.adminRoles {
		return connector.Invalid(op, "%s", c.roleProblem(roleType))
	}
	roles, err := c.roles(ctx, op, userID)
	if err != nil {
		return err
	}
	for _, r := range roles {
		switch {
		case r.entitlement() != rolePrefix+roleType:
		case r.Assignment == "GROUP":
			return connector.Invalid(op, "admin role %q comes with a group: take the person out of the group", roleType)
		case r.Type == "CUSTOM":
			return connector.Invalid(op, "admin role %q is a custom one, which is bound to a resource set: take it away in the Admin Console", roleType)
		default:
			if _, err := c.api.Do(ctx, rest.Request{Op: op, Method: http.MethodDelete, Path: rest.Path("users", userID, "roles", r.ID)}, nil); rest.Gone(err) != nil {
				return err
			}
		}
	}
	return nil
}

// roleProblem returns why a role cannot be granted; "" if it can.
func (c *client) roleProblem(roleType string) string {
	switch {
	case !c.adminRoles:
		return "admin roles are not touched: turn on the setting adminRoles"
	case !slices.Contains(roleTypes, roleType):
		return `there is no standard admin role "` + roleType + `"`
	}
	return ""
}
