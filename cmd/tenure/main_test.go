package main

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/memory"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/sqlite"
	"github.com/tenurehq/tenure/ledger/sqlite/sqlitetest"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// site is the working directory of a test, with a configuration and a ledger.
type site struct {
	t   *testing.T
	dir string
}

// structured is the content type of a CloudEvent in one JSON object.
const structured = "application/cloudevents+json"

const configuration = `kafka:
  brokers: [127.0.0.1:1]
  topics: [{name: hr.events}, {name: vendor, source: cloudevents, deadLetters: vendor.dead}]
ledger: {url: "sqlite:tenure.db"}
apps:
  chat:
    connector: memory
  wiki:
    connector: memory
    rate: 10/s
roles:
  - name: everyone
    when: "true"
    grants: [{app: chat}, {app: wiki, entitlements: [staff]}]
`

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, dir: t.TempDir()}
	t.Chdir(s.dir)
	logIn(t, "tester")
	for _, name := range []string{"TENURE_CONFIG", "NO_COLOR", "TENURE_OPERATOR", "SUDO_USER", "TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE", "TEMPORAL_PROFILE", "TEMPORAL_API_KEY"} {
		t.Setenv(name, "")
	}
	t.Setenv("TEMPORAL_CONFIG_FILE", filepath.Join(s.dir, "none.toml"))
	s.write("tenure.yaml", configuration)
	return s
}

// logIn lets commands run from an account with the name, until the test ends.
func logIn(t *testing.T, name string) {
	t.Helper()
	before := loginName
	t.Cleanup(func() { loginName = before })
	loginName = func() string { return name }
}

func (s *site) write(name, content string) {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	require.NoError(s.t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(s.t, os.WriteFile(path, []byte(content), 0o600))
}

// result holds the output and the exit code of an invocation.
type result struct {
	code        int
	stdout, err string
}

func (s *site) run(args ...string) result { return s.runWith(terminal{}, args...) }

func (s *site) runWith(t terminal, args ...string) result {
	s.t.Helper()
	var stdout, stderr bytes.Buffer
	if t.in == nil {
		t.in = strings.NewReader("")
	}
	t.out, t.err = &stdout, &stderr
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	code := execute(ctx, t, args)
	return result{code: code, stdout: stdout.String(), err: stderr.String()}
}

// golden compares an output with testdata/NAME.golden.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join(sourceDir, "testdata", name+".golden")
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), got, "if that is right, run: go test ./cmd/tenure -update")
}

// sourceDir is the directory of the package, in which the test began before a site
// changed it.
var sourceDir = func() string {
	dir, err := os.Getwd()
	if err != nil {
		panic(err)
	}
	return dir
}()

func at(s string) time.Time {
	t, err := time.Parse(time.DateTime, s)
	if err != nil {
		panic(err)
	}
	return t
}

func date(s string) hr.Date {
	d, err := hr.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

// ledger opens the site's ledger.
func (s *site) ledger() ledger.Ledger {
	s.t.Helper()
	path := filepath.Join(s.dir, "tenure.db")
	sqlitetest.At(s.t, path)
	l, err := sqlite.Open(s.t.Context(), path)
	require.NoError(s.t, err)
	return l
}

func profile(given, family, title, department, start string) *hr.Profile {
	return &hr.Profile{
		Type: hr.TypeEmployee, GivenName: given, FamilyName: family, JobTitle: title, Department: department,
		Location: hr.Location{TimeZone: "Europe/Berlin"}, StartDate: date(start),
	}
}

// people fills the site's ledger: Georgi (10001) moved and has two accounts, one of which
// cannot be updated; Bezalel (10002) has left; Parto (10003) was suspended.
func (s *site) people() {
	s.t.Helper()
	ctx := s.t.Context()
	l := s.ledger()
	defer func() { require.NoError(s.t, l.Close()) }()

	event := func(id, person string, kind hr.EventType, recorded, effective string, p *hr.Profile) hr.Event {
		return hr.Event{
			EventKey: hr.EventKey{Source: "workday", ID: id}, Type: kind, PersonID: person,
			Recorded: at(recorded), Effective: date(effective), Profile: p,
		}
	}
	left := event("e-4", "10002", hr.EventTerminated, "2026-02-20 10:00:00", "2026-02-28", nil)
	left.Termination = &hr.Termination{LastDay: date("2026-02-28")}
	var received []ledger.Received
	for _, e := range []hr.Event{
		event("e-1", "10001", hr.EventHired, "2026-01-02 09:00:00", "2026-01-05", profile("Georgi", "Facello", "Engineer", "Development", "2026-01-05")),
		event("e-2", "10002", hr.EventHired, "2026-01-02 09:00:01", "2026-01-05", profile("Bezalel", "Simmel", "Clerk", "Sales", "2026-01-05")),
		event("e-3", "10001", hr.EventTransferred, "2026-02-01 09:00:00", "2026-03-01", profile("Georgi", "Facello", "Senior Engineer", "Research", "2026-01-05")),
		left,
		event("e-5", "10002", hr.EventHired, "2026-03-01 08:00:00", "2026-03-10", profile("Bezalel", "Simmel", "Clerk", "Sales", "2026-03-10")),
		event("e-6", "10003", hr.EventHired, "2026-01-02 09:00:02", "2026-01-05", profile("Parto", "Bamford", "", "", "2026-01-05")),
		event("e-7", "10003", hr.EventLeaveStarted, "2026-02-10 09:00:00", "2026-02-11", nil),
		event("e-8", "10003", hr.EventLeaveEnded, "2026-02-15 09:00:00", "2026-02-20", nil),
		event("e-9", "10003", hr.EventSuspended, "2026-03-02 12:00:00", "2026-03-02", nil),
	} {
		received = append(received, ledger.Received{Event: e, At: e.Recorded.Add(time.Second), Topic: "hr.events"})
	}
	_, err := l.Record(ctx, received)
	require.NoError(s.t, err)

	s.assess(l, ledger.Summary{
		PersonID: "10001", GivenName: "Georgi", FamilyName: "Facello", Status: hr.StatusActive, Department: "Research",
		JobTitle: "Senior Engineer", ManagerID: "10003", DueAt: at("2026-03-02 01:00:00"), DueWhat: "working",
	}, ledger.Step{App: "chat", Kind: "Update", Key: "chat/Update/7d1f"})
	s.assess(l, ledger.Summary{
		PersonID: "10002", GivenName: "Bezalel", FamilyName: "Simmel", Status: hr.StatusEnded, Department: "Sales",
		JobTitle: "Clerk", DueAt: at("2026-03-30 23:00:00"), DueWhat: "delete wiki",
	}, ledger.Step{
		Kind: "Question", Key: "conflict/hired_after_end/e-5", State: ledger.StepAttention, Code: "hired_after_end",
		Message: "HR says hired after the employment had ended. If it is a rehire, let HR send 'rehired'; if a mistake, let HR rescind it or skip this",
	})
	s.assess(l, ledger.Summary{PersonID: "10003", GivenName: "Parto", FamilyName: "Bamford", Status: hr.StatusSuspended})

	s.link(l, ledger.Link{PersonID: "10001", App: "chat", AccountID: "c-1", Username: "gfacello", State: ledger.LinkActive, CreatedAt: at("2026-01-05 00:00:10")})
	s.link(l, ledger.Link{PersonID: "10001", App: "wiki", AccountID: "1", Username: "gfacello", State: ledger.LinkActive, Adopted: true, Entitlements: []string{"editors", "staff"}, CreatedAt: at("2026-01-05 00:00:11")})
	s.link(l, ledger.Link{PersonID: "10002", App: "wiki", AccountID: "2", Username: "bsimmel", State: ledger.LinkDisabled, CreatedAt: at("2026-01-05 00:00:12"), DisabledAt: at("2026-02-28 23:00:01")})
	s.link(l, ledger.Link{PersonID: "10003", App: "wiki", AccountID: "9", Username: "pbamford", State: ledger.LinkActive, CreatedAt: at("2026-01-05 00:00:13")})
	s.fails(l, "10001", "chat", "chat/Update/7d1f", "invalid", "the app refused the value of title; check attributes.title of app chat")
}

func (s *site) assess(l ledger.Ledger, summary ledger.Summary, steps ...ledger.Step) {
	s.t.Helper()
	ctx := s.t.Context()
	person, err := l.Person(ctx, summary.PersonID)
	require.NoError(s.t, err)
	summary.AssessedAt, summary.LastSeq = at("2026-03-01 00:00:00"), person.LastSeq
	for i := range steps {
		steps[i].PersonID, steps[i].PlannedAt = summary.PersonID, summary.AssessedAt
		if steps[i].State == "" {
			steps[i].State = ledger.StepOpen
		}
	}
	_, err = l.ClaimUsername(ctx, summary.PersonID, strings.ToLower(summary.GivenName[:1]+summary.FamilyName), 0)
	require.NoError(s.t, err)
	require.NoError(s.t, l.SaveAssessment(ctx, ledger.Assessment{Summary: summary, Steps: steps}))
}

func (s *site) link(l ledger.Ledger, link ledger.Link) {
	s.t.Helper()
	key := link.App + "/Provision/" + link.AccountID
	begin := ledger.Attempt{PersonID: link.PersonID, App: link.App, Key: key, Kind: "Provision", At: link.CreatedAt, Deadline: link.CreatedAt.Add(time.Minute)}
	_, err := l.BeginStep(s.t.Context(), begin)
	require.NoError(s.t, err)
	require.NoError(s.t, l.FinishStep(s.t.Context(), ledger.Outcome{
		PersonID: link.PersonID, App: link.App, Key: key, Kind: "Provision", At: link.CreatedAt, State: ledger.StepDone, Link: &link,
	}))
}

func (s *site) fails(l ledger.Ledger, person, app, key, code, message string) {
	s.t.Helper()
	now := at("2026-03-01 00:00:05")
	_, err := l.BeginStep(s.t.Context(), ledger.Attempt{PersonID: person, App: app, Key: key, Kind: "Update", At: now, Deadline: now.Add(time.Minute)})
	require.NoError(s.t, err)
	require.NoError(s.t, l.FinishStep(s.t.Context(), ledger.Outcome{
		PersonID: person, App: app, Key: key, Kind: "Update", At: now, State: ledger.StepAttention, Code: code, Message: message,
	}))
}

// accounts fills the memory apps of the configuration.
func (s *site) accounts() {
	for _, name := range []string{"chat", "wiki"} {
		memory.Shared(name).Reset()
	}
	memory.Shared("wiki").Put(connector.Account{Username: "gfacello", ExternalID: "10001", Active: true, Entitlements: []string{"editors", "staff"}})
	memory.Shared("wiki").Put(connector.Account{Username: "bsimmel", ExternalID: "10002", Active: true})
	memory.Shared("wiki").Put(connector.Account{Username: "backup", Active: true})
}

func recordMany(t *testing.T, l ledger.Ledger, n int) {
	t.Helper()
	received := make([]ledger.Received, n)
	for i := range received {
		id := strconv.Itoa(100000 + i)
		received[i] = ledger.Received{At: at("2026-01-01 00:00:00"), Event: hr.Event{
			EventKey: hr.EventKey{Source: "workday", ID: id}, PersonID: id, Type: hr.EventHired,
			Recorded: at("2026-01-01 00:00:00"), Effective: date("2026-01-01"), Profile: profile("A", "B", "", "", "2026-01-01"),
		}}
	}
	_, err := l.Record(t.Context(), received)
	require.NoError(t, err)
}
