package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/tenurehq/tenure/dev/bench/sheet"
	"github.com/tenurehq/tenure/workflows"
)

// Race compares joiners with bare workflows that have the same number of activities, and with
// dressed ones, which show people what a joiner shows them.
type Race struct {
	Apps        int       `json:"apps"`
	Concurrency int       `json:"concurrency"`
	Flows       int       `json:"flowsPerRound"`
	Upserts     int       `json:"upserts"` // of search attributes, by a joiner and so by a dressed workflow
	Tenure      Lane      `json:"tenure"`
	Bare        Lane      `json:"bare"`
	Dressed     Lane      `json:"dressed"`
	Ratios      []float64 `json:"ratios"` // of each round, to bare workflows
	ToDressed   []float64 `json:"ratiosToDressed"`
	Ratio       float64   `json:"ratio"` // the median
	DressedTo   float64   `json:"ratioToDressed"`
	// Transitions counts the transitions of joiners under this load.
	Transitions     Spread `json:"transitionsUnderLoad"`
	BareTransitions Spread `json:"bareTransitionsUnderLoad"`
}

// Lane is how one kind of workflow ran, by round.
type Lane struct {
	FlowsPerSecond []float64 `json:"flowsPerSecond"`
	// CPUPerFlow is the processors' time in milliseconds of this process: of the worker and the
	// ledger, and of the Temporal server if it is the embedded one.
	CPUPerFlow []float64 `json:"cpuMillisecondsPerFlow"`
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
		lane *Lane
		flow func(ctx context.Context, round, i int) error
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
			took, err := heat(ctx, o, func(ctx context.Context, i int) error { return runner.flow(ctx, round, i) })
			stop()
			if err != nil {
				return Race{}, err
			}
			if round > 0 {
				runner.lane.add(o.Flows, took)
			}
		}
	}
	for i, tenure := range out.Tenure.FlowsPerSecond {
		out.Ratios = append(out.Ratios, tenure/out.Bare.FlowsPerSecond[i])
		out.ToDressed = append(out.ToDressed, tenure/out.Dressed.FlowsPerSecond[i])
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

// add adds a round of so many flows.
func (l *Lane) add(flows int, took sheet.Spell) {
	l.FlowsPerSecond = append(l.FlowsPerSecond, float64(flows)/took.Wall.Seconds())
	l.CPUPerFlow = append(l.CPUPerFlow, 1000*took.CPU.Seconds()/float64(flows))
}

// heat runs the flows of a round, several at a time, and returns how long they took.
func heat(ctx context.Context, o Options, flow func(ctx context.Context, i int) error) (sheet.Spell, error) {
	began := sheet.Elapsed()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(o.Concurrency)
	for i := range o.Flows {
		group.Go(func() error { return flow(ctx, i) })
	}
	err := group.Wait()
	return sheet.Elapsed().Minus(began), err
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
