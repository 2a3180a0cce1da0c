package hr_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
)

// stands returns a standing as text: status, period, profile, since, next change.
func stands(s hr.Standing) string {
	text := string(s.Status)
	if s.Period != nil {
		text += fmt.Sprintf(" %s/%s", s.Period.Opened.ID, s.Profile.JobTitle)
	}
	if s.Urgent {
		text += " urgently"
	}
	if !s.Since.IsZero() {
		text += " since " + when(s.Since)
	}
	if !s.Changes.IsZero() {
		text += " until " + when(s.Changes)
	}
	return text
}

func TestAt(t *testing.T) {
	type look struct{ at, want string }
	hire := hired("h", "2025-12-01", "2026-01-01")
	left := terminated("t", "2026-06-01", "2026-06-30")
	tests := []struct {
		name   string
		events []hr.Event
		looks  []look
	}{
		{"nothing known", nil, []look{{"2026-01-01", "unknown"}}},
		{
			"nothing but a suspension known",
			[]hr.Event{suspended("s", "2026-01-01")},
			[]look{{"2025-12-31", "unknown until 2026-01-01T12:00Z"}, {"2026-02-01", "suspended urgently since 2026-01-01T12:00Z"}},
		},
		{
			"an employment, to the second",
			[]hr.Event{hire, left},
			[]look{
				{"2025-01-01", "upcoming h/h until 2026-01-01"},
				{"2025-12-31T23:59:59Z", "upcoming h/h until 2026-01-01"},
				{"2026-01-01T00:00:00Z", "active h/h since 2026-01-01 until 2026-07-01"},
				{"2026-06-30T23:59:59Z", "active h/h since 2026-01-01 until 2026-07-01"},
				{"2026-07-01T00:00:00Z", "ended h/h since 2026-07-01"},
				{"2036-07-01T00:00:00Z", "ended h/h since 2026-07-01"},
			},
		},
		{
			"a mover",
			[]hr.Event{hire, transferred("x", "2026-02-01", "2026-03-01", starting("2026-01-01"))},
			[]look{
				{"2026-02-28T23:59:59Z", "active h/h since 2026-01-01 until 2026-03-01"},
				{"2026-03-01T00:00:00Z", "active h/x since 2026-01-01"},
			},
		},
		{
			"news before the start",
			[]hr.Event{hire, updated("u", "2025-12-10", "2025-12-10", starting("2026-01-01"))},
			[]look{
				{"2025-12-05", "upcoming h/u until 2026-01-01"},
				{"2025-12-15", "upcoming h/u until 2026-01-01"},
				{"2026-01-01", "active h/h since 2026-01-01"},
			},
		},
		{
			"gone and to return",
			[]hr.Event{hire, left, rehired("r", "2026-08-01", "2026-09-01")},
			[]look{
				{"2026-08-02", "ended h/h since 2026-07-01 until 2026-09-01"},
				{"2026-09-01", "active r/r since 2026-09-01"},
			},
		},
		{
			"superseded without a gap",
			[]hr.Event{hire, rehired("r", "2026-08-01", "2026-09-01")},
			[]look{
				{"2026-08-02", "active h/h since 2026-01-01 until 2026-09-01"},
				{"2026-09-01", "active r/r since 2026-09-01"},
			},
		},
		{
			"who never came",
			[]hr.Event{hire, terminated("t", "2025-12-10", "2025-12-20")},
			[]look{{"2025-12-02", "ended h/h since 2025-12-21"}, {"2026-02-01", "ended h/h since 2025-12-21"}},
		},
		{
			"who never came and is to come now",
			[]hr.Event{hire, terminated("t", "2025-12-10", "2025-12-20"), rehired("r", "2026-01-01", "2026-02-01")},
			[]look{{"2026-01-15", "upcoming r/r until 2026-02-01"}, {"2026-02-01", "active r/r since 2026-02-01"}},
		},
		{
			"out at once",
			[]hr.Event{hire, terminated("t", "2026-06-01T10:00:00Z", "2026-06-30", immediate)},
			[]look{{"2026-06-01T10:00:00Z", "ended h/h urgently since 2026-06-01T10:00Z"}},
		},
		{
			"on leave",
			[]hr.Event{hire, leaves("l", "2026-01-20", "2026-02-01"), returns("e", "2026-03-10", "2026-04-01"), left},
			[]look{
				{"2026-01-20", "active h/h since 2026-01-01 until 2026-02-01"},
				{"2026-02-01T00:00:00Z", "on_leave h/h since 2026-02-01 until 2026-04-01"},
				{"2026-04-01T00:00:00Z", "active h/h since 2026-04-01 until 2026-07-01"},
			},
		},
		{
			"terminated on leave",
			[]hr.Event{hire, leaves("l", "2026-01-20", "2026-02-01"), left, returns("e", "2026-03-10", "2026-09-01")},
			[]look{
				{"2026-03-01", "on_leave h/h since 2026-02-01 until 2026-07-01"},
				{"2026-07-01", "ended h/h since 2026-07-01"},
			},
		},
		{
			"on leave from the start",
			[]hr.Event{hire, leaves("l", "2025-12-20", "2025-12-15")},
			[]look{
				{"2025-12-20", "upcoming h/h until 2026-01-01"},
				{"2026-01-01", "on_leave h/h since 2026-01-01"},
			},
		},
		{
			"suspended, whatever else holds",
			[]hr.Event{
				hire, suspended("s", "2025-12-20"), reinstated("i", "2026-01-10"),
				leaves("l", "2026-01-20", "2026-02-01"), suspended("s2", "2026-02-10"), reinstated("i2", "2026-02-11"),
				left, suspended("s3", "2026-07-10"), reinstated("i3", "2026-07-11"),
			},
			[]look{
				{"2025-12-21", "suspended h/h urgently since 2025-12-20T12:00Z until 2026-01-10T12:00Z"},
				{"2026-01-05", "suspended h/h urgently since 2025-12-20T12:00Z until 2026-01-10T12:00Z"},
				{"2026-01-15", "active h/h since 2026-01-10T12:00Z until 2026-02-01"},
				{"2026-02-10T13:00:00Z", "suspended h/h urgently since 2026-02-10T12:00Z until 2026-02-11T12:00Z"},
				{"2026-02-12", "on_leave h/h since 2026-02-01 until 2026-07-01"},
				{"2026-07-10T13:00:00Z", "suspended h/h urgently since 2026-07-10T12:00Z until 2026-07-11T12:00Z"},
				{"2026-07-12", "ended h/h since 2026-07-01"},
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			timeline := merge(tt.events...)
			for _, l := range tt.looks {
				assert.Equal(t, l.want, stands(timeline.At(instant(l.at))), "at %s", l.at)
			}
		})
	}
}

// Dates begin and end in the person's own zone, to the second, in every zone and also on
// days on which its clocks change.
func TestDatesAreReadInThePersonsZone(t *testing.T) {
	tests := []struct {
		zone, first, last string
		starts, ends      string
	}{
		{"Europe/Berlin", "2026-03-29", "2026-10-25", "2026-03-28T23:00:00Z", "2026-10-25T23:00:00Z"},
		{"America/New_York", "2026-03-08", "2026-11-01", "2026-03-08T05:00:00Z", "2026-11-02T05:00:00Z"},
		{"Pacific/Kiritimati", "2026-01-01", "2026-06-30", "2025-12-31T10:00:00Z", "2026-06-30T10:00:00Z"},
		{"Pacific/Pago_Pago", "2026-01-01", "2026-06-30", "2026-01-01T11:00:00Z", "2026-07-01T11:00:00Z"},
		{"America/Sao_Paulo", "2018-11-04", "2019-02-16", "2018-11-04T03:00:00Z", "2019-02-17T03:00:00Z"},
		{"America/Sao_Paulo", "2018-11-01", "2018-11-03", "2018-11-01T03:00:00Z", "2018-11-04T03:00:00Z"},
		{"Africa/Cairo", "2024-04-26", "2024-10-31", "2024-04-25T22:00:00Z", "2024-10-31T22:00:00Z"},
		{"Africa/Cairo", "2024-04-01", "2024-04-25", "2024-03-31T22:00:00Z", "2024-04-25T22:00:00Z"},
		{"America/Havana", "2026-11-01", "2026-11-01", "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z"},
		{"Pacific/Apia", "2011-12-01", "2011-12-29", "2011-12-01T10:00:00Z", "2011-12-30T10:00:00Z"},
		{"Asia/Kathmandu", "2026-01-01", "2026-06-30", "2025-12-31T18:15:00Z", "2026-06-30T18:15:00Z"},
	}
	for _, tt := range tests {
		t.Run(tt.zone+" "+tt.last, func(t *testing.T) {
			timeline := merge(
				hired("h", "2010-01-01", tt.first, in(tt.zone)),
				terminated("t", "2011-01-01", tt.last),
			)
			require.Len(t, timeline.Periods, 1)
			starts, ends := instant(tt.starts), instant(tt.ends)
			assert.Equal(t, starts, timeline.Periods[0].Starts, "starts")
			assert.Equal(t, ends, timeline.Periods[0].Ends, "ends")
			assert.Equal(t, hr.StatusUpcoming, timeline.At(starts.Add(-time.Second)).Status)
			assert.Equal(t, hr.StatusActive, timeline.At(starts).Status)
			assert.Equal(t, hr.StatusActive, timeline.At(ends.Add(-time.Second)).Status)
			assert.Equal(t, hr.StatusEnded, timeline.At(ends).Status)
		})
	}
}

func TestZoneOfTheProfileInForce(t *testing.T) {
	since := starting("2026-01-01")
	t.Run("on the last day", func(t *testing.T) {
		timeline := merge(
			hired("h", "2025-12-01", "2026-01-01", in("Pacific/Kiritimati")),
			updated("u", "2026-02-01", "2026-06-30", since, in("Pacific/Pago_Pago")),
			terminated("t", "2026-06-01", "2026-06-30"),
			updated("v", "2026-02-01", "2026-07-01", since, in("Asia/Tokyo")),
		)
		assert.Equal(t, instant("2025-12-31T10:00:00Z"), timeline.Periods[0].Starts)
		assert.Equal(t, instant("2026-07-01T11:00:00Z"), timeline.Periods[0].Ends)
	})
	t.Run("moved east over the date line on the next day", func(t *testing.T) {
		timeline := merge(
			hired("h", "2025-12-01", "2026-01-01"),
			updated("u", "2026-02-01", "2026-06-29", since, in("Pacific/Pago_Pago")),
			updated("v", "2026-02-01", "2026-06-30", since, in("Pacific/Kiritimati")),
		)
		assert.Equal(t, []string{"h: 2026-01-01 ..; h, v from 2026-06-29T11:00Z"}, lines(timeline))
	})
	t.Run("on the first day of a leave", func(t *testing.T) {
		timeline := merge(
			hired("h", "2025-12-01", "2026-01-01"),
			updated("u", "2026-02-01", "2026-03-01", since, in("Asia/Tokyo")),
			leaves("l", "2026-01-20", "2026-02-01"), returns("e", "2026-01-20", "2026-04-01"),
		)
		require.Len(t, timeline.Absences, 1)
		assert.Equal(t, instant("2026-02-01T00:00:00Z"), timeline.Absences[0].From)
		assert.Equal(t, instant("2026-03-31T15:00:00Z"), timeline.Absences[0].To)
	})
	t.Run("unknown to this machine", func(t *testing.T) {
		timeline := merge(hired("h", "2025-12-01", "2026-01-01", in("Atlantis/Poseidonis")))
		assert.Equal(t, instant("2026-01-01T00:00:00Z"), timeline.Periods[0].Starts)
	})
}
