package bamboohr_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/hr/source/bamboohr"
	"github.com/tenurehq/tenure/hr/source/sourcetest"
)

const person = "67890"

func timeline(t *testing.T, names ...string) hr.Timeline {
	t.Helper()
	return sourcetest.Timeline(t, bamboohr.Kind, settings, person, names...)
}

// berlin returns the first instant of a day in Berlin.
func berlin(t *testing.T, day string) time.Time {
	t.Helper()
	return sourcetest.Midnight(t, "Europe/Berlin", day)
}

func TestCreatedAndUpdatedMakeOneJoiner(t *testing.T) {
	for _, order := range [][]string{
		{"event-created", "event-updated-of-a-hire"},
		{"event-updated-of-a-hire", "event-created"},
		{"event-created", "event-updated-of-a-hire", "event-created", "event-updated-of-a-hire", "event-updated-before-the-first-day"},
	} {
		line := timeline(t, order...)
		require.Len(t, line.Periods, 1, order)
		assert.Equal(t, berlin(t, "2026-03-16"), line.Periods[0].Starts)
		assert.True(t, line.Periods[0].Ends.IsZero())
		assert.Empty(t, line.Conflicts)
	}
}

func TestAHireIsPostponed(t *testing.T) {
	line := timeline(t, "event-created", "event-updated-of-a-hire", "event-hire-postponed")
	require.Len(t, line.Periods, 1)
	assert.Equal(t, berlin(t, "2026-04-01"), line.Periods[0].Starts)
}

func TestATerminationIsAnnouncedAndTakesEffect(t *testing.T) {
	for _, names := range [][]string{
		{"event-created", "event-termination-announced"},
		{"event-created", "event-updated-of-a-hire", "event-termination-announced", "event-terminated"},
		{"event-created", "event-terminated"},
	} {
		line := timeline(t, names...)
		require.Len(t, line.Periods, 1)
		assert.Equal(t, berlin(t, "2026-10-01"), line.Periods[0].Ends, "at the end of the last day")
		assert.NotEqual(t, hr.EndSuperseded, line.Periods[0].End.Cause)
	}
}

func TestATerminationIsWithdrawn(t *testing.T) {
	line := timeline(t, "event-created", "event-updated-of-a-hire", "event-termination-announced", "event-termination-withdrawn")
	require.Len(t, line.Periods, 1)
	assert.Equal(t, berlin(t, "2026-03-16"), line.Periods[0].Starts)
	assert.True(t, line.Periods[0].Ends.IsZero(), "before it took effect")

	line = timeline(t, "event-created", "event-updated-of-a-hire", "event-terminated", "event-active-again")
	require.Len(t, line.Periods, 2)
	assert.Equal(t, berlin(t, "2026-10-01"), line.Periods[0].Ends, "after it took effect: from the day on which it was withdrawn")
	assert.Equal(t, berlin(t, "2026-10-05"), line.Periods[1].Starts)
	assert.True(t, line.Periods[1].Ends.IsZero())
}

func TestARehireBeginsAnew(t *testing.T) {
	line := timeline(t, "event-created", "event-updated-of-a-hire", "event-terminated", "event-rehired")
	require.Len(t, line.Periods, 2)
	assert.Equal(t, berlin(t, "2026-10-01"), line.Periods[0].Ends)
	assert.Equal(t, berlin(t, "2027-02-01"), line.Periods[1].Starts)
	assert.Empty(t, line.Conflicts)
}

func TestALateUpdateDoesNotReopen(t *testing.T) {
	line := timeline(t, "event-created", "event-terminated", "event-updated")
	assert.NotContains(t, []hr.Status{hr.StatusActive, hr.StatusUpcoming}, line.At(berlin(t, "2026-10-06")).Status)
}

// An event's ID depends neither on when the notification is delivered nor on the employee's
// record at that time.
func TestEventIDs(t *testing.T) {
	decode := sourcetest.Open(t, bamboohr.Kind, settings).Decode
	id := func(name, answeredAs string) string {
		e := sourcetest.Named(t, name)
		e.Fetched = sourcetest.Named(t, answeredAs).Fetched
		e.Record.Time = e.Record.Time.Add(time.Hour)
		return e.Events(t, decode)[0].ID
	}
	assert.Equal(t, id("event-updated", "event-updated"), id("event-updated", "event-created"), "another answer")
	seen := map[string]string{}
	for _, name := range []string{
		"event-created", "event-updated-of-a-hire", "event-updated", "event-termination-announced", "event-rehired",
	} {
		other, taken := seen[id(name, name)]
		assert.False(t, taken, "%s is %s", name, other)
		seen[id(name, name)] = name
	}
}

func TestSettings(t *testing.T) {
	for name, test := range map[string]struct {
		settings source.Settings
		want     string
	}{
		"unknown":       {source.Settings{"colour": "red"}, `"colour" is not known`},
		"no such zone":  {source.Settings{"zone": "Mars/Base"}, `"zone" must hold IANA names`},
		"key alone":     {source.Settings{"apiKey": "s3cret"}, `"companyDomain" is missing`},
		"domain alone":  {source.Settings{"companyDomain": "example"}, `"apiKey" is missing`},
		"domain":        {source.Settings{"companyDomain": "example.bamboohr.com", "apiKey": "s3cret"}, `"companyDomain" must be the first part`},
		"url":           {source.Settings{"url": "ftp://x", "apiKey": "s3cret"}, `"url" must be a whole`},
		"type":          {source.Settings{"workerTypes": map[string]any{"Fellow": "boss"}}, `"workerTypes" must map words to employee`},
		"not a mapping": {source.Settings{"zones": "Berlin"}, `"zones" must be a mapping`},
		"field":         {source.Settings{"fields": map[string]any{"ssn": "SSN"}}, `"fields" maps a field that Tenure does not read`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := bamboohr.Kind.Open(test.settings)
			require.ErrorContains(t, err, test.want)
			assert.NotContains(t, err.Error(), "s3cret")
		})
	}
}
