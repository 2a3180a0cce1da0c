//go:build real

package topology

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/tenurehq/tenure/dev/process"
)

// monitoring is a Prometheus with the configuration that docker-compose.yml mounts,
// but for where things are.
type monitoring struct{ url string }

// startPrometheus runs it until the test ends.
func (t *Topology) startPrometheus(test *testing.T) monitoring {
	test.Helper()
	folder := filepath.Join(root, "deploy", "prometheus")
	said, err := exec.CommandContext(test.Context(), "promtool", "check", "config", filepath.Join(folder, "prometheus.yml")).CombinedOutput()
	require.NoError(test, err, "%s", said)

	said, err = exec.CommandContext(test.Context(), "promtool", "test", "rules", filepath.Join(folder, "alerts_test.yml")).CombinedOutput()
	require.NoError(test, err, "%s", said)

	text, err := os.ReadFile(filepath.Join(folder, "prometheus.yml"))
	require.NoError(test, err)
	var config map[string]any
	require.NoError(test, yaml.Unmarshal(text, &config))
	config["global"] = map[string]any{"scrape_interval": "1s", "evaluation_interval": "1s"}
	rules, err := filepath.Abs(filepath.Join(folder, "alerts.yml"))
	require.NoError(test, err)
	config["rule_files"] = []string{rules}
	here := map[string][]string{"temporal": {t.ports.address("temporal-metrics")}}
	for _, name := range t.Processes() {
		if strings.HasPrefix(name, "worker-") || strings.HasPrefix(name, "starter-") {
			here["tenure"] = append(here["tenure"], t.ports.address(name))
		}
	}
	for _, job := range config["scrape_configs"].([]any) {
		job := job.(map[string]any)
		targets := here[job["job_name"].(string)]
		require.NotEmpty(test, targets, job["job_name"])
		delete(job, "dns_sd_configs")
		job["static_configs"] = []any{map[string]any{"targets": targets}}
	}
	text, err = yaml.Marshal(config)
	require.NoError(test, err)
	file := filepath.Join(t.Dir(), "prometheus.yml")
	require.NoError(test, os.WriteFile(file, text, 0o600))

	path, err := exec.LookPath("prometheus")
	require.NoError(test, err)
	port, err := freePort(nil)
	require.NoError(test, err)
	m := monitoring{url: "http://" + net.JoinHostPort(loopback, fmt.Sprint(port))}
	require.NoError(test, t.run(test.Context(), process.Options{
		Name: "prometheus", Path: path,
		Args: []string{
			"--config.file=" + file, "--storage.tsdb.path=" + filepath.Join(t.Dir(), "prometheus"),
			"--web.listen-address=" + strings.TrimPrefix(m.url, "http://"),
		},
		Ready: func(ctx context.Context) error { return m.ask(ctx, "/api/v1/status/buildinfo", nil, nil) },
	}))
	return m
}

// ask asks Prometheus' interface, which answers with an object that has data.
func (m monitoring) ask(ctx context.Context, path string, query url.Values, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, m.url+path+"?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	answer, err := scimClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	var body struct {
		Status, Error string
		Data          json.RawMessage
	}
	if err := json.NewDecoder(answer.Body).Decode(&body); err != nil {
		return err
	}
	if body.Status != "success" {
		return fmt.Errorf("%s: %s", query.Get("query"), body.Error)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(body.Data, into)
}

type sample struct {
	Metric map[string]string
	Value  [2]any
}

func (m monitoring) query(ctx context.Context, expr string) ([]sample, error) {
	var data struct{ Result []sample }
	err := m.ask(ctx, "/api/v1/query", url.Values{"query": {expr}}, &data)
	return data.Result, err
}

// absent lists the metrics of which nothing can be shown here, with the reason.
var absent = map[string]string{
	"webhook": "nobody sends any",
}

// check sees that Prometheus reaches everybody, that it takes every expression of the
// dashboard and of the alerts, that they say what has happened, and that nobody is
// called while all is well.
func (m monitoring) check(test *testing.T) {
	test.Helper()
	ctx := test.Context()
	for expr, want := range map[string]string{
		`sum(up{job="tenure"})`:                                            "4",
		`sum(up{job="temporal"})`:                                          "1",
		`sum(tenure_ingest_member)`:                                        "2",
		`sum(tenure_ingest_records_total{result="delivered"})`:             "6",
		`max by (app) (tenure_accounts{app="directory", state="active"})`:  "2",
		`max by (app) (tenure_accounts{app="database", state="disabled"})`: "1",
		`sum(tenure_time_to_deprovision_seconds_count{app="wiki"})`:        "1",
		`sum(max by (app) (tenure_retention_pending))`:                     "2",

		`max(tenure_figure_ratio{figure="orphaned_account_rate"})`:  "0",
		`max(tenure_figure_ratio{figure="review_completion_rate"})`: "1",
	} {
		require.EventuallyWithT(test, func(t *assert.CollectT) {
			samples, err := m.query(ctx, expr)
			assert.NoError(t, err)
			if assert.Len(t, samples, 1, expr) {
				assert.Equal(t, want, samples[0].Value[1], expr)
			}
		}, patience, 500*time.Millisecond)
	}

	text, err := os.ReadFile(filepath.Join(root, "deploy/grafana/dashboards/tenure.json"))
	require.NoError(test, err)
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	require.NoError(test, json.Unmarshal(text, &dashboard))
	for _, p := range dashboard.Panels {
		for _, target := range p.Targets {
			expr := strings.ReplaceAll(target.Expr, "$__rate_interval", "1m")
			require.EventuallyWithT(test, func(t *assert.CollectT) {
				samples, err := m.query(ctx, expr)
				assert.NoError(t, err, p.Title)
				if !slices.ContainsFunc(slices.Collect(maps.Keys(absent)), func(what string) bool { return strings.Contains(expr, what) }) {
					assert.NotEmpty(t, samples, "the panel %q shows nothing: %s", p.Title, expr)
				}
			}, patience, 500*time.Millisecond)
		}
	}

	var rules struct {
		Groups []struct {
			Rules []struct {
				Name, Health, LastError, State string
				Labels                         map[string]string
			}
		}
	}
	require.NoError(test, m.ask(ctx, "/api/v1/rules", nil, &rules))
	seen := 0
	for _, group := range rules.Groups {
		for _, rule := range group.Rules {
			seen++
			assert.Equal(test, "ok", rule.Health, "%s: %s", rule.Name, rule.LastError)
			assert.NotEqual(test, "firing", rule.State, rule.Name)
		}
	}
	assert.GreaterOrEqual(test, seen, 10)
}

// draw has the dashboard drawn into a file while people come, with what is measured here. The picture
// in docs/metrics.md has made-up numbers. Run `npm ci --legacy-peer-deps` in scripts/dashboard before.
func (m monitoring) draw(test *testing.T, file string) {
	test.Helper()
	require.EventuallyWithT(test, func(t *assert.CollectT) {
		samples, err := m.query(test.Context(), `sum(rate(tenure_time_to_provision_seconds_count[10s])) > 0`)
		assert.NoError(t, err)
		assert.NotEmpty(t, samples)
	}, patience, 500*time.Millisecond)
	program := filepath.Join(root, "scripts", "dashboard", "picture.mjs")
	said, err := exec.CommandContext(test.Context(), "node", program, m.url, file, "90").CombinedOutput()
	require.NoError(test, err, "%s", said)
}

// fires waits until an alert is pending or firing.
func (m monitoring) fires(test *testing.T, alert string) {
	test.Helper()
	require.EventuallyWithT(test, func(t *assert.CollectT) {
		samples, err := m.query(test.Context(), `ALERTS{alertname="`+alert+`"}`)
		assert.NoError(t, err)
		assert.NotEmpty(t, samples, alert)
	}, patience, 500*time.Millisecond)
}
