package worker

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/figures"
	"github.com/tenurehq/tenure/internal/metricstest"
	"github.com/tenurehq/tenure/ledger"
)

// recorded is a ledger whose record has two accounts that were turned on or off, one that needs an
// operator, an app that was scanned, and a review that has closed.
type recorded struct {
	figures.Reader
	at    time.Time
	err   error
	asked int
}

func (r *recorded) People(context.Context, string, int) ([]ledger.Summary, error) {
	r.asked++
	return []ledger.Summary{{PersonID: "bob", Waits: map[string]ledger.Wait{"wiki": {Off: true, Since: r.at.Add(-time.Hour)}}}}, r.err
}

func (r *recorded) AuditSince(context.Context, ledger.AuditPlace, int) ([]ledger.AuditRow, error) {
	turned := func(app string, state ledger.LinkState) ledger.AuditRow {
		return ledger.AuditRow{At: r.at, PersonID: "ada", App: app, Actor: ledger.ActorTenure, Detail: map[string]any{
			ledger.DetailSince: r.at.Add(-time.Minute).Format(time.RFC3339Nano), ledger.DetailState: string(state), ledger.DetailHas: []any{},
		}}
	}
	return []ledger.AuditRow{
		turned("wiki", ledger.LinkActive), turned("wiki", ledger.LinkDisabled), {At: r.at, App: "wiki", PersonID: "ada", Action: ledger.AuditNeedsAttention},
	}, r.err
}

func (r *recorded) OrphanHistory(context.Context, time.Time, time.Time) ([]ledger.OrphanRate, error) {
	return []ledger.OrphanRate{{App: "wiki", At: r.at, Accounts: 4, Orphans: 1}}, r.err
}

func (r *recorded) Reviews(context.Context, ledger.ReviewFilter, int64, int) ([]ledger.Review, error) {
	return []ledger.Review{{ID: 1, ClosedAt: r.at}}, r.err
}

func (r *recorded) ReviewItems(context.Context, ledger.ItemFilter, int64, int) ([]ledger.ReviewItem, error) {
	return []ledger.ReviewItem{{App: "wiki", DecidedBy: "kim"}, {Role: "r", DecidedBy: ledger.ReviewNobody}}, r.err
}

func TestFiguresAreMetrics(t *testing.T) {
	l := &recorded{at: time.Now().Truncate(time.Second)}
	reg := prometheus.NewRegistry()
	reg.MustRegister(&figured{ledger: l, clock: clock.Real(), log: zap.NewNop()})
	metricstest.Gauges(t, reg)
	values := metricstest.Gauges(t, reg)
	assert.Equal(t, map[string]float64{
		"tenure_figure_seconds wiki time_to_provision median": 60, "tenure_figure_seconds wiki time_to_provision p95": 60,
		"tenure_figure_seconds wiki time_to_deprovision median": 60, "tenure_figure_seconds wiki time_to_deprovision p95": 60,
		"tenure_figure_accounts wiki time_to_provision within": 1, "tenure_figure_accounts wiki time_to_provision late": 0, "tenure_figure_accounts wiki time_to_provision open": 0,
		"tenure_figure_accounts wiki time_to_deprovision within": 1, "tenure_figure_accounts wiki time_to_deprovision late": 0, "tenure_figure_accounts wiki time_to_deprovision open": 1,
		"tenure_figure_ratio wiki orphaned_account_rate": 0.25, "tenure_figure_ratio  review_completion_rate": 0.5, "tenure_figure_ratio wiki provisioning_error_rate": 1.0 / 3,
	}, values)
	assert.Equal(t, 1, l.asked, "the record is not read for each scrape")

	reg = prometheus.NewRegistry()
	reg.MustRegister(&figured{ledger: &recorded{err: errors.New("locked")}, clock: clock.Real(), log: zap.NewNop()})
	families, err := reg.Gather()
	require.NoError(t, err)
	assert.Empty(t, families, "no number is better than an old one")
}
