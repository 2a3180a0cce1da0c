package workflows_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger"
)

// Two accounts in the directory are nobody's. An operator has one of them ended before the
// review begins, and the other one while it is open.
func TestWhoseAccountIsNotAskedOnceItIsBeingEnded(t *testing.T) {
	c := newCampaign(t, nil)
	ctx, now := context.Background(), c.now()
	scan, err := c.ledger.BeginScan(ctx, "directory", "nobody's", now)
	require.NoError(t, err)
	seen := func(id string) ledger.Observed {
		return ledger.Observed{AccountID: id, Username: "u" + id, At: now, Active: true}
	}
	require.NoError(t, c.ledger.Observe(ctx, ledger.Listed{Scan: scan.ID, Accounts: []ledger.Observed{seen("901"), seen("902")}}))
	_, err = c.ledger.EndListing(ctx, scan.ID, now, -1)
	require.NoError(t, err)
	orphan := []ledger.Finding{{Kind: ledger.FindingOrphan, Enabled: true, State: ledger.FindingOpen}}
	_, err = c.ledger.SaveVerdicts(ctx, ledger.Compared{Scan: scan.ID, At: now, Verdicts: []ledger.Verdict{
		{AccountID: "901", Findings: orphan}, {AccountID: "902", Findings: orphan},
	}})
	require.NoError(t, err)
	require.NoError(t, c.ledger.EndScan(ctx, ledger.ScanEnd{Scan: scan.ID, At: now, State: ledger.ScanDone}))
	ends := func(account string) {
		found, err := c.ledger.Findings(ctx, ledger.FindingFilter{App: "directory", AccountID: account}, 0, 1)
		require.NoError(t, err)
		require.Len(t, found, 1)
		c.idle[ledger.OrphanID(found[0].ID)] = true // it is not off yet
		_, err = c.o.EndFinding(ctx, olga, ledger.FindingName(found[0].ID), "")
		require.NoError(t, err)
	}
	asked := func() (about []string) {
		for i, err := range ledger.AllReviewItems(ctx, c.ledger, ledger.ItemFilter{Review: 1}) {
			require.NoError(t, err)
			if i.App == "directory" {
				about = append(about, i.AccountID+i.PersonID)
			}
		}
		return about
	}

	ends("901")
	c.starts(time.Hour)
	c.during(2*time.Hour, func() {
		assert.Equal(t, []string{"902"}, asked(), "it is decided already what becomes of the other one")
		ends("902")
	})
	c.holds(1, 40*day)
	require.True(t, c.done)
	item := c.item("account:directory:902")
	assert.Equal(t, []any{ledger.VerdictMoot, "the account is being ended"}, []any{item.Decision, item.Reason})
}
