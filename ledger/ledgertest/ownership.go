package ledgertest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger"
)

// linkTo stores a link to an account, and returns the ledger's error.
func linkTo(t *testing.T, l ledger.Ledger, personID, app, accountID string, state ledger.LinkState) error {
	t.Helper()
	o := outcome(personID, app, "link "+app+" "+accountID+" "+string(state), 1, ledger.StepDone)
	o.Link = &ledger.Link{AccountID: accountID, State: state}
	o.Audit = &ledger.AuditRow{Action: "linked", Actor: "tenure"}
	return l.FinishStep(t.Context(), o)
}

var ownershipTests = tests{
	"an account is one person's": func(t *testing.T, l ledger.Ledger) {
		require.NoError(t, linkTo(t, l, "p1", "wiki", "77", ledger.LinkActive))
		for _, state := range []ledger.LinkState{ledger.LinkActive, ledger.LinkDisabled} {
			var taken *ledger.TakenError
			require.ErrorAs(t, linkTo(t, l, "p2", "wiki", "77", state), &taken)
			assert.Equal(t, ledger.TakenError{App: "wiki", Owner: "p1"}, *taken)
		}
		links, err := l.Links(t.Context(), ledger.LinkFilter{App: "wiki", AccountID: "77"})
		require.NoError(t, err)
		require.Len(t, links, 1)
		assert.Equal(t, "p1", links[0].PersonID)
		audit, err := l.Audit(t.Context(), "p2", 0, 10)
		require.NoError(t, err)
		assert.Empty(t, audit, "nothing is stored")
	},
	"another app has another account of that ID": func(t *testing.T, l ledger.Ledger) {
		require.NoError(t, linkTo(t, l, "p1", "wiki", "77", ledger.LinkActive))
		require.NoError(t, linkTo(t, l, "p2", "chat", "77", ledger.LinkActive))
	},
	"what is deleted is nobody's": func(t *testing.T, l ledger.Ledger) {
		require.NoError(t, linkTo(t, l, "p1", "wiki", "77", ledger.LinkActive))
		require.NoError(t, linkTo(t, l, "p1", "wiki", "77", ledger.LinkDeleted))
		require.NoError(t, linkTo(t, l, "p2", "wiki", "77", ledger.LinkActive))
		var taken *ledger.TakenError
		require.ErrorAs(t, linkTo(t, l, "p1", "wiki", "77", ledger.LinkDisabled), &taken, "nor does it come back as theirs")
	},
	"whose an account is stays so": func(t *testing.T, l ledger.Ledger) {
		require.NoError(t, linkTo(t, l, "p1", "wiki", "77", ledger.LinkActive))
		require.NoError(t, linkTo(t, l, "p1", "wiki", "77", ledger.LinkDisabled))
		require.NoError(t, linkTo(t, l, "p1", "wiki", "78", ledger.LinkActive))
		require.NoError(t, linkTo(t, l, "p2", "wiki", "77", ledger.LinkActive), "until they have another")
	},
	"of two at once, one has it": func(t *testing.T, l ledger.Ledger) {
		failed := make(chan error)
		for _, id := range []string{"p1", "p2", "p3", "p4"} {
			go func() { failed <- linkTo(t, l, id, "wiki", "77", ledger.LinkActive) }()
		}
		won := 0
		for range 4 {
			if err := <-failed; err == nil {
				won++
			}
		}
		assert.Equal(t, 1, won)
	},
	"who is given the data is remembered, and said once": func(t *testing.T, l ledger.Ledger) {
		kim := ledger.Receiver{PersonID: "kim", AccountID: "8", By: "manager", At: at(3)}
		assess(t, l, "p1", 0, func(*ledger.Assessment) {})
		require.NoError(t, l.NoteReceiver(t.Context(), "p1", "wiki", kim))
		assert.Empty(t, read(t, l, "p1").Links, "there is no account")
		require.NoError(t, linkTo(t, l, "p1", "wiki", "77", ledger.LinkDisabled))
		for _, minute := range []int{3, 4} {
			kim.At = at(minute)
			require.NoError(t, l.NoteReceiver(t.Context(), "p1", "wiki", kim))
		}
		kim.At = at(3)
		assert.Equal(t, kim, read(t, l, "p1").Links[0].Receiver)
		assert.Equal(t, kim, begin(t, l, attempt("p1", "wiki", "k", 5)).Link.Receiver)
		lee := ledger.Receiver{PersonID: "lee", AccountID: "9", By: "role heirs", At: at(6)}
		require.NoError(t, l.NoteReceiver(t.Context(), "p1", "wiki", lee))
		assert.Equal(t, lee, read(t, l, "p1").Links[0].Receiver)
		var begun []map[string]any
		for _, row := range audit(t, l, "p1") {
			if row.Action == ledger.AuditHandOverBegun {
				begun = append(begun, row.Detail)
			}
		}
		assert.Equal(t, []map[string]any{{"to": "kim", "by": "manager"}, {"to": "lee", "by": "role heirs", "insteadOf": "kim"}}, begun)
		require.NoError(t, linkTo(t, l, "p1", "wiki", "77", ledger.LinkActive))
		assert.Zero(t, read(t, l, "p1").Links[0].Receiver)
	},
	"a creation in doubt is remembered until the account is known": func(t *testing.T, l ledger.Ledger) {
		sent := ledger.Creation{At: at(3), Username: "zoë", State: ledger.CreationSent}
		require.NoError(t, l.NoteCreation(t.Context(), "p1", "wiki", sent), "there need be no link")
		assert.Equal(t, sent, read(t, l, "p1").Links[0].Creating)
		assert.Equal(t, ledger.LinkPlanned, read(t, l, "p1").Links[0].State)
		assert.Equal(t, sent, begin(t, l, attempt("p1", "wiki", "k", 5)).Link.Creating)
		sent.State = ledger.CreationTaken
		require.NoError(t, l.NoteCreation(t.Context(), "p1", "wiki", sent))
		assert.Equal(t, sent, read(t, l, "p1").Links[0].Creating)
		require.NoError(t, linkTo(t, l, "p1", "wiki", "77", ledger.LinkActive))
		assert.Zero(t, read(t, l, "p1").Links[0].Creating)
		require.NoError(t, l.NoteCreation(t.Context(), "p1", "wiki", sent))
		assert.Zero(t, read(t, l, "p1").Links[0].Creating, "an account that is known is in no doubt")
	},
	"the account that a creation named is remembered": func(t *testing.T, l ledger.Ledger) {
		sent := ledger.Creation{At: at(3), Username: "zoë", State: ledger.CreationAcknowledged, AccountID: "77"}
		require.NoError(t, l.NoteCreation(t.Context(), "p1", "wiki", sent))
		assert.Equal(t, sent, begin(t, l, attempt("p1", "wiki", "k", 5)).Link.Creating)
	},
	"a username of an account that may be there is not given anew": func(t *testing.T, l ledger.Ledger) {
		name, err := l.ClaimUsername(t.Context(), "p1", "zoe", 0)
		require.NoError(t, err)
		require.NoError(t, l.NoteCreation(t.Context(), "p1", "wiki", ledger.Creation{At: at(1), Username: name, State: ledger.CreationAcknowledged}))
		again, err := l.ClaimUsername(t.Context(), "p1", "other", 0)
		require.NoError(t, err)
		assert.Equal(t, name, again)
	},
}
