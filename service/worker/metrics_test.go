package worker

import (
	"context"
	"errors"
	"flag"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/audit"
	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/internal/metricstest"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/pace"
	"github.com/tenurehq/tenure/ledger/sqlite"
	"github.com/tenurehq/tenure/ledger/sqlite/sqlitetest"
	"github.com/tenurehq/tenure/notice"
	"github.com/tenurehq/tenure/review"
)

var update = flag.Bool("update", false, "write the table of docs/metrics.md")

func TestMetricsAreDocumented(t *testing.T) {
	metricstest.Documented(t, "worker", metricsOfAWorker(t), *update)
}

func TestMetricsFollowConventions(t *testing.T) { metricstest.Conventions(t, metricsOfAWorker(t)) }

// metricsOfAWorker returns the metrics that a worker with an app exports.
func metricsOfAWorker(t *testing.T) []*dto.MetricFamily {
	t.Helper()
	reg := metricstest.NewRegistry()
	m := newMetrics(reg, []string{"wiki"})
	notice.NewMetrics(reg)
	pace.New(t.Context(), "wiki", pace.Rate{}, nil, m.pace)
	pace.NewPlaces(t.Context(), "wiki", 1, m.pace)
	store, err := sqlite.Open(t.Context(), sqlitetest.New(t))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	require.NoError(t, store.SaveLicences(t.Context(), "wiki", time.Now(), []ledger.Licence{{Name: "licence:pro", Seats: 1}}))
	reg.MustRegister(&census{enough: few, ledger: scanned{store}, clock: clock.Real(), every: map[string]time.Duration{"wiki": time.Hour}, apps: []string{"wiki"}, log: zap.NewNop()})
	reg.MustRegister(&figured{ledger: &recorded{at: time.Now()}, clock: clock.Real(), log: zap.NewNop()})
	lease, _, err := store.TakeLease(t.Context(), ledger.LeaseAudit, "a", time.Minute)
	require.NoError(t, err)
	require.NoError(t, store.SaveCheckpoint(t.Context(), lease, audit.Stored{Size: 1, At: time.Now()}))
	reg.MustRegister(&creep{known: true, sum: review.CompanyCreep{People: 1}})
	newAuditMetrics(reg, store, clock.Real(), []string{"kafka tenure.checkpoints"}, []string{"siem"}, zap.NewNop())
	return reg.All(t)
}

// scanned is a ledger whose app wiki was scanned.
type scanned struct{ *sqlite.Store }

func (scanned) OrphanRates(context.Context) ([]ledger.OrphanRate, error) {
	return []ledger.OrphanRate{{App: "wiki", Accounts: 2, Orphans: 1}}, nil
}

func (scanned) CountFindings(context.Context) ([]ledger.FindingCount, error) {
	return []ledger.FindingCount{{App: "wiki", Kind: ledger.FindingOrphan, State: ledger.FindingOpen, N: 1, Oldest: time.Now()}}, nil
}

func (scanned) LastScans(context.Context) ([]ledger.Scan, error) {
	return []ledger.Scan{{App: "wiki", EndedAt: time.Now()}}, nil
}

func (scanned) Scans(context.Context, string, int) ([]ledger.Scan, error) {
	return []ledger.Scan{{App: "wiki", State: ledger.ScanDone}}, nil
}

func few(string) ledger.EnoughSeats { return ledger.EnoughSeats{Seats: 2} }

// countable is a ledger that returns numbers, or fails.
type countable struct {
	counts ledger.Counts
	err    error
	asked  int
	open   []ledger.Cohort
	late   ledger.Lateness
	holds  []ledger.Hold
	seats  []ledger.Licence

	requests []ledger.Request
	scans    []ledger.Scan
	findings []ledger.FindingCount
	orphans  []ledger.OrphanRate
	allScans map[string][]ledger.Scan
}

func (c *countable) OrphanRates(context.Context) ([]ledger.OrphanRate, error) {
	return c.orphans, c.err
}

func (c *countable) Scans(_ context.Context, app string, _ int) ([]ledger.Scan, error) {
	return c.allScans[app], c.err
}

func (c *countable) LastScans(context.Context) ([]ledger.Scan, error) { return c.scans, c.err }

func (c *countable) CountFindings(context.Context) ([]ledger.FindingCount, error) {
	return c.findings, c.err
}

func (c *countable) CountNotices(context.Context, time.Time) (ledger.NoticeCounts, error) {
	return ledger.NoticeCounts{Waiting: 6, Failed: 2}, c.err
}

func (c *countable) Licences(context.Context) ([]ledger.Licence, error) { return c.seats, c.err }

// Holds lists the holds in force.
func (c *countable) Holds(_ context.Context, f ledger.HoldFilter, after int64, limit int) (some []ledger.Hold, err error) {
	for _, h := range c.holds {
		if h.ID > after && h.InForce(f.InForce) && len(some) < limit {
			some = append(some, h)
		}
	}
	return some, c.err
}

func (c *countable) Overdue(_ context.Context, l ledger.Lateness) (int, error) {
	c.late = l
	return 9, c.err
}

func (c *countable) Cohorts(context.Context, ledger.CohortFilter) ([]ledger.Cohort, error) {
	return c.open, c.err
}

func (c *countable) Requests(_ context.Context, f ledger.RequestFilter, _ int64, _ int) (some []ledger.Request, err error) {
	for _, r := range c.requests {
		if slices.Contains(f.States, r.State) {
			some = append(some, r)
		}
	}
	return some, c.err
}

func (c *countable) Count(context.Context) (ledger.Counts, error) {
	c.asked++
	return c.counts, c.err
}

func TestTheLedgerIsCountedForMetrics(t *testing.T) {
	today := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	hold := func(id int64, person string, days int) ledger.Hold {
		return ledger.Hold{ID: id, PersonID: person, ExpiresAt: today.AddDate(0, 0, days)}
	}
	l := &countable{counts: ledger.Counts{
		Links:     map[string]map[ledger.LinkState]int{"wiki": {ledger.LinkActive: 7}, "gone": {ledger.LinkDisabled: 2}},
		Attention: map[string]int{"wiki": 3, "": 1},
		Retention: map[string]int{"gone": 2},
		Approvals: map[string]int{"wiki": 5},
	}, open: []ledger.Cohort{{Kind: ledger.Leavers, Held: 41}}}
	for i := range int64(page) { // one person has more holds than are read at once
		l.holds = append(l.holds, hold(i+1, "1", 3))
	}
	l.holds = append(l.holds, hold(page+1, "1", 30), hold(page+2, "2", 7), hold(page+3, "3", 8), hold(page+4, "4", 1), hold(page+5, "5", -1))
	l.seats = []ledger.Licence{
		{App: "wiki", Name: "licence:pro", Seats: 10, Used: 9, Awaited: 3, CountedAt: time.Now()},
		{App: "chat", Name: "licence:old", Seats: 10, Used: 9, CountedAt: time.Now().Add(-3 * time.Hour)},
		{App: "chat", Name: "licence:pro", Seats: 10, Used: 8, CountedAt: time.Now().Add(-time.Hour)},
		{App: "chat", Name: "licence:secret", Used: 8, CountedAt: time.Now()},
	}
	l.requests = []ledger.Request{
		{State: ledger.RequestAsked, ExpiresAt: today}, {State: ledger.RequestConfirming, ExpiresAt: today.Add(time.Hour)},
		{State: ledger.RequestConfirming, ExpiresAt: today}, {State: ledger.RequestConfirming, ExpiresAt: today.AddDate(0, 0, -1)},
		{State: ledger.RequestApproved},
	}
	l.scans = []ledger.Scan{{App: "wiki", EndedAt: today.Add(-time.Minute)}, {App: "gone", EndedAt: today}}
	l.findings = []ledger.FindingCount{{App: "wiki", Kind: ledger.FindingOrphan, State: ledger.FindingOpen, Enabled: true, N: 4, Oldest: today.Add(-90 * time.Second)}}
	l.orphans = []ledger.OrphanRate{{App: "wiki", Accounts: 20, Orphans: 5, Off: 2}}
	l.allScans = map[string][]ledger.Scan{
		"wiki": {{State: ledger.ScanListing}, {State: ledger.ScanSuspicious}, {State: ledger.ScanDone}}, "chat": {{State: ledger.ScanDone}, {State: ledger.ScanFailed}},
	}
	reg := prometheus.NewRegistry()
	reg.MustRegister(&census{enough: few, ledger: l, clock: clock.Func(func() time.Time { return today }), every: map[string]time.Duration{"wiki": time.Hour, "chat": 2 * time.Hour, "never": 0}, started: today.Add(-time.Hour), apps: []string{"wiki", "chat"}, overdue: 10 * time.Minute, log: zap.NewNop()})
	metricstest.Gauges(t, reg)
	values := metricstest.Gauges(t, reg)
	for name, want := range map[string]float64{
		"tenure_accounts wiki active": 7, "tenure_accounts chat active": 0, "tenure_accounts gone disabled": 2,
		"tenure_attention_steps wiki": 3, "tenure_attention_steps chat": 0, "tenure_attention_steps ": 1,
		"tenure_retention_pending gone": 2, "tenure_retention_pending wiki": 0,
		"tenure_deletions_waiting wiki": 5, "tenure_deletions_waiting chat": 0,
		"tenure_hold_people ending": 2, "tenure_hold_people lasting": 2,
		"tenure_requests asked": 1, "tenure_requests confirming": 1, "tenure_requests late": 2,
		"tenure_notices waiting": 6, "tenure_notices failed": 2,
		"tenure_findings wiki orphan true open": 4, "tenure_scan_age_seconds wiki": 60, "tenure_scan_age_seconds chat": 3600,
		"tenure_finding_age_seconds wiki orphan": 90, "tenure_orphaned_accounts wiki true": 5, "tenure_orphaned_accounts wiki false": 2,
		"tenure_orphaned_account_ratio wiki": 0.25, "tenure_scan_every_seconds wiki": 3600, "tenure_scan_doubted wiki": 1, "tenure_scan_doubted chat": 0,
		"tenure_people_overdue": 9, "tenure_breaker_cohorts leavers": 1, "tenure_breaker_held_people leavers": 41, "tenure_breaker_cohorts deletions": 0,
	} {
		got, there := values[name]
		assert.True(t, there, name)
		assert.Equal(t, want, got, name)
	}
	for name, want := range map[string]float64{
		"seats": 10, "used_seats": 9, "free_seats": 1, "awaited_seats": 3, "low": 1,
	} {
		assert.Equal(t, want, values["tenure_licence_"+name+" wiki licence:pro"], name)
		assert.NotContains(t, values, "tenure_licence_"+name+" chat licence:old", "it was counted too long ago")
		assert.NotContains(t, values, "tenure_licence_"+name+" chat licence:secret", "the app does not say how many there are")
	}
	assert.Equal(t, 0.0, values["tenure_licence_low chat licence:pro"])
	assert.Equal(t, ledger.Lateness{Since: today.Add(-10 * time.Minute), Waiting: today.Add(-70 * time.Minute)}, l.late)
	assert.Equal(t, 1, l.asked, "the whole ledger is not counted for each scrape")

	reg = prometheus.NewRegistry()
	reg.MustRegister(&census{ledger: &countable{err: errors.New("locked")}, clock: clock.Real(), log: zap.NewNop()})
	families, err := reg.Gather()
	require.NoError(t, err)
	assert.Empty(t, families, "no number is better than an old one")
}
