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

// Events with the same recorded time, such as a day or an export has, count in the order of
// their effective dates, whatever the IDs are.
func TestIDsDoNotDecideWhoHasAccess(t *testing.T) {
	const at = "2026-03-06"
	for name, tt := range map[string]struct {
		events []hr.Event
		on     string
		held   int
	}{
		"rehired for the last day":             {[]hr.Event{hired("2", "2026-02-01", "2026-03-01"), terminated("3", at, at), rehired("1", at, at)}, "2026-04-01", 1},
		"rehired the day after":                {[]hr.Event{hired("2", "2026-02-01", "2026-03-01"), terminated("3", at, at), rehired("1", at, "2026-03-07")}, "2026-04-01", 1},
		"that, by a name":                      {[]hr.Event{hired("2", "2026-02-01", "2026-03-01", as("A")), terminated("3", at, at, as("A")), rehired("1", at, at, as("A"))}, "2026-04-01", 1},
		"a whole life in one export":           {[]hr.Event{hired("4", at, "2026-01-01"), terminated("3", at, "2026-01-31"), rehired("1", at, "2026-02-10"), terminated("2", at, "2026-03-31")}, "2026-04-02", 0},
		"that, while it lasts":                 {[]hr.Event{hired("4", at, "2026-01-01"), terminated("3", at, "2026-01-31"), rehired("1", at, "2026-02-10"), terminated("2", at, "2026-03-31")}, "2026-03-30", 1},
		"hired under a name, moved without it": {[]hr.Event{hired("2", at, "2026-03-07", as("A")), transferred("1", at, "2026-03-07"), terminated("3", "2026-03-20", "2026-03-20", as("A"))}, "2026-04-01", 0},
		"a name only with the rehire": {[]hr.Event{
			hired("1", "2026-02-01", "2026-03-01"), terminated("3", at, at, as("A")), rehired("2", at, at, as("A")),
			terminated("4", "2026-03-11", "2026-03-11", as("A")),
		}, "2026-04-01", 0},
	} {
		t.Run(name, func(t *testing.T) {
			timeline := merge(tt.events...)
			assert.Len(t, timeline.Held(instant(tt.on)), tt.held, "%v", lines(timeline))
			assert.Empty(t, timeline.Conflicts)
		})
	}
}

// An event without a position ID is about the position that is held, even if earlier events
// without an ID were about another position that is over.
func TestWhatNamesNoPositionIsOfTheOneHeld(t *testing.T) {
	a := hired("a", "2026-01-01", "2026-01-01")
	named := updated("named", "2026-02-01", "2026-02-01", as("A"))
	b := hired("b", "2026-02-01", "2026-02-02", as("B"))
	ends := terminated("t", "2026-03-01", "2026-03-05", as("A"))
	move := transferred("move", "2026-03-10", "2026-03-10")
	timeline := merge(a, named, b, ends, move)
	held := timeline.Held(instant("2026-03-11"))
	require.Len(t, held, 1)
	assert.Equal(t, "B", held[0].ID)
	assert.Equal(t, "move", held[0].Profile.JobTitle, "%v", positions(timeline))
	assert.Equal(t, "move", timeline.At(instant("2026-03-11")).Profile.JobTitle)

	t.Run("while both are held, it is of the one that had no name", func(t *testing.T) {
		move := transferred("move", "2026-03-02", "2026-03-02")
		held := merge(a, named, b, ends, move).Held(instant("2026-03-03"))
		require.Len(t, held, 2)
		assert.Equal(t, []string{"move", "b"}, []string{held[0].Profile.JobTitle, held[1].Profile.JobTitle})
	})
	t.Run("who has left is not brought back by it", func(t *testing.T) {
		ended := terminated("t2", "2026-03-06", "2026-03-06", as("B"))
		assert.Empty(t, merge(a, named, b, ends, ended, move).Held(instant("2026-03-11")))
	})
}

// A termination of a position that the person does not hold is a conflict. It stays one if
// the position that they hold gets that ID later, because the termination was not about it.
func TestANewNameIsNotEndedByWhatWasSaidBefore(t *testing.T) {
	a := hired("a", "2026-01-01", "2026-01-01", as("A"))
	stray := terminated("stray", "2026-03-01", "2026-03-05", as("C"))
	move := transferred("move", "2026-03-10", "2026-03-12", as("C"))
	timeline := merge(a, stray, move)
	held := timeline.Held(instant("2026-04-01"))
	require.Len(t, held, 1, "%v", lines(timeline))
	assert.Equal(t, "C", held[0].ID)
	assert.Equal(t, []hr.Conflict{{Code: hr.ConflictUnknownPosition, Event: stray.EventKey}}, timeline.Conflicts)

	move.Recorded = instant("2026-02-28")
	assert.Empty(t, merge(a, stray, move).Held(instant("2026-04-01")), "the move was said first")
}

// People who work have access and people who have left have none, or there is a conflict.
// The test draws lives that HR tells in order, with moves, notices and returns on any day.
// Recorded times may be days only, IDs come in any order, events may lack the position's ID
// and may be received late.
func TestWhoWorksHasAccess(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := drawLife(t)
		timeline := merge(rapid.Permutation(l.events).Draw(t, "order")...)
		if len(timeline.Conflicts) > 0 {
			return
		}
		for at := l.told; at.Before(l.told.AddDate(0, 2, 0)); at = at.Add(12 * time.Hour) {
			today := hr.DateOf(at.In(l.zone))
			works := slices.ContainsFunc(l.spells, func(s [2]hr.Date) bool {
				return s[0].Compare(today) <= 0 && (s[1].IsZero() || today.Compare(s[1]) <= 0)
			})
			require.Equal(t, works, timeline.At(at).Status == hr.StatusActive, "%s: %v\n%v\n%v", at, l.spells, lines(timeline), l)
		}
	})
}

// life holds the events about somebody, and the spans of days in which they work. The last
// day is zero while there is none.
type life struct {
	events []hr.Event
	spells [][2]hr.Date
	zone   *time.Location
	told   time.Time // the time by which everything has been received

	clock  time.Time
	coarse bool // recorded times are days
	named  bool // some events name the position
}

func drawLife(t *rapid.T) *life {
	l := &life{clock: firstDay.AddDays(-10).StartIn(time.UTC).Add(9 * time.Hour)}
	l.coarse, l.named = rapid.Bool().Draw(t, "coarse"), rapid.Bool().Draw(t, "named")
	zone := rapid.SampledFrom([]string{"UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Europe/Berlin"}).Draw(t, "zone")
	l.zone, _ = hr.LoadZone(zone)
	original := rapid.Bool().Draw(t, "keeps the original hire date")
	day, kind := firstDay, hr.EventHired
	profile := func() *hr.Profile {
		p := &hr.Profile{
			Type: hr.TypeEmployee, GivenName: "Ada", FamilyName: "Berg", JobTitle: fmt.Sprint(len(l.events)),
			StartDate: day, Location: hr.Location{TimeZone: zone},
		}
		if original {
			p.StartDate = firstDay
		}
		return p
	}
	for range rapid.IntRange(1, 3).Draw(t, "employments") {
		l.say(t, hr.Event{Type: kind, Effective: day, Profile: profile()})
		for range rapid.IntRange(0, 2).Draw(t, "moves") {
			l.wait(t, l.clock)
			l.say(t, hr.Event{
				Type:      rapid.SampledFrom([]hr.EventType{hr.EventTransferred, hr.EventUpdated}).Draw(t, "move"),
				Effective: day.AddDays(rapid.IntRange(0, 10).Draw(t, "moves after")), Profile: profile(),
			})
		}
		l.spells = append(l.spells, [2]hr.Date{day})
		if rapid.IntRange(0, 3).Draw(t, "stays") == 0 {
			break
		}
		last := day.AddDays(rapid.IntRange(5, 20).Draw(t, "lasts"))
		l.spells[len(l.spells)-1][1] = last
		l.wait(t, last.AddDays(rapid.IntRange(-8, 5).Draw(t, "notice")).StartIn(time.UTC))
		l.say(t, hr.Event{Type: hr.EventTerminated, Effective: last, Termination: &hr.Termination{LastDay: last}})
		l.wait(t, l.clock)
		day, kind = last.AddDays(rapid.IntRange(0, 6).Draw(t, "gap")), hr.EventRehired
	}
	l.told = hr.DateOf(l.clock.AddDate(0, 0, 12)).StartIn(time.UTC)
	return l
}

// wait moves the clock by hours or days, and to the given instant at least, before HR says
// the next thing.
func (l *life) wait(t *rapid.T, until time.Time) {
	l.clock = l.clock.Add(time.Duration(rapid.IntRange(0, 72).Draw(t, "hours later")) * time.Hour)
	l.clock = latest(l.clock, until)
}

func (l *life) say(t *rapid.T, e hr.Event) {
	e.EventKey = hr.EventKey{Source: "/hr", ID: fmt.Sprintf("%d-%d", rapid.IntRange(10, 99).Draw(t, "id"), len(l.events))}
	e.PersonID, e.Recorded = person, l.clock
	if l.coarse {
		e.Recorded = hr.DateOf(l.clock).StartIn(time.UTC)
	}
	if l.named && rapid.IntRange(0, 3).Draw(t, "names it") > 0 {
		e.PositionID = "A"
	}
	e.Received = e.Recorded
	if rapid.IntRange(0, 2).Draw(t, "late") == 0 {
		e.Received = e.Received.Add(time.Duration(rapid.IntRange(0, 240).Draw(t, "hours late")) * time.Hour)
	}
	l.events = append(l.events, e)
}

// String writes down what HR said.
func (l *life) String() string {
	text := ""
	for _, e := range l.events {
		text += fmt.Sprintf("%s %s %q recorded %s, received %s, effective %s\n", e.ID, e.Type, e.PositionID, e.Recorded, e.Received, e.Effective)
	}
	return text
}
