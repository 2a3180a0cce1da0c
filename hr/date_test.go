package hr_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tenurehq/tenure/hr"
)

func TestParseDate(t *testing.T) {
	d, err := hr.ParseDate("2024-02-29")
	require.NoError(t, err)
	assert.Equal(t, hr.Date{Year: 2024, Month: 2, Day: 29}, d)
	assert.Equal(t, "2024-02-29", d.String())
	for _, s := range []string{"", "2023-02-29", "2024-13-01", "2024-2-9", "29.02.2024", "2024-02-29T00:00:00Z"} {
		_, err := hr.ParseDate(s)
		assert.Error(t, err, "%q", s)
	}
}

func TestDateText(t *testing.T) {
	var d hr.Date
	require.NoError(t, d.UnmarshalText([]byte("2026-01-31")))
	text, err := d.AddDays(1).MarshalText()
	require.NoError(t, err)
	assert.Equal(t, "2026-02-01", string(text))
	require.NoError(t, d.UnmarshalText(nil))
	assert.True(t, d.IsZero())
	assert.Empty(t, d.String())
	assert.Error(t, d.UnmarshalText([]byte("soon")))
}

func TestStartIn(t *testing.T) {
	tests := []struct{ name, day, zone, want string }{
		{"an ordinary day", "2026-01-01", "Europe/Berlin", "2025-12-31T23:00:00Z"},
		{"clocks put forward at midnight", "2018-11-04", "America/Sao_Paulo", "2018-11-04T03:00:00Z"},
		{"clocks put back at midnight", "2018-02-18", "America/Sao_Paulo", "2018-02-18T03:00:00Z"},
		{"midnight comes twice", "2026-11-01", "America/Havana", "2026-11-01T04:00:00Z"},
		{"a day left out", "2011-12-30", "Pacific/Apia", "2011-12-30T10:00:00Z"},
		{"the day after one left out", "2011-12-31", "Pacific/Apia", "2011-12-30T10:00:00Z"},
		{"a day that came twice", "1867-10-18", "America/Juneau", "1867-10-17T08:57:41Z"},
		{"before the zone's first rule", "1800-01-01", "Europe/Berlin", "1799-12-31T23:06:32Z"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			loc, err := hr.LoadZone(tt.zone)
			require.NoError(t, err)
			assert.Equal(t, tt.want, day(tt.day).StartIn(loc).UTC().Format("2006-01-02T15:04:05Z07:00"))
		})
	}
}

// The start of a day is its first instant: the instant before it lies in an earlier day.
func TestStartInIsTheFirstInstant(t *testing.T) {
	zones := []string{
		"UTC", "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "America/Havana", "Africa/Cairo",
		"Asia/Amman", "Asia/Kathmandu", "Atlantic/Azores", "Australia/Lord_Howe", "Pacific/Apia",
		"Pacific/Kiritimati", "Pacific/Pago_Pago",
	}
	rapid.Check(t, func(t *rapid.T) {
		loc, err := hr.LoadZone(rapid.SampledFrom(zones).Draw(t, "zone"))
		require.NoError(t, err)
		d := day("1970-01-01").AddDays(rapid.IntRange(0, 30_000).Draw(t, "day"))
		start := d.StartIn(loc)
		assert.Negative(t, hr.DateOf(start.Add(-1)).Compare(d))
		assert.GreaterOrEqual(t, hr.DateOf(start).Compare(d), 0)
		assert.Equal(t, loc, start.Location())
	})
}
