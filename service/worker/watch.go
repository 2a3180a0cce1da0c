package worker

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/tenurehq/tenure/activities"
)

// watch sweeps people who are overdue even if the sweeper's schedule in Temporal is
// paused, gone, or starts something else.
type watch struct {
	every time.Duration
	acts  interface {
		CountOverdue(ctx context.Context) (int, error)
		Sweep(ctx context.Context) (activities.SweepResult, error)
	}
	schedule func(ctx context.Context, every time.Duration) error
	log      *zap.Logger
}

// run looks once in every span w.every, until ctx ends.
func (w *watch) run(ctx context.Context) {
	tick := time.NewTicker(w.every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			w.look(ctx)
		}
	}
}

// look sweeps in this process, and renews the schedule, if anybody is overdue by the
// ledger alone.
func (w *watch) look(ctx context.Context) {
	people, err := w.acts.CountOverdue(ctx)
	if err == nil && people == 0 {
		return
	}
	if err == nil {
		w.log.Warn("people are overdue: sweeping without waiting for the schedule", zap.Int("people", people))
		err = w.schedule(ctx, w.every)
		_, failed := w.acts.Sweep(ctx)
		err = errors.Join(err, failed)
	}
	if err != nil && ctx.Err() == nil {
		w.log.Warn("looking after people who are overdue failed; it is tried again", zap.Error(err))
	}
}
