package main

import (
	"flag"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/internal/metricstest"
	"github.com/tenurehq/tenure/internal/pace"
)

var update = flag.Bool("update", false, "write the table of docs/metrics.md")

func TestMetricsAreDocumented(t *testing.T) {
	metricstest.Documented(t, "worker", metricsOfAWorker(t), *update)
}

func TestMetricsFollowConventions(t *testing.T) { metricstest.Conventions(t, metricsOfAWorker(t)) }

// metricsOfAWorker are the families of metrics that a worker with an app shows.
func metricsOfAWorker(t *testing.T) []*dto.MetricFamily {
	t.Helper()
	reg := prometheus.NewRegistry()
	m := newMetrics(reg, []string{"wiki"})
	pace.New(t.Context(), "wiki", pace.Rate{}, nil, m.pace)
	families, err := reg.Gather()
	require.NoError(t, err)
	return families
}
