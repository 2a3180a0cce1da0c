package atlassian

import (
	"context"
	"errors"
	"iter"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/rest"
)

const (
	rolePrefix   = "role:"
	vendorPrefix = "atlassian/"
)

// roles are the roles of an organisation that can be assigned ("Assign organization-level
// role").
var roles = []string{"ai-access", "org-admin", "site-admin", "user-access-admin"}

// send sends a change.
func (c *client) send(ctx context.Context, op, method, path string, body any) error {
	_, err := c.api.Do(ctx, rest.Request{Op: op, Method: method, Path: path, Body: body}, nil)
	return err
}

// lifecycle sends a change of a managed account's life.
func (c *client) lifecycle(ctx context.Context, op, id, what string) error {
	var body any
	if what == "disable" {
		body = map[string]any{} // which may hold a message for the user
	}
	return c.send(ctx, op, http.MethodPost, rest.Path("users", id, "manage", "lifecycle", what), body)
}

// inDirectory sends a change of a user in the directory.
func (c *client) inDirectory(ctx context.Context, op, method string, segments ...string) error {
	path, err := c.in(ctx, op, append([]string{"users"}, segments...)...)
	if err != nil {
		return err
	}
	return c.send(ctx, op, method, path, nil)
}

// Create implements connector.Connector. It invites somebody: whether Atlassian refuses the
// invitation of somebody who is there is not documented, so that it looks first. One is
// invited at a time, since two at once would both find nobody.
func (c *client) Create(ctx context.Context, spec connector.Spec) (connector.Account, error) {
	const op = connector.OpCreate
	address := c.address(spec.Username)
	switch {
	case !spec.Active:
		return connector.Account{}, connector.Unsupported(op)
	case len(spec.Attributes) > 0:
		return connector.Account{}, connector.Invalid(op, "no attribute can be set: people's profiles come from single sign-on, or from themselves")
	case !addressForm.MatchString(address):
		return connector.Account{}, connector.Invalid(op, "the username makes no address: it may have ASCII letters, digits, dots, dashes, underscores and apostrophes")
	}
	select {
	case c.inviting <- struct{}{}:
		defer func() { <-c.inviting }()
	case <-ctx.Done():
		return connector.Account{}, connector.GivenUp(ctx, op)
	}
	there, err := c.having(ctx, op, address)
	if err != nil {
		return connector.Account{}, err
	}
	if slices.ContainsFunc(there, user.binned) {
		return connector.Account{}, &connector.Error{
			Kind: connector.KindConflict, Op: op,
			Message: "an account with this address is being deleted, and has it for up to 14 days: restore that account, or wait",
		}
	}
	if slices.ContainsFunc(there, func(u user) bool { return !c.gone(u) }) {
		return connector.Account{}, &connector.Error{Kind: connector.KindExists, Op: op, Message: "there is such an account"}
	}
	groups, unknown, err := c.groups(ctx, op, c.invitedTo)
	if err == nil {
		err = unknown
	}
	if err != nil {
		return connector.Account{}, err
	}
	id, refused, err := c.invite(ctx, op, address, groups)
	if err != nil {
		return connector.Account{ID: id}, err
	}
	account, err := c.invited(ctx, op, id, groups)
	if err != nil && !connector.Is(err, connector.KindUnavailable) {
		if refused != nil {
			err = refused
		}
		// Other kinds would say that nobody was invited.
		return connector.Account{ID: id}, rest.Contradictory(op, "Atlassian accepted the invitation, and then: "+err.Error())
	}
	return account, err
}

// invite invites somebody into groups, and returns their account ID. refused says that
// Atlassian made the account and did not put it into all of the groups.
func (c *client) invite(ctx context.Context, op, address string, groups []group) (id string, refused, err error) {
	body := map[string]any{"emails": []string{address}, "additionalGroups": idsOf(groups), "sendNotification": c.invitation != ""}
	if c.invitation != "" {
		body["notificationText"] = c.invitation
	}
	var answer struct {
		Data []struct {
			ID      string `json:"id"`
			Email   string `json:"email"`
			Results []struct {
				Groups []struct {
					Status string `json:"status"`
				} `json:"groupAssignmentResult"`
			} `json:"results"`
		} `json:"data"`
	}
	_, err = c.api.Do(ctx, rest.Request{Op: op, Method: http.MethodPost, Path: c.inOrg("v2", "users", "invite"), Body: body}, &answer)
	if err != nil {
		return "", nil, err
	}
	if len(answer.Data) != 1 || answer.Data[0].ID == "" || !strings.EqualFold(answer.Data[0].Email, address) {
		return "", nil, rest.Contradictory(op, "Atlassian answered with success, and not with the invited account")
	}
	for _, result := range answer.Data[0].Results {
		for _, g := range result.Groups {
			if g.Status == "ERROR" {
				refused = &connector.Error{Kind: connector.KindConflict, Op: op, Message: "Atlassian did not put the account into each group of the invitation: " + noSeat}
			}
		}
	}
	return answer.Data[0].ID, refused, nil
}

// invited returns an account that was just invited.
func (c *client) invited(ctx context.Context, op, id string, groups []group) (connector.Account, error) {
	u, there, err := c.details(ctx, op, id)
	switch {
	case err != nil:
		return connector.Account{}, err
	case !there || c.gone(u) || u.Membership == noMembership:
		return connector.Account{}, notFound(op)
	}
	u.Groups = groups
	return c.account(u), nil
}

func idsOf(groups []group) []string {
	ids := []string{}
	for _, g := range groups {
		ids = append(ids, g.ID)
	}
	return ids
}

// Disable implements connector.Connector. It deactivates a managed account. If Atlassian
// refuses that, it suspends the access to the organisation meanwhile. It asks also for an
// account that is shown as off, since the search may show what was.
func (c *client) Disable(ctx context.Context, accountID string) error {
	return connector.Unfinished(c.disable(ctx, accountID))
}

func (c *client) disable(ctx context.Context, id string) error {
	const op = connector.OpDisable
	u, err := c.user(ctx, op, id)
	if err != nil {
		return err
	}
	if !c.manages(u) {
		return c.suspend(ctx, u)
	}
	refused := c.lifecycle(ctx, op, id, "disable")
	switch {
	case refused == nil || connector.Retryable(refused) || connector.Is(refused, connector.KindUnauthorized):
		return refused
	case u.Account == inactive:
		return nil
	}
	if err := c.suspend(ctx, u); err != nil {
		return err
	}
	var told *connector.Error
	if errors.As(refused, &told) {
		more := *told
		more.Message += "; until then, access to this organisation is suspended, and the account is still on elsewhere"
		return &more
	}
	return refused
}

// suspend suspends a user's access to the organisation.
func (c *client) suspend(ctx context.Context, u user) error {
	if u.Membership == noMembership {
		return nil
	}
	err := c.inDirectory(ctx, connector.OpDisable, http.MethodPost, u.ID, "suspend")
	if u.Membership == suspended && connector.Is(err, connector.KindInvalid) {
		return nil
	}
	return err
}

// Enable implements connector.Connector.
func (c *client) Enable(ctx context.Context, accountID string) error {
	const op = connector.OpEnable
	u, err := c.user(ctx, op, accountID)
	if err != nil {
		return err
	}
	if u.Account == inactive {
		if !c.manages(u) {
			return &connector.Error{Kind: connector.KindForbidden, Op: op, Message: "the account itself is deactivated, and is not managed here: have it activated by who manages it"}
		}
		if err := c.lifecycle(ctx, op, accountID, "enable"); err != nil {
			return err
		}
	}
	if u.Membership != suspended {
		return nil
	}
	err = c.inDirectory(ctx, op, http.MethodPost, accountID, "restore")
	if connector.Is(err, connector.KindInvalid) { // who is not suspended cannot be restored: the search may show what was
		now, there, unread := c.details(ctx, op, accountID)
		if unread == nil && there && now.Membership != suspended {
			return nil
		}
	}
	return err
}

// RevokeSessions implements connector.Connector. It deletes the API tokens of a managed
// account: Atlassian has no call that ends browser sessions, which deactivation ends.
func (c *client) RevokeSessions(ctx context.Context, accountID string) error {
	const op = connector.OpRevokeSessions
	u, err := c.user(ctx, op, accountID)
	if err != nil {
		return err
	}
	if !c.manages(u) {
		if !u.on() {
			return nil // nothing of theirs reaches this organisation
		}
		return &connector.Error{Kind: connector.KindForbidden, Op: op, Message: "the organisation does not manage this account, whose API tokens belong to its owner: suspend it instead"}
	}
	path := rest.Path("users", accountID, "manage", "api-tokens")
	var tokens []struct {
		ID string `json:"id"`
	}
	if _, err := c.api.Do(ctx, rest.Request{Op: op, Path: path}, &tokens); err != nil {
		return err
	}
	if tokens == nil {
		return rest.Contradictory(op, "Atlassian answered without a list of API tokens")
	}
	for _, token := range tokens {
		if err := c.send(ctx, op, http.MethodDelete, path+rest.Path(token.ID), nil); err != nil {
			return err
		}
	}
	return nil
}

// Delete implements connector.Connector. An account that the organisation does not manage is
// removed from the directory.
func (c *client) Delete(ctx context.Context, accountID string) error {
	const op = connector.OpDelete
	u, err := c.user(ctx, op, accountID)
	switch {
	case err != nil:
		return rest.Gone(err)
	case c.manages(u):
		return c.lifecycle(ctx, op, accountID, "delete")
	}
	return c.inDirectory(ctx, op, http.MethodDelete, accountID)
}

// Restore implements connector.Connector. Atlassian activates the account when it cancels the
// deletion, so that it is deactivated at once.
func (c *client) Restore(ctx context.Context, accountID string) error {
	const op = connector.OpRestore
	u, err := c.any(ctx, op, accountID)
	switch {
	case err != nil:
		return err
	case !u.binned() && c.gone(u):
		return notFound(op)
	case !u.binned():
		return nil
	}
	if err := c.lifecycle(ctx, op, accountID, "cancel-delete"); err != nil {
		return err
	}
	return c.lifecycle(ctx, op, accountID, "disable")
}

// groups returns the groups of the directory by their names, and an error for names that it
// does not have.
func (c *client) groups(ctx context.Context, op string, names []string) (found []group, unknown, err error) {
	if len(names) == 0 {
		return nil, nil, nil
	}
	known := map[string]group{}
	for g, err := range search[group](ctx, c, op, "groups", map[string]any{"groupNames": names}) {
		if err != nil {
			return nil, nil, err
		}
		known[g.Name] = g
	}
	for _, name := range names {
		g, is := known[name]
		switch {
		case !is || g.ID == "":
			unknown = connector.Invalid(op, "the directory has no group %q", name)
		default:
			found = append(found, g)
		}
	}
	return found, unknown, nil
}

// Grant implements connector.Connector.
func (c *client) Grant(ctx context.Context, accountID string, names []string) error {
	unknown, err := c.set(ctx, connector.OpGrant, accountID, names, c.join)
	if err != nil {
		return err
	}
	return unknown
}

// Revoke implements connector.Connector. It asks for every membership, also those that are not
// shown, since what was just granted may not be shown yet.
func (c *client) Revoke(ctx context.Context, accountID string, names []string) error {
	_, err := c.set(ctx, connector.OpRevoke, accountID, names, c.leave)
	return rest.Gone(err)
}

// set grants or revokes entitlements. unknown is the error for names that there are not.
func (c *client) set(ctx context.Context, op, id string, names []string, do func(context.Context, string, group) error) (unknown, err error) {
	groups, unknown, err := c.groups(ctx, op, slices.DeleteFunc(slices.Clone(names), isRole))
	if err != nil {
		return nil, err
	}
	changes := map[string]func() error{}
	for _, g := range groups {
		changes[g.Name] = func() error { return do(ctx, id, g) }
	}
	for _, name := range names {
		switch role, is := strings.CutPrefix(name, rolePrefix); {
		case is && slices.Contains(roles, role):
			changes[name] = func() error { return c.assign(ctx, op, id, role) }
		case is:
			unknown = connector.Invalid(op, "there is no role %q", name)
		}
	}
	return unknown, connector.Each(slices.Sorted(maps.Keys(changes)), func(name string) error { return changes[name]() })
}

func isRole(name string) bool { return strings.HasPrefix(name, rolePrefix) }

// join puts an account into a group. An account that is managed, and not in the directory, is
// invited.
func (c *client) join(ctx context.Context, id string, g group) error {
	const op = connector.OpGrant
	if g.Synced {
		return connector.Invalid(op, "the group %q is synchronised from an identity provider: grant it there", g.Name)
	}
	path, err := c.in(ctx, op, "groups", g.ID, "memberships")
	if err != nil {
		return err
	}
	err = c.send(ctx, op, http.MethodPost, path, map[string]any{"accountId": id})
	if rest.Has(err, conflicting) {
		return nil
	}
	if !rest.Has(err, unknownResource) {
		return err
	}
	u, unread := c.user(ctx, op, id)
	switch {
	case unread != nil:
		return unread
	case u.Membership != noMembership:
		return err
	}
	_, refused, err := c.invite(ctx, op, u.Email, []group{g})
	if err == nil {
		err = refused
	}
	return err
}

// leave takes an account out of a group. That the directory has the group was just seen, so
// that what is unknown is the membership.
func (c *client) leave(ctx context.Context, id string, g group) error {
	const op = connector.OpRevoke
	path, err := c.in(ctx, op, "groups", g.ID, "memberships", id)
	if err != nil {
		return err
	}
	err = c.send(ctx, op, http.MethodDelete, path, nil)
	switch {
	case rest.Has(err, unknownResource, unknownGroup):
		return nil
	case g.Synced && connector.Is(err, connector.KindForbidden):
		return connector.Invalid(op, "the group %q is synchronised from an identity provider: take it there", g.Name)
	}
	return err
}

// assign grants or revokes a role of the organisation.
func (c *client) assign(ctx context.Context, op, id, role string) error {
	how := map[string]string{connector.OpGrant: "assign", connector.OpRevoke: "revoke"}[op]
	err := c.send(ctx, op, http.MethodPost, c.inOrg("v1", "users", id, "role-assignments", how), map[string]any{"role": vendorPrefix + role})
	switch {
	case rest.Has(err, conflicting):
		return nil
	case !rest.Has(err, unknownResource):
		return err
	}
	if _, unread := c.user(ctx, op, id); unread != nil || op == connector.OpRevoke {
		return unread
	}
	return err
}

// Entitlements implements connector.Connector.
func (c *client) Entitlements(ctx context.Context) iter.Seq2[connector.Entitlement, error] {
	return func(yield func(connector.Entitlement, error) bool) {
		for g, err := range search[group](ctx, c, connector.OpListEntitlements, "groups", map[string]any{}) {
			if !yield(connector.Entitlement{Name: g.Name, Kind: connector.Group}, err) || err != nil {
				return
			}
		}
		for _, role := range roles {
			if !yield(connector.Entitlement{Name: rolePrefix + role, Kind: connector.Role}, nil) {
				return
			}
		}
	}
}
