package ledgertest

import (
	"fmt"
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
// another app, and asks the breaker for what somebody loses in eight apps. It returns what each
// call has cost.
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
	_, err := l.ClaimUsername(t.Context(), person, person, 0)
	require.NoError(t, err)
	require.NoError(t, l.SaveAssessment(t.Context(), ledger.Assessment{
		Summary: ledger.Summary{PersonID: person, AssessedAt: now},
		Planned: []ledger.Link{{App: app, Username: person}},
		Steps:   []ledger.Step{step(app, key)},
	}))
	require.NoError(t, l.FinishStep(t.Context(), ledger.Outcome{
		PersonID: person, App: "other", Key: "Provision:other", At: now, State: ledger.StepDone,
		Link: &ledger.Link{AccountID: person, Username: person, State: ledger.LinkActive},
	}))
	var known ledger.Person
	cost("Person", func() (err error) {
		known, err = l.Person(t.Context(), person)
		return err
	})
	may := &ledger.Unsure{State: true, Entitlements: []string{"staff"}}
	cost("BeginStep", func() error {
		_, err := l.BeginStep(t.Context(), ledger.Attempt{
			PersonID: person, App: "other", Key: "Update:other", Kind: "Update", At: now, Deadline: now.Add(time.Minute), Gives: true, May: may,
		})
		return err
	})
	var begun ledger.Begun
	cost("BeginStep, with the creation", func() (err error) {
		begun, err = l.BeginStep(t.Context(), ledger.Attempt{
			PersonID: person, App: app, Key: key, Kind: "Provision", At: now, Deadline: now.Add(time.Minute), Gives: true, May: may,
			Ahead: &ledger.Ahead{
				Revision: known.Revision, Username: known.Username,
				Creating: ledger.Creation{At: now, Username: known.Username, State: ledger.CreationSent},
			},
		})
		return err
	})
	require.True(t, begun.AsRead)
	cost("FinishStep", func() error {
		return l.FinishStep(t.Context(), ledger.Outcome{
			PersonID: person, App: app, Key: key, Kind: "Provision", Attempt: begun.Attempt, At: now, State: ledger.StepDone,
			Link:  &ledger.Link{AccountID: person + "'s", Username: person, State: ledger.LinkActive, Entitlements: []string{"staff"}},
			Audit: &ledger.AuditRow{Action: "created", Actor: ledger.ActorTenure},
		})
	})
	ask := func(n int) (all []ledger.Ask, gone []ledger.Withdrawal) {
		for i := range n {
			key := fmt.Sprint(person, i)
			all = append(all, ledger.Ask{Kind: ledger.Losses, Key: key})
			gone = append(gone, ledger.Withdrawal{Kind: ledger.Losses, Key: key})
		}
		return all, gone
	}
	asks, gone := ask(losses)
	limits := ledger.Limits{Window: time.Hour, Of: map[ledger.WithdrawalKind]ledger.Limit{ledger.Losses: {Count: 100}}}
	cost("Admit", func() error {
		a, err := l.Admit(t.Context(), ledger.AdmissionRequest{PersonID: person, At: now, Asks: asks, Limits: limits})
		require.Equal(t, ledger.WithdrawalAdmitted, a.Withdrawals[losses-1].State)
		return err
	})
	cost("Admit, for the end", func() error {
		_, err := l.Admit(t.Context(), ledger.AdmissionRequest{PersonID: person, At: now, Gone: gone})
		return err
	})
	return costs
}

// losses is how many withdrawals StepCosts asks for.
const losses = 8
