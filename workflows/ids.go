package workflows

import (
	"strings"
)

// TaskQueue is the one task queue of Tenure's workflows and activities.
const TaskQueue = "tenure"

// SignalLookAgain tells a person's run that there is something new in the ledger.
const SignalLookAgain = "look-again"

const personPrefix = "person:"

// WorkflowID is the workflow ID of everything that runs for one person.
func WorkflowID(personID string) string { return personPrefix + personID }

// PersonID is the person that a workflow ID names, or false if it names none.
func PersonID(workflowID string) (string, bool) { return strings.CutPrefix(workflowID, personPrefix) }

// Nudge asks that a person's run looks again, and that one is started if none is
// open. Repeating a nudge with the same RequestID is harmless.
type Nudge struct {
	PersonID  string
	Seq       int64  // the person's latest event in the ledger that this is about; 0 if about none
	Urgent    bool   // cut off now: do not wait for steps that have not begun
	Type      string // workflow type to start if none is open: see TypeFor
	Why       string // one line for people, shown as the run's summary: no personal data
	RequestID string // makes a repeated signal one signal; empty for a random one
}
