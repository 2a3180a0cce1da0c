package workflows

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tenurehq/tenure/activities"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/plan"
)

// The task queues of Tenure's workflows and activities. Runs of people who have to be
// cut off now use a queue of their own. Steps for an app with a rate, or for one that is
// slow, use the app's queue: see activities.AppQueue.
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
	TypeRequest   = "Request"
	TypeReview    = "Review"
	TypeReconcile = "Reconcile"
	TypeErase     = "Erase"
)

// SignalLookAgain tells a person's run that there is something new in the ledger.
// Its argument is a LookAgain.
const SignalLookAgain = "look-again"

// LookAgain is the argument of SignalLookAgain.
type LookAgain struct {
	Seq    int64 `json:"seq,omitempty"` // the new event; zero if something else is new
	Urgent bool  `json:"urgent,omitempty"`
}

// Input is the argument of a person's workflow types.
type Input struct {
	PersonID string `json:"personId"`
	// Until is the instant (real time) until which a Scheduled run sleeps. If it is
	// zero, the run assesses the person to find out.
	Until time.Time `json:"until,omitzero"`
	// Due is what happens at Until, for the Temporal UI.
	Due plan.Due `json:"due,omitzero"`
	// Why says in one line why a run continues another, for the Temporal UI: a run that
	// continues another cannot have a summary.
	Why string `json:"why,omitempty"`
}

// PersonPrefix begins the workflow ID of every person's run.
const PersonPrefix = "person:"

// WorkflowID returns the workflow ID of one person's runs: "person:" and the person's
// ID. Temporal's client takes printable ASCII only, so any other byte is escaped as in a
// URL: person:M%C3%9C-17. A percent sign before two capital hexadecimal digits is escaped
// too, because it would read as such a byte.
func WorkflowID(personID string) string {
	var id strings.Builder
	id.WriteString(PersonPrefix)
	for i := range len(personID) {
		b := personID[i]
		if b <= ' ' || b > '~' || b == '%' && escaped(personID[i:]) {
			fmt.Fprintf(&id, "%%%02X", b)
		} else {
			id.WriteByte(b)
		}
	}
	return id.String()
}

// PersonID returns the person whom a workflow ID names, or false if it names none. It
// is the inverse of WorkflowID.
func PersonID(workflowID string) (string, bool) {
	rest, ok := strings.CutPrefix(workflowID, PersonPrefix)
	if !ok || rest == "" {
		return "", false
	}
	var id strings.Builder
	for i := 0; i < len(rest); i++ {
		if escaped(rest[i:]) {
			b, _ := strconv.ParseUint(rest[i+1:i+3], 16, 8) // two hexadecimal digits are a byte
			id.WriteByte(byte(b))
			i += 2
		} else {
			id.WriteByte(rest[i])
		}
	}
	return id.String(), true
}

// escaped reports whether a text begins with a byte written as in a URL.
func escaped(s string) bool {
	const digits = "0123456789ABCDEF"
	return len(s) > 2 && s[0] == '%' && strings.IndexByte(digits, s[1]) >= 0 && strings.IndexByte(digits, s[2]) >= 0
}

// RunsOf returns the condition, in the language of Temporal's lists, that selects the
// runs of one person.
func RunsOf(personID string) string {
	return "WorkflowId = '" + strings.NewReplacer(`\`, `\\`, "'", "''").Replace(WorkflowID(personID)) + "'"
}

// typeFor maps an event to the change that it most often is. A run that turns out to
// be another change continues as that one.
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

// TypeFor returns the workflow type to start for an event if no run is open.
func TypeFor(event hr.EventType) string {
	if t, ok := typeFor[event]; ok {
		return t
	}
	return TypeScheduled
}
