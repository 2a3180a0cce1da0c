package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/service"
)

// dutySite returns a site whose researchers read papers, and may be granted to judge them, which
// a rule keeps apart.
func dutySite(t *testing.T) *site {
	t.Helper()
	s := planSite(t)
	s.write("tenure.yaml", planConfiguration+`  - {name: judge, when: "true", request: {most: 8h}, grants: [{app: wiki, entitlements: [judges]}]}
governance: {fallback: ["10001", "10002"]}
duties:
  - name: write-and-judge
    about: Who writes papers does not judge them.
    one: [{app: wiki, entitlements: [papers]}]
    other: [{app: wiki, entitlements: [judges]}]
    owner: ["10002"]
    since: 2026-01-01T00:00:00Z
    waive: {most: 30d}
  - name: talk-and-read
    mode: detect
    one: [{app: chat}]
    other: [{app: wiki, entitlements: [papers]}]
`)
	(&frontend{}).serve(t)
	return s
}

func TestDutiesAreListedShownWaivedAndChecked(t *testing.T) {
	s := dutySite(t)
	said := func(args string) result {
		return s.run(append(strings.Fields(args), "--reason", "INC 42", "--operator", "olga")...)
	}
	list := s.run("duty", "list").stdout
	assert.Regexp(t, `write-and-judge\s+prevent\s+wiki:papers\s+wiki:judges\s+10002\s+30 days`, list)
	assert.Regexp(t, `talk-and-read\s+detect\s+chat\s+wiki:papers`, list)

	got := said("exception grant 10001 judge --for 2h --apply")
	assert.NotEqual(t, service.ExitDone, got.code)
	assert.Contains(t, got.err, `by rule "write-and-judge" nobody has wiki:judges together with wiki:papers by research. `+
		`To have the rule waived for them first, for 30 days at most: tenure request new 10001 --duty write-and-judge --for TIME --control "what compensates for it" --reason WHY `+
		`(whoever answers for the rule decides), or tenure exception waive 10001 write-and-judge --until DAY --control ... --reason WHY`)
	require.Equal(t, service.ExitDone, said("exception grant 10002 judge --for 2h --apply").code, "nothing is on the other side")

	got = s.run("duty", "check", "-o", "json")
	assert.Equal(t, service.ExitAttention, got.code)
	var found []dutyConflict
	require.NoError(t, json.Unmarshal([]byte(got.stdout), &found))
	assert.Equal(t, []dutyConflict{{
		Person: "10001", Name: "Ada Lovelace", Duty: "talk-and-read", Mode: "detect", State: "shown",
		One: []heldBy{{App: "chat", By: []string{"everyone"}}}, Other: []heldBy{{App: "wiki", Entitlement: "papers", By: []string{"research"}}},
	}}, found)

	got = said("exception waive 10001 write-and-judge --until 20d --control twice")
	assert.Equal(t, service.ExitAttention, got.code)
	assert.Contains(t, s.run("exception", "list", "--kind", "waive").stdout, "there are no exceptions")
	got = said("exception waive 10001 write-and-judge --until 20d --control twice --apply")
	require.Equal(t, service.ExitDone, got.code, got.err)
	assert.Contains(t, got.stdout, "x-2 is made: duty write-and-judge")
	got = said("exception grant 10001 judge --for 2h --apply")
	require.Equal(t, service.ExitDone, got.code, got.err)
	assert.Contains(t, got.stdout, "  now  wiki: grant judges\n")

	check := s.run("duty", "check", "--person", "10001").stdout
	assert.Regexp(t, `write-and-judge\s+wiki:papers by research\s+wiki:judges by judge \(x-3\)\s+waived\s+x-2`, check)
	shown := s.run("duty", "show", "write-and-judge").stdout
	assert.Regexp(t, `other side:\s+wiki:judges, given by judge`, shown)
	assert.Regexp(t, `x-2\s+10001\s+Ada Lovelace\s+in force\s+\S+ \S+\s+twice\s+olga`, shown)

	got = said("exception end x-2")
	assert.Contains(t, got.stdout, "  nothing has to be done for it now", "nothing was given yet, so that nothing is to be taken")
	require.Equal(t, service.ExitDone, said("exception end x-2 --apply").code)
	assert.NotContains(t, s.run("duty", "check").stdout, "write-and-judge")
	assert.Regexp(t, `judge\s+no\s+not true: rule write-and-judge lets x-3 through`, s.run("person", "why", "10001", "wiki").stdout)
}

func TestWaiverThatIsRefusedSaysWhy(t *testing.T) {
	s := dutySite(t)
	for args, want := range map[string]string{
		"exception waive 10001 write-and-jugde --until 1d --control x":       `there is no rule of separation of duties "write-and-jugde"; did you mean "write-and-judge"?`,
		"exception waive 10001 talk-and-read --until 1d --control x":         `rule "talk-and-read" cannot be waived: the configuration has no waive for it`,
		"exception waive 10001 write-and-judge --until 31d --control x":      `rule "write-and-judge" is waived for 30 days at most`,
		"exception waive 10001 write-and-judge --until 2001-01-01 --control": "needs an argument",
		"exception waive 10001 write-and-judge --control x":                  "until",
		"exception waive 10001 write-and-judge --until 1d":                   "control",
		"exception waive 99999 write-and-judge --until 1d --control x":       `the ledger knows no person "99999"`,
		"duty show nothing": `there is no rule of separation of duties "nothing"`,
	} {
		fields := strings.Fields(args)
		if fields[0] == "exception" {
			fields = append([]string{"exception", "waive", "--reason", "x", "--operator", "olga", "--apply"}, fields[2:]...)
		}
		got := s.run(fields...)
		assert.NotEqual(t, service.ExitDone, got.code, args)
		assert.Contains(t, got.err, want, args)
	}
	got := s.run("exception", "waive", "10001", "write-and-judge", "--until", "1d", "--control", " ", "--reason", "x", "--operator", "olga", "--apply")
	assert.Contains(t, got.err, "say what compensates for the rule (control)")
	got = s.run("exception", "waive", "10001", "write-and-judge", "--until", "2001-01-01", "--control", "x", "--reason", "x", "--operator", "olga", "--apply")
	assert.Contains(t, got.err, "a waiver has to end in the future")
	assert.Contains(t, s.run("exception", "list", "--all").stdout, "there are no exceptions")
}

func TestDutyCheckFindsWhatAccountsShow(t *testing.T) {
	s := dutySite(t)
	l := s.ledger()
	s.employs(l, "10003", profile("Emmy", "Noether", "Reader", "Research", "2026-01-05"), "judges", "papers", "staff")
	require.NoError(t, l.Close())
	assert.NotContains(t, s.run("duty", "check").stdout, "judges", "planning takes it")
	text, err := os.ReadFile("tenure.yaml")
	require.NoError(t, err)
	s.write("tenure.yaml", string(text)+"protected: {persons: ['10003']}\n")
	assert.Regexp(t, `10003\s+Emmy Noether\s+write-and-judge\s+wiki:papers by research\s+wiki:judges by no role\s+asked`, s.run("duty", "check").stdout,
		"nothing takes it from somebody who is protected")
}

// A request shows what it would bring together, and is refused if a rule prevents that, before
// anybody is asked. The waiver can be requested, and the owner of the rule decides.
func TestARequestShowsWhatDutiesKeepApart(t *testing.T) {
	s := dutySite(t)
	got := s.asks("request new 10001 judge --for 2h --apply")
	assert.Equal(t, service.ExitFailed, got.code)
	assert.Contains(t, got.err, `by rule "write-and-judge" nobody has wiki:judges together with wiki:papers by research`)
	assert.Contains(t, got.err, "tenure request new 10001 --duty write-and-judge")
	assert.Contains(t, s.run("request", "list", "--all").stdout, "there are no requests", "nobody was asked")

	for args, text := range map[string]string{
		"request new 10001": "name a ROLE or, to have a rule waived, --duty",
		"request new 10001 judge --duty write-and-judge":                                "name a ROLE or, to have a rule waived, --duty",
		"request new 10001 judge --control twice":                                       "--control belongs to --duty",
		"request new 10001 --duty write-and-judge --control twice":                      "a waiver is asked for with --for and --control",
		"request new 10001 --duty write-and-judge --for 2d":                             "say what compensates for the rule",
		"request new 10001 --duty write-and-judge --for 60d --control twice":            `rule "write-and-judge" is waived for 30 days at most`,
		"request new 10001 --duty talk-and-read --for 2d --control twice":               `rule "talk-and-read" cannot be waived`,
		"request new 10001 --duty write-and-judg --for 2d --control twice":              `did you mean "write-and-judge"`,
		"request new 10001 --duty write-and-judge --for 2d --emergency --control twice": "a waiver is asked for with --for and --control",
	} {
		assert.Contains(t, s.asks(args).err, text, args)
	}
	got = s.asks("request new 10001 --duty write-and-judge --for 10d --control twice")
	assert.Equal(t, service.ExitAttention, got.code)
	assert.Contains(t, got.stdout, "waiver of write-and-judge for 10001, for 10 days\n  asked  10002 ")
	assert.Contains(t, got.stdout, "owner of rule write-and-judge\n")
	got = s.asks("request new 10001 --duty write-and-judge --for 10d --control twice --apply")
	require.Equal(t, service.ExitDone, got.code, got.err)
	assert.Contains(t, s.asks("request new 10001 --duty write-and-judge --for 10d --control twice").err, "r-1 asks for that already")
	assert.Contains(t, s.asks("request approve r-1 --as 10001").err, "nobody decides for themself")
	shown := s.run("request", "show", "r-1").stdout
	assert.Regexp(t, `waives:\s+write-and-judge\s+control:\s+twice\s+about:\s+Who writes papers does not judge them.`, shown)
	assert.Regexp(t, `r-1\s+10001\s+Ada Lovelace\s+waiver of write-and-judge\s+asked`, s.run("request", "list").stdout)
	got = s.asks("request approve r-1 --as 10002 --apply")
	require.Equal(t, service.ExitDone, got.code, got.err)
	assert.Contains(t, got.stdout, "r-1 is approved: waiver of write-and-judge for 10001, for 10 days, x-1 until ")
	assert.Regexp(t, `x-1\s+10001\s+Ada Lovelace\s+waive`, s.run("exception", "list").stdout)

	got = s.asks("request new 10001 judge --for 2h --apply")
	require.Equal(t, service.ExitDone, got.code, got.err)
	assert.Contains(t, got.stdout, "  duty write-and-judge, waived by x-1: wiki:papers together with wiki:judges by judge (x-0)\n")
	shown = s.run("request", "show", "r-2").stdout
	assert.Regexp(t, `write-and-judge\s+prevent\s+wiki:papers\s+wiki:judges by judge \(x-0\)\s+waived by x-1`, shown)

	require.Equal(t, service.ExitDone, s.asks("exception end x-1 --apply").code)
	shown = s.run("request", "show", "r-2").stdout
	assert.Regexp(t, `write-and-judge\s+prevent\s+wiki:judges\s+wiki:papers by research\s+forbidden`, shown)
	assert.Contains(t, shown, `it cannot be approved now: by rule "write-and-judge" nobody has`)
	got = s.asks("request approve r-2 --as 10002 --apply")
	assert.Contains(t, got.err, `by rule "write-and-judge" nobody has`)
}

// TestAConflictThatAScanHasFoundIsListed has an administrator of the wiki give 10001 the other side
// of a rule, and 10002 the only one, which is no conflict.
func TestAConflictThatAScanHasFoundIsListed(t *testing.T) {
	s := dutySite(t)
	l := s.ledger()
	now := time.Now().UTC()
	for id, has := range map[string][]string{"10001": {"judges", "papers", "staff"}, "10002": {"judges", "staff"}} {
		found := []ledger.Finding{{Kind: ledger.FindingStray, What: "judges", PersonID: id}}
		if id == "10001" {
			found = append(found, ledger.Finding{Kind: ledger.FindingDuty, What: "write-and-judge", PersonID: id})
		}
		s.sees(l, now, "wiki", ledger.Observed{AccountID: "w" + id, Username: id, Entitlements: has}, ledger.Verdict{Findings: found})
	}
	findings, err := ledger.Collect(ledger.AllFindings(t.Context(), l, ledger.FindingFilter{Kind: ledger.FindingDuty}))
	require.NoError(t, err)
	require.Len(t, findings, 1)
	require.NoError(t, l.Close())

	checked := func(args ...string) (list []dutyConflict) {
		got := s.run(append([]string{"duty", "check", "-o", "json"}, args...)...)
		assert.Equal(t, service.ExitAttention, got.code, got.err)
		require.NoError(t, json.Unmarshal([]byte(got.stdout), &list))
		return slices.DeleteFunc(list, func(c dutyConflict) bool { return c.Duty == "talk-and-read" })
	}
	want := []dutyConflict{{
		Person: "10001", Name: "Ada Lovelace", Duty: "write-and-judge", Mode: "prevent", State: "found", Finding: fmt.Sprint("f-", findings[0].ID),
		One: []heldBy{{App: "wiki", Entitlement: "papers"}}, Other: []heldBy{{App: "wiki", Entitlement: "judges"}},
	}}
	assert.Equal(t, want, checked())
	assert.Equal(t, want, checked("--person", "10001"))
	got := s.run("duty", "check", "--person", "10002")
	assert.Equal(t, service.ExitDone, got.code, got.err)
	assert.Contains(t, got.stdout, "nobody has what a rule keeps apart")
	assert.Contains(t, s.run("duty", "check", "--limit", "1").err, "1 of 2 are listed: --limit 0 lists all")
	assert.Contains(t, s.run("duty", "check", "-o", "csv").stdout, fmt.Sprintf(",found f-%d,", findings[0].ID))
}
