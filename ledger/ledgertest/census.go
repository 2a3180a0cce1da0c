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
		assert.Equal(t, ledger.Counts{Links: map[string]map[ledger.LinkState]int{}, Attention: map[string]int{}, Retention: map[string]int{}, Approvals: map[string]int{}}, empty)
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
			Approvals: map[string]int{"wiki": 1},
		}, got)
	},
}
