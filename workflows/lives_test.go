package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector/memory"
	"github.com/tenurehq/tenure/hr"
)

func hired(department string) hr.Event {
	return hr.Event{Type: hr.EventHired, Profile: profile(department)}
}

func terminated(lastDay hr.Date) hr.Event {
	return hr.Event{Type: hr.EventTerminated, Effective: lastDay, Termination: &hr.Termination{LastDay: lastDay}}
}

func TestJoiner(t *testing.T) {
	b := newBiography(t, testRules())
	b.hears(0, hired("Development"))
	b.live(time.Hour)
	assert.Equal(t, map[string]string{"directory": "on [engineers staff]", "chat": "on []", "wiki": "on [engineers]"}, b.states())
	assert.Equal(t, []string{"Joiner"}, b.runs)
	account, _ := b.account("chat")
	assert.Equal(t, "Ada Lovelace", account.Attributes["displayName"])
	assert.Equal(t, "10001", account.ExternalID)
	assert.Equal(t, "alovelace", account.Username)
}

func TestFutureJoinerSleepsUntilTheFirstDay(t *testing.T) {
	b := newBiography(t, testRules())
	event := hired("Sales")
	event.Profile.StartDate = hr.Date{Year: 2026, Month: 12, Day: 1}
	event.Effective = event.Profile.StartDate
	b.hears(0, event)
	first := time.Date(2026, 11, 30, 23, 0, 0, 0, time.UTC) // 00:00 in Berlin
	b.on(first.Sub(epoch)-time.Second, func() { assert.Equal(t, "none", b.state("directory"), "a second before the first day") })
	b.on(first.Sub(epoch)+time.Minute, func() { assert.Equal(t, "on [sales staff]", b.state("directory"), "on the first day") })
	b.live(60 * day)
	assert.Equal(t, []string{"Joiner", "Scheduled", "Joiner"}, b.runs)
}

func TestLeadTimePreparesAccountsDisabled(t *testing.T) {
	rules := testRules()
	rules.Joiner.LeadTime = 7 * day
	b := newBiography(t, rules)
	event := hired("Sales")
	event.Profile.StartDate = hr.Date{Year: 2026, Month: 12, Day: 1}
	event.Effective = event.Profile.StartDate
	b.hears(0, event)
	b.on(22*day, func() { assert.Equal(t, "off [sales staff]", b.state("directory")) })
	b.live(60 * day)
	assert.Equal(t, "on [sales staff]", b.state("directory"))
	assert.Equal(t, []string{"Joiner", "Scheduled", "Joiner", "Scheduled", "Joiner"}, b.runs)
}

func TestMover(t *testing.T) {
	b := newBiography(t, testRules())
	b.hears(0, hired("Development"))
	b.hears(day, hr.Event{Type: hr.EventTransferred, Profile: profile("Sales")})
	b.live(2 * day)
	assert.Equal(t, map[string]string{"directory": "on [sales staff]", "chat": "on []", "wiki": "off []"}, b.states())
	assert.Equal(t, []string{"Joiner", "Mover", "Scheduled"}, b.runs, "the wiki account is kept for retention")
}

func TestMoverKeepsOldAccessForTheOverlap(t *testing.T) {
	rules := testRules()
	rules.Mover.Overlap = 7 * day
	b := newBiography(t, rules)
	b.hears(0, hired("Development"))
	b.hears(day, hr.Event{Type: hr.EventTransferred, Profile: profile("Sales")})
	b.on(2*day, func() {
		assert.Equal(t, map[string]string{
			"directory": "on [engineers sales staff]", "chat": "on []", "wiki": "on [engineers]",
		}, b.states(), "new access at once, old access kept")
	})
	b.live(20 * day)
	assert.Equal(t, map[string]string{"directory": "on [sales staff]", "chat": "on []", "wiki": "off []"}, b.states())
}

func TestRenameKeepsTheAccount(t *testing.T) {
	b := newBiography(t, testRules())
	b.hears(0, hired("Sales"))
	renamed := profile("Sales")
	renamed.FamilyName = "King"
	var before string
	b.on(time.Hour, func() { account, _ := b.account("chat"); before = account.ID })
	b.hears(day, hr.Event{Type: hr.EventUpdated, Profile: renamed})
	b.live(2 * day)
	account, _ := b.account("chat")
	assert.Equal(t, "Ada King", account.Attributes["displayName"])
	assert.Equal(t, before, account.ID)
	assert.Equal(t, "alovelace", account.Username, "a login name is kept for life")
	assert.Equal(t, 1, b.apps["chat"].Calls("create"))
}

func TestLeaverIsCutOffAtTheEndOfTheLastDayAndDeletedAfterRetention(t *testing.T) {
	for _, tc := range []struct {
		name   string
		zone   string
		last   hr.Date
		ends   string // RFC 3339
		retain time.Duration
	}{
		{"Berlin", "Europe/Berlin", hr.Date{Year: 2026, Month: 11, Day: 30}, "2026-11-30T23:00:00Z", 30 * day},
		{"clocks go forward on the last day", "Europe/Berlin", hr.Date{Year: 2027, Month: 3, Day: 28}, "2027-03-28T22:00:00Z", 90 * day},
		{"clocks go back on the last day", "America/New_York", hr.Date{Year: 2027, Month: 11, Day: 7}, "2027-11-08T05:00:00Z", 30 * day},
		{"earliest zone", "Pacific/Kiritimati", hr.Date{Year: 2026, Month: 12, Day: 31}, "2026-12-31T10:00:00Z", 90 * day},
		{"latest zone", "Pacific/Pago_Pago", hr.Date{Year: 2026, Month: 12, Day: 31}, "2027-01-01T11:00:00Z", 30 * day},
	} {
		t.Run(tc.name, func(t *testing.T) {
			rules := testRules()
			rules.Leaver.Retain = tc.retain
			b := newBiography(t, rules)
			hire := hired("Sales")
			hire.Profile.Location.TimeZone = tc.zone
			hire.Profile.StartDate = hire.Profile.StartDate.AddDays(-1) // in that zone it may still be the day before
			b.hears(0, hire)
			b.hears(day, terminated(tc.last))
			ends, err := time.Parse(time.RFC3339, tc.ends)
			require.NoError(t, err)
			at := ends.Sub(epoch)
			b.on(at-time.Second, func() { assert.Equal(t, "on [sales staff]", b.state("directory"), "a second before the end") })
			b.on(at+time.Second, func() { assert.Equal(t, "off []", b.state("directory"), "a second after the end") })
			b.on(at+tc.retain-time.Second, func() { assert.Equal(t, "off []", b.state("directory"), "a second before retention ends") })
			b.live(at + tc.retain + 10*time.Second)
			assert.Equal(t, map[string]string{"directory": "none", "chat": "none", "wiki": "none"}, b.states(), "after retention")
			assert.Equal(t, []string{"Joiner", "Leaver", "Scheduled", "Leaver", "Scheduled", "Leaver"}, b.runs)
		})
	}
}

func TestImmediateTerminationCutsOffAtOnce(t *testing.T) {
	b := newBiography(t, testRules())
	b.hears(0, hired("Sales"))
	event := terminated(hr.DateOf(epoch.Add(30 * day)))
	event.Termination.Urgency = hr.UrgencyImmediate
	b.hears(day, event)
	b.on(day+time.Second, func() { assert.Equal(t, "off []", b.state("directory")) })
	b.live(2 * day)
	assert.Equal(t, 1, b.apps["directory"].Calls("revoke_sessions"))
}

func TestRehireDuringRetentionGetsTheSameAccountsBack(t *testing.T) {
	b := newBiography(t, testRules())
	b.hears(0, hired("Development"))
	b.hears(day, terminated(hr.DateOf(epoch.Add(day))))
	var before string
	b.on(3*day, func() {
		account, ok := b.account("directory")
		require.True(t, ok)
		assert.False(t, account.Active)
		before = account.ID
	})
	back := profile("Development")
	back.StartDate = hr.DateOf(epoch.Add(10 * day))
	b.hears(9*day, hr.Event{Type: hr.EventRehired, Profile: back, Effective: back.StartDate})
	b.live(200 * day)
	assert.Equal(t, map[string]string{"directory": "on [engineers staff]", "chat": "on []", "wiki": "on [engineers]"}, b.states(),
		"and nothing was deleted when the old retention ended")
	account, _ := b.account("directory")
	assert.Equal(t, before, account.ID)
	for name, app := range b.apps {
		assert.Equal(t, 1, app.Calls("create"), name)
	}
}

func TestLeaveOfAbsence(t *testing.T) {
	b := newBiography(t, testRules())
	b.hears(0, hired("Sales"))
	b.hears(5*day, hr.Event{Type: hr.EventLeaveStarted})
	b.on(6*day, func() { assert.Equal(t, "off [sales staff]", b.state("directory"), "entitlements wait for the return") })
	b.hears(100*day, hr.Event{Type: hr.EventLeaveEnded})
	b.live(101 * day)
	assert.Equal(t, "on [sales staff]", b.state("directory"))
	assert.Equal(t, 1, b.apps["directory"].Calls("create"))
}

func TestContractEndsByItself(t *testing.T) {
	b := newBiography(t, testRules())
	event := hired("Sales")
	event.Profile.Type = hr.TypeContractor
	event.Profile.EndDate = hr.DateOf(epoch.Add(10 * day))
	b.hears(0, event)
	b.on(10*day, func() { assert.Equal(t, "on [sales staff]", b.state("directory")) })
	b.live(12 * day)
	assert.Equal(t, "off []", b.state("directory"))
}

func TestContractorBecomesEmployee(t *testing.T) {
	b := newBiography(t, testRules())
	event := hired("Sales")
	event.Profile.Type = hr.TypeContractor
	event.Profile.EndDate = hr.DateOf(epoch.Add(10 * day))
	b.hears(0, event)
	b.hears(5*day, hr.Event{Type: hr.EventConverted, Profile: profile("Sales"), Effective: hr.DateOf(epoch.Add(11 * day))})
	b.live(60 * day)
	assert.Equal(t, "on [sales staff]", b.state("directory"))
	assert.NotContains(t, b.actions(), "directory:disabled")
}

func TestRescindedHire(t *testing.T) {
	t.Run("before it took effect nothing is ever made", func(t *testing.T) {
		b := newBiography(t, testRules())
		event := hired("Sales")
		event.ID = "hire"
		event.Profile.StartDate = hr.DateOf(epoch.Add(10 * day))
		b.hears(0, event)
		b.hears(day, hr.Event{Type: hr.EventRescinded, Rescinds: "hire"})
		b.live(60 * day)
		assert.Equal(t, map[string]string{"directory": "none", "chat": "none", "wiki": "none"}, b.states())
		assert.Zero(t, b.apps["directory"].Calls("create"))
	})
	t.Run("after it took effect access ends", func(t *testing.T) {
		b := newBiography(t, testRules())
		event := hired("Sales")
		event.ID = "hire"
		b.hears(0, event)
		b.hears(day, hr.Event{Type: hr.EventRescinded, Rescinds: "hire"})
		b.on(2*day, func() { assert.Equal(t, "off []", b.state("directory")) })
		b.live(60 * day)
		assert.Equal(t, "none", b.state("directory"))
	})
}

func TestRescindedTerminationGivesTheAccountsBack(t *testing.T) {
	b := newBiography(t, testRules())
	b.hears(0, hired("Sales"))
	leaves := terminated(hr.DateOf(epoch))
	leaves.ID = "mistake"
	b.hears(day, leaves)
	b.on(2*day, func() { assert.Equal(t, "off []", b.state("directory")) })
	b.hears(3*day, hr.Event{Type: hr.EventRescinded, Rescinds: "mistake"})
	b.live(100 * day)
	assert.Equal(t, "on [sales staff]", b.state("directory"))
	assert.Equal(t, 1, b.apps["directory"].Calls("create"))
}

func TestSuspensionAndReinstatement(t *testing.T) {
	b := newBiography(t, testRules())
	b.hears(0, hired("Sales"))
	b.hears(day, hr.Event{Type: hr.EventSuspended})
	b.on(day+time.Second, func() { assert.Equal(t, "off [sales staff]", b.state("directory")) })
	b.hears(2*day, hr.Event{Type: hr.EventReinstated})
	b.live(3 * day)
	assert.Equal(t, "on [sales staff]", b.state("directory"))
}

func TestAnAppThatIsDownDelaysOnlyItself(t *testing.T) {
	b := newBiography(t, testRules())
	b.hears(0, hired("Development"))
	b.on(time.Hour, func() { b.apps["wiki"].SetFaults(memory.Faults{Kind: "unavailable"}) })
	b.hears(day, terminated(hr.DateOf(epoch)))
	b.on(day+time.Minute, func() {
		assert.Equal(t, map[string]string{"directory": "off []", "chat": "off []", "wiki": "on [engineers]"}, b.states())
	})
	b.on(day+2*time.Hour, func() { b.apps["wiki"].SetFaults(memory.Faults{}) })
	b.live(5 * day)
	assert.Equal(t, "off []", b.state("wiki"), "and catches up by itself")
}
