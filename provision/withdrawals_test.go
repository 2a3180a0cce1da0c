package provision

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/plan"
)

// asksOf returns the kind and the reason of each withdrawal.
func asksOf(asks []withdrawal) []string {
	shown := []string{}
	for _, a := range asks {
		shown = append(shown, string(a.Kind)+": "+a.Why)
	}
	return shown
}

func TestWhatCountsAsGivenAndLost(t *testing.T) {
	link := func(app string, state ledger.LinkState, has ...string) ledger.Link {
		return ledger.Link{App: app, State: state, Entitlements: has, Attributes: "sha256:ab"}
	}
	adopted := link("wiki", ledger.LinkActive)
	adopted.Attributes, adopted.Adopted = "", true
	adoptedOff := adopted
	adoptedOff.State = ledger.LinkDisabled
	unconfirmed := link("wiki", ledger.LinkActive)
	unconfirmed.Attributes = ""
	unknown := unconfirmed
	unknown.Adopted, unknown.Attributes = true, ledger.AttributesUnknown
	chat := link("chat", ledger.LinkActive)
	for name, c := range map[string]struct {
		links []ledger.Link
		steps []ledger.Step // steps that are not done
		plan  plan.Step
		want  []string
	}{
		"an entitlement":                     {[]ledger.Link{link("wiki", ledger.LinkActive)}, nil, plan.Step{Kind: plan.Update, Grant: []string{"admins"}}, []string{"grants: is given admins in wiki"}},
		"many":                               {[]ledger.Link{link("wiki", ledger.LinkActive)}, nil, plan.Step{Kind: plan.Update, Grant: []string{"a", "b", "c", "d", "e"}}, []string{"grants: is given a, b, c and 2 more in wiki"}},
		"one for another":                    {[]ledger.Link{link("wiki", ledger.LinkActive)}, nil, plan.Step{Kind: plan.Update, Grant: []string{"a"}, Revoke: []string{"b"}}, []string{"losses: loses b in wiki", "grants: is given a in wiki"}},
		"attributes only":                    {[]ledger.Link{link("wiki", ledger.LinkActive)}, nil, plan.Step{Kind: plan.Update, Attributes: true}, []string{}},
		"while the account is off":           {[]ledger.Link{chat, link("wiki", ledger.LinkDisabled)}, nil, plan.Step{Kind: plan.Update, Revoke: []string{"b"}}, []string{"losses: loses b in wiki"}},
		"an account that was just adopted":   {[]ledger.Link{adopted}, nil, plan.Step{Kind: plan.Update, Grant: []string{"staff"}, Attributes: true}, []string{}},
		"an adopted account that is off":     {[]ledger.Link{chat, adoptedOff}, nil, plan.Step{Kind: plan.Provision, Grant: []string{"staff"}}, []string{}},
		"what an adopted account loses":      {[]ledger.Link{adopted}, nil, plan.Step{Kind: plan.Update, Revoke: []string{"b"}}, []string{"losses: loses b in wiki"}},
		"attributes never confirmed":         {[]ledger.Link{unconfirmed}, nil, plan.Step{Kind: plan.Update, Grant: []string{"admins"}, Attributes: true}, []string{"grants: is given admins in wiki"}},
		"attributes that cannot be told":     {[]ledger.Link{unknown}, nil, plan.Step{Kind: plan.Update, Grant: []string{"admins"}, Attributes: true}, []string{"grants: is given admins in wiki"}},
		"an account more":                    {[]ledger.Link{chat}, nil, plan.Step{Kind: plan.Provision, Grant: []string{"staff"}}, []string{"grants: is given an account, staff in wiki"}},
		"the first one":                      {nil, nil, plan.Step{Kind: plan.Provision, Grant: []string{"staff"}}, []string{}},
		"what was theirs from the first day": {[]ledger.Link{chat}, []ledger.Step{{App: "wiki", Kind: "Provision", State: ledger.StepAttention}}, plan.Step{Kind: plan.Provision, Grant: []string{"staff"}}, []string{}},
		"what was planned before, and was not asked for meanwhile": {[]ledger.Link{chat, link("wiki", ledger.LinkPlanned)}, nil, plan.Step{Kind: plan.Provision, Grant: []string{"staff"}}, []string{}},
		"what was planned, and an operator had decided not to":     {[]ledger.Link{chat, link("wiki", ledger.LinkPlanned)}, []ledger.Step{{App: "wiki", Kind: "Provision", State: ledger.StepSkipped}}, plan.Step{Kind: plan.Provision}, []string{"grants: is given an account in wiki"}},
		"what an operator had decided not to":                      {[]ledger.Link{chat}, []ledger.Step{{App: "wiki", Kind: "Provision", State: ledger.StepSkipped}}, plan.Step{Kind: plan.Provision}, []string{"grants: is given an account in wiki"}},
		"who comes back to what they had":                          {[]ledger.Link{chat, link("wiki", ledger.LinkDisabled, "staff")}, nil, plan.Step{Kind: plan.Provision, Grant: []string{"staff"}}, []string{}},
		"who comes back to more":                                   {[]ledger.Link{chat, link("wiki", ledger.LinkDisabled, "staff")}, nil, plan.Step{Kind: plan.Provision, Grant: []string{"admins", "staff"}}, []string{"grants: is given admins in wiki"}},
		"who is off everywhere":                                    {[]ledger.Link{link("chat", ledger.LinkDisabled)}, nil, plan.Step{Kind: plan.Provision, Grant: []string{"admins"}}, []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			c.plan.App, c.plan.Key = "wiki", "wiki/key"
			d := decision{}
			d.Person = ledger.Person{Links: c.links, Steps: c.steps}
			d.Plan = plan.Plan{Steps: []plan.Step{c.plan}}
			got := append(d.losses(), d.grants()...)
			assert.Equal(t, c.want, asksOf(got))
			for _, a := range got {
				assert.Equal(t, []string{"wiki/key"}, a.steps)
			}
		})
	}
}

// In an app that cannot turn accounts off, a deletion counts as turning off.
func TestADeletionInPlaceOfADisableCountsAsOne(t *testing.T) {
	active := []ledger.Link{{App: "wiki", State: ledger.LinkActive}, {App: "chat", State: ledger.LinkActive}}
	off := []ledger.Link{{App: "wiki", State: ledger.LinkDisabled}, {App: "chat", State: ledger.LinkDisabled}}
	gone := plan.Step{App: "wiki", Key: "wiki/gone", Kind: plan.Delete, Why: "not granted"}
	disabled := plan.Step{App: "chat", Key: "chat/off", Kind: plan.Disable, Why: "off"}
	for name, c := range map[string]struct {
		status hr.Status
		links  []ledger.Link
		steps  []plan.Step
		want   []string
	}{
		"who works":                    {hr.StatusActive, active, []plan.Step{disabled, gone}, []string{"disables: off", "disables: not granted"}},
		"who is on leave":              {hr.StatusOnLeave, active, []plan.Step{gone}, []string{"disables: not granted"}},
		"who has not begun":            {hr.StatusUpcoming, active, []plan.Step{gone}, []string{"disables: not granted"}},
		"who is suspended":             {hr.StatusSuspended, active, []plan.Step{disabled, gone}, []string{"disables: not granted"}},
		"suspended, once they are off": {hr.StatusSuspended, off, []plan.Step{gone}, []string{"deletions: not granted"}},
		"suspended, right after it is off": {
			hr.StatusSuspended, active, []plan.Step{{App: "wiki", Key: "wiki/off", Kind: plan.Disable}, gone}, []string{},
		},
		"who has left": {hr.StatusEnded, active, []plan.Step{gone}, []string{"leavers: not granted"}},
	} {
		t.Run(name, func(t *testing.T) {
			d := decision{Decision: assess.Decision{Person: ledger.Person{Links: c.links}, Plan: plan.Plan{Steps: c.steps}}}
			d.Desired.Standing = hr.Standing{Status: c.status, Period: &hr.Period{}}
			asks := d.withdrawals()
			assert.Equal(t, c.want, asksOf(asks))
			for _, a := range asks {
				if slices.Contains(a.Apps, "wiki") {
					assert.Equal(t, []string{gone.Key}, a.steps, "it waits until it is admitted")
				}
			}
		})
	}
}

// A second termination stays only if it would end access in place of the first one.
func TestASecondTerminationStaysIfItWouldEndAccessByItself(t *testing.T) {
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	start := hr.Date{Year: 2026, Month: time.January, Day: 1}
	said := func(id string, kind hr.EventType, position string) ledger.StoredEvent {
		e := hr.Event{EventKey: hr.EventKey{Source: "hr", ID: id}, Type: kind, PersonID: "1", PositionID: position, Recorded: now.Add(-time.Hour), Effective: start}
		if kind == hr.EventHired {
			e.Profile = &hr.Profile{StartDate: start, Location: hr.Location{TimeZone: "UTC"}}
		}
		return ledger.StoredEvent{Event: e, At: now.Add(-time.Minute)}
	}
	a, b := said("a", hr.EventHired, "A"), said("b", hr.EventHired, "B")
	endA, endB := said("end a", hr.EventTerminated, "A"), said("end b", hr.EventTerminated, "B")
	all, again := said("all", hr.EventTerminated, ""), said("again", hr.EventTerminated, "")
	for name, c := range map[string]struct {
		events         []ledger.StoredEvent
		ending, second ledger.StoredEvent
		stays          bool
	}{
		"of the whole person":           {[]ledger.StoredEvent{a, all, again}, all, again, true},
		"of their only position":        {[]ledger.StoredEvent{a, all, endA}, all, endA, true},
		"of one of two positions":       {[]ledger.StoredEvent{a, b, all, endA}, all, endA, false},
		"of the other position":         {[]ledger.StoredEvent{a, b, endA, endB}, endB, endA, false},
		"which ends the first for good": {[]ledger.StoredEvent{a, b, endA, endB}, endA, endB, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := ledger.Withdrawal{Kind: ledger.Leavers, Key: ledger.EventWithdrawal(c.second.Event.EventKey), Event: c.second.Event.EventKey, State: ledger.WithdrawalNoticed}
			d := decision{Decision: assess.Decision{Now: now, Person: ledger.Person{Events: c.events, Withdrawals: []ledger.Withdrawal{w}}}}
			d.Person.PersonID = "1"
			gone := d.lapsed([]withdrawal{{Ask: d.askAbout(c.ending.Event.EventKey)}})
			assert.Equal(t, c.stays, len(gone) == 0)
		})
	}
}
