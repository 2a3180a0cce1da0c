package provision

import (
	"time"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/plan"
)

// The types below are written into workflow histories: they hold no personal data, and
// fields may be added but never renamed.

// Assessment tells a person's run what has to be done now, what needs an operator, and when
// to look again.
type Assessment struct {
	Status    hr.Status   `json:"status"`
	Change    plan.Change `json:"change,omitempty"`
	Urgent    bool        `json:"urgent,omitempty"`
	Todo      []Todo      `json:"todo,omitempty"`
	Questions []Attention `json:"questions,omitempty"` // matters that need an operator and are not about a step
	Due       plan.Due    `json:"due,omitzero"`
	// Wait is how long until Due, in real time.
	Wait time.Duration `json:"wait,omitempty"`
	// Recheck is how long (real time) to wait before what needs attention is tried again.
	Recheck time.Duration `json:"recheck,omitempty"`
	// Held lists what the breaker holds until an operator decides.
	Held []Held `json:"held,omitempty"`
	// Settle is how long (real time) until a withdrawal may pass that waits so that a mass
	// change is seen before any of it is done.
	Settle time.Duration `json:"settle,omitempty"`
	// Skipped lists the keys of the steps that an operator has skipped. It is shown to
	// people, and decides nothing.
	Skipped []string `json:"skipped,omitempty"`
	// Seq is the number of the person's last event that the assessment has considered.
	Seq int64 `json:"seq"`
	// Queue is the task queue on which the person's run belongs now: the main or the urgent
	// one (see package activities). It is empty in histories from before there were two.
	Queue string `json:"queue,omitempty"`
	// Sparing means that the run which is given this writes no search attributes that only say
	// that it is over. It is false in histories from before runs were sparing.
	Sparing bool `json:"sparing,omitempty"`
}

// Todo is a step, how it is run, and whether it needs an operator or waits for a human.
type Todo struct {
	plan.Step
	Route
	Attention *Attention `json:"attention,omitempty"`
	Waiting   *Waiting   `json:"waiting,omitempty"` // for a human who was asked, or for the app
}

// Waiting names the task that a step waits for, or says since when an operation of the app is
// under way for which it waits. The ledger knows who was asked, and what the operation is.
type Waiting struct {
	Task  int64         `json:"task"` // zero for an operation
	Due   time.Time     `json:"due"`  // when it needs an operator
	Wait  time.Duration `json:"wait"` // real time until the task needs a reminder, or the operation a look
	Since time.Time     `json:"since,omitzero"`
}

// Route says over which task queue a step is run, and with how much time. The zero value is
// the main queue, and the usual time.
type Route struct {
	Queue string `json:"queue,omitempty"` // the task queue
	// Patience is how much longer than usual one attempt may take because it waits for the
	// app's rate.
	Patience time.Duration `json:"patience,omitempty"`
}

// Attention is something that an operator must look at.
type Attention struct {
	Key     string `json:"key"`
	App     string `json:"app,omitempty"`
	Code    string `json:"code"`
	Message string `json:"message"`
}
