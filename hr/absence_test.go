package hr_test

import (
	"testing"

	"github.com/tenurehq/tenure/hr"
)

func leaves(id, recorded, effective string, d ...detail) hr.Event {
	return said(hr.EventLeaveStarted, id, recorded, effective, d...)
}

func returns(id, recorded, effective string) hr.Event {
	return said(hr.EventLeaveEnded, id, recorded, effective)
}

func suspended(id, recorded string) hr.Event { return said(hr.EventSuspended, id, recorded, "") }

func reinstated(id, recorded string) hr.Event { return said(hr.EventReinstated, id, recorded, "") }

func TestMergeLeave(t *testing.T) {
	hire := hired("h", "2025-12-01", "2026-01-01")
	at := "h: 2026-01-01 ..; h"
	tell(t, []story{
		{
			"by effective date",
			[]hr.Event{hire, returns("e", "2026-01-10", "2026-04-01"), leaves("l", "2026-01-20", "2026-02-01")},
			[]string{at, "leave by l: 2026-02-01 .. 2026-04-01"},
		},
		{
			"the expected return is a hint",
			[]hr.Event{hire, leaves("l", "2026-01-20", "2026-02-01", func(e *hr.Event) {
				e.Leave = &hr.Leave{ExpectedReturn: day("2026-04-01")}
			})},
			[]string{at, "leave by l: 2026-02-01 .."},
		},
		{
			"said twice",
			[]hr.Event{
				hire, leaves("l", "2026-01-20", "2026-02-01"), leaves("l2", "2026-01-21", "2026-02-10"),
				returns("e", "2026-03-10", "2026-04-01"), returns("e2", "2026-03-10", "2026-04-02"),
			},
			[]string{at, "leave by l: 2026-02-01 .. 2026-04-02", "leave_within_leave: l2"},
		},
		{
			"one after another",
			[]hr.Event{
				hire, leaves("l", "2026-01-20", "2026-02-01"), returns("e", "2026-02-10", "2026-03-01"),
				leaves("l2", "2026-02-20", "2026-03-01"),
			},
			[]string{at, "leave by l: 2026-02-01 .. 2026-03-01", "leave by l2: 2026-03-01 .."},
		},
		{
			"over on the day it began",
			[]hr.Event{hire, leaves("l", "2026-01-20", "2026-02-01"), returns("e", "2026-01-21", "2026-02-01")},
			[]string{at},
		},
		{
			"of whom no profile is known",
			[]hr.Event{leaves("l", "2026-01-20", "2026-02-01")},
			nil,
		},
		{
			"ended by a rehire",
			[]hr.Event{
				hire, leaves("l", "2026-01-20", "2026-02-01"), terminated("t", "2026-03-01", "2026-03-31"),
				rehired("r", "2026-04-01", "2026-05-01"),
			},
			[]string{
				"h: 2026-01-01 .. 2026-04-01 terminated by t; h", "r: 2026-05-01 ..; r",
				"leave by l: 2026-02-01 .. 2026-05-01",
			},
		},
		{
			"once in each employment",
			[]hr.Event{
				hire, leaves("l", "2026-01-20", "2026-02-01"), terminated("t", "2026-03-01", "2026-03-31"),
				rehired("r", "2026-04-01", "2026-05-01"), leaves("l2", "2026-05-20", "2026-06-01"),
			},
			[]string{
				"h: 2026-01-01 .. 2026-04-01 terminated by t; h", "r: 2026-05-01 ..; r",
				"leave by l: 2026-02-01 .. 2026-05-01", "leave by l2: 2026-06-01 ..",
			},
		},
		{
			"rescinded",
			[]hr.Event{hire, leaves("l", "2026-01-20", "2026-02-01"), rescinded("r", "2026-01-21", "l")},
			[]string{at},
		},
	})
}

func TestMergeSuspension(t *testing.T) {
	hire := hired("h", "2025-12-01", "2026-01-01")
	at := "h: 2026-01-01 ..; h"
	tell(t, []story{
		{
			"from the instant it was recorded",
			[]hr.Event{hire, suspended("s", "2026-02-03T10:00:00Z")},
			[]string{at, "suspended by s: 2026-02-03T10:00Z .."},
		},
		{
			"until reinstated",
			[]hr.Event{
				hire, reinstated("i", "2026-02-03T11:00:00Z"), suspended("s", "2026-02-03T10:00:00Z"),
				reinstated("i0", "2026-02-01"),
			},
			[]string{at, "suspended by s: 2026-02-03T10:00Z .. 2026-02-03T11:00Z"},
		},
		{
			"said twice",
			[]hr.Event{
				hire, suspended("s", "2026-02-03T10:00:00Z"), suspended("s2", "2026-02-03T10:30:00Z"),
				reinstated("i", "2026-02-03T11:00:00Z"), suspended("s3", "2026-02-04"),
			},
			[]string{
				at, "suspended by s: 2026-02-03T10:00Z .. 2026-02-03T11:00Z", "suspended by s3: 2026-02-04T12:00Z ..",
			},
		},
		{
			"whose reinstatement was rescinded",
			[]hr.Event{
				hire, suspended("s", "2026-02-03T10:00:00Z"), reinstated("i", "2026-02-03T11:00:00Z"),
				rescinded("r", "2026-02-04", "i"),
			},
			[]string{
				at, "suspended by s: 2026-02-03T10:00Z .. 2026-02-03T11:00Z", "rescinds_security: r",
			},
		},
	})
}
