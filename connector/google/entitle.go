package google

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/rest"
	"github.com/tenurehq/tenure/internal/set"
)

const (
	rolePrefix    = "role:"
	licencePrefix = "licence:"
	member        = "MEMBER" // the role of members of a group that have no other
)

// memberRoles are the other roles in a group (members reference, "role").
var memberRoles = []string{"MANAGER", "OWNER"}

// entitlement is the name of an entitlement, taken apart.
type entitlement struct {
	kind connector.EntitlementKind
	name string // a group's address, a role's name, or PRODUCT/SKU
	role string // in a group
}

// parseEntitlement takes the name of an entitlement apart. A group's address has no colon.
func parseEntitlement(text string) entitlement {
	if name, ok := strings.CutPrefix(text, rolePrefix); ok {
		return entitlement{kind: connector.Role, name: name}
	}
	if name, ok := strings.CutPrefix(text, licencePrefix); ok {
		return entitlement{kind: connector.Licence, name: name}
	}
	for _, role := range memberRoles {
		if group, ok := strings.CutSuffix(text, ":"+role); ok {
			return entitlement{kind: connector.Group, name: strings.ToLower(group), role: role}
		}
	}
	return entitlement{kind: connector.Group, name: strings.ToLower(text), role: member}
}

// groupName returns the name of the entitlement that a membership is.
func groupName(group, role string) string {
	group = strings.ToLower(group)
	if slices.Contains(memberRoles, role) {
		return group + ":" + role
	}
	return group
}

type group struct {
	Email string `json:"email"`
}

type membership struct {
	ID   string `json:"id"`
	Role string `json:"role"`
}

func membersOf(group string, below ...string) string {
	return directory + rest.Path(append([]string{"groups", group, "members"}, below...)...)
}

// groupsOf returns the addresses of the groups that a user is in.
func (c *client) groupsOf(ctx context.Context, op, userID string) ([]string, error) {
	addresses := []string{}
	for g, err := range list[group](ctx, c.api, op, directory+"/groups", "groups", url.Values{"userKey": {userID}, "maxResults": {"200"}}) {
		if err != nil {
			return nil, err
		}
		addresses = append(addresses, strings.ToLower(g.Email))
	}
	return addresses, nil
}

// expectedGroups returns the addresses of the groups that a user is in, if the caller expects some
// to be among them. If one of these is not, the error is Lacking. It returns nil if the caller
// expects none, or if Google knows no such user by this question: only the user tells that for
// certain.
func (c *client) expectedGroups(ctx context.Context, op, userID string) ([]string, error) {
	var expected []string
	for _, name := range connector.ExpectedIn(ctx) {
		if e := parseEntitlement(name); e.kind == connector.Group {
			expected = append(expected, e.name)
		}
	}
	if len(expected) == 0 || connector.SparesEntitlements(ctx) {
		return nil, nil
	}
	groups, err := c.groupsOf(ctx, op, userID)
	switch {
	case connector.Is(err, connector.KindNotFound):
		return nil, nil
	case err == nil && len(set.Minus(expected, groups)) > 0:
		return nil, connector.Lacking(op)
	}
	return groups, err
}

// entitlementsOf returns the names of all entitlements of a user. groups are those that the user is
// known to be in; nil: Google is asked.
func (c *client) entitlementsOf(ctx context.Context, op string, u user, groups []string) (names []string, err error) {
	if groups == nil {
		if groups, err = c.groupsOf(ctx, op, u.Text("id")); err != nil {
			return nil, err
		}
	}
	for _, g := range groups {
		role := member
		if c.groupRoles {
			in, err := c.membership(ctx, op, g, u.Text("id"))
			if err != nil {
				return nil, unsettled(err)
			}
			role = in.Role
		}
		names = append(names, groupName(g, role))
	}
	held, err := c.rolesOf(ctx, op, u.Text("id"))
	if err != nil {
		return nil, err
	}
	for _, a := range held {
		names = append(names, a.name())
	}
	for _, licence := range c.licences {
		has, err := c.hasLicence(ctx, op, licence, u.Text("primaryEmail"))
		if err != nil {
			return nil, err
		}
		if has {
			names = append(names, licencePrefix+licence)
		}
	}
	return set.Sorted(names), nil
}

// membership reads how a user is a member of a group.
func (c *client) membership(ctx context.Context, op, group, userID string) (membership, error) {
	var in membership
	_, err := c.api.Do(ctx, rest.Request{Op: op, Path: membersOf(group, userID)}, &in)
	return in, err
}

// everybodys returns the entitlements of all users, by ID; licences by address.
func (c *client) everybodys(ctx context.Context, op string) (map[string][]string, error) {
	have := map[string][]string{}
	groups, err := rest.Collect(list[group](ctx, c.api, op, directory+"/groups", "groups", url.Values{"customer": {c.customer}, "maxResults": {"200"}}))
	if err != nil {
		return nil, err
	}
	for _, g := range groups {
		for in, err := range list[membership](ctx, c.api, op, membersOf(g.Email), "members", url.Values{"maxResults": {"200"}}) {
			if err != nil {
				return nil, unsettled(err)
			}
			role := in.Role
			if !c.groupRoles {
				role = member
			}
			have[in.ID] = append(have[in.ID], groupName(g.Email, role))
		}
	}
	held, err := c.rolesOf(ctx, op, "")
	if err != nil {
		return nil, err
	}
	for _, a := range held {
		have[a.AssignedTo] = append(have[a.AssignedTo], a.name())
	}
	for _, licence := range c.licences {
		holders, err := c.holders(ctx, op, licence)
		if err != nil {
			return nil, err
		}
		for _, address := range holders {
			address = strings.ToLower(address)
			have[address] = append(have[address], licencePrefix+licence)
		}
	}
	return have, nil
}

// Grant implements connector.Connector. The user is read first: Google wants the address for
// groups and licences, and a 404 of a group does not tell whether the group or the user is
// missing.
func (c *client) Grant(ctx context.Context, accountID string, names []string) error {
	const op = connector.OpGrant
	if len(names) == 0 {
		return connector.GivenUp(ctx, op)
	}
	u, err := c.addressed(ctx, op, accountID)
	if err != nil {
		return err
	}
	return connector.Each(names, func(name string) error {
		if problem := entitlementProblem(name, c.groupRoles, c.roles, c.licences); problem != "" {
			return connector.Invalid(op, "the entitlement %q cannot be granted: %s", name, problem)
		}
		switch e := parseEntitlement(name); e.kind {
		case connector.Role:
			return unsettled(c.assign(ctx, u, e.name))
		case connector.Licence:
			return unsettled(c.license(ctx, u, e.name))
		default:
			return c.join(ctx, u, e)
		}
	})
}

// addressed returns a user with the ID and the address, which members and licences are given by.
// Google may not show a user that it has just made, whose address its answer said.
func (c *client) addressed(ctx context.Context, op, accountID string) (user, error) {
	if address, known := c.made.Recall(accountID); known {
		c.made.Forget(accountID) // once: by the next call somebody may have changed it
		return user{"id": accountID, "primaryEmail": address}, nil
	}
	return c.get(ctx, op, accountID)
}

// unsettled returns the error for a 404 about something that Google has just shown: it is not
// everywhere yet, or not any more, and the account is no less there.
func unsettled(err error) error {
	var failed *connector.Error
	if !errors.As(err, &failed) || failed.Kind != connector.KindNotFound {
		return err
	}
	return &connector.Error{Kind: connector.KindUnavailable, Op: failed.Op, Message: "Google's parts do not agree yet on what is there", Cause: failed.Cause}
}

// join makes a user a member of a group. Google has answered 404 to members that it had
// added, and to groups and users that were new (hashicorp/terraform-provider-googleworkspace
// issues 162, 202 and 475), so that a 404 is looked into. That somebody is a member already is
// as good as an answer that they are now, unless it matters by which role.
func (c *client) join(ctx context.Context, u user, e entitlement) error {
	const op = connector.OpGrant
	_, err := c.api.Do(ctx, rest.Request{
		Op: op, Method: http.MethodPost, Path: membersOf(e.name), Body: map[string]any{"email": u.Text("primaryEmail"), "role": e.role}, Repeatable: true,
	}, nil)
	switch {
	case connector.Is(err, connector.KindExists) && !c.groupRoles:
		return nil
	case !connector.Is(err, connector.KindNotFound, connector.KindExists):
		return err
	}
	in, unread := c.membership(ctx, op, e.name, u.Text("id"))
	switch {
	case unread == nil && c.groupRoles && in.Role != e.role:
		_, err := c.api.Do(ctx, rest.Request{
			Op: op, Method: http.MethodPut, Path: membersOf(e.name, u.Text("id")), Body: map[string]any{"email": u.Text("primaryEmail"), "role": e.role}, Repeatable: true,
		}, nil)
		return err
	case unread == nil:
		return nil
	case !connector.Is(unread, connector.KindNotFound):
		return unread
	}
	_, missing := c.api.Do(ctx, rest.Request{Op: op, Path: directory + rest.Path("groups", e.name)}, nil)
	switch {
	case connector.Is(missing, connector.KindNotFound):
		return connector.Invalid(op, "there is no group %q: create it in Google, or correct the policy", e.name)
	case missing != nil:
		return missing
	}
	return unsettled(err)
}

// Revoke implements connector.Connector.
func (c *client) Revoke(ctx context.Context, accountID string, names []string) error {
	const op = connector.OpRevoke
	if len(names) == 0 {
		return connector.GivenUp(ctx, op)
	}
	u := user{"id": accountID} // members and roles go by it
	if slices.ContainsFunc(names, func(name string) bool { return parseEntitlement(name).kind == connector.Licence }) {
		var err error
		if u, err = c.get(ctx, op, accountID); err != nil { // Google wants the address for licences
			return rest.Gone(err)
		}
	}
	return connector.Each(names, func(name string) error {
		switch e := parseEntitlement(name); e.kind {
		case connector.Role:
			return c.unassign(ctx, u, name)
		case connector.Licence:
			return c.unlicense(ctx, u, e.name)
		default:
			return c.leave(ctx, u, e)
		}
	})
}

// leave takes a user out of a group. With groupRoles, somebody who has another role in it by
// now keeps that. A 404 proves nothing about a membership that Tenure gave (see join).
func (c *client) leave(ctx context.Context, u user, e entitlement) error {
	const op = connector.OpRevoke
	if c.groupRoles {
		in, err := c.membership(ctx, op, e.name, u.Text("id"))
		if err != nil || in.Role != e.role {
			return rest.Gone(err)
		}
	}
	_, err := c.api.Do(ctx, rest.Request{Op: op, Method: http.MethodDelete, Path: membersOf(e.name, u.Text("id")), Repeatable: true}, nil)
	if !connector.Is(err, connector.KindNotFound) || !connector.Given(ctx) {
		return rest.Gone(err)
	}
	if _, err := c.membership(ctx, op, e.name, u.Text("id")); err != nil {
		return rest.Gone(err)
	}
	return unsettled(err)
}
