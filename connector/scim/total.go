package scim

import "context"

// endsAtTotal reports whether a list of more than one is over when its total has been
// received: there is no page to ask for, then. A total may count what a page has, and
// that it counts all is believed as other deviations are; where it is not, a page of one
// of the list tells. It is for look-ups: what proves something of everybody is read to its
// end.
func (c *client) endsAtTotal(ctx context.Context, r request) bool {
	known := &c.service.learned.totalsOfAll
	if known.holds(c.now()) {
		return true
	}
	list, err := c.service.page(ctx, r, position{index: 1}, 1)
	if err != nil {
		return false
	}
	countsAll := list.countsMore()
	known.settle(c.now(), countsAll)
	return countsAll
}

// countsMore reports whether the total of a first page counts more than the page has.
func (l listResponse) countsMore() bool {
	return l.TotalResults != nil && len(l.Resources) > 0 && int(*l.TotalResults) > len(l.Resources)
}

// sawTotal notes what the total of a first page counts, if it tells.
func (c *client) sawTotal(first listResponse) {
	if first.countsMore() {
		c.service.learned.totalsOfAll.met(c.now())
	}
}
