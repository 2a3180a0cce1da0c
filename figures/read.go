package figures

import (
	"context"
	"time"

	"github.com/tenurehq/tenure/ledger"
)

// Reader is the part of a ledger that figures are computed from.
type Reader interface {
	ledger.Query
	OrphanHistory(ctx context.Context, from, until time.Time) ([]ledger.OrphanRate, error)
	ledger.ReviewReader
}

// Read computes figures. It reads page by page.
func Read(ctx context.Context, l Reader, q Question) ([]Figure, error) {
	c := New(q)
	for s, err := range ledger.AllPeople(ctx, l, "") {
		if err != nil {
			return nil, err
		}
		c.Waiting(s)
	}
	for row, err := range ledger.AllAuditSince(ctx, l, q.From) {
		if err != nil {
			return nil, err
		}
		c.Row(row)
	}
	rates, err := l.OrphanHistory(ctx, q.From, q.Until)
	if err != nil {
		return nil, err
	}
	for _, r := range rates {
		c.Orphans(r)
	}
	if err := readReviews(ctx, l, c); err != nil {
		return nil, err
	}
	return c.Figures(), nil
}

func readReviews(ctx context.Context, l Reader, c *Collector) error {
	for r, err := range ledger.AllReviews(ctx, l, ledger.ReviewFilter{}, 0) {
		if err != nil {
			return err
		}
		if r.ClosedAt.IsZero() || !c.holds(r.ClosedAt) {
			continue
		}
		for item, err := range ledger.AllReviewItems(ctx, l, ledger.ItemFilter{Review: r.ID}) {
			if err != nil {
				return err
			}
			c.Item(r, item)
		}
	}
	return nil
}
