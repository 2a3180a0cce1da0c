package scim

import "context"

// What is known of a service's totals.
const (
	totalsUnknown int32 = iota
	totalsOfAll         // they count all that there is: the list ends there
	totalsOfPages       // as far as is known, they count what a page has: the next page has to be asked for
)

// endsAtTotal reports whether a list of more than one is over when its total has been
// received: there is no page to ask for, then. It is found out once, by a page of one of
// a list that has more.
func (c *client) endsAtTotal(ctx context.Context, r request) bool {
	known := &c.service.learned.totals
	if known.Load() == totalsUnknown {
		list, err := c.service.page(ctx, r, position{index: 1}, 1)
		if err != nil {
			return false
		}
		c.sawTotal(list)
		known.CompareAndSwap(totalsUnknown, totalsOfPages)
	}
	return known.Load() == totalsOfAll
}

// sawTotal remembers that the total of a first page counts more than the page has.
func (c *client) sawTotal(first listResponse) {
	if first.TotalResults != nil && len(first.Resources) > 0 && int(*first.TotalResults) > len(first.Resources) {
		c.service.learned.totals.Store(totalsOfAll)
	}
}
