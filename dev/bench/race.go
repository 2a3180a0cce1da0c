package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tenurehq/tenure/workflows"
)

// Race compares joiners with bare workflows that have the same number of activities, and with
// dressed ones, which show people what a joiner shows them.
type Race struct {
	Apps        int       `json:"apps"`
	Concurrency int       `json:"concurrency"`
	Flows       int       `json:"flowsPerRound"`
	Upserts     int       `json:"upserts"`              // of search attributes, by a joiner and so by a dressed workflow
	Tenure      []float64 `json:"tenureFlowsPerSecond"` // by round
	Bare        []float64 `json:"bareFlowsPerSecond"`
	Dressed     []float64 `json:"dressedFlowsPerSecond"`
	Ratios      []float64 `json:"ratios"` // of each round, to bare workflows
	ToDressed   []float64 `json:"ratiosToDressed"`
	Ratio       float64   `json:"ratio"` // the median
	DressedTo   float64   `json:"ratioToDressed"`
	// Transitions counts the transitions of joiners under this load.
	Transitions     Spread `json:"transitionsUnderLoad"`
	BareTransitions Spread `json:"bareTransitionsUnderLoad"`
}

// race runs rounds of bare workflows, of dressed ones and of joiners in turn.
func (r *rig) race(ctx context.Context, o Options) (_ Race, err error) {
	t, err := r.openTenure(ctx, o.RaceApps)
	if err != nil {
		return Race{}, err
	}
	defer func() { err = errors.Join(err, t.close()) }()
	out := Race{Apps: o.RaceApps, Concurrency: o.Concurrency, Flows: o.Flows}
	bareID := func(round, i int) string { return fmt.Sprintf("bare-r%d-%d", round, i) }
	person := func(round, i int) string { return fmt.Sprintf("r%d-%d", round, i) }
	first := person(0, -1)
	if err := t.play(ctx, hired(first)); err != nil {
		return Race{}, err
	}
	if out.Upserts, err = r.upserts(ctx, workflows.WorkflowID(first)); err != nil {
		return Race{}, err
	}
	runners := []struct {
		rates *[]float64
		flow  func(ctx context.Context, round, i int) error
	}{
		{&out.Bare, func(ctx context.Context, round, i int) error { return r.runBare(ctx, bareID(round, i), 1, o.RaceApps) }},
		{&out.Dressed, func(ctx context.Context, round, i int) error {
			return r.runDressed(ctx, "dressed-"+bareID(round, i), o.RaceApps, out.Upserts)
		}},
		{&out.Tenure, func(ctx context.Context, round, i int) error { return t.play(ctx, hired(person(round, i))) }},
	}
	for round := range o.Rounds + 1 { // the first round warms up
		for n, runner := range runners {
			stop := func() {}
			if n == len(runners)-1 {
				if stop, err = o.profile(round); err != nil {
					return Race{}, err
				}
			}
			speed, err := rate(ctx, o, func(ctx context.Context, i int) error { return runner.flow(ctx, round, i) })
			stop()
			if err != nil {
				return Race{}, err
			}
			if round > 0 {
				*runner.rates = append(*runner.rates, speed)
			}
		}
	}
	for i, tenure := range out.Tenure {
		out.Ratios = append(out.Ratios, tenure/out.Bare[i])
		out.ToDressed = append(out.ToDressed, tenure/out.Dressed[i])
	}
	out.Ratio, out.DressedTo = median(out.Ratios), median(out.ToDressed)
	if out.Transitions, err = r.transitions(ctx, o, func(i int) string { return workflows.WorkflowID(person(o.Rounds, i)) }); err != nil {
		return Race{}, err
	}
	out.BareTransitions, err = r.transitions(ctx, o, func(i int) string { return bareID(o.Rounds, i) })
	return out, err
}

// median returns the middle one of some numbers, or the lower of two.
func median(all []float64) float64 { return slices.Sorted(slices.Values(all))[(len(all)-1)/2] }

// rate runs flows, several at a time, and returns how many ended in a second.
func rate(ctx context.Context, o Options, flow func(ctx context.Context, i int) error) (float64, error) {
	began := time.Now()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(o.Concurrency)
	for i := range o.Flows {
		group.Go(func() error { return flow(ctx, i) })
	}
	if err := group.Wait(); err != nil {
		return 0, err
	}
	return float64(o.Flows) / time.Since(began).Seconds(), nil
}

// transitions returns the transitions of the flows of a round.
func (r *rig) transitions(ctx context.Context, o Options, id func(i int) string) (Spread, error) {
	values := make([]int64, o.Flows)
	for i := range values {
		description, err := r.temporal.DescribeWorkflowExecution(ctx, id(i), "")
		if err != nil {
			return Spread{}, err
		}
		values[i] = description.GetWorkflowExecutionInfo().GetStateTransitionCount()
	}
	return spreadOf(values), nil
}
