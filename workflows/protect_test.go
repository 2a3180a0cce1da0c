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
	"github.com/tenurehq/tenure/policy"
)

// protect gives the workers a configuration that protects these people, and these accounts
// of chat.
func (b *biography) protect(people, chat []string) {
	b.t.Helper()
	rules := testRules()
	rules.Protected = people
	app := rules.Apps["chat"]
	app.Protected = chat
	rules.Apps["chat"] = app
	compiled, err := policy.Compile(rules)
	require.NoError(b.t, err)
	b.acts.Policy = compiled
}

// unhurried has the run try again only once a day what needs attention, so that months
// pass quickly in the test.
func (b *biography) unhurried() *biography {
	b.acts.Recheck = day
	return b
}

// changed counts the calls that change an account in any app.
func (b *biography) changed() int {
	n := 0
	for _, app := range b.apps {
		for _, op := range []string{
			connector.OpCreate, connector.OpAdopt, connector.OpUpdate, connector.OpGrant, connector.OpRevoke,
			connector.OpDisable, connector.OpEnable, connector.OpRevokeSessions, connector.OpHandOver, connector.OpDelete,
		} {
			n += app.Calls(op)
		}
	}
	return n
}

// rows counts the audit rows of an action.
func (b *biography) rows(action string) (n int) {
	b.t.Helper()
	all, err := b.ledger.Audit(context.Background(), b.person, 0, 1000)
	require.NoError(b.t, err)
	for _, r := range all {
		if r.Action == action {
			n++
		}
	}
	return n
}

func TestAProtectedPersonIsLeftAloneAndAskedAbout(t *testing.T) {
	suspended := hr.Event{Type: hr.EventSuspended, Suspension: &hr.Suspension{Reason: "ticket 1"}}
	onLeave := hr.Event{Type: hr.EventLeaveStarted, Leave: &hr.Leave{}}
	moved := hr.Event{Type: hr.EventTransferred, Profile: profile("Sales")}
	everywhere := map[string]string{"directory": "protected", "chat": "protected", "wiki": "protected"}
	for name, tc := range map[string]struct {
		says hr.Event
		asks map[string]string
	}{
		"terminated": {terminated(hr.DateOf(epoch.Add(day))), everywhere},
		"suspended":  {suspended, everywhere},
		"on leave":   {onLeave, everywhere},
		"moved":      {moved, map[string]string{"wiki": "protected"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBiography(t, testRules()).unhurried()
			b.hears(0, hired("Development"))
			before, states := 0, map[string]string{}
			b.on(time.Hour, func() {
				b.protect([]string{b.person}, nil)
				before, states = b.changed(), b.states()
				require.Equal(t, "on [engineers staff]", states["directory"])
			})
			b.hears(day, tc.says)
			b.on(5*day, func() { assert.Equal(t, tc.asks, b.inAttention()) }) // the run has looked at it again and again
			b.live(40 * day)
			assert.Equal(t, before, b.changed(), "calls that change something")
			assert.Equal(t, states, b.states())
			assert.Equal(t, len(tc.asks), b.rows("withheld"), "it is on the record, once of each app")
		})
	}
}

func TestAProtectedPersonIsGivenNothing(t *testing.T) {
	b := newBiography(t, testRules()).unhurried()
	b.protect([]string{b.person}, nil)
	b.hears(0, hired("Development"))
	b.live(day)
	assert.Zero(t, b.changed())
	assert.Empty(t, b.inAttention(), "who protects somebody gives them access by hand")
}

func TestOnceProtectionEndsWhatWasWithheldIsDone(t *testing.T) {
	b := newBiography(t, testRules()).unhurried()
	b.hears(0, hired("Development"))
	b.on(time.Hour, func() { b.protect([]string{b.person}, nil) })
	b.hears(day, terminated(hr.DateOf(epoch.Add(day))))
	b.on(5*day, func() { b.protect(nil, nil) })
	b.on(6*day+2*time.Hour, func() {
		assert.Equal(t, map[string]string{"directory": "off []", "chat": "off []", "wiki": "off []"}, b.states())
	})
	b.live(7 * day)
	assert.Empty(t, b.inAttention())
}

func TestAnOperatorSettlesWhatIsAskedAboutTheProtected(t *testing.T) {
	b := newBiography(t, testRules()).unhurried()
	b.hears(0, hired("Development"))
	b.on(time.Hour, func() { b.protect([]string{b.person}, nil) })
	b.hears(day, terminated(hr.DateOf(epoch.Add(day))))
	before := 0
	b.on(2*day+time.Hour, func() { before = b.changed() })
	chat := b.skips(2*day+2*time.Hour, activities.RepairRequest{App: "chat", Operator: "it@example.com", Reason: "done by hand"})
	b.on(3*day, func() {
		assert.Equal(t, map[string]string{"directory": "protected", "wiki": "protected"}, b.inAttention())
	})
	all := b.skips(3*day+time.Minute, activities.RepairRequest{Operator: "it@example.com", Reason: "done by hand"})
	b.live(40 * day)
	require.NoError(t, chat.refused)
	require.NoError(t, all.refused)
	assert.Empty(t, b.inAttention(), "and nobody is asked again")
	person, err := b.ledger.Person(t.Context(), b.person)
	require.NoError(t, err)
	assert.Zero(t, person.DueAt, "nothing is left to wait for: %s", person.DueWhat)
	assert.Equal(t, before, b.changed())
}

// The data of a leaver is not handed over to the accounts of a protected manager.
func TestNothingIsHandedOverToAProtectedManager(t *testing.T) {
	b := newBiography(t, testRules()).unhurried()
	b.protect([]string{manager}, nil)
	b.hears(0, hired("Development"))
	b.hears(day, terminated(hr.DateOf(epoch)))
	b.live(40 * day)
	assert.Zero(t, b.apps["chat"].Calls(connector.OpHandOver))
	assert.Equal(t, map[string]string{"chat": "no_recipient", "directory": "no_recipient", "wiki": "no_recipient"}, b.inAttention())
}

// The configuration changes after the run has planned, during its first call.
func TestWhatIsProtectedAfterItWasPlannedIsNotDone(t *testing.T) {
	b := newBiography(t, testRules()).unhurried()
	b.hears(0, hired("Sales"))
	b.hears(day, terminated(hr.DateOf(epoch)))
	b.apps["chat"].AfterCall(func(_ context.Context, op, _ string) error {
		if op == connector.OpDisable {
			b.protect(nil, []string{"alovelace"})
		}
		return nil
	})
	b.live(40 * day)
	account, ok := b.account("chat")
	require.True(t, ok, "it was planned to be deleted")
	assert.False(t, account.Active, "that was done already")
	assert.Equal(t, 0, b.apps["chat"].Calls(connector.OpDelete))
	assert.Equal(t, "none", b.state("directory"))
}

func TestAProtectedAccountOfSomebodyWhoLeaves(t *testing.T) {
	b := newBiography(t, testRules()).unhurried()
	b.hears(0, hired("Development"))
	b.on(time.Hour, func() { b.protect(nil, []string{"ALovelace"}) })
	b.hears(day, terminated(hr.DateOf(epoch.Add(day))))
	b.on(2*day+time.Hour, func() {
		assert.Equal(t, map[string]string{"directory": "off []", "chat": "on []", "wiki": "off []"}, b.states())
	})
	b.live(40 * day)
	assert.Equal(t, map[string]string{"directory": "none", "chat": "on []", "wiki": "none"}, b.states())
	assert.Equal(t, map[string]string{"chat": "protected"}, b.inAttention())
}

// A protected account matches a joiner in every way.
func TestAProtectedAccountIsNeverTakenForSomebodys(t *testing.T) {
	for name, tc := range map[string]struct {
		account  connector.Account
		username string // the joiner's username
		asks     map[string]string
	}{
		"by username":    {connector.Account{Username: "alovelace", Active: true}, "alovelace2", map[string]string{}},
		"by external ID": {connector.Account{Username: "root", ExternalID: "10001", Active: false}, "", map[string]string{"chat": "protected"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBiography(t, testRules()).unhurried()
			b.protect(nil, []string{tc.account.Username})
			id := b.apps["chat"].Put(tc.account)
			was, _ := b.apps["chat"].Account(id)
			b.hears(0, hired("Sales"))
			b.hears(day, terminated(hr.DateOf(epoch)))
			b.on(time.Hour, func() {
				assert.Equal(t, tc.asks, b.inAttention())
				links, err := b.ledger.Links(context.Background(), ledger.LinkFilter{PersonID: b.person, App: "chat"})
				require.NoError(t, err)
				require.Len(t, links, 1)
				assert.NotEqual(t, id, links[0].AccountID)
				if tc.username != "" {
					assert.Equal(t, tc.username, links[0].Username)
				}
				assert.Equal(t, "on [sales staff]", b.state("directory"), "other apps are not held up")
			})
			b.live(40 * day)
			is, there := b.apps["chat"].Account(id)
			require.True(t, there)
			assert.Equal(t, was, is)
		})
	}
}

// A username becomes protected after one account of the person has it, and before there is
// an account in another app. None is created there, and a human is asked.
func TestAnAccountOfAProtectedNameIsNotMade(t *testing.T) {
	b := newBiography(t, testRules()).unhurried()
	b.hears(0, hired("Sales"))
	b.on(0, func() {
		b.apps["chat"].OnCall(func(context.Context, string, string) error {
			return &connector.Error{Kind: connector.KindUnavailable, Message: "away"}
		})
	})
	b.on(time.Minute, func() {
		b.protect(nil, []string{"alovelace"})
		b.apps["chat"].OnCall(nil)
	})
	b.on(time.Hour, func() { assert.Equal(t, map[string]string{"chat": "protected"}, b.inAttention()) })
	b.live(day)
	assert.Equal(t, "none", b.state("chat"))
	assert.Equal(t, "on [sales staff]", b.state("directory"))
}

// If a username is protected before any account has it, the person gets another one.
func TestAProtectedNameThatNoAccountHasIsGivenUp(t *testing.T) {
	b := newBiography(t, testRules()).unhurried()
	b.hears(0, hired("Sales"))
	b.on(0, func() {
		_, err := b.ledger.ClaimUsername(context.Background(), b.person, "alovelace", 0)
		require.NoError(t, err)
		b.protect(nil, []string{"alovelace"})
	})
	b.live(day)
	assert.Empty(t, b.inAttention())
	account, _ := b.account("chat")
	assert.Equal(t, "alovelace2", account.Username)
}
