package scim

import "context"

// endsAtTotal reports whether a list of more than one is over when its total has been
// received: there is no page to ask for, then. A total may count what a page has: that it
// counts all is believed for a while after a page showed it, and else a page of one of the
// list is asked for, which tells. It is for look-ups: what proves something of everybody is
// read to its end.
func (c *client) endsAtTotal(ctx context.Context, r request) bool {
	if c.service.learned.totalsOfAll.holds(c.now()) {
		return true
	}
	list, err := c.service.page(ctx, r, position{index: 1}, 1)
	if err != nil {
		return false
	}
	c.sawTotal(list)
	return list.countsMore()
}

// countsMore reports whether the total of a first page counts more than the page has.
func (l listResponse) countsMore() bool {
	return l.TotalResults != nil && len(l.Resources) > 0 && int(*l.TotalResults) > len(l.Resources)
}

// sawTotal notes what the total of a first page counts, if it tells.
func (c *client) sawTotal(first listResponse) {
	if first.countsMore() {
		c.service.learned.totalsOfAll.confirmed(c.now(), 0)
	}
}
