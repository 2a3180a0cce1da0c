package webhook

import (
	"context"
	"iter"
	"slices"
	"strings"

	"github.com/tenurehq/tenure/connector"
)

// Check implements connector.Connector.
func (c *client) Check(ctx context.Context) (string, error) {
	got, err := c.call(ctx, connector.OpCheck, request{Operation: connector.OpCheck})
	if err == nil && got.Identity == "" {
		err = garbled(connector.OpCheck)
	}
	return got.Identity, err
}

// Close implements connector.Connector.
func (c *client) Close() error {
	c.http.CloseIdleConnections()
	return nil
}

// Find implements connector.Connector.
func (c *client) Find(ctx context.Context, keys connector.Keys) ([]connector.Match, error) {
	if keys.AccountID != "" {
		return connector.FoundByID(c.read(ctx, connector.OpFind, keys.AccountID))
	}
	for _, key := range []struct {
		by    connector.MatchKey
		value string
		asked bool
		holds func(connector.Account) bool // checks the service's answer where Tenure can
	}{
		{connector.ByExternalID, keys.PersonID, true, func(a connector.Account) bool { return a.ExternalID == keys.PersonID }},
		{connector.ByEmployeeNumber, keys.EmployeeNumber, c.may(connector.ByEmployeeNumber), anybody},
		{connector.ByUsername, keys.Username, true, func(a connector.Account) bool { return strings.EqualFold(a.Username, keys.Username) }},
		{connector.ByEmail, keys.Email, c.may(connector.ByEmail), anybody},
	} {
		if key.value == "" || !key.asked {
			continue
		}
		got, err := c.call(ctx, connector.OpFind, request{Operation: connector.OpFind, By: string(key.by), Value: key.value})
		if err != nil {
			return nil, err
		}
		var matches []connector.Match
		for _, one := range got.Accounts {
			account := one.contract()
			if !connector.Foreign(account.ExternalID, keys.PersonID) && key.holds(account) {
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

func (c *client) may(key connector.MatchKey) bool { return slices.Contains(c.keys, string(key)) }

// Read implements connector.Connector.
func (c *client) Read(ctx context.Context, accountID string) (connector.Account, error) {
	return c.read(ctx, connector.OpRead, accountID)
}

func (c *client) read(ctx context.Context, op, accountID string) (connector.Account, error) {
	got, err := c.call(ctx, op, request{Operation: connector.OpRead, AccountID: accountID})
	if err == nil && (got.Account == nil || got.Account.ID != accountID) {
		err = garbled(op)
	}
	if err != nil {
		return connector.Account{}, err
	}
	return got.Account.contract(), nil
}

// List implements connector.Connector.
func (c *client) List(ctx context.Context) iter.Seq2[connector.Account, error] {
	return c.pages.List(ctx)
}

// Page implements connector.Connector. Its token is the service's cursor.
func (c *client) Page(ctx context.Context, token string) (connector.Page, error) {
	return c.pages.Page(ctx, token)
}

// fetch asks for a page of accounts.
func (c *client) fetch(ctx context.Context, op, cursor string, _ struct{}) (connector.Page, error) {
	got, err := c.call(ctx, op, request{Operation: connector.OpList, Cursor: cursor})
	page := connector.Page{Next: got.Cursor, Total: -1}
	for _, one := range got.Accounts {
		page.Accounts = append(page.Accounts, one.contract())
	}
	return page, err
}
