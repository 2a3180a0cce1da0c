package ledgertest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
)

var censusTests = tests{
	"CountsByApp": func(t *testing.T, l ledger.Ledger) {
		empty, err := l.Count(t.Context())
		require.NoError(t, err)
		assert.Equal(t, ledger.Counts{Links: map[string]map[ledger.LinkState]int{}, Attention: map[string]int{}, Retention: map[string]int{}, Approvals: map[string]int{}, Exceptions: map[string]int{}}, empty)
		for i, person := range []string{"p1", "p2", "p3"} {
			state := []ledger.LinkState{ledger.LinkActive, ledger.LinkDisabled, ledger.LinkDisabled}[i]
			putLink(t, l, ledger.Link{PersonID: person, App: "wiki", State: state})
			putLink(t, l, ledger.Link{PersonID: person, App: "chat", State: ledger.LinkDeleted})
			assess(t, l, person, 1, func(a *ledger.Assessment) {
				if i == 2 {
					a.Approvals = []ledger.Approval{{App: "wiki", Key: "wiki/Delete", LookAt: at(9)}, {App: "chat", Key: "chat/Delete", LookAt: at(9)}}
				}
				a.Summary.Status = []hr.Status{hr.StatusActive, hr.StatusOnLeave, hr.StatusEnded}[i]
				if i > 0 {
					a.Steps = []ledger.Step{
						{App: "wiki", Key: "wiki/Strip", Kind: "Strip", State: ledger.StepAttention, PlannedAt: at(1)},
						{App: "chat", Key: "chat/Strip", Kind: "Strip", PlannedAt: at(1)},
						{Key: "policy", Kind: "Question", State: ledger.StepAttention, PlannedAt: at(1)},
					}
				}
			})
		}
		_, err = l.ApproveDeletion(t.Context(), ledger.DeletionApproval{PersonID: "p3", App: "chat", Key: "chat/Delete", Operator: "ops", Reason: "x", At: at(2)})
		require.NoError(t, err)
		got, err := l.Count(t.Context())
		require.NoError(t, err)
		assert.Equal(t, ledger.Counts{
			Links: map[string]map[ledger.LinkState]int{
				"wiki": {ledger.LinkActive: 1, ledger.LinkDisabled: 2}, "chat": {ledger.LinkDeleted: 3},
			},
			Attention: map[string]int{"wiki": 2, "": 2},
			Retention: map[string]int{"wiki": 1},
			Approvals: map[string]int{"wiki": 1}, Exceptions: map[string]int{},
		}, got)
	},
	"WhoIsOverdueIsCounted": func(t *testing.T, l ledger.Ledger) {
		overdue := func(since, waiting int) int {
			n, err := l.Overdue(t.Context(), ledger.Lateness{Since: at(since), Waiting: at(waiting)})
			require.NoError(t, err)
			return n
		}
		assert.Zero(t, overdue(90, 90), "nobody is there")
		record(t, l, received("heard", "e1", 5))
		assert.Zero(t, overdue(4, 4), "their time has not come")
		assert.Equal(t, 1, overdue(5, 0))
		assess(t, l, "heard", 6, nil)
		assert.Zero(t, overdue(90, 90), "nothing is left to do")

		setDue(t, l, "starts", at(10), "start")
		assert.Equal(t, 1, overdue(10, 0), "a date that has passed")
		setDue(t, l, "starts", at(80), "end")

		assess(t, l, "works", 0, plan(step("wiki", "k")))
		seen := read(t, l, "works").Summary
		seen.AssessedAt, seen.DueAt, seen.DueWhat = at(1), at(6), ledger.DueWorking
		require.NoError(t, l.SaveAssessment(t.Context(), ledger.Assessment{Summary: seen, Steps: []ledger.Step{step("wiki", "k")}}))
		assert.Zero(t, overdue(20, 5), "a step of theirs may wait for its turn")
		assert.Equal(t, 1, overdue(20, 6), "not so long")
		_, err := l.BeginStep(t.Context(), ledger.Attempt{PersonID: "works", App: "wiki", Key: "k", Kind: "Provision", At: at(21), Deadline: at(22)})
		require.NoError(t, err)
		assert.Zero(t, overdue(20, 6), "it is being tried")
		assert.Equal(t, 1, overdue(21, 6), "and is not any more")
		record(t, l, received("works", "e2", 19))
		assert.Equal(t, 1, overdue(20, 5), "what HR says waits for no step")
		assert.Zero(t, overdue(18, 5))
	},
}
