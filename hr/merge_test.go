package hr_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tenurehq/tenure/hr"
)

func TestMergeOfNothing(t *testing.T) {
	assert.Equal(t, hr.Timeline{PersonID: person}, merge())
}

func TestMergeLeavesOutOtherPeople(t *testing.T) {
	other := terminated("t", "2026-02-01", "2026-03-31")
	other.PersonID = "p2"
	assert.Equal(t, []string{"h: 2026-01-01 ..; h"}, lines(merge(hired("h", "2025-12-01", "2026-01-01"), other)))
}

// An event's type decides which of its parts count.
func TestMergeLeavesOutPartsThatTheTypeDoesNotUse(t *testing.T) {
	hire := hired("h", "2025-12-01", "2026-01-01")
	left := terminated("t", "2026-06-01", "2026-06-30", func(e *hr.Event) { e.Profile = hire.Profile })
	assert.Empty(t, merge(left).Periods)
	assert.Equal(t, []string{"h: 2026-01-01 .. 2026-07-01 terminated by t; h"}, lines(merge(hire, left)))

	hire.Profile = nil
	assert.Empty(t, merge(hire).Periods)
}

func TestMergeSnapshots(t *testing.T) {
	hire := hired("h", "2025-12-01", "2026-01-01")
	since := starting("2026-01-01")
	tell(t, []story{
		{
			"later effective date holds for the time after it",
			[]hr.Event{hire, updated("u2", "2026-01-10", "2026-04-01", since), updated("u1", "2026-02-01", "2026-02-15", since)},
			[]string{"h: 2026-01-01 ..; h, u1 from 2026-02-15, u2 from 2026-04-01"},
		},
		{
			"same effective date: recorded later wins",
			[]hr.Event{hire, updated("b", "2026-02-02", "2026-03-01", since), updated("a", "2026-02-01", "2026-03-01", since)},
			[]string{"h: 2026-01-01 ..; h, b from 2026-03-01"},
		},
		{
			"same effective date and recorded time: higher sequence wins, by number",
			[]hr.Event{
				hire,
				updated("b", "2026-02-02", "2026-03-01", since, sequence("10")),
				updated("a", "2026-02-02", "2026-03-01", since, sequence("9")),
				updated("c", "2026-02-02", "2026-03-01", since, sequence("0")),
				updated("d", "2026-02-02", "2026-03-01", since),
			},
			[]string{"h: 2026-01-01 ..; h, b from 2026-03-01"},
		},
		{
			"sequences that are no numbers come after those that are, as text",
			[]hr.Event{
				hire,
				updated("b", "2026-02-02", "2026-03-01", since, sequence("10")),
				updated("c", "2026-02-02", "2026-03-01", since, sequence("1b")),
				updated("d", "2026-02-02", "2026-03-01", since, sequence("1a")),
			},
			[]string{"h: 2026-01-01 ..; h, c from 2026-03-01"},
		},
		{
			"before the first effective date the first snapshot holds",
			[]hr.Event{transferred("x", "2026-02-02", "2026-03-01", since)},
			[]string{"x: 2026-01-01 ..; x"},
		},
		{
			"without a hire the earliest snapshot opens the period",
			[]hr.Event{updated("u", "2026-02-03", "2026-05-01", starting("2026-03-01")), transferred("x", "2026-02-02", "2026-03-01")},
			[]string{"x: 2026-03-01 ..; x, u from 2026-05-01"},
		},
		{
			"without a start date the effective date is the start",
			[]hr.Event{hired("h", "2025-12-01", "2026-01-01", starting(""))},
			[]string{"h: 2026-01-01 ..; h"},
		},
		{
			"a repeated hire is a snapshot like any other",
			[]hr.Event{hire, hired("h2", "2026-02-01", "2026-03-01", since), hired("h3", "2026-02-01", "2026-01-01")},
			[]string{"h: 2026-01-01 ..; h3, h2 from 2026-03-01"},
		},
	})
}

func TestMergeStart(t *testing.T) {
	hire := hired("h", "2025-11-01", "2026-01-01")
	tell(t, []story{
		{
			"postponed by an update before the start",
			[]hr.Event{hire, updated("u", "2025-12-01", "2025-12-01", starting("2026-02-01"))},
			[]string{"h: 2026-02-01 ..; u"},
		},
		{
			"postponed by another hire",
			[]hr.Event{hire, hired("h2", "2025-12-01", "2026-02-01")},
			[]string{"h: 2026-02-01 ..; h2"},
		},
		{
			"the start date said last counts",
			[]hr.Event{
				hire,
				hired("h3", "2025-12-02", "2026-01-15"),
				hired("h2", "2025-12-01", "2026-02-01"),
			},
			[]string{"h: 2026-01-15 ..; h3"},
		},
		{
			"brought forward",
			[]hr.Event{hire, updated("u", "2025-12-01", "2026-01-01", starting("2025-12-15"))},
			[]string{"h: 2025-12-15 ..; u"},
		},
		{
			"corrected after the start, for the day of the start",
			[]hr.Event{hire, updated("u", "2026-01-03", "2026-01-01", starting("2026-01-12"))},
			[]string{"h: 2026-01-12 ..; u"},
		},
		{
			"a conversion announced ahead does not send anybody home",
			[]hr.Event{hire, converted("c", "2026-03-01", "2026-07-01")},
			[]string{"h: 2026-01-01 ..; h, c from 2026-07-01"},
		},
		{
			"a conversion announced before the start does not postpone it",
			[]hr.Event{hire, converted("c", "2025-12-01", "2026-07-01")},
			[]string{"h: 2026-01-01 ..; h, c from 2026-07-01"},
		},
		{
			"a later start date within an employment that has begun is not its start",
			[]hr.Event{hire, transferred("x", "2026-03-01", "2026-07-01"), hired("h2", "2026-03-02", "2026-08-01")},
			[]string{"h: 2026-01-01 ..; h, x from 2026-07-01, h2 from 2026-08-01"},
		},
		{
			"the next contract is not a postponed first one",
			[]hr.Event{
				hired("h", "2025-11-01", "2026-01-01", until("2026-03-31")),
				hired("h2", "2025-11-02", "2026-06-01", until("2026-08-31")),
			},
			[]string{
				"h: 2026-01-01 .. 2026-04-01 contract by h; h",
				"h2: 2026-06-01 .. 2026-09-01 contract by h2; h2",
			},
		},
	})
}
