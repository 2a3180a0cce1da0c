package workflows_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/workflows"
)

// found has a scan find accounts in an app that are nobody's and are to go, and returns who
// stands for them.
func (b *biography) found(app string, n int) (orphans []string) {
	ctx := context.Background()
	scan, err := b.ledger.BeginScan(ctx, app, fmt.Sprint("scan at ", b.now()), b.now())
	require.NoError(b.t, err)
	page := ledger.Listed{Scan: scan.ID}
	compared := ledger.Compared{Scan: scan.ID, At: b.now().Add(time.Second)}
	for i := range n {
		name := fmt.Sprint("stranger", i)
		id := b.apps[app].Put(connector.Account{Username: name, Active: true, Entitlements: []string{"admins"}})
		page.Accounts = append(page.Accounts, ledger.Observed{AccountID: id, Username: name, At: b.now(), Active: true})
		compared.Verdicts = append(compared.Verdicts, ledger.Verdict{AccountID: id, Findings: []ledger.Finding{{
			Kind: ledger.FindingOrphan, Enabled: true, State: ledger.FindingRepairing,
		}}})
	}
	require.NoError(b.t, b.ledger.Observe(ctx, page))
	_, err = b.ledger.EndListing(ctx, scan.ID, b.now(), -1)
	require.NoError(b.t, err)
	orphans, err = b.ledger.SaveVerdicts(ctx, compared)
	require.NoError(b.t, err)
	require.Len(b.t, orphans, n)
	require.NoError(b.t, b.ledger.EndScan(ctx, ledger.ScanEnd{Scan: scan.ID, At: b.now(), State: ledger.ScanDone}))
	return orphans
}

// newOrphan returns the biography of the person that stands for an account in the wiki, which
// a scan finds after a day.
func newOrphan(t *testing.T) *biography {
	t.Helper()
	b := newBiography(t, testRules())
	b.person = ledger.OrphanID(1)
	b.events = append(b.events, happening{at: epoch.Add(day), starts: workflows.TypeScheduled, do: func() {
		require.Equal(t, []string{b.person}, b.found("wiki", 1))
	}})
	return b
}

func TestAnOrphanIsTurnedOffKeptAndDeleted(t *testing.T) {
	b := newOrphan(t)
	b.on(day+time.Minute, func() { assert.Equal(t, "off []", b.state("wiki")) })
	b.on(31*day-time.Minute, func() { assert.Equal(t, "off []", b.state("wiki"), "it is kept") })
	b.live(32 * day)
	assert.Equal(t, "none", b.state("wiki"))
	assert.Equal(t, []string{"Scheduled", "Leaver", "Scheduled", "Leaver"}, b.runs)
	assert.Equal(t, []string{"wiki:drift_seen", "wiki:disabled", "wiki:stripped", "wiki:deleted"}, b.actions())
	assert.Equal(t, hr.StatusUnknown, person(b).Status)
}

func TestAnOrphanUnderALegalHoldIsKept(t *testing.T) {
	b := newOrphan(t)
	b.holds(2*day, 90*day)
	b.on(80*day, func() { assert.Equal(t, "off []", b.state("wiki")) })
	b.live(100 * day)
	assert.Equal(t, "none", b.state("wiki"))
}

// Somebody protects the account after it was found.
func TestAnOrphanThatIsProtectedIsLeftAlone(t *testing.T) {
	b := newBiography(t, testRules()).unhurried()
	b.person = ledger.OrphanID(1)
	b.events = append(b.events, happening{at: epoch.Add(day), starts: workflows.TypeScheduled, do: func() {
		b.found("chat", 1)
		b.protect(nil, []string{"stranger0"})
	}})
	b.live(60 * day)
	assert.Equal(t, "on [admins]", b.state("chat"))
	assert.Len(t, b.inAttention(), 1)
}

// HR hires whose account it is, while it is kept.
func TestAnOrphanThatWasFreedIsNotDeleted(t *testing.T) {
	b := newOrphan(t)
	b.nudged(10*day, func() {
		_, err := b.ledger.FreeOrphan(context.Background(), ledger.FindingDecision{ID: 1, Operator: "ops", Reason: "it is ada's", At: b.now()})
		require.NoError(t, err)
	})
	b.live(90 * day)
	assert.Equal(t, "off []", b.state("wiki"), "it is somebody else's business now")
	require.NoError(t, b.ended)
}

// The first scan of an app with many orphans ends none of them until an operator has decided,
// and takes nothing of what is allowed to leavers.
func TestManyOrphansAreHeld(t *testing.T) {
	c := newCrowd(t, 1)
	colleague := c.people[0]
	c.at = epoch.Add(day)
	orphans := c.found("wiki", 5)
	on := func() (n int) {
		for _, a := range c.apps["wiki"].Accounts() {
			if a.Active && a.ExternalID == "" {
				n++
			}
		}
		return n
	}
	c.people = append(c.people, orphans...)
	c.says(day, colleague, terminated(hr.DateOf(epoch)))
	c.work(day + time.Minute)
	assert.Equal(t, 5, on())
	assert.Zero(t, c.working(), "the leaver is cut off")
	cohorts, err := c.ledger.Cohorts(t.Context(), ledger.CohortFilter{Open: true})
	require.NoError(t, err)
	require.Len(t, cohorts, 1)
	assert.Equal(t, []any{ledger.Orphans, 5}, []any{cohorts[0].Kind, cohorts[0].Held})

	_, err = c.ledger.DecideCohort(t.Context(), ledger.CohortDecision{
		Cohort: cohorts[0].ID, Verb: ledger.VerbRelease, People: orphans, Operator: "ops", Reason: "nobody knows them", At: c.now(),
	})
	require.NoError(t, err)
	c.work(2 * day)
	assert.Zero(t, on())
}
