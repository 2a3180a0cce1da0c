package webhook

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/tenurehq/tenure/connector"
)

// What a service may offer besides base: a type for each, to be put together.
type (
	creator  struct{ *client }
	updater  struct{ *client }
	deleter  struct{ *client }
	entitler struct{ *client }
	revoker  struct{ *client }
	mover    struct{ *client }
)

// Create implements connector.Creator.
func (c creator) Create(ctx context.Context, spec connector.Spec) (connector.Account, error) {
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

// Update implements connector.Updater.
func (u updater) Update(ctx context.Context, accountID string, attributes map[string]any) error {
	if len(attributes) == 0 {
		return nil
	}
	return u.change(ctx, request{Operation: connector.OpUpdate, AccountID: accountID, Attributes: attributes})
}

// Delete implements connector.Deleter. Only the service itself can say that an
// account is gone.
func (d deleter) Delete(ctx context.Context, accountID string) error {
	return unlessGone(d.change(ctx, request{Operation: connector.OpDelete, AccountID: accountID}))
}

// Deletion implements connector.Deleter.
func (d deleter) Deletion() connector.Deletion { return connector.Deletion{} }

// Grant implements connector.Entitler.
func (e entitler) Grant(ctx context.Context, accountID string, names []string) error {
	if len(names) == 0 {
		return nil
	}
	got, err := e.call(ctx, connector.OpGrant, request{Operation: connector.OpGrant, AccountID: accountID, Entitlements: names})
	if err != nil {
		return err
	}
	unknown := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !slices.Contains(got.Unknown, name) })
	if len(unknown) > 0 {
		return &connector.Error{
			Kind: connector.KindInvalid, Op: connector.OpGrant,
			Message: fmt.Sprintf("the service knows no entitlement %s: make it there first", strings.Join(unknown, ", ")),
		}
	}
	return nil
}

// Revoke implements connector.Entitler.
func (e entitler) Revoke(ctx context.Context, accountID string, names []string) error {
	if len(names) == 0 {
		return nil
	}
	return unlessGone(e.change(ctx, request{Operation: connector.OpRevoke, AccountID: accountID, Entitlements: names}))
}

// Entitlements implements connector.EntitlementLister.
func (e entitler) Entitlements(ctx context.Context) iter.Seq2[connector.Entitlement, error] {
	return func(yield func(connector.Entitlement, error) bool) {
		got, err := e.call(ctx, connector.OpListEntitlements, request{Operation: connector.OpListEntitlements})
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

// RevokeSessions implements connector.SessionRevoker.
func (r revoker) RevokeSessions(ctx context.Context, accountID string) error {
	return r.change(ctx, request{Operation: connector.OpRevokeSessions, AccountID: accountID})
}

// HandOver implements connector.DataMover.
func (m mover) HandOver(ctx context.Context, fromAccountID, toAccountID string) error {
	return m.change(ctx, request{Operation: connector.OpHandOver, AccountID: fromAccountID, ToAccountID: toAccountID})
}

// unlessGone makes success of an account's not being there.
func unlessGone(err error) error {
	if failed, ok := err.(*connector.Error); ok && failed.Kind == connector.KindNotFound { //nolint:errorlint // as call makes it
		return nil
	}
	return err
}
