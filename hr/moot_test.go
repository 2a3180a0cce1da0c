package hr_test

import (
	"testing"

	"github.com/tenurehq/tenure/hr"
)

// Access that has ended does not come back because HR corrects the termination.
func TestAccessThatHasEndedIsNotGivenBackByACorrection(t *testing.T) {
	hire := hired("h", "2025-12-01", "2026-01-01")
	garden := terminated("t", "2026-06-01", "2026-09-30", accessEnds("2026-06-01T15:00:00Z"))
	left := terminated("t", "2026-06-01", "2026-06-15")
	tell(t, []story{
		{
			"garden leave, recorded again without its instant",
			[]hr.Event{hire, garden, terminated("t2", "2026-06-05", "2026-09-30")},
			[]string{"h: 2026-01-01 .. 2026-06-01T15:00Z terminated by t; h", "later_termination: t2"},
		},
		{
			"... and once more",
			[]hr.Event{hire, garden, terminated("t2", "2026-06-05", "2026-09-30"), terminated("t3", "2026-06-06", "2026-09-30")},
			[]string{"h: 2026-01-01 .. 2026-06-01T15:00Z terminated by t; h", "later_termination: t3"},
		},
		{
			"... before that instant",
			[]hr.Event{hire, garden, terminated("t2", "2026-06-01", "2026-09-30", func(e *hr.Event) { e.Sequence = "2" })},
			[]string{"h: 2026-01-01 .. 2026-10-01 terminated by t2; h"},
		},
		{
			"a last day that is moved after it has passed",
			[]hr.Event{hire, left, terminated("t2", "2026-06-20", "2026-06-15", lastDay("2026-07-31"))},
			[]string{"h: 2026-01-01 .. 2026-06-16 terminated by t; h", "later_termination: t2"},
		},
		{
			"a last day that is moved before it has passed",
			[]hr.Event{hire, left, terminated("t2", "2026-06-10", "2026-06-15", lastDay("2026-07-31"))},
			[]string{"h: 2026-01-01 .. 2026-08-01 terminated by t2; h"},
		},
		{
			"a rescind gives it back",
			[]hr.Event{hire, garden, terminated("t2", "2026-06-05", "2026-09-30"), rescinded("x", "2026-06-06", "t")},
			[]string{"h: 2026-01-01 .. 2026-10-01 terminated by t2; h"},
		},
	})
}

// Snapshots about a start that HR has moved do not take effect on the old date.
func TestAStartThatHRHasMovedIsMoot(t *testing.T) {
	tell(t, []story{
		{
			"moved to an earlier day, and changed since",
			[]hr.Event{
				hired("h", "2026-10-01", "2026-11-20"), hired("h2", "2026-10-10", "2026-11-05"),
				updated("u", "2026-11-10", "2026-11-10", starting("2026-11-05")),
			},
			[]string{"h: 2026-11-05 ..; h2, u from 2026-11-10"},
		},
		{
			"moved to an earlier day by updates alone, of whom no hire is known",
			[]hr.Event{
				updated("u1", "2026-10-01", "2026-11-20", starting("2026-11-20")),
				updated("u2", "2026-10-10", "2026-11-05", starting("2026-11-05")),
				updated("u3", "2026-11-10", "2026-11-10", starting("2026-11-05")),
			},
			[]string{"u2: 2026-11-05 ..; u2, u3 from 2026-11-10"},
		},
		{
			"moved twice",
			[]hr.Event{
				hired("h", "2026-10-01", "2026-11-20"), hired("h2", "2026-10-10", "2026-11-05"),
				updated("u", "2026-10-12", "2026-10-25", starting("2026-10-25")),
			},
			[]string{"h: 2026-10-25 ..; u"},
		},
		{
			"what was announced for a later day still comes",
			[]hr.Event{
				hired("h", "2026-10-01", "2026-11-20"),
				transferred("m", "2026-10-02", "2026-12-01", starting("2026-11-20")),
				hired("h2", "2026-10-10", "2026-11-05"),
			},
			[]string{"h: 2026-11-05 ..; h2, m from 2026-12-01"},
		},
		{
			"a rehire",
			[]hr.Event{
				hired("h", "2020-01-01", "2020-02-01"), terminated("t", "2024-03-01", "2024-03-31"),
				rehired("r", "2026-10-01", "2026-11-20"), rehired("r2", "2026-10-10", "2026-11-05"),
				updated("u", "2026-11-10", "2026-11-10", starting("2026-11-05")),
			},
			[]string{"h: 2020-02-01 .. 2024-04-01 terminated by t; h", "r: 2026-11-05 ..; r2, u from 2026-11-10"},
		},
	})
}

// Leaves that do not pair up are resolved by a rule, or are conflicts.
func TestLeavesThatDoNotPairUp(t *testing.T) {
	hire := hired("h", "2025-12-01", "2026-01-01")
	at := "h: 2026-01-01 ..; h"
	leave := leaves("l", "2026-10-01", "2026-11-25")
	tell(t, []story{
		{
			"cancelled before it began",
			[]hr.Event{hire, leave, returns("e", "2026-11-20", "2026-11-20")},
			[]string{at},
		},
		{
			"cancelled, and another one announced",
			[]hr.Event{hire, leave, returns("e", "2026-11-20", "2026-11-20"), leaves("l2", "2026-11-21", "2026-12-10")},
			[]string{at, "leave by l2: 2026-12-10 .."},
		},
		{
			"a return from the one before cancels nothing",
			[]hr.Event{hire, leaves("l0", "2026-09-01", "2026-09-10"), leave, returns("e", "2026-11-20", "2026-11-20")},
			[]string{at, "leave by l0: 2026-09-10 .. 2026-11-20", "leave by l: 2026-11-25 .."},
		},
		{
			"a return that was said before the leave cancels nothing",
			[]hr.Event{hire, leave, returns("e", "2026-09-20", "2026-09-20")},
			[]string{at, "leave by l: 2026-11-25 .."},
		},
		{
			"put off",
			[]hr.Event{hire, leave, leaves("l2", "2026-11-20", "2026-12-10")},
			[]string{at, "leave by l: 2026-11-25 ..", "leave_within_leave: l2"},
		},
		{
			"the return is put off",
			[]hr.Event{hire, leave, returns("e", "2026-11-26", "2026-12-05"), returns("e2", "2026-12-01", "2026-12-20")},
			[]string{at, "leave by l: 2026-11-25 .. 2026-12-20"},
		},
		{
			"the return is brought forward",
			[]hr.Event{hire, leave, returns("e", "2026-11-26", "2026-12-20"), returns("e2", "2026-12-01", "2026-12-05")},
			[]string{at, "leave by l: 2026-11-25 .. 2026-12-05"},
		},
		{
			"a return of whom no leave is known",
			[]hr.Event{hire, returns("e", "2026-11-26", "2026-12-20")},
			[]string{at},
		},
	})
}
