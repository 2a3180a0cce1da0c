package hr

import "time"

// Cause holds the event that caused a standing, and since when.
type Cause struct {
	Event EventKey  // the event; zero if the timeline does not keep it (a return)
	From  time.Time // the instant from which the standing holds, in the future before a start; zero if unknown
}

// Cause returns the cause of the standing at an instant: the suspension, the end, the leave,
// or the profile in force. If the profile has changed since, the last change is the cause.
func (t Timeline) Cause(now time.Time) Cause {
	s := t.at(now)
	switch s.Status {
	case StatusUnknown:
		return Cause{}
	case StatusSuspended:
		i, _ := holding(t.Suspensions, now)
		return Cause{i.Event, i.From}
	case StatusOnLeave:
		i, _ := holding(t.Absences, now)
		return Cause{i.Event, s.Since}
	case StatusEnded:
		return Cause{s.Period.End.Event, s.Period.Ends}
	}
	snapshot := s.Period.snapshot(now)
	if s.Since.After(snapshot.From) && s.Since.After(s.Period.Starts) {
		return Cause{From: s.Since} // back from a leave or a suspension
	}
	return Cause{snapshot.Event, latest(s.Since, snapshot.From)}
}
