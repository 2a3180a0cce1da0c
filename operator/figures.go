package operator

import (
	"context"

	"github.com/tenurehq/tenure/figures"
)

// Figures computes the five figures of user provisioning for a time: see package figures. It refuses
// a time that ends before it begins, and an app that is neither configured nor on the record.
func (v *Viewer) Figures(ctx context.Context, q figures.Question) ([]figures.Figure, error) {
	q.Now = v.Clock.Now()
	if !q.From.Before(q.Until) {
		return nil, refuse("the time has to end after it begins", "")
	}
	return figures.Read(ctx, v.Ledger, q)
}
