package scim

import (
	"context"
	"encoding/json"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/tenurehq/tenure/connector"
)

const (
	users  = "Users"
	groups = "Groups"
)

// listResponse is RFC 7644 section 3.4.2, with what RFC 9865 adds.
type listResponse struct {
	TotalResults *total            `json:"totalResults"` // may be missing in pages by cursor
	Resources    []json.RawMessage `json:"Resources"`    // decoded one at a time: see maxAccount
	NextCursor   string            `json:"nextCursor"`   // empty on the last page
}

// total is a number of resources. Some services send it as text.
type total int

// UnmarshalJSON implements json.Unmarshaler.
func (t *total) UnmarshalJSON(raw []byte) error {
	n, err := strconv.Atoi(strings.Trim(string(raw), `"`))
	*t = total(n)
	return err
}

const (
	// mostResources is how many resources one call goes through.
	mostResources = 2_000_000
	// mostMatches is how many accounts one look-up may find. More than one is a
	// question for a human already.
	mostMatches = 100
	// longestID is how long a resource's ID may be, in bytes.
	longestID = 4 << 10
)

// decode decodes one resource of a list.
func (r request) decode(raw json.RawMessage) (found resource, err error) {
	if r.collection == users && len(raw) > maxAccount {
		return nil, tooLong(r.op, maxAccount)
	}
	if decode(raw, &found) != nil || len(found.text("id")) > longestID {
		return nil, noSCIM(r.op)
	}
	return found, nil
}

// position is where a page begins: at an index (1 is the first), or at a cursor,
// which is empty for the first. zero says that the service may count from 0.
type position struct {
	index    int
	zero     bool
	byCursor bool
	cursor   string
}

// page asks for count resources. Of r it takes the operation, the collection and
// the query.
func (s *service) page(ctx context.Context, r request, from position, count int) (listResponse, error) {
	query := maps.Clone(r.query)
	if query == nil {
		query = url.Values{}
	}
	switch {
	case from.byCursor:
		query.Set("cursor", from.cursor)
	case from.index > 0:
		first := 1
		if from.zero || s.learned.fromZero.Load() {
			first = 0
		}
		query.Set("startIndex", strconv.Itoa(from.index-1+first))
	}
	query.Set("count", strconv.Itoa(count))
	r.method, r.whole, r.query = http.MethodGet, true, query

	var list listResponse
	_, err := s.do(ctx, r, &list)
	a := answerOf(err)
	switch {
	case a != nil && a.status == http.StatusNotFound && query.Has("filter") && (a.scim || s.probe(ctx, r.op, r.collection) == nil):
		return listResponse{Resources: []json.RawMessage{}}, nil // "none", as some services say it
	case a != nil && a.status == http.StatusBadRequest && query.Has("excludedAttributes"):
		query.Del("excludedAttributes")
		if list, again := s.page(ctx, r, from, count); again == nil {
			s.learned.noExclusions.Store(true)
			return list, nil
		}
		return listResponse{}, err
	case err != nil:
		return listResponse{}, err
	}
	if list.TotalResults == nil && list.Resources == nil {
		return listResponse{}, noSCIM(r.op)
	}
	return list, nil
}

// next is where the page after this one begins, if there may be one. received counts
// the resources of all pages so far. The total does not end a list: some services
// count the page's resources.
func (l listResponse) next(from position, received int) (position, bool) {
	switch {
	case l.NextCursor != "": // asked for or not: a service may page by cursor by default
		return position{byCursor: true, cursor: l.NextCursor}, true
	case from.byCursor, len(l.Resources) == 0, l.TotalResults == nil, received == 1 && *l.TotalResults == 1:
		return position{}, false
	default:
		return position{index: received + 1}, true
	}
}

// each goes through all resources of a collection, page by page, each one once
// even if the collection changes meanwhile. It ends with the first error.
func (c *client) each(ctx context.Context, r request) iter.Seq2[resource, error] {
	return func(yield func(resource, error) bool) {
		how := c.how(ctx)
		from := position{index: 1, byCursor: how.cursor}
		seen, cursors := map[string]bool{}, map[string]bool{}
		complete := false // as far as the total says
		for received := 0; ; {
			list, err := c.service.page(ctx, r, from, how.pageSize)
			if err != nil && complete && !isRetryable(err) {
				return // there is no page behind the last one
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if received == 0 && list.contradicts() && from.index == 1 {
				list, err = c.fromZero(ctx, r, how.pageSize)
			}
			if err == nil && received == 0 && list.contradicts() {
				err = contradicts(r.op)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if len(list.Resources) == 0 && received > 0 && list.TotalResults != nil && int(*list.TotalResults) > received && from.index > 0 && !c.service.learned.fromZero.Load() {
				// One is missing: it may be the first, if they count from 0.
				if list, err = c.service.page(ctx, r, position{index: 1, zero: true}, 1); err != nil {
					yield(nil, err)
					return
				}
				if c.countsFromZero(r, list, seen); !c.service.learned.fromZero.Load() {
					return
				}
			}
			before := len(seen)
			for _, raw := range list.Resources {
				found, err := r.decode(raw)
				if err != nil {
					yield(nil, err)
					return
				}
				id := found.text("id")
				if seen[id] {
					continue
				}
				seen[id] = true
				if !yield(found, nil) {
					return
				}
			}
			if received += len(list.Resources); received > mostResources {
				yield(nil, &connector.Error{Kind: connector.KindInvalid, Op: r.op, Message: "the app sends pages without end"})
				return
			}
			if complete && len(seen) == before {
				return
			}
			stuck := len(list.Resources) > 0 && len(seen) == before || cursors[list.NextCursor]
			if stuck {
				yield(nil, &connector.Error{
					Kind: connector.KindInvalid, Op: r.op,
					Message: "the app sends the same page again and again: its paging (startIndex or cursor) does not work: see the paging setting",
				})
				return
			}
			if received == len(list.Resources) {
				c.sawTotal(list)
			}
			complete = list.TotalResults != nil && received >= int(*list.TotalResults) && list.NextCursor == ""
			if complete && received > 1 && !from.byCursor && c.endsAtTotal(ctx, r) {
				return
			}
			next, more := list.next(from, received)
			if !more {
				return
			}
			from, cursors[next.cursor] = next, next.byCursor
		}
	}
}

// fromZero asks for the first page of a service that has passed over the first resource:
// it counts from 0, or knows no index.
func (c *client) fromZero(ctx context.Context, r request, count int) (listResponse, error) {
	list, err := c.service.page(ctx, r, position{index: 1, zero: true}, count)
	if err == nil && !list.contradicts() {
		c.countsFromZero(r, list, nil)
		return list, nil
	}
	return c.service.page(ctx, r, position{}, count)
}

// countsFromZero remembers that a page at 0 holds what none has held before.
func (c *client) countsFromZero(r request, list listResponse, seen map[string]bool) {
	for _, raw := range list.Resources {
		if found, err := r.decode(raw); err == nil && !seen[found.text("id")] {
			c.service.learned.fromZero.Store(true)
		}
	}
}

// contradicts reports whether a first page says that there is something and shows
// nothing.
func (l listResponse) contradicts() bool {
	return len(l.Resources) == 0 && l.TotalResults != nil && *l.TotalResults > 0 && l.NextCursor == ""
}

// contradicts is the error for an answer that says that there is something and shows
// nothing: it proves neither.
func contradicts(op string) error {
	return &connector.Error{
		Kind: connector.KindContradictory, Op: op,
		Message: "the app's answer contradicts itself: totalResults says that something was found, and nothing is sent",
	}
}

// List lists every account, and asks for pages only as they are needed.
func (c *client) List(ctx context.Context) iter.Seq2[connector.Account, error] {
	return func(yield func(connector.Account, error) bool) {
		memberships := c.memberships(ctx, connector.OpList)
		for found, err := range c.each(ctx, request{op: connector.OpList, collection: users}) {
			var account connector.Account
			if err == nil {
				account, err = c.account(ctx, connector.OpList, found, memberships, &c.listShows)
			}
			if !yield(account, err) || err != nil {
				return
			}
		}
	}
}
