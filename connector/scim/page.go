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
	w, memberships, resumed := c.pages.walker, c.pages.memberships, false
	if token == "" || token != c.pages.token || w == nil {
		w, memberships = c.walker(ctx, request{op: op, collection: users}), c.memberships(ctx, op)
		if !w.goTo(token) {
			return page, connector.Invalid(op, "the token is of another list")
		}
		resumed = token != ""
	}
	c.pages.walker = nil // a page that fails is asked for anew
	page.Total = -1
	found, ended, err := w.fetch(ctx)
	if err != nil || ended {
		return page, err
	}
	if resumed && w.behindTheEnd() {
		return page, nil
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

// behindTheEnd reports whether the page that was fetched begins behind the last resource: some
// services send earlier ones again then. Whoever goes on where another has listed has not seen
// those. A total that is not larger than a page may count the resources of the page.
func (w *walker) behindTheEnd() bool {
	total := w.list.TotalResults
	return total != nil && !w.from.byCursor && int(*total) > w.count && w.received >= int(*total)
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
