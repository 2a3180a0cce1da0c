package hr_test

import (
	"testing"

	"github.com/tenurehq/tenure/hr"
)

func TestMergeContract(t *testing.T) {
	since := starting("2026-01-01")
	hire := hired("h", "2025-12-01", "2026-01-01", until("2026-06-30"))
	lapsed := "h: 2026-01-01 .. 2026-07-01 contract by h; h"
	tell(t, []story{
		{
			"ends at the end of its last day",
			[]hr.Event{hire},
			[]string{lapsed},
		},
		{
			"extended",
			[]hr.Event{hire, updated("u", "2026-06-01", "2026-06-01", since, until("2026-12-31"))},
			[]string{"h: 2026-01-01 .. 2027-01-01 contract by u; h, u from 2026-06-01"},
		},
		{
			"extended from the very day of the end",
			[]hr.Event{hire, updated("u", "2026-06-01", "2026-07-01", since, until("2026-12-31"))},
			[]string{"h: 2026-01-01 .. 2027-01-01 contract by u; h, u from 2026-07-01"},
		},
		{
			"shortened",
			[]hr.Event{hire, updated("u", "2026-03-01", "2026-03-01", since, until("2026-04-30"))},
			[]string{"h: 2026-01-01 .. 2026-05-01 contract by u; h, u from 2026-03-01"},
		},
		{
			"shortened to a day that has passed: ends with that news",
			[]hr.Event{hire, updated("u", "2026-03-01", "2026-03-01", since, until("2026-02-15"))},
			[]string{"h: 2026-01-01 .. 2026-03-01 contract by u; h"},
		},
		{
			"made permanent",
			[]hr.Event{hire, updated("u", "2026-03-01", "2026-03-01", since)},
			[]string{"h: 2026-01-01 ..; h, u from 2026-03-01"},
		},
		{
			"converted in time",
			[]hr.Event{hire, converted("c", "2026-05-01", "2026-07-01")},
			[]string{"h: 2026-01-01 ..; h, c from 2026-07-01"},
		},
		{
			"changed after the end",
			[]hr.Event{
				hire, updated("u", "2026-07-05", "2026-07-05", since),
				transferred("x", "2026-07-06", "2026-07-06", since, until("2026-06-30")),
				hired("h2", "2026-07-07", "2026-07-07"),
			},
			[]string{lapsed, "changed_after_end: u", "changed_after_end: x", "changed_after_end: h2"},
		},
		{
			"stale news from the day after the end",
			[]hr.Event{hire, transferred("x", "2026-06-06", "2026-07-01", since, until("2026-06-30"))},
			[]string{lapsed, "changed_after_end: x"},
		},
		{
			"the next contract, announced before the end",
			[]hr.Event{hire, updated("u", "2026-06-01", "2026-09-01", since, until("2026-12-31"))},
			[]string{lapsed, "u: 2026-09-01 .. 2027-01-01 contract by u; u"},
		},
		{
			"a contract that starts later, announced before the end",
			[]hr.Event{hire, updated("u", "2026-06-01", "2026-08-01", starting("2026-09-01"), until("2026-12-31"))},
			[]string{lapsed, "u: 2026-09-01 .. 2027-01-01 contract by u; u"},
		},
		{
			"a conversion announced before the end",
			[]hr.Event{hire, converted("c", "2026-06-01", "2026-09-01")},
			[]string{lapsed, "c: 2026-09-01 ..; c"},
		},
		{
			"not resumed by the next contract",
			[]hr.Event{hire, updated("u", "2026-08-01", "2026-09-01", since, until("2026-12-31"))},
			[]string{lapsed, "changed_after_end: u"},
		},
		{
			"nor by one that starts later",
			[]hr.Event{hire, updated("u", "2026-08-01", "2026-08-01", starting("2026-09-01"), until("2026-12-31"))},
			[]string{lapsed, "changed_after_end: u"},
		},
		{
			"nor by a conversion",
			[]hr.Event{hire, converted("c", "2026-08-01", "2026-09-01")},
			[]string{lapsed, "changed_after_end: c"},
		},
		{
			"nor by a correction that is dated back",
			[]hr.Event{
				hire, updated("u", "2026-07-02", "2026-06-01", since, until("2026-12-31")), hired("h2", "2026-07-03", "2026-01-01"),
				updated("v", "2026-07-04", "2026-07-01", since),
			},
			[]string{lapsed, "changed_after_end: u", "changed_after_end: h2", "changed_after_end: v"},
		},
		{
			"nor after news that change nothing",
			[]hr.Event{
				hire, updated("n", "2026-07-02", "2026-05-01", since, until("2026-06-30")),
				updated("u", "2026-07-03", "2026-06-01", since, until("2026-12-31")),
			},
			[]string{"h: 2026-01-01 .. 2026-07-01 contract by n; h, n from 2026-05-01", "changed_after_end: u"},
		},
		{
			"extended in the last hour",
			[]hr.Event{hire, updated("u", "2026-06-30T23:30:00Z", "2026-07-01", since, until("2026-12-31"))},
			[]string{"h: 2026-01-01 .. 2027-01-01 contract by u; h, u from 2026-07-01"},
		},
		{
			"an hour too late",
			[]hr.Event{hire, updated("u", "2026-07-01T00:30:00Z", "2026-07-01", since, until("2026-12-31"))},
			[]string{lapsed, "changed_after_end: u"},
		},
		{
			"recorded in time and received too late",
			[]hr.Event{hire, updated("u", "2026-06-29", "2026-07-01", since, until("2026-12-31"), received("2026-07-02"))},
			[]string{"h: 2026-01-01 .. 2027-01-01 contract by u; h, u from 2026-07-01"},
		},
		{
			"the past, told at once",
			[]hr.Event{
				hired("h", "2026-10-01", "2026-01-01", until("2026-06-30")), updated("u", "2026-10-01", "2026-07-01", since, until("2026-12-31")),
			},
			[]string{"h: 2026-01-01 .. 2027-01-01 contract by u; h, u from 2026-07-01"},
		},
		{
			"brought back by rescinding what gave the end",
			[]hr.Event{
				hired("h0", "2025-12-01", "2026-01-01"), updated("e", "2026-05-01", "2026-05-02", since, until("2026-06-30")),
				rescinded("undo", "2026-07-05", "e"),
			},
			[]string{"h0: 2026-01-01 ..; h0"},
		},
		{
			"a hire that is rescinded takes late news with it",
			[]hr.Event{hire, updated("u", "2026-07-02", "2026-07-02", since), rescinded("undo", "2026-07-05", "h")},
			nil,
		},
		{
			"not resumed by a conversion that is over",
			[]hr.Event{hire, converted("c", "2026-08-01", "2026-09-01", until("2026-06-30"))},
			[]string{lapsed, "changed_after_end: c"},
		},
		{
			"resumed by a rehire",
			[]hr.Event{hire, rehired("r", "2026-08-01", "2026-09-01", since)},
			[]string{lapsed, "r: 2026-09-01 ..; r"},
		},
		{
			"news of a rehire do not resume the contract before its start",
			[]hr.Event{
				hire, rehired("r", "2026-08-01", "2026-09-01", since, until("2026-12-31")),
				updated("u", "2026-08-10", "2026-08-10", since, until("2026-12-31")),
			},
			[]string{lapsed, "r: 2026-09-01 .. 2027-01-01 contract by r; u, r from 2026-09-01"},
		},
		{
			"terminated before its end",
			[]hr.Event{hire, terminated("t", "2026-03-01", "2026-03-31")},
			[]string{"h: 2026-01-01 .. 2026-04-01 terminated by t; h"},
		},
		{
			"terminated on its last day",
			[]hr.Event{hire, terminated("t", "2026-03-01", "2026-06-30")},
			[]string{"h: 2026-01-01 .. 2026-07-01 terminated by t; h"},
		},
		{
			"a termination after its end is a latch all the same",
			[]hr.Event{
				hire, terminated("t", "2026-07-10", "2026-07-10"),
				updated("u", "2026-07-05", "2026-07-05", since),
				updated("v", "2026-07-20", "2026-07-20", since),
				updated("w", "2026-08-01", "2026-09-01", since, until("2026-12-31")),
			},
			[]string{lapsed, "changed_after_end: u"},
		},
		{
			"over before it began",
			[]hr.Event{hired("h", "2025-12-01", "2026-01-01", until("2025-06-30"))},
			[]string{"h: 2026-01-01 .. 2026-01-01 contract by h; h"},
		},
	})
}
