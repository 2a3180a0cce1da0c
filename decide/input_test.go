package decide_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/tenurehq/tenure/decide"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
)

var noon = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)

func stored(kind hr.EventType, id string, recorded, received time.Time) ledger.StoredEvent {
	return ledger.StoredEvent{At: received, Event: hr.Event{
		EventKey: hr.EventKey{Source: "test", ID: id}, Type: kind, PersonID: "1", Recorded: recorded, Effective: hr.DateOf(recorded),
	}}
}

// TestAClockThatIsAheadPutsOffNothing: a suspension holds when it has come, whatever its
// time says, and so does what is said of it after that.
func TestAClockThatIsAheadPutsOffNothing(t *testing.T) {
	ahead := noon.Add(2 * time.Hour)
	p := ledger.Person{Summary: ledger.Summary{PersonID: "1"}, Events: []ledger.StoredEvent{
		stored(hr.EventSuspended, "a", ahead, noon),
	}}
	at := func(when time.Time) hr.Status { return hr.Merge("1", decide.EventsOf(p)).At(when).Status }
	assert.Equal(t, hr.StatusUnknown, at(noon.Add(-time.Second)))
	assert.Equal(t, hr.StatusSuspended, at(noon))

	p.Events = append(p.Events, stored(hr.EventReinstated, "b", ahead.Add(time.Second), noon.Add(time.Minute)))
	assert.Equal(t, hr.StatusUnknown, at(noon.Add(time.Minute)))
	p.Events = append(p.Events, stored(hr.EventSuspended, "c", ahead.Add(2*time.Second), noon.Add(time.Minute))) // in one batch
	assert.Equal(t, hr.StatusSuspended, at(noon.Add(time.Minute+time.Second)))
	assert.Equal(t, ahead, p.Events[0].Event.Recorded, "what was received is not changed")
}

// TestEventsStayInTheirOrder: only instants that lie after the receipt move, and what
// was said later is later still.
func TestEventsStayInTheirOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var p ledger.Person
		for i := range rapid.IntRange(0, 8).Draw(t, "events") {
			second := func(what string) time.Time {
				return noon.Add(time.Duration(rapid.IntRange(0, 6).Draw(t, what)) * time.Second)
			}
			p.Events = append(p.Events, stored(hr.EventUpdated, fmt.Sprint(i), second("recorded"), second("received")))
		}
		got := decide.EventsOf(p)
		for i, a := range p.Events {
			assert.Equal(t, a.Event.ID, got[i].ID)
			if a.Event.Recorded.After(a.At) {
				assert.False(t, got[i].Recorded.After(a.Event.Recorded))
			}
			for j, b := range p.Events {
				assert.Equal(t, a.Event.Recorded.Compare(b.Event.Recorded), got[i].Recorded.Compare(got[j].Recorded), "%d and %d", i, j)
			}
		}
	})
}
