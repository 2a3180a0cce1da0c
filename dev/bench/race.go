package bench

import (
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tenurehq/tenure/workflows"
)

// Race compares joiners with bare workflows that have the same number of activities.
type Race struct {
	Apps        int       `json:"apps"`
	Concurrency int       `json:"concurrency"`
	Flows       int       `json:"flowsPerRound"`
	Tenure      []float64 `json:"tenureFlowsPerSecond"` // by round
	Bare        []float64 `json:"bareFlowsPerSecond"`
	Ratios      []float64 `json:"ratios"` // of each round
	Ratio       float64   `json:"ratio"`  // the median
	// Transitions counts the transitions of joiners under this load.
	Transitions     Spread `json:"transitionsUnderLoad"`
	BareTransitions Spread `json:"bareTransitionsUnderLoad"`
}

// race runs rounds of bare workflows and of joiners in turn.
func (r *rig) race(ctx context.Context, o Options) (_ Race, err error) {
	t, err := r.openTenure(ctx, o.RaceApps)
	if err != nil {
		return Race{}, err
	}
	defer func() {
		if closeErr := t.close(); err == nil {
			err = closeErr
		}
	}()
	out := Race{Apps: o.RaceApps, Concurrency: o.Concurrency, Flows: o.Flows}
	bareID := func(round, i int) string { return fmt.Sprintf("bare-r%d-%d", round, i) }
	person := func(round, i int) string { return fmt.Sprintf("r%d-%d", round, i) }
	joiners := func(round int) (float64, error) {
		stop, err := o.profile(round)
		if err != nil {
			return 0, err
		}
		defer stop()
		return rate(ctx, o, func(ctx context.Context, i int) error { return t.play(ctx, hired(person(round, i))) })
	}
	bares := func(round int) (float64, error) {
		return rate(ctx, o, func(ctx context.Context, i int) error { return r.runBare(ctx, bareID(round, i), 1, o.RaceApps) })
	}
	for round := range o.Rounds + 1 { // the first round warms up
		var bare, tenure float64
		if bare, err = bares(round); err != nil {
			return Race{}, err
		}
		if tenure, err = joiners(round); err != nil {
			return Race{}, err
		}
		if round == 0 {
			continue
		}
		out.Bare, out.Tenure = append(out.Bare, bare), append(out.Tenure, tenure)
		out.Ratios = append(out.Ratios, tenure/bare)
	}
	out.Ratio = slices.Sorted(slices.Values(out.Ratios))[(len(out.Ratios)-1)/2]
	if out.Transitions, err = r.transitions(ctx, o, func(i int) string { return workflows.WorkflowID(person(o.Rounds, i)) }); err != nil {
		return Race{}, err
	}
	out.BareTransitions, err = r.transitions(ctx, o, func(i int) string { return bareID(o.Rounds, i) })
	return out, err
}

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
