package sourcetest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source"
)

// Timeline returns the timeline of the events of examples, which may be in any order.
func Timeline(t *testing.T, kind source.Kind, settings source.Settings, person string, names ...string) hr.Timeline {
	t.Helper()
	decode := Open(t, kind, settings).Decode
	var events []hr.Event
	for _, name := range names {
		events = append(events, Named(t, name).Events(t, decode)...)
	}
	return hr.Merge(person, events)
}

// Midnight returns the first instant of a day in a zone, in UTC.
func Midnight(t *testing.T, zone, day string) time.Time {
	t.Helper()
	loc, err := time.LoadLocation(zone)
	require.NoError(t, err)
	d, err := time.ParseInLocation(time.DateOnly, day, loc)
	require.NoError(t, err)
	return d.UTC()
}
