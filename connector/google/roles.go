package google

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/rest"
)

// role is an admin role.
type role struct {
	ID   string `json:"roleId"`
	Name string `json:"roleName"`
}

// assignment is an admin role that somebody has.
type assignment struct {
	ID         string `json:"roleAssignmentId"`
	RoleID     string `json:"roleId"`
	AssignedTo string `json:"assignedTo"`
	Scope      string `json:"scopeType"`
	OrgUnitID  string `json:"orgUnitId"`

	roleName string
}

// everywhere is the scope of an assignment that is for the whole Workspace account.
const everywhere = "CUSTOMER"

// name returns the name of the entitlement. An assignment for one org unit is another one:
// it can be taken, and Tenure does not give it.
func (a assignment) name() string {
	if a.Scope == everywhere {
		return rolePrefix + a.roleName
	}
	return rolePrefix + a.roleName + "@" + a.OrgUnitID
}

func (c *client) customerPath(below ...string) string {
	return directory + rest.Path(append([]string{"customer", c.customer}, below...)...)
}

// adminRoles lists the admin roles that there are.
func (c *client) adminRoles(ctx context.Context, op string) ([]role, error) {
	return rest.Collect(list[role](ctx, c.api, op, c.customerPath("roles"), "items", url.Values{"maxResults": {"100"}}))
}

// rolesOf returns the admin roles of a user; of everybody if the ID is empty; none unless
// roles are entitlements. The names of roles are asked for only if somebody has one.
func (c *client) rolesOf(ctx context.Context, op, userID string) ([]assignment, error) {
	if !c.roles {
		return nil, nil
	}
	query := url.Values{"maxResults": {"200"}}
	if userID != "" {
		query.Set("userKey", userID)
	}
	held, err := rest.Collect(list[assignment](ctx, c.api, op, c.customerPath("roleassignments"), "items", query))
	if err != nil || len(held) == 0 {
		return nil, err
	}
	roles, err := c.adminRoles(ctx, op)
	if err != nil {
		return nil, err
	}
	for i, a := range held {
		held[i].roleName = a.RoleID // of a role that was deleted since
		if j := slices.IndexFunc(roles, func(r role) bool { return r.ID == a.RoleID }); j >= 0 {
			held[i].roleName = roles[j].Name
		}
	}
	return held, nil
}

// assign gives a user an admin role for the whole Workspace account.
func (c *client) assign(ctx context.Context, u user, name string) error {
	const op = connector.OpGrant
	held, err := c.rolesOf(ctx, op, u.Text("id"))
	if err != nil || slices.ContainsFunc(held, func(a assignment) bool { return a.name() == rolePrefix+name }) {
		return err
	}
	roles, err := c.adminRoles(ctx, op)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(roles, func(r role) bool { return r.Name == name })
	if i < 0 {
		return connector.Invalid(op, "there is no admin role %q: create it in Google, or correct the policy", name)
	}
	_, err = c.api.Do(ctx, rest.Request{
		Op: op, Method: http.MethodPost, Path: c.customerPath("roleassignments"),
		Body: map[string]any{"roleId": roles[i].ID, "assignedTo": u.Text("id"), "scopeType": everywhere},
	}, nil)
	if connector.Is(err, connector.KindExists) {
		return nil
	}
	return err
}

// unassign takes the admin role of this name from a user.
func (c *client) unassign(ctx context.Context, u user, name string) error {
	const op = connector.OpRevoke
	held, err := c.rolesOf(ctx, op, u.Text("id"))
	if err != nil {
		return err
	}
	for _, a := range held {
		if a.name() != name {
			continue
		}
		if _, err := c.api.Do(ctx, rest.Request{Op: op, Method: http.MethodDelete, Path: c.customerPath("roleassignments", a.ID)}, nil); rest.Gone(err) != nil {
			return err
		}
	}
	return nil
}

// licenceOf returns the product and the SKU of a licence.
func licenceOf(name string) (product, sku string, ok bool) {
	product, sku, _ = strings.Cut(name, "/")
	return product, sku, product != "" && sku != "" && !strings.Contains(sku, "/")
}

func licencePath(name string, below ...string) string {
	product, sku, _ := licenceOf(name)
	return "/apps/licensing/v1" + rest.Path(append([]string{"product", product, "sku", sku}, below...)...)
}

// hasLicence reports whether a user has a licence. The API knows users by their address.
func (c *client) hasLicence(ctx context.Context, op, licence, address string) (bool, error) {
	_, err := c.licensing.Do(ctx, rest.Request{Op: op, Path: licencePath(licence, "user", address)}, nil)
	return err == nil, rest.Gone(err)
}

// holders returns the addresses of those who have a licence.
func (c *client) holders(ctx context.Context, op, licence string) ([]string, error) {
	query := url.Values{"customerId": {c.customer}, "maxResults": {"100"}}
	var addresses []string
	for a, err := range list[struct {
		UserID string `json:"userId"`
	}](ctx, c.licensing, op, licencePath(licence, "users"), "items", query) {
		if err != nil {
			return nil, err
		}
		addresses = append(addresses, a.UserID)
	}
	return addresses, nil
}

// license gives a user a licence. A user has one licence of a product: if it is another one
// that Tenure manages, it is exchanged ("Reassign a user's product SKU").
func (c *client) license(ctx context.Context, u user, licence string) error {
	const op = connector.OpGrant
	product, sku, _ := licenceOf(licence)
	_, refused := c.licensing.Do(ctx, rest.Request{Op: op, Method: http.MethodPost, Path: licencePath(licence, "user"), Body: map[string]any{"userId": u.Text("primaryEmail")}}, nil)
	if f := rest.FailureOf(refused); f == nil || f.Status != http.StatusPreconditionFailed && f.Status != http.StatusConflict {
		return refused
	}
	if has, err := c.hasLicence(ctx, op, licence, u.Text("primaryEmail")); err != nil || has {
		return err
	}
	for _, other := range c.licences {
		if of, _, _ := licenceOf(other); of != product || other == licence {
			continue
		}
		has, err := c.hasLicence(ctx, op, other, u.Text("primaryEmail"))
		if err != nil {
			return err
		}
		if has {
			_, err := c.licensing.Do(ctx, rest.Request{
				Op: op, Method: http.MethodPatch, Path: licencePath(other, "user", u.Text("primaryEmail")), Body: map[string]any{"skuId": sku},
			}, nil)
			return err
		}
	}
	return refused
}

// unlicense takes a licence from a user.
func (c *client) unlicense(ctx context.Context, u user, licence string) error {
	if !slices.Contains(c.licences, licence) {
		return nil // not one that the settings name, and so none that Tenure gave
	}
	_, err := c.licensing.Do(ctx, rest.Request{Op: connector.OpRevoke, Method: http.MethodDelete, Path: licencePath(licence, "user", u.Text("primaryEmail"))}, nil)
	return rest.Gone(err)
}

// Entitlements implements connector.Connector. The APIs do not tell how many seats a licence
// has.
func (c *client) Entitlements(ctx context.Context) iter.Seq2[connector.Entitlement, error] {
	const op = connector.OpListEntitlements
	return func(yield func(connector.Entitlement, error) bool) {
		for g, err := range list[group](ctx, c.api, op, directory+"/groups", "groups", url.Values{"customer": {c.customer}, "maxResults": {"200"}}) {
			names := []string{strings.ToLower(g.Email)}
			if c.groupRoles {
				names = append(names, groupName(g.Email, memberRoles[0]), groupName(g.Email, memberRoles[1]))
			}
			for _, name := range names {
				if !yield(connector.Entitlement{Name: name, Kind: connector.Group}, err) || err != nil {
					return
				}
			}
		}
		others, err := c.otherEntitlements(ctx, op)
		if err != nil {
			yield(connector.Entitlement{}, err)
			return
		}
		for _, other := range others {
			if !yield(other, nil) {
				return
			}
		}
	}
}

// otherEntitlements returns the admin roles and licences that are entitlements.
func (c *client) otherEntitlements(ctx context.Context, op string) ([]connector.Entitlement, error) {
	var others []connector.Entitlement
	if c.roles {
		roles, err := c.adminRoles(ctx, op)
		if err != nil {
			return nil, err
		}
		for _, r := range roles {
			others = append(others, connector.Entitlement{Name: rolePrefix + r.Name, Kind: connector.Role})
		}
	}
	for _, licence := range c.licences {
		holders, err := c.holders(ctx, op, licence)
		if err != nil {
			return nil, err
		}
		others = append(others, connector.Entitlement{Name: licencePrefix + licence, Kind: connector.Licence, Seats: connector.Seats{Used: len(holders)}})
	}
	return others, nil
}
