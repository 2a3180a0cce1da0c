package scim

import (
	"context"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"strconv"

	"github.com/tenurehq/tenure/connector"
)

const (
	users  = "Users"
	groups = "Groups"

	// pageSize is how many resources are asked for at once. Services may send
	// fewer.
	pageSize = 100
)

// listResponse is RFC 7644 section 3.4.2.
type listResponse struct {
	TotalResults *int       `json:"totalResults"`
	Resources    []resource `json:"Resources"`
}

// page asks for count resources from start (1 is the first). Of r it takes the
// operation, the collection and the query.
func (s *service) page(ctx context.Context, r request, start, count int) (listResponse, error) {
	query := maps.Clone(r.query)
	if query == nil {
		query = url.Values{}
	}
	query.Set("startIndex", strconv.Itoa(start))
	query.Set("count", strconv.Itoa(count))
	r.method, r.whole, r.query = http.MethodGet, true, query

	var list listResponse
	if _, err := s.do(ctx, r, &list); err != nil {
		return listResponse{}, err
	}
	if list.TotalResults == nil {
		return listResponse{}, noSCIM(r.op)
	}
	return list, nil
}

// each goes through all resources of a collection, page by page, each one once
// even if the collection changes meanwhile. It ends with the first error.
func (s *service) each(ctx context.Context, r request) iter.Seq2[resource, error] {
	return func(yield func(resource, error) bool) {
		seen := map[string]bool{}
		for received := 0; ; {
			list, err := s.page(ctx, r, received+1, pageSize)
			if err != nil {
				yield(nil, err)
				return
			}
			before := len(seen)
			for _, found := range list.Resources {
				id := found.text("id")
				if seen[id] {
					continue
				}
				seen[id] = true
				if !yield(found, nil) {
					return
				}
			}
			received += len(list.Resources)
			if len(list.Resources) > 0 && len(seen) == before {
				yield(nil, &connector.Error{
					Kind: connector.KindInvalid, Op: r.op,
					Message: "the app sends the same page again and again: its paging (startIndex) does not work",
				})
				return
			}
			if len(list.Resources) == 0 || received >= *list.TotalResults {
				return
			}
		}
	}
}

// List lists every account, and asks for pages only as they are needed.
func (c *client) List(ctx context.Context) iter.Seq2[connector.Account, error] {
	return func(yield func(connector.Account, error) bool) {
		memberships := c.memberships(ctx, connector.OpList)
		for found, err := range c.service.each(ctx, request{op: connector.OpList, collection: users}) {
			var account connector.Account
			if err == nil {
				account, err = c.account(ctx, connector.OpList, found, memberships)
			}
			if !yield(account, err) || err != nil {
				return
			}
		}
	}
}
