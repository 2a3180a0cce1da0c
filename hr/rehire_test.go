package hr_test

import (
	"testing"

	"github.com/tenurehq/tenure/hr"
)

func TestMergeRehire(t *testing.T) {
	hire := hired("h", "2020-01-01", "2020-02-01")
	left := terminated("t", "2024-03-01", "2024-03-31")
	stayed := "h: 2020-02-01 .. 2024-04-01 terminated by t; h"
	tell(t, []story{
		{
			"opens a period",
			[]hr.Event{hire, left, rehired("r", "2026-04-01", "2026-05-01")},
			[]string{stayed, "r: 2026-05-01 ..; r"},
		},
		{
			"with the original hire date starts on its effective date",
			[]hr.Event{hire, left, rehired("r", "2026-04-01", "2026-05-01", starting("2020-02-01"))},
			[]string{stayed, "r: 2026-05-01 ..; r"},
		},
		{
			"with the original hire date, and so is every update",
			[]hr.Event{
				hire, left, rehired("r", "2026-04-01", "2026-05-01", starting("2020-02-01")),
				updated("u", "2026-04-02", "2026-06-01", starting("2020-02-01")),
			},
			[]string{stayed, "r: 2026-05-01 ..; r, u from 2026-06-01"},
		},
		{
			"effective later than its start date",
			[]hr.Event{hire, left, rehired("r", "2026-04-01", "2026-05-10", starting("2026-05-01"))},
			[]string{stayed, "r: 2026-05-01 ..; r"},
		},
		{
			"effective before its start date",
			[]hr.Event{hire, left, rehired("r", "2026-04-01", "2026-04-01", starting("2026-05-01"))},
			[]string{stayed, "r: 2026-05-01 ..; r"},
		},
		{
			"supersedes what was not ended, without a gap",
			[]hr.Event{hire, rehired("r", "2026-04-01", "2026-05-01")},
			[]string{"h: 2020-02-01 .. 2026-05-01 superseded by r; h", "r: 2026-05-01 ..; r"},
		},
		{
			"supersedes with the original hire date",
			[]hr.Event{hire, rehired("r", "2026-04-01", "2026-05-01", starting("2020-02-01"))},
			[]string{"h: 2020-02-01 .. 2026-05-01 superseded by r; h", "r: 2026-05-01 ..; r"},
		},
		{
			"said before the last day undoes the termination",
			[]hr.Event{hire, left, rehired("r", "2024-03-10", "2024-03-15")},
			[]string{"h: 2020-02-01 .. 2024-03-15 superseded by r; h", "r: 2024-03-15 ..; r"},
		},
		{
			"put off, shortened to nothing, and then moved ahead after all",
			[]hr.Event{
				hire, rehired("r", "2026-03-01", "2026-03-03", until("2026-04-18")),
				rehired("off", "2026-03-02", "2026-04-16", until("2026-03-01")), rehired("ahead", "2026-04-16", "2026-03-02", until("2026-04-18")),
			},
			[]string{"h: 2020-02-01 .. 2026-03-02 superseded by r; h", "r: 2026-03-02 .. 2026-04-19 contract by ahead; ahead"},
		},
		{
			"repeated is a snapshot",
			[]hr.Event{
				hire, left, rehired("r", "2026-04-01", "2026-05-01"),
				rehired("r2", "2026-06-01", "2026-05-01"), rehired("r3", "2026-06-01", "2026-05-20", starting("2026-05-01")),
			},
			[]string{stayed, "r: 2026-05-01 ..; r2, r3 from 2026-05-20"},
		},
		{
			"repeated does not undo a termination",
			[]hr.Event{
				hire, left, rehired("r", "2026-04-01", "2026-05-01"),
				terminated("t2", "2026-06-01", "2026-06-30"), rehired("r2", "2026-07-20", "2026-05-01"),
			},
			[]string{stayed, "r: 2026-05-01 .. 2026-07-01 terminated by t2; r2"},
		},
		{
			"postponed by another before its day",
			[]hr.Event{
				hire, left,
				rehired("r", "2026-04-01", "2026-05-01"), rehired("r2", "2026-04-10", "2026-05-15"),
			},
			[]string{stayed, "r: 2026-05-15 ..; r2"},
		},
		{
			"postponed by another for the same day, after it",
			[]hr.Event{
				hire, left,
				rehired("r", "2026-04-01", "2026-05-01"),
				rehired("r2", "2026-05-03", "2026-05-01", starting("2026-05-15")),
			},
			[]string{stayed, "r: 2026-05-15 ..; r2"},
		},
		{
			"brought forward by another",
			[]hr.Event{
				hire, left,
				rehired("r", "2026-04-01", "2026-05-15"), rehired("r2", "2026-04-10", "2026-05-01"),
			},
			[]string{stayed, "r: 2026-05-01 ..; r2"},
		},
		{
			"postponed by an update in the gap",
			[]hr.Event{
				hire, left,
				rehired("r", "2026-04-01", "2026-05-01"), updated("u", "2026-04-10", "2026-04-10", starting("2026-05-15")),
			},
			[]string{stayed, "r: 2026-05-15 ..; u"},
		},
		{
			"who was hired before the start and is a rehire after all",
			[]hr.Event{hired("h", "2026-04-01", "2026-05-01"), rehired("r", "2026-04-10", "2026-05-15")},
			[]string{"h: 2026-05-15 ..; r"},
		},
		{
			"said after a termination undoes it, even before the day",
			[]hr.Event{
				hire, left,
				rehired("r", "2026-04-01", "2026-05-01"),
				terminated("t2", "2026-04-05", "2026-06-30"),
				rehired("r2", "2026-04-10", "2026-05-15"),
			},
			[]string{stayed, "r: 2026-05-01 .. 2026-05-15 superseded by r2; r", "r2: 2026-05-15 ..; r2"},
		},
		{
			"before the day of a hire who will not come",
			[]hr.Event{
				hired("h", "2025-12-01", "2026-03-01", starting("2026-09-01")),
				terminated("t", "2026-01-01", "2026-05-31"),
				rehired("r", "2026-02-01", "2026-06-01"),
			},
			[]string{"r: 2026-06-01 ..; r"},
		},
		{
			"two seasons announced together",
			[]hr.Event{
				hire, left,
				rehired("r", "2026-02-01", "2026-06-01", until("2026-08-31")),
				rehired("r2", "2026-02-02", "2026-12-01", until("2027-03-31")),
			},
			[]string{
				stayed,
				"r: 2026-06-01 .. 2026-09-01 contract by r; r",
				"r2: 2026-12-01 .. 2027-04-01 contract by r2; r2",
			},
		},
		{
			"two spells announced together, the first ended by a termination",
			[]hr.Event{
				hire, left,
				rehired("r", "2026-02-01", "2026-06-01"),
				rehired("r2", "2026-02-02", "2026-12-01"),
				terminated("t2", "2026-02-03", "2026-08-31"),
			},
			[]string{
				stayed,
				"r: 2026-06-01 .. 2026-09-01 terminated by t2; r",
				"r2: 2026-12-01 ..; r2",
			},
		},
		{
			"of whom nothing else is known",
			[]hr.Event{left, rehired("r", "2026-04-01", "2026-05-01", starting("2020-02-01"))},
			[]string{"r: 2026-05-01 ..; r"},
		},
		{
			"of whom nothing else is known, corrected before the start",
			[]hr.Event{
				rehired("r", "2026-04-01", "2026-05-01", starting("2020-02-01")),
				updated("u", "2026-04-10", "2026-04-10", starting("2020-02-01")),
			},
			[]string{"r: 2026-05-01 ..; u, r from 2026-05-01"},
		},
		{
			"corrected on the last days of the old employment",
			[]hr.Event{
				hire, left,
				rehired("r", "2024-03-05", "2024-05-01"),
				updated("u", "2024-03-10", "2024-03-10", starting("2024-05-01")),
			},
			[]string{stayed, "r: 2024-05-01 ..; u, r from 2024-05-01"},
		},
	})
}

func TestMergeTerminationOfRehire(t *testing.T) {
	hire := hired("h", "2020-01-01", "2020-02-01")
	left := terminated("t", "2024-03-01", "2024-03-31")
	back := rehired("r", "2026-04-01", "2026-05-01")
	stayed := "h: 2020-02-01 .. 2024-04-01 terminated by t; h"
	tell(t, []story{
		{
			"ends the rehire",
			[]hr.Event{hire, left, back, terminated("t2", "2026-06-01", "2026-06-30")},
			[]string{stayed, "r: 2026-05-01 .. 2026-07-01 terminated by t2; r"},
		},
		{
			"with a last day before the rehire is the old employment's",
			[]hr.Event{hire, back, terminated("t", "2026-04-10", "2026-04-30")},
			[]string{"h: 2020-02-01 .. 2026-05-01 terminated by t; h", "r: 2026-05-01 ..; r"},
		},
		{
			"said before the rehire is the old employment's, whatever its last day",
			[]hr.Event{hire, back, terminated("t", "2026-03-10", "2026-05-31")},
			[]string{"h: 2020-02-01 .. 2026-05-01 superseded by r; h", "r: 2026-05-01 ..; r"},
		},
		{
			"a second last day in between is a conflict",
			[]hr.Event{hire, left, back, terminated("t2", "2026-04-10", "2024-04-15")},
			[]string{stayed, "r: 2026-05-01 ..; r", "later_termination: t2"},
		},
		{
			"who never came back",
			[]hr.Event{back, terminated("t2", "2026-04-10", "2026-04-30")},
			[]string{"r: 2026-05-01 .. 2026-05-01 terminated by t2; r"},
		},
		{
			"postponing the rehire does not free it",
			[]hr.Event{
				hire, left, back, terminated("t2", "2026-04-10", "2026-05-10"),
				updated("u", "2026-04-20", "2026-04-20", starting("2026-06-01")),
			},
			[]string{stayed, "r: 2026-06-01 .. 2026-05-11 terminated by t2; u"},
		},
		{
			"immediately, before the rehire supersedes: out now",
			[]hr.Event{hire, back, terminated("t2", "2026-04-10", "2026-06-30", immediate)},
			[]string{
				"h: 2020-02-01 .. 2026-04-10T12:00Z terminated by t2 urgently; h",
				"r: 2026-05-01 .. 2026-04-10T12:00Z terminated by t2 urgently; r",
			},
		},
	})
}
