package provision

import (
	"time"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/plan"
)

// The types below are written into workflow histories: no personal data, fields
// may be added but never renamed.

// Assessment is what a person's run needs to know: what has to be done now, what
// needs a human, and when to look again.
type Assessment struct {
	Status    hr.Status   `json:"status"`
	Change    plan.Change `json:"change,omitempty"`
	Urgent    bool        `json:"urgent,omitempty"`
	Todo      []Todo      `json:"todo,omitempty"`
	Questions []Attention `json:"questions,omitempty"` // what needs a human and is not a step
	Due       plan.Due    `json:"due,omitzero"`
	// Wait is how long until Due, in real time.
	Wait time.Duration `json:"wait,omitempty"`
	// Recheck is how long (real time) what needs attention is left alone before it
	// is tried again.
	Recheck time.Duration `json:"recheck,omitempty"`
	// Held is what waits because too many were to lose access at once, until an
	// operator decides.
	Held []Held `json:"held,omitempty"`
	// Settle is how long (real time) until something may be taken that waits so that
	// a mass change is seen before any of it is done.
	Settle time.Duration `json:"settle,omitempty"`
	// Skipped are the keys of the steps that an operator decided to leave out, for people
	// who look.
	Skipped []string `json:"skipped,omitempty"`
	// Seq is the person's last event that was taken into account.
	Seq int64 `json:"seq"`
	// Queue is the task queue that the person's run belongs on now: MainQueue or
	// UrgentQueue. Empty in histories of before there were two.
	Queue string `json:"queue,omitempty"`
}

// Todo is a step, and what needs a human about it, if anything does.
type Todo struct {
	plan.Step
	Route
	Attention *Attention `json:"attention,omitempty"`
	Waiting   *Waiting   `json:"waiting,omitempty"` // for a human who was asked
}

// Waiting says what a step waits for. Who was asked is in the ledger.
type Waiting struct {
	Task int64         `json:"task"`
	Due  time.Time     `json:"due"`
	Wait time.Duration `json:"wait"` // until it has to be seen to, in real time
}

// Route says how a step is to be run. The zero value is the main task queue, and
// as long as steps usually take.
type Route struct {
	Queue string `json:"queue,omitempty"` // the task queue
	// Patience is how much longer than usual one attempt may take, since it has to
	// wait for the app's rate.
	Patience time.Duration `json:"patience,omitempty"`
}

// Attention is something that a human must look at.
type Attention struct {
	Key     string `json:"key"`
	App     string `json:"app,omitempty"`
	Code    string `json:"code"`
	Message string `json:"message"`
}
