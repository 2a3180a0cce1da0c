package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/assess/preview"
	"github.com/tenurehq/tenure/connector/memory"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source/cloudevents"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/service"
)

const planConfiguration = `kafka: {brokers: [127.0.0.1:1]}
ledger: {url: "sqlite:tenure.db"}
apps:
  chat: {connector: memory, attributes: {title: person.jobTitle, department: person.department}}
  wiki: {connector: memory}
roles:
  - {name: everyone, when: "true", grants: [{app: chat}, {app: wiki, entitlements: [staff]}]}
  - {name: research, when: "person.department == 'Research'", grants: [{app: wiki, entitlements: [papers]}]}
`

// planSite returns a site with two people at work, who have what the configuration gives
// them.
func planSite(t *testing.T) *site {
	t.Helper()
	s := newSite(t)
	s.write("tenure.yaml", planConfiguration)
	l := s.ledger()
	defer func() { require.NoError(t, l.Close()) }()
	s.employs(l, "10001", profile("Ada", "Lovelace", "Engineer", "Research", "2026-01-05"), "papers", "staff")
	s.employs(l, "10002", profile("Alan", "Turing", "Clerk", "Sales", "2026-01-05"), "staff")
	for _, name := range []string{"chat", "wiki"} {
		memory.Shared(name).Reset()
	}
	return s
}

// employs has somebody hired and gives them their accounts.
func (s *site) employs(l ledger.Ledger, id string, p *hr.Profile, wiki ...string) {
	s.t.Helper()
	hired := hr.Event{
		EventKey: hr.EventKey{Source: "/hr", ID: "h" + id}, PersonID: id, Type: hr.EventHired,
		Recorded: at("2026-01-02 09:00:00"), Effective: p.StartDate, Profile: p,
	}
	_, err := l.Record(s.t.Context(), []ledger.Received{{Event: hired, At: hired.Recorded}})
	require.NoError(s.t, err)
	s.assess(l, ledger.Summary{PersonID: id, GivenName: p.GivenName, FamilyName: p.FamilyName, Status: hr.StatusActive, ManagerID: p.ManagerID})
	name := strings.ToLower(p.GivenName[:1] + p.FamilyName)
	created := at("2026-01-05 00:00:10")
	chat := policy.Digest(map[string]any{"title": p.JobTitle, "department": p.Department})
	s.link(l, ledger.Link{PersonID: id, App: "chat", AccountID: "c" + id, Username: name, State: ledger.LinkActive, Attributes: chat, CreatedAt: created})
	s.link(l, ledger.Link{PersonID: id, App: "wiki", AccountID: "w" + id, Username: name, State: ledger.LinkActive, Attributes: policy.Digest(nil), Entitlements: wiki, CreatedAt: created})
}

// says writes a file of events.
func (s *site) says(name string, events ...hr.Event) {
	s.t.Helper()
	var lines []string
	for i, e := range events {
		e.Source, e.ID, e.Recorded = "/hr", "e"+string(rune('a'+i)), at("2026-03-01 09:00:00").Add(time.Duration(i)*time.Second)
		text, err := cloudevents.Encode(e)
		require.NoError(s.t, err)
		lines = append(lines, string(text))
	}
	s.write(name, strings.Join(lines, "\n"))
}

// everything returns all that the ledger holds about people.
func (s *site) everything() (all []any) {
	s.t.Helper()
	l := s.ledger()
	defer func() { require.NoError(s.t, l.Close()) }()
	people, err := l.People(s.t.Context(), "", 1000)
	require.NoError(s.t, err)
	for _, p := range people {
		person, err := l.Person(s.t.Context(), p.PersonID)
		require.NoError(s.t, err)
		all = append(all, person)
	}
	rows, err := l.Audit(s.t.Context(), "", 0, 1000)
	require.NoError(s.t, err)
	return append(all, rows)
}

func leaves(id, lastDay string) hr.Event {
	return hr.Event{
		PersonID: id, Type: hr.EventTerminated, Effective: date(lastDay), Termination: &hr.Termination{LastDay: date(lastDay)},
	}
}

func TestPlan(t *testing.T) {
	s := planSite(t)
	moved := profile("Alan", "Turing", "Researcher", "Research", "2026-01-05")
	s.says("events.jsonl",
		leaves("10001", "2099-01-31"),
		hr.Event{PersonID: "10002", Type: hr.EventTransferred, Effective: date("2026-02-01"), Profile: moved},
		hr.Event{PersonID: "10003", Type: hr.EventHired, Effective: date("2099-03-01"), Profile: profile("Augusta", "Lovelace", "Clerk", "Sales", "2099-03-01")},
	)
	s.write("new.yaml", strings.NewReplacer(
		"== 'Research'", "== 'Sales'",
		"department: person.department", "department: person.department + '!'",
	).Replace(planConfiguration))
	s.write("gone.yaml", strings.Replace(planConfiguration, `"true"`, `"person.department == 'Sales'"`, 1)+"leaver: {delete: false}\n")
	s.write("apart.yaml", planConfiguration+"duties: [{name: chat-and-papers, since: 2026-01-01T00:00:00Z, one: [{app: chat}], other: [{app: wiki, entitlements: [papers]}]}]\n")
	s.write("longer.yaml", planConfiguration+"leaver: {retain: 90d}\n")
	before := s.everything()
	for name, tc := range map[string]struct {
		args []string
		code int
		most bool // a limit is exceeded
	}{
		"plan":               {args: []string{}},
		"plan-person":        {args: []string{"--person", "10002"}},
		"plan-events":        {args: []string{"--events", "events.jsonl"}, code: service.ExitAttention},
		"plan-events-values": {args: []string{"--events", "events.jsonl", "--values", "--app", "chat"}, code: service.ExitAttention},
		"plan-events-at":     {args: []string{"--events", "events.jsonl", "--at", "2099-02-15"}},
		"plan-events-most":   {args: []string{"--events", "events.jsonl", "--max-deletes", "1"}, code: service.ExitAttention, most: true},
		"plan-with":          {args: []string{"--with", "new.yaml"}},
		"plan-with-duty":     {args: []string{"--with", "apart.yaml"}, code: service.ExitAttention},
		"plan-with-most":     {args: []string{"--with", "gone.yaml", "--max-disables=0"}, code: service.ExitAttention, most: true},
		"plan-with-nothing":  {args: []string{"--with", "longer.yaml"}},
		"plan-summary":       {args: []string{"--events", "events.jsonl", "--with", "longer.yaml", "--summary"}, code: service.ExitAttention},
	} {
		t.Run(name, func(t *testing.T) {
			got := s.run(append([]string{"plan"}, tc.args...)...)
			assert.Equal(t, tc.code, got.code, got.err)
			assert.Empty(t, got.err)
			golden(t, name, got.stdout)
			got = s.run(append([]string{"plan", "-o", "json"}, tc.args...)...)
			assert.Equal(t, tc.code, got.code, got.err)
			var v planView
			require.NoError(t, json.Unmarshal([]byte(got.stdout), &v))
			assert.Equal(t, tc.most, len(v.Exceeded) > 0)
		})
	}
	assert.Equal(t, before, s.everything(), "nothing was written")
	for _, app := range []string{"chat", "wiki"} {
		for _, op := range []string{"find", "read", "create", "update", "disable", "delete", "grant", "revoke", "list", "check"} {
			assert.Zero(t, memory.Shared(app).Calls(op), "%s %s", app, op)
		}
	}
}

// A rule that is there already is no news, and the end of one is none either.
func TestPlanShowsNewConflictsOfDuties(t *testing.T) {
	s := dutySite(t)
	text, err := os.ReadFile("tenure.yaml")
	require.NoError(t, err)
	s.write("same.yaml", string(text))
	s.write("prevents.yaml", strings.Replace(string(text), "    mode: detect\n", "    since: 2026-01-01T00:00:00Z\n", 1))
	plan := func(file string) (result, planView) {
		got := s.run("plan", "-o", "json", "--with", file)
		var v planView
		require.NoError(t, json.Unmarshal([]byte(got.stdout), &v), got.err)
		return got, v
	}
	got, v := plan("same.yaml")
	assert.Equal(t, service.ExitDone, got.code)
	assert.Zero(t, v.Totals.Conflicts)

	got, v = plan("prevents.yaml")
	assert.Equal(t, service.ExitAttention, got.code)
	assert.Equal(t, 1, v.Totals.Conflicts)
	require.Len(t, v.People, 1)
	v.People[0].Conflicts[0].At = time.Time{}
	assert.Equal(t, []preview.Conflict{{
		Duty: "talk-and-read", Mode: policy.DutyPrevent, One: "chat by everyone", Other: "wiki:papers by research",
	}}, v.People[0].Conflicts)

	said := strings.Fields("exception grant 10002 judge --for 2h --reason x --operator olga --apply")
	require.Equal(t, service.ExitDone, s.run(said...).code)
	s.write("moved.yaml", strings.Replace(string(text), "== 'Research'", "!= ''", 1))
	_, v = plan("moved.yaml")
	found := map[string]string{}
	for _, p := range v.People {
		for _, c := range p.Conflicts {
			found[p.PersonID+" "+c.Duty] = c.Refused
		}
	}
	assert.Equal(t, map[string]string{"10002 write-and-judge": "x-1", "10002 talk-and-read": ""}, found)
}

func TestPlanShowsValuesOnlyIfAsked(t *testing.T) {
	s := planSite(t)
	s.says("events.jsonl", hr.Event{
		PersonID: "10002", Type: hr.EventUpdated, Effective: date("2026-02-01"), Profile: profile("Alan", "Turing", "Codebreaker", "Sales", "2026-01-05"),
	})
	for _, format := range []string{"table", "json", "yaml"} {
		got := s.run("plan", "--events", "events.jsonl", "-o", format)
		assert.Contains(t, got.stdout, "title", format)
		assert.NotContains(t, got.stdout, "Codebreaker", format)
		assert.Contains(t, s.run("plan", "--events", "events.jsonl", "--values", "-o", format).stdout, "Codebreaker", format)
	}
}

func TestPlanSaysWhatIsWrong(t *testing.T) {
	s := planSite(t)
	s.write("bad.jsonl", "{}\n")
	s.write("bad.yaml", planConfiguration+"rols: []\n")
	for name, tc := range map[string]struct {
		args []string
		code int
		err  string
	}{
		"unknown person": {[]string{"--person", "4711"}, service.ExitUsage, `the ledger knows no person "4711"`},
		"past":           {[]string{"--at", "2020-01-01"}, service.ExitUsage, "--at 2020-01-01 is over"},
		"no date":        {[]string{"--at", "soon"}, service.ExitUsage, "--at wants a day such as"},
		"no events":      {[]string{"--events", "none.jsonl"}, service.ExitFailed, "none.jsonl"},
		"bad events":     {[]string{"--events", "bad.jsonl"}, service.ExitFailed, "1 of 1 events are not valid"},
		"bad config":     {[]string{"--with", "bad.yaml"}, service.ExitUsage, "the configuration bad.yaml is wrong:\nbad.yaml:"},
	} {
		t.Run(name, func(t *testing.T) {
			got := s.run(append([]string{"plan"}, tc.args...)...)
			assert.Equal(t, tc.code, got.code)
			assert.Contains(t, got.err, tc.err)
			assert.Empty(t, got.stdout)
		})
	}
}
