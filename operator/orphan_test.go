package operator_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/plan"
)

// orphaned has a scan find an account that is nobody's, as f-1.
func (s *site) orphaned(t *testing.T, username string) (id string) {
	t.Helper()
	id = s.wiki.Put(connector.Account{Username: username, Active: true})
	s.found(t, ledger.Finding{Kind: ledger.FindingOrphan, Enabled: true}, ledger.Observed{AccountID: id, Username: username, Active: true})
	return id
}

func TestWhatWouldBecomeOfAnOrphanIsSaidBefore(t *testing.T) {
	s := newSite(t)
	s.orphaned(t, "stranger")
	e, err := s.Ending(t.Context(), "f-1", "")
	require.NoError(t, err)
	assert.Equal(t, "orphan:f-1", e.PersonID)
	var kinds []plan.Kind
	for _, step := range e.Steps {
		kinds = append(kinds, step.Kind)
		assert.Equal(t, "nobody's account", step.Why)
	}
	assert.Equal(t, []plan.Kind{plan.Disable, plan.Strip}, kinds)
	assert.Equal(t, []any{now.Add(time.Hour), plan.WaitRetention}, []any{e.Deletion, e.Waits})
	_, err = s.Ledger.Person(t.Context(), "orphan:f-1")
	require.ErrorIs(t, err, ledger.ErrNotFound, "nothing was done")

	e, err = s.EndFinding(t.Context(), asks, "f-1", "")
	require.NoError(t, err)
	assert.Equal(t, []any{"orphan:f-1", ledger.FindingRepairing}, []any{e.PersonID, e.Finding.State})
	assert.Equal(t, []string{"orphan:f-1"}, s.runs.told)
	_, err = s.EndFinding(t.Context(), asks, "f-1", "")
	require.ErrorContains(t, err, "f-1 is being repaired")
}

func TestAnOrphanEndsAsTheAccountOfTheLeaverWhomItMatches(t *testing.T) {
	s := newSite(t)
	s.leave(t, "ada")
	s.ended(t, "ada")
	s.found(t, ledger.Finding{Kind: ledger.FindingOrphan, PersonID: "ada"}, ledger.Observed{AccountID: "9", Active: true})
	e, err := s.Ending(t.Context(), "f-1", "")
	require.NoError(t, err)
	assert.Equal(t, "ada", e.PersonID)

	s.links(t, ledger.LinkDisabled, "ada")
	e, err = s.Ending(t.Context(), "f-1", "")
	require.NoError(t, err)
	assert.Equal(t, "orphan:f-1", e.PersonID, "she has another account there")
	_, err = s.Ending(t.Context(), "f-1", "ada")
	require.ErrorContains(t, err, "person ada has another account in wiki")
}

// HR hires somebody whose the account is, in the middle of the time for which it is kept.
func TestAnOrphanThatEndsIsAdoptedAfterAll(t *testing.T) {
	s := newSite(t)
	id := s.orphaned(t, "stranger")
	_, err := s.EndFinding(t.Context(), asks, "f-1", "")
	require.NoError(t, err)
	_, err = s.AdoptFinding(t.Context(), asks, "f-1", "", operator.AdoptOptions{})
	require.ErrorContains(t, err, "say whose it is")

	off := ledger.Link{AccountID: id, Username: "stranger", State: ledger.LinkDisabled, Adopted: true, DisabledAt: now, StrippedAt: now, ProvenAt: now}
	require.NoError(t, s.ledger.FinishStep(t.Context(), ledger.Outcome{
		PersonID: "orphan:f-1", App: "wiki", Key: "wiki/Disable/1", Kind: "Disable", At: now, State: ledger.StepDone, Link: &off,
	}))
	s.runs.told = nil
	_, err = s.AdoptFinding(t.Context(), asks, "f-1", "bob", operator.AdoptOptions{})
	require.NoError(t, err)
	bob, err := s.Ledger.Person(t.Context(), "bob")
	require.NoError(t, err)
	require.Len(t, bob.Links, 1)
	assert.Equal(t, id, bob.Links[0].AccountID)
	orphan, err := s.Ledger.Person(t.Context(), "orphan:f-1")
	require.NoError(t, err)
	assert.Equal(t, []any{ledger.LinkDeleted, ""}, []any{orphan.Links[0].State, orphan.Links[0].AccountID})
	assert.Equal(t, []string{"bob"}, s.runs.told)
	account, _ := s.wiki.Account(id)
	assert.Equal(t, "bob", account.ExternalID)
}

// Whoever has another account in the app cannot be given this one, and nothing is changed by asking.
func TestARefusedAdoptionLeavesTheOrphanItsAccount(t *testing.T) {
	s := newSite(t)
	id := s.orphaned(t, "stranger")
	_, err := s.EndFinding(t.Context(), asks, "f-1", "")
	require.NoError(t, err)
	before, err := s.Ledger.Person(t.Context(), "orphan:f-1")
	require.NoError(t, err)
	s.links(t, ledger.LinkActive, "ada")
	_, err = s.AdoptFinding(t.Context(), asks, "f-1", "ada", operator.AdoptOptions{})
	require.ErrorContains(t, err, "person ada has an account in wiki already")
	orphan, err := s.Ledger.Person(t.Context(), "orphan:f-1")
	require.NoError(t, err)
	assert.Equal(t, before.Links, orphan.Links)
	assert.Equal(t, id, orphan.Links[0].AccountID)
	ada, err := s.Ledger.Person(t.Context(), "ada")
	require.NoError(t, err)
	for _, step := range ada.Steps {
		assert.NotEqual(t, "Adopt", step.Kind, "no step was begun")
	}
}

// The same, with tenure app adopt.
func TestAccountsThatEndAsNobodysAreAdoptedByPairs(t *testing.T) {
	s := newSite(t)
	id := s.orphaned(t, "stranger")
	_, err := s.EndFinding(t.Context(), asks, "f-1", "")
	require.NoError(t, err)
	a, err := s.Accounts(t.Context(), "wiki", func() {})
	require.NoError(t, err)
	defer func() { require.NoError(t, a.Close()) }()
	chosen, err := a.Paired([]operator.Pair{{PersonID: "bob", Account: "stranger", Line: 1}})
	require.NoError(t, err)
	require.Len(t, chosen, 1)
	require.NoError(t, a.Adopt(t.Context(), asks, a.Adoption(chosen[0]), operator.AdoptOptions{}))
	bob, err := s.Ledger.Person(t.Context(), "bob")
	require.NoError(t, err)
	assert.Equal(t, id, bob.Links[0].AccountID)
}

func TestAProtectedOrphanDoesNotEnd(t *testing.T) {
	s := newSite(t)
	s.orphaned(t, "breakglass")
	_, err := s.Ending(t.Context(), "f-1", "")
	require.ErrorIs(t, err, operator.ErrProtected)
	_, err = s.EndFinding(t.Context(), asks, "f-1", "")
	require.ErrorIs(t, err, operator.ErrProtected)
	assert.Empty(t, s.runs.told)
}
