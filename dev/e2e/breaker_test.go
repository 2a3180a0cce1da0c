package e2e

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/dev/company"
	"github.com/tenurehq/tenure/dev/stack"
	"github.com/tenurehq/tenure/dev/story"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/workflows"
)

// massRig is a company with people at work, and with Tenure's default limits.
type massRig struct {
	*rig
	people   []string // the IDs of everybody at work
	ending   []string // the people whose contract ends soon, and so ends their access before a later last day would
	before   map[string]map[string][]story.User
	sleeping int // how many runs are open because something is due later
}

func startMass(t *testing.T) *massRig {
	t.Helper()
	opts := company.Options{Seed: seeded(t).Uint64(), People: 64, Start: hr.DateOf(time.Now().UTC()).AddDays(-30), Days: 1, Pace: 0.001}
	history := company.Generate(opts)
	m := &massRig{rig: startRig(t, stack.Options{Template: withBreaker("{settle: 10s}") + "\nsweep: {every: 1s}\n"})}
	m.publish(t, history.Events...)
	m.awaitRest(t)
	for _, s := range m.rig.people(t) {
		if s.Status == hr.StatusActive {
			m.people = append(m.people, s.PersonID)
			if s.DueWhat == "end" && s.DueAt.Before(time.Now().AddDate(0, 0, 14)) {
				m.ending = append(m.ending, s.PersonID)
			}
		}
	}
	require.GreaterOrEqual(t, len(m.people), 60)
	m.before = m.accounts(t)
	require.Positive(t, m.on(t, m.people[0]))
	m.sleeping = len(m.runs(t, openRuns))
	return m
}

// openRuns is the query for people's open runs.
const openRuns = "WorkflowId STARTS_WITH 'person:' AND ExecutionStatus = 'Running'"

// on counts a person's accounts that are enabled.
func (m *massRig) on(t *testing.T, person string) int { t.Helper(); return m.enabled(t, person) }

// mistake has HR terminate every second person: most of them on a past day, some on a
// future day, and some at once. It returns the people by these kinds.
func (m *massRig) mistake(t *testing.T) (standard, future, immediate []string) {
	t.Helper()
	today := hr.DateOf(time.Now().UTC())
	var first, second []hr.Event
	for i, person := range m.people {
		if i%2 == 0 {
			continue
		}
		e := hr.Event{
			EventKey: hr.EventKey{Source: "/hr/made-up-company", ID: "mistake-" + person}, Type: hr.EventTerminated, PersonID: person,
			Recorded: time.Now().UTC(), Effective: today.AddDays(-2), Termination: &hr.Termination{LastDay: today.AddDays(-2)},
		}
		switch {
		case i%8 == 1 && !slices.Contains(m.ending, person):
			e.Effective, e.Termination.LastDay = today.AddDays(10), today.AddDays(10)
			future = append(future, person)
		case i%8 == 3:
			e.Termination.Urgency = hr.UrgencyImmediate
			immediate = append(immediate, person)
			second = append(second, e)
			continue
		default:
			standard = append(standard, person)
		}
		first = append(first, e)
	}
	require.Greater(t, len(first), 20, "more than the limit")
	m.publish(t, first...)
	// The immediate terminations come last. If a flood had only these, the first people
	// would be cut off, unless the configuration says otherwise.
	require.Eventually(t, func() bool {
		for _, e := range first {
			p, err := m.ledger.Person(t.Context(), e.PersonID)
			if err != nil || len(p.Withdrawals) == 0 {
				return false
			}
		}
		return true
	}, patience, 20*time.Millisecond)
	m.publish(t, second...)
	return standard, future, immediate
}

// heldInTemporal counts the open runs that a query for the cohort finds.
func (m *massRig) heldInTemporal(t *testing.T, cohort string) int {
	return len(m.runs(t, fmt.Sprintf("TenureCohort = '%s' AND ExecutionStatus = 'Running'", cohort)))
}

// awaitHeld waits until both the command line and Temporal say that the cohort holds this
// number of people.
func (m *massRig) awaitHeld(t *testing.T, people int) (cohort string) {
	t.Helper()
	var shown []struct {
		Cohort, Kind, State string
		Held                int
	}
	defer func() {
		if t.Failed() {
			t.Logf("%d people should be held; shown are %+v", people, shown)
		}
	}()
	require.Eventually(t, func() bool {
		stdout, stderr, err := m.tenure(t, "breaker", "list", "-o", "json")
		var exit *exec.ExitError
		if err != nil && (!assert.ErrorAs(t, err, &exit, stderr) || exit.ExitCode() != 3) {
			return false
		}
		shown = nil
		require.NoError(t, json.Unmarshal([]byte(stdout), &shown))
		return err != nil && len(shown) == 1 && shown[0].Held == people && m.heldInTemporal(t, shown[0].Cohort) == people
	}, rest, 250*time.Millisecond)
	return shown[0].Cohort
}

func TestHRTerminatesHalfTheCompanyByMistake(t *testing.T) {
	t.Parallel()
	m := startMass(t)
	requests := m.requests()
	standard, future, immediate := m.mistake(t)
	all := len(standard) + len(future) + len(immediate)
	cohort := m.awaitHeld(t, all)
	m.awaitRest(t)
	assert.Equal(t, requests, m.requests(), "no app was asked for anything")
	assert.Equal(t, m.before, m.accounts(t), "not one account was touched")
	show := m.shows(t, "breaker", "show", cohort)
	assert.Contains(t, show, fmt.Sprintf("%d held of %d", all, all))

	// Security can cut anybody off, whether the cohort holds them or not.
	suspended := []string{standard[0], m.people[0]}
	for _, person := range suspended {
		m.publish(t, hr.Event{
			EventKey: hr.EventKey{Source: "/security", ID: "suspends-" + person}, Type: hr.EventSuspended, PersonID: person,
			Recorded: time.Now().UTC(), Effective: hr.DateOf(time.Now().UTC()),
		})
		require.Eventually(t, func() bool { return m.enabled(t, person) == 0 }, patience, 50*time.Millisecond, person)
	}

	m.does(t, "breaker", "cancel", cohort, "--reason", "HR's mistake", "--operator", "grace", "--apply")
	for _, person := range suspended {
		m.publish(t, hr.Event{
			EventKey: hr.EventKey{Source: "/security", ID: "reinstates-" + person}, Type: hr.EventReinstated, PersonID: person,
			Recorded: time.Now().UTC(), Effective: hr.DateOf(time.Now().UTC()),
		})
	}
	m.awaitRest(t)
	require.Eventually(t, func() bool {
		return m.heldInTemporal(t, cohort) == 0 && len(m.runs(t, openRuns)) == m.sleeping
	}, rest, 100*time.Millisecond, "nothing waits that did not before")
	assert.Equal(t, states(m.before), states(m.accounts(t)), "all is as it was")
	for _, s := range m.rig.people(t) {
		if slices.Contains(m.people, s.PersonID) {
			assert.Equal(t, hr.StatusActive, s.Status, s.PersonID)
		}
	}
	rows, err := m.ledger.Audit(t.Context(), standard[1], 0, 1000)
	require.NoError(t, err)
	last := rows[len(rows)-1]
	assert.Equal(t, "cancel grace HR's mistake", strings.Join([]string{last.Action, last.Actor, last.Cause}, " "))

	// Somebody who really leaves afterwards is one of few, so their access ends.
	leaves := standard[2]
	m.publish(t, hr.Event{
		EventKey: hr.EventKey{Source: "/hr/made-up-company", ID: "meant"}, Type: hr.EventTerminated, PersonID: leaves,
		Recorded: time.Now().UTC(), Effective: hr.DateOf(time.Now().UTC()).AddDays(-2),
	})
	require.Eventually(t, func() bool { return m.enabled(t, leaves) == 0 }, patience, 100*time.Millisecond)
	assert.Contains(t, m.shows(t, "breaker", "list"), "nothing is held")
}

func TestAMassTerminationIsMeant(t *testing.T) {
	t.Parallel()
	m := startMass(t)
	standard, future, immediate := m.mistake(t)
	cohort := m.awaitHeld(t, len(standard)+len(future)+len(immediate))
	assert.Equal(t, m.before, m.accounts(t))

	// Somebody ends a run by hand. The sweeper starts another one, and no account
	// changes.
	lost := workflows.WorkflowID(standard[0])
	require.NoError(t, m.temporal.TerminateWorkflow(t.Context(), lost, "", "an operator's mistake"))

	m.does(t, "breaker", "release", cohort, "--reason", "the site closes", "--operator", "grace", "--apply")
	m.awaitRest(t)
	for _, person := range append(standard, immediate...) {
		assert.Zero(t, m.on(t, person), person)
	}
	for i, person := range m.people {
		if i%2 == 0 {
			assert.Positive(t, m.on(t, person), person)
		}
	}
	for _, person := range future {
		assert.Positive(t, m.on(t, person), "%s leaves later", person)
		p, err := m.ledger.Person(t.Context(), person)
		require.NoError(t, err)
		require.Len(t, p.Withdrawals, 1)
		assert.Equal(t, ledger.WithdrawalAdmitted, p.Withdrawals[0].State, person)
	}
	assert.Zero(t, m.heldInTemporal(t, cohort))
}

// TestASecuritySystemSuspendsTheWholeCompany has a channel suspend everybody by mistake.
// Before the flood is seen, no more people are cut off than the limit allows. Meanwhile
// leavers, and people whom an operator or another system cuts off, do not wait.
func TestASecuritySystemSuspendsTheWholeCompany(t *testing.T) {
	t.Parallel()
	m := startMass(t)
	const allowed = 20
	said := func(kind hr.EventType, source, person string) hr.Event {
		now := time.Now().UTC()
		return hr.Event{
			EventKey: hr.EventKey{Source: source, ID: string(kind) + source + person}, Type: kind, PersonID: person,
			Recorded: now, Effective: hr.DateOf(now),
		}
	}
	// A single person is cut off, and comes back.
	first := m.people[0]
	m.publish(t, said(hr.EventSuspended, "/security", first))
	require.Eventually(t, func() bool { return m.on(t, first) == 0 }, patience, 50*time.Millisecond)
	m.publish(t, said(hr.EventReinstated, "/security", first))
	m.awaitRest(t)

	flood := m.people[1:]
	events := make([]hr.Event, len(flood))
	for i, person := range flood {
		events[i] = said(hr.EventSuspended, "/security", person)
	}
	m.publish(t, events...)
	heldOf := func() (cohort string, held []string) {
		for _, person := range flood {
			p, err := m.ledger.Person(t.Context(), person)
			require.NoError(t, err)
			for _, w := range p.Withdrawals {
				if w.Kind == ledger.Suspensions && w.State == ledger.WithdrawalHeld {
					cohort, held = ledger.CohortName(w.Cohort), append(held, person)
				}
			}
		}
		return cohort, held
	}
	var cohort string
	var held []string
	require.Eventually(t, func() bool {
		cohort, held = heldOf()
		off := 0
		for _, person := range flood {
			if m.on(t, person) == 0 {
				off++
			}
		}
		return off+len(held) == len(flood) && m.heldInTemporal(t, cohort) == len(held)
	}, rest, 250*time.Millisecond)
	t.Logf("%d of %d suspensions are held", len(held), len(flood))
	require.GreaterOrEqual(t, len(held), len(flood)-allowed+1, "but for those who were cut off before the flood was seen, with the first")
	for _, person := range held {
		assert.Positive(t, m.on(t, person), person)
	}
	assert.Contains(t, m.shows(t, "breaker", "show", cohort), "suspensions")

	// A single termination takes effect for anybody, even for somebody whom the cohort
	// holds.
	for i, person := range []string{first, held[0]} {
		leaves := said(hr.EventTerminated, "/hr/made-up-company", person)
		leaves.Effective = leaves.Effective.AddDays(-2)
		if i > 0 {
			leaves.Termination = &hr.Termination{LastDay: leaves.Effective, Urgency: hr.UrgencyImmediate}
		}
		m.publish(t, leaves)
		require.Eventually(t, func() bool { return m.on(t, person) == 0 }, patience, 50*time.Millisecond, person)
	}
	// So do suspensions by another system and by an operator.
	m.publish(t, said(hr.EventSuspended, "/second", held[1]))
	require.Eventually(t, func() bool { return m.on(t, held[1]) == 0 }, patience, 50*time.Millisecond)
	m.does(t, "person", "suspend", held[2], "--reason", "really", "--operator", "grace")
	assert.Zero(t, m.on(t, held[2]))

	// One suspension is meant, the others are a mistake.
	m.shows(t, "breaker", "release", cohort, "--person", held[3], "--reason", "really", "--operator", "grace", "--apply")
	require.Eventually(t, func() bool { return m.on(t, held[3]) == 0 }, patience, 50*time.Millisecond)
	m.does(t, "breaker", "cancel", cohort, "--reason", "a wrong rule", "--operator", "grace", "--apply")
	m.awaitRest(t)
	for _, person := range held[4:] {
		assert.Positive(t, m.on(t, person), person)
		p, err := m.ledger.Person(t.Context(), person)
		require.NoError(t, err)
		assert.Equal(t, hr.StatusActive, p.Status, person)
	}
}

// shows runs the real command line, whatever its exit status, and returns what it
// printed.
func (r *rig) shows(t *testing.T, args ...string) string {
	t.Helper()
	stdout, _, _ := r.tenure(t, args...)
	return stdout
}

// states returns the accounts of every app, each app as one line. It leaves out the
// accounts' own identifiers and versions, which differ even if nothing else does.
func states(accounts map[string]map[string][]story.User) map[string]string {
	all := map[string]string{}
	for app, people := range accounts {
		for person, mine := range people {
			for _, u := range mine {
				all[app+" "+person] += u.ID + " " + story.State(u) + "; "
			}
		}
	}
	return all
}
