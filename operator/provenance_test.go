package operator_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/ledgertest"
	"github.com/tenurehq/tenure/operator"
)

// proves records that Tenure has proven Ada's account in the wiki at an instant.
func (s *site) proves(t *testing.T, at time.Time, change func(*ledger.Link)) {
	t.Helper()
	link := ledger.Link{AccountID: "a1", Username: "ada", State: ledger.LinkActive, ProvenAt: at}
	if change != nil {
		change(&link)
	}
	require.NoError(t, s.ledger.FinishStep(t.Context(), ledger.Outcome{
		PersonID: "ada", App: "wiki", Key: "wiki/Update/2", Kind: "Update", At: at, State: ledger.StepDone, Link: &link,
		Audit: &ledger.AuditRow{Action: "updated", Actor: ledger.ActorTenure},
	}))
}

// sequenced gives a leaf to every row that has none.
func (s *site) sequenced(t *testing.T) {
	t.Helper()
	lease, ok, err := s.ledger.TakeLease(t.Context(), ledger.LeaseAudit, "a", time.Minute)
	require.NoError(t, err)
	require.True(t, ok)
	edge, err := ledgertest.LogEdge(t.Context(), s.ledger)
	require.NoError(t, err)
	rows, err := s.ledger.Unsequenced(t.Context(), 0, 1000)
	require.NoError(t, err)
	require.NoError(t, s.ledger.AppendLeaves(t.Context(), lease, ledgertest.Batch(edge, rows)))
}

// place returns where the last row about Ada is on the record.
func (s *site) place(t *testing.T) operator.RecordPlace {
	t.Helper()
	rows, err := ledger.Collect(ledger.AllAudit(t.Context(), s.ledger, "ada", 0))
	require.NoError(t, err)
	seq := rows[len(rows)-1].Seq
	leaf, ok, err := s.ledger.LeafOf(t.Context(), seq)
	require.NoError(t, err)
	if !ok {
		return operator.RecordPlace{Row: seq}
	}
	return operator.RecordPlace{Row: seq, Leaf: &leaf}
}

func TestWhoseDoingAFindingIs(t *testing.T) {
	stray := ledger.Finding{Kind: ledger.FindingStray, What: "admins", PersonID: "ada", Enabled: true}
	seen := ledger.Observed{AccountID: "a1", Username: "ada", Active: true, Entitlements: []string{"admins"}}

	s := newSite(t)
	s.proves(t, now.Add(-2*time.Hour), nil)
	s.proves(t, now.Add(-time.Hour), nil)
	s.sequenced(t)
	last := s.place(t)
	require.NotNil(t, last.Leaf)
	s.found(t, stray, seen)
	f, err := s.Finding(t.Context(), "f-1")
	require.NoError(t, err)
	p, err := s.ProvenanceOf(t.Context(), f)
	require.NoError(t, err)
	assert.Equal(t, operator.Provenance{
		Why:       "Tenure had begun no call that changes this account since it was last proven",
		NotBefore: now.Add(-time.Hour), SeenAt: now, After: last, Before: p.Before,
	}, p)

	// What comes after it bounds it on the other side.
	s.proves(t, now.Add(time.Hour), nil)
	p, err = s.ProvenanceOf(t.Context(), f)
	require.NoError(t, err)
	assert.Equal(t, last, p.After, "a later proof says nothing about it")
	assert.Greater(t, p.Before.Row, p.After.Row)

	// A call whose outcome is not known may have done it.
	s.proves(t, now.Add(2*time.Hour), func(l *ledger.Link) { l.Unsure.Entitlements = []string{"admins"} })
	p, err = s.ProvenanceOf(t.Context(), f)
	require.NoError(t, err)
	assert.True(t, p.Ours)

	// An account that no call has made is a stranger's, unless a call that makes one is in doubt.
	s = newSite(t)
	s.found(t, ledger.Finding{Kind: ledger.FindingOrphan, Enabled: true}, ledger.Observed{AccountID: "9", Active: true})
	f, err = s.Finding(t.Context(), "f-1")
	require.NoError(t, err)
	p, err = s.ProvenanceOf(t.Context(), f)
	require.NoError(t, err)
	assert.Equal(t, []any{false, "Tenure has made no account with this ID", true}, []any{p.Ours, p.Why, p.NotBefore.IsZero()})
	require.NoError(t, s.ledger.NoteCreation(t.Context(), "bob", "wiki", ledger.Creation{At: now.Add(-time.Minute), Username: "bob", State: ledger.CreationSent}))
	p, err = s.ProvenanceOf(t.Context(), f)
	require.NoError(t, err)
	assert.True(t, p.Ours)
}
