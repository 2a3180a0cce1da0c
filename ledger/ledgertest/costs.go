package ledgertest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/relational"
)

// Metered is a ledger that counts what it asks of its database.
type Metered interface {
	ledger.Ledger
	Spent() relational.Spent
}

// StepCosts makes the calls of one step that creates an account, for somebody who has one in
// another app, and returns what each call has cost.
func StepCosts(t *testing.T, l Metered, person, app string) map[string]relational.Spent {
	t.Helper()
	costs := map[string]relational.Spent{}
	cost := func(call string, f func() error) {
		before := l.Spent()
		require.NoError(t, f(), call)
		costs[call] = l.Spent().Minus(before)
	}
	now := time.Now()
	key := "Provision:" + app
	require.NoError(t, l.FinishStep(t.Context(), ledger.Outcome{
		PersonID: person, App: "other", Key: "Provision:other", At: now, State: ledger.StepDone,
		Link: &ledger.Link{AccountID: person, Username: person, State: ledger.LinkActive},
	}))
	var begun ledger.Begun
	cost("BeginStep", func() (err error) {
		begun, err = l.BeginStep(t.Context(), ledger.Attempt{
			PersonID: person, App: app, Key: key, Kind: "Provision", At: now, Deadline: now.Add(time.Minute), Gives: true,
			May: &ledger.Unsure{State: true, Entitlements: []string{"staff"}},
		})
		return err
	})
	cost("Person", func() error {
		_, err := l.Person(t.Context(), person)
		return err
	})
	cost("NoteCreation", func() error {
		return l.NoteCreation(t.Context(), person, app, ledger.Creation{At: now, Username: person, State: ledger.CreationSent})
	})
	cost("FinishStep", func() error {
		return l.FinishStep(t.Context(), ledger.Outcome{
			PersonID: person, App: app, Key: key, Kind: "Provision", Attempt: begun.Attempt, At: now, State: ledger.StepDone,
			Link:  &ledger.Link{AccountID: person, Username: person, State: ledger.LinkActive, Entitlements: []string{"staff"}},
			Audit: &ledger.AuditRow{Action: "created", Actor: ledger.ActorTenure},
		})
	})
	return costs
}
