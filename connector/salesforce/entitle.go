package salesforce

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"strings"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/rest"
	"github.com/tenurehq/tenure/internal/set"
)

const (
	licence        = "licence:"
	profileLicence = licence + "profile/"
	role           = "role:"

	withProfile = "the licence of a profile comes with the profile: map the attribute Profile"
)

// assignment describes the object whose rows give entitlements to users.
type assignment struct {
	object string
	user   string // field with the user's ID
	where  string // condition of the rows that count; empty: all
	kinds  []kind // what it gives; a row gives the first one that it names
}

// kind describes a kind of entitlement: the object, and how its rows are named.
type kind struct {
	prefix     string
	of         connector.EntitlementKind
	object     string // also the name of the relation from the assignment
	name       string // field with the API name
	namespaced bool   // it may belong to a managed package
	unless     string // field of those that are none: each user has the permission set of their profile
	where      string // condition of those that can be given; empty: all
}

// assignments lists them in the order in which they are given: a permission set may need its
// licence. They are taken in the opposite order.
var assignments = []assignment{
	{"PermissionSetLicenseAssign", "AssigneeId", "", []kind{
		{licence, connector.Licence, "PermissionSetLicense", "DeveloperName", false, "", ""},
	}},
	{"PermissionSetAssignment", "AssigneeId", "", []kind{
		{role, connector.Role, "PermissionSetGroup", "DeveloperName", true, "", ""},
		// Salesforce makes a permission set for each group of them.
		{role, connector.Role, "PermissionSet", "Name", true, "IsOwnedByProfile", "IsOwnedByProfile = false AND Type != 'Group'"},
	}},
	{"GroupMember", "UserOrGroupId", "Group.Type = 'Regular'", []kind{
		{"", connector.Group, "Group", "DeveloperName", false, "", "Type = 'Regular'"},
	}},
}

// nameOf returns the name of the entitlement that a row stands for; empty if it does not name
// one.
func (k kind) nameOf(row record) string {
	name := row.Text(k.name)
	if space := row.Text("NamespacePrefix"); name != "" && k.namespaced && space != "" {
		name = space + "__" + name
	}
	if name == "" || k.unless != "" && row[k.unless] == true {
		return ""
	}
	return k.prefix + name
}

// fields returns the fields that nameOf needs, each after prefix.
func (k kind) fields(prefix string) string {
	fields := prefix + k.name
	if k.namespaced {
		fields += ", " + prefix + "NamespacePrefix"
	}
	if k.unless != "" {
		fields += ", " + prefix + k.unless
	}
	return fields
}

// given returns the name of the entitlement that a row of an assignment gives; empty if none.
func (a assignment) given(row record) string {
	for _, k := range a.kinds {
		if name := k.nameOf(row.In(k.object)); name != "" {
			return name
		}
	}
	return ""
}

// rowsOf returns the rows of an assignment for users.
func (c *client) rowsOf(ctx context.Context, op string, a assignment, users []string) ([]record, error) {
	selected := "Id, " + a.user
	for _, k := range a.kinds {
		selected += ", " + k.fields(k.object+".")
	}
	condition := a.user + " IN " + quoteAll(users)
	if a.where != "" {
		condition = a.where + " AND " + condition
	}
	return c.all(ctx, op, "SELECT "+selected+" FROM "+a.object+" WHERE "+condition)
}

// held returns the names of the entitlements of users, sorted.
func (c *client) held(ctx context.Context, op string, users []string) (map[string][]string, error) {
	held := map[string][]string{}
	for _, a := range assignments {
		found, err := c.rowsOf(ctx, op, a, users)
		if err != nil {
			return nil, err
		}
		for _, row := range found {
			if name := a.given(row); name != "" {
				held[row.Text(a.user)] = append(held[row.Text(a.user)], name)
			}
		}
	}
	for user, names := range held {
		held[user] = set.Sorted(names)
	}
	return held, nil
}

// of returns the place of the assignment that gives an entitlement of this name.
func of(name string) int {
	return slices.IndexFunc(assignments, func(a assignment) bool {
		return a.kinds[0].prefix == "" || strings.HasPrefix(name, a.kinds[0].prefix)
	})
}

// inOrder returns names in the order in which they are given.
func inOrder(names []string) []string {
	return slices.SortedStableFunc(slices.Values(names), func(a, b string) int { return cmp.Compare(of(a), of(b)) })
}

// Grant implements connector.Connector.
func (c *client) Grant(ctx context.Context, accountID string, names []string) error {
	if !userID.MatchString(accountID) {
		return gone(connector.OpGrant)
	}
	return connector.Each(inOrder(names), func(name string) error { return c.grant(ctx, accountID, name) })
}

func (c *client) grant(ctx context.Context, id, name string) error {
	const op = connector.OpGrant
	if strings.HasPrefix(name, profileLicence) {
		return connector.Invalid(op, "%q cannot be granted: %s", name, withProfile)
	}
	a := assignments[of(name)]
	known := true
	to, err := c.targets.Get(name, func() (target, error) {
		known = false
		return c.target(ctx, op, a, name)
	})
	if err != nil {
		return err
	}
	_, err = c.insert(ctx, op, a.object, map[string]any{a.user: id, to.field: to.id})
	switch {
	case rest.Has(err, "DUPLICATE_VALUE"):
		return nil
	case known && rest.Has(err, missing...): // it may have been made anew
		c.targets.Forget(name)
		return c.grant(ctx, id, name)
	}
	return c.orGone(ctx, op, id, err)
}

// target is what an assignment assigns: the field that refers to it, and its ID.
type target struct{ field, id string }

// target returns what has to be assigned to give an entitlement.
func (c *client) target(ctx context.Context, op string, a assignment, name string) (target, error) {
	var targets []target
	for _, k := range a.kinds {
		ids, err := c.find(ctx, op, k, name)
		if err != nil {
			return target{}, err
		}
		for _, id := range ids {
			targets = append(targets, target{k.object + "Id", id})
		}
	}
	switch len(targets) {
	case 0:
		return target{}, connector.Invalid(op, "Salesforce has no entitlement %q: check its API name in Setup, and the prefix (role:, licence:, none for a public group)", name)
	case 1:
		return targets[0], nil
	default:
		return target{}, connector.Invalid(op, "Salesforce has a permission set and a permission set group of the name %q: rename one", name)
	}
}

// find returns the IDs of what an entitlement of a kind can be.
func (c *client) find(ctx context.Context, op string, k kind, name string) ([]string, error) {
	name = strings.TrimPrefix(name, k.prefix)
	condition := ""
	if k.namespaced {
		condition = " AND NamespacePrefix = null"
		if space, own, found := strings.Cut(name, "__"); found {
			name, condition = own, " AND NamespacePrefix = "+quote(space)
		}
	}
	if k.where != "" {
		condition += " AND " + k.where
	}
	found, err := c.all(ctx, op, "SELECT Id FROM "+k.object+" WHERE "+k.name+" = "+quote(name)+condition)
	var ids []string
	for _, row := range found {
		ids = append(ids, row.Text("Id"))
	}
	return ids, err
}

// Revoke implements connector.Connector. What Salesforce does not show is not there, as long
// as it hides nobody.
func (c *client) Revoke(ctx context.Context, accountID string, names []string) error {
	const op = connector.OpRevoke
	if !userID.MatchString(accountID) {
		return nil
	}
	left := inOrder(names)
	slices.Reverse(left)
	taken := 0
	for len(left) > 0 {
		a := assignments[of(left[0])]
		same := func(name string) bool { return assignments[of(name)].object == a.object }
		found, err := c.rowsOf(ctx, op, a, []string{accountID})
		if err != nil {
			return err
		}
		for _, row := range found {
			if !slices.Contains(left, a.given(row)) {
				continue
			}
			if err := c.remove(ctx, op, a.object, row.Text("Id")); err != nil {
				return err
			}
			taken++
		}
		left = slices.DeleteFunc(left, same)
	}
	if taken == 0 && len(names) > 0 && connector.Given(ctx) {
		return c.seesAll(ctx, op)
	}
	return nil
}

// Entitlements implements connector.Connector. Licences come with their seats.
func (c *client) Entitlements(ctx context.Context) iter.Seq2[connector.Entitlement, error] {
	return func(yield func(connector.Entitlement, error) bool) {
		for _, a := range assignments {
			for _, k := range a.kinds {
				if !c.listKind(ctx, k, yield) {
					return
				}
			}
		}
		c.listKind(ctx, kind{profileLicence, connector.Licence, "UserLicense", "Name", false, "", "Status = 'Active'"}, yield)
	}
}

func (c *client) listKind(ctx context.Context, k kind, yield func(connector.Entitlement, error) bool) bool {
	soql := "SELECT " + k.fields("")
	if k.of == connector.Licence {
		soql += ", TotalLicenses, UsedLicenses"
	}
	if soql += " FROM " + k.object; k.where != "" {
		soql += " WHERE " + k.where
	}
	for row, err := range c.query(ctx, connector.OpListEntitlements, soql) {
		if err != nil {
			yield(connector.Entitlement{}, err)
			return false
		}
		one := connector.Entitlement{Name: k.nameOf(row), Kind: k.of}
		if k.of == connector.Licence {
			one.Seats = connector.Seats{Total: max(row.Int("TotalLicenses", 0), 0), Used: max(row.Int("UsedLicenses", 0), 0)}
		}
		if one.Name != "" && !yield(one, nil) {
			return false
		}
	}
	return true
}

// count reads a number of licences. A negative one means that there is no limit.
