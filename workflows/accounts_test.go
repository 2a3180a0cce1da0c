package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
)

func TestAnAccountThatIsThereAlreadyIsAdopted(t *testing.T) {
	b := newBiography(t, testRules())
	id := b.apps["chat"].Put(connector.Account{Username: "ALovelace", Active: false})
	b.hears(0, hired("Sales"))
	b.live(time.Hour)
	account, ok := b.account("chat")
	require.True(t, ok)
	assert.Equal(t, id, account.ID, "it is the one that was there")
	assert.Equal(t, b.person, account.ExternalID)
	assert.True(t, account.Active)
	assert.Zero(t, b.apps["chat"].Calls("create"))
	links, err := b.ledger.Links(t.Context(), ledger.LinkFilter{PersonID: b.person, App: "chat"})
	require.NoError(t, err)
	assert.True(t, links[0].Adopted)
	assert.Contains(t, b.actions(), "chat:adopted")
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
