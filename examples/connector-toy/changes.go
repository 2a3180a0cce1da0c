package toy

import (
	"context"
	"crypto/rand"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/tenurehq/tenure/connector"
)

// Capabilities implements connector.Connector. It returns what the client offers besides
// Find, Read, Check and Close.
func (c *client) Capabilities() connector.Capabilities {
	return connector.Capabilities{
		Create: true, Adopt: true, Update: true, Disable: true, Reversible: true, Delete: true, List: true,
	}
}

// Create implements connector.Connector.
func (c *client) Create(ctx context.Context, spec connector.Spec) (connector.Account, error) {
	const op = connector.OpCreate
	made := connector.Account{
		ID: rand.Text(), Username: spec.Username, ExternalID: spec.PersonID, Active: spec.Active, Attributes: map[string]any{},
	}
	if err := set(op, &made, spec.Attributes); err != nil {
		return connector.Account{}, err
	}
	using.Lock()
	defer using.Unlock()
	accounts, err := c.accounts(ctx, op)
	if err != nil {
		return connector.Account{}, err
	}
	taken := slices.ContainsFunc(accounts, func(a connector.Account) bool {
		return strings.EqualFold(a.Username, made.Username) || made.ExternalID != "" && a.ExternalID == made.ExternalID
	})
	if taken { // Tenure then looks for the account, and adopts it if it may
		return connector.Account{}, &connector.Error{Kind: connector.KindExists, Op: op, Message: "the file has an account of that username or person"}
	}
	return made, c.save(op, append(accounts, made))
}

// Adopt implements connector.Connector.
func (c *client) Adopt(ctx context.Context, accountID, personID string) error {
	return c.change(ctx, connector.OpAdopt, accountID, func(a *connector.Account) error {
		if _, err := connector.Mark(connector.OpAdopt, a.ExternalID, personID, "the file"); err != nil {
			return err
		}
		a.ExternalID = personID
		return nil
	})
}

// Update implements connector.Connector.
func (c *client) Update(ctx context.Context, accountID string, attributes map[string]any) error {
	return c.change(ctx, connector.OpUpdate, accountID, func(a *connector.Account) error {
		return set(connector.OpUpdate, a, attributes)
	})
}

// Disable implements connector.Connector.
func (c *client) Disable(ctx context.Context, accountID string) error {
	return c.change(ctx, connector.OpDisable, accountID, func(a *connector.Account) error { a.Active = false; return nil })
}

// Enable implements connector.Connector.
func (c *client) Enable(ctx context.Context, accountID string) error {
	return c.change(ctx, connector.OpEnable, accountID, func(a *connector.Account) error { a.Active = true; return nil })
}

// Delete implements connector.Connector. It succeeds if there is no such account.
func (c *client) Delete(ctx context.Context, accountID string) error {
	using.Lock()
	defer using.Unlock()
	accounts, err := c.accounts(ctx, connector.OpDelete)
	if err != nil {
		return err
	}
	return c.save(connector.OpDelete, slices.DeleteFunc(accounts, func(a connector.Account) bool { return a.ID == accountID }))
}

// List implements connector.Connector.
func (c *client) List(ctx context.Context) iter.Seq2[connector.Account, error] {
	return func(yield func(connector.Account, error) bool) {
		using.Lock()
		accounts, err := c.accounts(ctx, connector.OpList)
		using.Unlock() // the caller of yield may make calls meanwhile
		if err != nil {
			yield(connector.Account{}, err)
			return
		}
		for _, account := range accounts {
			if !yield(account, nil) {
				return
			}
		}
	}
}

// change changes an existing account. It succeeds if nothing has to be changed.
func (c *client) change(ctx context.Context, op, accountID string, do func(*connector.Account) error) error {
	using.Lock()
	defer using.Unlock()
	accounts, err := c.accounts(ctx, op)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(accounts, func(a connector.Account) bool { return a.ID == accountID })
	if i < 0 {
		return gone(op)
	}
	if err := do(&accounts[i]); err != nil {
		return err
	}
	return c.save(op, accounts)
}

func (c *client) save(op string, accounts []connector.Account) error {
	if err := save(c.path, accounts); err != nil {
		return unavailable(op, "the file cannot be written: check the setting file, and the folder's rights", nil)
	}
	return nil
}

// set sets attributes. An empty text clears one. No message repeats a value, since it may
// be personal data.
func set(op string, account *connector.Account, attributes map[string]any) error {
	for name, value := range attributes {
		text, ok := value.(string)
		switch {
		case !known(name):
			return invalid(op, fmt.Sprintf("there is no attribute %q: the app has name and shelf", name))
		case !ok:
			return invalid(op, fmt.Sprintf("attribute %q must be a text", name))
		case text == "":
			delete(account.Attributes, name)
		default:
			account.Attributes[name] = text
		}
	}
	return nil
}
