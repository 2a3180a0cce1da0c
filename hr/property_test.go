package hr_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tenurehq/tenure/hr"
)

// Stories take place in a few weeks from this day, so that their events interact.
var (
	firstDay  = day("2026-03-01")
	storyDays = 60
)

var snapshotTypes = []hr.EventType{
	hr.EventHired, hr.EventRehired, hr.EventTransferred, hr.EventUpdated, hr.EventConverted,
}

var otherTypes = []hr.EventType{
	hr.EventTerminated, hr.EventTerminated, hr.EventTerminated, hr.EventRescinded,
	hr.EventLeaveStarted, hr.EventLeaveEnded, hr.EventSuspended, hr.EventReinstated,
}

// Some stories have one position and some have several.
var positionIDs = []string{"", "", "", "A", "A", "B", "C"}

func drawDay(t *rapid.T, label string) hr.Date {
	return firstDay.AddDays(rapid.IntRange(0, storyDays).Draw(t, label))
}

// drawEvent draws an event of one of the types; a rescind names one of n events.
func drawEvent(t *rapid.T, id string, n int, types ...hr.EventType) hr.Event {
	e := hr.Event{
		EventKey:  hr.EventKey{Source: "/hr", ID: id},
		Type:      rapid.SampledFrom(types).Draw(t, "type"),
		PersonID:  person,
		Recorded:  drawDay(t, "recorded").StartIn(time.UTC).Add(time.Duration(rapid.IntRange(0, 47).Draw(t, "half hours")) * 30 * time.Minute),
		Sequence:  rapid.SampledFrom([]string{"", "", "1", "2", "10", "a"}).Draw(t, "sequence"),
		Effective: drawDay(t, "effective"),
	}
	if !e.Type.Security() {
		e.PositionID = rapid.SampledFrom(positionIDs).Draw(t, "position")
		e.Primary = e.PositionID != "" && rapid.IntRange(0, 3).Draw(t, "primary") == 0
	}
	if e.Type != hr.EventTerminated && !e.Type.Security() && rapid.IntRange(0, 3).Draw(t, "lists jobs") == 0 {
		e.Additional = drawJobs(t, id)
	}
	switch e.Type {
	case hr.EventTerminated:
		e.Termination = &hr.Termination{}
		if rapid.Bool().Draw(t, "names last day") {
			e.Termination.LastDay = drawDay(t, "last day")
		}
		if rapid.IntRange(0, 4).Draw(t, "urgency") == 0 {
			e.Termination.Urgency = hr.UrgencyImmediate
		}
		if rapid.IntRange(0, 4).Draw(t, "names instant") == 0 {
			e.Termination.AccessEndsAt = drawDay(t, "access ends").StartIn(time.UTC).Add(15 * time.Hour)
		}
	case hr.EventRescinded:
		e.Rescinds = fmt.Sprint(rapid.IntRange(0, max(n-1, 0)).Draw(t, "rescinds"))
	case hr.EventHired, hr.EventRehired, hr.EventTransferred, hr.EventUpdated, hr.EventConverted:
		e.Profile = &hr.Profile{
			Type: hr.TypeEmployee, GivenName: "Ada", FamilyName: "Berg", JobTitle: id, StartDate: e.Effective,
			Location: hr.Location{TimeZone: rapid.SampledFrom(
				[]string{"UTC", "Europe/Berlin", "Pacific/Kiritimati", "Pacific/Pago_Pago"}).Draw(t, "zone")},
		}
		if rapid.Bool().Draw(t, "other start") {
			e.Profile.StartDate = drawDay(t, "start")
		}
		if rapid.IntRange(0, 3).Draw(t, "contract") == 0 {
			e.Profile.EndDate = drawDay(t, "end")
		}
	}
	return e
}

// drawJobs draws a list of additional jobs.
func drawJobs(t *rapid.T, title string) *hr.AdditionalJobs {
	list := &hr.AdditionalJobs{AsOf: drawDay(t, "as of"), Whole: rapid.IntRange(0, 4).Draw(t, "whole") > 0}
	for _, position := range []string{"X", "Y"} {
		if !rapid.Bool().Draw(t, position) {
			continue
		}
		job := hr.AdditionalJob{PositionID: position, Profile: hr.Profile{
			Type: hr.TypeEmployee, GivenName: "Ada", FamilyName: "Berg", JobTitle: title, StartDate: drawDay(t, "job's start"),
			Location: hr.Location{TimeZone: rapid.SampledFrom([]string{"UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"}).Draw(t, "job's zone")},
		}}
		if rapid.IntRange(0, 2).Draw(t, "job ends") == 0 {
			job.Profile.EndDate = drawDay(t, "job's end")
		}
		list.Jobs = append(list.Jobs, job)
	}
	return list
}

func drawStory(t *rapid.T) []hr.Event {
	return drawStoryOf(t, slices.Concat(snapshotTypes, otherTypes)...)
}

func drawStoryOf(t *rapid.T, types ...hr.EventType) []hr.Event {
	n := rapid.IntRange(0, 10).Draw(t, "events")
	events := make([]hr.Event, 0, n)
	for i := range n {
		events = append(events, drawEvent(t, fmt.Sprint(i), n, types...))
	}
	return events
}

// grid returns the instants at which standings are compared.
func grid() []time.Time {
	var list []time.Time
	for at := firstDay.AddDays(-3).StartIn(time.UTC); !at.After(firstDay.AddDays(storyDays + 4).StartIn(time.UTC)); at = at.Add(6 * time.Hour) {
		list = append(list, at)
	}
	return list
}

func TestOrderAndRepetitionMakeNoDifference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := drawStory(t)
		if len(events) == 0 {
			t.Skip()
		}
		again := slices.Concat(events, rapid.SliceOfN(rapid.SampledFrom(events), 0, 5).Draw(t, "repeated"))
		require.Equal(t, merge(events...), merge(rapid.Permutation(again).Draw(t, "order")...))
	})
}

// Two different events with one key are a fault of the source. Even then the order of
// arrival must not decide which one counts.
func TestEventsThatShareAKey(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := drawStory(t)
		for i := range events {
			events[i].ID = fmt.Sprint(i / 3)
			if i%3 == 1 {
				events[i].Recorded, events[i].Sequence = events[i-1].Recorded, events[i-1].Sequence
			}
		}
		if len(events) == 0 {
			t.Skip()
		}
		require.Equal(t, merge(events...), merge(rapid.Permutation(events).Draw(t, "order")...))
	})
}

// Somebody who has left stays out after any hire, transfer or update. There are no rescinds
// here, since a hire that is said again after it was rescinded brings its employment back.
func TestTerminationIsALatch(t *testing.T) {
	types := append(slices.Clone(snapshotTypes), hr.EventTerminated, hr.EventTerminated, hr.EventLeaveStarted)
	rapid.Check(t, func(t *rapid.T) {
		said := firstDay.AddDays(rapid.IntRange(5, storyDays+1).Draw(t, "said")).StartIn(time.UTC)
		events := slices.DeleteFunc(drawStoryOf(t, types...), func(e hr.Event) bool { return !e.Recorded.Before(said) })
		if rapid.Bool().Draw(t, "ends") {
			end := drawEvent(t, "end", 0, hr.EventTerminated)
			end.Recorded, end.PositionID = said.AddDate(0, 0, -3), ""
			end.Effective = hr.DateOf(end.Recorded)
			end.Termination = &hr.Termination{}
			events = append(events, end)
		}
		arrive(events)
		before := merge(events...)
		// A late event that changes the time zone of the last day may move the end itself.
		if ended, left := left(before); !left || said.Sub(ended) < 26*time.Hour {
			return
		}
		late := slices.Clone(events)
		for i := range rapid.IntRange(1, 4).Draw(t, "late events") {
			e := drawEvent(t, fmt.Sprintf("late%d", i), 0,
				hr.EventHired, hr.EventTransferred, hr.EventUpdated, hr.EventConverted)
			e.Recorded = said.Add(time.Duration(i) * time.Hour)
			late = append(late, e)
		}
		arrive(late)
		after := merge(late...)
		for at := said.Add(4 * time.Hour); at.Before(firstDay.AddDays(storyDays + 4).StartIn(time.UTC)); at = at.Add(6 * time.Hour) {
			require.NotContains(t, []hr.Status{hr.StatusActive, hr.StatusOnLeave}, after.At(at).Status,
				"at %s\n%v\n%v\n%s", at, lines(before), lines(after), &life{events: late})
		}
	})
}

// arrive sets the time of receipt of events to their recorded time.
func arrive(events []hr.Event) {
	for i := range events {
		events[i].Received = events[i].Recorded
	}
}

// A lapsed contract stays lapsed after any event but a rehire.
func TestLapsedContractsStayLapsed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := drawStoryOf(t, snapshotTypes...)
		var last time.Time
		for _, e := range events {
			last = latest(last, e.Recorded)
		}
		end := hr.DateOf(last).AddDays(rapid.IntRange(2, 20).Draw(t, "until"))
		for i := range events {
			if p := events[i].Profile; p != nil && (p.EndDate.IsZero() || p.EndDate.Compare(end) > 0) {
				p.EndDate = end
			}
		}
		arrive(events)
		before := merge(events...)
		var over time.Time
		for _, p := range append([]hr.Position{{Periods: before.Periods}}, before.Positions...) {
			n := len(p.Periods)
			if n == 0 || !p.Periods[n-1].Ends.After(last) || !p.Periods[n-1].Ends.After(p.Periods[n-1].Starts) {
				t.Skip("told when it was over, or never was")
			}
			over = latest(over, p.Periods[n-1].Ends)
		}
		said := over.AddDate(0, 0, rapid.IntRange(2, 6).Draw(t, "days later")) // a late event that changes the time zone may move the end
		late := slices.Clone(events)
		for i := range rapid.IntRange(1, 4).Draw(t, "late events") {
			e := drawEvent(t, fmt.Sprintf("late%d", i), 0, hr.EventHired, hr.EventTransferred, hr.EventUpdated, hr.EventConverted)
			e.Recorded = said.Add(time.Duration(i) * time.Hour)
			late = append(late, e)
		}
		arrive(late)
		after := merge(late...)
		for _, at := range []time.Duration{5 * time.Hour, 30 * time.Hour, 1000 * time.Hour} {
			require.NotContains(t, []hr.Status{hr.StatusActive, hr.StatusOnLeave}, after.At(said.Add(at)).Status, "%v\n%v\n%s", lines(before), lines(after), &life{events: late})
		}
	})
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// left reports whether every position of somebody is terminated, and returns the last end.
func left(t hr.Timeline) (ended time.Time, ok bool) {
	positions := append([]hr.Position{{Periods: t.Periods}}, t.Positions...)
	for _, p := range positions {
		if len(p.Periods) == 0 {
			return ended, false
		}
		last := p.Periods[len(p.Periods)-1]
		if last.End.Cause != hr.EndTerminated {
			return ended, false
		}
		if last.Ends.After(ended) {
			ended = last.Ends
		}
	}
	return ended, true
}

// An event and its rescind together change nothing.
func TestRescindIsInverse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := append(drawStory(t), hired("first", "2026-02-01", "2026-02-15"),
			hired("firstA", "2026-02-01", "2026-02-16", as("A")), hired("firstB", "2026-02-01", "2026-02-17", as("B")),
			hired("firstC", "2026-02-01", "2026-02-18", as("C")))
		rescindable := slices.DeleteFunc(slices.Concat(snapshotTypes, otherTypes), hr.EventType.Security)
		x := drawEvent(t, "x", len(events)-1, rescindable...)
		x.Recorded = firstDay.AddDays(storyDays + 1).StartIn(time.UTC)
		undo := rescinded("undo", "2026-07-01", "x")

		want := merge(events...)
		got := merge(append(slices.Clone(events), undo, x)...)
		require.Equal(t, want, got)
		for _, at := range grid() {
			require.Equal(t, want.At(at), got.At(at))
		}
	})
}

func TestNothingDiffersBeforeChanges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		timeline := merge(drawStory(t)...)
		same := func(a, b hr.Standing) bool {
			a.Changes, b.Changes = time.Time{}, time.Time{}
			return a == b
		}
		var last hr.Standing
		for i, at := range grid() {
			s := timeline.At(at)
			if i > 0 && (last.Changes.IsZero() || at.Before(last.Changes)) {
				require.True(t, same(last, s), "at %s: %s, then %s", at, stands(last), stands(s))
				require.Equal(t, last.Changes, s.Changes)
			}
			if !s.Changes.IsZero() {
				require.True(t, s.Changes.After(at))
				require.True(t, same(s, timeline.At(s.Changes.Add(-1))))
				require.False(t, same(s, timeline.At(s.Changes)), "%s", stands(s))
			}
			last = s
		}
	})
}

func TestTimelinesAreInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		timeline := merge(drawStory(t)...)
		var last hr.Period
		for i, p := range timeline.Periods {
			require.NotEmpty(t, p.Profiles)
			require.Equal(t, p.End == hr.End{}, p.Ends.IsZero())
			for j, s := range p.Profiles[1:] {
				require.True(t, s.From.After(p.Profiles[j].From))
				require.True(t, p.Ends.IsZero() || s.From.Before(p.Ends))
			}
			if i > 0 {
				require.True(t, p.Starts.After(last.Starts), "%v", lines(timeline))
				require.False(t, last.Ends.IsZero() || last.Ends.After(p.Starts), "%v", lines(timeline))
			}
			last = p
		}
		for _, list := range [][]hr.Interval{timeline.Absences, timeline.Suspensions} {
			for i, in := range list {
				require.True(t, in.To.IsZero() || in.To.After(in.From))
				require.True(t, i == 0 || !list[i-1].To.IsZero() && !list[i-1].To.After(in.From))
			}
		}
	})
}

// An immediate termination ends access at once, whatever else is planned for later.
func TestImmediateMeansNow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := firstDay.AddDays(storyDays + 1)
		events := drawStory(t)
		out := terminated("out", now.String(), now.String(), immediate)
		timeline := merge(append(events, out)...)
		for _, after := range []time.Duration{0, time.Hour, 1000 * time.Hour} {
			require.NotContains(t, []hr.Status{hr.StatusActive, hr.StatusOnLeave, hr.StatusUpcoming},
				timeline.At(out.Recorded.Add(after)).Status, "%v", lines(timeline))
		}
	})
}
