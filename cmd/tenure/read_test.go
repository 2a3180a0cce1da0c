package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/catalog"
	"github.com/tenurehq/tenure/connector/memory"
	"github.com/tenurehq/tenure/internal/running"
	"github.com/tenurehq/tenure/service"
)

// Every command that reads, as people and as programs see it.
func TestReading(t *testing.T) {
	s := newSite(t)
	s.people()
	s.accounts()
	for name, tc := range map[string]struct {
		args []string
		code int
	}{
		"person-list":      {args: []string{"person", "list"}},
		"person-list-left": {args: []string{"person", "list", "--status", "ended"}},
		"person-list-none": {args: []string{"person", "list", "--status", "upcoming"}},
		"person-show":      {args: []string{"person", "show", "10001"}, code: service.ExitAttention},
		"person-show-left": {args: []string{"person", "show", "10002"}, code: service.ExitAttention},
		"person-timeline":  {args: []string{"person", "timeline", "10001"}},
		"timeline-left":    {args: []string{"person", "timeline", "10002"}},
		"timeline-leave":   {args: []string{"person", "timeline", "10003"}},
		"app-list":         {args: []string{"app", "list"}},
		"app-accounts":     {args: []string{"app", "accounts", "wiki"}},
		"app-orphaned":     {args: []string{"app", "accounts", "wiki", "--only", "orphaned"}},
		"app-empty":        {args: []string{"app", "accounts", "chat", "--only", "unlinked"}},
		"app-kind":         {args: []string{"app", "kind", "memory"}},
		"run-attention":    {args: []string{"run", "list", "--attention"}, code: service.ExitAttention},
		"config-check":     {args: []string{"config", "check"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := s.run(tc.args...)
			assert.Equal(t, tc.code, got.code, got.err)
			assert.Empty(t, got.err)
			golden(t, name, got.stdout)

			got = s.run(append(tc.args, "-o", "json")...)
			assert.Equal(t, tc.code, got.code)
			var fromJSON, fromYAML any
			require.NoError(t, json.Unmarshal([]byte(got.stdout), &fromJSON))
			golden(t, name+".json", got.stdout)

			got = s.run(append(tc.args, "--output=yaml")...)
			assert.Equal(t, tc.code, got.code)
			require.NoError(t, yaml.Unmarshal([]byte(got.stdout), &fromYAML))
			text, err := json.Marshal(fromYAML)
			require.NoError(t, err)
			var again any
			require.NoError(t, json.Unmarshal(text, &again))
			assert.Equal(t, fromJSON, again, "YAML says the same as JSON:\n%s", got.stdout)
		})
	}
}

func TestColoursOnATerminalOnly(t *testing.T) {
	s := newSite(t)
	s.people()
	t.Setenv("TERM", "xterm")
	plain := s.run("person", "list").stdout
	assert.NotContains(t, plain, "\x1b")
	onTerminal := s.runWith(terminal{outTTY: true}, "person", "list").stdout
	assert.Contains(t, onTerminal, "\x1b[32mactive\x1b[0m")
	assert.NotContains(t, s.runWith(terminal{outTTY: true}, "person", "list", "-o", "json").stdout, "\x1b")
	t.Setenv("NO_COLOR", "1")
	assert.Equal(t, plain, s.runWith(terminal{outTTY: true}, "person", "list").stdout)
}

func TestManyPeopleAreReadPageByPage(t *testing.T) {
	s := newSite(t)
	l := s.ledger()
	recordMany(t, l, 2*pageSize)
	require.NoError(t, l.Close())
	var people []personView
	require.NoError(t, json.Unmarshal([]byte(s.run("person", "list", "-o", "json").stdout), &people))
	assert.Len(t, people, 2*pageSize)
}

func TestNothingNeedsAttention(t *testing.T) {
	s := newSite(t)
	require.NoError(t, s.ledger().Close())
	got := s.run("run", "list", "--attention")
	assert.Equal(t, service.ExitDone, got.code)
	assert.Equal(t, "nothing needs attention\n", got.stdout)
}

func TestWhatCannotBeShown(t *testing.T) {
	s := newSite(t)
	s.people()
	s.accounts()
	memory.Shared("chat").SetFaults(memory.Faults{Kind: connector.KindUnavailable})
	for name, tc := range map[string]struct {
		args []string
		code int
		err  string
	}{
		"unknown person":   {[]string{"person", "show", "4711"}, service.ExitFailed, `the ledger knows no person "4711"`},
		"unknown timeline": {[]string{"person", "timeline", "4711"}, service.ExitFailed, `the ledger knows no person "4711"`},
		"unknown app":      {[]string{"app", "accounts", "wikki"}, service.ExitUsage, `there is no app "wikki" in tenure.yaml; did you mean "wiki"?`},
		"app down":         {[]string{"app", "accounts", "chat"}, service.ExitFailed, "app chat: list: unavailable"},
		"bad state":        {[]string{"app", "accounts", "wiki", "--only", "lost"}, service.ExitUsage, "--only lost: there is linked, drifted"},
		"bad output":       {[]string{"person", "list", "-o", "xml"}, service.ExitUsage, "want table, json, yaml or csv"},
		"no argument":      {[]string{"person", "show"}, service.ExitUsage, "tenure person show wants PERSON"},
		"two arguments":    {[]string{"person", "show", "1", "2"}, service.ExitUsage, "was given 2 arguments"},
		"unknown noun":     {[]string{"persn"}, service.ExitUsage, "unknown command"},
		"unknown verb":     {[]string{"person", "shwo"}, service.ExitUsage, `unknown verb "shwo" (did you mean "show"?); there is: list, show, timeline`},
		"no verb":          {[]string{"person"}, service.ExitUsage, "no verb; there is: list, show, timeline"},
		"unknown flag":     {[]string{"person", "list", "--nope"}, service.ExitUsage, "unknown flag: --nope"},
		"no configuration": {[]string{"person", "list", "--config", "none.yaml"}, service.ExitUsage, "there is no configuration at none.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			got := s.run(tc.args...)
			assert.Equal(t, tc.code, got.code, got.err)
			assert.Empty(t, got.stdout)
			assert.Contains(t, got.err, "tenure: ")
			assert.Contains(t, got.err, tc.err)
		})
	}
}

func TestMissingLedgerIsNotMade(t *testing.T) {
	s := newSite(t)
	got := s.run("person", "list")
	assert.Equal(t, service.ExitFailed, got.code)
	assert.Contains(t, got.err, "there is no ledger at")
	assert.Contains(t, got.err, "check ledger.url in tenure.yaml")
	assert.NoFileExists(t, "tenure.db")

	s.write("tenure.db", "this is no database, however long one makes it")
	got = s.run("person", "list")
	assert.Equal(t, service.ExitFailed, got.code)
	assert.Contains(t, got.err, "check ledger.url in tenure.yaml")
}

func TestWrongConfigurationListsAllErrors(t *testing.T) {
	s := newSite(t)
	s.write("tenure.yaml", "kafka: {brokers: [127.0.0.1:1]}\nledger: {url: \"sqlite:tenure.db\"}\nrols: []\nroles:\n  - name: everyone\n    when: \"person.nope == 1\"\n")
	got := s.run("config", "check")
	assert.Equal(t, service.ExitUsage, got.code)
	assert.Contains(t, got.err, "tenure: the configuration is wrong:\ntenure.yaml:3:")
	assert.Contains(t, got.err, "\ntenure.yaml:6:")
}

func TestALedgerOnPostgreSQL(t *testing.T) {
	s := newSite(t)
	write := func(url string) {
		s.write("tenure.yaml", "kafka: {brokers: [127.0.0.1:1], topics: [{name: hr.events}]}\nledger: {url: \""+url+"\"}\n")
	}
	write("postgres://tenure:s3cret@127.0.0.1:1/tenure?sslmode=perhaps")
	got := s.run("config", "check")
	assert.Equal(t, service.ExitUsage, got.code)
	assert.Contains(t, got.err, "sslmode is invalid")
	assert.Contains(t, got.err, "ledger.url in tenure.yaml")
	assert.NotContains(t, got.err, "s3cret")

	write("postgres://tenure:s3cret@127.0.0.1:1/tenure")
	got = s.run("config", "check")
	assert.Equal(t, service.ExitDone, got.code, got.err)
	assert.NotContains(t, got.stdout, "s3cret")
	got = s.run("person", "list")
	assert.Equal(t, service.ExitFailed, got.code)
	assert.Contains(t, got.err, "ledger postgres://127.0.0.1:1/tenure: the database cannot be reached")
	assert.NotContains(t, got.err, "s3cret")
}

func TestWhereTheConfigurationIsFound(t *testing.T) {
	s := newSite(t)
	require.NoError(t, os.Rename("tenure.yaml", "other.yaml"))
	assert.Contains(t, s.run("config", "check").err, "there is no configuration at tenure.yaml")

	s.write(".tenure/tenure.yaml", configuration)
	assert.Contains(t, s.run("config", "check").stdout, ".tenure/tenure.yaml is good")
	s.write("tenure.yaml", configuration)
	assert.Contains(t, s.run("config", "check").stdout, "tenure.yaml is good")
	got := s.run("person", "show", "10009")
	assert.Contains(t, got.err, "there is no ledger at")
	assert.NotContains(t, got.err, "configuration: ", "the error names it")
	require.NoError(t, s.ledger().Close())
	assert.Contains(t, s.run("person", "show", "10009").err, "configuration: tenure.yaml\ntenure: ")
	assert.NotContains(t, s.run("person", "show", "10009", "--config", "tenure.yaml").err, "configuration: ")

	s.write("elsewhere/stack.yaml", configuration)
	stack, err := running.Announce(".tenure", filepath.Join(s.dir, "elsewhere", "stack.yaml"))
	require.NoError(t, err)
	assert.Contains(t, s.run("config", "check").stdout, "elsewhere/stack.yaml is good", "the one that runs here")
	require.NoError(t, stack.Close())
	assert.Contains(t, s.run("config", "check").stdout, "tenure.yaml is good")
	t.Setenv("TENURE_CONFIG", "other.yaml")
	assert.Contains(t, s.run("config", "check").stdout, "other.yaml is good")
	assert.Contains(t, s.run("config", "check", "--config", "tenure.yaml").stdout, "tenure.yaml is good")
}

func TestHelpTeachesByExample(t *testing.T) {
	s := newSite(t)
	for _, args := range [][]string{
		{"event", "send"}, {"event", "validate"}, {"config", "check"}, {"person", "list"}, {"person", "show"},
		{"person", "timeline"}, {"app", "list"}, {"app", "accounts"}, {"run", "list"}, {"run", "retry"}, {"run", "skip"},
	} {
		got := s.run(append(args, "--help")...)
		assert.Equal(t, service.ExitDone, got.code)
		assert.Contains(t, got.stdout, "Examples:\n  tenure "+args[0]+" "+args[1], "%v", args)
	}
	golden(t, "help", s.run("--help").stdout)
}

func TestVersion(t *testing.T) {
	s := newSite(t)
	assert.Contains(t, s.run("version").stdout, "tenure "+service.Version())
	var v struct{ Version string }
	require.NoError(t, json.Unmarshal([]byte(s.run("version", "-o", "json").stdout), &v))
	assert.Equal(t, service.Version(), v.Version)
}

func TestCompletion(t *testing.T) {
	s := newSite(t)
	got := s.run("completion", "bash")
	assert.Equal(t, service.ExitDone, got.code)
	assert.Contains(t, got.stdout, "__start_tenure")
	assert.Contains(t, s.run("__complete", "app", "accounts", "").stdout, "chat\nwiki\n")
	assert.Contains(t, s.run("__complete", "person", "list", "-o", "").stdout, "table\njson\nyaml\n")
}

func TestKindsOfApp(t *testing.T) {
	s := newSite(t)
	got := s.run("app", "kinds")
	assert.Zero(t, got.code, got.err)
	for _, kind := range catalog.Kinds() {
		assert.Regexp(t, `(?m)^`+kind.Name+` `, got.stdout)
	}
	got = s.run("app", "kind", "scmi")
	assert.Equal(t, service.ExitUsage, got.code)
	assert.Contains(t, got.err, `there is no kind "scmi"`)
	assert.Contains(t, got.err, "scim")
}
