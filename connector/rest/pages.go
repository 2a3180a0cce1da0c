package rest

import (
	"context"
	"iter"
	"net/http"
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

// Gone returns nil if err says that what was to be deleted or taken is not there, else err.
func Gone(err error) error {
	if connector.Is(err, connector.KindNotFound) {
		return nil
	}
	return err
}
