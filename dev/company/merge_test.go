package company

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
)

// TestExpectedAgreesWithMerge holds what must result against what the product's
// merge makes of what was told, at every instant at which anything changes.
func TestExpectedAgreesWithMerge(t *testing.T) {
	for _, options := range []struct {
		name string
		make func(seed uint64, people int) Options
	}{{"typical", Typical}, {"turbulent", Turbulent}} {
		t.Run(options.name, func(t *testing.T) {
			for seed := range uint64(25) {
				h := Generate(options.make(seed, 60))
				told, received := byPerson(h.Events), byPerson(receivedAfterwards(h.Events))
				for _, l := range h.lives {
					compare(t, fmt.Sprintf("seed %d person %s", seed, l.id), l, told[l.id])
					compare(t, fmt.Sprintf("seed %d person %s, received in the order of delivery", seed, l.id), l, received[l.id])
				}
			}
		})
	}
}

// receivedAfterwards returns the events as a first import receives them: all of them
// long after they were recorded, in the order in which they are delivered.
func receivedAfterwards(events []hr.Event) []hr.Event {
	at := time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
	all := slices.Clone(events)
	for i := range all {
		all[i].Received = at.Add(time.Duration(i) * time.Millisecond)
	}
	return all
}

func compare(t *testing.T, who string, l *life, events []hr.Event) {
	t.Helper()
	timeline := hr.Merge(l.id, events)
	for _, at := range instants(l) {
		standing := timeline.At(at)
		got := Expected{PersonID: l.id, Status: standing.Status}
		if p := standing.Period; p != nil {
			got.Starts, got.Ends = p.Starts.UTC(), p.Ends.UTC()
			got.Type, got.GivenName, got.FamilyName = standing.Profile.Type, standing.Profile.GivenName, standing.Profile.FamilyName
			got.Department, got.JobTitle = standing.Profile.Department, standing.Profile.JobTitle
			got.ManagerID = standing.Profile.ManagerID
		}
		want := l.expected(at)
		want.Starts, want.Ends = want.Starts.UTC(), want.Ends.UTC()
		require.Equal(t, want, got, "%s at %s, told\n%s", who, at, transcript(events))
	}
}

// instants are those around each at which something changes for a person.
func instants(l *life) []time.Time {
	var edges []time.Time
	for _, e := range l.employments {
		edges = append(edges, e.starts(), e.ends())
		for _, f := range e.facts {
			edges = append(edges, f.from.StartIn(f.zone()))
		}
		for _, a := range e.absences {
			edges = append(edges, a.from.StartIn(e.on(a.from).zone()), a.back.StartIn(e.on(a.back).zone()))
		}
	}
	for _, s := range l.suspensions {
		edges = append(edges, s.from, s.to)
	}
	list := []time.Time{time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)}
	for _, at := range edges {
		if at.Year() > 1 {
			list = append(list, at.Add(-time.Second), at, at.Add(time.Hour))
		}
	}
	return list
}

func byPerson(events []hr.Event) map[string][]hr.Event {
	told := make(map[string][]hr.Event)
	for _, e := range events {
		told[e.PersonID] = append(told[e.PersonID], e)
	}
	return told
}

// transcript returns everything that HR told of a person, for the message of a failure.
func transcript(events []hr.Event) string {
	events = slices.Clone(events)
	slices.SortStableFunc(events, func(a, b hr.Event) int { return a.Recorded.Compare(b.Recorded) })
	var text string
	for _, e := range events {
		text += fmt.Sprintf("%s %s %s effective %s rescinds %q", e.Recorded.Format(time.DateTime), e.ID, e.Type, e.Effective, e.Rescinds)
		if p := e.Profile; p != nil {
			text += fmt.Sprintf(" %s %s/%s until %s in %s", p.Type, p.Department, p.JobTitle, p.EndDate, p.Location.TimeZone)
		}
		if e.Termination != nil {
			text += fmt.Sprintf(" %+v", *e.Termination)
		}
		text += "\n"
	}
	return text
}
