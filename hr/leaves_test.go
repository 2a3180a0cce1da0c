package hr_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tenurehq/tenure/hr"
)

func TestWhoLeavesByTheEndOfAPosition(t *testing.T) {
	sales := hired("h", "2025-12-01", "2026-01-01", as("A"))
	lab := hired("l", "2026-02-01", "2026-03-01", as("B"))
	endOf := func(id, on string) hr.Event { return terminated("t"+id, "2026-05-01", on, as(id)) }
	for name, c := range map[string]struct {
		events []hr.Event
		want   bool
	}{
		"nothing that HR said makes them a person of the company": {nil, true},
		"employed":                         {[]hr.Event{sales}, false},
		"the only position":                {[]hr.Event{sales, endOf("A", "2026-04-30")}, true},
		"the only position, in due time":   {[]hr.Event{sales, endOf("A", "2026-05-31")}, true},
		"one of two":                       {[]hr.Event{sales, lab, endOf("A", "2026-04-30")}, false},
		"both":                             {[]hr.Event{sales, lab, endOf("A", "2026-04-30"), endOf("B", "2026-05-31")}, true},
		"all of them at once":              {[]hr.Event{sales, lab, terminated("t", "2026-05-01", "2026-04-30")}, true},
		"a position that they do not have": {[]hr.Event{sales, lab, endOf("C", "2026-04-30")}, false},
		"one, and the other has a contract": {[]hr.Event{
			sales, hired("l", "2026-02-01", "2026-03-01", as("B"), until("2026-12-31")), endOf("A", "2026-04-30"),
		}, false},
		"one of two, while suspended": {[]hr.Event{sales, lab, endOf("A", "2026-04-30"), suspended("s", "2026-05-01")}, false},
		"both, and suspended":         {[]hr.Event{sales, lab, endOf("A", "2026-04-30"), endOf("B", "2026-04-30"), suspended("s", "2026-05-01")}, true},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, c.want, merge(c.events...).Leaves(instant("2026-05-15")))
		})
	}
}
