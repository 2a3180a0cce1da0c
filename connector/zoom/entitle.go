package zoom

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/rest"
)

// The types of users ("Create users"): 4 and 99 have no licence for meetings either.
const (
	basic    = 1
	licensed = 2
)

const (
	rolePrefix    = "role:"
	licencePrefix = "licence:"
	licence       = licencePrefix + "Licensed"
	memberRole    = "2" // the ID of the role that everybody has who has no other ("List roles")
)

// named is a group or a role as Zoom shows it.
type named struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// names holds groups or roles, as they were at an instant.
type names struct {
	all  []named
	read time.Time
}

// called returns the groups or roles: as they were less than a minute ago, or as they are.
func (c *client) called(ctx context.Context, op, path string, fresh bool) ([]named, error) {
	c.mu.Lock()
	kept := c.names[path]
	c.mu.Unlock()
	if !fresh && kept.all != nil && c.now().Sub(kept.read) < namesFor {
		return kept.all, nil
	}
	now := names{all: []named{}, read: c.now()}
	for one, err := range pages(ctx, c, op, path, url.Values{"page_size": {pageSize}}, func(p page) []named {
		if path == "/roles" {
			return p.Roles
		}
		return p.Groups
	}) {
		if err != nil {
			return nil, err
		}
		now.all = append(now.all, one)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.names == nil {
		c.names = map[string]names{}
	}
	c.names[path] = now
	return now.all, nil
}

// nameOf returns the name of a group or a role.
func (c *client) nameOf(ctx context.Context, op, path, id string) (string, error) {
	for _, fresh := range []bool{false, true} {
		all, err := c.called(ctx, op, path, fresh)
		if err != nil {
			return "", err
		}
		if i := slices.IndexFunc(all, func(n named) bool { return n.ID == id }); i >= 0 {
			return all[i].Name, nil
		}
	}
	return "", rest.Contradictory(op, "Zoom shows a user with something that its lists do not have")
}

// entitled returns the user as an account with its entitlements.
func (c *client) entitled(ctx context.Context, op string, u user) (connector.Account, error) {
	account := c.account(u)
	if c.licences && u.Type == licensed {
		account.Entitlements = append(account.Entitlements, licence)
	}
	if connector.SparesEntitlements(ctx) {
		return account, nil
	}
	for _, id := range u.Groups {
		name, err := c.nameOf(ctx, op, "/groups", id)
		if err != nil {
			return connector.Account{}, err
		}
		account.Entitlements = append(account.Entitlements, name)
	}
	if c.roles && u.RoleID != "" && u.RoleID != memberRole {
		name, err := c.nameOf(ctx, op, "/roles", u.RoleID)
		if err != nil {
			return connector.Account{}, err
		}
		account.Entitlements = append(account.Entitlements, rolePrefix+name)
	}
	slices.Sort(account.Entitlements)
	return account, nil
}

// unmanaged returns why an entitlement of that name can never be granted; "" if it can.
func unmanaged(name string, roles, licences bool) string {
	switch kind := connector.KindOf(name); {
	case kind == connector.Role && !roles:
		return "set `roles: true` in the app's settings to manage roles"
	case kind == connector.Role && name == rolePrefix+"Member":
		return "is the role that everybody has without another one"
	case kind == connector.Licence && !licences:
		return "set `licences: true` in the app's settings to manage the licence"
	case kind == connector.Licence && name != licence:
		return "is no licence that Tenure gives: known is " + licence
	}
	return ""
}

// Grant implements connector.Connector.
func (c *client) Grant(ctx context.Context, accountID string, wanted []string) error {
	const op = connector.OpGrant
	u, err := c.get(ctx, op, accountID)
	if err != nil {
		return err
	}
	has, err := c.entitled(ctx, op, u)
	if err != nil {
		return err
	}
	role := ""
	return connector.Each(wanted, func(name string) error {
		if problem := unmanaged(name, c.roles, c.licences); problem != "" {
			return connector.Invalid(op, "the entitlement %q %s", name, problem)
		}
		isRole := connector.KindOf(name) == connector.Role
		switch {
		case isRole && role != "":
			return connector.Invalid(op, "a user of Zoom has one role, and policy gives %q and %q: decide for one", role, name)
		case isRole:
			role = name
		}
		if slices.Contains(has.Entitlements, name) {
			return nil
		}
		if name == licence {
			return c.license(ctx, op, accountID)
		}
		path, err := c.pathOf(ctx, op, name)
		if err != nil {
			return err
		}
		_, err = c.api.Do(ctx, rest.Request{Op: op, Method: http.MethodPost, Path: path, Body: map[string]any{"members": []map[string]any{{"id": accountID}}}}, nil)
		return err
	})
}

// Revoke implements connector.Connector. Whoever loses a role is a Member.
func (c *client) Revoke(ctx context.Context, accountID string, unwanted []string) error {
	const op = connector.OpRevoke
	u, err := c.get(ctx, op, accountID)
	if err != nil {
		return rest.Gone(err)
	}
	has, err := c.entitled(ctx, op, u)
	if err != nil {
		return err
	}
	return connector.Each(unwanted, func(name string) error {
		if !slices.Contains(has.Entitlements, name) {
			return nil
		}
		if name == licence {
			return c.patch(ctx, op, accountID, map[string]any{"type": basic})
		}
		path, err := c.pathOf(ctx, op, name)
		if err != nil {
			return err
		}
		_, err = c.api.Do(ctx, rest.Request{Op: op, Method: http.MethodDelete, Path: path + rest.Path(accountID)}, nil)
		return rest.Gone(err)
	})
}

// pathOf returns the path of the members of a group or a role.
func (c *client) pathOf(ctx context.Context, op, name string) (string, error) {
	path, bare := "/groups", name
	if connector.KindOf(name) == connector.Role {
		path, bare = "/roles", strings.TrimPrefix(name, rolePrefix)
	}
	var ids []string
	for _, fresh := range []bool{false, true} {
		all, err := c.called(ctx, op, path, fresh)
		if err != nil {
			return "", err
		}
		for _, one := range all {
			if one.Name == bare {
				ids = append(ids, one.ID)
			}
		}
		if len(ids) > 0 {
			break
		}
	}
	if len(ids) != 1 {
		return "", connector.Invalid(op, "%d of Zoom's %s have the name of the entitlement %q, and there has to be one", len(ids), path[1:], name)
	}
	return path + rest.Path(ids[0], "members"), nil
}

// license makes a user a licensed one. Zoom documents no code for there being no seat left, so
// the seats are looked at when it refuses.
func (c *client) license(ctx context.Context, op, id string) error {
	err := c.patch(ctx, op, id, map[string]any{"type": licensed})
	if !connector.Is(err, connector.KindInvalid, connector.KindForbidden) {
		return err
	}
	if seats, unread := c.seats(ctx, op); unread == nil && seats.Total > 0 && seats.Used >= seats.Total {
		return &connector.Error{
			Kind: connector.KindConflict, Op: op, Cause: err,
			Message: fmt.Sprintf("all %d seats of the entitlement %q are taken: buy more, or free some", seats.Total, licence),
		}
	}
	return err
}

// seats returns the seats of the licence ("Get plan usage"). Accounts with Zoom Workplace
// plans have them by another name.
func (c *client) seats(ctx context.Context, op string) (connector.Seats, error) {
	type plan struct {
		Hosts json.Number `json:"hosts"`
		Usage json.Number `json:"usage"`
	}
	var shown struct {
		Base    plan   `json:"plan_base"`
		United  plan   `json:"plan_united"`
		ZoomOne []plan `json:"plan_zoom_one"`
	}
	if _, err := c.api.Do(ctx, rest.Request{Op: op, Path: "/accounts/me/plans/usage"}, &shown); err != nil {
		return connector.Seats{}, err
	}
	var seats connector.Seats
	for _, p := range append(shown.ZoomOne, shown.Base, shown.United) {
		total, _ := p.Hosts.Int64()
		used, _ := p.Usage.Int64()
		seats.Total += int(total)
		seats.Used += int(used)
	}
	return seats, nil
}

// Entitlements implements connector.Connector.
func (c *client) Entitlements(ctx context.Context) iter.Seq2[connector.Entitlement, error] {
	return func(yield func(connector.Entitlement, error) bool) {
		const op = connector.OpListEntitlements
		lists := []struct {
			path, prefix string
			kind         connector.EntitlementKind
			wanted       bool
		}{{"/groups", "", connector.Group, true}, {"/roles", rolePrefix, connector.Role, c.roles}}
		for _, list := range lists {
			if !list.wanted {
				continue
			}
			all, err := c.called(ctx, op, list.path, true)
			if err != nil {
				yield(connector.Entitlement{}, err)
				return
			}
			for _, one := range all {
				if list.kind == connector.Role && one.ID == memberRole {
					continue
				}
				if !yield(connector.Entitlement{Name: list.prefix + one.Name, Kind: list.kind}, nil) {
					return
				}
			}
		}
		if c.licences {
			seats, err := c.seats(ctx, op)
			yield(connector.Entitlement{Name: licence, Kind: connector.Licence, Seats: seats}, err)
		}
	}
}
