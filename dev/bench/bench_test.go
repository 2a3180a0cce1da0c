package bench

import (
	"bytes"
	"encoding/json"
	"io"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The floor of a count is reached when all steps of a wave have reported before the
// workflow is told of the first one. Each time that the workflow is told of some steps
// while others are under way costs one more workflow task, of two transitions. That
// depends on timing: on a busy machine the median joiner has one or two such tasks. So
// the test checks what does not depend on timing. The best run of a joiner is within N+6.
// Each transition of a run is its start, a step's report, or a workflow task's start or
// end. A step that is not started eagerly, a heartbeat or a timer would be another one.
func TestCounts(t *testing.T) {
	const n = 10
	report, err := Run(t.Context(), Options{Apps: []int{n}, People: 9, Progress: io.Discard})
	require.NoError(t, err)
	require.Len(t, report.Counts, 5)
	for i, want := range []struct {
		change  string
		waves   int
		timers  int64
		actions map[string]int // that Temporal Cloud bills
	}{
		{"joiner", 1, 0, map[string]int{"activity": n, "signal": 1, "local activities": 2}},
		{"mover", 1, 0, map[string]int{"activity": n, "signal": 1, "local activities": 2}},
		{"leaver: cut-off, strip, hand over", 3, 0, map[string]int{"activity": 3 * n, "signal": 1, "local activities": 2}},
		// The timer, and the run's start after a short delay.
		{"leaver: retention", 0, 2, map[string]int{"start": 1, "local activities": 1, "search attributes": 1, "timer": 1}},
		{"leaver: deletion", 1, 1, map[string]int{"activity": n, "start": 1, "local activities": 2, "search attributes": 1}},
	} {
		got := report.Counts[i]
		assert.Equal(t, want.change, got.Change)
		assert.Equal(t, want.actions, got.ActionsOf, want.change)
		assert.Equal(t, want.waves*n, got.Steps, want.change)
		explained := func(tasks int64) int64 { return 1 + int64(got.Steps) + 2*tasks + want.timers }
		assert.LessOrEqual(t, got.Transitions.Min, explained(got.Tasks.Min), want.change)
		assert.LessOrEqual(t, got.Transitions.Median, explained(got.Tasks.Median), want.change)
		if want.waves > 0 { // one that sleeps may be woken a moment early, and sleeps again
			assert.LessOrEqual(t, got.Transitions.Max, explained(got.Tasks.Max), want.change)
		}
		if want.waves == 1 {
			assert.LessOrEqual(t, got.Transitions.Min, int64(n+6), want.change)
		}
	}
	for i, want := range []struct {
		change string
		writes int64
	}{
		{"joiner", 2*n + 5}, // a step: an intent, which notes the creation too, and an outcome
		{"mover", 2*n + 4},  // the others: the event, its delivery, and two assessments, and for a joiner the username
		{"leaver", 9*n + 7}, // who gets the data is noted before it is handed over
	} {
		got := report.Ledger[i]
		assert.Equal(t, want.change, got.Change)
		writes := want.writes * int64(got.People)
		assert.GreaterOrEqual(t, got.Spent.Writes, writes, want.change)
		assert.LessOrEqual(t, got.Spent.Writes, writes+int64(got.People), "%s: one more if somebody is woken a moment early", want.change)
		assert.LessOrEqual(t, got.Spent.Commits, got.Spent.Writes, want.change)
		assert.Zero(t, got.Spent.RoundTrips, want.change)
	}
	for i, want := range []Calls{
		{Change: "joiner", Apps: n, Total: 4, PerApp: map[string]int{"find": 1, "create": 1, "grant": 1, "read": 1}},
		{Change: "mover", Apps: n, Total: 4, PerApp: map[string]int{"update": 1, "grant": 1, "revoke": 1, "read": 1}},
		{Change: "leaver", Apps: n, Total: 10, PerApp: map[string]int{ // one read is of the receiver's account (decision 43)
			"disable": 1, "revoke_sessions": 1, "revoke": 1, "hand_over": 1, "delete": 1, "read": 5,
		}},
	} {
		assert.Equal(t, want, report.Calls[i])
	}
}

func TestRace(t *testing.T) {
	profile := filepath.Join(t.TempDir(), "cpu.prof")
	report, err := Run(t.Context(), Options{
		RaceApps: 3, Flows: 8, Concurrency: 4, Rounds: 2, CPUProfile: profile, Progress: io.Discard,
	})
	require.NoError(t, err)
	race := report.Race
	require.NotNil(t, race)
	require.Len(t, race.Ratios, 2)
	for i, ratio := range race.Ratios {
		assert.InDelta(t, race.Tenure.FlowsPerSecond[i]/race.Bare.FlowsPerSecond[i], ratio, 1e-9)
		assert.InDelta(t, race.Tenure.FlowsPerSecond[i]/race.Dressed.FlowsPerSecond[i], race.ToDressed[i], 1e-9)
	}
	for _, lane := range []Lane{race.Tenure, race.Bare, race.Dressed} {
		require.Len(t, lane.CPUPerFlow, 2)
		assert.Positive(t, slices.Min(lane.CPUPerFlow))
	}
	assert.LessOrEqual(t, race.Upserts, 1, "each one is a history event and a write of the visibility store")
	assert.GreaterOrEqual(t, race.Transitions.Min, int64(3+5), "as many as a bare workflow at least")
	assert.FileExists(t, profile)

	var out bytes.Buffer
	report.Print(&out)
	assert.Contains(t, out.String(), "median")
	text, err := json.Marshal(report)
	require.NoError(t, err)
	var again Report
	require.NoError(t, json.Unmarshal(text, &again))
	assert.Equal(t, report.Race, again.Race)
}

func TestSpread(t *testing.T) {
	assert.Equal(t, Spread{Min: 1, Median: 3, Max: 9}, spreadOf([]int64{9, 3, 1, 3, 2}))
	assert.Equal(t, "3 (1-9)", Spread{Min: 1, Median: 3, Max: 9}.String())
	assert.Equal(t, "4", Spread{Min: 4, Median: 4, Max: 4}.String())
}

// The requests that count against an app's quota are few, from the event to the proof.
func TestRequests(t *testing.T) {
	report, err := Run(t.Context(), Options{SCIM: 2, Progress: io.Discard})
	require.NoError(t, err)
	got := map[string]map[string]int{}
	for _, q := range report.Requests {
		got[q.Change] = q.Person
		assert.LessOrEqual(t, q.Total, q.Least, q.Change)
	}
	assert.Equal(t, map[string]int{"GET Users": 2, "POST Users": 1, "PATCH Groups": 2}, got["joiner, two groups"])
}

// Cutting off is measured while joiners are queued; otherwise there is no result.
func TestCutOff(t *testing.T) {
	report, err := Run(t.Context(), Options{
		CutOff: CutOffOptions{Apps: 2, Takes: 100 * time.Millisecond, Queued: 800, People: 1}, Progress: io.Discard,
	})
	require.NoError(t, err)
	c := report.CutOff
	require.Len(t, c.People, len(cutOffKinds))
	for _, k := range c.People {
		assert.GreaterOrEqual(t, k.Idle.Median, 300*time.Millisecond, "%s: three calls to each app, one after the other", k.Who)
		assert.GreaterOrEqual(t, k.Busy.Median, 300*time.Millisecond, k.Who)
		assert.InDelta(t, float64(k.Busy.Median)/float64(k.Idle.Median), k.Ratio, 1e-9, k.Who)
	}
	assert.Positive(t, c.Left)
	var out bytes.Buffer
	report.Print(&out)
	assert.Contains(t, out.String(), "a run sleeps")
}
