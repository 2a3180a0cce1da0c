package intake

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/sqlite"
	"github.com/tenurehq/tenure/workflows"
)

// accept compares consuming new events, each about another person, with making only the
// calls of Temporal that they cause, with the same concurrency. No worker runs: every
// event starts a run.
func (r *rig) accept(ctx context.Context) (*Race, error) {
	store, err := sqlite.Open(ctx, r.file("accept.db"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = store.Close() }()
	return r.race(r.Accept,
		func(round int) (float64, error) { return r.nudgeOnly(ctx, fmt.Sprintf("%s-bare-%d", r.name, round)) },
		func(int) (float64, error) { return r.acceptNew(ctx, store) })
}

// nudgeOnly makes only the calls of Temporal.
func (r *rig) nudgeOnly(ctx context.Context, name string) (float64, error) {
	began := time.Now()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(r.Concurrency)
	for i := range r.Accept {
		group.Go(func() error {
			return r.runs.Nudge(ctx, workflows.Nudge{
				PersonID: person(name, i), Seq: int64(i + 1), Type: workflows.TypeFor(hr.EventHired),
				Why: "hired, effective 2026-12-01", RequestID: uuid.NewString(),
			})
		})
	}
	err := group.Wait()
	return float64(r.Accept) / time.Since(began).Seconds(), err
}

// acceptNew consumes a topic of new events. It measures from the first records that were
// fetched to the commit of the last one.
func (r *rig) acceptNew(ctx context.Context, store ledger.Intake) (float64, error) {
	topic, err := r.newTopic(ctx, r.Partitions)
	if err != nil {
		return 0, err
	}
	if err := r.publish(ctx, topic, r.Accept, func(i int) hr.Event { return hired(person(topic, i)) }); err != nil {
		return 0, err
	}
	noting := &noting{Intake: store}
	c, err := r.consume(ctx, topic, topic, noting, r.runs)
	if err != nil {
		return 0, err
	}
	err = c.finish(ctx, r.Accept)
	return noting.rate(r.Accept), err
}
