package worker

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/audit"
	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/ledgertest"
	"github.com/tenurehq/tenure/ledger/sqlite"
	"github.com/tenurehq/tenure/ledger/sqlite/sqlitetest"
	"github.com/tenurehq/tenure/secret"
)

func TestAWorkerPutsTheRecordIntoItsLog(t *testing.T) {
	store, err := sqlite.Open(t.Context(), sqlitetest.New(t))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	require.NoError(t, ledgertest.WriteRound(t.Context(), store, "p1", 0))
	signs, _, err := audit.NewKey("example.com/tenure")
	require.NoError(t, err)
	broken := httptest.NewServer(http.NotFoundHandler())
	defer broken.Close()
	file := filepath.Join(t.TempDir(), "checkpoints")
	cfg := &config.Config{Audit: config.Audit{
		Origin: "example.com/tenure", Every: time.Millisecond, Key: secret.Of(signs), Publish: []config.AuditPlace{{File: file}, {HTTP: broken.URL}},
	}}
	reg := prometheus.NewRegistry()
	m := newAuditMetrics(reg, store, clock.Real(), placesOf(cfg.Audit), exportsOf(cfg.Audit), zap.NewNop())
	end, err := sequencing(t.Context(), cfg, Options{Ledger: store, Log: zap.NewNop()}, m)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		text, err := os.ReadFile(file)
		return err == nil && len(audit.Split(text)) == 1 && counted(m.failures.WithLabelValues("http "+broken.URL)) > 0
	}, time.Minute, time.Millisecond)
	require.NoError(t, end())
	leases, err := store.Leases(t.Context())
	require.NoError(t, err)
	require.Len(t, leases, 1)
	assert.LessOrEqual(t, leases[0].Left, time.Duration(0), "another may go on at once")
}

func TestAWorkerWithoutTheKeyLeavesTheLogToOthers(t *testing.T) {
	cfg := &config.Config{Audit: config.Audit{Key: secret.New(func() (string, error) { return "", errors.New("no file") })}}
	s, err := newSequencer(cfg, Options{Log: zap.NewNop()}, &auditKafka{}, nil)
	require.NoError(t, err)
	assert.Nil(t, s)
}

// counted returns what a counter has counted.
func counted(c prometheus.Counter) float64 {
	var m dto.Metric
	if err := c.Write(&m); err != nil {
		return -1
	}
	return m.GetCounter().GetValue()
}

type countedLog struct {
	ledger.LogReader
	counts ledger.LogCounts
	err    error
}

func (c *countedLog) CountLog(context.Context) (ledger.LogCounts, error) { return c.counts, c.err }

// gauges returns the gauges of a registry by name and labels.
func gauges(t *testing.T, reg *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := reg.Gather()
	require.NoError(t, err)
	got := map[string]float64{}
	for _, f := range families {
		for _, one := range f.GetMetric() {
			if one.GetGauge() != nil {
				name := f.GetName()
				for _, label := range one.GetLabel() {
					name += " " + label.GetValue()
				}
				got[name] = one.GetGauge().GetValue()
			}
		}
	}
	return got
}

func TestTheLogIsCountedForMetrics(t *testing.T) {
	now := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	l := &countedLog{counts: ledger.LogCounts{
		Size: 90, Unsequenced: 3, Checkpoint: &audit.Stored{Size: 80, At: now.Add(-time.Minute)},
		Published: []ledger.Published{{Place: "behind", Size: 70, At: now.Add(-time.Hour)}, {Place: "good", Size: 80, At: now.Add(-2 * time.Hour)}},
		Exported:  []ledger.Exported{{Place: "complete", Size: 90, At: now}, {Place: "siem", Size: 60, At: now, Next: now.Add(-time.Minute)}},
	}}
	gathered := func() map[string]float64 {
		reg := prometheus.NewRegistry()
		m := newAuditMetrics(reg, l, clock.Func(func() time.Time { return now }), []string{"behind", "good", "new"}, []string{"siem", "complete", "begun"}, zap.NewNop())
		m.started = now.Add(-time.Second)
		return gauges(t, reg)
	}
	assert.Equal(t, map[string]float64{
		"tenure_audit_leaves": 90, "tenure_audit_unsequenced_rows": 3, "tenure_audit_uncovered_leaves": 10, "tenure_audit_checkpoint_age_seconds": 60,
		"tenure_audit_unpublished_seconds behind": 3600, "tenure_audit_unpublished_seconds good": 0, "tenure_audit_unpublished_seconds new": 1,
		"tenure_audit_export_lag_leaves siem": 30, "tenure_audit_export_lag_leaves complete": 0, "tenure_audit_export_lag_leaves begun": 90,
		"tenure_audit_export_age_seconds siem": 60, "tenure_audit_export_age_seconds complete": 0, "tenure_audit_export_age_seconds begun": 1,
	}, gathered())
	l.err = errors.New("locked")
	assert.Empty(t, gathered(), "no number is better than an old one")
}
