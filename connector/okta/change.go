package okta

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/rest"
)

// Create implements connector.Connector. It makes the account without activating it, so that
// Okta sends no mail, and activates it then. If the activation fails, the account is there
// all the same and off: the caller enables it, and learns why that fails.
func (c *client) Create(ctx context.Context, spec connector.Spec) (connector.Account, error) {
	const op = connector.OpCreate
	profile, err := c.profile(op, spec.Attributes)
	if err != nil {
		return connector.Account{}, err
	}
	for name, value := range profile {
		if value == nil {
			delete(profile, name)
		}
	}
	name := c.login(spec.Username)
	profile[login] = name
	address(profile, name)
	if spec.PersonID != "" {
		profile[c.externalID] = spec.PersonID
	}
	var made user
	request := rest.Request{Op: op, Method: http.MethodPost, Path: "/users", Query: url.Values{"activate": {"false"}}, Body: map[string]any{"profile": profile}}
	if _, err := c.api.Do(ctx, request, &made); err != nil {
		return connector.Account{}, err
	}
	if err := made.whole(op, ""); err != nil {
		return connector.Account{ID: made.ID}, err
	}
	if spec.Active {
		made = c.activated(ctx, op, made)
	}
	return c.account(made), nil
}

// address has the login stand in for an e-mail address that is empty: Okta keeps no user without
// one.
func address(profile map[string]any, login string) {
	if profile[email] == nil && strings.Contains(login, "@") {
		profile[email] = login
	}
}

// activated activates a new user, and returns what is known of the user then.
func (c *client) activated(ctx context.Context, op string, made user) user {
	err := c.lifecycle(ctx, op, made.ID, activate)
	if err == nil {
		var on user
		if on, err = c.settled(ctx, op, made.ID); err == nil {
			return on
		}
	}
	return made
}

// set changes the profile of a user, and nothing else of it: POST is a partial update.
func (c *client) set(ctx context.Context, op, id string, profile map[string]any) error {
	if len(profile) == 0 {
		return nil
	}
	_, err := c.api.Do(ctx, rest.Request{Op: op, Method: http.MethodPost, Path: rest.Path("users", id), Body: map[string]any{"profile": profile}}, nil)
	return err
}

// Update implements connector.Connector.
func (c *client) Update(ctx context.Context, accountID string, attributes map[string]any) error {
	const op = connector.OpUpdate
	profile, err := c.profile(op, attributes)
	if err != nil {
		return err
	}
	if value, mapped := profile[email]; mapped && value == nil {
		u, err := c.user(ctx, op, accountID)
		if err != nil {
			return err
		}
		address(profile, u.text(login))
	}
	return c.set(ctx, op, accountID, profile)
}

// Keeps implements connector.Connector. The login stands in for an e-mail address that is empty.
func (c *client) Keeps(ctx context.Context, account connector.Account, name string, set any) (bool, error) {
	if name == email && connector.SameValue(set, nil) && connector.SameValue(account.Attribute(name), c.login(account.Username)) {
		return true, nil
	}
	return c.Base.Keeps(ctx, account, name, set)
}

// Adopt implements connector.Connector.
func (c *client) Adopt(ctx context.Context, accountID, personID string) error {
	const op = connector.OpAdopt
	u, err := c.user(ctx, op, accountID)
	if err != nil {
		return err
	}
	if needed, err := connector.Mark(op, u.text(c.externalID), personID, "Okta"); err != nil || !needed {
		return err
	}
	return c.set(ctx, op, accountID, map[string]any{c.externalID: personID})
}

// Relabel implements connector.Connector.
func (c *client) Relabel(ctx context.Context, accountID string, to connector.Label) error {
	const op = connector.OpRelabel
	u, err := c.user(ctx, op, accountID)
	if err != nil {
		return err
	}
	now := u.text(c.externalID)
	id, err := to.ExternalID(now)
	if err != nil {
		return err
	}
	profile := map[string]any{}
	if id != now {
		profile[c.externalID] = id
	}
	if to.Username != "" && c.login(to.Username) != u.text(login) {
		profile[login] = c.login(to.Username)
	}
	return c.set(ctx, op, accountID, profile)
}

// Delete implements connector.Connector. Okta deactivates at the first DELETE of a user who
// is not deactivated, and deletes at the second, once the deactivation is over.
func (c *client) Delete(ctx context.Context, accountID string) error {
	const op = connector.OpDelete
	remove := rest.Request{Op: op, Method: http.MethodDelete, Path: rest.Path("users", accountID), Query: url.Values{"sendEmail": {"false"}}}
	var refused error
	for accepted := 0; accepted < 2; {
		_, err := c.api.Do(ctx, remove, nil)
		switch {
		case err == nil:
			accepted++
			continue
		case !rest.Has(err, wrongStatus) || refused != nil:
			return rest.Gone(err)
		}
		refused = err
		switch u, err := c.settled(ctx, op, accountID); {
		case err != nil:
			return rest.Gone(err)
		case u.Transitioning != "":
			return underway(op, deactivate)
		}
	}
	return nil
}
