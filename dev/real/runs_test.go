//go:build real

package real

import (
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/log"

	"github.com/tenurehq/tenure/dev/stack"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/workflows"
)

// runs asks the Temporal server about people's runs.
type runs struct{ client.Client }

func newRuns(t *testing.T, s *stack.Stack) runs {
	t.Helper()
	c, err := client.Dial(client.Options{
		HostPort: s.TemporalAddress(), Namespace: stack.Namespace,
		Logger: log.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return runs{c}
}

// run describes a run so that two values differ if it is another run, or if something
// happened to it.
type run struct {
	ID     string
	Length int64
}

// latest returns the last run of everybody who is in the events.
func (r runs) latest(t *testing.T, events []hr.Event) map[string]run {
	all := map[string]run{}
	for _, e := range events {
		if _, ok := all[e.PersonID]; ok {
			continue
		}
		answer, err := r.DescribeWorkflowExecution(t.Context(), workflows.WorkflowID(e.PersonID), "")
		require.NoError(t, err)
		info := answer.GetWorkflowExecutionInfo()
		all[e.PersonID] = run{info.GetExecution().GetRunId(), info.GetHistoryLength()}
	}
	return all
}

// awaitRest returns when nothing has happened for some seconds.
func (r runs) awaitRest(t *testing.T, events []hr.Event, app *app) {
	t.Helper()
	last, calls, calm := r.latest(t, events), app.calls.Load(), 0
	require.Eventually(t, func() bool {
		now, count := r.latest(t, events), app.calls.Load()
		if calm++; !assert.ObjectsAreEqual(last, now) || calls != count {
			calm = 0
		}
		last, calls = now, count
		return calm == 6
	}, patience, tick, "it does not come to rest")
}

// assertOneSignalEach checks that each event has reached a run once. A starter that is
// killed before it has noted that Temporal took an event sends the signal again.
func (r runs) assertOneSignalEach(t *testing.T, events []hr.Event) {
	t.Helper()
	distinct := map[hr.EventKey]bool{}
	for _, e := range events {
		distinct[e.EventKey] = true
	}
	seqs, total := map[int64]bool{}, 0
	request := &workflowservice.ListWorkflowExecutionsRequest{Namespace: stack.Namespace, Query: "WorkflowId STARTS_WITH 'person:'", PageSize: 500}
	for {
		page, err := r.ListWorkflow(t.Context(), request)
		require.NoError(t, err)
		for _, e := range page.GetExecutions() {
			for seq, n := range r.signals(t, e.GetExecution().GetWorkflowId(), e.GetExecution().GetRunId()) {
				if seq == 0 {
					continue // the sweeper's signals are about no event
				}
				assert.Equal(t, 1, n, "a run of %s has event %d twice", e.GetExecution().GetWorkflowId(), seq)
				seqs[seq] = true
				total += n
			}
		}
		if request.NextPageToken = page.GetNextPageToken(); len(request.NextPageToken) == 0 {
			break
		}
	}
	assert.Len(t, seqs, len(distinct), "every event has reached a run")
	t.Logf("%d events, %d signals, the starter killed %d times", len(distinct), total, 2*kills)
}

// signals returns how often a run was signalled, by event.
func (r runs) signals(t *testing.T, workflow, id string) map[int64]int {
	count := map[int64]int{}
	history := r.GetWorkflowHistory(t.Context(), workflow, id, false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for history.HasNext() {
		event, err := history.Next()
		require.NoError(t, err)
		signal := event.GetWorkflowExecutionSignaledEventAttributes()
		if signal.GetSignalName() != workflows.SignalLookAgain {
			continue
		}
		var l workflows.LookAgain
		require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(signal.GetInput(), &l))
		count[l.Seq]++
	}
	return count
}
