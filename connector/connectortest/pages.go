package connectortest

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
)

// pages yields the pages of a list, each from the connector that next returns, and at last the
// error if there is one.
func pages(ctx context.Context, next func() connector.Connector) iter.Seq2[connector.Page, error] {
	return func(yield func(connector.Page, error) bool) {
		for token := ""; ; {
			page, err := next().Page(ctx, token)
			if !yield(page, err) || err != nil || page.Next == "" {
				return
			}
			token = page.Next
		}
	}
}

// listed returns every account that an app lists, by ID.
func listed(t *testing.T, c connector.Connector) map[string]connector.Account {
	t.Helper()
	all := map[string]connector.Account{}
	for account, err := range c.List(t.Context()) {
		require.NoError(t, err)
		all[account.ID] = account
	}
	return all
}

// page lists an app page by page, on one connection and on another for each page, as after
// the death of whoever lists.
func (s *suite) page(t *testing.T) {
	const many = 110 // besides those of other tests; some real servers take seconds for each hundred
	c := s.open(t)
	for range many {
		s.make(t, c, s.spec())
	}
	want := listed(t, c)
	for name, next := range map[string]func() connector.Connector{
		"one connection":             func() connector.Connector { return c },
		"a connection for each page": func() connector.Connector { return s.open(t) },
	} {
		seen, tokens := map[string]connector.Account{}, map[string]bool{}
		for page, err := range pages(t.Context(), next) {
			require.NoError(t, err, name)
			for _, account := range page.Accounts {
				assert.NotContains(t, seen, account.ID, "%s: listed twice", name)
				seen[account.ID] = account
			}
			if page.Total >= 0 {
				assert.LessOrEqual(t, len(want), page.Total, name)
			}
			require.NotContains(t, tokens, page.Next, "%s: the list does not go on", name)
			tokens[page.Next] = true
		}
		assert.Equal(t, want, seen, name)
	}
}

// pageMeanwhile lists an app in which an account comes and another one goes after the first page.
func (s *suite) pageMeanwhile(t *testing.T) {
	c := s.open(t)
	missing := listed(t, c)
	read, gone := 0, 0
	for page, err := range pages(t.Context(), func() connector.Connector { return s.open(t) }) {
		require.NoError(t, err)
		for _, account := range page.Accounts {
			delete(missing, account.ID)
		}
		if read++; read > 1 {
			continue
		}
		s.make(t, c, s.spec())
		if i := slices.IndexFunc(page.Accounts, s.disposable); i >= 0 && s.end(t, c, page.Accounts[i].ID) {
			gone++
		}
	}
	if s.deviates(t, PagesShift) && gone > 0 {
		assert.LessOrEqual(t, len(missing), gone, "more are missing than went")
		return
	}
	assert.Empty(t, slices.Collect(maps.Keys(missing)), "accounts that were there all the time")
}

// disposable reports whether an account is one of the suite's own.
func (s *suite) disposable(account connector.Account) bool {
	return strings.HasPrefix(account.Username, s.Names)
}

// end ends an account for good. It reports false if the app cannot.
func (s *suite) end(t *testing.T, c connector.Connector, accountID string) bool {
	t.Helper()
	switch {
	case s.can().Delete:
		require.NoError(t, c.Delete(t.Context(), accountID))
	case s.can().Disable && !s.can().Reversible:
		require.NoError(t, c.Disable(t.Context(), accountID))
	default:
		return false
	}
	return true
}

// pageUnknown asks for pages that there are not.
func (s *suite) pageUnknown(t *testing.T) {
	for _, token := range []string{
		"garbage", "/garbage?x=1", "https://elsewhere.example.com/users?page=2", "../users?page=2", "99:1", "\x00", "%zz", strings.Repeat("9", 10_000),
	} {
		_, err := s.open(t).Page(t.Context(), token)
		s.fails(t, err, connector.OpPage, connector.KindInvalid)
	}
}

// mostLive bounds the bytes that a list keeps alive while it is made: a page of accounts as the
// app sends them, and as the connector shows them. All accounts of ListMany are some 20 MB.
const mostLive = 8 << 20

// ListMany lists 10,000 accounts of an app, and checks that no more of them are in memory than a
// page. add adds an account with a long text among its attributes, without a call of the
// connector. Nothing may run beside it: it measures the whole process.
func ListMany(t *testing.T, target Target, add func(number int, text string)) {
	const many = 10_000
	for i := range many {
		add(i, strings.Repeat(fmt.Sprintf("%06d ", i), 140)) // 980 characters
	}
	type made struct {
		accounts func(connector.Connector) iter.Seq2[connector.Account, error]
		enough   int
	}
	byList := func(c connector.Connector) iter.Seq2[connector.Account, error] { return c.List(t.Context()) }
	lists := map[string]made{"List": {byList, many}}
	if target.Capabilities.Page {
		lists["List"] = made{byList, many / 5} // one that collects first has all of them by then
		lists["Page"] = made{func(c connector.Connector) iter.Seq2[connector.Account, error] {
			return func(yield func(connector.Account, error) bool) {
				for page, err := range pages(t.Context(), func() connector.Connector { return c }) {
					for i := 0; err == nil && i < len(page.Accounts); i++ {
						if !yield(page.Accounts[i], nil) {
							return
						}
					}
					if err != nil {
						yield(connector.Account{}, err)
					}
				}
			}
		}, many}
	}
	for name, list := range lists {
		t.Run(name, func(t *testing.T) {
			c := target.Open(t)
			before, most, seen := live(), int64(0), 0
			for _, err := range list.accounts(c) {
				require.NoError(t, err)
				if seen++; seen == 1 || seen%1000 == 0 {
					most = max(most, live()-before)
				}
				if seen == list.enough {
					break
				}
			}
			assert.GreaterOrEqual(t, seen, list.enough)
			assert.Less(t, most, int64(mostLive), "bytes that the list keeps alive")
			t.Logf("%d accounts, %.1f MB alive at most", seen, float64(most)/(1<<20))
		})
	}
}

// live returns the bytes of the heap that are in use.
func live() int64 {
	runtime.GC()
	var now runtime.MemStats
	runtime.ReadMemStats(&now)
	return int64(now.HeapAlloc)
}
