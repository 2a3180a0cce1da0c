package main

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger"
)

// decide has somebody decide about the two items of the review, at once.
func (s *site) decide(as string, verdicts ...ledger.ItemVerdict) {
	s.t.Helper()
	l := s.ledger()
	defer func() { require.NoError(s.t, l.Close()) }()
	at := time.Now().UTC()
	for n, verdict := range verdicts {
		_, err := l.DecideItem(s.t.Context(), ledger.ItemDecision{
			Review: 1, Item: int64(n + 1), Verdict: verdict, By: as, Authority: "owner of app wiki", Operator: "olga", Reason: "x", At: at,
		})
		require.NoError(s.t, err)
	}
}

func TestHowPeopleDecidedIsShown(t *testing.T) {
	s := planSite(t)
	l := s.ledger()
	s.employs(l, "10004", profile("Grace", "Hopper", "Engineer", "Research", "2026-01-05"), "papers", "staff")
	require.NoError(t, l.Close())
	s.reviewed("10001")
	got := s.run("review", "quality", "v-1")
	require.Zero(t, got.code, got.err)
	assert.NotContains(t, got.stdout, "pace", "nobody has decided anything")
	s.decide("10001", ledger.VerdictKeep, ledger.VerdictRevoke)

	got = s.run("review", "quality", "v-1")
	require.Zero(t, got.code, got.err)
	assert.Contains(t, got.stdout, "50% of what people decided; 0 reviewers kept all")
	assert.Contains(t, got.stdout, "2 of 2 less than 2s, and the fastest minute has 2")
	assert.Contains(t, got.stdout, "0 decided after a reminder")

	for _, args := range [][]string{{"review", "quality", "v-1", "-o", "json"}, {"review", "show", "v-1", "-o", "json"}} {
		got := s.run(args...)
		var shown struct {
			qualityView
			Quality *qualityView `json:"quality"`
		}
		require.NoError(t, json.Unmarshal([]byte(got.stdout), &shown), "%s: %s", args, got.err)
		q := shown.qualityView
		if shown.Quality != nil {
			q = *shown.Quality
		}
		require.Len(t, q.Reviewers, 1, args)
		one := q.Reviewers[0]
		assert.Equal(t, "10001 2 1 1 0.5 2 2 false", fmt.Sprint(one.Person, " ", one.Decided, one.Kept, one.Revoked, one.KeptShare, one.Quick, one.FastestMinute, one.Stamp), args)
		assert.NotEmpty(t, one.Name, args)
	}
	assert.Contains(t, s.run("review", "show", "v-1").stdout, "pace")
	assert.Contains(t, s.run("review", "quality", "v-1", "-o", "csv").stdout, mannerHeader+"\n10001,")
	s.refuses(1, "there is no review v-7", "review", "quality", "v-7")
}

func TestHowLongSomebodyTookIsShort(t *testing.T) {
	for seconds, want := range map[float64]string{0: "0.0s", 1.94: "1.9s", 59: "59.0s", 90: "2m", 7200: "2h", 100 * 3600: "4d"} {
		assert.Equal(t, want, tookText(seconds))
	}
}
