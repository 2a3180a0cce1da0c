package workflows

import "time"

// Nudge asks a person's run to look at the ledger again. If no run is open, one is
// started. Repeating a nudge with the same RequestID has no effect.
type Nudge struct {
	PersonID string
	Seq      int64  // the event that the nudge is about; 0 if it is about none
	Urgent   bool   // the person is to be cut off now: steps that have not begun are put aside
	Type     string // workflow type to start if no run is open: see TypeFor
	Why      string // one line without personal data, shown as the summary of the run
	// StartDelay is how long (real time) a new run waits before it begins, unless
	// it is nudged again. An open run is told at once.
	StartDelay time.Duration
	RequestID  string // Temporal takes signals of one request ID as one; empty for a random ID
}

// Priority returns the priority of the workflow tasks of a run that n starts.
func (n Nudge) Priority() int {
	switch {
	case n.Urgent:
		return priorityUrgent
	case n.Type == TypeLeaver:
		return priorityLeaver
	}
	return priorityNormal
}
