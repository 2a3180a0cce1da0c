package review_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/review"
)

func TestTurnsAreMovesAndReturnsWithinATime(t *testing.T) {
	as := func(days int, change func(p *hr.Profile)) hr.EffectiveProfile {
		p := hr.Profile{Type: hr.TypeEmployee, Department: "Sales", JobTitle: "Clerk", Company: "A", ManagerID: "1"}
		if change != nil {
			change(&p)
		}
		return hr.EffectiveProfile{From: now.Add(time.Duration(days) * day), Profile: p}
	}
	moved := func(p *hr.Profile) { p.Department = "Finance" }
	line := func(absences []hr.Interval, profiles ...hr.EffectiveProfile) hr.Timeline {
		return hr.Timeline{Periods: []hr.Period{{Starts: now.Add(-100 * day), Profiles: profiles}}, Absences: absences}
	}
	away := func(from, to int) []hr.Interval {
		return []hr.Interval{{From: now.Add(time.Duration(from) * day), To: now.Add(time.Duration(to) * day)}}
	}
	all := review.After{Moved: true, Returned: 30 * day}
	for name, tc := range map[string]struct {
		after review.After
		line  hr.Timeline
		want  []string
	}{
		"nothing":                  {all, line(nil, as(-100, nil)), nil},
		"another department":       {all, line(nil, as(-100, nil), as(-1, moved)), []string{"moved"}},
		"another job":              {all, line(nil, as(-100, nil), as(-1, func(p *hr.Profile) { p.JobTitle = "Head" })), []string{"moved"}},
		"another company":          {all, line(nil, as(-100, nil), as(-1, func(p *hr.Profile) { p.Company = "B" })), []string{"moved"}},
		"another kind of work":     {all, line(nil, as(-100, nil), as(-1, func(p *hr.Profile) { p.Type = hr.TypeContractor })), []string{"moved"}},
		"another manager":          {all, line(nil, as(-100, nil), as(-1, func(p *hr.Profile) { p.ManagerID = "2" })), nil},
		"too long ago":             {all, line(nil, as(-100, nil), as(-3, moved)), nil},
		"not yet":                  {all, line(nil, as(-100, nil), as(1, moved)), nil},
		"the first day is no move": {all, line(nil, as(-200, nil), as(-100, moved)), nil},
		"moves do not count":       {review.After{Returned: day}, line(nil, as(-100, nil), as(-1, moved)), nil},
		"a long leave":             {all, line(away(-31, -1), as(-100, nil)), []string{"returned"}},
		"a short leave":            {all, line(away(-30, -1), as(-100, nil)), nil},
		"still away":               {all, line([]hr.Interval{{From: now.Add(-90 * day)}}, as(-100, nil)), nil},
		"leaves do not count":      {review.After{Moved: true}, line(away(-90, -1), as(-100, nil)), nil},
		"both":                     {all, line(away(-90, -1), as(-100, nil), as(-2, moved)), []string{"moved", "returned"}},
	} {
		var got []string
		for _, turn := range tc.after.Turns(tc.line, now.Add(-3*day), now) {
			got = append(got, turn.What)
		}
		assert.Equal(t, tc.want, got, name)
	}
}
