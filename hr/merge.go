package hr

import (
	"slices"
	"time"
)

// Merge returns the timeline of all events about one person. The order and repetition of
// events make no difference. Events of other people are left out.
//
// The rules, in the order in which they apply:
//
//   - A rescinded event is ignored. If it is the hire or rehire that opened an employment,
//     everything that was said about that employment until the rescind is ignored too.
//   - Each rehire opens a new employment, except one that repeats or corrects the one
//     before. Among the start dates that can be about the employment, the one said last
//     counts.
//   - A termination is a latch: events that take effect after it do nothing, and a hire
//     that starts after it is a conflict. Only a rehire said after it, or a rescind of it,
//     undoes it. If there are several, the earliest end holds.
//   - Several positions, told apart by their IDs, are merged separately. The employment
//     lasts as long as any of them, and a hire into another position while it lasts is no
//     conflict. See positionsOf.
//   - The additional jobs that an event lists are positions, too, within the period that
//     the list is about. See AdditionalJobs.
//   - Within a position the snapshot with the latest effective date holds. If several are
//     effective on one day, the one recorded last holds.
//   - An event counts as said when it was recorded or received, whichever is earlier. One
//     that was recorded minutes after its receipt is a conflict.
//   - A termination that was received last ends the employment, or is a conflict.
//   - Only its own source or an operator lifts a suspension; HR's rescinds do not.
//   - The end date of the profile in force ends a period, unless the employment
//     is terminated before, or a later snapshot that HR said in time takes over. A
//     snapshot that HR says after the end brings nothing back: it is a conflict.
//
// All instants of the result are in UTC.
func Merge(personID string, events []Event) Timeline {
	all := distinct(personID, events)
	standing := unrescinded(all)

	t := Timeline{PersonID: personID}
	jobs := additionalJobs(all, standing)
	known, returning := withoutReturns(jobs.others(standing))
	t.Periods, t.Positions, t.Conflicts = positionsOf(known).merge()
	t.Conflicts = append(append(t.Conflicts, returning...), doubtful(all, standing)...)
	t.Conflicts = append(t.Conflicts, t.add(jobs)...)
	leaves, partial := t.leavesOf(standing)
	var refused, overlapping []Conflict
	t.Absences, overlapping = absences(leaves, t.Periods)
	t.Conflicts = append(append(t.Conflicts, partial...), overlapping...)
	t.Suspensions, refused = suspensions(standing)
	t.Conflicts = append(t.Conflicts, refused...)
	sortConflicts(t.Conflicts, all)
	return t
}

// sortConflicts puts conflicts in the order in which HR said them.
func sortConflicts(conflicts []Conflict, events []*Event) {
	place := make(map[EventKey]int, len(events))
	for i, e := range events {
		place[e.EventKey] = i
	}
	slices.SortStableFunc(conflicts, func(a, b Conflict) int { return place[a.Event] - place[b.Event] })
}

// periods returns the employment's periods, with instants for its dates.
func (m *employment) periods() ([]Period, []Conflict) {
	snapshots := m.inForce()
	spans, lost := m.spans(snapshots)
	ended, at, conflicts := m.termination(snapshots)
	afterEnd := func(e *Event) bool { return ended != nil && !e.holdsFrom().Before(at) }

	var periods []Period
	for i, s := range spans {
		if i > 0 && afterEnd(s.opened) {
			break
		}
		p := s.period()
		if ended != nil && (p.Ends.IsZero() || !at.After(p.Ends)) {
			p.endAt(at, End{Cause: EndTerminated, Urgent: ended.immediate(), Event: ended.EventKey})
		}
		periods = append(periods, p)
	}
	for _, e := range append(lost, m.late...) {
		if !afterEnd(e) {
			conflicts = append(conflicts, Conflict{Code: ConflictChangedAfterEnd, Event: e.EventKey})
		}
	}
	return periods, conflicts
}

// period returns the period that a span would be without a termination.
func (s *span) period() Period {
	p := Period{
		Starts: s.first.StartIn(onDay(s.snapshots, s.first).Profile.zone()).UTC(),
		Opened: s.opened.EventKey,
	}
	for _, e := range s.snapshots {
		from := e.holdsFrom()
		if n := len(p.Profiles); n > 0 && !from.After(p.Profiles[n-1].From) {
			// Somebody moved so far east that the later day began at the same instant or earlier.
			from = p.Profiles[n-1].From
			p.Profiles = p.Profiles[:n-1]
		}
		p.Profiles = append(p.Profiles, EffectiveProfile{From: from, Profile: *e.Profile, Event: e.EventKey, Primary: e.Primary})
	}
	if !s.ends.IsZero() {
		last := s.last()
		p.endAt(s.ends.StartIn(last.Profile.zone()).UTC(), End{Cause: EndOfContract, Event: last.EventKey})
	}
	return p
}

// holdsFrom returns the instant at which a snapshot's effective date begins.
func (e *Event) holdsFrom() time.Time { return e.Effective.StartIn(e.Profile.zone()).UTC() }

// endAt ends the period at an instant, and drops the profiles that begin then or later.
func (p *Period) endAt(at time.Time, end End) {
	p.Ends, p.End = at, end
	for n := len(p.Profiles); n > 1 && !p.Profiles[n-1].From.Before(at); n-- {
		p.Profiles = p.Profiles[:n-1]
	}
}

// separate cuts periods so that they do not overlap: a rehire ends the period that was open.
// If the next period was terminated before it could start, for example by an immediate
// termination, the open one ends at that time too.
func separate(periods []Period) []Period {
	for i := len(periods) - 2; i >= 0; i-- {
		p, next := &periods[i], &periods[i+1]
		if p.never() && !p.Starts.Before(next.Starts) {
			periods = slices.Delete(periods, i, i+1)
			continue
		}
		at, end := next.Starts, End{Cause: EndSuperseded, Event: next.Opened}
		if next.never() {
			at, end = next.Ends, next.End
		}
		if !p.Ends.IsZero() && !p.Ends.After(at) {
			continue
		}
		if p.never() || !at.After(p.Starts) {
			periods = slices.Delete(periods, i, i+1) // the period is empty
			continue
		}
		p.endAt(at, end)
	}
	return periods
}

// never reports whether the period never gives access: it ended no later than it
// was to start.
func (p *Period) never() bool { return !p.Ends.IsZero() && !p.Ends.After(p.Starts) }
