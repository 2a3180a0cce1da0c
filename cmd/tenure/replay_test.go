package main

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/service"
)

func TestReplaySelectsPeopleByWhatWasReceived(t *testing.T) {
	s := newSite(t)
	s.people()
	f := &frontend{}
	f.serve(t)
	for name, c := range map[string]struct {
		args []string
		code int
		want string
	}{
		"one person":     {[]string{"--person", "10001"}, service.ExitDone, "1 person"},
		"of a day":       {[]string{"--from", "2026-02-10", "--to", "2026-02-11"}, service.ExitDone, "1 person"},
		"of a type":      {[]string{"--from", "2026-01-01", "--type", "terminated"}, service.ExitDone, "1 person"},
		"of a system":    {[]string{"--from", "2026-01-01", "--source", "workday"}, service.ExitDone, "3 people"},
		"of another":     {[]string{"--from", "2026-01-01", "--source", "rippling"}, service.ExitUsage, "--source rippling: the ledger has no event of it; it has those of workday"},
		"of long ago":    {[]string{"--from", "36500d"}, service.ExitDone, "3 people"},
		"nothing said":   {nil, service.ExitUsage, "say what to replay"},
		"no time":        {[]string{"--from", "yesterday"}, service.ExitUsage, "--from yesterday is no time"},
		"unknown person": {[]string{"--person", "4711"}, service.ExitUsage, `the ledger knows no person "4711"`},
		"no rate":        {[]string{"--person", "10001", "--rate", "0"}, service.ExitUsage, "--rate must be above zero"},
	} {
		got := s.run(append([]string{"replay", "--dry-run"}, c.args...)...)
		assert.Equal(t, c.code, got.code, name)
		assert.Contains(t, got.stdout+got.err, c.want, name)
	}
	seen := s.run("replay", "--from", "2026-01-01")
	assert.Equal(t, service.ExitAttention, seen.code)
	assert.Contains(t, seen.err, "3 people would be looked at again; nothing was done: --apply does it")
	golden(t, "replay", seen.stdout)
	assert.Empty(t, f.nudged, "nothing is done without --apply")

	got := s.run("replay", "--from", "2026-01-01", "--rate", "1000", "--apply")
	assert.Equal(t, service.ExitDone, got.code, got.err)
	assert.Contains(t, got.err, "3 people are looked at again")
	assert.Equal(t, []string{"person:10001", "person:10002", "person:10003"}, f.nudged)
}

// asked counts how often a ledger is asked for pages of events, and for people.
type asked struct {
	ledger.Ledger
	pages, people int
}

func (a *asked) Events(ctx context.Context, f ledger.EventFilter, after int64, limit int) ([]ledger.StoredEvent, error) {
	a.pages++
	return a.Ledger.Events(ctx, f, after, limit)
}

func (a *asked) Person(ctx context.Context, id string) (ledger.Person, error) {
	a.people++
	return a.Ledger.Person(ctx, id)
}

func (a *asked) People(ctx context.Context, after string, limit int) ([]ledger.Summary, error) {
	a.people++
	return a.Ledger.People(ctx, after, limit)
}

// However many people there are, a replay asks the ledger for pages of events, and never
// for people.
func TestReplayReadsEventsInPages(t *testing.T) {
	const everybody, late = 2*ledger.PageSize + 10, 7
	s := newSite(t)
	s.people() // it creates the ledger
	l := &asked{Ledger: s.ledger()}
	defer l.Close()
	begin := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	var events []ledger.Received
	for i := range everybody {
		r := ledger.Received{At: begin, Event: hr.Event{
			EventKey: hr.EventKey{Source: "bulk", ID: fmt.Sprint(i)}, Type: hr.EventTerminated, PersonID: fmt.Sprintf("9%04d", i), Recorded: begin,
		}}
		if i%100 == 0 && i/100 < late {
			r.At = begin.Add(time.Hour)
		}
		events = append(events, r)
	}
	_, err := l.Record(t.Context(), events)
	require.NoError(t, err)

	o := &operator.Viewer{Ledger: l, Clock: clock.Func(func() time.Time { return begin })}
	found, err := replayOptions{from: "2026-06-01", source: "bulk"}.find(t.Context(), o)
	require.NoError(t, err)
	assert.Equal(t, everybody, len(found))
	assert.Equal(t, 3, l.pages)
	assert.Zero(t, l.people)

	l.pages = 0
	found, err = replayOptions{from: "2026-06-01T12:30:00Z"}.find(t.Context(), o)
	require.NoError(t, err)
	assert.Equal(t, late, len(found))
	assert.Equal(t, 1, l.pages, "what is out of the span is not read")
	assert.Zero(t, l.people)
}
