package policy_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/policy"
)

// Somebody who holds several positions has the access that the roles give for each of them,
// with the attributes of the primary one. If one ends, the access that only it gave ends.
func TestEvaluateSeveralPositions(t *testing.T) {
	hire := func(id, position, department, title, effective string) hr.Event {
		profile := of(department, title)
		profile.StartDate = date(effective)
		return hr.Event{
			EventKey: hr.EventKey{Source: "/hr", ID: id}, Type: hr.EventHired, PersonID: "42", PositionID: position,
			Recorded: profile.StartDate.AddDays(-20).StartIn(epoch.Location()), Effective: profile.StartDate, Profile: &profile,
		}
	}
	begins := hr.DateOf(epoch).AddDays(1)
	first := hire("a", "A", "Development", "Architect", begins.String())
	second := hire("b", "B", "Sales", "Seller", begins.AddDays(30).String())
	end := hr.Event{
		EventKey: hr.EventKey{Source: "/hr", ID: "t"}, Type: hr.EventTerminated, PersonID: "42", PositionID: "B",
		Recorded: second.Recorded.AddDate(0, 1, 0), Effective: begins.AddDays(59), Termination: &hr.Termination{},
	}
	timeline := hr.Merge("42", []hr.Event{first, second, end})
	at := func(day int) (string, policy.Desired) {
		desired, err := company(t).Evaluate(timeline, begins.AddDays(day).StartIn(epoch.Location()).Add(3600e9*12), policy.Identity{PersonID: "42"})
		require.NoError(t, err)
		desired.Changes = epoch
		return show(desired), desired
	}
	const one = "chat\ndirectory staff(everyone)\nwiki all(architects,engineers) architects(architects) engineers(engineers)\nuntil 0"
	text, _ := at(10)
	assert.Equal(t, one, text)
	text, _ = at(26)
	assert.Equal(t, "chat\ncrm off seller(sales)\ndirectory staff(everyone)\nwiki all(architects,engineers) architects(architects) engineers(engineers)\nuntil 0",
		text, "accounts are made ahead of a second position")
	text, both := at(40)
	assert.Equal(t, "chat sales(sales)\ncrm seller(sales)\ndirectory staff(everyone)\nwiki all(architects,engineers) architects(architects) engineers(engineers)\nuntil 0", text)
	for _, account := range both.Accounts {
		if account.App == "directory" {
			assert.Equal(t, "Architect", account.Attributes["title"], "of the primary position")
		}
	}
	text, _ = at(60)
	assert.Equal(t, one, text, "what only the ended position gave is gone, at once")

	timeline = hr.Merge("42", []hr.Event{first, second, func() hr.Event { e := end; e.PositionID = "A"; return e }()})
	text, after := at(60)
	assert.Equal(t, "chat sales(sales)\ncrm seller(sales)\ndirectory staff(everyone)\nuntil 0", text)
	assert.Equal(t, hr.StatusActive, after.Standing.Status)
	assert.Equal(t, "Seller", after.Standing.Profile.JobTitle, "the position that is left is the primary one")
}

// Additional jobs give the same access as other positions.
func TestEvaluateAdditionalJobs(t *testing.T) {
	begins := hr.DateOf(epoch).AddDays(1)
	said := func(id string, kind hr.EventType, day int, jobs ...hr.AdditionalJob) hr.Event {
		profile := of("Development", "Architect")
		profile.StartDate = begins
		return hr.Event{
			EventKey: hr.EventKey{Source: "/hr", ID: id}, Type: kind, PersonID: "42", Recorded: begins.AddDays(day - 10).StartIn(epoch.Location()),
			Effective: begins.AddDays(day), Profile: &profile, Additional: &hr.AdditionalJobs{AsOf: begins.AddDays(day), Whole: true, Jobs: jobs},
		}
	}
	sales := hr.AdditionalJob{PositionID: "B", Profile: of("Sales", "Seller")}
	sales.Profile.StartDate = begins.AddDays(30)
	timeline := hr.Merge("42", []hr.Event{
		said("a", hr.EventHired, 0), said("b", hr.EventUpdated, 30, sales), said("c", hr.EventUpdated, 60),
	})
	at := func(day int) string {
		desired, err := company(t).Evaluate(timeline, begins.AddDays(day).StartIn(epoch.Location()).Add(3600e9*12), policy.Identity{PersonID: "42"})
		require.NoError(t, err)
		for _, account := range desired.Accounts {
			if account.App == "directory" {
				assert.Equal(t, "Architect", account.Attributes["title"], "of the main job")
			}
		}
		desired.Changes = epoch
		return show(desired)
	}
	const one = "chat\ndirectory staff(everyone)\nwiki all(architects,engineers) architects(architects) engineers(engineers)\nuntil 0"
	assert.Equal(t, one, at(10))
	assert.Equal(t, "chat sales(sales)\ncrm seller(sales)\ndirectory staff(everyone)\nwiki all(architects,engineers) architects(architects) engineers(engineers)\nuntil 0", at(40))
	assert.Equal(t, one, at(60), "what only the ended job gave is gone, at once")
}

func date(s string) hr.Date {
	d, err := hr.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

// In one app the entitlements of several positions add up, each with the roles that give it
// for any position.
func TestEvaluatePositionsInOneApp(t *testing.T) {
	held := func(id, department, title string) hr.Position {
		return hr.Position{ID: id, Periods: []hr.Period{{Starts: after(0), Profiles: []hr.EffectiveProfile{from(0, department, title)}}}}
	}
	timeline := hr.Timeline{Positions: []hr.Position{held("A", "Development", "Engineer"), held("B", "Support", "Architect")}}
	timeline.Periods = timeline.Positions[0].Periods
	desired, err := company(t).Evaluate(timeline, after(1), policy.Identity{PersonID: "42"})
	require.NoError(t, err)
	assert.Equal(t, "chat\ndirectory staff(everyone)\nwiki all(architects,engineers) architects(architects) engineers(engineers)", show(desired))
}
