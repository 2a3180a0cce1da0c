package rippling_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/hr/source/rippling"
	"github.com/tenurehq/tenure/hr/source/sourcetest"
)

var settings = source.Settings{"token": "t0ken", "zone": "America/Los_Angeles"}

const person = "5c8f7f06c592917aeee1ea9f"

func TestGolden(t *testing.T) { sourcetest.Golden(t, rippling.Kind, settings) }

func FuzzDecode(f *testing.F) { sourcetest.Fuzz(f, rippling.Kind, settings) }

// The API follows https://developer.rippling.com/documentation/base-api:
// /platform/api/employees/{employeeId}, with a bearer token.
func TestFetch(t *testing.T) {
	answer := []byte(`{"id":"` + person + `","roleState":"ACTIVE"}`)
	sourcetest.Fetch(t, sourcetest.Fetching{
		Kind: rippling.Kind,
		Settings: func(url string) source.Settings {
			return source.Settings{"url": url, "token": "s3cret-token"}
		},
		Secret: "s3cret-token", Reference: person, Unsafe: "..", Answer: answer,
		API: func(t *testing.T) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				assert.Equal(t, "Bearer s3cret-token", r.Header.Get("Authorization"))
				assert.Equal(t, "GET /platform/api/employees/"+person, r.Method+" "+r.URL.Path)
				assert.Empty(t, r.URL.RawQuery)
				_, _ = w.Write(answer)
			}
		},
	})
}

func timeline(t *testing.T, names ...string) hr.Timeline {
	t.Helper()
	return sourcetest.Timeline(t, rippling.Kind, settings, person, names...)
}

// salem returns the first instant of a day in Salem, Oregon.
func salem(t *testing.T, day string) time.Time {
	t.Helper()
	return sourcetest.Midnight(t, "America/Los_Angeles", day)
}

func TestSeveralEventsOfAHireMakeOneJoiner(t *testing.T) {
	for _, order := range [][]string{
		{"created", "hired", "updated-before-the-first-day"},
		{"updated-before-the-first-day", "hired", "created", "hired"},
	} {
		line := timeline(t, order...)
		require.Len(t, line.Periods, 1, order)
		assert.Equal(t, salem(t, "2026-03-16"), line.Periods[0].Starts)
		assert.True(t, line.Periods[0].Ends.IsZero())
		assert.Empty(t, line.Conflicts)
	}
}

func TestAnEndIsAnnouncedAndTakesEffect(t *testing.T) {
	for _, names := range [][]string{
		{"created", "end-announced"}, {"created", "end-announced", "terminated"}, {"created", "terminated", "deleted-and-terminated"},
	} {
		line := timeline(t, names...)
		require.Len(t, line.Periods, 1)
		assert.Equal(t, salem(t, "2026-10-01"), line.Periods[0].Ends, "at the end of the last day")
	}
}

func TestAnEndIsWithdrawn(t *testing.T) {
	line := timeline(t, "created", "end-announced", "end-withdrawn")
	require.Len(t, line.Periods, 1)
	assert.True(t, line.Periods[0].Ends.IsZero(), "before it took effect")

	line = timeline(t, "created", "terminated", "created-again")
	require.Len(t, line.Periods, 2)
	assert.Equal(t, salem(t, "2026-10-01"), line.Periods[0].Ends)
	assert.Equal(t, salem(t, "2026-10-05"), line.Periods[1].Starts, "after it took effect")
}

func TestALateUpdateDoesNotReopen(t *testing.T) {
	line := timeline(t, "created", "terminated", "updated")
	assert.NotContains(t, []hr.Status{hr.StatusActive, hr.StatusUpcoming}, line.At(salem(t, "2026-10-06")).Status)
}

// With a version, a notification that is sent again is the same event, and another version
// is another event. Without a version, the record's time tells events apart.
func TestEventIDs(t *testing.T) {
	decode := sourcetest.Open(t, rippling.Kind, settings).Decode
	id := func(name string, later time.Duration) string {
		e := sourcetest.Named(t, name)
		e.Record.Time = e.Record.Time.Add(later)
		return e.Events(t, decode)[0].ID
	}
	assert.Equal(t, id("updated", 0), id("updated", time.Hour))
	assert.NotEqual(t, id("updated", 0), id("end-announced", 0))
	assert.NotEqual(t, id("created", 0), id("hired", 0))
	assert.Equal(t, id("updated-without-a-version", 0), id("updated-without-a-version", 0))
	assert.NotEqual(t, id("updated-without-a-version", 0), id("updated-without-a-version", time.Second))
}
