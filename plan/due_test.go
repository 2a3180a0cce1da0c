package plan_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/policy"
)

func TestDeletionsMomentsApartAreDoneTogether(t *testing.T) {
	const retain = 30 * 24 * time.Hour
	change := func(after time.Duration) time.Time { return now.Add(retain + after) }
	for _, tc := range []struct {
		name     string
		stripped []time.Duration // chat, directory, wiki
		changes  time.Time
		due      plan.Due
	}{
		{
			"moments apart: the last one", []time.Duration{2 * time.Second, 0, time.Second}, time.Time{},
			plan.Due{At: change(2 * time.Second), What: plan.DueDelete, App: "chat"},
		},
		{
			"one much later: without it", []time.Duration{time.Hour, 0, time.Minute}, time.Time{},
			plan.Due{At: change(time.Minute), What: plan.DueDelete, App: "wiki"},
		},
		{
			"far apart: the first one", []time.Duration{time.Hour, 2 * time.Hour, 0}, time.Time{},
			plan.Due{At: change(0), What: plan.DueDelete, App: "wiki"},
		},
		{
			"something else between: until then", []time.Duration{0, time.Second, 10 * time.Second}, change(5 * time.Second),
			plan.Due{At: change(time.Second), What: plan.DueDelete, App: "directory"},
		},
		{
			"something else first: that", []time.Duration{0, time.Second, 10 * time.Second}, change(-time.Second),
			plan.Due{At: change(-time.Second), What: plan.DueChange},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			links := linked(plan.LinkDisabled)
			for i := range links {
				links[i].DisabledAt, links[i].StrippedAt = now, now.Add(tc.stripped[i])
				links[i].HandedOverAt = now
			}
			got := plan.Make(plan.Input{
				Now:     now.Add(time.Second),
				Desired: policy.Desired{Standing: standing(hr.StatusEnded), Changes: tc.changes},
				Links:   links,
				Apps:    apps(),
			})
			assert.Empty(t, got.Steps)
			assert.Equal(t, tc.due, got.Due)
		})
	}
}

// An account is never deleted before its retention ends, whatever the reason for planning is.
// From that instant on, it is deleted.
func TestDeletionKeepsToTheInstant(t *testing.T) {
	const retain = 30 * 24 * time.Hour
	for _, tc := range []struct {
		name                      string
		ended, disabled, stripped time.Duration // after start; retention counts from the latest
	}{
		{"stripped last", 0, time.Second, 2 * time.Second},
		{"access ended last", 2 * time.Second, 0, time.Second},
		{"disabled last", 0, 2 * time.Second, time.Second},
	} {
		t.Run(tc.name, func(t *testing.T) {
			at := start.Add
			gone := standing(hr.StatusEnded)
			gone.Period.Ends = at(tc.ended)
			in := plan.Input{
				Apps: apps(), Desired: policy.Desired{Standing: gone},
				Links: []plan.Link{{
					App: "chat", State: plan.LinkDisabled, DisabledAt: at(tc.disabled), StrippedAt: at(tc.stripped),
				}},
			}
			deadline := at(2*time.Second + retain)

			in.Now = deadline.Add(-time.Nanosecond)
			early := plan.Make(in)
			assert.Empty(t, early.Steps, "a nanosecond before")
			assert.Equal(t, plan.Due{At: deadline, What: plan.DueDelete, App: "chat"}, early.Due)

			in.Now = deadline
			assert.Equal(t, []string{"chat/Delete"}, short(plan.Make(in).Steps), "at the deadline")
		})
	}
}

// No account is deleted while a call that gives access may still be under way, because a
// deleted account could not be proven once more.
func TestAnAccountInDoubtIsNotDeleted(t *testing.T) {
	long := start.AddDate(0, -3, 0)
	gone := standing(hr.StatusEnded)
	gone.Period.Ends = long
	in := plan.Input{
		Now: now, Apps: apps(), Desired: policy.Desired{Standing: gone},
		Links: []plan.Link{{
			App: "chat", State: plan.LinkDisabled, DisabledAt: long, StrippedAt: long, DoubtUntil: now.Add(time.Minute),
		}},
	}
	assert.Empty(t, plan.Make(in).Steps)
	in.Now = in.Links[0].DoubtUntil
	assert.Contains(t, short(plan.Make(in).Steps), "chat/Disable", "it is proven disabled once more")
}
