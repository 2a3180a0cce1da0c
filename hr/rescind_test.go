package hr_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tenurehq/tenure/hr"
)

func TestMergeRescind(t *testing.T) {
	since := starting("2026-01-01")
	hire := hired("h", "2025-12-01", "2026-01-01")
	move := transferred("x", "2026-02-01", "2026-03-01", since)
	left := terminated("t", "2026-06-01", "2026-06-30")
	tell(t, []story{
		{
			"a transfer",
			[]hr.Event{hire, move, rescinded("r", "2026-02-02", "x")},
			[]string{"h: 2026-01-01 ..; h"},
		},
		{
			"a termination, arriving before it",
			[]hr.Event{rescinded("r", "2026-06-02", "t"), hire, left},
			[]string{"h: 2026-01-01 ..; h"},
		},
		{
			"recorded before what it names",
			[]hr.Event{hire, left, rescinded("r", "2026-05-02", "t")},
			[]string{"h: 2026-01-01 ..; h"},
		},
		{
			"of another source",
			[]hr.Event{hire, move, said(hr.EventRescinded, "r", "2026-02-02", "", source("/other"),
				func(e *hr.Event) { e.Rescinds = "x" })},
			[]string{"h: 2026-01-01 ..; h, x from 2026-03-01"},
		},
		{
			"that was rescinded",
			[]hr.Event{hire, left, rescinded("r", "2026-06-02", "t"), rescinded("r2", "2026-06-03", "r")},
			[]string{"h: 2026-01-01 .. 2026-07-01 terminated by t; h"},
		},
		{
			"whose rescind was rescinded",
			[]hr.Event{
				hire, left,
				rescinded("r", "2026-06-02", "t"), rescinded("r2", "2026-06-03", "r"), rescinded("r3", "2026-06-04", "r2"),
			},
			[]string{"h: 2026-01-01 ..; h"},
		},
		{
			"itself, or nothing",
			[]hr.Event{hire, rescinded("r", "2026-06-02", "r"), rescinded("r2", "2026-06-02", "nothing")},
			[]string{"h: 2026-01-01 ..; h"},
		},
		{
			"each other: the later one holds",
			[]hr.Event{hire, rescinded("r", "2026-06-02", "r2"), rescinded("r2", "2026-06-03", "r")},
			[]string{"h: 2026-01-01 ..; h"},
		},
		{
			"a hire, and with it what was said of it",
			[]hr.Event{hire, move, updated("u", "2025-12-02", "2025-12-02", since), rescinded("r", "2026-02-02", "h")},
			nil,
		},
		{
			"a hire, but not what is said afterwards",
			[]hr.Event{hire, move, rescinded("r", "2026-01-02", "h")},
			[]string{"x: 2026-01-01 ..; x"},
		},
		{
			"a hire that was said again",
			[]hr.Event{hire, move, hired("h2", "2025-12-05", "2026-01-01"), rescinded("r", "2026-02-02", "h")},
			[]string{"h2: 2026-01-01 ..; h2, x from 2026-03-01"},
		},
		{
			"a hire of somebody known before it",
			[]hr.Event{
				transferred("x", "2020-01-01", "2020-01-01"), hired("h", "2026-01-01", "2026-02-01"),
				rescinded("r", "2026-02-02", "h"),
			},
			[]string{"x: 2020-01-01 ..; x"},
		},
		{
			"a hire that was not applied",
			[]hr.Event{
				transferred("x", "2025-12-02", "2026-01-01"), left,
				hired("h2", "2026-07-01", "2026-08-01"), rescinded("r", "2026-07-02", "h2"),
			},
			[]string{"x: 2026-01-01 .. 2026-07-01 terminated by t; x"},
		},
		{
			"a rehire, and with it what was said of it",
			[]hr.Event{
				hire, left, rehired("b", "2026-08-01", "2026-09-01"),
				updated("u", "2026-08-02", "2026-09-15", starting("2026-09-01")), rescinded("r", "2026-08-03", "b"),
			},
			[]string{"h: 2026-01-01 .. 2026-07-01 terminated by t; h"},
		},
		{
			"a rehire, but not what was said before it",
			[]hr.Event{
				hire, updated("u", "2026-07-02", "2026-09-15", since),
				rehired("b", "2026-08-01", "2026-09-01"), rescinded("r", "2026-08-03", "b"),
			},
			[]string{"h: 2026-01-01 ..; h, u from 2026-09-15"},
		},
	})
}

func TestEndingByARescind(t *testing.T) {
	since := starting("2026-01-01")
	hire := hired("h", "2025-12-01", "2026-01-01")
	leave := said(hr.EventLeaveStarted, "l", "2026-02-01", "2026-03-01")
	again := rehired("h2", "2026-04-01", "2026-05-01")
	for _, tc := range []struct {
		name   string
		events []hr.Event
		want   string
	}{
		{"none", []hr.Event{hire, leave}, ""},
		{"of a hire", []hr.Event{hire, rescinded("r", "2026-02-02", "h")}, "r"},
		{"of a hire, whatever is rescinded after it", []hr.Event{hire, leave, rescinded("r", "2026-02-02", "h"), rescinded("r2", "2026-02-03", "l")}, "r"},
		{"of a hire, after another rescind", []hr.Event{hire, leave, rescinded("r", "2026-02-02", "l"), rescinded("r2", "2026-02-03", "h")}, "r2"},
		{"of a hire twice", []hr.Event{hire, rescinded("r", "2026-02-02", "h"), rescinded("r2", "2026-02-03", "h")}, "r2"},
		{"of a hire, void itself", []hr.Event{hire, rescinded("r", "2026-02-02", "h"), rescinded("r2", "2026-02-03", "r")}, ""},
		{"of a hire and a rehire", []hr.Event{hire, again, rescinded("r", "2026-05-02", "h2"), rescinded("r2", "2026-05-03", "h")}, "r2"},
		{"of a leave", []hr.Event{hire, leave, rescinded("r", "2026-02-02", "l")}, ""},
		{"of all that is known, where no hire is", []hr.Event{
			transferred("x", "2026-02-01", "2026-03-01", since), leave, rescinded("r", "2026-02-02", "x"), rescinded("r2", "2026-02-03", "l"),
		}, "r"},
		{"of another source", []hr.Event{hire, said(hr.EventRescinded, "r", "2026-02-02", "", source("/other"),
			func(e *hr.Event) { e.Rescinds = "h" })}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			assert.Equal(t, tc.want, hr.Ending(hire.PersonID, tc.events, instant("2026-06-01")).ID)
			slices.Reverse(tc.events)
			assert.Equal(t, tc.want, hr.Ending(hire.PersonID, tc.events, instant("2026-06-01")).ID, "in whatever order they came")
		})
	}
}

func TestEnding(t *testing.T) {
	hire := hired("h", "2025-12-01", "2026-01-01")
	left := terminated("t", "2026-02-01", "2026-02-28")
	again := rehired("b", "2026-03-01", "2026-04-01")
	for _, tc := range []struct {
		name   string
		events []hr.Event
		now    string
		want   string
	}{
		{"by a termination", []hr.Event{hire, left}, "2026-03-15", "t"},
		{"of who never came, before they were to", []hr.Event{hire, terminated("t", "2025-12-10", "2025-12-15")}, "2025-12-12", "t"},
		{"of who has not left", []hr.Event{hire, left, rescinded("r", "2026-02-02", "t")}, "2026-03-15", ""},
		{"by a rescind of the hire", []hr.Event{hire, rescinded("r", "2026-02-02", "h")}, "2026-03-15", "r"},
		{"by a rescind of the rehire, which brings the termination back", []hr.Event{hire, left, again, rescinded("r", "2026-05-01", "b")}, "2026-05-02", "r"},
		{"before the rehire that is rescinded began", []hr.Event{hire, left, again, rescinded("r", "2026-03-10", "b")}, "2026-03-15", "t"},
		{"by a termination that stands again", []hr.Event{hire, left, rescinded("r", "2026-03-02", "t"), rescinded("r2", "2026-03-05", "r")}, "2026-03-15", "r2"},
		{"whatever was rescinded before", []hr.Event{hire, rescinded("r", "2026-01-10", "x"), left}, "2026-03-15", "t"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			assert.Equal(t, tc.want, hr.Ending(hire.PersonID, tc.events, instant(tc.now)).ID)
			slices.Reverse(tc.events)
			assert.Equal(t, tc.want, hr.Ending(hire.PersonID, tc.events, instant(tc.now)).ID, "in whatever order they came")
		})
	}
}
