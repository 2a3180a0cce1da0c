// Package metricstest checks the metrics of programs against docs/metrics.md and Prometheus'
// conventions. Only tests import it.
package metricstest

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// page returns the path of docs/metrics.md, relative to a program's test.
func page(t *testing.T) string {
	t.Helper()
	for dir := ".."; ; dir += "/.." {
		if _, err := os.Stat(dir + "/go.mod"); err == nil {
			return dir + "/docs/metrics.md"
		}
		require.Less(t, len(dir), 20, "the module's root is not above this folder")
	}
}

// labels lists the allowed labels. They have a bounded set of values, and no data about a
// person.
var labels = []string{
	"app", "dependency", "endpoint", "figure", "kind", "licence", "of", "on", "outcome", "partition", "place", "process", "reason", "result", "state", "topic", "version",
}

// A Registry is a registry that remembers what was registered, so that a metric that has no
// sample when the test gathers cannot be missing from the page without notice.
type Registry struct {
	*prometheus.Registry
	described []string
}

// NewRegistry returns an empty registry.
func NewRegistry() *Registry { return &Registry{Registry: prometheus.NewRegistry()} }

// Register registers a collector, and remembers its metrics.
func (r *Registry) Register(c prometheus.Collector) error {
	descriptions := make(chan *prometheus.Desc)
	go func() {
		defer close(descriptions)
		c.Describe(descriptions)
	}()
	for d := range descriptions {
		if name := regexp.MustCompile(`fqName: "(tenure_\w+)"`).FindStringSubmatch(d.String()); name != nil {
			r.described = append(r.described, name[1])
		}
	}
	return r.Registry.Register(c)
}

// MustRegister registers collectors, and panics if one is refused.
func (r *Registry) MustRegister(some ...prometheus.Collector) {
	for _, c := range some {
		if err := r.Register(c); err != nil {
			panic(err)
		}
	}
}

// All gathers the metrics, and checks that each registered one has a sample.
func (r *Registry) All(t *testing.T) []*dto.MetricFamily {
	t.Helper()
	families, err := r.Gather()
	require.NoError(t, err)
	for _, name := range r.described {
		assert.True(t, slices.ContainsFunc(families, func(f *dto.MetricFamily) bool { return f.GetName() == name }),
			"%s has no sample in this test, so the page would lack it", name)
	}
	return families
}

// Gauges gathers the values of gauges, by their names and the values of their labels, with spaces
// between.
func Gauges(t *testing.T, from prometheus.Gatherer) map[string]float64 {
	t.Helper()
	families, err := from.Gather()
	require.NoError(t, err)
	values := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := f.GetName()
			for _, label := range m.GetLabel() {
				name += " " + label.GetValue()
			}
			values[name] = m.GetGauge().GetValue()
		}
	}
	return values
}

// Ours returns the families of Tenure's own metrics.
func Ours(families []*dto.MetricFamily) []*dto.MetricFamily {
	return slices.DeleteFunc(families, func(f *dto.MetricFamily) bool { return !strings.HasPrefix(f.GetName(), "tenure_") })
}

// Documented checks that the page's table of a program's metrics, which is between
// "<!-- generated: PROGRAM -->" and "<!-- end -->", matches the program's metrics. If update
// is set, it writes the table instead.
func Documented(t *testing.T, program string, families []*dto.MetricFamily, update bool) {
	t.Helper()
	var table strings.Builder
	table.WriteString("| metric | type | labels | |\n|---|---|---|---|\n")
	for _, f := range Ours(families) {
		fmt.Fprintf(&table, "| `%s` | %s | %s | %s |\n",
			f.GetName(), strings.ToLower(f.GetType().String()), strings.Join(labelsOf(f), ", "), f.GetHelp())
	}
	text, err := os.ReadFile(page(t))
	require.NoError(t, err)
	block := regexp.MustCompile(`(?s)(<!-- generated: ` + program + ` -->\n).*?(<!-- end -->)`)
	require.Regexp(t, block, string(text))
	want := block.ReplaceAllString(string(text), "${1}"+table.String()+"${2}")
	if update {
		require.NoError(t, os.WriteFile(page(t), []byte(want), 0o600))
		return
	}
	assert.Equal(t, want, string(text), "run: go test -run Documented -update in the folder of this test")
}

// Conventions checks names and help texts by Prometheus' own rules, and that every label is
// an allowed one.
func Conventions(t *testing.T, families []*dto.MetricFamily) {
	t.Helper()
	ours := Ours(families)
	problems, err := promlint.NewWithMetricFamilies(ours).Lint()
	require.NoError(t, err)
	assert.Empty(t, problems)
	for _, f := range ours {
		for _, label := range labelsOf(f) {
			assert.Contains(t, labels, strings.Trim(label, "`"), "a label with a bounded set of values, and nothing of a person")
		}
	}
}

// labelsOf returns the names of a family's labels, as the page writes them.
func labelsOf(f *dto.MetricFamily) []string {
	var names []string
	for _, pair := range f.GetMetric()[0].GetLabel() {
		names = append(names, "`"+pair.GetName()+"`")
	}
	return names
}
