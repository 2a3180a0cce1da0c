package operator_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
)

// bin deletes somebody's account in the wiki, an hour ago, and returns its ID.
func (s *site) bin(t *testing.T, person string) string {
	t.Helper()
	conn, err := s.Apps.Open(t.Context(), "wiki")
	require.NoError(t, err)
	account, err := conn.Create(t.Context(), connector.Spec{PersonID: person, Username: person, Active: true})
	require.NoError(t, err)
	require.NoError(t, conn.Delete(t.Context(), account.ID))
	s.store(t, ledger.Link{
		PersonID: person, App: "wiki", Username: person, State: ledger.LinkDeleted, DeletedAt: now.Add(-time.Hour),
		Binned: ledger.Binned{AccountID: account.ID, At: now.Add(-time.Hour)},
	})
	return account.ID
}

// store makes a link what it is.
func (s *site) store(t *testing.T, link ledger.Link) {
	t.Helper()
	require.NoError(t, s.ledger.FinishStep(t.Context(), ledger.Outcome{
		PersonID: link.PersonID, App: link.App, Key: "given/" + string(link.State) + link.Binned.At.String(), Kind: "Delete", At: now.Add(-time.Hour), State: ledger.StepDone, Link: &link,
	}))
}

func (s *site) link(t *testing.T, person string) ledger.Link {
	t.Helper()
	links, err := s.ledger.Links(t.Context(), ledger.LinkFilter{PersonID: person, App: "wiki"})
	require.NoError(t, err)
	require.Len(t, links, 1)
	return links[0]
}

func TestADeletedAccountIsBroughtBackTurnedOff(t *testing.T) {
	s := newSite(t)
	id := s.bin(t, "ada")
	s.leave(t, "ada")
	s.runs.told = nil

	shown, err := s.MayRestore(t.Context(), "ada", "wiki")
	require.NoError(t, err)
	assert.False(t, shown.Wanted)
	assert.Equal(t, now.Add(time.Hour), shown.KeptUntil, "the retention counts anew")
	assert.Equal(t, now.Add(30*24*time.Hour-time.Hour), shown.Bin.Until)
	assert.Equal(t, ledger.LinkDeleted, s.link(t, "ada").State, "nothing was done")

	_, err = s.RestoreAccount(t.Context(), asks, "ada", "wiki")
	require.NoError(t, err)
	link := s.link(t, "ada")
	assert.Equal(t, id, link.AccountID)
	assert.Equal(t, ledger.LinkDisabled, link.State)
	assert.Equal(t, now, link.DisabledAt.UTC())
	assert.Zero(t, link.StrippedAt, "what came back with it is taken by their run")
	assert.Zero(t, link.Binned)
	account, there := s.wiki.Account(id)
	assert.True(t, there)
	assert.False(t, account.Active)
	assert.Equal(t, []string{"ada"}, s.runs.told)
	row := s.audit(t)[len(s.audit(t))-1]
	assert.Equal(t, "restored", row.Action)
	assert.Equal(t, id, row.Detail["account"])
}

func TestWhatCannotBeBroughtBackIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		given func(t *testing.T, s *site)
		says  string
	}{
		"an account that is there":  {func(t *testing.T, s *site) { s.links(t, ledger.LinkActive, "ada") }, "was not deleted: it is active"},
		"nothing":                   {func(*testing.T, *site) {}, "knows of no account"},
		"what the bin has let go":   {func(t *testing.T, s *site) { s.binned(t, 31*24*time.Hour) }, "is gone for good"},
		"what was emptied by hand":  {func(t *testing.T, s *site) { s.bin(t, "ada"); s.wiki.EmptyBin() }, "not in the recycle bin any more"},
		"where the app has no bin":  {func(t *testing.T, s *site) { s.bin(t, "ada"); s.traits(t, 0, false) }, "has no recycle bin"},
		"where administrators must": {func(t *testing.T, s *site) { s.bin(t, "ada"); s.traits(t, time.Hour*24, false) }, "Its administrators can, until"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			c.given(t, s)
			_, err := s.RestoreAccount(t.Context(), asks, "ada", "wiki")
			var refused *operator.RefusedError
			require.ErrorAs(t, err, &refused)
			assert.ErrorContains(t, err, c.says)
		})
	}
}

// binned stores that ada's account was deleted that long ago.
func (s *site) binned(t *testing.T, ago time.Duration) {
	s.store(t, ledger.Link{PersonID: "ada", App: "wiki", State: ledger.LinkDeleted, DeletedAt: now.Add(-ago), Binned: ledger.Binned{AccountID: "7", At: now.Add(-ago)}})
}

// traits sets what the app can do about deleted accounts.
func (s *site) traits(t *testing.T, bin time.Duration, restore bool) {
	t.Helper()
	rules, err := s.Apps.Rules(t.Context())
	require.NoError(t, err)
	app := rules.Apps["wiki"]
	app.RecycleBin, app.Restore = bin, restore
	rules.Apps["wiki"] = app
}

// If this process ends, or the app does not answer, the account may be there again. The
// person's run is due, and looks for it.
func TestARestoreWithoutAnAnswerIsLookedInto(t *testing.T) {
	s := newSite(t)
	s.bin(t, "ada")
	s.leave(t, "ada")
	s.wiki.AfterCall(func(_ context.Context, op, _ string) error {
		if op == connector.OpRestore {
			return errors.New("no answer")
		}
		return nil
	})
	_, err := s.RestoreAccount(t.Context(), asks, "ada", "wiki")
	require.ErrorContains(t, err, "the app failed")
	link := s.link(t, "ada")
	assert.Equal(t, ledger.LinkPlanned, link.State, "planning looks for the account, and turns it off")
	assert.True(t, link.DoubtUntil.After(now))
	assert.NotZero(t, link.Binned)
	due, err := s.ledger.Due(t.Context(), now, 10)
	require.NoError(t, err)
	require.NotEmpty(t, due)
	assert.Equal(t, "ada", due[0].PersonID)
}
