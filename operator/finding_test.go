package operator_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
)

func TestARemedyHasToFitTheFinding(t *testing.T) {
	s := newSite(t)
	s.found(t, ledger.Finding{Kind: ledger.FindingOrphan}, ledger.Observed{AccountID: "9", Active: true})
	refused := func(err error, want string) {
		t.Helper()
		var refusal *operator.RefusedError
		require.ErrorAs(t, err, &refusal)
		assert.ErrorContains(t, err, want)
	}
	_, err := s.RepairFinding(t.Context(), asks, "f-1")
	refused(err, "for which there is no repair; there is: adopt, end")
	_, err = s.AcceptFinding(t.Context(), asks, "f-1", now.Add(time.Hour))
	refused(err, "for which there is no accept")
	_, err = s.AdoptFinding(t.Context(), asks, "f-1", "", operator.AdoptOptions{})
	refused(err, "say whose it is")
	_, err = s.AdoptFinding(t.Context(), asks, "f-1", "orphan:f-1", operator.AdoptOptions{})
	refused(err, "orphan:f-1 is nobody")
	_, err = s.EndFinding(t.Context(), asks, "f-1", "ada")
	refused(err, "person ada has not left")
	_, err = s.RepairFinding(t.Context(), asks, "f-7")
	refused(err, "there is no finding f-7")
	refused(s.BelieveScan(t.Context(), asks, "wiki"), "there is nothing to believe")
	assert.Empty(t, s.runs.told)
}

func TestAnAccountThatIsNobodysIsAdoptedInTheApp(t *testing.T) {
	s := newSite(t)
	id := s.wiki.Put(connector.Account{Username: "who", Active: true})
	s.found(t, ledger.Finding{Kind: ledger.FindingOrphan}, ledger.Observed{AccountID: id, Active: true})
	_, err := s.AdoptFinding(t.Context(), asks, "f-1", "bob", operator.AdoptOptions{})
	require.NoError(t, err)
	account, _ := s.wiki.Account(id)
	assert.Equal(t, "bob", account.ExternalID)
	assert.Equal(t, 1, s.wiki.Calls(connector.OpResetCredentials), "whoever knew the password is out")
	bob, err := s.Ledger.Person(t.Context(), "bob")
	require.NoError(t, err)
	assert.Equal(t, id, bob.Links[0].AccountID)
	assert.Equal(t, []string{"bob"}, s.runs.told)
}

func TestWhichScanToWaitFor(t *testing.T) {
	s := newSite(t)
	before, err := s.Scan(t.Context(), "wiki")
	require.NoError(t, err)
	assert.Zero(t, before)
	assert.Equal(t, []string{"scan of wiki"}, s.runs.told)
	one, err := s.ledger.BeginScan(t.Context(), "wiki", "1", now)
	require.NoError(t, err)
	before, err = s.Scan(t.Context(), "wiki")
	require.NoError(t, err)
	_, ended, err := s.Scanned(t.Context(), "wiki", before)
	require.NoError(t, err)
	assert.False(t, ended)
	require.NoError(t, s.ledger.EndScan(t.Context(), ledger.ScanEnd{Scan: one.ID, At: now, State: ledger.ScanFailed}))
	got, ended, err := s.Scanned(t.Context(), "wiki", before)
	require.NoError(t, err)
	assert.True(t, ended)
	assert.Equal(t, one.ID, got.ID)
	before, err = s.Scan(t.Context(), "wiki")
	require.NoError(t, err)
	_, ended, err = s.Scanned(t.Context(), "wiki", before)
	require.NoError(t, err)
	assert.False(t, ended, "the one that has ended is not the one that was asked for")
	_, err = s.Scan(t.Context(), "nowhere")
	assert.ErrorContains(t, err, "there is no app")
}
