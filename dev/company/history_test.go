package company

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/hr/source/cloudevents"
)

func lines(t *testing.T, o Options) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, Generate(o).WriteEvents(&out))
	return out.String()
}

func TestEqualOptionsMakeEqualHistories(t *testing.T) {
	assert.Equal(t, lines(t, Turbulent(1, 50)), lines(t, Turbulent(1, 50)))
	assert.NotEqual(t, lines(t, Turbulent(1, 50)), lines(t, Turbulent(2, 50)))
}

// TestEveryEventCanBeReceived sends each event through the format that starters
// read: it must come out as it was, with nothing to warn of.
func TestEveryEventCanBeReceived(t *testing.T) {
	for _, sent := range Generate(Turbulent(7, 200)).Events {
		value, err := cloudevents.Encode(sent)
		require.NoError(t, err)
		received, warnings, err := cloudevents.Decode(source.Record{
			Key:     []byte(sent.PersonID),
			Headers: map[string]string{"content-type": "application/cloudevents+json"},
			Value:   value,
		})
		require.NoError(t, err, "%s", value)
		require.Empty(t, warnings, "%s", value)
		require.Equal(t, []hr.Event{sent}, received)
	}
}

func TestTypicalCompanyHasABitOfEverything(t *testing.T) {
	h := Generate(Typical(1, 1000))
	kinds := make(map[hr.EventType]int)
	for _, e := range h.Events {
		kinds[e.Type]++
	}
	for _, kind := range []hr.EventType{
		hr.EventHired, hr.EventRehired, hr.EventTransferred, hr.EventUpdated, hr.EventConverted,
		hr.EventLeaveStarted, hr.EventLeaveEnded, hr.EventTerminated, hr.EventRescinded,
		hr.EventSuspended, hr.EventReinstated,
	} {
		assert.GreaterOrEqual(t, kinds[kind], 5, kind)
	}

	statuses := make(map[hr.Status]int)
	zones := make(map[string]bool)
	expected := h.Expected(time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC))
	require.Len(t, expected, 1000)
	for i, x := range expected {
		statuses[x.Status]++
		require.Equal(t, personID(i), x.PersonID)
		if x.Status == hr.StatusActive {
			require.NotEmpty(t, x.Department)
			require.NotEmpty(t, x.FamilyName)
		}
	}
	for _, status := range []hr.Status{hr.StatusUpcoming, hr.StatusActive, hr.StatusOnLeave, hr.StatusEnded, hr.StatusUnknown} {
		assert.Positive(t, statuses[status], status)
	}
	for _, e := range h.Events {
		if e.Profile != nil {
			zones[e.Profile.Location.TimeZone] = true
		}
	}
	assert.Len(t, zones, len(places))
}

// TestManagersAreColleagues looks for people whose manager has left or never was.
// For a day after a head of department left, nobody has taken over yet.
// TestNobodyHasAnothersNumber: a name and a number that two people share would be a question
// to an operator.
func TestNobodyHasAnothersNumber(t *testing.T) {
	whose := make(map[string]string)
	for _, e := range Generate(Typical(7, 5000)).Events {
		if e.Profile == nil || e.Profile.Phone == "" {
			continue
		}
		if other, known := whose[e.Profile.Phone]; known {
			require.Equal(t, other, e.PersonID, e.Profile.Phone)
		}
		whose[e.Profile.Phone] = e.PersonID
	}
	assert.Greater(t, len(whose), 5000)
}

func TestManagersAreColleagues(t *testing.T) {
	h := Generate(Typical(3, 500))
	at := time.Date(2026, 12, 20, 0, 0, 0, 0, time.UTC)
	here := make(map[string]Expected)
	for _, x := range h.Expected(at) {
		here[x.PersonID] = x
	}
	managed := 0
	for _, x := range here {
		if x.Status != hr.StatusActive || x.ManagerID == "" {
			continue
		}
		managed++
		manager := here[x.ManagerID]
		if manager.Status == hr.StatusEnded && at.Sub(manager.Ends) < 48*time.Hour {
			continue
		}
		assert.NotContains(t, []hr.Status{hr.StatusEnded, hr.StatusUnknown, hr.StatusUpcoming}, manager.Status, x.PersonID)
		assert.Equal(t, x.Department, manager.Department, x.PersonID)
	}
	assert.Greater(t, managed, 200)
}

func TestDelivery(t *testing.T) {
	tests := map[string]struct {
		duplicates, disorder float64
	}{
		"in order, once":   {0, 0},
		"some twice":       {0.3, 0},
		"out of order":     {0, 0.5},
		"twice and anyhow": {0.3, 0.5},
	}
	plain := Generate(Options{Seed: 5, People: 200}).Events
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			events := Generate(Options{Seed: 5, People: 200, Duplicates: tc.duplicates, Disorder: tc.disorder}).Events
			times := make(map[hr.EventKey]int)
			for _, e := range events {
				times[e.EventKey]++
			}
			require.Len(t, times, len(plain), "nothing is lost")

			repeated := len(events) - len(plain)
			assert.InDelta(t, tc.duplicates*float64(len(plain)), repeated, 0.1*float64(len(plain)))
			inOrder := slices.IsSortedFunc(events, func(a, b hr.Event) int { return a.Recorded.Compare(b.Recorded) })
			assert.Equal(t, tc.duplicates == 0 && tc.disorder == 0, inOrder)
		})
	}
}

// TestAnEventIsToldOfOnePersonInSequence checks what orders a person's events:
// sequences that go up with the recorded time.
func TestAnEventIsToldOfOnePersonInSequence(t *testing.T) {
	events := Generate(Options{Seed: 9, People: 100, Pace: 10, Corrections: 0.5, Rescinds: 1}).Events
	ids := make(map[string]string)
	for person, told := range byPerson(events) {
		for i, e := range told {
			require.Empty(t, ids[e.ID], "IDs are unique")
			ids[e.ID] = person
			if i > 0 {
				require.Less(t, told[i-1].Sequence, e.Sequence)
				require.False(t, e.Recorded.Before(told[i-1].Recorded))
			}
		}
	}
	for _, e := range events {
		if e.Type == hr.EventRescinded {
			require.Equal(t, e.PersonID, ids[e.Rescinds], "what is rescinded was said, and of the same person")
		}
	}
}
