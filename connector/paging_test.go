package connector_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
)

// paged is an app of so many accounts, one on a page. after changes to which page a page leads.
type paged struct {
	connector.Connector

	pages    *connector.Pages[string]
	gathered int
	many     int
	after    func(number int) string
}

func newPaged(many int) *paged {
	p := &paged{many: many, pages: &connector.Pages[string]{}, after: strconv.Itoa}
	p.pages.Gather = func(context.Context, string) (string, error) { p.gathered++; return "staff", nil }
	p.pages.Fetch = func(_ context.Context, op, token, group string) (connector.Page, error) {
		number := 0
		if token != "" {
			var err error
			if number, err = strconv.Atoi(token); err != nil {
				return connector.Page{}, connector.NoSuchPage(op)
			}
		}
		page := connector.Page{Accounts: []connector.Account{{ID: strconv.Itoa(number), Entitlements: []string{group}}}}
		if number+1 < p.many {
			page.Next = p.after(number + 1)
		}
		return page, nil
	}
	return p
}

func listed(p *paged) (ids []string, err error) {
	for account, err := range p.pages.List(context.Background()) {
		if err != nil {
			return ids, err
		}
		ids = append(ids, account.ID)
	}
	return ids, nil
}

func TestAListIsGatheredOnce(t *testing.T) {
	p := newPaged(5)
	ids, err := listed(p)
	require.NoError(t, err)
	assert.Equal(t, []string{"0", "1", "2", "3", "4"}, ids)
	assert.Equal(t, 1, p.gathered)
	_, err = listed(p)
	require.NoError(t, err)
	assert.Equal(t, 2, p.gathered, "for each list")
	ids = nil
	for token := ""; ; {
		page, err := p.pages.Page(t.Context(), token)
		require.NoError(t, err)
		for _, account := range page.Accounts {
			ids = append(ids, account.ID)
			assert.Equal(t, []string{"staff"}, account.Entitlements)
		}
		if token = page.Next; token == "" {
			break
		}
	}
	assert.Equal(t, []string{"0", "1", "2", "3", "4"}, ids)
	assert.Equal(t, 3, p.gathered, "and for all pages of one")
	_, err = p.pages.Page(t.Context(), "3")
	require.NoError(t, err)
	assert.Equal(t, 4, p.gathered, "and for a page that another connection has left off at")
}

func TestNothingIsGatheredForWhoeverNeedsNoEntitlements(t *testing.T) {
	p := newPaged(2)
	_, err := p.pages.Page(connector.SparingEntitlements(t.Context()), "")
	require.NoError(t, err)
	assert.Zero(t, p.gathered)
	page, err := p.pages.Page(t.Context(), "1")
	require.NoError(t, err)
	assert.Equal(t, []string{"staff"}, page.Accounts[0].Entitlements, "whoever goes on with them gets them")
}

func TestAPageThatFailsIsGatheredForAnew(t *testing.T) {
	p := newPaged(3)
	_, err := p.pages.Page(t.Context(), "")
	require.NoError(t, err)
	fetch := p.pages.Fetch
	p.pages.Fetch = func(context.Context, string, string, string) (connector.Page, error) {
		return connector.Page{}, errors.New("down")
	}
	_, err = p.pages.Page(t.Context(), "1")
	require.Error(t, err)
	p.pages.Fetch = fetch
	_, err = p.pages.Page(t.Context(), "1")
	require.NoError(t, err)
	assert.Equal(t, 2, p.gathered)
}

// TestPagesThatLeadInACircleEnd has pages lead back to an earlier one, at every distance, in a list
// and page by page.
func TestPagesThatLeadInACircleEnd(t *testing.T) {
	for _, circle := range []int{1, 2, 3, 7, 64, 1000} {
		for _, before := range []int{0, 1, 5, 63} {
			t.Run(fmt.Sprintf("%d after %d", circle, before), func(t *testing.T) {
				open := func() *paged {
					p := newPaged(1 << 30)
					p.after = func(number int) string {
						if number == before+circle+1 {
							number = before + 1
						}
						return strconv.Itoa(number)
					}
					return p
				}
				ids, err := listed(open())
				assert.True(t, connector.Is(err, connector.KindContradictory), err)
				assert.Less(t, len(ids), 4*(before+circle)+4, "read in vain")

				c, err := connector.Kind{Connect: func(context.Context, connector.Env, *connector.Values) (connector.Connector, error) {
					return paging{open()}, nil
				}}.Open(t.Context(), connector.Env{}, nil)
				require.NoError(t, err)
				read := 0
				for token := ""; ; read++ {
					require.Less(t, read, 4*(before+circle)+4)
					page, err := c.Page(t.Context(), token)
					if err != nil {
						assert.True(t, connector.Is(err, connector.KindContradictory), err)
						break
					}
					token = page.Next
				}
			})
		}
	}
}

// paging is a connector that pages.
type paging struct{ *paged }

func (paging) Capabilities() connector.Capabilities { return connector.Capabilities{Page: true} }
func (p paging) Page(ctx context.Context, token string) (connector.Page, error) {
	return p.pages.Page(ctx, token)
}

func TestTokensAreBounded(t *testing.T) {
	p := newPaged(10)
	p.after = func(number int) string { return strings.Repeat("0", 9000) + strconv.Itoa(number) }
	_, err := listed(p)
	require.ErrorContains(t, err, "too long")
	c, err := connector.Kind{Connect: func(context.Context, connector.Env, *connector.Values) (connector.Connector, error) {
		return paging{p}, nil
	}}.Open(t.Context(), connector.Env{}, nil)
	require.NoError(t, err)
	_, err = c.Page(t.Context(), "")
	assert.True(t, connector.Is(err, connector.KindContradictory), err)
	_, err = c.Page(t.Context(), strings.Repeat("0", 9000))
	assert.True(t, connector.Is(err, connector.KindInvalid), err)
}

// TestListsInTurn goes through three lists, of which the middle one is empty.
func TestListsInTurn(t *testing.T) {
	list := func(pages ...string) func(context.Context, string, string, struct{}) (connector.Page, error) {
		return func(_ context.Context, op, token string, _ struct{}) (connector.Page, error) {
			i := 0
			if token != "" {
				if i = slices.Index(pages, token); i < 0 {
					return connector.Page{}, connector.NoSuchPage(op)
				}
			}
			if len(pages) == 0 {
				return connector.Page{Total: 7}, nil
			}
			page := connector.Page{Accounts: []connector.Account{{ID: pages[i]}}, Total: 7}
			if i+1 < len(pages) {
				page.Next = pages[i+1]
			}
			return page, nil
		}
	}
	fetch := connector.InTurn(list("a", "b:2", "c"), list(), list("d"))
	var ids, tokens []string
	for token := ""; ; {
		page, err := fetch(t.Context(), connector.OpPage, token, struct{}{})
		require.NoError(t, err)
		assert.Negative(t, page.Total, "no list knows how many there are in all")
		for _, account := range page.Accounts {
			ids = append(ids, account.ID)
		}
		if token = page.Next; token == "" {
			break
		}
		tokens = append(tokens, token)
	}
	assert.Equal(t, []string{"a", "b:2", "c", "d"}, ids)
	assert.Equal(t, []string{"0:b:2", "0:c", "1:", "2:"}, tokens)
	for _, token := range []string{"0", "3:", "-1:", "x:", ":", "a", "0:z"} {
		_, err := fetch(t.Context(), connector.OpPage, token, struct{}{})
		assert.True(t, connector.Is(err, connector.KindInvalid), token)
	}
}
