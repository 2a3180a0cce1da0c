package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/hr"
)

// The list of runs shows that somebody is on leave, and not that they join.
func TestALeaveEndsAJoinerThatIsStillOpen(t *testing.T) {
	b := newBiography(t, testRules())
	// Somebody else has the username in chat, which keeps the Joiner open.
	b.apps["chat"].Put(connector.Account{ID: "other", Username: "alovelace", ExternalID: "99999", Active: true})
	b.hears(0, hired("Development"))
	b.on(time.Minute, func() { assert.Equal(t, map[string]string{"chat": "conflict"}, b.inAttention()) })
	b.hears(time.Hour, hr.Event{Type: hr.EventLeaveStarted})
	b.on(2*time.Hour, func() {
		assert.Equal(t, "off [engineers staff]", b.state("directory"))
		assert.Equal(t, "Mover", b.runs[1])
	})
	b.live(3 * time.Hour)
	assert.Equal(t, "Joiner", b.runs[0])
}

// The audit record names the event behind a step, and the roles, even for an account
// without entitlements.
func TestTheAuditNamesWhatCausedAStep(t *testing.T) {
	b := newBiography(t, testRules())
	says := func(after time.Duration, id string, e hr.Event) {
		e.ID = id
		b.hears(after, e)
	}
	says(0, "h-1", hired("Development"))
	says(day, "m-1", hr.Event{Type: hr.EventTransferred, Profile: profile("Sales")})
	says(2*day, "l-1", hr.Event{Type: hr.EventLeaveStarted})
	says(3*day, "l-2", hr.Event{Type: hr.EventLeaveEnded})
	says(4*day, "t-1", terminated(hr.DateOf(epoch.Add(3*day))))
	b.live(5 * day)
	rows, err := b.ledger.Audit(t.Context(), b.person, 0, 1000)
	require.NoError(t, err)
	causes := map[string][]string{}
	for _, r := range rows {
		causes[r.App+":"+r.Action] = append(causes[r.App+":"+r.Action], r.Cause)
	}
	assert.Equal(t, []string{"everyone (h-1)"}, causes["chat:created"])
	assert.Equal(t, []string{"everyone"}, causes["chat:enabled"], "the leave is over by itself, as far as the timeline keeps it")
	assert.Equal(t, []string{"on leave (l-1)", "access ended (t-1)"}, causes["chat:disabled"])
	assert.Equal(t, []string{"everyone, sales (m-1)"}, causes["directory:updated"])
	assert.Equal(t, []string{"no longer granted by policy (m-1)"}, causes["wiki:disabled"])
}

// A run shows the next date in the person's own time.
func TestTheNextInstantIsShownInThePersonsOwnTime(t *testing.T) {
	for zone, want := range map[string]string{"Asia/Tokyo": "2026-11-13 00:00 JST", "UTC": ""} {
		t.Run(zone, func(t *testing.T) {
			b := newBiography(t, testRules())
			hire := hired("Development")
			hire.Profile.Location.TimeZone = zone
			b.hears(0, hire)
			leaves := terminated(hr.DateOf(epoch.Add(10 * day)))
			b.hears(day, leaves)
			b.live(2 * day)
			todo, err := b.acts.Assess(t.Context(), b.person)
			require.NoError(t, err)
			assert.Equal(t, want, todo.Due.Local)
		})
	}
}
