package snapshot_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/snapshot"
)

// Stories take place in the two months around the snapshot, so that their events interact.
var (
	firstDay  = date("2026-02-01")
	storyDays = 60
	asOf      = instant("2026-03-03T06:00:00Z")
)

func drawDay(t *rapid.T, label string) hr.Date {
	return firstDay.AddDays(rapid.IntRange(0, storyDays).Draw(t, label))
}

func drawProfile(t *rapid.T) hr.Profile {
	p := hr.Profile{
		Type:      rapid.SampledFrom([]hr.PersonType{hr.TypeEmployee, hr.TypeEmployee, hr.TypeContractor}).Draw(t, "type"),
		GivenName: "Ada", FamilyName: "Berg", StartDate: drawDay(t, "start"),
		JobTitle: rapid.SampledFrom([]string{"Engineer", "Manager"}).Draw(t, "title"),
		Location: hr.Location{TimeZone: rapid.SampledFrom([]string{"UTC", "Europe/Berlin", "Pacific/Kiritimati", "Pacific/Pago_Pago"}).Draw(t, "zone")},
	}
	if rapid.IntRange(0, 3).Draw(t, "contract") == 0 {
		p.EndDate = drawDay(t, "end")
	}
	return p
}

// drawStory draws the events about a person: mostly a plausible life, and sometimes anything.
func drawStory(t *rapid.T) []hr.Event {
	n := rapid.IntRange(0, 6).Draw(t, "events")
	var events []hr.Event
	for i := range n {
		e := hr.Event{
			EventKey: hr.EventKey{Source: source, ID: fmt.Sprint(i)}, PersonID: "1",
			Recorded:  drawDay(t, "recorded").StartIn(time.UTC).Add(time.Duration(rapid.IntRange(0, 23).Draw(t, "hour")) * time.Hour),
			Effective: drawDay(t, "effective"),
			Type: rapid.SampledFrom([]hr.EventType{
				hr.EventHired, hr.EventHired, hr.EventUpdated, hr.EventTransferred, hr.EventConverted, hr.EventRehired,
				hr.EventTerminated, hr.EventTerminated, hr.EventLeaveStarted, hr.EventLeaveEnded, hr.EventSuspended, hr.EventRescinded,
			}).Draw(t, "kind"),
		}
		if rapid.IntRange(0, 3).Draw(t, "on time") > 0 && e.Recorded.After(asOf) {
			e.Recorded = asOf.Add(-time.Duration(i+1) * time.Hour)
		}
		switch e.Type {
		case hr.EventTerminated:
			e.Termination = &hr.Termination{LastDay: drawDay(t, "last day")}
		case hr.EventRescinded:
			e.Rescinds = fmt.Sprint(rapid.IntRange(0, n-1).Draw(t, "rescinds"))
		case hr.EventLeaveStarted, hr.EventLeaveEnded, hr.EventSuspended:
		default:
			p := drawProfile(t)
			e.Profile = &p
		}
		events = append(events, e)
	}
	return events
}

// drawRow draws the person's row; nil if they are not in the file.
func drawRow(t *rapid.T) *snapshot.Row {
	if rapid.IntRange(0, 2).Draw(t, "absent") == 0 {
		return nil
	}
	p := drawProfile(t)
	line := fmt.Sprintf("1,%s,%s,%s,%s,%s,%s,%s,,\n", p.Type, p.GivenName, p.FamilyName, p.StartDate, p.EndDate, p.Location.TimeZone, p.JobTitle)
	marked, lastDay, since := "", "", ""
	switch rapid.IntRange(0, 5).Draw(t, "says") {
	case 0:
		marked = "gone"
	case 1:
		marked, lastDay = "gone", drawDay(t, "row's last day").String()
	case 2:
		lastDay = drawDay(t, "row's last day").String()
	case 3:
		since = drawDay(t, "row's since").String()
	}
	line = fmt.Sprintf("%s,%s,%s,%s\n", line[:len(line)-3], marked, lastDay, since)
	rows, problems := read(header+line, mapping)
	if len(problems) > 0 || len(rows) != 1 {
		t.Fatalf("%v in %q", problems, line)
	}
	return rows[0]
}

type found struct {
	totals    snapshot.Totals
	changes   []snapshot.Change
	questions []snapshot.Question
}

func compare(t require.TestingT, row *snapshot.Row, events []hr.Event) found {
	r, err := snapshot.New(snapshot.Options{AsOf: asOf, Source: source})
	require.NoError(t, err)
	if row == nil {
		require.NoError(t, r.Absent("1", events))
	} else {
		require.NoError(t, r.Row(row, events))
	}
	return found{r.Totals(), r.Changes(), r.Questions()}
}

func told(f found) (events []hr.Event) {
	for _, c := range f.changes {
		events = append(events, c.Events...)
	}
	return events
}

// After the events have been sent, comparing again finds nothing. (Questions without events
// stay.)
func TestWhatWasToldIsSettled(t *testing.T) {
	changes := 0
	rapid.Check(t, func(t *rapid.T) {
		events, row := drawStory(t), drawRow(t)
		first := compare(t, row, events)
		changes += len(first.changes)
		again := compare(t, row, append(slices.Clone(events), told(first)...))
		require.Empty(t, again.changes)
		require.Equal(t, first.questions, again.questions)
	})
	require.NotZero(t, changes, "nothing was ever found")
}

// The order in which events came makes no difference.
func TestOrderMakesNoDifference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events, row := drawStory(t), drawRow(t)
		if len(events) == 0 {
			events = append(events, hr.Event{EventKey: hr.EventKey{Source: source, ID: "x"}, PersonID: "1", Type: hr.EventSuspended, Recorded: asOf.AddDate(0, -1, 0)})
		}
		require.Equal(t, compare(t, row, events), compare(t, row, rapid.Permutation(events).Draw(t, "order")))
	})
}

// If HR has sent an event about somebody since the snapshot, the file is ignored for them.
func TestNewerEventsWin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events, row := drawStory(t), drawRow(t)
		late := false
		for _, e := range events {
			late = late || !e.Recorded.Before(asOf)
		}
		if f := compare(t, row, events); late {
			require.Empty(t, f.changes)
		}
	})
}

// No snapshot brings a terminated person back.
func TestNobodyTerminatedComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events, row := drawStory(t), drawRow(t)
		before := hr.Merge("1", events)
		after := hr.Merge("1", append(slices.Clone(events), told(compare(t, row, events))...))
		n := len(before.Periods)
		if n == 0 || before.Periods[n-1].End.Cause != hr.EndTerminated || before.Periods[n-1].Ends.After(asOf) {
			return
		}
		require.NotEmpty(t, after.Periods)
		last := after.Periods[len(after.Periods)-1]
		require.False(t, last.Ends.IsZero())
		// A change of the time zone of the last day may move the end by hours.
		require.Less(t, last.Ends.Sub(before.Periods[n-1].Ends), 30*time.Hour)
	})
}

// Somebody who is not in the file has no access when the snapshot's day is over, unless their
// last day was announced or HR has sent an event since. Somebody in the file has the row's
// profile.
func TestWhatWasToldIsSo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events, row := drawStory(t), drawRow(t)
		f := compare(t, row, events)
		if len(f.questions) > 0 || f.totals.Newer > 0 || f.totals.Elsewhere > 0 {
			return
		}
		after := hr.Merge("1", append(slices.Clone(events), told(f)...))
		now := employed(after, asOf)
		switch {
		case row == nil:
			if later := employed(after, asOf.AddDate(0, 0, 2)); now != nil && later == now {
				require.Equal(t, hr.EndTerminated, now.End.Cause)
			}
		case row.Left || now == nil || !row.Effective.IsZero():
		case !row.Profile.EndDate.IsZero() || !row.LastDay.IsZero():
		default:
			in := now.Profiles[0].Profile
			for _, s := range now.Profiles {
				if !s.From.After(asOf) {
					in = s.Profile
				}
			}
			require.Equal(t, row.Profile, in)
		}
	})
}

func employed(t hr.Timeline, at time.Time) *hr.Period {
	for i := range t.Periods {
		if p := &t.Periods[i]; !p.Starts.After(at) && (p.Ends.IsZero() || p.Ends.After(at)) {
			return p
		}
	}
	return nil
}
