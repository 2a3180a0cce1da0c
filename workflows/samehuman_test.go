package workflows_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/activities"
	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/provision"
)

// becomes continues the biography under another ID of the same human. The two are linked
// when HR has sent the first event of that ID.
func (b *biography) becomes(id string, after time.Duration, event hr.Event) {
	was := b.person
	b.events, b.person = nil, id
	b.hears(after, event)
	said := b.events[0].do
	b.events[0].do = func() {
		said()
		_, err := b.ledger.LinkPeople(context.Background(), ledger.SamePerson{
			NewID: id, OldID: was, At: b.now(), Operator: "ops", Reason: "one human",
		})
		require.NoError(b.t, err)
	}
}

func (b *biography) ids() map[string]string {
	ids := map[string]string{}
	for app := range b.apps {
		account, _ := b.account(app)
		ids[app] = account.ID
	}
	return ids
}

func (b *biography) made() (n int) {
	for _, app := range b.apps {
		n += app.Calls(connector.OpCreate)
	}
	return n
}

// A contractor comes back as an employee, after a gap that is longer than the retention.
// The accounts are off in the gap, and never deleted. Afterwards they belong to the
// employee, and have the employee's ID in the apps.
func TestAContractorIsHiredUnderAnotherID(t *testing.T) {
	b := newBiography(t, testRules())
	b.hears(0, hired("Development"))
	b.hears(9*day, terminated(hr.DateOf(epoch.Add(10*day))))
	b.live(12 * day)
	ids, made, username := b.ids(), b.made(), "alovelace"
	require.Equal(t, "off []", b.state("wiki"))

	old := b.person
	again := profile("Development")
	again.StartDate = hr.DateOf(epoch.Add(50 * day))
	b.becomes("20001", 13*day, hr.Event{EventKey: hr.EventKey{ID: "again"}, Type: hr.EventHired, Effective: again.StartDate, Profile: again})
	b.on(48*day, func() { assert.Equal(t, ids, b.ids(), "kept through the gap") })
	b.live(52 * day)

	assert.Equal(t, working, b.states())
	assert.Equal(t, ids, b.ids())
	assert.Equal(t, made, b.made(), "none was made")
	for app, server := range b.apps {
		account, _ := b.account(app)
		assert.Equal(t, []string{"20001", username}, []string{account.ExternalID, account.Username}, app)
		assert.Zero(t, server.Calls(connector.OpDelete), app)
	}
	assert.Contains(t, b.actions(), "wiki:relabelled")

	// Events of the old ID do not touch accounts that were carried to the new one.
	b.events, b.person = nil, old
	b.hears(60*day, hr.Event{EventKey: hr.EventKey{ID: "later"}, Type: hr.EventUpdated, Profile: profile("Sales")})
	b.live(100 * day)
	assert.Equal(t, working, b.states())
}

// The employment of the old ID, and its access, go on until the first day of the new one.
// The termination of the old ID then changes nothing.
func TestATransferWithoutAGap(t *testing.T) {
	b := newBiography(t, testRules())
	b.hears(0, hired("Development"))
	b.live(day)
	ids := b.ids()
	sales := profile("Sales")
	sales.StartDate = hr.DateOf(epoch.Add(10 * day))
	b.becomes("20001", 2*day, hr.Event{EventKey: hr.EventKey{ID: "abroad"}, Type: hr.EventHired, Effective: sales.StartDate, Profile: sales})
	b.on(5*day, func() { assert.Equal(t, working, b.states(), "as the old ID has it") })
	b.on(9*day, func() {
		_, err := b.ledger.Record(context.Background(), []ledger.Received{{At: epoch.Add(9 * day), Event: hr.Event{
			EventKey: hr.EventKey{Source: "/hr/test", ID: "end"}, Type: hr.EventTerminated, PersonID: "10001", Recorded: epoch.Add(9 * day),
			Effective: hr.DateOf(epoch.Add(9 * day)), Termination: &hr.Termination{LastDay: hr.DateOf(epoch.Add(9 * day))},
		}}})
		require.NoError(t, err)
	})
	b.live(12 * day)
	assert.Equal(t, ids["directory"], b.ids()["directory"])
	assert.Equal(t, "on [sales staff]", b.state("directory"))
	assert.Equal(t, "on []", b.state("chat"))
	assert.Equal(t, "off []", b.state("wiki"), "policy does not give it to the new one")
}

// A rename renames the accounts in the apps that it names, and keeps all accounts.
func TestARenameTakesTheAccountsAlong(t *testing.T) {
	b := newBiography(t, testRules())
	b.hears(0, hired("Development"))
	b.live(day)
	ids := b.ids()
	_, err := b.ledger.RenamePerson(t.Context(), ledger.Rename{
		PersonID: b.person, Base: "aking", Apps: []string{"chat", "directory"}, At: epoch.Add(day), Operator: "ops", Reason: "married",
	})
	require.NoError(t, err)
	b.events = nil
	b.hears(2*day, hr.Event{EventKey: hr.EventKey{ID: "later"}, Type: hr.EventUpdated, Profile: profile("Development")})
	b.live(3 * day)
	names := map[string]string{}
	for app := range b.apps {
		account, _ := b.account(app)
		names[app] = account.Username
	}
	assert.Equal(t, map[string]string{"chat": "aking", "directory": "aking", "wiki": "alovelace"}, names)
	assert.Equal(t, ids, b.ids())
	assert.Equal(t, working, b.states())
}

// reached returns a profile with an e-mail address.
func reached(department, address string) *hr.Profile {
	p := profile(department)
	p.PersonalEmail = address
	return p
}

// leaves lets a contractor work until the tenth day, and returns their accounts.
func (b *biography) leaves() map[string]string {
	b.hears(0, hr.Event{Type: hr.EventHired, Profile: reached("Development", "Ada@home.example")})
	b.hears(9*day, terminated(hr.DateOf(epoch.Add(10*day))))
	b.live(12 * day)
	return b.ids()
}

// hiredAgain returns a hire of the same human under another ID.
func hiredAgain(address, previous string) hr.Event {
	p := reached("Development", address)
	p.StartDate = hr.DateOf(epoch.Add(13 * day))
	return hr.Event{EventKey: hr.EventKey{ID: "again"}, Type: hr.EventHired, Effective: p.StartDate, Profile: p, Previous: previous}
}

// begins adds a hire under another ID, which nobody has linked.
func (b *biography) begins(id string, event hr.Event) {
	b.events, b.person = nil, id
	b.hears(13*day, event)
}

func TestAHireWhoLooksLikeALeaverIsAskedAbout(t *testing.T) {
	for name, answer := range map[string]func(*biography){
		"they are two": func(b *biography) {
			repair := b.skips(14*day, activities.RepairRequest{Operator: "it", Reason: "a namesake"})
			b.live(15 * day)
			require.NoError(b.t, repair.refused)
		},
		"they are one": func(b *biography) {
			b.on(14*day, func() {
				_, err := b.ledger.LinkPeople(context.Background(), ledger.SamePerson{
					NewID: b.person, OldID: "10001", At: b.now(), Operator: "it", Reason: "hired",
				})
				require.NoError(b.t, err)
			})
			b.live(15 * day)
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBiography(t, testRules())
			ids, made := b.leaves(), b.made()
			b.begins("20001", hiredAgain("ada@HOME.example", ""))
			b.on(14*day-time.Hour, func() {
				assert.Equal(t, map[string]string{"": provision.CodeSameHuman}, b.inAttention())
				assert.Equal(t, made, b.made(), "none before it is known")
			})
			answer(b)
			assert.Empty(t, b.inAttention())
			if name == "they are one" {
				assert.Equal(t, working, b.states())
				assert.Equal(t, ids, b.ids())
				assert.Equal(t, made, b.made())
				return
			}
			assert.Equal(t, made+len(b.apps), b.made())
		})
	}
}

func TestAPreviousIDCarriesAccountsOverIfItIsCertain(t *testing.T) {
	for name, tc := range map[string]struct {
		event  hr.Event
		before func(*biography)
		linked bool
	}{
		"certain":         {event: hiredAgain("ada@home.example", "10001"), linked: true},
		"another address": {event: hiredAgain("eve@home.example", "10001")},
		"nobody known":    {event: hiredAgain("eve@home.example", "4711")},
		"another system": {event: hiredAgain("ada@home.example", "10001"), before: func(b *biography) {
			p := reached("Development", "ada@home.example")
			_, err := b.ledger.Record(context.Background(), []ledger.Received{{At: epoch.Add(day), Event: hr.Event{
				EventKey: hr.EventKey{Source: "/hr/other", ID: "x"}, Type: hr.EventUpdated, PersonID: "10001",
				Recorded: epoch.Add(day), Effective: hr.DateOf(epoch.Add(day)), Profile: p,
			}}})
			require.NoError(b.t, err)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBiography(t, testRules())
			ids, made := b.leaves(), b.made()
			if tc.before != nil {
				tc.before(b)
			}
			b.begins("20001", tc.event)
			b.live(15 * day)
			assert.Equal(t, made, b.made())
			if !tc.linked {
				assert.Equal(t, map[string]string{"": provision.CodeSameHuman}, b.inAttention())
				return
			}
			assert.Empty(t, b.inAttention())
			assert.Equal(t, working, b.states())
			assert.Equal(t, ids, b.ids())
			assert.Contains(t, b.actions(), "wiki:relabelled")
		})
	}
}

// Nobody is asked about people of the same name with other addresses, or without an
// account.
func TestNamesakesAreNotAskedAbout(t *testing.T) {
	b := newBiography(t, testRules())
	b.leaves()
	b.begins("20001", hiredAgain("another@home.example", ""))
	b.live(15 * day)
	assert.Empty(t, b.inAttention())
}
