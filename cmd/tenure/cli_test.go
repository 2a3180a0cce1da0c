package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/catalog"
	"github.com/tenurehq/tenure/connector/memory"
	"github.com/tenurehq/tenure/internal/running"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator/report"
	"github.com/tenurehq/tenure/service"
)

// The output of every command that reads is compared, as people and as programs see it.
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
		"person-why":       {args: []string{"person", "why", "10001"}},
		"person-why-app":   {args: []string{"person", "why", "10001", "wiki", "staff"}},
		"person-why-left":  {args: []string{"person", "why", "10002"}},
		"access-who":       {args: []string{"access", "who", "wiki"}},
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
	recordMany(t, l, 2*ledger.PageSize)
	require.NoError(t, l.Close())
	var people []report.Summary
	require.NoError(t, json.Unmarshal([]byte(s.run("person", "list", "-o", "json").stdout), &people))
	assert.Len(t, people, 2*ledger.PageSize)
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

// A container has no login names. Nothing may be done there without the name of an
// operator.
func TestNothingIsDoneInNobodysName(t *testing.T) {
	s := newSite(t)
	s.people()
	logIn(t, "")
	for _, command := range []string{
		"person suspend 10001 --reason x --no-wait",
		"person suspend 10001 --reason x --break-glass",
		"person reinstate 10003 --reason x --no-wait",
		"breaker release c-1 --reason x --apply",
		"breaker cancel c-1 --reason x --yes",
		"run retry 10001",
		"run skip 10001 --app chat --reason x",
		"run retry --app chat --apply",
		"run skip --app chat --reason x --apply",
		"hold place 10002 --until 90d --reason x",
		"hold release 10002 --reason x",
		"retention set 10002 --for 90d --reason x",
		"retention reset 10002 --reason x",
		"deletion approve 10002 --reason x --apply",
		"dlq discard 1 --reason x --yes",
		"dlq redrive 1 --reason x --apply",
		"task done 1 --proof x",
		"task refuse 1 --reason x",
		"app adopt wiki --apply",
		"ledger export out.jsonl",
		"ledger import out.jsonl",
	} {
		got := s.run(strings.Fields(command)...)
		assert.Equal(t, service.ExitUsage, got.code, command)
		assert.Contains(t, got.err, "say who you are with --operator or TENURE_OPERATOR", command)
		blank := s.run(append(strings.Fields(command), "--operator", " ")...)
		assert.Equal(t, service.ExitUsage, blank.code, command)
	}
	for _, tenure := range []string{"tenure", " Tenure "} {
		got := s.run("hold", "place", "10002", "--until", "90d", "--reason", "x", "--operator", tenure)
		assert.Equal(t, service.ExitUsage, got.code)
		assert.Contains(t, got.err, "tenure is what does things by itself: say who you are")
	}
	_, rows := s.read("10001")
	assert.Empty(t, ofHumans(rows))

	// A command that only shows needs no name.
	assert.Equal(t, service.ExitAttention, s.run("run", "retry", "--app", "chat").code)
	t.Setenv("TENURE_OPERATOR", "ada")
	assert.Equal(t, service.ExitDone, s.run("ledger", "export", "out.jsonl").code)
}

// Operators give their name themselves; the machine knows their login.
func TestTheLoginIsOnTheRecordBesideTheName(t *testing.T) {
	s := newSite(t)
	s.people()
	(&frontend{}).serve(t)
	logIn(t, "root")
	t.Setenv("SUDO_USER", "mallory")
	require.Equal(t, service.ExitDone, s.run("hold", "place", "10002", "--until", "90d", "--reason", "matter 43", "--operator", "ada").code)
	require.Equal(t, service.ExitDone, s.run("retention", "set", "10002", "--for", "90d", "--reason", "matter 43", "--operator", "ada").code)
	require.Equal(t, service.ExitDone, s.run("person", "suspend", "10001", "--reason", "x", "--no-wait", "--operator", "ada").code)
	const who = "ada (login root (sudo by mallory))"
	for _, args := range []string{"person show 10002", "hold list", "person timeline 10001", "person show 10001"} {
		got := s.run(strings.Fields(args)...)
		assert.Contains(t, got.stdout, who, args)
		assert.Contains(t, s.run(append(strings.Fields(args), "-o", "json")...).stdout, `"login": "root (sudo by mallory)"`, args)
	}
	require.Equal(t, service.ExitDone, s.run("run", "retry", "10001", "--app", "chat", "--operator", "ada").code)
	done := map[string]string{}
	for _, person := range []string{"10001", "10002"} {
		_, rows := s.read(person)
		for _, row := range rows {
			if row.Actor == "ada" {
				done[row.Action] = row.Login
			}
		}
	}
	const login = "root (sudo by mallory)"
	assert.Equal(t, map[string]string{"hold_placed": login, "retention_set": login, "suspend": login, "retry": login}, done)

	// In a container an account has no name, but it has a number.
	logIn(t, "")
	t.Setenv("SUDO_USER", "")
	require.Equal(t, service.ExitDone, s.run("hold", "place", "10003", "--until", "90d", "--reason", "matter 43", "--operator", "ada").code)
	assert.Contains(t, s.run("hold", "list").stdout, "ada (login uid ")
}

// $USER and $LOGNAME make no difference.
func TestTheLoginIsNotWhatTheEnvironmentSays(t *testing.T) {
	before := machineLogin()
	t.Setenv("USER", "nobody") // an account that exists
	t.Setenv("LOGNAME", "nobody")
	assert.Equal(t, before, machineLogin())
}

// Scripts that use the old spellings go on working.
func TestOldSpellingsWork(t *testing.T) {
	s, f := busySite(t)
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{"replay --from 2026-01-01 --dry-run", service.ExitDone, "nothing was done"},
		{"dlq redrive --all --dry-run", service.ExitDone, "nothing was done"},
		{"dlq redrive --all -n --yes", service.ExitDone, "nothing was done"},
		{"dlq list --reason schema", service.ExitAttention, "--reason is --code now"},
		{"dlq list --reason nonsense", service.ExitUsage, "--code nonsense"},
		{"dlq discard --refused malformed --reason x --operator olga -y", service.ExitDone, "--refused is --code now"},
		{"breaker release c-1 --person p1 --reason x --operator olga --yes", service.ExitAttention, "--yes is --apply now"},
		{"breaker cancel c-1 --reason x --operator olga -y", service.ExitDone, "cancelled 2 people"},
	} {
		got := s.run(strings.Fields(c.args)...)
		assert.Equal(t, c.code, got.code, "%s: %s", c.args, got.err)
		assert.Contains(t, got.err, c.says, c.args)
	}
	assert.NotEmpty(t, f.nudged)
	walk((&cli{}).root(), func(cmd *cobra.Command) {
		for _, old := range []string{"yes", "dry-run", "refused"} {
			if flag := cmd.Flags().Lookup(old); flag != nil {
				assert.True(t, flag.Hidden, cmd.CommandPath())
			}
		}
	})
}

// Every command's --reason holds the operator's own words.
func TestAReasonIsWhatSomebodySays(t *testing.T) {
	walk((&cli{}).root(), func(cmd *cobra.Command) {
		flag := cmd.Flags().Lookup("reason")
		if flag == nil || flag.Hidden || cmd.CommandPath() == "tenure event new" { // its --reason holds HR's words
			return
		}
		assert.Contains(t, flag.Usage, "for the record", cmd.CommandPath())
	})
}

func TestEveryCommandSaysItToProgramsToo(t *testing.T) {
	lists := []string{"list", "kinds", "accounts", "licences", "who"}
	walk((&cli{}).root(), func(cmd *cobra.Command) {
		flag := cmd.Flags().Lookup("output")
		if !assert.NotNil(t, flag, "%s: -o", cmd.CommandPath()) {
			return
		}
		assert.Equal(t, "o", flag.Shorthand, cmd.CommandPath())
		list := slices.Contains(lists, cmd.Name()) || slices.Contains([]string{"tenure duty check", "tenure review show", "tenure review quality", "tenure access creep", "tenure figures"}, cmd.CommandPath())
		for format, offered := range map[string]bool{"json": true, "yaml": true, "csv": list, "xml": false} {
			assert.Equal(t, offered, flag.Value.Set(format) == nil, "%s -o %s", cmd.CommandPath(), format)
		}
		assert.Equal(t, list, cmd.Flags().Lookup("limit") != nil, "%s --limit", cmd.CommandPath())
	})
}

func TestListsAreLimited(t *testing.T) {
	s, _ := busySite(t)
	s.asked()
	for args, header := range map[string]string{
		"app list":                        appHeader,
		"app kinds":                       "kind,is,operations",
		"app accounts chat":               accountHeader,
		"access who wiki":                 holderHeader,
		"person list":                     peopleHeader,
		"deletion list":                   deletionHeader,
		"dlq list":                        letterHeader,
		"task list":                       taskHeader,
		"run list --attention":            "person,app,step,attempts,what,key",
		"breaker list --limit 1":          cohortHeader,
		"hold list --all":                 holdHeader,
		"dlq list --after 1":              letterHeader,
		"hold list --after h-1":           holdHeader,
		"person list --after p0":          peopleHeader,
		"dlq list --state all":            letterHeader,
		"task list --state all":           taskHeader,
		"app accounts wiki":               accountHeader,
		"deletion list --waits retention": deletionHeader,
	} {
		var all, one result
		var rows, limited []string
		for range 5 { // some lists say when something is, counted from now
			all = s.run(append(strings.Fields(args), "-o", "csv")...)
			one = s.run(append(strings.Fields(args), "-o", "csv", "--limit", "1")...)
			rows, limited = strings.Split(strings.TrimSpace(all.stdout), "\n"), strings.Split(strings.TrimSpace(one.stdout), "\n")
			if slices.Equal(rows[:min(len(rows), 2)], limited) {
				break
			}
		}
		require.Equal(t, all.code, one.code, "%s: %s", args, one.err)
		assert.Equal(t, header, rows[0], args)
		assert.Equal(t, rows[:min(len(rows), 2)], limited, args)
		if len(rows) > 2 && !strings.HasPrefix(args, "person") {
			assert.Contains(t, one.err, "--limit 0 lists all", args)
		}
	}
	s.refuses(service.ExitUsage, "want a number from 0", "dlq", "list", "--limit", "-1")
	s.refuses(service.ExitUsage, "want a hold, such as h-3", "hold", "list", "--after", "3")
	assert.Contains(t, s.run("dlq", "list", "--limit", "1").stdout, "3 dead letters:", "what the whole list comes to is said all the same")
}

// Every object about somebody names them in the field person, and not only in id or
// personId.
func TestEveryObjectAboutAPersonNamesThem(t *testing.T) {
	s, _ := busySite(t)
	s.asked()
	documents := map[string]string{}
	for _, args := range []string{
		"person list", "person show 10001", "person timeline 10001", "person why 10001", "person evidence 10001", "access who wiki",
		"run list --attention", "deletion list", "task list", "replay --from 2026-01-01", "app adopt chat", "person rename 10001 --to georgi",
		"person link 10003 10002", "run retry --app chat", "event send --snapshot people.csv --max-leavers 100", "breaker show c-1", "plan", "dlq list --person 10001",
		"hold place 10002 --until 90d --reason x --operator olga", "hold list", "retention set 10002 --until 2099-12-31 --reason x --operator olga",
		"run retry 10001 --operator olga", "task show 1", "app unlink wiki --person 10003 --reason x --operator olga", "person show 10002",
	} {
		got := s.run(append(strings.Fields(args), "-o", "json")...)
		documents[args] = got.stdout
		var document any
		require.NoError(t, json.Unmarshal([]byte(got.stdout), &document), "%s: %s", args, got.err)
		for _, one := range ofPeople(document) {
			assert.NotEmpty(t, one["person"], "%s: %v", args, one)
		}
	}
	goldens, err := filepath.Glob(filepath.Join(sourceDir, "testdata", "*json.golden"))
	require.NoError(t, err)
	require.Greater(t, len(goldens), 15)
	for _, path := range goldens {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		documents[filepath.Base(path)] = string(text)
	}
	for name, text := range documents {
		var document any
		require.NoError(t, json.Unmarshal([]byte(text), &document), name)
		eachObject(document, func(o map[string]any) {
			for _, other := range []string{"personId", "PersonID", "workerId"} {
				if id, has := o[other]; has {
					assert.Equal(t, id, o["person"], "%s: %v", name, o)
				}
			}
			if _, named := o["familyName"]; named {
				assert.Equal(t, o["id"], o["person"], "%s: %v", name, o)
			}
		})
	}
}

// ofPeople returns the objects of a document that are about one person: the document
// itself, the objects that it lists, or those below people, changes, steps or letters.
func ofPeople(document any) (found []map[string]any) {
	switch d := document.(type) {
	case []any:
		for _, one := range d {
			found = append(found, one.(map[string]any))
		}
	case map[string]any:
		for _, name := range []string{"people", "changes", "letters"} {
			if list, ok := d[name].([]any); ok {
				return ofPeople(list)
			}
		}
		if steps, ok := d["steps"].([]any); ok && d["totals"] != nil {
			return ofPeople(steps)
		}
		return []map[string]any{d}
	}
	return found
}

func eachObject(document any, f func(map[string]any)) {
	switch d := document.(type) {
	case []any:
		for _, one := range d {
			eachObject(one, f)
		}
	case map[string]any:
		f(d)
		for _, one := range d {
			eachObject(one, f)
		}
	}
}

func TestWhatThereIsIsCompleted(t *testing.T) {
	s, _ := busySite(t)
	s.asked()
	for args, want := range map[string][]string{
		"person show |":              {"10001\tGeorgi Facello", "10002\tBezalel Simmel"},
		"person show 1000|":          {"10001\tGeorgi Facello", "10003\tParto Bamford"},
		"person suspend |":           {"10001\tGeorgi Facello"},
		"person reinstate |":         {"10001\tGeorgi Facello"},
		"person rename |":            {"10001\tGeorgi Facello"},
		"person link 10001 |":        {"10002\tBezalel Simmel"},
		"person why 10001 |":         {"chat", "wiki"},
		"run retry |":                {"10001\tGeorgi Facello"},
		"hold place |":               {"10001\tGeorgi Facello"},
		"replay --person |":          {"10001\tGeorgi Facello"},
		"person list --manager |":    {"10001\tGeorgi Facello"},
		"app accounts |":             {"chat", "wiki"},
		"app test |":                 {"chat", "wiki"},
		"access who |":               {"chat", "wiki"},
		"run retry --app |":          {"chat", "wiki"},
		"deletion approve 1 --app |": {"chat", "wiki"},
		"person list --status |":     {"on_leave", "suspended", "unknown"},
		"person list --role |":       {"everyone"},
		"run retry --code |":         {"unavailable", "not_converging", "protected"},
		"run skip --code |":          {"unavailable"},
		"run retry --step |":         {"Disable", "Question"},
		"run retry --type |":         {"Joiner", "Leaver"},
		"dlq list --code |":          {"schema", "malformed"},
		"dlq discard --code |":       {"schema", "malformed"},
		"dlq list --state |":         {"open", "discarded", "all"},
		"dlq list --topic |":         {"hr.events", "vendor"},
		"dlq show |":                 {"1\tschema", "3\tschema"},
		"dlq redrive |":              {"1\tschema"},
		"task list --state |":        {"confirming"},
		"task done |":                {"1\tportal"},
		"deletion list --waits |":    {"approval", "hold"},
		"breaker release |":          {"c-1\tleavers"},
		"event new |":                {"hired", "terminated"},
		"app kind |":                 {"scim"},
		"person list -o |":           {"table", "csv"},
		"breaker cancel c-1 -o |":    {"json"},
		"event validate --source |":  {"bamboohr", "cloudevents"},
	} {
		words := strings.Fields(args)
		words[len(words)-1] = strings.TrimSuffix(words[len(words)-1], "|")
		got := s.run(append([]string{"__complete"}, words...)...)
		for _, one := range want {
			assert.Contains(t, "\n"+got.stdout, "\n"+one, args)
		}
	}
}
