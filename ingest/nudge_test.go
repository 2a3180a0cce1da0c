package ingest

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/workflows"
)

func TestNudgeForAnEvent(t *testing.T) {
	e := hr.Event{
		EventKey: hr.EventKey{Source: "workday", ID: "17"}, Type: hr.EventTerminated, PersonID: "10004",
		Effective: hr.Date{Year: 2026, Month: 12, Day: 1},
	}
	n := NudgeFor(e, 42)
	assert.Equal(t, workflows.Nudge{
		PersonID: "10004", Seq: 42, Type: workflows.TypeFor(hr.EventTerminated),
		Why: "terminated, effective 2026-12-01", RequestID: n.RequestID,
	}, n)

	// The request ID names the event, in this process and in the next.
	assert.Equal(t, n.RequestID, NudgeFor(e, 43).RequestID)
	assert.Equal(t, "9fec735b-9ccc-5b14-a98b-5b155b8caf61", n.RequestID)
	id, err := uuid.Parse(n.RequestID)
	require.NoError(t, err)
	assert.Equal(t, uuid.Version(5), id.Version())
	e.ID = "18"
	assert.NotEqual(t, n.RequestID, NudgeFor(e, 42).RequestID)
	e.Source, e.ID = "workday1", "7"
	assert.NotEqual(t, n.RequestID, NudgeFor(e, 42).RequestID)
}

func TestWhatIsUrgent(t *testing.T) {
	for _, tc := range []struct {
		event  hr.Event
		urgent bool
	}{
		{hr.Event{Type: hr.EventSuspended}, true},
		{hr.Event{Type: hr.EventTerminated, Termination: &hr.Termination{Urgency: hr.UrgencyImmediate}}, true},
		{hr.Event{Type: hr.EventTerminated, Termination: &hr.Termination{Urgency: hr.UrgencyStandard}}, false},
		{hr.Event{Type: hr.EventTerminated}, false},
		{hr.Event{Type: hr.EventReinstated}, false},
		{hr.Event{Type: hr.EventHired}, false},
	} {
		assert.Equal(t, tc.urgent, NudgeFor(tc.event, 1).Urgent, "%+v", tc.event)
		assert.Equal(t, tc.event.Type == hr.EventTerminated && !tc.urgent, settles(tc.event), "%+v", tc.event)
	}
}

func TestWhyIsReadable(t *testing.T) {
	on := hr.Date{Year: 2026, Month: 2, Day: 3}
	assert.Equal(t, "leave started, effective 2026-02-03", why(hr.Event{Type: hr.EventLeaveStarted, Effective: on}))
	assert.Equal(t, "suspended, effective 2026-02-03", why(hr.Event{Type: hr.EventSuspended, Effective: on}))
}
