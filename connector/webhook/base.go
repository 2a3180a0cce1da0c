package webhook

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"

	"github.com/tenurehq/tenure/connector"
)

// base is what every service offers.
type base struct{ *client }

var (
	_ connector.Connector = base{}
	_ connector.Adopter   = base{}
	_ connector.Switch    = base{}
	_ connector.Lister    = base{}
)

// Check implements connector.Connector.
func (b base) Check(ctx context.Context) (string, error) {
	got, err := b.call(ctx, connector.OpCheck, request{Operation: connector.OpCheck})
	if err == nil && got.Identity == "" {
		err = garbled(connector.OpCheck)
	}
	return got.Identity, err
}

// Close implements connector.Connector.
func (b base) Close() error {
	b.http.CloseIdleConnections()
	return nil
}

// Find implements connector.Connector.
func (b base) Find(ctx context.Context, keys connector.Keys) ([]connector.Match, error) {
	if keys.AccountID != "" {
		found, err := b.read(ctx, connector.OpFind, keys.AccountID)
		var failed *connector.Error
		switch {
		case errors.As(err, &failed) && failed.Kind == connector.KindNotFound:
			return nil, nil
		case err != nil:
			return nil, err
		}
		return []connector.Match{{Account: found, By: connector.ByAccountID}}, nil
	}
	for _, key := range []struct {
		by    connector.MatchKey
		value string
		asked bool
		holds func(connector.Account) bool // whatever the service says
	}{
		{connector.ByExternalID, keys.PersonID, true, func(a connector.Account) bool { return a.ExternalID == keys.PersonID }},
		{connector.ByEmployeeNumber, keys.EmployeeNumber, b.may(connector.ByEmployeeNumber), anybody},
		{connector.ByUsername, keys.Username, true, func(a connector.Account) bool { return strings.EqualFold(a.Username, keys.Username) }},
		{connector.ByEmail, keys.Email, b.may(connector.ByEmail), anybody},
	} {
		if key.value == "" || !key.asked {
			continue
		}
		got, err := b.call(ctx, connector.OpFind, request{Operation: connector.OpFind, By: string(key.by), Value: key.value})
		if err != nil {
			return nil, err
		}
		var matches []connector.Match
		for _, one := range got.Accounts {
			account := one.contract()
			theirs := keys.PersonID != "" && account.ExternalID != "" && account.ExternalID != keys.PersonID
			if !theirs && key.holds(account) {
				matches = append(matches, connector.Match{Account: account, By: key.by})
			}
		}
		if len(matches) > 0 {
			return matches, nil
		}
	}
	return nil, nil
}

func anybody(connector.Account) bool { return true }

func (b base) may(key connector.MatchKey) bool { return slices.Contains(b.keys, string(key)) }

// Read implements connector.Connector.
func (b base) Read(ctx context.Context, accountID string) (connector.Account, error) {
	return b.read(ctx, connector.OpRead, accountID)
}

func (b base) read(ctx context.Context, op, accountID string) (connector.Account, error) {
	got, err := b.call(ctx, op, request{Operation: connector.OpRead, AccountID: accountID})
	if err == nil && (got.Account == nil || got.Account.ID != accountID) {
		err = garbled(op)
	}
	if err != nil {
		return connector.Account{}, err
	}
	return got.Account.contract(), nil
}

// change sends what has no answer but that it was done.
func (c *client) change(ctx context.Context, ask request) error {
	_, err := c.call(ctx, ask.Operation, ask)
	return err
}

// Adopt implements connector.Adopter.
func (b base) Adopt(ctx context.Context, accountID, personID string) error {
	return b.change(ctx, request{Operation: connector.OpAdopt, AccountID: accountID, PersonID: personID})
}

// Disable implements connector.Switch.
func (b base) Disable(ctx context.Context, accountID string) error {
	return b.change(ctx, request{Operation: connector.OpDisable, AccountID: accountID})
}

// Enable implements connector.Switch.
func (b base) Enable(ctx context.Context, accountID string) error {
	if !b.reversible {
		return &connector.Error{Kind: connector.KindUnsupported, Op: connector.OpEnable, Message: "the setting operations does not have enable"}
	}
	return b.change(ctx, request{Operation: connector.OpEnable, AccountID: accountID})
}

// Reversible implements connector.Switch.
func (b base) Reversible() bool { return b.reversible }

// List implements connector.Lister.
func (b base) List(ctx context.Context) iter.Seq2[connector.Account, error] {
	return func(yield func(connector.Account, error) bool) {
		seen := map[string]bool{} // cursors: one that comes again would go on for ever
		for cursor := ""; ; {
			got, err := b.call(ctx, connector.OpList, request{Operation: connector.OpList, Cursor: cursor})
			if err == nil && seen[got.Cursor] {
				err = garbled(connector.OpList)
			}
			if err != nil {
				yield(connector.Account{}, err)
				return
			}
			for _, one := range got.Accounts {
				if !yield(one.contract(), nil) {
					return
				}
			}
			if got.Cursor == "" {
				return
			}
			cursor = got.Cursor
			seen[cursor] = true
		}
	}
}
