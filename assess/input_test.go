package assess_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
)

var noon = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)

func stored(kind hr.EventType, id string, recorded, received time.Time) ledger.StoredEvent {
	return ledger.StoredEvent{At: received, Event: hr.Event{
		EventKey: hr.EventKey{Source: "test", ID: id}, Type: kind, PersonID: "1", Recorded: recorded, Effective: hr.DateOf(recorded),
	}}
}

// A suspension holds from its receipt, even if its own time is later. So does a later
// event that ends it.
func TestAClockThatIsAheadPutsOffNothing(t *testing.T) {
	ahead := noon.Add(2 * time.Hour)
	p := ledger.Person{Summary: ledger.Summary{PersonID: "1"}, Events: []ledger.StoredEvent{
		stored(hr.EventSuspended, "a", ahead, noon),
	}}
	at := func(when time.Time) hr.Status { return hr.Merge("1", assess.EventsOf(p)).At(when).Status }
	assert.Equal(t, hr.StatusUnknown, at(noon.Add(-time.Second)))
	assert.Equal(t, hr.StatusSuspended, at(noon))

	p.Events = append(p.Events, stored(hr.EventReinstated, "b", ahead.Add(time.Second), noon.Add(time.Minute)))
	assert.Equal(t, hr.StatusUnknown, at(noon.Add(time.Minute)))
	p.Events = append(p.Events, stored(hr.EventSuspended, "c", ahead.Add(2*time.Second), noon.Add(time.Minute))) // in one batch
	assert.Equal(t, hr.StatusSuspended, at(noon.Add(time.Minute+time.Second)))
	assert.Equal(t, ahead, p.Events[0].Event.Recorded, "what was received is not changed")
}

// Events keep the order of the ledger, and the times that HR gave them.
func TestEventsHaveWhenTheyWereReceived(t *testing.T) {
	p := ledger.Person{Events: []ledger.StoredEvent{
		stored(hr.EventUpdated, "a", noon.Add(time.Hour), noon),
		stored(hr.EventUpdated, "b", noon, noon.Add(time.Minute)),
	}}
	got := assess.EventsOf(p)
	assert.Equal(t, []string{"a", "b"}, []string{got[0].ID, got[1].ID})
	assert.Equal(t, noon, got[0].Said(), "the earlier of recorded and received")
	assert.Equal(t, noon, got[1].Said())
	assert.Equal(t, noon.Add(time.Hour), got[0].Recorded, "what HR said is not changed")
}
