package hr_test

import (
	"testing"

	"github.com/tenurehq/tenure/hr"
)

func TestMergeTermination(t *testing.T) {
	hire := hired("h", "2025-12-01", "2026-01-01")
	left := terminated("t", "2026-06-01", "2026-06-30")
	tell(t, []story{
		{
			"access ends at the end of the last day",
			[]hr.Event{hire, terminated("t", "2026-06-01", "2026-06-15", lastDay("2026-06-30"))},
			[]string{"h: 2026-01-01 .. 2026-07-01 terminated by t; h"},
		},
		{
			"no last day means the effective date",
			[]hr.Event{hire, left},
			[]string{"h: 2026-01-01 .. 2026-07-01 terminated by t; h"},
		},
		{
			"no details at all",
			[]hr.Event{hire, said(hr.EventTerminated, "t", "2026-06-01", "2026-06-30", func(e *hr.Event) { e.Termination = nil })},
			[]string{"h: 2026-01-01 .. 2026-07-01 terminated by t; h"},
		},
		{
			"at an instant that HR names",
			[]hr.Event{hire, terminated("t", "2026-06-01", "2026-06-30", accessEnds("2026-06-30T15:00:00Z"))},
			[]string{"h: 2026-01-01 .. 2026-06-30T15:00Z terminated by t; h"},
		},
		{
			"immediately means when it was recorded",
			[]hr.Event{hire, terminated("t", "2026-06-01", "2026-06-30", immediate)},
			[]string{"h: 2026-01-01 .. 2026-06-01T12:00Z terminated by t urgently; h"},
		},
		{
			"immediately goes before an instant that HR names",
			[]hr.Event{hire, terminated("t", "2026-06-01", "2026-06-30", immediate, accessEnds("2026-06-30T15:00:00Z"))},
			[]string{"h: 2026-01-01 .. 2026-06-01T12:00Z terminated by t urgently; h"},
		},
		{
			"immediately does not mean later than the last day",
			[]hr.Event{hire, terminated("t", "2026-07-20", "2026-06-30", immediate)},
			[]string{"h: 2026-01-01 .. 2026-07-01 terminated by t urgently; h"},
		},
		{
			"before the hire arrives nothing can end",
			[]hr.Event{left},
			nil,
		},
		{
			"on the day of the start",
			[]hr.Event{hire, terminated("t", "2025-12-20", "2026-01-01")},
			[]string{"h: 2026-01-01 .. 2026-01-02 terminated by t; h"},
		},
		{
			"before the start: never came",
			[]hr.Event{hire, terminated("t", "2025-12-20", "2025-12-31")},
			[]string{"h: 2026-01-01 .. 2026-01-01 terminated by t; h"},
		},
		{
			"what is effective after it does nothing",
			[]hr.Event{
				hire, left,
				transferred("x", "2026-05-01", "2026-07-01"), updated("u", "2026-08-01", "2026-08-01"),
				converted("c", "2026-08-02", "2026-09-01"),
				updated("v", "2026-08-01", "2026-06-15", starting("2026-01-01")),
			},
			[]string{"h: 2026-01-01 .. 2026-07-01 terminated by t; h, v from 2026-06-15"},
		},
	})
}

func TestMergeSeveralTerminations(t *testing.T) {
	hire := hired("h", "2025-12-01", "2026-01-01")
	left := terminated("t", "2026-06-01", "2026-06-30")
	tell(t, []story{
		{
			"same effective date: recorded later wins, even if it ends later",
			[]hr.Event{hire, left, terminated("t2", "2026-06-02", "2026-06-30", lastDay("2026-07-15"))},
			[]string{"h: 2026-01-01 .. 2026-07-16 terminated by t2; h"},
		},
		{
			"an earlier end replaces a later one",
			[]hr.Event{hire, left, terminated("t2", "2026-06-02", "2026-06-10")},
			[]string{"h: 2026-01-01 .. 2026-06-11 terminated by t2; h"},
		},
		{
			"a later end said later is a conflict",
			[]hr.Event{hire, left, terminated("t2", "2026-06-02", "2026-07-31")},
			[]string{"h: 2026-01-01 .. 2026-07-01 terminated by t; h", "later_termination: t2"},
		},
		{
			"immediate is not undone by editing",
			[]hr.Event{
				hire,
				terminated("t", "2026-06-01", "2026-06-30", immediate),
				terminated("t2", "2026-06-02", "2026-06-30"),
			},
			[]string{"h: 2026-01-01 .. 2026-06-01T12:00Z terminated by t urgently; h", "later_termination: t2"},
		},
		{
			"immediate replaces standard",
			[]hr.Event{hire, left, terminated("t2", "2026-06-02", "2026-06-30", immediate)},
			[]string{"h: 2026-01-01 .. 2026-06-02T12:00Z terminated by t2 urgently; h"},
		},
		{
			"rescinded, the other one holds",
			[]hr.Event{
				hire, left, terminated("t2", "2026-06-02", "2026-07-31"), rescinded("r", "2026-06-03", "t"),
			},
			[]string{"h: 2026-01-01 .. 2026-08-01 terminated by t2; h"},
		},
	})
}

func TestMergeHireAfterTermination(t *testing.T) {
	hire := hired("h", "2025-12-01", "2026-01-01")
	left := terminated("t", "2026-06-01", "2026-06-30")
	ended := "h: 2026-01-01 .. 2026-07-01 terminated by t; h"
	tell(t, []story{
		{
			"recorded after it",
			[]hr.Event{hire, left, hired("h2", "2026-08-01", "2026-09-01")},
			[]string{ended, "hired_after_end: h2"},
		},
		{
			"recorded before it",
			[]hr.Event{hire, left, hired("h2", "2026-05-01", "2026-09-01")},
			[]string{ended, "hired_after_end: h2"},
		},
		{
			"with the original hire date",
			[]hr.Event{hire, left, hired("h2", "2026-08-01", "2026-09-01", starting("2026-01-01"))},
			[]string{ended, "hired_after_end: h2"},
		},
		{
			"a repeated hire changes nothing",
			[]hr.Event{hire, left, hired("h2", "2026-08-01", "2026-01-01")},
			[]string{"h: 2026-01-01 .. 2026-07-01 terminated by t; h2"},
		},
		{
			"a late hire",
			[]hr.Event{left, hired("h", "2026-08-01", "2026-01-01")},
			[]string{ended},
		},
		{
			"of whom nothing else is known",
			[]hr.Event{left, hired("h2", "2026-08-01", "2026-09-01")},
			[]string{"hired_after_end: h2"},
		},
		{
			"hired, never came, hired again",
			[]hr.Event{
				hire, terminated("t", "2025-12-20", "2025-12-31"), hired("h2", "2026-02-01", "2026-03-01"),
			},
			[]string{"h: 2026-01-01 .. 2026-01-01 terminated by t; h", "hired_after_end: h2"},
		},
		{
			"called a rehire as well",
			[]hr.Event{hire, left, hired("h2", "2026-08-01", "2026-09-01"), rehired("r", "2026-08-02", "2026-09-01")},
			[]string{ended, "r: 2026-09-01 ..; r"},
		},
		{
			"called a rehire as well, with another effective date",
			[]hr.Event{
				hire, left,
				hired("h2", "2026-08-01", "2026-08-01", starting("2026-09-01")), rehired("r", "2026-08-02", "2026-09-01"),
			},
			[]string{ended, "r: 2026-09-01 ..; h2, r from 2026-09-01"},
		},
		{
			"after a rehire that was terminated",
			[]hr.Event{
				hire, left, rehired("r", "2026-08-02", "2026-09-01"),
				terminated("t2", "2026-10-01", "2026-10-31"), hired("h2", "2026-12-01", "2027-01-01"),
			},
			[]string{ended, "r: 2026-09-01 .. 2026-11-01 terminated by t2; r", "hired_after_end: h2"},
		},
	})
}
