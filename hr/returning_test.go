package hr_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tenurehq/tenure/hr"
)

// A record that is received after access had ended brings none back, whatever its recorded
// time is, unless it is a rehire or rescinds the event that ended access.
func TestNothingDatedBackBringsAccessBack(t *testing.T) {
	a := hired("a", "2025-12-01", "2026-01-01", as("A"), received("2025-12-01"))
	bare := hired("a", "2025-12-01", "2026-01-01", received("2025-12-01"))
	moved := transferred("x", "2026-02-01", "2026-02-10", as("A2"), received("2026-02-01"))
	b := hired("b", "2026-02-20", "2026-03-01", as("B"), received("2026-02-20"))
	never := hired("n", "2026-01-15", "2026-03-01", as("B"), until("2026-01-31"), received("2026-01-15"))
	ends := func(id string, d ...detail) hr.Event {
		return terminated("t", "2026-05-01", "2026-05-31", append(d, as(id), received("2026-05-01"))...)
	}
	const late = "2026-07-10T08:00:00Z"
	back := func(kind hr.EventType, recorded, effective string, d ...detail) hr.Event {
		return said(kind, "late", recorded, effective, append(d, received(late))...)
	}
	const code = hr.ConflictHiredAfterEnd
	tests := []struct {
		name   string
		before []hr.Event
		late   hr.Event
		code   hr.ConflictCode
	}{
		{"a position of a new ID", []hr.Event{a, ends("A")}, back(hr.EventHired, "2026-03-01", "2026-03-01", as("C")), code},
		{"one that is to begin", []hr.Event{a, ends("A")}, back(hr.EventHired, "2026-03-01", "2026-08-01", as("C")), code},
		{"one without an ID", []hr.Event{a, ends("A")}, back(hr.EventHired, "2026-03-01", "2026-03-01"), ""},
		{"after several", []hr.Event{a, b, ends("A"), terminated("t2", "2026-06-01", "2026-06-15", as("B"), received("2026-06-01"))}, back(hr.EventHired, "2026-03-02", "2026-03-02", as("C")), code},
		{"after an immediate end", []hr.Event{a, ends("A", immediate)}, back(hr.EventHired, "2026-03-01", "2026-03-01", as("C")), code},
		{"after a contract", []hr.Event{hired("a", "2025-12-01", "2026-01-01", as("A"), until("2026-05-31"), received("2025-12-01"))}, back(hr.EventHired, "2026-03-01", "2026-03-01", as("C")), code},
		{"a hire that takes the ID which was ended", []hr.Event{bare, ends("A")}, back(hr.EventHired, "2026-03-01", "2026-03-01", as("A")), code},
		{"a name for the position that had none", []hr.Event{bare, ends("A")}, back(hr.EventUpdated, "2026-03-01", "2026-03-01", as("X")), hr.ConflictChangedAfterEnd},
		{"a hire that takes the ID of a move", []hr.Event{a, moved, ends("A2")}, back(hr.EventHired, "2026-01-10", "2026-01-10", as("A2")), code},
		{"that, beside another position", []hr.Event{a, moved, b, ends("A2")}, back(hr.EventHired, "2026-01-10", "2026-01-10", as("A2")), code},
		{"a position that was over before it began", []hr.Event{a, never, ends("A")}, back(hr.EventHired, "2026-03-01", "2026-03-01", as("B")), code},
		{"that, by an update", []hr.Event{a, never, ends("A")}, back(hr.EventUpdated, "2026-03-01", "2026-03-01", as("B")), hr.ConflictChangedAfterEnd},
		{"a last day that is moved", []hr.Event{a, ends("A")}, back(hr.EventTerminated, "2026-05-10", "2026-05-31", as("A"), lastDay("2026-12-31")), hr.ConflictLaterTermination},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := merge(tt.before...)
			got := merge(append(slices.Clone(tt.before), tt.late)...)
			for _, at := range []string{late, "2026-08-02", "2027-02-01"} {
				assert.Equal(t, len(want.Held(instant(at))), len(got.Held(instant(at))), "%s: %v", at, lines(got))
			}
			var asks []hr.Conflict
			if tt.code != "" {
				asks = []hr.Conflict{{Code: tt.code, Event: tt.late.EventKey}}
			}
			assert.Equal(t, asks, got.Conflicts)

			tt.late.Received = instant("2026-05-02") // before the end
			assert.NotContains(t, merge(append(slices.Clone(tt.before), tt.late)...).Conflicts, hr.Conflict{Code: hr.ConflictChangedAfterEnd, Event: tt.late.EventKey})
		})
	}
	t.Run("rehired", func(t *testing.T) {
		got := merge(a, ends("A"), back(hr.EventRehired, "2026-07-09", "2026-07-09", as("C")))
		assert.Len(t, got.Held(instant(late)), 1)
		assert.Empty(t, got.Conflicts)
	})
	t.Run("what ended it is rescinded", func(t *testing.T) {
		undo := rescinded("undo", "2026-07-11", "t")
		undo.Received = instant("2026-07-11")
		got := merge(a, ends("A"), back(hr.EventHired, "2026-03-01", "2026-03-01", as("C")), undo)
		assert.Len(t, got.Held(instant("2026-07-12")), 2)
		assert.Empty(t, got.Conflicts)
	})
	t.Run("it is rescinded", func(t *testing.T) {
		undo := rescinded("undo", "2026-07-11", "late")
		undo.Received = instant("2026-07-11")
		got := merge(a, moved, ends("A2"), back(hr.EventHired, "2026-01-10", "2026-01-10", as("A2")), undo)
		assert.Equal(t, merge(a, moved, ends("A2")), got)
	})
	t.Run("the end of what was left out ends nothing", func(t *testing.T) {
		again := rehired("r", "2026-08-01", "2026-08-01", received("2026-08-01"))
		got := merge(bare, terminated("t", "2026-05-01", "2026-05-31", received("2026-05-01")),
			back(hr.EventHired, "2026-03-01", "2026-06-15", as("C")), again,
			terminated("tc", "2026-09-01", "2026-09-30", as("C"), received("2026-09-01")))
		assert.Len(t, got.Held(instant("2026-10-02")), 1, "%v", lines(got))
	})
	t.Run("received in time", func(t *testing.T) {
		c := back(hr.EventHired, "2026-03-01", "2026-03-01", as("C"))
		c.Received = instant("2026-05-20")
		got := merge(a, ends("A"), c)
		assert.Len(t, got.Held(instant(late)), 1)
		assert.Empty(t, got.Conflicts)
	})
	t.Run("history that is told at once", func(t *testing.T) {
		at := func(e hr.Event) hr.Event { return came("2027-01-01T00:00:00Z", e) }
		got := merge(at(a), at(ends("A")), at(hired("c", "2026-04-20", "2026-06-01", as("C"))))
		assert.Len(t, got.Held(instant("2027-01-02")), 1, "%v", lines(got))
		assert.Empty(t, got.Conflicts)
	})
}

// Seen from day to day by the events received so far: somebody who had access, has left and
// is not rehired does not get access again, for any events in any order. (History that was
// over when HR told it never gave access.)
func TestWhoHasLeftStaysOut(t *testing.T) {
	types := []hr.EventType{hr.EventHired, hr.EventTransferred, hr.EventUpdated, hr.EventConverted, hr.EventTerminated, hr.EventTerminated}
	rapid.Check(t, func(t *rapid.T) {
		events := append(drawStoryOf(t, types...), hired("first", "2026-02-01", "2026-02-15", as(rapid.SampledFrom([]string{"", "A"}).Draw(t, "first"))))
		for i := range events {
			e := &events[i]
			if e.Profile != nil {
				e.Profile.EndDate = hr.Date{} // a contract may be extended in time
				e.Profile.Location.TimeZone = "UTC"
			}
			e.Received = e.Recorded.Add(time.Duration(rapid.IntRange(0, 40).Draw(t, "days late")) * 24 * time.Hour)
		}
		active, left := false, false
		for at := firstDay.AddDays(-3).StartIn(time.UTC); !at.After(firstDay.AddDays(2 * storyDays).StartIn(time.UTC)); at = at.Add(12 * time.Hour) {
			known := merge(slices.DeleteFunc(slices.Clone(events), func(e hr.Event) bool { return e.Received.After(at) })...)
			s := known.At(at)
			require.False(t, left && s.Status == hr.StatusActive, "%s: %v\n%v\n%s", at, lines(known), positions(known), &life{events: events})
			active = active || s.Status == hr.StatusActive
			left = left || active && s.Status == hr.StatusEnded && s.Changes.IsZero() && s.Period.Ends.After(s.Period.Starts)
		}
	})
}

// Access is the union of the positions: a person is employed if and only if they hold one.
func TestAccessIsTheUnionOfPositions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := drawStory(t)
		for i := range events {
			if rapid.Bool().Draw(t, "received") {
				events[i].Received = events[i].Recorded.Add(time.Duration(rapid.IntRange(0, 20).Draw(t, "days late")) * 24 * time.Hour)
			}
		}
		timeline := merge(events...)
		shuffled := merge(rapid.Permutation(events).Draw(t, "order")...)
		require.Equal(t, timeline, shuffled)
		if timeline.Positions == nil {
			return
		}
		for _, at := range grid() {
			var ids []string
			for _, p := range timeline.Positions {
				if q := p.At(at); q != nil {
					ids = append(ids, fmt.Sprint(p.ID, " ", q.Starts))
				}
			}
			var held []string
			for _, h := range timeline.Held(at) {
				if !h.Starts.After(at) {
					held = append(held, fmt.Sprint(h.ID, " ", h.Starts))
				}
			}
			require.ElementsMatch(t, ids, held, "%s: %v %v", at, lines(timeline), positions(timeline))
			employed := slices.ContainsFunc(timeline.Periods, func(p hr.Period) bool {
				return !p.Starts.After(at) && (p.Ends.IsZero() || p.Ends.After(at))
			})
			require.Equal(t, len(ids) > 0, employed, "%s: %v %v", at, lines(timeline), positions(timeline))
		}
	})
}

// An empty period, of a contract that ended before it began, does not make a lapsed contract
// look as if it went on. Another position does not bring access back.
func TestAPeriodThatNeverWasHidesNoLapse(t *testing.T) {
	said := func(id string, typ hr.EventType, recorded, effective int, position, zone string, end int) hr.Event {
		e := hr.Event{
			EventKey: hr.EventKey{Source: "/hr", ID: id}, Type: typ, PersonID: person, PositionID: position,
			Recorded: firstDay.AddDays(recorded).StartIn(time.UTC), Effective: firstDay.AddDays(effective),
		}
		e.Profile = &hr.Profile{
			Type: hr.TypeEmployee, GivenName: "Ada", FamilyName: "Berg", StartDate: e.Effective, Location: hr.Location{TimeZone: zone},
		}
		if end >= 0 {
			e.Profile.EndDate = firstDay.AddDays(end)
		}
		return e
	}
	timeline := merge(
		said("contract", hr.EventHired, 0, 0, "", "UTC", 2),
		said("never", hr.EventHired, 0, 28, "", "Pacific/Kiritimati", 0),
		said("again", hr.EventConverted, 5, 27, "A", "Pacific/Pago_Pago", -1),
		said("back", hr.EventHired, 5, 0, "B", "UTC", -1),
	)
	assert.Equal(t, hr.StatusEnded, timeline.At(firstDay.AddDays(6).StartIn(time.UTC)).Status, "%v", lines(timeline))
	assert.True(t, slices.ContainsFunc(timeline.Conflicts, func(c hr.Conflict) bool { return c.Event.ID == "back" }), "a human is asked")
}
