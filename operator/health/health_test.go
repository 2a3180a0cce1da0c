package health

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/ingest/group"
	"github.com/tenurehq/tenure/ledger"
)

func TestStateOfWorkers(t *testing.T) {
	queue := func(name string, workers ...string) Queue {
		return Queue{Name: name, Workers: workers}
	}
	for name, tc := range map[string]struct {
		queues []Queue
		state  State
		says   string
	}{
		"all":  {[]Queue{queue("tenure", "a", "b"), queue("tenure-app-wiki", "a")}, OK, "2 workers at work, on 2 task queues"},
		"none": {[]Queue{queue("tenure"), queue("tenure-app-wiki")}, Attention, "no worker is at work"},
		"app":  {[]Queue{queue("tenure", "a"), queue("tenure-app-wiki")}, Attention, "1 worker at work, but nobody takes what is on tenure-app-wiki"},
	} {
		t.Run(name, func(t *testing.T) {
			v := workersPart(tc.queues)
			assert.Equal(t, tc.state, v.State)
			assert.Contains(t, v.Text, tc.says)
			assert.Equal(t, v.State == OK, v.Do == "")
		})
	}
}

func TestStateOfTheSweeper(t *testing.T) {
	now := noon
	for name, tc := range map[string]struct {
		sweeps Sweeps
		state  State
		says   string
	}{
		"at work": {Sweeps{Exists: true, Last: now.Add(-time.Minute)}, OK, "last started 2026-03-01 11:59:00Z"},
		"missing": {Sweeps{}, Attention, "does not exist"},
		"paused":  {Sweeps{Exists: true, Paused: true, Note: "upgrade", Last: now}, Attention, "paused: upgrade"},
		"new":     {Sweeps{Exists: true}, Note, "not been started yet"},
		"late":    {Sweeps{Exists: true, Last: now.Add(-time.Hour)}, Attention, "is to be started every 1m0s"},
	} {
		t.Run(name, func(t *testing.T) {
			v := sweeperPart(tc.sweeps, time.Minute, now)
			assert.Equal(t, tc.state, v.State)
			assert.Contains(t, v.Text, tc.says)
		})
	}
}

func TestStateOfStartersAndLag(t *testing.T) {
	now := noon
	taken := group.PartitionStatus{Topic: "hr.events", Taken: true}
	late := group.PartitionStatus{Topic: "hr.events", ID: 1, Unread: 7, Oldest: now.Add(-time.Hour)}
	v := startersPart(group.Status{State: "Stable", Members: 1, Partitions: []group.PartitionStatus{taken}}, "tenure")
	assert.Equal(t, OK, v.State)
	v = startersPart(group.Status{State: "Stable", Members: 1, Partitions: []group.PartitionStatus{taken, late}}, "tenure")
	assert.Equal(t, Attention, v.State)
	assert.Contains(t, v.Text, "nobody reads 1 of 2 partitions")
	v = startersPart(group.Status{State: "PreparingRebalance", Members: 2, Partitions: []group.PartitionStatus{late}}, "tenure")
	assert.Equal(t, Note, v.State)

	v = lagPart(group.Status{Partitions: []group.PartitionStatus{taken, late}}, now)
	assert.Equal(t, Attention, v.State)
	assert.Equal(t, map[string]int{"records": 7, "oldestSeconds": 3600}, v.Numbers)
	assert.Equal(t, OK, lagPart(group.Status{Partitions: []group.PartitionStatus{taken}}, now).State)
}

// facts is a ledger that answers what parts ask.
type facts struct {
	ledger.Reader
	late    int
	counts  ledger.Counts
	cohorts []ledger.Cohort
	tasks   []ledger.Task
	letters []ledger.DeadLetter
	waits   map[string]time.Duration
	failing error // of Count and CallWaits
	seats   []ledger.Licence
	notices ledger.NoticeCounts
	backlog ledger.Backlog
}

func (f facts) Backlog(context.Context) (ledger.Backlog, error) { return f.backlog, nil }

func (f facts) CountNotices(context.Context, time.Time) (ledger.NoticeCounts, error) {
	return f.notices, nil
}

func (f facts) Overdue(context.Context, ledger.Lateness) (int, error) { return f.late, nil }
func (f facts) Count(context.Context) (ledger.Counts, error)          { return f.counts, f.failing }

func (f facts) Cohorts(context.Context, ledger.CohortFilter) ([]ledger.Cohort, error) {
	return f.cohorts, nil
}

func (f facts) Tasks(_ context.Context, _ ledger.TaskFilter, after int64, _ int) ([]ledger.Task, error) {
	if after > 0 {
		return nil, nil
	}
	return f.tasks, nil
}

func (f facts) DeadLetters(_ context.Context, _ ledger.LetterFilter, after int64, _ int) ([]ledger.DeadLetter, error) {
	if after > 0 {
		return nil, nil
	}
	return f.letters, nil
}

func (f facts) CallWaits(context.Context) (map[string]time.Duration, error) {
	return f.waits, f.failing
}

func (f facts) Licences(context.Context) ([]ledger.Licence, error) { return f.seats, nil }

// temporal answers what Temporal knows.
type temporal struct{ sweeps Sweeps }

func (temporal) Queues(_ context.Context, apps []string) (queues []Queue, err error) {
	for _, app := range apps {
		queues = append(queues, Queue{Name: app, Workers: []string{"a"}})
	}
	return queues, nil
}

func (t temporal) Sweeps(context.Context) (Sweeps, error) { return t.sweeps, nil }

var noon = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

// tenureOf is a Tenure that is well but for what is in the ledger.
func tenureOf(f facts) Tenure {
	return Tenure{
		Temporal: func(_ context.Context, use func(Runs) error) error {
			return use(temporal{Sweeps{Exists: true, Last: time.Now()}})
		},
		Kafka: func(context.Context) (group.Status, error) {
			return group.Status{State: "Stable", Members: 1, Partitions: []group.PartitionStatus{{Topic: "hr.events", Taken: true}}}, nil
		},
		Ledger: func(_ context.Context, use func(ledger.Reader) error) error { return use(f) },
		Apps:   []string{"chat", "wiki"}, Group: "tenure", SweepEvery: time.Minute, OverdueAfter: time.Hour,
		EnoughSeats: map[string]ledger.EnoughSeats{"chat": {Seats: 10}, "wiki": {}},
		Clock:       clock.Func(func() time.Time { return noon }),
	}
}

func TestAllIsWell(t *testing.T) {
	parts := tenureOf(facts{}).Parts(t.Context())
	var names []string
	for _, p := range parts {
		names = append(names, p.Part)
		assert.Equal(t, OK, p.State, "%s: %s", p.Part, p.Text)
		assert.Empty(t, p.Do, p.Part)
	}
	assert.Equal(t, []string{"workers", "sweeper", "starters", "lag", "people", "turns", "steps", "mass changes", "approvals", "tasks", "dead letters", "apps", "licences", "notices"}, names)
	assert.Empty(t, Needy(parts))
}

// part is one part, as it stands in a ledger.
func part(t *testing.T, f facts, name string) Part {
	t.Helper()
	for _, p := range tenureOf(f).Parts(t.Context()) {
		if p.Part == name {
			return p
		}
	}
	require.Fail(t, "no such part", name)
	return Part{}
}

func TestStateOfTheLedger(t *testing.T) {
	task := ledger.Task{ID: 1, State: ledger.TaskOpen, DueAt: noon.Add(time.Hour)}
	late := ledger.Task{ID: 2, State: ledger.TaskConfirming, DueAt: noon}
	letter, urgent := ledger.DeadLetter{ID: 1}, ledger.DeadLetter{ID: 2, Urgent: true}
	seats := func(app string, used int, age time.Duration) []ledger.Licence {
		return []ledger.Licence{{App: app, Name: "licence:pro", Seats: 100, Used: used, Awaited: 2, CountedAt: time.Now().Add(-age)}}
	}
	for name, tc := range map[string]struct {
		facts facts
		part  string
		state State
		text  string
	}{
		"people":     {facts{late: 3}, "people", Attention, "3 overdue: something was to be done more than 1h0m0s ago"},
		"turns":      {facts{backlog: ledger.Backlog{People: 310, Oldest: noon.Add(-90 * time.Second)}}, "turns", Note, "310 wait for their turn, the first for 1m30s"},
		"steps":      {facts{counts: ledger.Counts{Attention: map[string]int{"chat": 1, "wiki": 3, "": 1}}}, "steps", Attention, "5 need attention: wiki 3, questions 1, chat 1"},
		"held":       {facts{cohorts: []ledger.Cohort{{ID: 7, Kind: "leaver", Held: 12}}}, "mass changes", Attention, "12 held: c-7 leaver 12"},
		"approvals":  {facts{counts: ledger.Counts{Approvals: map[string]int{"wiki": 1}}}, "approvals", Attention, "1 deletion to be approved: wiki 1"},
		"tasks":      {facts{tasks: []ledger.Task{task}}, "tasks", Note, "1 to be done by humans, none overdue"},
		"late tasks": {facts{tasks: []ledger.Task{task, late}}, "tasks", Attention, "1 overdue, of 2"},
		"letters":    {facts{letters: []ledger.DeadLetter{letter}}, "dead letters", Attention, "1 open: HR said something that could not be read"},
		"urgent":     {facts{letters: []ledger.DeadLetter{letter, urgent}}, "dead letters", Attention, "2 open, of which 1 were to end somebody's access"},
		"told":       {facts{notices: ledger.NoticeCounts{Waiting: 2}}, "notices", OK, "2 notices to be sent"},
		"untold":     {facts{notices: ledger.NoticeCounts{Waiting: 2, Failed: 1}}, "notices", Attention, "1 notice could not be sent"},
		"seats":      {facts{seats: seats("chat", 91, time.Hour)}, "licences", Attention, "run out: chat licence:pro (9 of 100 free, 2 awaited)"},
		"enough":     {facts{seats: seats("chat", 90, time.Hour)}, "licences", OK, "1 licence, with enough free seats"},
		"old seats":  {facts{seats: seats("chat", 91, 3*time.Hour)}, "licences", OK, "no app has said"},
		"gone app":   {facts{seats: seats("fax", 91, time.Hour)}, "licences", OK, "no app has said"},
		"awaited":    {facts{seats: seats("wiki", 99, time.Hour)}, "licences", Attention, "(1 of 100 free, 2 awaited)"},
		"calls":      {facts{waits: map[string]time.Duration{"wiki": time.Minute, "chat": time.Second}}, "apps", Note, "calls wait, for the app's rate or because it asked for quiet: wiki for 1m0s"},
	} {
		t.Run(name, func(t *testing.T) {
			p := part(t, tc.facts, tc.part)
			assert.Equal(t, tc.state, p.State)
			assert.Contains(t, p.Text, tc.text)
			if tc.state == Attention {
				assert.NotEmpty(t, p.Do)
			}
		})
	}
}

// A part that does not answer says so, and hides no other part.
func TestPartsThatAreAway(t *testing.T) {
	broken := tenureOf(facts{failing: errors.New("the disk is full")})
	broken.NoKafka = errors.New("no password")
	broken.Temporal = func(context.Context, func(Runs) error) error {
		return fmt.Errorf("no answer from Temporal: %w", context.DeadlineExceeded)
	}
	parts := broken.Parts(t.Context())
	assert.Equal(t, []string{"workers", "sweeper", "starters", "lag", "steps", "approvals", "apps"}, Needy(parts))
	assert.Equal(t, "no answer in time: no answer from Temporal: context deadline exceeded", parts[0].Text)
	assert.Equal(t, "set what is missing, as for the starter", parts[2].Do)

	broken.Ledger = func(context.Context, func(ledger.Reader) error) error { return errors.New("there is no ledger") }
	assert.Len(t, Needy(broken.Parts(t.Context())), 14)
}
