package toy

import (
	"context"
	"slices"
	"strings"

	"github.com/tenurehq/tenure/connector"
)

// client is the connector. Base answers the calls that it does not offer.
type client struct {
	connector.Base

	path string
	pace func(context.Context) error
}

// accounts reads all accounts. The caller holds using.
func (c *client) accounts(ctx context.Context, op string) ([]connector.Account, error) {
	if c.pace != nil {
		if err := c.pace(ctx); err != nil {
			return nil, unavailable(op, "it was not its turn before time was up", err)
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, unavailable(op, "the call was cancelled or ran out of time", err)
	}
	accounts, err := load(c.path)
	if err != nil {
		return nil, unavailable(op, "the file cannot be read: check the setting file, and that each line has its columns", nil)
	}
	return accounts, nil
}

// Find implements connector.Connector.
func (c *client) Find(ctx context.Context, keys connector.Keys) ([]connector.Match, error) {
	using.Lock()
	defer using.Unlock()
	accounts, err := c.accounts(ctx, connector.OpFind)
	if err != nil {
		return nil, err
	}
	pick := func(by connector.MatchKey, matches func(connector.Account) bool) (found []connector.Match) {
		for _, account := range accounts {
			if matches(account) {
				found = append(found, connector.Match{Account: account, By: by})
			}
		}
		return found
	}
	if keys.AccountID != "" { // if set, the other keys do not count
		return pick(connector.ByAccountID, func(a connector.Account) bool { return a.ID == keys.AccountID }), nil
	}
	if keys.PersonID != "" {
		found := pick(connector.ByExternalID, func(a connector.Account) bool { return a.ExternalID == keys.PersonID })
		if len(found) > 0 { // the strongest key that finds an account counts
			return found, nil
		}
	}
	return pick(connector.ByUsername, func(a connector.Account) bool {
		theirs := connector.Foreign(a.ExternalID, keys.PersonID) // another person's account is never a match
		return !theirs && keys.Username != "" && strings.EqualFold(a.Username, keys.Username)
	}), nil
}

// Read implements connector.Connector.
func (c *client) Read(ctx context.Context, accountID string) (connector.Account, error) {
	using.Lock()
	defer using.Unlock()
	accounts, err := c.accounts(ctx, connector.OpRead)
	if err != nil {
		return connector.Account{}, err
	}
	i := slices.IndexFunc(accounts, func(a connector.Account) bool { return a.ID == accountID })
	if i < 0 {
		return connector.Account{}, gone(connector.OpRead)
	}
	return accounts[i], nil
}

// Check implements connector.Connector.
func (c *client) Check(ctx context.Context) (string, error) {
	using.Lock()
	defer using.Unlock()
	_, err := c.accounts(ctx, connector.OpCheck)
	return "whoever may write the file", err
}

// Close implements connector.Connector.
func (c *client) Close() error { return nil }

func gone(op string) error {
	return &connector.Error{Kind: connector.KindNotFound, Op: op, Message: "the file has no such account"}
}

func invalid(op, message string) error {
	return &connector.Error{Kind: connector.KindInvalid, Op: op, Message: message}
}

// unavailable returns an error for a call that may succeed next time. The cause is the
// context's error or nil: the system's errors contain paths.
func unavailable(op, message string, cause error) error {
	return &connector.Error{Kind: connector.KindUnavailable, Op: op, Message: message, Cause: cause}
}
