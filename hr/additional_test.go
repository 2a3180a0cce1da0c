package hr_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tenurehq/tenure/hr"
)

// lists adds a whole list of additional jobs as of a day to an event.
func lists(asOf string, jobs ...hr.AdditionalJob) detail {
	return func(e *hr.Event) {
		e.Additional = &hr.AdditionalJobs{AsOf: day(asOf), Whole: true, Jobs: jobs}
	}
}

// lacks adds an empty list that is not whole: one job has ended, and it is not known which.
func lacks(asOf string) detail {
	return func(e *hr.Event) { e.Additional = &hr.AdditionalJobs{AsOf: day(asOf)} }
}

// job returns an additional job; its last day is optional.
func job(id, start string, last ...string) hr.AdditionalJob {
	j := hr.AdditionalJob{PositionID: id, Profile: hr.Profile{
		Type: hr.TypeEmployee, GivenName: "Ada", FamilyName: "Berg", JobTitle: "in " + id, StartDate: day(start), Location: hr.Location{TimeZone: "UTC"},
	}}
	if len(last) > 0 {
		j.Profile.EndDate = day(last[0])
	}
	return j
}

func TestAdditionalJobs(t *testing.T) {
	sales := hired("h", "2025-12-01", "2026-01-01", lists("2026-01-01"))
	lab := updated("add", "2026-02-20", "2026-03-01", starting("2026-01-01"), lists("2026-03-01", job("B", "2026-03-01")))
	moved := func(id, recorded, effective string, details ...detail) hr.Event {
		return transferred(id, recorded, effective, append([]detail{starting("2026-01-01")}, details...)...)
	}
	gone := moved("end", "2026-05-20", "2026-05-31", lists("2026-06-01"))
	tests := []struct {
		name      string
		events    []hr.Event
		positions []string // the additional ones
		asked     []string
	}{
		{name: "none is listed", events: []hr.Event{sales}},
		{name: "one is listed", events: []hr.Event{sales, lab}, positions: []string{"B = add: 2026-03-01 ..; add"}},
		{name: "one is not listed any more", events: []hr.Event{sales, lab, gone}, positions: []string{"B = add: 2026-03-01 .. 2026-06-01 terminated by end; add"}},
		{
			name: "one has a last day, which is moved in time", events: []hr.Event{
				sales, moved("add", "2026-02-20", "2026-03-01", lists("2026-03-01", job("B", "2026-03-01", "2026-04-30"))),
				moved("more", "2026-04-20", "2026-04-20", lists("2026-04-20", job("B", "2026-03-01", "2026-05-31"))),
			},
			positions: []string{"B = add: 2026-03-01 .. 2026-06-01 contract by more; add, more from 2026-04-20"},
		},
		{
			name: "and one that is moved when it has passed", events: []hr.Event{
				sales, moved("add", "2026-02-20", "2026-03-01", lists("2026-03-01", job("B", "2026-03-01", "2026-04-30"))),
				moved("more", "2026-05-20", "2026-05-20", lists("2026-05-20", job("B", "2026-03-01", "2026-05-31"))),
			},
			positions: []string{"B = add: 2026-03-01 .. 2026-05-01 contract by add; add"}, asked: []string{"additional_job: more"},
		},
		{name: "nothing is said of any", events: []hr.Event{sales, lab, moved("m", "2026-05-20", "2026-05-31")}, positions: []string{"B = add: 2026-03-01 ..; add"}},
		{
			name: "an old list comes late", events: []hr.Event{sales, lab, moved("m", "2026-02-10", "2026-02-10", lists("2026-02-10"))},
			positions: []string{"B = add: 2026-03-01 ..; add"},
		},
		{
			name: "a list of before it begins", events: []hr.Event{sales, lab, moved("m", "2026-02-25", "2026-02-25", lists("2026-02-25"))},
			positions: []string{"B = add: 2026-03-01 ..; add"},
		},
		{
			name: "HR had said of a day ahead that there is none", events: []hr.Event{
				sales, moved("m", "2026-02-01", "2026-06-01", lists("2026-06-01")), lab,
			},
			positions: []string{"B = add: 2026-03-01 ..; add"},
		},
		{
			name: "the end is announced, and HR lists what is held until then", events: []hr.Event{
				sales, lab, gone, moved("m", "2026-05-25", "2026-05-25", lists("2026-05-25", job("B", "2026-03-01"))),
			},
			positions: []string{"B = add: 2026-03-01 .. 2026-06-01 terminated by end; add, m from 2026-05-25"},
		},
		{
			name: "what had been announced for later does not bring it back", events: []hr.Event{
				sales, lab, moved("m", "2026-05-01", "2026-08-01", lists("2026-08-01", job("B", "2026-03-01"))), gone,
			},
			positions: []string{"B = add: 2026-03-01 .. 2026-06-01 terminated by end; add"},
		},
		{
			name: "it is listed again after its end", events: []hr.Event{
				sales, lab, gone, moved("m", "2026-07-01", "2026-07-01", lists("2026-07-01", job("B", "2026-03-01"))),
				moved("n", "2026-07-02", "2026-07-02", lists("2026-07-02", job("B", "2026-03-01"))),
			},
			positions: []string{"B = add: 2026-03-01 .. 2026-06-01 terminated by end; add"}, asked: []string{"additional_job: m"},
		},
		{
			name: "it is taken up again later", events: []hr.Event{
				sales, lab, gone, moved("m", "2026-07-01", "2026-07-01", lists("2026-07-01", job("B", "2026-07-01"))),
			},
			positions: []string{"B = add: 2026-03-01 .. 2026-06-01 terminated by end; add", "B = m: 2026-07-01 ..; m"},
		},
		{
			name: "the end is rescinded", events: []hr.Event{
				sales, lab, gone, undone("r", "2026-07-01", "end", lists("2026-07-01", job("B", "2026-03-01"))),
			},
			positions: []string{"B = add: 2026-03-01 ..; add, r from 2026-07-01"},
		},
		{
			name: "the end is rescinded after it was said again", events: []hr.Event{
				sales, lab, gone, moved("m", "2026-06-10", "2026-06-10", lists("2026-06-10")),
				undone("r", "2026-07-01", "end", lists("2026-07-01", job("B", "2026-03-01"))),
			},
			positions: []string{"B = add: 2026-03-01 ..; add, r from 2026-07-01"},
		},
		{
			name: "the addition is rescinded", events: []hr.Event{
				sales, lab, moved("m", "2026-03-10", "2026-03-10", lists("2026-03-10", job("B", "2026-03-01"))),
				undone("r", "2026-03-20", "add", lists("2026-03-20")),
			},
			positions: []string{"B = m: 2026-03-10 .. 2026-03-20 terminated by r; m"},
		},
		{
			name: "the addition is rescinded before it begins", events: []hr.Event{sales, lab, undone("r", "2026-02-25", "add", lists("2026-02-25"))},
		},
		{
			name: "the start is moved before it comes", events: []hr.Event{
				sales, lab, moved("m", "2026-02-25", "2026-04-01", lists("2026-04-01", job("B", "2026-04-01"))),
			},
			positions: []string{"B = add: 2026-04-01 ..; add, m from 2026-04-01"},
		},
		{
			name: "a start that has passed is not put off", events: []hr.Event{
				sales, lab, moved("m", "2026-03-25", "2026-04-01", lists("2026-04-01", job("B", "2026-04-01"))),
			},
			positions: []string{"B = add: 2026-03-01 .. 2026-04-01 superseded by m; add", "B = m: 2026-04-01 ..; m"},
		},
		{
			name: "two, of which one ends", events: []hr.Event{
				sales, moved("add", "2026-02-20", "2026-03-01", lists("2026-03-01", job("B", "2026-03-01"), job("C", "2026-03-01"))),
				moved("end", "2026-05-20", "2026-05-31", lists("2026-06-01", job("C", "2026-03-01"))),
			},
			positions: []string{"B = add: 2026-03-01 .. 2026-06-01 terminated by end; add", "C = add: 2026-03-01 ..; add, end from 2026-06-01"},
		},
		{
			name: "one has ended, and HR does not say which", events: []hr.Event{sales, lab, moved("m", "2026-05-20", "2026-05-31", lacks("2026-05-31"))},
			positions: []string{"B = add: 2026-03-01 ..; add"}, asked: []string{"additional_job: m"},
		},
		{
			name: "which a later list says", events: []hr.Event{sales, lab, moved("m", "2026-05-20", "2026-05-31", lacks("2026-05-31")), moved("n", "2026-06-20", "2026-06-20", lists("2026-06-20"))},
			positions: []string{"B = add: 2026-03-01 .. 2026-06-20 terminated by n; add"},
		},
		{
			name: "with the person all end, and a rehire brings none back", events: []hr.Event{
				sales, lab, terminated("t", "2026-05-01", "2026-05-31"), rehired("r", "2026-07-01", "2026-08-01", lists("2026-08-01")),
			},
			positions: []string{"B = add: 2026-03-01 .. 2026-06-01 terminated by t; add"},
		},
		{
			name: "but those that HR lists", events: []hr.Event{
				sales, lab, terminated("t", "2026-05-01", "2026-05-31"), rehired("r", "2026-07-01", "2026-08-01", lists("2026-08-01", job("B", "2026-08-15"))),
			},
			positions: []string{"B = add: 2026-03-01 .. 2026-06-01 terminated by t; add", "B = r: 2026-08-15 ..; r"},
		},
		{
			name: "a termination that names one ends that one", events: []hr.Event{sales, lab, terminated("t", "2026-05-01", "2026-05-31", as("B"))},
			positions: []string{"B = add: 2026-03-01 .. 2026-06-01 terminated by t; add"},
		},
		{
			name: "at once, if it says so", events: []hr.Event{sales, lab, terminated("t", "2026-05-01", "2026-05-31", as("B"), immediate)},
			positions: []string{"B = add: 2026-03-01 .. 2026-05-01 terminated by t; add"},
		},
		{name: "also before it begins", events: []hr.Event{sales, lab, terminated("t", "2026-02-25", "2026-02-25", as("B"))}},
		{
			name: "a list after the person has left", events: []hr.Event{
				sales, terminated("t", "2026-05-01", "2026-05-31"), moved("m", "2026-06-10", "2026-06-10", lists("2026-06-10", job("B", "2026-03-01"))),
			},
		},
		{
			name: "another system's list ends none of them", events: []hr.Event{sales, lab, moved("m", "2026-06-10", "2026-06-10", source("/other"), lists("2026-06-10"))},
			positions: []string{"B = add: 2026-03-01 ..; add"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, order := range [][]hr.Event{tt.events, reversed(tt.events)} {
				got := merge(order...)
				var additional, asked []string
				for _, p := range got.Positions {
					if p.Additional {
						additional = append(additional, positions(hr.Timeline{Positions: []hr.Position{p}})...)
					}
				}
				for _, c := range got.Conflicts {
					asked = append(asked, fmt.Sprint(c.Code, ": ", c.Event.ID))
				}
				assert.Equal(t, tt.positions, additional)
				assert.Equal(t, tt.asked, asked)
				main := slices.DeleteFunc(slices.Clone(tt.events), func(e hr.Event) bool { return e.PositionID != "" })
				for i := range main {
					main[i].Additional = nil
				}
				assert.Equal(t, merge(main...).Periods, got.Periods, "the employment is as it would be without them")
			}
		})
	}
}

func undone(id, recorded, names string, lists detail) hr.Event {
	e := rescinded(id, recorded, names)
	lists(&e)
	return e
}

func reversed(events []hr.Event) []hr.Event {
	list := slices.Clone(events)
	slices.Reverse(list)
	return list
}

// A leave from an additional job is not a leave of the person.
func TestLeaveOfAnAdditionalJob(t *testing.T) {
	got := merge(hired("h", "2025-12-01", "2026-01-01", lists("2026-01-01", job("B", "2026-01-01"))),
		said(hr.EventLeaveStarted, "l", "2026-02-01", "2026-02-10", as("B")))
	assert.Equal(t, []string{"h: 2026-01-01 ..; h", "leave_of_position: l"}, lines(got))
}

// The profile of an additional job is never the person's, however long it is held.
func TestHeldBesides(t *testing.T) {
	all := merge(hired("h", "2025-12-01", "2026-01-01", lists("2026-01-01", job("B", "2026-01-01"), job("C", "2026-02-01", "2026-02-28"))))
	ids := func(at string) (list []string) {
		for _, h := range all.Held(instant(at)) {
			list = append(list, fmt.Sprint(h.ID, " ", h.Profile.JobTitle, " ", h.Primary))
		}
		return list
	}
	assert.Equal(t, []string{" h true", "B in B false"}, ids("2026-01-15"))
	assert.Equal(t, []string{" h true", "B in B false", "C in C false"}, ids("2026-02-15"))
	assert.Equal(t, []string{" h true", "B in B false"}, ids("2026-03-15"))
	assert.Equal(t, "h", all.At(instant("2026-02-15")).Profile.JobTitle)
}

// Additional jobs change nothing about the employment itself. A job that a whole list lacks
// is not held from that day on, unless HR lists it later.
func TestAdditionalJobsAreBesides(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := drawStory(t)
		bare := slices.Clone(events)
		for i := range bare {
			bare[i].Additional = nil
		}
		got, without := merge(events...), merge(bare...)
		require.Equal(t, without.Periods, got.Periods)

		last := updated("last", "2026-09-01", "2026-09-01", lists("2026-09-01"))
		got = merge(append(events, last)...)
		for _, p := range got.Positions {
			if q := p.At(instant("2026-09-02")); q != nil && p.Additional {
				require.Fail(t, "a job is held that HR does not list", "%v", positions(got))
			}
		}
		if at := got.At(firstDay.StartIn(time.UTC)); at.Period != nil {
			require.NotNil(t, at.Profile)
		}
	})
}
