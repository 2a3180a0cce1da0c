package workflows_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/activities"
	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/memory"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/provision"
)

// dropping returns a biography whose app accepts attributes of these names and keeps none.
func dropping(t *testing.T, rules policy.Rules, app string, names ...string) *biography {
	t.Helper()
	b := newBiography(t, rules)
	b.apps[app].SetFaults(memory.Faults{Drop: names})
	return b
}

// ignoring returns rules which say that an app does not keep these attributes.
func ignoring(app string, names ...string) policy.Rules {
	rules := testRules()
	of := rules.Apps[app]
	of.Ignore = names
	rules.Apps[app] = of
	return rules
}

func transferred(department string) hr.Event {
	return hr.Event{Type: hr.EventTransferred, Profile: profile(department)}
}

// attention returns the steps in attention.
func (b *biography) attention() (steps []ledger.Step) {
	b.t.Helper()
	person, err := b.ledger.Person(b.t.Context(), b.person)
	require.NoError(b.t, err)
	for _, s := range person.Steps {
		if s.State == ledger.StepAttention {
			steps = append(steps, s)
		}
	}
	return steps
}

func TestAnAttributeThatIsNotKeptIsNoticedAndKeepsNobodyOut(t *testing.T) {
	b := dropping(t, testRules(), "directory", "title", connector.ExternalID)
	b.hears(0, hired("Development"))
	b.on(time.Minute, func() {
		assert.Equal(t, map[string]string{"directory": "on [engineers staff]", "chat": "on []", "wiki": "on [engineers]"}, b.states(),
			"access is given, in apps that wait for this one too")
	})
	var updates int
	b.on(time.Hour, func() {
		steps := b.attention()
		require.Len(t, steps, 1)
		assert.Equal(t, "directory", steps[0].App)
		assert.Equal(t, "Update", steps[0].Kind)
		assert.Equal(t, provision.CodeNotKept, steps[0].Code)
		assert.Contains(t, steps[0].Message, ": title, externalId.")
		assert.Contains(t, steps[0].Message, "apps.directory.ignore")
		assert.NotContains(t, steps[0].Message, "Lovelace")
		updates = b.apps["directory"].Calls(connector.OpUpdate)
	})
	b.on(20*time.Hour, func() {
		assert.LessOrEqual(t, b.apps["directory"].Calls(connector.OpUpdate)-updates, 19, "no more than once in an attention.recheck")
	})
	b.hears(21*time.Hour, terminated(hr.Date{Year: 2026, Month: 11, Day: 1}))
	b.live(22 * time.Hour)
	assert.Equal(t, map[string]string{"directory": "off []", "chat": "off []", "wiki": "off []"}, b.states(), "nobody stays in for it")
	assert.Empty(t, b.attention())
}

func TestWhatIsKnownNotToBeKeptIsNotProven(t *testing.T) {
	b := dropping(t, ignoring("directory", "title", connector.ExternalID), "directory", "title", connector.ExternalID)
	b.hears(0, hired("Development"))
	b.hears(time.Hour, transferred("Sales"))
	b.live(2 * time.Hour)
	assert.Empty(t, b.attention())
	assert.Equal(t, "on [sales staff]", b.state("directory"))
}

// Not every app shows at once what it has accepted.
func TestAnAttributeThatIsKeptLater(t *testing.T) {
	b := dropping(t, testRules(), "directory", "title")
	b.hears(0, hired("Development"))
	b.on(time.Minute, func() { b.apps["directory"].SetFaults(memory.Faults{}) })
	b.live(time.Hour)
	assert.Empty(t, b.attention())
	account, ok := b.account("directory")
	require.True(t, ok)
	assert.NotEmpty(t, account.Attributes["title"])
}

// The app was repaired after the step had needed attention.
func TestARetrySetsWhatIsNowKept(t *testing.T) {
	b := dropping(t, testRules(), "directory", "title")
	b.hears(0, hired("Development"))
	b.on(time.Hour, func() { b.apps["directory"].SetFaults(memory.Faults{}) })
	done := b.retries(time.Hour+time.Minute, activities.RepairRequest{App: "directory", Operator: "it@example.com"})
	b.live(2 * time.Hour)
	require.NoError(t, done.refused)
	assert.Empty(t, b.attention())
}

// Revoking does not wait for attributes that are not kept or are refused, nor for
// entitlements that cannot be granted.
func TestAMoverLosesAccessWhateverTheAttributesCome(t *testing.T) {
	refusing := func(op string, kind connector.ErrorKind) func(*memory.App) {
		return func(app *memory.App) {
			app.OnCall(func(_ context.Context, called, _ string) error {
				if called == op {
					return &connector.Error{Kind: kind, Op: op, Message: "no"}
				}
				return nil
			})
		}
	}
	for name, test := range map[string]struct {
		breaks func(*memory.App)
		state  string
		code   string
	}{
		"not kept":           {func(app *memory.App) { app.SetFaults(memory.Faults{Drop: []string{"title"}}) }, "on [sales staff]", provision.CodeNotKept},
		"refused":            {refusing(connector.OpUpdate, connector.KindInvalid), "on [sales staff]", "invalid"},
		"not answered":       {refusing(connector.OpUpdate, connector.KindUnavailable), "on [sales staff]", "unavailable"},
		"no such group":      {refusing(connector.OpGrant, connector.KindInvalid), "on [staff]", "invalid"},
		"a group that fails": {refusing(connector.OpGrant, connector.KindUnavailable), "on [staff]", "unavailable"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBiography(t, testRules())
			b.hears(0, hired("Development"))
			b.on(time.Hour, func() { test.breaks(b.apps["directory"]) })
			moved := transferred("Sales")
			moved.Profile.JobTitle = "Saleswoman"
			b.hears(2*time.Hour, moved)
			b.on(2*time.Hour+time.Minute, func() { assert.Equal(t, test.state, b.state("directory"), "at once") })
			b.live(4 * time.Hour)
			assert.Equal(t, test.state, b.state("directory"))
			steps := b.attention()
			require.Len(t, steps, 1)
			assert.Equal(t, test.code, steps[0].Code)
		})
	}
}

// The digest is of what the app shows. So an attribute that could not be set is set again
// when it gets its old value back, and one that was cleared has to be gone.
func TestADigestIsOfWhatIsShown(t *testing.T) {
	b := newBiography(t, testRules())
	was := hired("Development")
	b.hears(0, was)
	var first string
	b.on(time.Hour, func() {
		first = b.link("directory").Attributes
		b.apps["directory"].SetFaults(memory.Faults{Drop: []string{"displayName"}})
	})
	promoted := transferred("Development")
	promoted.Profile.JobTitle = "Countess"
	b.hears(2*time.Hour, promoted)
	b.on(3*time.Hour, func() {
		assert.NotEqual(t, first, b.link("directory").Attributes)
		account, _ := b.account("directory")
		assert.Equal(t, "Countess", account.Attributes["title"])
		b.apps["directory"].SetFaults(memory.Faults{})
	})
	again := transferred("Development")
	again.ID, again.Profile.JobTitle = "back", was.Profile.JobTitle
	b.hears(4*time.Hour, again)
	b.live(5 * time.Hour)
	account, _ := b.account("directory")
	assert.Equal(t, was.Profile.JobTitle, account.Attributes["title"])
	assert.Equal(t, first, b.link("directory").Attributes, "it is the digest of what was wanted in the first place")
}

// Attributes that earlier versions took for kept are checked when they are set the next
// time, and not before.
func TestAnOldDigestCausesNoUpdate(t *testing.T) {
	b := newBiography(t, testRules())
	b.hears(0, hired("Development"))
	b.on(time.Hour, func() {
		// The ledger has the digest of an earlier version, which did not look whether an attribute was kept.
		b.apps["directory"].SetFaults(memory.Faults{Drop: []string{"title"}})
	})
	b.hears(2*time.Hour, transferred("Sales"))
	b.live(3 * time.Hour)
	assert.Zero(t, b.apps["directory"].Calls(connector.OpUpdate), "the attributes are as they were")
}

// An attribute that no longer applies has to be gone.
func TestAnAttributeThatIsNotClearedIsNoticed(t *testing.T) {
	b := newBiography(t, testRules())
	b.hears(0, hired("Development"))
	restoring := false
	b.apps["directory"].AfterCall(func(ctx context.Context, op, id string) error {
		if op != connector.OpUpdate || restoring {
			return nil
		}
		restoring = true
		defer func() { restoring = false }()
		return b.acts.Apps["directory"].Connector.Update(ctx, id, map[string]any{"title": "Engineer"})
	})
	without := transferred("Development")
	without.Profile.JobTitle = ""
	b.hears(time.Hour, without)
	b.live(3 * time.Hour)
	steps := b.attention()
	require.Len(t, steps, 1)
	assert.Equal(t, provision.CodeNotKept, steps[0].Code)
	assert.Contains(t, steps[0].Message, ": title.")
}

// Many apps change the case of usernames.
func TestAUsernameInAnotherCaseIsTheSame(t *testing.T) {
	b := newBiography(t, testRules())
	b.hears(0, hired("Development"))
	b.live(day)
	_, err := b.ledger.RenamePerson(t.Context(), ledger.Rename{
		PersonID: b.person, Base: "aking", Apps: []string{"chat"}, At: epoch.Add(day), Operator: "ops", Reason: "married",
	})
	require.NoError(t, err)
	again := false
	b.apps["chat"].AfterCall(func(ctx context.Context, op, id string) error {
		if op != connector.OpRelabel || again {
			return nil
		}
		again = true
		return b.acts.Apps["chat"].Connector.Relabel(ctx, id, connector.Label{Username: "AKing"})
	})
	b.events = nil
	b.hears(2*day, hr.Event{EventKey: hr.EventKey{ID: "later"}, Type: hr.EventUpdated, Profile: profile("Development")})
	b.live(3 * day)
	assert.Empty(t, b.attention())
	assert.Equal(t, "AKing", b.link("chat").Username, "as the app has it")
	assert.Empty(t, b.link("chat").RenameTo)
}
