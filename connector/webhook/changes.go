package webhook

import (
	"context"
	"iter"
	"strings"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/set"
)

// Create implements connector.Connector.
func (c *client) Create(ctx context.Context, spec connector.Spec) (connector.Account, error) {
	got, err := c.call(ctx, connector.OpCreate, request{Operation: connector.OpCreate, Account: &account{
		Username: spec.Username, PersonID: spec.PersonID, Active: spec.Active, Attributes: spec.Attributes,
	}})
	if err == nil && (got.Account == nil || got.Account.ID == "") {
		err = garbled(connector.OpCreate)
	}
	if err != nil {
		return connector.Account{}, err
	}
	return got.Account.contract(), nil
}

// Adopt implements connector.Connector.
func (c *client) Adopt(ctx context.Context, accountID, personID string) error {
	return c.change(ctx, request{Operation: connector.OpAdopt, AccountID: accountID, PersonID: personID})
}

// Update implements connector.Connector.
func (c *client) Update(ctx context.Context, accountID string, attributes map[string]any) error {
	if len(attributes) == 0 {
		return nil
	}
	return c.change(ctx, request{Operation: connector.OpUpdate, AccountID: accountID, Attributes: attributes})
}

// Disable implements connector.Connector.
func (c *client) Disable(ctx context.Context, accountID string) error {
	return c.change(ctx, request{Operation: connector.OpDisable, AccountID: accountID})
}

// Enable implements connector.Connector.
func (c *client) Enable(ctx context.Context, accountID string) error {
	if !c.offers.Reversible {
		return &connector.Error{Kind: connector.KindUnsupported, Op: connector.OpEnable, Message: "the setting operations does not have enable"}
	}
	return c.change(ctx, request{Operation: connector.OpEnable, AccountID: accountID})
}

// Delete implements connector.Connector. Only the service itself, in the body of its
// answer, can say that an account is gone (see told).
func (c *client) Delete(ctx context.Context, accountID string) error {
	return unlessGone(c.change(ctx, request{Operation: connector.OpDelete, AccountID: accountID}))
}

// Grant implements connector.Connector.
func (c *client) Grant(ctx context.Context, accountID string, names []string) error {
	if len(names) == 0 {
		return nil
	}
	got, err := c.call(ctx, connector.OpGrant, request{Operation: connector.OpGrant, AccountID: accountID, Entitlements: names})
	if err != nil {
		return err
	}
	unknown := set.Intersect(names, got.Unknown)
	if len(unknown) > 0 {
		return connector.Invalid(connector.OpGrant, "the service knows no entitlement %s: make it there first", strings.Join(unknown, ", "))
	}
	return nil
}

// Revoke implements connector.Connector.
func (c *client) Revoke(ctx context.Context, accountID string, names []string) error {
	if len(names) == 0 {
		return nil
	}
	return unlessGone(c.change(ctx, request{Operation: connector.OpRevoke, AccountID: accountID, Entitlements: names}))
}

// Entitlements implements connector.Connector.
func (c *client) Entitlements(ctx context.Context) iter.Seq2[connector.Entitlement, error] {
	return func(yield func(connector.Entitlement, error) bool) {
		got, err := c.call(ctx, connector.OpListEntitlements, request{Operation: connector.OpListEntitlements})
		if err != nil {
			yield(connector.Entitlement{}, err)
			return
		}
		for _, one := range got.Entitlements {
			seats := connector.Seats{Total: one.Seats.Total, Used: one.Seats.Used}
			if !yield(connector.Entitlement{Name: one.Name, Kind: one.Kind, Seats: seats}, nil) {
				return
			}
		}
	}
}

// RevokeSessions implements connector.Connector.
func (c *client) RevokeSessions(ctx context.Context, accountID string) error {
	return c.change(ctx, request{Operation: connector.OpRevokeSessions, AccountID: accountID})
}

// HandOver implements connector.Connector.
func (c *client) HandOver(ctx context.Context, fromAccountID, toAccountID string) error {
	return c.change(ctx, request{Operation: connector.OpHandOver, AccountID: fromAccountID, ToAccountID: toAccountID})
}

// unlessGone returns err, or nil if err says that the account does not exist.
func unlessGone(err error) error {
	if connector.Is(err, connector.KindNotFound) {
		return nil
	}
	return err
}

// change sends a request whose answer holds nothing but success or an error.
func (c *client) change(ctx context.Context, ask request) error {
	_, err := c.call(ctx, ask.Operation, ask)
	return err
}
