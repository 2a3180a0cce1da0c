package notice_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tenurehq/tenure/notice"
)

func zone(t require.TestingT, name string) *time.Location {
	z, err := time.LoadLocation(name)
	require.NoError(t, err)
	return z
}

func TestHoursOpenInTheZoneOfTheRecipient(t *testing.T) {
	for _, c := range []struct{ hours, zone, at, want string }{
		{"08:00-18:00", "UTC", "2026-11-30T07:59:59Z", "2026-11-30T08:00:00Z"},
		{"08:00-18:00", "UTC", "2026-11-30T08:00:00Z", "2026-11-30T08:00:00Z"},
		{"08:00-18:00", "UTC", "2026-11-30T17:59:59Z", "2026-11-30T17:59:59Z"},
		{"08:00-18:00", "UTC", "2026-11-30T18:00:00Z", "2026-12-01T08:00:00Z"},
		{"08:00-18:00", "America/New_York", "2026-11-30T09:00:00Z", "2026-11-30T13:00:00Z"},
		{"08:00-18:00", "Asia/Kathmandu", "2026-11-30T13:00:00Z", "2026-12-01T02:15:00Z"},
		// The nights in which clocks are set: seven hours from midnight to eight, and nine.
		{"08:00-18:00", "Europe/Berlin", "2026-03-28T23:00:00Z", "2026-03-29T06:00:00Z"},
		{"08:00-18:00", "Europe/Berlin", "2026-10-24T22:00:00Z", "2026-10-25T07:00:00Z"},
		// Half past two is not on that day in spring: the hours open when the clock has leapt over it.
		{"02:30-04:00", "Europe/Berlin", "2026-03-29T00:00:00Z", "2026-03-29T01:30:00Z"},
		// Apia left out the 30th of December 2011.
		{"08:00-18:00", "Pacific/Apia", "2011-12-30T09:00:00Z", "2011-12-30T18:00:00Z"},
		{"00:00-24:00", "Europe/Berlin", "2026-03-29T00:30:00Z", "2026-03-29T00:30:00Z"},
	} {
		hours, err := notice.ParseHours(c.hours)
		require.NoError(t, err)
		at, err := time.Parse(time.RFC3339, c.at)
		require.NoError(t, err)
		assert.Equal(t, c.want, hours.Next(at, zone(t, c.zone), notice.Days{}).UTC().Format(time.RFC3339), "%+v", c)
	}
}

func TestNothingIsSentOutsideTheHours(t *testing.T) {
	zones := []string{"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "Asia/Kathmandu", "Pacific/Apia", "America/Santiago"}
	rapid.Check(t, func(t *rapid.T) {
		from := rapid.IntRange(4, 22).Draw(t, "from")
		hours := notice.Hours{From: time.Duration(from) * time.Hour, To: time.Duration(rapid.IntRange(from+1, 24).Draw(t, "to")) * time.Hour}
		at := time.Unix(rapid.Int64Range(1_300_000_000, 2_000_000_000).Draw(t, "at"), 0)
		z := zone(t, rapid.SampledFrom(zones).Draw(t, "zone"))
		days, most := notice.Days{}, 49*time.Hour
		if rapid.Bool().Draw(t, "some days") {
			some := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"}), 1, 7, rapid.ID).Draw(t, "days")
			var err error
			days, err = notice.ParseDays(strings.Join(some, ","))
			require.NoError(t, err)
			most = 15 * 24 * time.Hour
		}
		next := hours.Next(at, z, days)
		if next.Before(at) || next.Sub(at) > most {
			t.Fatalf("%s is sent at %s", at, next)
		}
		wall := next.In(z)
		since := time.Duration(wall.Hour())*time.Hour + time.Duration(wall.Minute())*time.Minute
		if since < hours.From || since >= hours.To {
			t.Fatalf("%s is outside %s", wall, hours)
		}
		if !days.Has(wall.Weekday()) {
			t.Fatalf("%s is on none of %s", wall, days)
		}
		if !hours.Next(next, z, days).Equal(next) {
			t.Fatalf("%s is not open", next)
		}
	})
}

func TestHoursAreTwoTimesOfADay(t *testing.T) {
	for _, text := range []string{"", "8", "08:00", "18:00-08:00", "08:00-08:00", "08:00-25:00", "a-b"} {
		_, err := notice.ParseHours(text)
		assert.Error(t, err, text)
	}
	hours, err := notice.ParseHours("07:30-24:00")
	require.NoError(t, err)
	assert.Equal(t, "07:30-24:00", hours.String())
}

func TestDaysAreThoseOfTheRecipientsWeek(t *testing.T) {
	for _, c := range []struct{ days, zone, at, want string }{
		{"Mon-Fri", "UTC", "2026-11-27T17:59:59Z", "2026-11-27T17:59:59Z"}, // a Friday
		{"Mon-Fri", "UTC", "2026-11-27T18:00:00Z", "2026-11-30T08:00:00Z"},
		{"Mon-Fri", "UTC", "2026-11-28T12:00:00Z", "2026-11-30T08:00:00Z"},
		{"Sun-Thu", "Asia/Riyadh", "2026-11-27T12:00:00Z", "2026-11-29T05:00:00Z"},
		// Still Sunday where the recipient is, and Monday already.
		{"Mon-Fri", "America/Los_Angeles", "2026-11-30T05:00:00Z", "2026-11-30T16:00:00Z"},
		{"Mon-Fri", "Pacific/Auckland", "2026-11-29T19:30:00Z", "2026-11-29T19:30:00Z"},
		{"Wed", "UTC", "2026-12-02T18:00:00Z", "2026-12-09T08:00:00Z"},
		// The only Friday of that week was left out in Apia.
		{"Fri", "Pacific/Apia", "2011-12-24T09:00:00Z", "2012-01-05T18:00:00Z"},
	} {
		hours, err := notice.ParseHours("08:00-18:00")
		require.NoError(t, err)
		days, err := notice.ParseDays(c.days)
		require.NoError(t, err)
		at, err := time.Parse(time.RFC3339, c.at)
		require.NoError(t, err)
		assert.Equal(t, c.want, hours.Next(at, zone(t, c.zone), days).UTC().Format(time.RFC3339), "%+v", c)
	}
}

func TestDaysAreDaysOfTheWeek(t *testing.T) {
	for _, text := range []string{"", "Mo", "Mon-", "-Fri", "Mon-Fri-Sun", "Mon,,Tue", "weekdays", "1-5"} {
		_, err := notice.ParseDays(text)
		assert.Error(t, err, text)
	}
	for text, want := range map[string]string{
		"Mon-Fri": "Mon,Tue,Wed,Thu,Fri", "Sun-Thu": "Mon,Tue,Wed,Thu,Sun", "sat": "Sat", "Fri-Mon": "Mon,Fri,Sat,Sun", "Mon-Sun": "Mon,Tue,Wed,Thu,Fri,Sat,Sun",
		"Mon, Wed-Fri": "Mon,Wed,Thu,Fri",
	} {
		days, err := notice.ParseDays(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, days.String(), text)
	}
	assert.Equal(t, "Mon,Tue,Wed,Thu,Fri,Sat,Sun", notice.Days{}.String())
}
