package e2e

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector/scim/scimtest"
	"github.com/tenurehq/tenure/dev/stack"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
)

// saying is an event, and how long after the start of the test HR sends it.
type saying struct {
	after time.Duration
	event hr.Event
}

// TestTerminationWhileProvisioning hires people and cuts them off while their accounts
// are being created. The apps are slow and lose answers, and the worker is killed. When
// nothing is left to do, nobody has access.
func TestTerminationWhileProvisioning(t *testing.T) {
	t.Parallel()
	const (
		people   = 60
		spread   = 6 * time.Second // the time in which all of them are hired
		failures = 25              // of the wiki, after it made a change
	)
	random := seeded(t)
	var said []saying
	var first []hr.Event // of people who are cut off as soon as they have their first account, however long that takes
	for i := range people {
		hired, cutOff := hiredAndCutOff(i, random.IntN(4) == 0)
		at := time.Duration(random.Int64N(int64(spread)))
		said = append(said, saying{at, hired})
		if i%5 == 0 {
			first = append(first, cutOff)
		} else {
			said = append(said, saying{at + time.Duration(random.Int64N(int64(1200*time.Millisecond))), cutOff})
		}
	}
	slices.SortFunc(said, func(a, b saying) int { return cmp.Compare(a.after, b.after) })

	exported := filepath.Join(t.TempDir(), "audit.jsonl")
	r := startRig(t, stack.Options{Template: withBreaker("{enabled: false}") + "\nsweep: {every: 1s}\naudit: {every: 100ms, export: [{name: archive, format: jsonl, file: " + exported + "}]}\n"})
	keepRunning(t, r.Stack.Worker())
	r.App("directory").SetFaults(scimtest.Faults{SlowMillis: 100})
	r.App("chat").SetFaults(scimtest.Faults{DropAfterApply: 25})
	r.App("wiki").SetFaults(scimtest.Faults{FailAfterApply: failures, SlowMillis: 30})
	kills := []time.Duration{spread/4 + time.Duration(random.Int64N(int64(spread/4))), spread * 3 / 4}

	began := time.Now()
	ended := make(chan []hr.Event, 1)
	go func() { ended <- r.cutOffWithFirstAccount(t, first) }()
	for _, s := range said {
		if len(kills) > 0 && s.after > kills[0] {
			kills = kills[1:]
			r.Stack.Worker().Kill()
		}
		pause(t.Context(), s.after-time.Since(began))
		s.event.Recorded = time.Now().UTC()
		r.publish(t, s.event)
	}
	assert.Empty(t, kills, "the worker was killed")
	require.Empty(t, <-ended, "they never had an account")
	require.Eventually(t, func() bool { return r.unread(t) == "" }, rest, 100*time.Millisecond)
	// Whoever comes last meets all failures that are left, one an attempt, with longer and
	// longer waits in between: a few are enough.
	for _, name := range []string{"chat", "wiki"} {
		faults := r.App(name).Faults()
		faults.FailAfterApply, faults.DropAfterApply = min(faults.FailAfterApply, 3), min(faults.DropAfterApply, 3)
		r.App(name).SetFaults(faults)
	}
	r.awaitRest(t)

	made := 0
	for app, all := range r.accounts(t) {
		for person, mine := range all {
			made += len(mine)
			assert.Len(t, mine, 1, "person %s in %s", person, app)
			for _, u := range mine {
				assert.False(t, u.Active, "person %s in %s", person, app)
			}
		}
	}
	assert.Positive(t, made, "some accounts were made before their people left")
	assert.Len(t, r.people(t), people)
	assert.Empty(t, r.attention(t))
	t.Logf("%d accounts of %d people were made and disabled", made, people)
	r.requireExported(t, exported)
}

// cutOffWithFirstAccount sends the event about each person as soon as an app has an account of
// theirs, and returns those of people who never had one.
func (r *rig) cutOffWithFirstAccount(t *testing.T, left []hr.Event) []hr.Event {
	has := func(e hr.Event) bool {
		return slices.ContainsFunc(r.Stack.Apps(), func(app *stack.DemoApp) bool {
			return slices.ContainsFunc(r.App(app.Name).Users(), func(u scimtest.User) bool { return u.ExternalID == e.PersonID })
		})
	}
	for deadline := time.Now().Add(rest); len(left) > 0 && time.Now().Before(deadline) && t.Context().Err() == nil; pause(t.Context(), 20*time.Millisecond) {
		left = slices.DeleteFunc(left, func(e hr.Event) bool {
			if !has(e) {
				return false
			}
			e.Recorded = time.Now().UTC()
			return r.tryPublish(t.Context(), e) == nil
		})
	}
	return left
}

// requireExported requires that all rows of the audit record come to be in a file, each for the first
// time in its order. After a kill, another worker has to wait until the lease has run out.
func (r *rig) requireExported(t *testing.T, path string) {
	t.Helper()
	var counts ledger.LogCounts
	require.Eventually(t, func() (all bool) {
		var err error
		counts, err = r.ledger.CountLog(t.Context())
		return err == nil && counts.Size > 0 && counts.Unsequenced == 0 && len(counts.Exported) == 1 && counts.Exported[0].Size == counts.Size
	}, rest, 100*time.Millisecond)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	next := int64(0)
	for line := range strings.Lines(string(text)) {
		var row struct{ Leaf int64 }
		if json.Unmarshal([]byte(line), &row) != nil {
			continue // cut when the worker was killed
		}
		require.LessOrEqual(t, row.Leaf, next, "a row came before one with a lower leaf")
		next = max(next, row.Leaf+1)
	}
	assert.Equal(t, counts.Size, next, "rows of the audit record are missing")
}

// hiredAndCutOff returns the events of a person who starts and is dismissed, or
// suspended, on the same day.
func hiredAndCutOff(i int, suspended bool) (hired, cutOff hr.Event) {
	id, today := fmt.Sprint(20_000+i), hr.DateOf(time.Now().UTC())
	hired = hr.Event{
		EventKey: hr.EventKey{Source: "/test", ID: "hired-" + id}, Type: hr.EventHired, PersonID: id, Effective: today.AddDays(-1),
		Profile: &hr.Profile{
			Type: hr.TypeEmployee, GivenName: "Person", FamilyName: "No" + id, JobTitle: "Engineer",
			Department: []string{"Development", "Sales"}[i%2], StartDate: today.AddDays(-1), Location: hr.Location{TimeZone: "UTC"},
		},
	}
	cutOff = hr.Event{
		EventKey: hr.EventKey{Source: "/test", ID: "cut-off-" + id}, Type: hr.EventTerminated, PersonID: id, Effective: today,
		Termination: &hr.Termination{LastDay: today, Urgency: hr.UrgencyImmediate},
	}
	if suspended {
		cutOff.Type, cutOff.Termination, cutOff.Suspension = hr.EventSuspended, nil, &hr.Suspension{Reason: "a test"}
	}
	return hired, cutOff
}
