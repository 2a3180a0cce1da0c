package compose_test

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/tenurehq/tenure/config"
)

func loadYAML[T any](t *testing.T, path string) (into T) {
	t.Helper()
	require.NoError(t, yaml.Unmarshal([]byte(read(t, path)), &into))
	return into
}

// documented are the metrics of docs/metrics.md, with their labels.
func documented(t *testing.T) map[string][]string {
	t.Helper()
	metrics := map[string][]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `(tenure_\\w+)` \\| (\\w+) \\| ([^|]*) \\|").FindAllStringSubmatch(read(t, "docs/metrics.md"), -1) {
		labels := regexp.MustCompile(`\w+`).FindAllString(row[3], -1)
		metrics[row[1]] = labels
		if row[2] == "histogram" {
			for _, suffix := range []string{"_bucket", "_count", "_sum"} {
				metrics[row[1]+suffix] = append(slices.Clone(labels), "le")
			}
		}
	}
	require.Greater(t, len(metrics), 30)
	return metrics
}

// checkExpression checks that an expression uses metrics that there are, and labels
// that they have.
func checkExpression(t *testing.T, metrics map[string][]string, where, expr string) {
	t.Helper()
	var labels []string
	for _, name := range regexp.MustCompile(`\b(tenure_\w+|up)\b`).FindAllString(expr, -1) {
		if name == "up" {
			labels = append(labels, "job", "instance")
			continue
		}
		has, there := metrics[name]
		assert.True(t, there, "%s: docs/metrics.md has no %s", where, name)
		labels = append(labels, has...)
	}
	require.NotEmpty(t, regexp.MustCompile(`tenure_|up`).FindString(expr), where)
	var used []string
	for _, by := range regexp.MustCompile(`by \(([^)]*)\)`).FindAllStringSubmatch(expr, -1) {
		used = append(used, regexp.MustCompile(`\w+`).FindAllString(by[1], -1)...)
	}
	for _, matcher := range regexp.MustCompile(`(\w+)\s*=~?"`).FindAllStringSubmatch(expr, -1) {
		used = append(used, matcher[1])
	}
	for _, label := range used {
		assert.Contains(t, labels, label, "%s: no metric in it has that label: %s", where, expr)
	}
}

type alertRule struct {
	Alert, Expr, For    string
	Labels, Annotations map[string]string
}

func TestAlertsAreAboutMetricsThatThereAre(t *testing.T) {
	file := loadYAML[struct {
		Groups []struct{ Rules []alertRule }
	}](t, "deploy/prometheus/alerts.yml")
	metrics := documented(t)
	seen := map[string]bool{}
	for _, group := range file.Groups {
		for _, rule := range group.Rules {
			checkExpression(t, metrics, rule.Alert, rule.Expr)
			assert.False(t, seen[rule.Alert], "%s is there twice", rule.Alert)
			seen[rule.Alert] = true
			assert.Contains(t, []string{"page", "ticket"}, rule.Labels["severity"], rule.Alert)
			assert.NotEmpty(t, rule.Annotations["summary"], rule.Alert)
			assert.Contains(t, read(t, "docs/metrics.md"), "`"+rule.Alert+"`", "docs/metrics.md explains every alert")
		}
	}
	explained := regexp.MustCompile("`(Tenure[A-Z]\\w+)`").FindAllStringSubmatch(read(t, "docs/metrics.md"), -1)
	require.NotEmpty(t, explained)
	for _, name := range explained {
		assert.True(t, seen[name[1]], "docs/metrics.md speaks of %s, and no rule raises it", name[1])
	}
}

// Prometheus asks the services of the compose file, where they answer.
func TestPrometheusAsksWhoAnswers(t *testing.T) {
	p := project(t)
	file := loadYAML[struct {
		RuleFiles     []string `yaml:"rule_files"`
		ScrapeConfigs []struct {
			JobName string `yaml:"job_name"`
			DNS     []struct {
				Names []string
				Type  string
				Port  int
			} `yaml:"dns_sd_configs"`
			Static []struct{ Targets []string } `yaml:"static_configs"`
		} `yaml:"scrape_configs"`
	}](t, "deploy/prometheus/prometheus.yml")
	for _, rules := range file.RuleFiles {
		assert.FileExists(t, filepath.Join(root, "deploy/prometheus", rules))
	}
	targets := map[string][]string{}
	for _, job := range file.ScrapeConfigs {
		for _, d := range job.DNS {
			assert.Equal(t, "A", d.Type)
			for _, name := range d.Names {
				targets[job.JobName] = append(targets[job.JobName], fmt.Sprintf("%s:%d", name, d.Port))
			}
		}
		for _, s := range job.Static {
			targets[job.JobName] = append(targets[job.JobName], s.Targets...)
		}
	}
	for name, value := range example(t) {
		t.Setenv(name, value)
	}
	cfg, err := config.Load(filepath.Join(root, "examples/compose.yaml"))
	require.NoError(t, err)
	port := func(address string) string {
		host, port, err := net.SplitHostPort(address)
		require.NoError(t, err)
		assert.Equal(t, "0.0.0.0", host, "others have to reach it")
		return port
	}
	assert.ElementsMatch(t, []string{"worker:" + port(cfg.Metrics.Worker), "starter:" + port(cfg.Metrics.Starter)}, targets["tenure"])
	assert.Equal(t, []string{"temporal:" + port(*p.Services["temporal"].Environment["PROMETHEUS_ENDPOINT"])}, targets["temporal"])
	for _, all := range targets {
		for _, target := range all {
			name, _, _ := strings.Cut(target, ":")
			assert.Contains(t, p.ServiceNames(), name)
		}
	}
}

type panel struct {
	ID          int
	Type        string
	Title       string
	Datasource  struct{ UID string }
	GridPos     struct{ X, Y, W, H int }
	FieldConfig struct {
		Defaults struct{ Unit string }
	}
	Targets []struct {
		Datasource   struct{ UID string }
		Expr         string
		LegendFormat string
		RefID        string
	}
}

// checkPanel sees that a panel can be read: what it shows is named by the labels by which it is told
// apart, and in the unit of its metrics.
func checkPanel(t *testing.T, p panel) {
	t.Helper()
	unit := p.FieldConfig.Defaults.Unit
	taken, legends := map[string]bool{}, map[string]bool{}
	for _, target := range p.Targets {
		assert.False(t, taken[target.RefID], "%s: two queries are called %q", p.Title, target.RefID)
		taken[target.RefID] = true
		assert.False(t, legends[target.LegendFormat], "%s: two queries have the legend %q", p.Title, target.LegendFormat)
		legends[target.LegendFormat] = true
		var apart []string
		for _, by := range regexp.MustCompile(`by \(([^)]*)\)`).FindAllStringSubmatch(target.Expr, 1) { // the outermost
			apart = regexp.MustCompile(`\w+`).FindAllString(by[1], -1)
		}
		if strings.HasPrefix(target.Expr, "sum(max by") {
			apart = nil // they are added
		}
		for _, label := range apart {
			if label != "le" {
				assert.Contains(t, target.LegendFormat, "{{"+label+"}}", p.Title)
			}
		}
		for _, label := range regexp.MustCompile(`{{(\w+)}}`).FindAllStringSubmatch(target.LegendFormat, -1) {
			assert.Contains(t, apart, label[1], "%s: the legend names what is not told apart", p.Title)
		}
		want := "short"
		switch name := regexp.MustCompile(`tenure_\w+`).FindString(target.Expr); {
		case strings.Contains(name, "_ratio"):
			want = "percentunit"
		case strings.Contains(name, "_seconds"):
			want = "s"
		case strings.Contains(target.Expr, "rate("):
			want = "ops"
		}
		assert.Equal(t, want, unit, p.Title)
	}
}

func TestTheDashboardShowsMetricsThatThereAre(t *testing.T) {
	sources := loadYAML[struct {
		Datasources []struct{ UID, Type, URL string }
	}](t, "deploy/grafana/provisioning/datasources/prometheus.yaml")
	require.Len(t, sources.Datasources, 1)
	source := sources.Datasources[0]
	assert.Equal(t, "http://prometheus:9090", source.URL)
	assert.Contains(t, project(t).ServiceNames(), "prometheus")

	providers := loadYAML[struct {
		Providers []struct{ Options struct{ Path string } }
	}](t, "deploy/grafana/provisioning/dashboards/tenure.yaml")
	require.Len(t, providers.Providers, 1)
	mounts := map[string]string{}
	for _, v := range project(t).Services["grafana"].Volumes {
		mounts[v.Target] = v.Source
	}
	dashboards := mounts[providers.Providers[0].Options.Path]
	require.NotEmpty(t, dashboards, "nothing is mounted where Grafana looks for dashboards")
	assert.NotEmpty(t, mounts["/etc/grafana/provisioning"])

	text, err := os.ReadFile(filepath.Join(dashboards, "tenure.json"))
	require.NoError(t, err)
	assert.NotContains(t, strings.ReplaceAll(string(text), "$__rate_interval", ""), "$", "the dashboard has no variables")
	var dashboard struct {
		UID, Title string
		Panels     []panel
	}
	require.NoError(t, json.Unmarshal(text, &dashboard))
	metrics := documented(t)
	ids, taken := map[int]bool{}, map[[2]int]string{}
	for _, p := range dashboard.Panels {
		assert.False(t, ids[p.ID], "%s: the ID is taken", p.Title)
		ids[p.ID] = true
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				assert.Less(t, x, 24, p.Title)
				require.Empty(t, taken[[2]int{x, y}], "%s lies on another panel", p.Title)
				taken[[2]int{x, y}] = p.Title
			}
		}
		if p.Type == "row" {
			continue
		}
		require.NotEmpty(t, p.Targets, p.Title)
		assert.Equal(t, source.UID, p.Datasource.UID, p.Title)
		checkPanel(t, p)
		for _, target := range p.Targets {
			assert.Equal(t, source.UID, target.Datasource.UID, p.Title)
			checkExpression(t, metrics, p.Title, target.Expr)
		}
	}
	assert.GreaterOrEqual(t, len(ids), 10)
}
