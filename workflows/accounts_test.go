package workflows_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/provision"
)

// adopting returns rules with this rule of adoption for chat.
func adopting(how policy.Adoption) policy.Rules {
	rules := testRules()
	chat := rules.Apps["chat"]
	chat.Adopt = how
	rules.Apps["chat"] = chat
	return rules
}

// A username does not prove whose an account is.
func TestWhoseAnAccountIsThatIsThereAlready(t *testing.T) {
	for name, tc := range map[string]struct {
		how     policy.Adoption
		account connector.Account
		asks    string
		resets  int
	}{
		"asked":               {"", connector.Account{Username: "ALovelace", Entitlements: []string{"super-admins"}, Active: true}, provision.CodeWhose, 0},
		"never":               {policy.AdoptNever, connector.Account{Username: "ALovelace"}, provision.CodeWhose, 0},
		"auto":                {policy.AdoptAuto, connector.Account{Username: "ALovelace"}, "", 1},
		"by external ID":      {policy.AdoptNever, connector.Account{Username: "any", ExternalID: "10001"}, "", 0},
		"linked to another":   {policy.AdoptAuto, connector.Account{Username: "ALovelace", ExternalID: "linked"}, provision.CodeNotTheirs, 0},
		"marked by a mistake": {policy.AdoptAuto, connector.Account{Username: "any", ExternalID: "10001 linked"}, provision.CodeNotTheirs, 0},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBiography(t, adopting(tc.how))
			linked := strings.Contains(tc.account.ExternalID, "linked")
			tc.account.ExternalID = strings.TrimSpace(strings.TrimSuffix(tc.account.ExternalID, "linked"))
			id := b.apps["chat"].Put(tc.account)
			was, _ := b.apps["chat"].Account(id)
			if linked {
				require.NoError(t, b.ledger.FinishStep(t.Context(), ledger.Outcome{
					PersonID: "2", App: "chat", Key: "k", Kind: "Provision", At: epoch, State: ledger.StepDone,
					Link: &ledger.Link{AccountID: id, Username: "bea", State: ledger.LinkActive},
				}))
			}
			b.hears(0, hired("Sales"))
			b.live(10 * time.Minute)
			account, _ := b.apps["chat"].Account(id)
			assert.Zero(t, b.apps["chat"].Calls("create"))
			assert.Equal(t, tc.resets, b.apps["chat"].Calls(connector.OpResetCredentials))
			if tc.asks != "" {
				assert.Equal(t, map[string]string{"chat": tc.asks}, b.inAttention())
				assert.Equal(t, was, account, "nothing of it is touched")
				assert.Contains(t, b.state("directory"), "on", "other apps are not held up")
				return
			}
			assert.Equal(t, b.person, account.ExternalID)
			assert.True(t, account.Active)
			assert.Empty(t, b.inAttention())
			links, err := b.ledger.Links(t.Context(), ledger.LinkFilter{PersonID: b.person, App: "chat"})
			require.NoError(t, err)
			assert.True(t, links[0].Adopted)
			assert.Contains(t, b.actions(), "chat:adopted")
		})
	}
}

func TestWhoIsAskedIsToldWhatTheAccountHas(t *testing.T) {
	b := newBiography(t, testRules())
	b.apps["directory"].Put(connector.Account{
		Username: "alovelace", Active: true, Entitlements: []string{"staff", "super-admins"}, CreatedAt: epoch.Add(-400 * day), LastUsedAt: epoch.Add(-2 * day),
	})
	b.hears(0, hired("Sales"))
	b.live(time.Minute)
	person, err := b.ledger.Person(t.Context(), b.person)
	require.NoError(t, err)
	said := ""
	for _, s := range person.Steps {
		said += s.Message
	}
	for _, part := range []string{"It is enabled", "made 400 days ago", "last used 2 days ago", "beyond policy: super-admins", "would get: sales", "tenure app adopt directory"} {
		assert.Contains(t, said, part)
	}
	assert.NotContains(t, said, "alovelace")
}

// squatter lets the first call that creates an account fail. Then somebody else creates an
// account with the same username.
func (b *biography) squatter(app string, kind connector.ErrorKind) {
	done := false
	b.apps[app].OnCall(func(_ context.Context, op, _ string) error {
		if op != connector.OpCreate || done {
			return nil
		}
		done = true
		b.apps[app].Put(connector.Account{Username: "alovelace", Active: true})
		return &connector.Error{Kind: kind, Op: op, Message: "no"}
	})
}

// Between a call that failed and the next one, anybody can take the username.
func TestSquatted(t *testing.T) {
	for _, kind := range []connector.ErrorKind{
		connector.KindInvalid, connector.KindForbidden, connector.KindRateLimited, connector.KindExists, connector.KindUnavailable, connector.KindContradictory,
	} {
		t.Run(string(kind), func(t *testing.T) {
			b := newBiography(t, testRules())
			b.squatter("chat", kind)
			b.hears(0, hired("Sales"))
			b.live(3 * time.Hour)
			assert.Equal(t, map[string]string{"chat": provision.CodeWhose}, b.inAttention())
			for _, a := range b.apps["chat"].Accounts() {
				assert.False(t, a.Username == "alovelace" && (a.ExternalID != "" || len(a.Entitlements) > 0), "it is not theirs")
			}
		})
	}
}

// In an app that keeps no external IDs, an account that our call created is found by the
// username that was sent.
func TestAnAccountOfALostAnswerIsFoundWithoutExternalID(t *testing.T) {
	for name, tc := range map[string]struct {
		made time.Duration // how long after the call
		asks map[string]string
	}{
		"made by the call": {time.Second, map[string]string{}},
		"there before":     {-time.Hour, map[string]string{"chat": provision.CodeWhose}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBiography(t, testRules())
			for _, a := range b.apps["chat"].Accounts() { // the manager's account
				b.apps["chat"].Reset()
				a.ExternalID = ""
				b.apps["chat"].Put(a)
			}
			lost := false
			b.apps["chat"].OnCall(func(_ context.Context, op, _ string) error {
				if op != connector.OpCreate || lost {
					return nil
				}
				lost = true
				b.apps["chat"].Put(connector.Account{Username: "alovelace", Active: true, CreatedAt: b.now().Add(tc.made)})
				return &connector.Error{Kind: connector.KindUnavailable, Op: op, Message: "timed out"}
			})
			b.hears(0, hired("Sales"))
			b.live(time.Hour)
			assert.Equal(t, tc.asks, b.inAttention())
			assert.Len(t, b.apps["chat"].Accounts(), 2)
		})
	}
}

func TestAnAmbiguousAccountIsNeverTaken(t *testing.T) {
	b := newBiography(t, testRules())
	b.apps["chat"].Put(connector.Account{Username: "one", ExternalID: b.person, Active: true})
	b.apps["chat"].Put(connector.Account{Username: "two", ExternalID: b.person, Active: true})
	b.hears(0, hired("Sales"))
	b.live(time.Minute)
	assert.Equal(t, map[string]string{"chat": "conflict"}, b.inAttention())
	assert.Zero(t, b.apps["chat"].Calls("update"))
}

func TestAnAccountDeletedBehindOurBackIsMadeAgainWhenNextTouched(t *testing.T) {
	b := newBiography(t, testRules())
	b.hears(0, hired("Sales"))
	b.on(time.Hour, func() { b.apps["chat"].Reset() })
	promoted := profile("Sales")
	promoted.JobTitle = "Director"
	b.hears(day, hr.Event{Type: hr.EventUpdated, Profile: promoted})
	b.live(2 * day)
	account, ok := b.account("chat")
	require.True(t, ok)
	assert.Equal(t, "Director", account.Attributes["title"])
	assert.Contains(t, b.actions(), "chat:found_gone")
}

func TestAttributesThatHaveNoValueAnyMoreAreCleared(t *testing.T) {
	b := newBiography(t, testRules())
	b.hears(0, hired("Sales"))
	untitled := profile("Sales")
	untitled.JobTitle = ""
	b.hears(day, hr.Event{Type: hr.EventUpdated, Profile: untitled})
	b.live(2 * day)
	account, _ := b.account("chat")
	assert.Empty(t, account.Attributes["title"])
	assert.Equal(t, "Ada Lovelace", account.Attributes["displayName"])
}

func TestTwoPeopleOfOneNameGetTwoUsernames(t *testing.T) {
	b := newBiography(t, testRules())
	_, err := b.ledger.Record(t.Context(), []ledger.Received{{Event: hr.Event{
		EventKey: hr.EventKey{Source: "/hr", ID: "x"}, Type: hr.EventHired, PersonID: "9", Recorded: epoch,
	}, At: epoch}})
	require.NoError(t, err)
	_, err = b.ledger.ClaimUsername(t.Context(), "9", "alovelace", 0)
	require.NoError(t, err)
	b.hears(0, hired("Sales"))
	b.live(time.Hour)
	account, _ := b.account("chat")
	assert.Equal(t, "alovelace2", account.Username)
}

func TestEveryEventRepeatedAndLateChangesNothing(t *testing.T) {
	b := newBiography(t, testRules())
	hire := hired("Sales")
	hire.ID = "hire"
	move := hr.Event{Type: hr.EventTransferred, Profile: profile("Development")}
	move.ID, move.Effective, move.Recorded = "move", hr.DateOf(epoch), epoch.Add(time.Second)
	leave := terminated(hr.DateOf(epoch.Add(-day)))
	leave.ID, leave.Recorded = "leave", epoch.Add(2*time.Second)
	for i, e := range []hr.Event{leave, move, hire, hire, move, leave} {
		b.hears(time.Duration(i)*time.Minute, e)
	}
	b.live(40 * day)
	assert.Equal(t, map[string]string{"directory": "none", "chat": "none", "wiki": "none"}, b.states())
}

// If the connector of an app could not be opened, for want of a secret for example, its
// steps need an operator and make no call. All other apps get their accounts.
func TestAnAppThatWasNotOpenedHoldsUpNoOther(t *testing.T) {
	b := newBiography(t, testRules())
	b.hears(0, hired("Development"))
	b.on(time.Hour, func() { b.acts.Apps["chat"].Unopened = errors.New("secret ${file:token} is missing") })
	b.hears(day, terminated(hr.DateOf(epoch)))
	b.on(day+time.Hour, func() {
		assert.Equal(t, map[string]string{"directory": "off []", "chat": "on []", "wiki": "off []"}, b.states())
		assert.Zero(t, b.apps["chat"].Calls("disable"))
		steps := slices.DeleteFunc(person(b).Steps, func(s ledger.Step) bool { return s.State != ledger.StepAttention })
		require.Len(t, steps, 1)
		assert.Equal(t, "chat", steps[0].App)
		assert.Contains(t, steps[0].Message, "secret ${file:token} is missing")
		b.acts.Apps["chat"].Unopened = nil // the workers are restarted
	})
	b.live(2 * day)
	assert.Equal(t, everywhere("off []"), b.states())
}
