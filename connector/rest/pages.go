package rest

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strings"

	"github.com/tenurehq/tenure/connector"
)

// maxPages bounds how many pages of one list are read.
const maxPages = 100_000

// Pages asks for page after page of a list. next returns the request for the page that
// follows, and false after the last one. A vendor that leads in a circle is an error of
// KindContradictory.
func Pages[P any](ctx context.Context, c *Client, first Request, next func(page P, header http.Header) (Request, bool)) iter.Seq2[P, error] {
	return func(yield func(P, error) bool) {
		var none P
		seen := map[string]bool{}
		for r := first; ; {
			address, err := c.address(ctx, r)
			if err != nil {
				yield(none, c.unanswered(ctx, r.Op, err))
				return
			}
			body, _, err := encode(r.Body) // which holds the cursor where a list is a POST
			if err != nil {
				yield(none, c.unanswered(ctx, r.Op, err))
				return
			}
			asked := address + " " + string(body)
			if seen[asked] || len(seen) == maxPages {
				yield(none, Contradictory(r.Op, c.Vendor.Name+"'s pages do not end"))
				return
			}
			seen[asked] = true
			var page P
			header, err := c.Do(ctx, r, &page)
			if err != nil {
				yield(none, err)
				return
			}
			if !yield(page, nil) {
				return
			}
			following, more := next(page, header)
			if !more {
				return
			}
			r = following
		}
	}
}

// Items asks for page after page of a list, and returns what is on them. on returns the items
// of a page, or an error if it is no page.
func Items[P, T any](ctx context.Context, c *Client, first Request, next func(page P, header http.Header) (Request, bool), on func(P) ([]T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		for page, err := range Pages(ctx, c, first, next) {
			var items []T
			if err == nil {
				items, err = on(page)
			}
			if err != nil {
				yield(none, err)
				return
			}
			for _, item := range items {
				if !yield(item, nil) {
					return
				}
			}
		}
	}
}

// Collect returns all items of a list, or its first error.
func Collect[T any](items iter.Seq2[T, error]) ([]T, error) {
	var all []T
	for item, err := range items {
		if err != nil {
			return nil, err
		}
		all = append(all, item)
	}
	return all, nil
}

var linkNext = regexp.MustCompile(`<([^<>]*)>[^<>,]*;\s*rel="?next"?`)

// LinkNext returns the address of the next page in the header Link (RFC 8288); empty if there
// is none.
func LinkNext(header http.Header) string {
	found := linkNext.FindStringSubmatch(strings.Join(header.Values("Link"), ", "))
	if found == nil {
		return ""
	}
	return found[1]
}

// NextLink returns a next for Pages that follows the header Link.
func NextLink[P any](op string) func(P, http.Header) (Request, bool) {
	return func(_ P, header http.Header) (Request, bool) {
		link := LinkNext(header)
		return Request{Op: op, Link: link}, link != ""
	}
}

// Linked reads one page of a list whose pages lead to the next one by its address. The empty token
// is that of the first page, which first asks for; next is as in Pages. It returns the token of
// the page that follows, empty after the last one: the address, as far as it is not the
// configured one. So a token leads to the configured host only, wherever it was kept.
func Linked[P any](ctx context.Context, c *Client, first Request, token string, next func(page P, header http.Header) (Request, bool)) (page P, following string, err error) {
	base, err := c.Base(ctx, first.Op)
	if err != nil {
		return page, "", err
	}
	host, below := base.Scheme+"://"+base.Host, strings.TrimRight("/"+strings.Trim(base.EscapedPath(), "/"), "/")+"/"
	if token != "" {
		link, err := url.Parse(host + token)
		if err != nil || link.Host != base.Host || !strings.HasPrefix(token, below) || path.Clean(link.Path) != link.Path ||
			path.Base(link.Path) != path.Base(first.Path) || link.RawQuery == "" {
			return page, "", connector.NoSuchPage(first.Op)
		}
		first = Request{Op: first.Op, Header: first.Header, Link: host + token}
	}
	header, err := c.Do(ctx, first, &page)
	if err != nil {
		return page, "", err
	}
	follows, more := next(page, header)
	if !more {
		return page, "", nil
	}
	address, err := c.address(ctx, follows)
	following, on := strings.CutPrefix(address, host)
	if err == nil && (!on || !strings.HasPrefix(following, below)) {
		err = Contradictory(first.Op, c.Vendor.Name+" sends us somewhere else for the next page")
	}
	return page, following, err
}

// Gone returns nil if err says that what was to be deleted or taken is not there, else err.
func Gone(err error) error {
	if connector.Is(err, connector.KindNotFound) {
		return nil
	}
	return err
}
