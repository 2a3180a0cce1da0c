package ledgertest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger"
)

var intakeTests = map[string]func(*testing.T, ledger.Ledger){
	"EventsComeBackAsTheyWere": func(t *testing.T, l ledger.Ledger) {
		r := received("p1", "e1", 0)
		receipts := record(t, l, r)
		p := read(t, l, "p1")
		assert.Equal(t, []ledger.StoredEvent{{Seq: receipts[0].Seq, Event: r.Event, At: r.At}}, p.Events)
	},
	"SmokeOfTheWholeWay": func(t *testing.T, l ledger.Ledger) {
		ctx := t.Context()
		record(t, l, received("p1", "e1", 0))
		name, err := l.ClaimUsername(ctx, "p1", "zob")
		require.NoError(t, err)
		require.Equal(t, "zob", name)
		s := read(t, l, "p1").Summary
		s.AssessedAt, s.DueAt = at(1), at(1)
		require.NoError(t, l.SaveAssessment(ctx, ledger.Assessment{
			Summary: s, Planned: []ledger.Link{{App: "wiki", Username: name}},
			Steps: []ledger.Step{{Key: "k", App: "wiki", Kind: "Provision"}},
		}))
		b, err := l.BeginStep(ctx, ledger.Attempt{PersonID: "p1", App: "wiki", Key: "k", Kind: "Provision", At: at(2), Deadline: at(3), Gives: true})
		require.NoError(t, err)
		require.Equal(t, ledger.LinkPlanned, b.Link.State)
		lk := b.Link
		lk.State, lk.AccountID = ledger.LinkActive, "a1"
		require.NoError(t, l.FinishStep(ctx, ledger.Outcome{
			PersonID: "p1", App: "wiki", Key: "k", Kind: "Provision", Attempt: b.Attempt, At: at(3), State: ledger.StepDone,
			Link: &lk, Audit: &ledger.AuditRow{Action: "created", Actor: "tenure"}, DueReports: true,
		}))
		p := read(t, l, "p1")
		assert.Empty(t, p.Steps)
		assert.Equal(t, []ledger.Link{lk}, p.Links)
		require.NoError(t, l.Act(ctx, ledger.Action{Verb: ledger.VerbSkip, PersonID: "p1", Key: "k", Operator: "o", At: at(4)}))
		rows, err := l.Audit(ctx, "p1", 0, 10)
		require.NoError(t, err)
		assert.Len(t, rows, 2)
		due, err := l.Due(ctx, at(5), 10)
		require.NoError(t, err)
		assert.Len(t, due, 1)
		people, err := l.People(ctx, "", 10)
		require.NoError(t, err)
		assert.Len(t, people, 1)
		links, err := l.Links(ctx, ledger.LinkFilter{App: "wiki"})
		require.NoError(t, err)
		assert.Len(t, links, 1)
		require.NoError(t, l.Ping(ctx))
	},
}
