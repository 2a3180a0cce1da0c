package hr_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tenurehq/tenure/hr"
)

// from gives an event another source.
func from(source string, e hr.Event) hr.Event {
	e.Source = source
	return e
}

// came gives an event the instant at which it was received.
func came(received string, e hr.Event) hr.Event {
	at, err := time.Parse(time.RFC3339, received)
	if err != nil {
		panic(err)
	}
	e.Received = at
	return e
}

// TestAClockThatIsAheadHasNoLastWord checks that an event received later counts as said
// later, whatever its recorded time is. An event recorded minutes ahead is a conflict.
func TestAClockThatIsAheadHasNoLastWord(t *testing.T) {
	hire := came("2025-01-02T09:00:00Z", hired("h", "2025-01-01", "2025-01-01"))
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	at := func(minute int) string { return now.Add(time.Duration(minute) * time.Minute).Format(time.RFC3339) }
	for _, ahead := range []string{"2199-12-31T00:00:00Z", at(60), at(7)} {
		for name, c := range map[string]struct {
			first, then hr.Event
			want        hr.Status
		}{
			"reinstated, then suspended": {reinstated("x", ahead), suspended("y", at(1)), hr.StatusSuspended},
			"rehired, then terminated": {
				said(hr.EventRehired, "x", ahead, "2025-01-01", starting("2025-01-01")),
				terminated("y", at(1), "2026-01-01", immediate), hr.StatusEnded,
			},
		} {
			t.Run(name+" "+ahead, func(t *testing.T) {
				timeline := merge(hire, came(at(0), c.first), came(at(1), c.then))
				assert.Equal(t, c.want, timeline.At(now.Add(2*time.Minute)).Status)
				assert.Contains(t, timeline.Conflicts, hr.Conflict{Code: hr.ConflictRecordedAhead, Event: c.first.EventKey})
			})
		}
	}
	t.Run("updated, then corrected", func(t *testing.T) {
		wrong := said(hr.EventUpdated, "x", "2199-12-31T00:00:00Z", "2025-01-01", starting("2025-01-01"))
		right := said(hr.EventUpdated, "y", at(1), "2025-01-01", starting("2025-01-01"))
		timeline := merge(hire, came(at(0), wrong), came(at(1), right))
		assert.Equal(t, "y", timeline.Periods[0].Profiles[0].Event.ID)
	})
	t.Run("a few seconds ahead is no question", func(t *testing.T) {
		assert.Empty(t, merge(hire, came(at(0), reinstated("x", at(4)))).Conflicts)
	})
}

// TestWhoMayLiftASuspension checks that only a reinstatement by the suspension's own source
// or by an operator lifts it, and no HR event.
func TestWhoMayLiftASuspension(t *testing.T) {
	hire := hired("h", "2025-01-01", "2025-01-01")
	siem, operator := "/siem", hr.OperatorSource
	for name, c := range map[string]struct {
		suspends, lifts hr.Event
		want            hr.Status
		asks            hr.ConflictCode
	}{
		"its own source":                {from(siem, suspended("s", "2026-01-01")), from(siem, reinstated("r", "2026-01-02")), hr.StatusActive, ""},
		"an operator":                   {from(siem, suspended("s", "2026-01-01")), from(operator, reinstated("r", "2026-01-02")), hr.StatusActive, ""},
		"the operator's own":            {from(operator, suspended("s", "2026-01-01")), from(operator, reinstated("r", "2026-01-02")), hr.StatusActive, ""},
		"HR":                            {from(siem, suspended("s", "2026-01-01")), reinstated("r", "2026-01-02"), hr.StatusSuspended, hr.ConflictReinstatedByOther},
		"HR, the operator's":            {from(operator, suspended("s", "2026-01-01")), reinstated("r", "2026-01-02"), hr.StatusSuspended, hr.ConflictReinstatedByOther},
		"a security system, operator's": {from(operator, suspended("s", "2026-01-01")), from(siem, reinstated("r", "2026-01-02")), hr.StatusSuspended, hr.ConflictReinstatedByOther},
		"a rescind in its source":       {from(siem, suspended("s", "2026-01-01")), from(siem, rescinded("r", "2026-01-02", "s")), hr.StatusSuspended, hr.ConflictRescindsSecurity},
		"said before it":                {from(siem, suspended("s", "2026-01-02")), from(siem, reinstated("r", "2026-01-01")), hr.StatusSuspended, ""},
	} {
		t.Run(name, func(t *testing.T) {
			timeline := merge(hire, c.suspends, c.lifts)
			assert.Equal(t, c.want, timeline.At(time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)).Status)
			var codes []hr.ConflictCode
			if c.asks != "" {
				codes = []hr.ConflictCode{c.asks}
			}
			var got []hr.ConflictCode
			for _, conflict := range timeline.Conflicts {
				got = append(got, conflict.Code)
			}
			assert.Equal(t, codes, got)
		})
	}
	t.Run("received the wrong way round", func(t *testing.T) {
		numbered := func(e hr.Event, sequence string) hr.Event {
			e.Sequence = sequence
			return e
		}
		february, err := time.Parse(time.RFC3339, "2026-02-01T12:00:00Z")
		require.NoError(t, err)
		for name, c := range map[string]struct {
			suspends, lifts string
			by              string
			want            hr.Status
			asks            int
		}{
			"without numbers":            {"", "", siem, hr.StatusSuspended, 0},
			"the reinstatement is later": {"2", "10", siem, hr.StatusActive, 1},
			"the suspension is later":    {"10", "2", siem, hr.StatusSuspended, 0},
			"the same number":            {"2", "2", siem, hr.StatusSuspended, 0},
			"no numbers":                 {"a", "b", siem, hr.StatusSuspended, 0},
			"another source's numbers":   {"2", "10", operator, hr.StatusSuspended, 0},
		} {
			s := came("2026-02-01T12:00:00Z", numbered(from(siem, suspended("s", "2026-01-01")), c.suspends))
			r := came("2026-02-01T11:00:00Z", numbered(from(c.by, reinstated("r", "2026-01-02")), c.lifts))
			timeline := merge(hire, s, r)
			assert.Equal(t, c.want, timeline.At(february.Add(time.Hour)).Status, name)
			assert.Len(t, timeline.Conflicts, c.asks, name)
			again := merge(hire, s, r, came("2026-02-01T12:01:00Z", from(siem, reinstated("r2", "2026-01-03"))))
			assert.Equal(t, hr.StatusActive, again.At(february.Add(time.Hour)).Status, "%s, and then once more", name)
			assert.Empty(t, again.Conflicts, "%s, and then once more", name)
		}
	})
	t.Run("one of two holds on", func(t *testing.T) {
		timeline := merge(hire, from(siem, suspended("s", "2026-01-01")), from(operator, suspended("o", "2026-01-02")), from(siem, reinstated("r", "2026-01-03")))
		assert.Equal(t, hr.StatusSuspended, timeline.At(time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)).Status)
	})
	t.Run("Tenure's own cancel", func(t *testing.T) {
		cancel := from("urn:tenure:breaker", rescinded("c", "2026-01-02", "s"))
		cancel.RescindsSource = siem
		assert.Equal(t, hr.StatusActive, merge(hire, from(siem, suspended("s", "2026-01-01")), cancel).At(time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)).Status)
	})
}

// TestNothingThatTakesAccessIsSilentlyWithoutEffect checks that an immediate termination or
// a suspension that is received last takes access or is a conflict, for any earlier events
// and any clocks.
func TestNothingThatTakesAccessIsSilentlyWithoutEffect(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start := firstDay.AddDays(storyDays + 20).StartIn(time.UTC)
		events := append(drawStory(t), hired("first", "2026-02-01", "2026-02-15"))
		for i := range events {
			events[i].Received = start.Add(time.Duration(i) * time.Minute)
			if rapid.IntRange(0, 3).Draw(t, "clock ahead") == 0 {
				events[i].Recorded = start.AddDate(0, rapid.IntRange(0, 24).Draw(t, "months"), 0)
			}
		}
		last := drawEvent(t, "last", 1, hr.EventTerminated, hr.EventSuspended)
		if last.Termination != nil {
			last.Termination.Urgency = hr.UrgencyImmediate
		}
		last.Received = start.Add(time.Duration(len(events)) * time.Minute)
		last.Recorded = last.Received.Add(-time.Duration(rapid.IntRange(0, 100).Draw(t, "delay")) * time.Hour)
		if slices.ContainsFunc(events, func(e hr.Event) bool { return e.Type == hr.EventRescinded && e.Rescinds == last.ID }) {
			t.Skip("taken back")
		}
		timeline := merge(append(events, last)...)
		now := timeline.At(last.Received.Add(time.Second))
		for _, c := range timeline.Conflicts {
			if c.Event == last.EventKey {
				return
			}
		}
		works := now.Status == hr.StatusActive || now.Status == hr.StatusOnLeave
		if works && !ends(timeline, last) && (last.PositionID == "" || holds(timeline, last.PositionID, last.Received.Add(time.Second))) {
			require.Fail(t, "access stays, and nobody is asked", "%v\n%v\n%s", lines(timeline), positions(timeline), &life{events: append(events, last)})
		}
		if last.Type == hr.EventSuspended {
			require.Equal(t, hr.StatusSuspended, now.Status)
		}
	})
}

// ends reports whether a termination with a position ID has ended a position. Another
// position that HR gave the same ID later may go on.
func ends(t hr.Timeline, e hr.Event) bool {
	return e.PositionID != "" && slices.ContainsFunc(t.Positions, func(p hr.Position) bool {
		return slices.ContainsFunc(p.Periods, func(q hr.Period) bool { return q.End.Event == e.EventKey })
	})
}

// holds reports whether somebody holds the position with an ID, or one without a known ID.
func holds(t hr.Timeline, id string, at time.Time) bool {
	return slices.ContainsFunc(t.Positions, func(p hr.Position) bool {
		return p.At(at) != nil && (p.ID == id || slices.Contains(p.Former, id))
	})
}
