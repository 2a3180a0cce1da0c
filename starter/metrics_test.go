package main

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ingest"
)

var update = flag.Bool("update", false, "write the table of docs/metrics.md")

const metricsDoc = "../docs/metrics.md"

// Whoever adds, renames or drops a metric changes the page, by running this with
// -update.
func TestMetricsAreDocumented(t *testing.T) {
	families := metricsOfAStarter(t)
	var table strings.Builder
	table.WriteString("| metric | type | labels | |\n|---|---|---|---|\n")
	for _, f := range families {
		fmt.Fprintf(&table, "| `%s` | %s | %s | %s |\n",
			f.GetName(), strings.ToLower(f.GetType().String()), strings.Join(labelsOf(f), ", "), f.GetHelp())
	}
	page, err := os.ReadFile(metricsDoc)
	require.NoError(t, err)
	block := regexp.MustCompile(`(?s)(<!-- generated -->\n).*(<!-- end -->)`)
	require.Regexp(t, block, string(page))
	want := block.ReplaceAllString(string(page), "${1}"+table.String()+"${2}")
	if *update {
		require.NoError(t, os.WriteFile(metricsDoc, []byte(want), 0o644))
		return
	}
	assert.Equal(t, want, string(page), "run: go test ./starter -run Documented -update")
}

func TestMetricsFollowConventions(t *testing.T) {
	families := metricsOfAStarter(t)
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	require.NoError(t, err)
	assert.Empty(t, problems)
	allowed := []string{"topic", "partition", "result", "reason", "dependency", "endpoint", "outcome", "process", "version"}
	for _, f := range families {
		for _, label := range labelsOf(f) {
			assert.Contains(t, allowed, strings.Trim(label, "`"), "a label with a bounded set of values, and nothing of a person")
		}
	}
}

// metricsOfAStarter are the families of Tenure's own metrics that a starter
// shows once it has a record of each kind.
func metricsOfAStarter(t *testing.T) []*dto.MetricFamily {
	t.Helper()
	s := newSite(t, (&frontend{}).serve(t, "127.0.0.1:0"))
	stop := s.start(s.yaml("127.0.0.1:0") + s.webhooks("127.0.0.1:0"))
	require.Eventually(t, func() bool { code, _ := s.probe("/readyz"); return code == http.StatusOK }, patience, 10*time.Millisecond)
	publisher := ingest.NewPublisher(ingest.Cluster{Brokers: s.cluster.ListenAddrs()})
	defer publisher.Close()
	require.NoError(t, publisher.Publish(t.Context(), "hr.events", []ingest.Message{{Key: "1", Value: []byte("no event")}}))
	var families []*dto.MetricFamily
	require.Eventually(t, func() bool {
		var err error
		families, err = s.metrics.Gather()
		require.NoError(t, err)
		return slices.ContainsFunc(families, func(f *dto.MetricFamily) bool { return f.GetName() == "tenure_ingest_oldest_seconds" })
	}, patience, tick)
	require.NoError(t, stop())
	return slices.DeleteFunc(families, func(f *dto.MetricFamily) bool { return !strings.HasPrefix(f.GetName(), "tenure_") })
}

// labelsOf are the names of a family's labels, as the page has them.
func labelsOf(f *dto.MetricFamily) []string {
	var labels []string
	for _, pair := range f.GetMetric()[0].GetLabel() {
		labels = append(labels, "`"+pair.GetName()+"`")
	}
	return labels
}
