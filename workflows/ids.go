package workflows

import (
	"strings"
	"time"

	"github.com/tenurehq/tenure/activities"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/plan"
)

// The task queues of Tenure's workflows and activities: those of people who have to
// be cut off now are on a queue of their own. Steps for an app that is limited or
// slow go over the app's: see activities.AppQueue.
const (
	TaskQueue   = activities.MainQueue
	UrgentQueue = activities.UrgentQueue
)

// The workflow types. A change's type is the plan.Change of that name.
const (
	TypeJoiner    = string(plan.Joiner)
	TypeMover     = string(plan.Mover)
	TypeLeaver    = string(plan.Leaver)
	TypeScheduled = "Scheduled"
	TypeSweep     = "Sweep"
)

// SignalLookAgain tells a person's run that there is something new in the ledger.
// Its argument is a LookAgain.
const SignalLookAgain = "look-again"

// LookAgain is the argument of SignalLookAgain.
type LookAgain struct {
	Seq    int64 `json:"seq,omitempty"` // the event that is new; zero: something else is
	Urgent bool  `json:"urgent,omitempty"`
}

// Input is the argument of a person's workflow types.
type Input struct {
	PersonID string `json:"personId"`
	// Until is the instant (real time) that a Scheduled run sleeps to; zero lets
	// it find out.
	Until time.Time `json:"until,omitzero"`
	// Due is what happens at Until, for people who look.
	Due plan.Due `json:"due,omitzero"`
	// Why says in one line why a run continues another, for people who look: such
	// a run cannot have a summary.
	Why string `json:"why,omitempty"`
}

const personPrefix = "person:"

// WorkflowID is the workflow ID of everything that runs for one person.
func WorkflowID(personID string) string { return personPrefix + personID }

// PersonID is the person that a workflow ID names, or false if it names none.
func PersonID(workflowID string) (string, bool) { return strings.CutPrefix(workflowID, personPrefix) }

// typeFor is the kind of change that an event most often is. A run that finds
// out that it is another one continues as that.
var typeFor = map[hr.EventType]string{
	hr.EventHired:        TypeJoiner,
	hr.EventRehired:      TypeJoiner,
	hr.EventLeaveEnded:   TypeJoiner,
	hr.EventReinstated:   TypeJoiner,
	hr.EventTransferred:  TypeMover,
	hr.EventUpdated:      TypeMover,
	hr.EventConverted:    TypeMover,
	hr.EventLeaveStarted: TypeMover,
	hr.EventTerminated:   TypeLeaver,
	hr.EventRescinded:    TypeMover,
	hr.EventSuspended:    TypeLeaver,
}

// TypeFor is the workflow type to start for an event if no run is open.
func TypeFor(event hr.EventType) string {
	if t, ok := typeFor[event]; ok {
		return t
	}
	return TypeScheduled
}
