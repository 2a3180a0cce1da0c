package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/segmentio/kafka-go"
	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/service"
)

// shownFirst are the commands that do what they are about with --apply only, and what
// each is given here, in an order in which all of them can be done.
var shownFirst = []struct{ command, args string }{
	{"app adopt", "chat --operator olga"},
	{"app unlink", "wiki --person 10003 --reason x --operator olga"},
	{"breaker cancel", "c-1 --person p1 --reason x --operator olga"},
	{"breaker release", "c-1 --reason x --operator olga"},
	{"deletion approve", "10002 --app wiki --reason x --operator olga"},
	{"dlq discard", "3 --reason x --operator olga"},
	{"dlq redrive", "1 --force --reason x --operator olga --wait 10s"},
	{"event send", "--snapshot people.csv --max-leavers 100 --only-present"},
	{"hold release", "10002 --reason x --operator olga"},
	{"person rename", "10001 --to georgi --reason x --operator olga"},
	{"person link", "10003 10002 --reason x --operator olga"},
	{"replay", "--from 2026-01-01 --rate 1000"},
	{"retention set", "10002 --for 0d --reason x --operator olga"},
	{"retention reset", "10002 --reason x --operator olga"},
	{"run retry", "--app chat --operator olga"},
	{"run skip", "--app chat --reason x --operator olga"},
}

// atOnce are the commands that do something without --apply, and why they may.
var atOnce = map[string]string{
	"app test --write":  "only the test account that it makes itself, and takes away",
	"dlq index":         "writes into the ledger what Kafka has; nothing comes of it for anybody",
	"event send FILE":   "HR's word is HR's to say; plan --events shows before what comes of it",
	"hold place":        "one person, who is named, and nothing is lost",
	"ledger export":     "writes a file",
	"ledger import":     "into a ledger that has nothing yet, or not at all",
	"person reinstate":  "one person, who is named; suspend takes it back",
	"person suspend":    "one person, who is named; it is for when seconds count",
	"person unlink":     "two IDs, which are named; link takes it back",
	"replay --person":   "one person, who is named",
	"retention set":     "one person, who is named, as long as nothing is deleted at once",
	"retention reset":   "likewise",
	"hold release":      "likewise",
	"run retry PERSON":  "one person, who is named",
	"run skip PERSON":   "one person's step, which is named",
	"task done":         "one task, which is named",
	"task refuse":       "one task, which is named; run retry asks anew",
	"(everything else)": "reads",
}

// busySite has something for every command to do.
func busySite(t *testing.T) (*site, *frontend) {
	t.Helper()
	s := newSite(t)
	s.people()
	cluster := s.broker("hr.events", "hr.events.dlq")
	text, err := os.ReadFile("tenure.yaml")
	require.NoError(t, err)
	s.write("tenure.yaml", strings.Replace(string(text), "    rate: 10/s\n", "    rate: 10/s\n    leaver: {approval: required}\n", 1)+snapshotConfiguration)
	s.newcomers()
	s.left()
	s.held(3)
	s.deadLetters()
	message := kafka.Message{Value: []byte(refusedValue)}
	s.put(cluster, "hr.events.dlq", message, message, message, message)
	s.snapshot("people.csv", snapshotHeader+"10004;Kyoichi;Koblick;Engineer;Production;2026-05-18;Europe/Berlin;;Active\n")
	f := &frontend{}
	f.serve(t)
	return s, f
}

func TestWhatIsForManyOrForGoodIsShownFirst(t *testing.T) {
	s, f := busySite(t)
	known := map[string]bool{}
	for _, c := range shownFirst {
		known["tenure "+c.command] = true
	}
	walk((&cli{}).root(), func(cmd *cobra.Command) {
		path := strings.TrimPrefix(cmd.CommandPath(), "tenure ")
		assert.Equal(t, cmd.Flags().Lookup("apply") != nil, known[cmd.CommandPath()], "%s: say in this test what it would do", path)
		if cmd.Flags().Lookup("operator") != nil && cmd.Flags().Lookup("apply") == nil {
			assert.NotEmpty(t, atOnce[path], "%s does something: give it --apply, or say why it may do it at once", path)
		}
	})
	said := func(args string) result { return s.run(strings.Fields(args)...) }
	require.Equal(t, service.ExitDone, said("hold place 10002 --until 90d --reason x --operator olga").code)
	require.Equal(t, service.ExitDone, said("retention set 10002 --until 2099-12-31 --reason x --operator olga").code)
	end := func() int64 {
		l := s.ledger()
		defer func() { require.NoError(t, l.Close()) }()
		seq, err := auditEnd(t.Context(), l)
		require.NoError(t, err)
		return seq
	}
	nudged, seq := len(f.nudged), end()
	for _, c := range shownFirst {
		if c.command == "hold release" || c.command == "retention set" || c.command == "retention reset" || c.command == "deletion approve" {
			continue // what would be deleted is not the same after one another: see below
		}
		for _, format := range []string{"table", "json"} {
			got := said(c.command + " " + c.args + " -o " + format)
			assert.Equal(t, service.ExitAttention, got.code, "%s: %s", c.command, got.err)
			assert.Contains(t, got.err, "nothing was done: --apply does it\n", c.command)
			assert.True(t, format == "table" || json.Valid([]byte(got.stdout)), "%s: %s", c.command, got.stdout)
		}
		assert.Equal(t, seq, end(), c.command)
		assert.Len(t, f.nudged, nudged, c.command)
	}
	for _, c := range shownFirst {
		if c.command == "retention reset" { // of what was deleted there is nothing to keep
			require.Equal(t, service.ExitDone, said("retention set 10002 --until 2099-12-31 --reason x --operator olga --apply").code)
		}
		got := said(c.command + " " + c.args + " --apply -o json")
		assert.Contains(t, []int{service.ExitDone, service.ExitAttention}, got.code, "%s: %s", c.command, got.err)
		assert.NotContains(t, got.err, "nothing was done", c.command)
		assert.True(t, json.Valid([]byte(got.stdout)), "%s: %s", c.command, got.stdout)
	}
	assert.Greater(t, end(), seq)
}

// What may delete something is done at once only where it does not.
func TestWhatDeletesIsShownFirst(t *testing.T) {
	for _, c := range []struct {
		before []string
		args   string
	}{
		{nil, "retention set 10002 --for 0d --reason x"},
		{[]string{"retention set 10002 --until 2099-12-31 --reason x"}, "retention reset 10002 --reason x"},
		{[]string{"hold place 10002 --until 90d --reason x"}, "hold release 10002 --reason x"},
		{[]string{"hold place 10002 --until 90d --reason x"}, "hold release h-1 --reason x"},
	} {
		s := newSite(t)
		s.people()
		s.left()
		f := &frontend{}
		f.serve(t)
		for _, before := range c.before {
			require.Equal(t, service.ExitDone, s.run(strings.Fields(before)...).code, before)
		}
		told := len(f.nudged)
		for _, more := range []string{"", " -o json"} {
			s.refuses(service.ExitAttention, "of 10002 would be deleted for good, now; nothing was done: --apply does it", strings.Fields(c.args+more)...)
		}
		assert.Len(t, f.nudged, told, c.args)
		assert.Equal(t, service.ExitDone, s.run(strings.Fields(c.args+" --apply")...).code, c.args)
		assert.Len(t, f.nudged, told+1, c.args)
	}
}

// Scripts that say it as it was said before go on working.
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

// --reason is the operator's own words, wherever it is.
func TestAReasonIsWhatSomebodySays(t *testing.T) {
	walk((&cli{}).root(), func(cmd *cobra.Command) {
		flag := cmd.Flags().Lookup("reason")
		if flag == nil || flag.Hidden || cmd.CommandPath() == "tenure event new" { // of which it is HR's own words
			return
		}
		assert.Contains(t, flag.Usage, "for the record", cmd.CommandPath())
	})
}

func TestEveryCommandSaysItToProgramsToo(t *testing.T) {
	lists := []string{"list", "kinds", "accounts", "who"}
	walk((&cli{}).root(), func(cmd *cobra.Command) {
		flag := cmd.Flags().Lookup("output")
		if !assert.NotNil(t, flag, "%s: -o", cmd.CommandPath()) {
			return
		}
		assert.Equal(t, "o", flag.Shorthand, cmd.CommandPath())
		for format, offered := range map[string]bool{"json": true, "yaml": true, "csv": slices.Contains(lists, cmd.Name()), "xml": false} {
			assert.Equal(t, offered, flag.Value.Set(format) == nil, "%s -o %s", cmd.CommandPath(), format)
		}
		assert.Equal(t, slices.Contains(lists, cmd.Name()), cmd.Flags().Lookup("limit") != nil, "%s --limit", cmd.CommandPath())
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
		all := s.run(append(strings.Fields(args), "-o", "csv")...)
		one := s.run(append(strings.Fields(args), "-o", "csv", "--limit", "1")...)
		require.Equal(t, all.code, one.code, "%s: %s", args, one.err)
		rows := strings.Split(strings.TrimSpace(all.stdout), "\n")
		assert.Equal(t, header, rows[0], args)
		limited := strings.Split(strings.TrimSpace(one.stdout), "\n")
		assert.Equal(t, rows[:min(len(rows), 2)], limited, args)
		if len(rows) > 2 && !strings.HasPrefix(args, "person") {
			assert.Contains(t, one.err, "--limit 0 lists all", args)
		}
	}
	s.refuses(service.ExitUsage, "want a number from 0", "dlq", "list", "--limit", "-1")
	s.refuses(service.ExitUsage, "want a hold, such as h-3", "hold", "list", "--after", "3")
	assert.Contains(t, s.run("dlq", "list", "--limit", "1").stdout, "3 dead letters:", "what the whole list comes to is said all the same")
}

// Whose an object is, is in the field person: never only in id or personId.
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

// ofPeople are the objects of a document that are about one person: it, those that it
// lists, or those that it has below people, changes, steps or letters.
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
