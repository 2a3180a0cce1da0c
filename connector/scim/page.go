package scim

import (
	"context"
	"strconv"
	"strings"
	"sync"

	"github.com/tenurehq/tenure/connector"
)

// pages holds the list that Page is in the middle of, so that its next page need not read
// the groups again.
type pages struct {
	mu          sync.Mutex
	token       string // of the next page
	walker      *walker
	memberships membership
}

// Page implements connector.Connector. A token says where the page begins: by index ("i" and
// how many resources were received, "z" if the service counts from 0), or by cursor ("c").
func (c *client) Page(ctx context.Context, token string) (page connector.Page, err error) {
	const op = connector.OpPage
	c.pages.mu.Lock()
	defer c.pages.mu.Unlock()
	w, memberships := c.pages.walker, c.pages.memberships
	if token == "" || token != c.pages.token || w == nil {
		w, memberships = c.walker(ctx, request{op: op, collection: users}), c.memberships(ctx, op)
		if !w.goTo(token) {
			return page, connector.Invalid(op, "the token is of another list")
		}
	}
	c.pages.walker = nil // a page that fails is asked for anew
	page.Total = -1
	found, ended, err := w.fetch(ctx)
	if err != nil || ended {
		return page, err
	}
	if w.list.TotalResults != nil && (int(*w.list.TotalResults) > len(w.list.Resources) || w.received == 0) {
		page.Total = int(*w.list.TotalResults)
	}
	for _, one := range found {
		account, err := c.account(ctx, op, one, memberships)
		if err != nil {
			return connector.Page{}, err
		}
		page.Accounts = append(page.Accounts, account)
	}
	more, err := w.advance(ctx)
	if err != nil {
		return connector.Page{}, err
	}
	if more {
		page.Next = w.token()
		c.pages.token, c.pages.walker, c.pages.memberships = page.Next, w, memberships
	}
	return page, nil
}

// token returns where the next page begins.
func (w *walker) token() string {
	switch {
	case w.from.byCursor:
		return "c" + w.from.cursor
	case w.from.zero:
		return "z" + strconv.Itoa(w.received)
	}
	return "i" + strconv.Itoa(w.received)
}

// goTo goes to the page of a token, and reports whether it is one.
func (w *walker) goTo(token string) bool {
	if token == "" {
		return true
	}
	if cursor, ok := strings.CutPrefix(token, "c"); ok {
		w.from = position{byCursor: true, cursor: cursor}
		return cursor != ""
	}
	zero := strings.HasPrefix(token, "z")
	received, err := strconv.Atoi(token[1:])
	w.from, w.received = position{index: received + 1, zero: zero}, received
	return err == nil && received > 0 && (zero || strings.HasPrefix(token, "i"))
}
