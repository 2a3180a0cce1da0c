package hr

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// The prefix of the sources of Tenure's own events, and those sources. Nobody else may use
// such a source: every channel refuses it.
const (
	TenureSources  = "urn:tenure:"
	OperatorSource = TenureSources + "operator"
	BreakerSource  = TenureSources + "breaker" // an operator cancelled a withdrawal that the breaker held
)

// Security reports whether events of the type are about somebody's suspension.
func (t EventType) Security() bool { return t == EventSuspended || t == EventReinstated }

// mayLift reports whether a reinstatement may end a suspension. Only the source of the
// suspension and an operator may reinstate somebody.
func (e *Event) mayLift(s *Event) bool { return e.Source == s.Source || e.Source == OperatorSource }

// lifts reports whether a reinstatement ends a suspension. It has to be said later and
// received later, so that neither a clock that is behind nor a delayed record undoes a
// suspension that nobody has looked at yet. If the two were received in the wrong order,
// the sequence numbers of their source decide.
func (e *Event) lifts(s *Event) bool {
	return e.mayLift(s) && !e.before(s) && (!s.arrivedAfter(e) || e.numberedAfter(s))
}

// numberedAfter reports whether the source of both events numbered e as the later one.
func (e *Event) numberedAfter(s *Event) bool {
	return e.Source == s.Source && isNumber(e.Sequence) && isNumber(s.Sequence) && compareSequences(e.Sequence, s.Sequence) > 0
}

// suspensions returns the security suspensions. Each lasts from when it was said until it is
// lifted; overlaps are cut off. The conflicts are reinstatements by a source that may not
// lift the suspension, and suspensions that were received after the reinstatement that
// lifts them.
func suspensions(events []*Event) (list []Interval, conflicts []Conflict) {
	reinstated := filter(events, func(e *Event) bool { return e.Type == EventReinstated })
	refused := map[*Event]bool{}
	for _, s := range events {
		if s.Type != EventSuspended {
			continue
		}
		i := Interval{From: s.Said().UTC(), Event: s.EventKey}
		var others []*Event
		for _, r := range reinstated {
			if r.lifts(s) {
				i.To = r.Said().UTC()
				if !slices.ContainsFunc(reinstated, func(r *Event) bool { return r.lifts(s) && !s.arrivedAfter(r) }) {
					conflicts = append(conflicts, Conflict{Code: ConflictSuspendedLate, Event: s.EventKey})
				}
				break
			}
			if !r.mayLift(s) && !r.before(s) {
				others = append(others, r)
			}
		}
		if i.To.IsZero() {
			for _, r := range others {
				refused[r] = true
			}
		}
		if i.To.IsZero() || i.To.After(i.From) {
			list = append(list, i)
		}
	}
	for _, r := range reinstated {
		if refused[r] {
			conflicts = append(conflicts, Conflict{Code: ConflictReinstatedByOther, Event: r.EventKey})
		}
	}
	return apart(list), conflicts
}

// Suspending returns all suspensions that are in force, also those that another one covers,
// in the order in which they were said.
func Suspending(personID string, events []Event, now time.Time) (in []EventKey) {
	standing := unrescinded(distinct(personID, events))
	for _, s := range standing {
		lifted := slices.ContainsFunc(standing, func(r *Event) bool {
			return r.Type == EventReinstated && r.lifts(s) && !r.Said().After(now)
		})
		if s.Type == EventSuspended && !s.Said().After(now) && !lifted {
			in = append(in, s.EventKey)
		}
	}
	return in
}

// apart cuts intervals so that they do not overlap.
func apart(list []Interval) []Interval {
	slices.SortStableFunc(list, func(a, b Interval) int { return a.From.Compare(b.From) })
	var kept []Interval
	for _, i := range list {
		if n := len(kept); n > 0 {
			last := kept[n-1]
			switch {
			case last.To.IsZero() || !i.To.IsZero() && !i.To.After(last.To):
				continue // the one before covers it
			case i.From.Before(last.To):
				i.From = last.To
			}
		}
		kept = append(kept, i)
	}
	return kept
}

// mayRescind reports whether a rescind may name an event at all. HR can rescind only its own
// events. A suspension ends by a reinstatement, unless Tenure itself records that an
// operator has cancelled it.
func (e *Event) mayRescind(named *Event) bool {
	return !named.Type.Security() || strings.HasPrefix(e.Source, TenureSources)
}

// Rescinded returns the key of the event that a rescind names.
func (e *Event) Rescinded() EventKey {
	return EventKey{Source: cmp.Or(e.RescindsSource, e.Source), ID: e.Rescinds}
}
