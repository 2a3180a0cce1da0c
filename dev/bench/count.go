package bench

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	enumspb "go.temporal.io/api/enums/v1"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/dev/bench/hrevents"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/workflows"
)

// Count holds the cost of one run of a change, over several people.
type Count struct {
	Change      string `json:"change"` // the change, and which of its runs
	Apps        int    `json:"apps"`
	Steps       int    `json:"steps"`       // activities
	Events      Spread `json:"events"`      // events in the history
	Bytes       Spread `json:"bytes"`       // ... and its size, as the server counts it
	Transitions Spread `json:"transitions"` // transitions of the run's state
	Tasks       Spread `json:"tasks"`       // workflow tasks: how often the workflow was told of something
	Actions     Spread `json:"actions"`     // that Temporal Cloud bills
	// ActionsOf counts the actions of the run with the fewest, by what they are for.
	ActionsOf map[string]int `json:"actionsOf"`
	// Floor counts the transitions of a bare workflow with the same number of activities
	// and waves; nil if there is nothing to compare.
	Floor *Spread `json:"floor,omitempty"`
}

// Calls counts the calls to one app for one change of one person.
type Calls struct {
	Change string         `json:"change"`
	Apps   int            `json:"apps"`
	PerApp map[string]int `json:"perApp"` // calls by operation
	Total  int            `json:"total"`
}

// Spread is the distribution of a number.
type Spread struct {
	Min    int64 `json:"min"`
	Median int64 `json:"median"`
	Max    int64 `json:"max"`
}

func spreadOf(values []int64) Spread {
	sorted := slices.Sorted(slices.Values(values))
	return Spread{sorted[0], sorted[(len(sorted)-1)/2], sorted[len(sorted)-1]}
}

// restPoll is the pause between two looks at whether a run is over. It is so long that
// looking does not change the counts.
const restPoll = 50 * time.Millisecond

// change is one change that is counted.
type change struct {
	name  string
	event func(person string) hr.Event
	runs  []countedRun // the runs that it has to cause, in order
}

type countedRun struct {
	name  string
	kind  string // workflow type
	waves int    // waves of steps; each wave has one step per app
}

var changes = []change{
	{"joiner", hired, []countedRun{{"joiner", workflows.TypeJoiner, 1}}},
	{"mover", moved, []countedRun{{"mover", workflows.TypeMover, 1}}},
	{"leaver", hrevents.Left, []countedRun{
		{"leaver: cut-off, strip, hand over", workflows.TypeLeaver, 3},
		{"leaver: retention", workflows.TypeScheduled, 0},
		{"leaver: deletion", workflows.TypeLeaver, 1},
	}},
}

// count plays every change for some people, one after the other, with n apps.
// server is the URL of a PostgreSQL server for the ledger; empty: a file.
func (r *rig) count(ctx context.Context, n, people int, server string) (counted, error) {
	floors := map[int]*Spread{}
	for _, waves := range []int{1, 3} {
		floor, err := r.floor(ctx, n, waves, people)
		if err != nil {
			return counted{}, err
		}
		floors[waves] = &floor
	}
	r.server = server
	defer func() { r.server = "" }()
	t, err := r.openTenure(ctx, n)
	if err != nil {
		return counted{}, err
	}
	var all counted
	for _, c := range changes {
		before, spent := t.calls(), t.ledger.Spent()
		found, err := t.count(ctx, c, people)
		if err != nil {
			return counted{}, cmp.Or(t.close(), err)
		}
		cost := LedgerCost{Store: storeName(server), Change: c.name, Apps: n, People: people, Spent: t.ledger.Spent().Minus(spent)}
		for i := range found {
			cost.Steps += found[i].Steps
			found[i].Apps, found[i].Floor = n, floors[c.runs[i].waves]
		}
		all.counts = append(all.counts, found...)
		all.calls = append(all.calls, callsOf(c.name, n, people, before, t.calls()))
		all.ledger = append(all.ledger, cost)
	}
	return all, t.close()
}

// counted is what was counted with some number of apps.
type counted struct {
	counts []Count
	calls  []Calls
	ledger []LedgerCost
}

func storeName(server string) string {
	if server == "" {
		return "SQLite"
	}
	return "PostgreSQL"
}

// count plays one change for some people.
func (t *tenure) count(ctx context.Context, c change, people int) ([]Count, error) {
	ids := make([]string, people)
	for i := range ids {
		person := fmt.Sprintf("n%d-%d", len(t.apps), i)
		ids[i] = workflows.WorkflowID(person)
		if err := t.tell(ctx, c.event(person)); err != nil {
			return nil, err
		}
		if err := t.rig.awaitRest(ctx, ids[i]); err != nil {
			return nil, err
		}
	}
	tallies := make([][]tally, len(c.runs))
	for _, id := range ids {
		if err := t.rig.temporal.GetWorkflow(ctx, id, "").Get(ctx, nil); err != nil {
			return nil, err
		}
		runs, err := t.rig.chain(ctx, id)
		if err != nil {
			return nil, err
		}
		if len(runs) != len(c.runs) {
			return nil, fmt.Errorf("%s with %d apps: %d runs %v, not %d", c.name, len(t.apps), len(runs), runs, len(c.runs))
		}
		for j, run := range runs {
			if run.kind != c.runs[j].kind || run.steps != int64(c.runs[j].waves*len(t.apps)) {
				return nil, fmt.Errorf("%s with %d apps: run %d is a %s of %d steps", c.name, len(t.apps), j+1, run.kind, run.steps)
			}
			tallies[j] = append(tallies[j], run)
		}
	}
	counts := make([]Count, len(c.runs))
	for i, run := range c.runs {
		counts[i] = countOf(run.name, tallies[i])
	}
	return counts, nil
}

// awaitRest waits until a person's run is over, or sleeps.
func (r *rig) awaitRest(ctx context.Context, id string) error {
	tick := time.NewTicker(restPoll)
	defer tick.Stop()
	for {
		description, err := r.temporal.DescribeWorkflowExecution(ctx, id, "")
		if err != nil {
			return err
		}
		info := description.GetWorkflowExecutionInfo()
		open := info.GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING
		if !open || info.GetType().GetName() == workflows.TypeScheduled {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// floor returns the transitions of bare workflows.
func (r *rig) floor(ctx context.Context, n, waves, times int) (Spread, error) {
	var tallies []tally
	for i := range times {
		id := fmt.Sprintf("bare-n%d-w%d-%d", n, waves, i)
		if err := r.runBare(ctx, id, waves, n); err != nil {
			return Spread{}, err
		}
		runs, err := r.chain(ctx, id)
		if err != nil {
			return Spread{}, err
		}
		tallies = append(tallies, runs...)
	}
	return countOf("", tallies).Transitions, nil
}

func countOf(name string, tallies []tally) Count {
	var events, bytes, transitions, tasks, actions []int64
	for _, t := range tallies {
		events, transitions, tasks = append(events, t.events), append(transitions, t.transitions), append(tasks, t.tasks)
		bytes, actions = append(bytes, t.bytes), append(actions, t.billing.total())
	}
	fewest := slices.MinFunc(tallies, func(a, b tally) int { return cmp.Compare(a.billing.total(), b.billing.total()) })
	return Count{
		Change: name, Steps: int(tallies[0].steps),
		Events: spreadOf(events), Bytes: spreadOf(bytes), Transitions: spreadOf(transitions), Tasks: spreadOf(tasks),
		Actions: spreadOf(actions), ActionsOf: fewest.billing.actions,
	}
}

// tally holds the counts of one run.
type tally struct {
	kind                              string
	events, transitions, steps, tasks int64
	bytes                             int64
	billing                           billing
}

// chain counts every run of the last chain of a workflow ID: a run, and the runs that
// continue it.
func (r *rig) chain(ctx context.Context, id string) ([]tally, error) {
	last, err := r.temporal.DescribeWorkflowExecution(ctx, id, "")
	if err != nil {
		return nil, err
	}
	var tallies []tally
	for run := last.GetWorkflowExecutionInfo().GetFirstRunId(); run != ""; {
		description, err := r.temporal.DescribeWorkflowExecution(ctx, id, run)
		if err != nil {
			return nil, err
		}
		info := description.GetWorkflowExecutionInfo()
		t := tally{kind: info.GetType().GetName(), events: info.GetHistoryLength(), bytes: info.GetHistorySizeBytes(), transitions: info.GetStateTransitionCount()}
		t.billing.actions = map[string]int{}
		run = ""
		history := r.temporal.GetWorkflowHistory(ctx, id, info.GetExecution().GetRunId(), false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
		for history.HasNext() {
			event, err := history.Next()
			if err != nil {
				return nil, err
			}
			t.billing.add(event)
			switch event.GetEventType() {
			case enumspb.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
				t.steps++
			case enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
				t.tasks++
			}
			if next := event.GetWorkflowExecutionContinuedAsNewEventAttributes(); next != nil {
				run = next.GetNewExecutionRunId()
			}
		}
		tallies = append(tallies, t)
	}
	return tallies, nil
}

// operations lists the operations that count as a call.
var operations = []string{
	connector.OpFind, connector.OpRead, connector.OpCreate, connector.OpAdopt, connector.OpUpdate, connector.OpDisable,
	connector.OpEnable, connector.OpDelete, connector.OpGrant, connector.OpRevoke, connector.OpRevokeSessions, connector.OpHandOver,
}

// calls returns how often the apps were called so far, by operation.
func (t *tenure) calls() map[string]int {
	sums := map[string]int{}
	for _, app := range t.apps {
		for _, op := range operations {
			sums[op] += app.Calls(op)
		}
	}
	return sums
}

func callsOf(name string, n, people int, before, after map[string]int) Calls {
	c := Calls{Change: name, Apps: n, PerApp: map[string]int{}}
	for op := range maps.Keys(after) {
		if made := (after[op] - before[op]) / (n * people); made > 0 {
			c.PerApp[op] = made
			c.Total += made
		}
	}
	return c
}
