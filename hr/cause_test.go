package hr_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tenurehq/tenure/hr"
)

func TestCause(t *testing.T) {
	hire := hired("h", "2025-12-01", "2026-01-01")
	move := transferred("x", "2026-02-01", "2026-03-01", starting("2026-01-01"))
	left := terminated("t", "2026-06-01", "2026-06-30")
	away := []hr.Event{hire, leaves("l", "2026-04-01", "2026-04-01"), returns("b", "2026-05-01", "2026-05-01")}
	tests := []struct {
		name      string
		events    []hr.Event
		at        string
		wantEvent string
		wantFrom  string
	}{
		{"nothing known", nil, "2026-01-01", "", ""},
		{"not started", []hr.Event{hire}, "2025-12-15", "h", "2026-01-01"},
		{"at work", []hr.Event{hire, move}, "2026-02-15", "h", "2026-01-01"},
		{"moved", []hr.Event{hire, move}, "2026-03-15", "x", "2026-03-01"},
		{"on leave", away, "2026-04-15", "l", "2026-04-01"},
		{"back from leave", away, "2026-05-15", "", "2026-05-01"},
		{"gone", []hr.Event{hire, move, left}, "2026-08-01", "t", "2026-07-01"},
		{"suspended, whatever else", []hr.Event{hire, left, suspended("s", "2026-07-15")}, "2026-08-01", "s", "2026-07-15T12:00Z"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := merge(tt.events...).Cause(instant(tt.at + "T12:00:00Z"))
			assert.Equal(t, tt.wantEvent, got.Event.ID)
			from := ""
			if !got.From.IsZero() {
				from = when(got.From)
			}
			assert.Equal(t, tt.wantFrom, from)
		})
	}
}
