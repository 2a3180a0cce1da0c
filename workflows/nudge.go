package workflows

import "time"

// Nudge asks that a person's run looks at the ledger again, and that one is
// started if none is open. Repeating a nudge with the same RequestID is harmless.
type Nudge struct {
	PersonID string
	Seq      int64  // the event that this is about; 0 if about none
	Urgent   bool   // cut off now: do not wait for steps that have not begun
	Type     string // workflow type to start if none is open: see TypeFor
	Why      string // one line for people, shown as the run's summary: no personal data
	// StartDelay is how long (real time) a run that is started waits before it
	// begins, unless it is nudged again. One that is open is told at once.
	StartDelay time.Duration
	RequestID  string // makes a repeated signal one signal; empty for a random one
}

// Priority returns the priority of the tasks of a run that n starts.
func (n Nudge) Priority() int {
	switch {
	case n.Urgent:
		return priorityUrgent
	case n.Type == TypeLeaver:
		return priorityLeaver
	}
	return priorityNormal
}
