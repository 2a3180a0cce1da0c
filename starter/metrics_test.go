package main

import (
	"flag"
	"net/http"
	"slices"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ingest/broker"
	"github.com/tenurehq/tenure/internal/metricstest"
)

var update = flag.Bool("update", false, "write the table of docs/metrics.md")

// After a metric is added, renamed or removed, run this test with -update to change the
// page.
func TestMetricsAreDocumented(t *testing.T) {
	metricstest.Documented(t, "starter", metricsOfAStarter(t), *update)
}

func TestMetricsFollowConventions(t *testing.T) { metricstest.Conventions(t, metricsOfAStarter(t)) }

// metricsOfAStarter returns the metrics that a starter exports once it has had a record of
// each kind.
func metricsOfAStarter(t *testing.T) []*dto.MetricFamily {
	t.Helper()
	s := newSite(t, (&frontend{}).serve(t, "127.0.0.1:0"))
	stop := s.start(s.yaml("127.0.0.1:0") + s.webhooks("127.0.0.1:0"))
	require.Eventually(t, func() bool { code, _ := s.probe("/readyz"); return code == http.StatusOK }, patience, 10*time.Millisecond)
	publisher := broker.NewPublisher(broker.Cluster{Brokers: s.cluster.ListenAddrs()})
	defer publisher.Close()
	require.NoError(t, publisher.Publish(t.Context(), "hr.events", []broker.Message{{Key: "1", Value: []byte("no event")}}))
	var families []*dto.MetricFamily
	require.Eventually(t, func() bool {
		var err error
		families, err = s.metrics.Gather()
		require.NoError(t, err)
		return slices.ContainsFunc(families, func(f *dto.MetricFamily) bool { return f.GetName() == "tenure_ingest_oldest_seconds" })
	}, patience, tick)
	require.NoError(t, stop())
	return families
}
