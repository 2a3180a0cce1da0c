package main

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/memory"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/service"
)

// read reads a person and their audit rows from the site's ledger.
func (s *site) read(person string) (ledger.Person, []ledger.AuditRow) {
	s.t.Helper()
	l := s.ledger()
	defer func() { require.NoError(s.t, l.Close()) }()
	p, err := l.Person(s.t.Context(), person)
	require.NoError(s.t, err)
	rows, err := l.Audit(s.t.Context(), person, 0, 100)
	require.NoError(s.t, err)
	return p, rows
}

// ofHumans returns the rows about what humans did.
func ofHumans(rows []ledger.AuditRow) []ledger.AuditRow {
	return slices.DeleteFunc(rows, func(r ledger.AuditRow) bool { return r.Actor == ledger.ActorTenure })
}

// linkGeorgi links Georgi to his account in the wiki by the account's present ID.
func (s *site) linkGeorgi() {
	s.t.Helper()
	l := s.ledger()
	defer func() { require.NoError(s.t, l.Close()) }()
	for _, a := range memory.Shared("wiki").Accounts() {
		if a.ExternalID == "10001" {
			s.link(l, ledger.Link{PersonID: "10001", App: "wiki", AccountID: a.ID, Username: a.Username, State: ledger.LinkActive, CreatedAt: at("2026-01-05 00:00:11")})
		}
	}
}

func TestSuspendIsRecordedAndTold(t *testing.T) {
	s := newSite(t)
	s.people()
	f := &frontend{}
	f.serve(t)
	got := s.run("person", "suspend", "10001", "--reason", "stolen laptop", "--operator", "ada", "--no-wait")
	assert.Equal(t, service.ExitDone, got.code, got.err)
	assert.Equal(t, "suspend of 10001 is recorded and under way: see tenure person show 10001\n", got.stdout)
	assert.Equal(t, []string{"person:10001"}, f.nudged)

	p, rows := s.read("10001")
	event := p.Events[len(p.Events)-1].Event
	assert.Equal(t, hr.EventSuspended, event.Type)
	assert.Equal(t, hr.OperatorSource, event.Source)
	assert.Equal(t, &hr.Suspension{Reason: "stolen laptop"}, event.Suspension)
	last := rows[len(rows)-1]
	assert.Equal(t, []string{"suspend", "ada", "stolen laptop"}, []string{last.Action, last.Actor, last.Cause})
	assert.Equal(t, ledger.DueOperator, p.DueWhat)
	for _, verb := range []string{"show", "timeline"} {
		assert.Contains(t, s.run("person", verb, "10001").stdout, "is suspended by ada (login tester): stolen laptop")
	}

	// It is not done in time, because no worker runs.
	got = s.run("person", "suspend", "10001", "--reason", "again", "--wait", "1ms", "-o", "json")
	assert.Equal(t, service.ExitAttention, got.code, got.err)
	assert.Contains(t, got.stdout, `"done": false`)

	got = s.run("person", "reinstate", "10001", "--reason", "found it", "--operator", "grace", "--no-wait")
	assert.Equal(t, service.ExitDone, got.code, got.err)
	assert.Contains(t, s.run("person", "show", "10001").stdout, "is reinstated by grace (login tester): found it")
}

func TestSuspendAndReinstateAreRefused(t *testing.T) {
	s := newSite(t)
	s.people()
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"person", "suspend", "10001"}, service.ExitUsage, "say why with --reason"},
		{[]string{"person", "suspend", "99", "--reason", "x"}, service.ExitFailed, `the ledger knows no person "99"`},
		{[]string{"person", "suspend", "10001", "--reason", "x", "--no-wait", "--break-glass"}, service.ExitUsage, "does not go with --no-wait"},
		{[]string{"person", "reinstate", "10001", "--reason", "x"}, service.ExitFailed, "person 10001 is not suspended"},
	} {
		got := s.run(c.args...)
		assert.Equal(t, c.code, got.code, c.args)
		assert.Contains(t, got.err, c.want)
	}
	p, rows := s.read("10001")
	assert.Len(t, p.Events, 2)
	assert.Empty(t, ofHumans(rows))
}

func TestSuspendWithoutTemporalSaysWhatToDo(t *testing.T) {
	s := newSite(t)
	s.people()
	t.Setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
	got := s.run("person", "suspend", "10001", "--reason", "x")
	assert.Equal(t, service.ExitFailed, got.code)
	assert.Contains(t, got.err, "it is on the record")
	assert.Contains(t, got.err, "run it again with --break-glass")
	p, _ := s.read("10001")
	assert.Len(t, p.Events, 3)
}

// Break glass works without Temporal and without Kafka. One app's account is proven to be
// off, another app's is gone.
func TestBreakGlass(t *testing.T) {
	s := newSite(t)
	s.people()
	s.accounts()
	s.linkGeorgi()
	t.Setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
	got := s.run("person", "suspend", "10001", "--reason", "Temporal is down", "--operator", "ada", "--break-glass")
	assert.Equal(t, service.ExitDone, got.code, got.err)
	assert.Contains(t, got.stdout, "wiki: disabled, proven ")
	assert.Contains(t, got.stdout, "chat: deleted, proven ")
	assert.Contains(t, got.stdout, "10001 is cut off in 2 of 2 apps")
	for _, a := range memory.Shared("wiki").Accounts() {
		assert.Equal(t, a.Username != "gfacello", a.Active, a.Username)
	}
	p, rows := s.read("10001")
	assert.Equal(t, ledger.LinkDisabled, p.Links[1].State)
	assert.Equal(t, ledger.DueOperator, p.DueWhat, "the sweeper will have it looked at")
	var marked int
	for _, r := range rows {
		if r.Detail["breakGlass"] == true && r.App != "" {
			assert.Equal(t, "ada", r.Actor)
			marked++
		}
	}
	assert.Equal(t, 2, marked)

	calls := memory.Shared("wiki").Calls(connector.OpDisable)
	got = s.run("person", "suspend", "10001", "--reason", "once more", "--break-glass")
	assert.Equal(t, service.ExitDone, got.code, got.err)
	assert.Equal(t, calls, memory.Shared("wiki").Calls(connector.OpDisable), "it is off already")
}

func TestBreakGlassSaysWhereItFailed(t *testing.T) {
	s := newSite(t)
	s.people()
	s.accounts()
	s.linkGeorgi()
	memory.Shared("wiki").OnCall(func(_ context.Context, op, _ string) error {
		return &connector.Error{Kind: connector.KindUnauthorized, Op: op, Message: "the token was refused"}
	})
	t.Cleanup(memory.Shared("wiki").Reset)
	got := s.run("person", "suspend", "10001", "--reason", "x", "--break-glass")
	assert.Equal(t, service.ExitAttention, got.code, got.err)
	assert.Contains(t, got.stdout, "wiki: not done: unauthorized")
	assert.Contains(t, got.stdout, "10001 is cut off in 1 of 2 apps")
}

// Break glass works although the clock of another system, which suspended somebody
// before, is two hours ahead.
func TestBreakGlassAfterASuspensionFromTheFuture(t *testing.T) {
	s := newSite(t)
	s.people()
	s.accounts()
	s.linkGeorgi()
	l := s.ledger()
	now := time.Now().UTC()
	_, err := l.Record(t.Context(), []ledger.Received{{At: now, Event: hr.Event{
		EventKey: hr.EventKey{Source: "siem", ID: "1"}, Type: hr.EventSuspended, PersonID: "10001",
		Recorded: now.Add(2 * time.Hour), Effective: hr.DateOf(now), Suspension: &hr.Suspension{Reason: "malware"},
	}}})
	require.NoError(t, err)
	require.NoError(t, l.Close())
	t.Setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
	got := s.run("person", "suspend", "10001", "--reason", "ticket 4711", "--operator", "ada", "--break-glass")
	assert.Equal(t, service.ExitDone, got.code, got.err)
	assert.Contains(t, got.stdout, "wiki: disabled, proven ")
}

// protects changes the site's configuration so that it protects a person, or an account
// of an app.
func (s *site) protects(configuration, person, app, account string) {
	s.t.Helper()
	if person != "" {
		configuration += "protected: {persons: [\"" + person + "\"]}\n"
	}
	if app != "" {
		before := configuration
		configuration = strings.Replace(configuration, "  "+app+":\n", "  "+app+":\n    protected: ["+account+"]\n", 1)
		require.NotEqual(s.t, before, configuration)
	}
	s.write("tenure.yaml", configuration)
}

func TestNobodyProtectedIsSuspended(t *testing.T) {
	s := newSite(t)
	s.people()
	s.accounts()
	s.linkGeorgi()
	s.protects(configuration, "10001", "", "")
	before, rows := s.read("10001")
	accounts := memory.Shared("wiki").Accounts()
	for _, args := range [][]string{{"suspend"}, {"suspend", "--break-glass"}, {"reinstate"}} {
		got := s.run(append([]string{"person", args[0], "10001", "--reason", "x"}, args[1:]...)...)
		assert.Equal(t, service.ExitFailed, got.code, args)
		assert.Contains(t, got.err, "person 10001 is protected (protected.persons in tenure.yaml): nothing was recorded or done")
	}
	after, rowsAfter := s.read("10001")
	assert.Equal(t, before, after)
	assert.Equal(t, rows, rowsAfter)
	assert.Equal(t, accounts, memory.Shared("wiki").Accounts())
}

// If one account is protected, the others are cut off, and the command says that one is
// not.
func TestBreakGlassLeavesAProtectedAccountAlone(t *testing.T) {
	s := newSite(t)
	s.people()
	s.accounts()
	s.linkGeorgi()
	s.protects(configuration, "", "wiki", "gfacello")
	accounts := memory.Shared("wiki").Accounts()
	got := s.run("person", "suspend", "10001", "--reason", "x", "--break-glass")
	assert.Equal(t, service.ExitAttention, got.code, got.err)
	assert.Contains(t, got.stdout, "wiki: not done: protected: the account is protected")
	assert.Contains(t, got.stdout, "10001 is cut off in 1 of 2 apps")
	assert.Equal(t, accounts, memory.Shared("wiki").Accounts())

	got = s.run("person", "show", "10001")
	assert.Contains(t, got.stdout, "active, protected")
}

func TestAdoptLeavesAloneWhatIsProtected(t *testing.T) {
	for _, what := range []string{"the person", "the account"} {
		t.Run(what, func(t *testing.T) {
			s := newSite(t)
			s.newcomers()
			(&frontend{}).serve(t)
			chat := memory.Shared("chat")
			i := slices.IndexFunc(chat.Accounts(), func(a connector.Account) bool { return a.ExternalID == "10004" })
			if what == "the person" {
				s.protects(configuration, "10004", "", "")
			} else {
				s.protects(configuration, "", "chat", chat.Accounts()[i].Username)
			}
			before := chat.Accounts()
			got := s.run("app", "adopt", "chat", "--apply")
			assert.Zero(t, got.code, got.err)
			assert.Empty(t, s.linksIn("chat"))
			assert.Zero(t, chat.Calls(connector.OpAdopt))
			assert.Equal(t, before, chat.Accounts())
			got = s.run("app", "accounts", "chat")
			assert.Contains(t, got.stdout, ", protected")
		})
	}
}

func TestPlanSaysWhatIsProtected(t *testing.T) {
	s := planSite(t)
	s.says("events.jsonl", leaves("10001", "2026-01-31"), leaves("10002", "2026-01-31"))
	s.protects(planConfiguration, "10001", "", "")
	got := s.run("plan", "--events", "events.jsonl", "-o", "json")
	assert.Equal(t, service.ExitAttention, got.code, got.err)
	got = s.run("plan", "--events", "events.jsonl")
	var mine, other []string
	person := ""
	for _, line := range strings.Split(got.stdout, "\n") {
		if !strings.HasPrefix(line, " ") {
			person, _, _ = strings.Cut(line, " ")
		}
		switch person {
		case "10001":
			mine = append(mine, line)
		case "10002":
			other = append(other, line)
		}
	}
	assert.Contains(t, strings.Join(mine, "\n"), "disable: needs a human, protected, no automation touches it")
	assert.NotContains(t, strings.Join(mine, "\n"), "  - ", "nothing is said to be taken")
	assert.NotContains(t, strings.Join(other, "\n"), "protected")
	assert.Contains(t, strings.Join(other, "\n"), "  - ")

	got = s.run("person", "show", "10001")
	assert.Contains(t, got.stdout, "no automation touches their accounts")
	got = s.run("person", "show", "10002")
	assert.NotContains(t, got.stdout, "no automation")
}
