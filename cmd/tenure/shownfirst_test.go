package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/segmentio/kafka-go"
	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/service"
)

// shownFirst lists the commands that do something with --apply only, and the arguments
// that each gets here, in an order in which all of them can be done.
var shownFirst = []struct{ command, args string }{
	{"account restore", "10003 mail --reason x --operator olga"},
	{"app adopt", "chat --operator olga"},
	{"app unlink", "wiki --person 10003 --reason x --operator olga"},
	{"audit restart", "--reason x --operator olga"},
	{"breaker cancel", "c-1 --person p1 --reason x --operator olga"},
	{"breaker release", "c-1 --reason x --operator olga"},
	{"deletion approve", "10002 --app wiki --reason x --operator olga"},
	{"dlq discard", "3 --reason x --operator olga"},
	{"dlq redrive", "1 --force --reason x --operator olga --wait 10s"},
	{"event send", "--snapshot people.csv --max-leavers 100 --only-present"},
	{"exception grant", "10001 wiki-admin --for 2h --reason x --operator olga"},
	{"exception withhold", "10001 wiki --reason x --operator olga"},
	{"exception waive", "10001 apart --until 30d --control watched --reason x --operator olga"},
	{"exception end", "x-1 --reason x --operator olga"},
	{"request new", "10005 wiki-admin --for 2h --reason x --operator olga"},
	{"request approve", "r-1 --as 10001 --reason x --operator olga"},
	{"review start", "yearly --person 10004 --reason x --operator olga"},
	{"review decide", "v-1 keep 1 --as 10001 --operator olga"},
	{"review move", "v-1 2 --to 10001 --reason x --operator olga"},
	{"review extend", "v-1 --until 90d --reason x --operator olga"},
	{"review close", "v-1 --reason x --operator olga"},
	{"finding accept", "f-1 --until 30d --reason x --operator olga"},
	{"finding adopt", "f-2 --person 10003 --reason x --operator olga"},
	{"finding end", "f-3 --person 10002 --reason x --operator olga"},
	{"finding repair", "f-4 --reason x --operator olga"},
	{"hold release", "10002 --reason x --operator olga"},
	{"notice retry", "n-1 --reason x --operator olga"},
	{"notice send", "breaker.held --to security --operator olga"},
	{"person erase", "10006 --reason x --operator olga"},
	{"person rename", "10001 --to georgi --reason x --operator olga"},
	{"person link", "10003 10002 --reason x --operator olga"},
	{"replay", "--from 2026-01-01 --rate 1000"},
	{"retention set", "10002 --for 0d --reason x --operator olga"},
	{"retention reset", "10002 --reason x --operator olga"},
	{"run retry", "--app chat --operator olga"},
	{"run skip", "--app chat --reason x --operator olga"},
}

// atOnce lists the commands that do something without --apply, and why they may.
var atOnce = map[string]string{
	"audit pack":        "it writes a folder, and says in it who asked",
	"app scan":          "looks, and changes no app",
	"app test --write":  "only the test account that it makes itself, and takes away",
	"dlq index":         "writes into the ledger what Kafka has; nothing comes of it for anybody",
	"event send FILE":   "HR's word is HR's to say; plan --events shows before what comes of it",
	"hold place":        "one person, who is named, and nothing is lost",
	"ledger export":     "writes a file",
	"ledger import":     "into a ledger that has nothing yet, or not at all",
	"request deny":      "one request, which is named; it can be asked for again",
	"request cancel":    "likewise",
	"standin set":       "one person, who is named; standin end takes it back",
	"standin end":       "likewise",
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

// busySite returns a site on which every command has something to do.
func busySite(t *testing.T) (*site, *frontend) {
	t.Helper()
	s := newSite(t)
	s.people()
	cluster := s.broker("hr.events", "hr.events.dlq")
	text, err := os.ReadFile("tenure.yaml")
	require.NoError(t, err)
	s.write("tenure.yaml", strings.Replace(string(text), "    rate: 10/s\n", "    rate: 10/s\n    leaver: {approval: required}\n", 1)+
		"  - {name: wiki-admin, when: \"true\", request: {most: 8h}, grants: [{app: wiki, entitlements: [admins]}]}\n"+
		"governance: {fallback: [\"10001\", \"10004\"]}\n"+snapshotConfiguration+
		"duties: [{name: apart, mode: detect, one: [{app: wiki, entitlements: [admins]}], other: [{app: chat}], waive: {most: 30d}}]\n"+
		"reviews: [{name: yearly}]\n"+
		"notices: {chat: {security: {kind: slack, url: \"${file:hook}\"}}}\n")
	hook := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(hook.Close)
	s.write("hook", hook.URL)
	s.cannotBeTold()
	s.newcomers()
	s.forgettable()
	s.left()
	s.binned("10003")
	s.held(3)
	s.deadLetters()
	s.found("mail")
	s.reviewed("10001")
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
		seq, err := operator.AuditEnd(t.Context(), l)
		require.NoError(t, err)
		return seq
	}
	nudged, seq := len(f.nudged), end()
	for _, c := range shownFirst {
		if c.command == "hold release" || c.command == "retention set" || c.command == "retention reset" || c.command == "deletion approve" {
			continue // each of these changes what the next one would delete: see below
		}
		if c.command == "exception end" || c.command == "request approve" {
			continue // there is one after "exception grant", or "request new", only
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
		if c.command == "retention reset" { // an account that was deleted cannot be kept, so a retention is set again
			require.Equal(t, service.ExitDone, said("retention set 10002 --until 2099-12-31 --reason x --operator olga --apply").code)
		}
		got := said(c.command + " " + c.args + " --apply -o json")
		assert.Contains(t, []int{service.ExitDone, service.ExitAttention}, got.code, "%s: %s", c.command, got.err)
		assert.NotContains(t, got.err, "nothing was done", c.command)
		assert.True(t, json.Valid([]byte(got.stdout)), "%s: %s", c.command, got.stdout)
	}
	assert.Greater(t, end(), seq)
}

// A command that may delete something acts at once only if it deletes nothing.
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
