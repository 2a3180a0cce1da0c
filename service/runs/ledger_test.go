package runs

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
)

// people is a ledger that has these.
type people []ledger.Summary

func (p people) People(_ context.Context, after string, _ int) (found []ledger.Summary, _ error) {
	for _, s := range p {
		if s.PersonID > after {
			found = append(found, s)
		}
	}
	return found, nil
}

func TestTheLedgerTellsWhoHasARun(t *testing.T) {
	soon := time.Date(2026, time.March, 2, 0, 0, 0, 0, time.UTC)
	l := people{
		{PersonID: "1", Status: hr.StatusActive},
		{PersonID: "2", Status: hr.StatusActive, DueAt: soon, DueWhat: ledger.DueWorking},
		{PersonID: "3", Status: hr.StatusEnded, DueAt: soon, DueWhat: ledger.DueWorking},
		{PersonID: "4", Status: hr.StatusActive, DueAt: soon.AddDate(0, 1, 0), DueWhat: "end"},
		{PersonID: "5", Status: hr.StatusEnded, DueAt: soon, DueWhat: "delete wiki"},
		{PersonID: "6", Status: hr.StatusActive, DueAt: soon, DueWhat: "change"},
		{PersonID: "7", Status: hr.StatusActive, DueAt: soon, DueWhat: ledger.DueBreaker},
	}
	for _, tc := range []struct {
		filter Filter
		want   []string
	}{
		{Filter{}, []string{"2 applying", "3 applying", "4 scheduled", "5 scheduled", "6 scheduled", "7 held"}},
		{Filter{Person: "4"}, []string{"4 scheduled"}},
		{Filter{Leaving: true}, []string{"3 applying", "4 scheduled", "5 scheduled"}},
		{Filter{AtWork: true}, []string{"2 applying", "3 applying", "7 held"}},
		{Filter{DueBefore: soon.Add(time.Hour)}, []string{"5 scheduled", "6 scheduled"}},
	} {
		var got []string
		for run, err := range FromLedger(t.Context(), l, tc.filter) {
			require.NoError(t, err)
			got = append(got, run.Person+" "+run.Stage)
		}
		assert.Equal(t, tc.want, got, "%+v", tc.filter)
	}
}
