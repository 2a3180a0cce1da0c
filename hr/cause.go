package hr

import "time"

// Cause says which event brought a standing about, and since when.
type Cause struct {
	Event EventKey  // what HR said; zero if the timeline does not keep it (a return)
	From  time.Time // the instant from which it holds, ahead for who has not started; zero if unknown
}

// Cause says what made the standing at an instant what it is: the suspension, the
// end, the leave, or the profile in force. A later change of the profile is the
// cause of what has been so since then.
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
