package connector

import (
	"cmp"
	"context"
	"iter"
	"strconv"
	"strings"
	"sync"
)

// maxToken bounds the token of a page. Microsoft Graph's are addresses of some 2,000
// characters.
const maxToken = 8192

// Pages lists the accounts of an app that shows them in pages, as a list and page by page. It
// holds one page at a time, and what was gathered before the first one. G is what is gathered:
// who is in which group, where accounts do not show that themselves.
type Pages[G any] struct {
	// Gather reads what all pages of a list need. It is called once for a list, and again for a
	// page that another connection has left off at, but not if the caller does without
	// entitlements (SparesEntitlements). Nil if pages need nothing.
	Gather func(ctx context.Context, op string) (G, error)
	// Fetch reads the page that a token stands for; the first one if it is empty. A token that is
	// none of the app's is an error of KindInvalid.
	Fetch func(ctx context.Context, op, token string, gathered G) (Page, error)

	mu       sync.Mutex
	next     string // the token of the page after the last one; empty if there is none
	sparing  bool
	gathered G
}

// List is Connector.List.
func (p *Pages[G]) List(ctx context.Context) iter.Seq2[Account, error] {
	return func(yield func(Account, error) bool) {
		var tokens circle
		gathered, err := p.gather(ctx, OpList)
		for token := ""; err == nil; {
			var page Page
			if page, err = p.Fetch(ctx, OpList, token, gathered); err != nil {
				break
			}
			for _, account := range page.Accounts {
				if !yield(account, nil) {
					return
				}
			}
			if page.Next == "" {
				return
			}
			err = tokens.follow(OpList, token, page.Next)
			token = page.Next
		}
		yield(Account{}, err)
	}
}

// Page is Connector.Page.
func (p *Pages[G]) Page(ctx context.Context, token string) (Page, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	sparing := SparesEntitlements(ctx)
	if token == "" || token != p.next || sparing != p.sparing {
		gathered, err := p.gather(ctx, OpPage)
		if err != nil {
			return Page{}, err
		}
		p.gathered, p.sparing = gathered, sparing
	}
	p.next = "" // a page that fails is asked for anew, with what is gathered anew
	page, err := p.Fetch(ctx, OpPage, token, p.gathered)
	if err != nil {
		return Page{}, err
	}
	if p.next = page.Next; p.next == "" {
		var none G
		p.gathered = none
	}
	return page, nil
}

func (p *Pages[G]) gather(ctx context.Context, op string) (gathered G, err error) {
	if p.Gather == nil || SparesEntitlements(ctx) {
		return gathered, nil
	}
	return p.Gather(ctx, op)
}

// InTurn returns a Fetch of Pages for an app that has several lists of accounts: it goes through one
// after the other. A token begins with the number of the list.
func InTurn[G any](lists ...func(ctx context.Context, op, token string, gathered G) (Page, error)) func(context.Context, string, string, G) (Page, error) {
	return func(ctx context.Context, op, token string, gathered G) (Page, error) {
		number, rest, staged := strings.Cut(cmp.Or(token, "0:"), ":")
		list, err := strconv.Atoi(number)
		if !staged || err != nil || list < 0 || list >= len(lists) {
			return Page{}, NoSuchPage(op)
		}
		page, err := lists[list](ctx, op, rest, gathered)
		if err != nil {
			return Page{}, err
		}
		switch {
		case page.Next != "":
			page.Next = number + ":" + page.Next
		case list+1 < len(lists):
			page.Next = strconv.Itoa(list+1) + ":"
		}
		page.Total = -1 // what a list counts are not all accounts
		return page, nil
	}
}

// NoSuchPage returns the error for a token that is none of the app's.
func NoSuchPage(op string) error {
	return Invalid(op, "the token is not of a page of this app's accounts: list from the beginning")
}

// circle finds out that tokens of pages lead in a circle. It holds one token: of the first,
// second, fourth, eighth page and so on (Brent). The zero value is ready for use.
type circle struct {
	mark         string
	steps, turns int
	at           string // the token that the last page led to
}

// follow notes that the page of a token led to the page of another one.
func (c *circle) follow(op, from, to string) error {
	if from != c.at || from == "" {
		*c = circle{mark: from}
	}
	switch {
	case len(to) > maxToken:
		return &Error{Kind: KindContradictory, Op: op, Message: "the app gives a page a token that is too long to be kept"}
	case to == from || to == c.mark:
		return &Error{Kind: KindContradictory, Op: op, Message: "the app's pages do not end: the next one is one that was there already"}
	}
	c.at = to
	if c.steps++; c.steps > c.turns {
		c.mark, c.steps, c.turns = to, 0, 2*c.turns+1
	}
	return nil
}
