package figures

import (
	"slices"
	"time"
)

// Whose names who has the time that something took.
type Whose string

// Those who have the time between when access had to change and the proof that it did.
const (
	OfHR     Whose = "hr"     // HR recorded it after it had to be
	OfQueue  Whose = "queue"  // it was on its way to Tenure, or waited for its turn
	OfHuman  Whose = "human"  // it waited for a human: a task, an approval, a decision about what was held or failed
	OfApp    Whose = "app"    // the app did not do what it was asked
	OfTenure Whose = "tenure" // Tenure was at work
)

// Everybody lists whose time it may be.
func Everybody() []Whose { return []Whose{OfHR, OfQueue, OfHuman, OfApp, OfTenure} }

// Course is what is known of one change of access. Instants that are zero are not known.
type Course struct {
	Due      time.Time // when it had to be, as HR says, or as was decided
	Recorded time.Time // when HR recorded that
	Received time.Time // when Tenure received it
	Began    time.Time // when Tenure first tried
	Proven   time.Time // when the app, read again, showed it; if it has not, until when to count
	Human    []Span    // when it waited for a human
	Down     []Span    // when the app did not do what it was asked
}

// Span is a time, from an instant until before another.
type Span struct{ From, Until time.Time }

func (s Span) holds(at time.Time) bool { return !at.Before(s.From) && at.Before(s.Until) }

// Minutes divides the time of a course among those who have it. Each instant between Due and
// Proven is of exactly one of them, the first one of: HR, as long as it had not recorded the
// change; the queue, as long as Tenure had not received it; a human, while it waited for one; the
// app, while it did not do what it was asked; the queue, as long as Tenure had not tried; and
// otherwise Tenure.
func (c Course) Minutes() map[Whose]time.Duration {
	minutes := map[Whose]time.Duration{}
	instants := []time.Time{c.Due, c.Recorded, c.Received, c.Began, c.Proven}
	for _, s := range slices.Concat(c.Human, c.Down) {
		instants = append(instants, s.From, s.Until)
	}
	instants = slices.DeleteFunc(instants, func(at time.Time) bool { return at.Before(c.Due) || at.After(c.Proven) })
	slices.SortFunc(instants, time.Time.Compare)
	for i := 1; i < len(instants); i++ {
		minutes[c.at(instants[i-1])] += instants[i].Sub(instants[i-1])
	}
	for whose, took := range minutes {
		if took == 0 {
			delete(minutes, whose)
		}
	}
	return minutes
}

// at returns whose an instant is.
func (c Course) at(at time.Time) Whose {
	holds := func(s Span) bool { return s.holds(at) }
	switch {
	case at.Before(c.Recorded):
		return OfHR
	case at.Before(c.Received):
		return OfQueue
	case slices.ContainsFunc(c.Human, holds):
		return OfHuman
	case slices.ContainsFunc(c.Down, holds):
		return OfApp
	case at.Before(c.Began):
		return OfQueue
	}
	return OfTenure
}
