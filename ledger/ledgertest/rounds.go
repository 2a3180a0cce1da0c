package ledgertest

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
)

// eventsPerRound are recorded in one call.
const eventsPerRound = 3

// WriteRound makes the calls that one HR event leads to, all about one person. Rounds are
// numbered from zero, for RequireWhole.
func WriteRound(ctx context.Context, l ledger.Ledger, person string, round int) error {
	now := time.Now()
	batch := make([]ledger.Received, eventsPerRound)
	for i := range batch {
		batch[i] = ledger.Received{At: now, Event: hr.Event{
			EventKey: hr.EventKey{Source: person, ID: fmt.Sprint(round, " ", i)}, PersonID: person,
		}}
	}
	if _, err := l.Record(ctx, batch); err != nil {
		return err
	}
	key := fmt.Sprint("step ", round)
	begun, err := l.BeginStep(ctx, ledger.Attempt{
		PersonID: person, App: "wiki", Key: key, At: now, Deadline: now.Add(time.Minute), Gives: true,
	})
	if err != nil {
		return err
	}
	return l.FinishStep(ctx, ledger.Outcome{
		PersonID: person, App: "wiki", Key: key, Attempt: begun.Attempt, At: now, State: ledger.StepDone,
		Link:  &ledger.Link{State: ledger.LinkActive, Attributes: fmt.Sprint(round)},
		Audit: &ledger.AuditRow{Action: "updated", Actor: "tenure", Cause: fmt.Sprint(round)},
	})
}

// RequireWhole requires that all rounds up to the last acknowledged one are in the ledger,
// and only whole calls of the next one.
func RequireWhole(t *testing.T, l ledger.Ledger, person string, last int) {
	t.Helper()
	p, err := l.Person(t.Context(), person)
	require.NoError(t, err)
	require.Zero(t, len(p.Events)%eventsPerRound, "half a call")
	rounds := len(p.Events) / eventsPerRound
	require.Contains(t, []int{last + 1, last + 2}, rounds)
	for i, e := range p.Events {
		require.Equal(t, fmt.Sprint(i/eventsPerRound, " ", i%eventsPerRound), e.Event.ID)
	}
	rows, err := l.Audit(t.Context(), person, 0, 1e6)
	require.NoError(t, err)
	require.Contains(t, []int{last + 1, last + 2}, len(rows))
	for i, r := range rows {
		require.Equal(t, strconv.Itoa(i), r.Cause)
	}
	require.Len(t, p.Links, 1)
	require.Equal(t, rows[len(rows)-1].Cause, p.Links[0].Attributes, "link and audit row of one outcome")
	require.LessOrEqual(t, len(p.Steps), 1)
	if len(p.Steps) == 1 {
		require.Equal(t, fmt.Sprint("step ", len(rows)), p.Steps[0].Key, "the intent that was not resolved")
	}
}
