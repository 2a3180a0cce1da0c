package activities

import (
	"context"

	"go.uber.org/zap"

	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/provision"
	"github.com/tenurehq/tenure/request"
)

// LookAtRequest finds out, and stores, what has become of a request for a role.
func (a *Activities) LookAtRequest(ctx context.Context, id int64) (request.State, error) {
	desk := request.Desk{Registry: a.Ledger, Policy: a.Policy, Clock: a.Clock}
	state, err := desk.Look(ctx, a.Ledger, id)
	if err != nil {
		return request.State{}, temporalError(provision.LedgerError(err))
	}
	return state, nil
}

// sweepRequests tells the runs of the requests that somebody has to look at, and starts those
// that are not there: Temporal may have lost them, or was away when they were made.
func (a *Activities) sweepRequests(ctx context.Context, result *SweepResult) error {
	var failed int
	var first error
	for r, err := range ledger.AllRequests(ctx, a.Ledger, ledger.RequestFilter{DueBy: a.Clock.Now()}, 0) {
		if err != nil {
			return temporalError(provision.LedgerError(err))
		}
		alive(ctx)
		if err := a.Runs.ResumeRequest(ctx, r.ID, "due"); err != nil {
			if failed++; first == nil {
				first = err
			}
			if ctx.Err() != nil {
				return err
			}
			continue
		}
		result.Requests++
	}
	if failed > 0 {
		a.Log.Warn("sweep could not resume some requests; the next one tries again", zap.Int("requests", failed), zap.Error(first))
	}
	return nil
}
