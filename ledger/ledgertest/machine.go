package ledgertest

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
)

var modelTests = tests{
	"AnyHistoryIsAsInTheModel": func(t *testing.T, l ledger.Ledger) {
		runs := 0
		rapid.Check(t, func(rt *rapid.T) {
			runs++
			m := newMachine(t, l, fmt.Sprint("run", runs))
			rt.Cleanup(func() {
				for _, id := range m.ids { // so that the next run finds only its own people due
					assess(t, l, id, 0, nil)
				}
			})
			rt.Repeat(rapid.StateMachineActions(m))
			m.compare(rt, m.ids...)
		})
	},
}

// machine makes random calls about three people, on the store and on the model, and compares
// the results. Each run has people of its own in the one store.
type machine struct {
	t       *testing.T
	l       ledger.Ledger
	run     string
	ids     []string
	people  map[string]*model
	seen    map[string]sight
	clock   time.Time
	events  map[string]ledger.Receipt
	nudges  int
	touched map[string]bool // the people whom the last call may have changed
	repeat  func(*rapid.T)  // makes the last call again
}

func newMachine(t *testing.T, l ledger.Ledger, run string) *machine {
	m := &machine{
		t: t, l: l, run: run, clock: t0,
		people: map[string]*model{}, seen: map[string]sight{}, events: map[string]ledger.Receipt{},
		repeat: func(*rapid.T) {},
	}
	for _, name := range []string{"ada", "bob", "eve"} {
		id := run + name
		m.ids = append(m.ids, id)
		m.people[id] = newModel(id)
		m.recordEvents(t, []ledger.Received{{At: m.clock, Event: m.event(id, "first "+name)}})
		_, err := l.ClaimUsername(t.Context(), id, id, 0)
		require.NoError(t, err)
		m.people[id].summary.Username = id
		m.look(id)
	}
	return m
}

func (m *machine) event(personID, id string) hr.Event {
	return hr.Event{EventKey: hr.EventKey{Source: m.run, ID: id}, PersonID: personID}
}

// Record records a few events, some of them known.
func (m *machine) Record(rt *rapid.T) {
	now := m.tick(rt)
	batch := numbers(rapid.IntRange(1, 3).Draw(rt, "events"), func(int) ledger.Received {
		n := rapid.IntRange(0, 8).Draw(rt, "event")
		return ledger.Received{At: now, Event: m.event(m.ids[n%len(m.ids)], fmt.Sprint(n))}
	})
	m.recordEvents(rt, batch)
	m.repeat = func(rt *rapid.T) { m.recordEvents(rt, batch) }
}

func (m *machine) recordEvents(rt require.TestingT, batch []ledger.Received) {
	receipts, err := m.l.Record(m.t.Context(), batch)
	require.NoError(rt, err)
	m.touched = map[string]bool{}
	for i, r := range batch {
		m.touched[r.Event.PersonID] = true
		known, duplicate := m.events[r.Event.ID]
		if duplicate {
			require.Equal(rt, known, receipts[i])
			continue
		}
		require.False(rt, receipts[i].Duplicate)
		m.events[r.Event.ID] = ledger.Receipt{Seq: receipts[i].Seq, Duplicate: true}
		m.people[r.Event.PersonID].record(ledger.StoredEvent{Seq: receipts[i].Seq, Event: r.Event, At: r.At, From: ledger.Position{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset}})
	}
}

// Look reads a person, for an assessment to come.
func (m *machine) Look(rt *rapid.T) { m.look(m.anyone(rt)) }

func (m *machine) look(id string) {
	m.seen[id] = sight{summary: read(m.t, m.l, id).Summary, saves: m.people[id].saves, changes: m.people[id].changes, nudges: m.nudges}
}

// Save saves an assessment of what Look saw last, which may be long ago.
func (m *machine) Save(rt *rapid.T) {
	id, now := m.anyone(rt), m.tick(rt)
	seen := m.seen[id]
	a := ledger.Assessment{Summary: seen.summary}
	a.Summary.AssessedAt = now
	a.Summary.JobTitle = rapid.SampledFrom([]string{"", "Lead"}).Draw(rt, "title")
	a.Summary.ManagerID = rapid.SampledFrom(append([]string{""}, m.ids...)).Draw(rt, "manager")
	a.Summary.DueAt, a.Summary.DueWhat = time.Time{}, ""
	if rapid.Bool().Draw(rt, "due") {
		a.Summary.DueAt = now.Add(time.Duration(rapid.IntRange(-9, 9).Draw(rt, "in")) * time.Minute)
		a.Summary.DueWhat = "start"
	}
	for _, app := range rapid.SliceOfDistinct(rapid.SampledFrom([]string{"chat", "wiki"}), rapid.ID).Draw(rt, "planned") {
		a.Planned = append(a.Planned, ledger.Link{App: app, Username: "name" + fmt.Sprint(now.Minute())})
	}
	for _, key := range rapid.SliceOfDistinct(rapid.SampledFrom(stepKeys), rapid.ID).Draw(rt, "steps") {
		s := step(appOf(key), key)
		if rapid.Bool().Draw(rt, "attention") {
			s.State, s.Code = ledger.StepAttention, "why"
		}
		a.Steps = append(a.Steps, s)
	}
	a.LapsedSkips = rapid.SliceOfDistinct(rapid.SampledFrom(stepKeys), rapid.ID).Draw(rt, "lapsed skips")
	err := m.l.SaveAssessment(m.t.Context(), a)
	if !m.people[id].save(seen, a) {
		require.ErrorIs(rt, err, ledger.ErrStale)
		return
	}
	require.NoError(rt, err)
	m.repeat = func(rt *rapid.T) { require.NoError(rt, m.l.SaveAssessment(m.t.Context(), a)) }
}

// Begin begins an attempt.
func (m *machine) Begin(rt *rapid.T) {
	id, key, now := m.anyone(rt), rapid.SampledFrom(stepKeys).Draw(rt, "key"), m.tick(rt)
	a := ledger.Attempt{
		PersonID: id, App: appOf(key), Key: key, Kind: "Provision", At: now, Gives: rapid.Bool().Draw(rt, "gives"),
		Deadline: now.Add(time.Duration(rapid.IntRange(1, 20).Draw(rt, "minutes")) * time.Minute),
	}
	seen := m.seen[id]
	if rapid.Bool().Draw(rt, "ahead") {
		a.Ahead = &ledger.Ahead{Revision: seen.summary.Revision, Username: seen.summary.Username}
		if rapid.Bool().Draw(rt, "creates") {
			a.Ahead.Creating = ledger.Creation{At: now, Username: seen.summary.Username, State: ledger.CreationSent}
		}
		a.Ahead.OrNone = rapid.Bool().Draw(rt, "or none")
	}
	begun, err := m.l.BeginStep(m.t.Context(), a)
	require.NoError(rt, err)
	require.Equal(rt, m.people[id].begin(a, seen, begun.Attempt), begun)
	m.repeat = func(rt *rapid.T) {
		again, err := m.l.BeginStep(m.t.Context(), a)
		require.NoError(rt, err)
		require.Equal(rt, begun, again)
	}
}

// Finish stores an outcome: of one attempt, of an unknown one, or of all attempts.
func (m *machine) Finish(rt *rapid.T) {
	id, key, now := m.anyone(rt), rapid.SampledFrom(stepKeys).Draw(rt, "key"), m.tick(rt)
	p := m.people[id]
	states := []ledger.StepState{ledger.StepDone, ledger.StepOpen, ledger.StepAttention, ledger.StepSuperseded}
	attempts := append([]int64{0, 1 << 40}, each(p.attempts, func(a modelAttempt) int64 { return a.id })...)
	o := ledger.Outcome{
		PersonID: id, App: appOf(key), Key: key, Kind: "Provision", At: now,
		Attempt: rapid.SampledFrom(attempts).Draw(rt, "attempt"),
		State:   rapid.SampledFrom(states).Draw(rt, "state"),
		Code:    rapid.SampledFrom([]string{"", "forbidden"}).Draw(rt, "code"),
	}
	if rapid.Bool().Draw(rt, "link") {
		linkStates := []ledger.LinkState{ledger.LinkPlanned, ledger.LinkActive, ledger.LinkDisabled, ledger.LinkDeleted}
		o.Link = &ledger.Link{
			PersonID: id, App: o.App, State: rapid.SampledFrom(linkStates).Draw(rt, "link state"), AccountID: "account of " + id, ProvenAt: now,
		}
	}
	if rapid.Bool().Draw(rt, "attributes") {
		digest := rapid.SampledFrom([]string{"", "sha256:shown"}).Draw(rt, "digest")
		o.Attributes = &digest
	}
	if rapid.Bool().Draw(rt, "audit") {
		o.Audit = &ledger.AuditRow{PersonID: id, App: o.App, At: now, Action: "tried", Actor: "tenure"}
	}
	o.DueReports = rapid.Bool().Draw(rt, "reports")
	o.InDoubt = rapid.Bool().Draw(rt, "in doubt")
	require.NoError(rt, m.l.FinishStep(m.t.Context(), o))
	p.finish(o)
	if o.DueReports {
		m.nudges++
		for _, other := range m.people {
			if other.summary.ManagerID == id {
				m.touched[other.id] = true
				other.nudge(nudge{at: now, number: m.nudges, what: ledger.DueManager})
			}
		}
	}
	m.repeat = func(rt *rapid.T) { require.NoError(rt, m.l.FinishStep(m.t.Context(), o)) }
}

// Act skips a step or opens one again.
func (m *machine) Act(rt *rapid.T) {
	id, key, now := m.anyone(rt), rapid.SampledFrom(stepKeys).Draw(rt, "key"), m.tick(rt)
	a := ledger.Action{
		Verb: rapid.SampledFrom([]ledger.Verb{ledger.VerbSkip, ledger.VerbRetry}).Draw(rt, "verb"), PersonID: id,
		Key: key, App: appOf(key), Operator: "ops", Reason: "ticket", At: now,
	}
	err := m.l.Act(m.t.Context(), a)
	if !m.people[id].act(a) {
		require.ErrorIs(rt, err, ledger.ErrNotFound)
		return
	}
	require.NoError(rt, err)
	m.nudges++
	m.people[id].nudge(nudge{at: now, number: m.nudges, what: ledger.DueDecision})
	m.people[id].summary.DueWhat = ledger.DueDecision // it replaces any other reason
	m.repeat = func(rt *rapid.T) { require.NoError(rt, m.l.Act(m.t.Context(), a)) }
}

// Again repeats the last call. Check then requires that nothing has changed.
func (m *machine) Again(rt *rapid.T) { m.repeat(rt) }

// Check compares everything that the last call may have changed. Package rapid calls it
// after every action.
func (m *machine) Check(rt *rapid.T) {
	m.compare(rt, slices.Collect(maps.Keys(m.touched))...)
}

// compare compares these people, and the list of due people, in the store and the model.
func (m *machine) compare(rt *rapid.T, ids ...string) {
	for _, id := range ids {
		want, got := m.people[id].person(), read(m.t, m.l, id)
		require.GreaterOrEqual(rt, got.Revision, want.Revision)
		want.Revision = got.Revision
		want.ManagerAccounts = got.ManagerAccounts
		require.Equal(rt, want, got)
		rows := audit(m.t, m.l, id)
		for i := range rows {
			rows[i].Seq = 0
		}
		require.Equal(rt, m.people[id].audit, rows)
	}
	var wantDue []ledger.DuePerson
	for _, id := range m.ids {
		if s := m.people[id].summary; !s.DueAt.IsZero() {
			wantDue = append(wantDue, ledger.DuePerson{PersonID: id, At: s.DueAt, What: s.DueWhat, LastSeq: s.LastSeq})
		}
	}
	slices.SortStableFunc(wantDue, func(a, b ledger.DuePerson) int { return a.At.Compare(b.At) })
	require.Equal(rt, wantDue, due(m.t, m.l))
}

// anyone returns the person whom the next call is about.
func (m *machine) anyone(rt *rapid.T) string {
	id := rapid.SampledFrom(m.ids).Draw(rt, "person")
	m.touched = map[string]bool{id: true}
	return id
}

// tick lets some minutes pass. Other tests cover several calls at one instant.
func (m *machine) tick(rt *rapid.T) time.Time {
	m.clock = m.clock.Add(time.Duration(rapid.IntRange(1, 4).Draw(rt, "minutes passed")) * time.Minute)
	return m.clock
}

var stepKeys = []string{"chat 1", "wiki 1", "wiki 2", "wiki 3"}

func appOf(key string) string { return key[:4] }
