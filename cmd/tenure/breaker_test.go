package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/service"
)

// held terminates this number of people at once, and the breaker holds all of them.
func (s *site) held(people int) {
	s.t.Helper()
	l := s.ledger()
	defer func() { require.NoError(s.t, l.Close()) }()
	limits := ledger.Limits{Window: 24 * time.Hour, Of: map[ledger.WithdrawalKind]ledger.Limit{ledger.Leavers: {Count: 1}}}
	now := at("2026-03-05 08:00:00")
	var events []ledger.Received
	for i := range people {
		id := fmt.Sprint("p", i)
		require.NoError(s.t, l.FinishStep(s.t.Context(), ledger.Outcome{
			PersonID: id, App: "wiki", Key: "x", Kind: "Provision", At: now, State: ledger.StepDone,
			Link: &ledger.Link{AccountID: id, State: ledger.LinkActive},
		}))
		require.NoError(s.t, l.SaveAssessment(s.t.Context(), ledger.Assessment{Summary: ledger.Summary{
			PersonID: id, GivenName: "Person", FamilyName: fmt.Sprint("No ", i), Department: "Sales", Status: hr.StatusActive, AssessedAt: now,
		}}))
		events = append(events, ledger.Received{At: now, Event: hr.Event{
			EventKey: hr.EventKey{Source: "urn:hr", ID: fmt.Sprint("e", i)}, Type: hr.EventTerminated, PersonID: id,
			Recorded: now, Effective: hr.DateOf(now),
		}})
	}
	_, err := l.Record(s.t.Context(), events)
	require.NoError(s.t, err)
	_, err = l.Admit(s.t.Context(), ledger.AdmissionRequest{PersonID: "p0", At: now, Limits: limits, Asks: []ledger.Ask{{
		Kind: ledger.Leavers, Key: ledger.EventWithdrawal(events[0].Event.EventKey), Event: events[0].Event.EventKey, Voids: true,
		Apps: []string{"chat", "wiki"}, Why: "access ended", SaidAt: now,
	}}})
	require.NoError(s.t, err)
}

func TestBreakerListAndShow(t *testing.T) {
	s := newSite(t)
	s.people()
	none := s.run("breaker", "list")
	assert.Zero(t, none.code)
	assert.Equal(t, "nothing is held\n", none.stdout)
	s.held(3)
	for name, args := range map[string]string{
		"breaker-list":      "list",
		"breaker-list.json": "list --all -o json",
		"breaker-show":      "show c-1",
		"breaker-show.json": "show 1 -o json",
	} {
		got := s.run(append([]string{"breaker"}, strings.Fields(args)...)...)
		assert.Equal(t, service.ExitAttention, got.code, got.err)
		golden(t, name, got.stdout)
	}
	show := s.run("person", "show", "p1")
	assert.Equal(t, service.ExitAttention, show.code, "somebody has to decide")
	assert.Contains(t, show.stdout, "held in c-1 (tenure breaker show c-1)")
	assert.Contains(t, show.stdout, "now: in a mass change (tenure breaker list)")
}

func TestBreakerCancel(t *testing.T) {
	s := newSite(t)
	f := &frontend{}
	f.serve(t)
	s.people()
	s.held(250)
	for _, wrong := range [][]string{
		{"cancel", "c-1", "--apply"}, {"cancel", "c-1", "--reason", " ", "--apply"}, {"cancel"},
	} {
		assert.Equal(t, service.ExitUsage, s.run(append([]string{"breaker"}, wrong...)...).code, "%v", wrong)
	}
	missing := s.run("breaker", "cancel", "c-7", "--reason", "x")
	assert.Equal(t, service.ExitFailed, missing.code)
	assert.Contains(t, missing.err, `there is no cohort "c-7"; held now: c-1`)
	stranger := s.run("breaker", "release", "c-1", "--person", "10001", "--reason", "x", "-y")
	assert.Equal(t, service.ExitFailed, stranger.code)
	assert.Contains(t, stranger.err, `cohort c-1 holds nothing of person "10001"`)
	seen := s.run("breaker", "cancel", "c-1")
	assert.Equal(t, service.ExitAttention, seen.code)
	assert.Contains(t, seen.err, "250 people would be cancelled of c-1 (leavers): their access stays as it is; nothing was done: --apply does it\n")
	assert.Contains(t, seen.stdout, "and 230 more (tenure breaker show c-1 has all)")
	assert.Contains(t, s.run("breaker", "release", "c-1", "--person", "p7").err, "1 person would be released of c-1 (leavers): their access is taken;")
	assert.Empty(t, f.nudged, "nothing was done")

	some := s.run("breaker", "release", "c-1", "--person", "p7,p8", "--person", "p7", "--reason", "really left", "--operator", "me", "-y")
	assert.Equal(t, service.ExitAttention, some.code, some.err)
	assert.Contains(t, some.err, "released 2 people of c-1; 248 people still held\n")
	assert.Equal(t, []string{"person:p7", "person:p8"}, f.nudged)
	all := s.run("breaker", "cancel", "c-1", "--reason", "a test", "--operator", "me", "--apply")
	assert.Zero(t, all.code, all.err)
	assert.Contains(t, all.err, "cancelled 248 people of c-1; nothing is held in it any more\n")
	assert.Len(t, f.nudged, 250)
	again := s.run("breaker", "cancel", "c-1", "--reason", "a test", "-y")
	assert.Zero(t, again.code)
	assert.Contains(t, again.err, "cohort c-1 holds nothing any more: it was cancelled by me (login tester) at")
	assert.Zero(t, s.run("breaker", "list").code)
	assert.Contains(t, s.run("breaker", "list", "--all").stdout, "cancelled")

	l := s.ledger()
	defer func() { require.NoError(t, l.Close()) }()
	rows, err := l.Audit(t.Context(), "p9", 0, 10)
	require.NoError(t, err)
	require.Len(t, rows, 1)
	assert.Equal(t, "cancel me a test", strings.Join([]string{rows[0].Action, rows[0].Actor, rows[0].Cause}, " "))
	p, err := l.Person(t.Context(), "p9")
	require.NoError(t, err)
	assert.Equal(t, "e9", p.Events[1].Event.Rescinds)
}

func TestBreakerWithoutTemporal(t *testing.T) {
	s := newSite(t)
	t.Setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
	s.people()
	s.held(2)
	got := s.run("breaker", "release", "c-1", "--reason", "a test", "--yes")
	assert.Zero(t, got.code, got.err)
	assert.Contains(t, got.err, "the runs of 2 people could not be told, and will be by the sweeper, within 1m0s of Temporal being there")
	assert.Contains(t, got.err, "released 2 people of c-1")
	l := s.ledger()
	defer func() { require.NoError(t, l.Close()) }()
	p, err := l.Person(t.Context(), "p1")
	require.NoError(t, err)
	assert.Equal(t, ledger.DueBreaker, p.DueWhat)
}
