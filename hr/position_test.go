package hr_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
)

// positions writes down the positions of a timeline, each with its periods.
func positions(t hr.Timeline) []string {
	var list []string
	for _, p := range t.Positions {
		id := p.ID
		if id == "" {
			id = "none"
		}
		for _, line := range lines(hr.Timeline{Periods: p.Periods}) {
			list = append(list, fmt.Sprintf("%s = %s", id, line))
		}
	}
	return list
}

func TestSeveralPositions(t *testing.T) {
	sales := hired("h", "2025-12-01", "2026-01-01", as("A"))
	lab := hired("l", "2026-02-01", "2026-03-01", as("B"))
	tests := []struct {
		name      string
		events    []hr.Event
		want      []string
		positions []string
	}{
		{
			"a hire into another position adds one",
			[]hr.Event{sales, lab},
			[]string{"h: 2026-01-01 ..; h"},
			[]string{"A = h: 2026-01-01 ..; h", "B = l: 2026-03-01 ..; l"},
		},
		{
			"ending one ends that one",
			[]hr.Event{sales, lab, terminated("t", "2026-05-01", "2026-05-31", as("B"))},
			[]string{"h: 2026-01-01 ..; h"},
			[]string{"A = h: 2026-01-01 ..; h", "B = l: 2026-03-01 .. 2026-06-01 terminated by t; l"},
		},
		{
			"the next one is the primary one when the primary one ends",
			[]hr.Event{sales, lab, terminated("t", "2026-05-01", "2026-05-31", as("A"))},
			[]string{"h: 2026-01-01 ..; h, l from 2026-06-01"},
			[]string{"A = h: 2026-01-01 .. 2026-06-01 terminated by t; h", "B = l: 2026-03-01 ..; l"},
		},
		{
			"ending the last one ends the employment",
			[]hr.Event{
				sales, lab, terminated("t", "2026-05-01", "2026-05-31", as("A")),
				terminated("t2", "2026-06-01", "2026-06-30", as("B"), immediate),
			},
			[]string{"h: 2026-01-01 .. 2026-06-01T12:00Z terminated by t2 urgently; h, l from 2026-06-01"},
			[]string{"A = h: 2026-01-01 .. 2026-06-01 terminated by t; h", "B = l: 2026-03-01 .. 2026-06-01T12:00Z terminated by t2 urgently; l"},
		},
		{
			"one that was over before it began brings nobody back",
			[]hr.Event{
				sales, hired("n", "2026-01-15", "2026-03-01", as("B"), until("2026-01-31")),
				terminated("t", "2026-05-01", "2026-05-31", as("A")), hired("late", "2026-06-10", "2026-03-01", as("B")),
			},
			[]string{"h: 2026-01-01 .. 2026-06-01 terminated by t; h", "hired_after_end: late"},
			[]string{"A = h: 2026-01-01 .. 2026-06-01 terminated by t; h"},
		},
		{
			"nor one whose end was moved before its beginning",
			[]hr.Event{
				sales, lab, updated("n", "2026-02-15", "2026-03-01", as("B"), until("2026-01-31")),
				terminated("t", "2026-05-01", "2026-05-31", as("A")), updated("late", "2026-06-10", "2026-03-01", as("B")),
			},
			[]string{"h: 2026-01-01 .. 2026-06-01 terminated by t; h", "hired_after_end: late"},
			[]string{"A = h: 2026-01-01 .. 2026-06-01 terminated by t; h"},
		},
		{
			"a termination of the ID that another position was given before it came asks",
			[]hr.Event{
				hired("h", "2025-12-01", "2026-01-01", received("2025-12-01")),
				terminated("t", "2026-04-30T18:00:00Z", "2026-02-10", as("A"), received("2026-04-30T18:00:00Z")),
				rehired("r", "2026-03-01", "2026-03-01", as("B"), received("2026-03-01")),
				transferred("x", "2026-05-01", "2026-05-01", as("A"), received("2026-05-01")),
				terminated("late", "2026-04-30", "2026-04-30", as("A"), received("2026-05-02")),
			},
			[]string{"h: 2026-01-01 .. 2026-02-11 terminated by t; h", "r: 2026-03-01 ..; r, x from 2026-05-01", "terminated_without_effect: late"},
			[]string{"none = h: 2026-01-01 .. 2026-02-11 terminated by t; h", "A = r: 2026-03-01 ..; r, x from 2026-05-01"},
		},
		{
			"a hire said again afterwards does not make the first position the late one",
			[]hr.Event{
				transferred("m", "2026-03-01", "2026-03-01", until("2026-03-03")),
				hired("late", "2026-03-06", "2026-03-01", as("A"), until("2026-03-02")), hired("again", "2026-03-06T13:00:00Z", "2026-03-01", until("2026-03-03")),
				hired("back", "2026-03-06T14:00:00Z", "2026-03-01", as("A")),
			},
			[]string{"again: 2026-03-01 .. 2026-03-04 contract by again; again", "hired_after_end: late"},
			[]string{"none = again: 2026-03-01 .. 2026-03-04 contract by again; again"},
		},
		{
			"a termination without an ID ends them all, announced ones too",
			[]hr.Event{sales, lab, hired("c", "2026-04-01", "2026-08-01", as("C")), terminated("t", "2026-05-01", "2026-05-31")},
			[]string{"h: 2026-01-01 .. 2026-06-01 terminated by t; h"},
			[]string{
				"A = h: 2026-01-01 .. 2026-06-01 terminated by t; h", "B = l: 2026-03-01 .. 2026-06-01 terminated by t; l",
				"C = c: 2026-08-01 .. 2026-06-01 terminated by t; c",
			},
		},
		{
			"HR says which one is the primary one, the last word holds",
			[]hr.Event{sales, hired("l", "2026-02-01", "2026-03-01", as("B"), primary), updated("u", "2026-04-01", "2026-04-10", as("A"), primary)},
			[]string{"h: 2026-01-01 ..; h, l from 2026-03-01, u from 2026-04-10"},
			[]string{"A = h: 2026-01-01 ..; h, u from 2026-04-10", "B = l: 2026-03-01 ..; l"},
		},
		{
			"each has its own start, contract and moves",
			[]hr.Event{
				sales, hired("l", "2026-02-01", "2026-03-01", as("B"), until("2026-04-30")),
				transferred("x", "2026-03-10", "2026-03-15", as("B"), starting("2026-03-01"), until("2026-04-30")),
			},
			[]string{"h: 2026-01-01 ..; h"},
			[]string{"A = h: 2026-01-01 ..; h", "B = l: 2026-03-01 .. 2026-05-01 contract by x; l, x from 2026-03-15"},
		},
		{
			"an event without an ID is of the primary one",
			[]hr.Event{sales, hired("l", "2026-02-01", "2026-03-01", as("B"), primary), updated("u", "2026-04-01", "2026-04-10", starting("2026-03-01"))},
			[]string{"h: 2026-01-01 ..; h, l from 2026-03-01, u from 2026-04-10"},
			[]string{"A = h: 2026-01-01 ..; h", "B = l: 2026-03-01 ..; l, u from 2026-04-10"},
		},
		{
			"one without an ID and others with one",
			[]hr.Event{hired("h", "2025-12-01", "2026-01-01"), lab, terminated("t", "2026-05-01", "2026-05-31", as("B"))},
			[]string{"h: 2026-01-01 ..; h"},
			[]string{"none = h: 2026-01-01 ..; h", "B = l: 2026-03-01 .. 2026-06-01 terminated by t; l"},
		},
		{
			"the first word under an ID names the position that had none",
			[]hr.Event{hired("h", "2025-12-01", "2026-01-01"), transferred("x", "2026-02-01", "2026-02-10", as("A")), terminated("t", "2026-05-01", "2026-05-31", as("A"))},
			[]string{"h: 2026-01-01 .. 2026-06-01 terminated by t; h, x from 2026-02-10"},
			[]string{"A = h: 2026-01-01 .. 2026-06-01 terminated by t; h, x from 2026-02-10"},
		},
		{
			"so does a termination",
			[]hr.Event{hired("h", "2025-12-01", "2026-01-01"), terminated("t", "2026-05-01", "2026-05-31", as("A"))},
			[]string{"h: 2026-01-01 .. 2026-06-01 terminated by t; h"},
			nil,
		},
		{
			"and the same hire under an ID",
			[]hr.Event{hired("h", "2025-12-01", "2026-01-01"), hired("h2", "2026-02-01", "2026-01-01", as("A")), terminated("t", "2026-05-01", "2026-05-31", as("A"))},
			[]string{"h: 2026-01-01 .. 2026-06-01 terminated by t; h2"},
			[]string{"A = h: 2026-01-01 .. 2026-06-01 terminated by t; h2"},
		},
		{
			"a move may change the ID",
			[]hr.Event{sales, transferred("x", "2026-02-01", "2026-02-10", as("A2")), terminated("t", "2026-05-01", "2026-05-31", as("A2"))},
			[]string{"h: 2026-01-01 .. 2026-06-01 terminated by t; h, x from 2026-02-10"},
			[]string{"A2 = h: 2026-01-01 .. 2026-06-01 terminated by t; h, x from 2026-02-10"},
		},
		{
			"of several it is not clear which moved",
			[]hr.Event{sales, lab, transferred("x", "2026-03-01", "2026-03-10", as("C"))},
			[]string{"h: 2026-01-01 ..; h", "unknown_position: x"},
			[]string{"A = h: 2026-01-01 ..; h", "B = l: 2026-03-01 ..; l"},
		},
		{
			"a termination of a position that nobody holds is asked about",
			[]hr.Event{sales, lab, terminated("t", "2026-05-01", "2026-05-31", as("Z"))},
			[]string{"h: 2026-01-01 ..; h", "unknown_position: t"},
			[]string{"A = h: 2026-01-01 ..; h", "B = l: 2026-03-01 ..; l"},
		},
		{
			"a hire into another position when all was over is no return",
			[]hr.Event{sales, terminated("t", "2026-01-15", "2026-01-31", as("A")), lab},
			[]string{"h: 2026-01-01 .. 2026-02-01 terminated by t; h", "hired_after_end: l"},
			[]string{"A = h: 2026-01-01 .. 2026-02-01 terminated by t; h"},
		},
		{
			"without a gap it is a move",
			[]hr.Event{sales, terminated("t", "2026-01-15", "2026-02-28", as("A")), lab},
			[]string{"h: 2026-01-01 ..; h, l from 2026-03-01"},
			[]string{"A = h: 2026-01-01 .. 2026-03-01 terminated by t; h", "B = l: 2026-03-01 ..; l"},
		},
		{
			"after a rehire another position may be added again",
			[]hr.Event{
				sales, lab, terminated("t", "2026-05-01", "2026-05-31"), rehired("r", "2026-07-01", "2026-08-01", as("A")),
				hired("l2", "2026-07-02", "2026-09-01", as("B")),
			},
			[]string{"h: 2026-01-01 .. 2026-06-01 terminated by t; h", "r: 2026-08-01 ..; r"},
			[]string{
				"A = h: 2026-01-01 .. 2026-06-01 terminated by t; h", "A = r: 2026-08-01 ..; r",
				"B = l: 2026-03-01 .. 2026-06-01 terminated by t; l", "B = l2: 2026-09-01 ..; l2",
			},
		},
		{
			"what is rescinded takes with it what was said of that position",
			[]hr.Event{sales, lab, transferred("x", "2026-03-10", "2026-03-15", as("B")), rescinded("undo", "2026-04-01", "l")},
			[]string{"h: 2026-01-01 ..; h"},
			[]string{"A = h: 2026-01-01 ..; h"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := merge(tt.events...)
			assert.Equal(t, tt.want, lines(got))
			assert.Equal(t, tt.positions, positions(got))
		})
	}
}

func TestHeld(t *testing.T) {
	all := merge(hired("h", "2025-12-01", "2026-01-01", as("A")), hired("l", "2026-02-01", "2026-03-01", as("B"), primary),
		terminated("t", "2026-05-01", "2026-05-31", as("B")), terminated("t2", "2026-06-01", "2026-06-30"))
	ids := func(at string) (list []string) {
		for _, h := range all.Held(instant(at)) {
			list = append(list, fmt.Sprint(h.ID, " ", h.Profile.JobTitle, " ", h.Primary))
		}
		return list
	}
	assert.Equal(t, []string{"A h true"}, ids("2025-12-15"), "before the start")
	assert.Equal(t, []string{"A h true"}, ids("2026-02-15"))
	assert.Equal(t, []string{"B l true", "A h false"}, ids("2026-03-15"))
	assert.Equal(t, []string{"A h true"}, ids("2026-06-15"))
	assert.Empty(t, ids("2026-07-15"))
	one := merge(hired("h", "2025-12-01", "2026-01-01")).Held(instant("2026-02-01"))
	require.Len(t, one, 1)
	assert.Equal(t, "h", one[0].Profile.JobTitle)
}

// A leave is about the whole person. A leave from one of several positions is a conflict.
func TestLeaveOfAPosition(t *testing.T) {
	a, b := hired("h", "2025-12-01", "2026-01-01", as("A")), hired("l", "2026-02-01", "2026-03-01", as("B"))
	leave := said(hr.EventLeaveStarted, "leave", "2026-03-20", "2026-04-01", as("B"))
	back := said(hr.EventLeaveEnded, "back", "2026-03-20", "2026-05-01", as("B"))
	assert.Equal(t, []string{"h: 2026-01-01 ..; h", "leave_of_position: leave", "leave_of_position: back"}, lines(merge(a, b, leave, back)))
	leave.PositionID, back.PositionID = "A", "A"
	assert.Equal(t, []string{"h: 2026-01-01 ..; h", "leave by leave: 2026-04-01 .. 2026-05-01"}, lines(merge(a, leave, back)))
	leave.PositionID, back.PositionID = "", ""
	assert.Equal(t, []string{"h: 2026-01-01 ..; h", "leave by leave: 2026-04-01 .. 2026-05-01"}, lines(merge(a, b, leave, back)))
}

func TestJoinOfSeveralPositions(t *testing.T) {
	old := merge(hired("h", "2025-12-01", "2026-01-01", as("A")), hired("l", "2026-02-01", "2026-03-01", as("B")))
	own := merge(hired("n", "2026-05-01", "2026-06-01"))
	assert.Equal(t, []string{
		"A = h: 2026-01-01 .. 2026-06-01 superseded by n; h", "B = l: 2026-03-01 .. 2026-06-01 superseded by n; l", "none = n: 2026-06-01 ..; n",
	}, positions(hr.Join(own, old)))
}
