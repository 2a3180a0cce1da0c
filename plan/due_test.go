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
