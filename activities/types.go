package activities

import (
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/provision"
)

// The names of the activity types that are not a plan.Kind.
const (
	NameAssess = "Assess"
	NameRepair = "Repair"
	NameSweep  = "Sweep"

	NameLookAtRequest = "LookAtRequest"
	NameLookAtReview  = "LookAtReview"
)

// The types below are written into workflow histories: they hold no personal data, and
// fields may be added but never renamed.

// StepRequest asks for one step of one person.
type StepRequest struct {
	PersonID string    `json:"personId"`
	Step     plan.Step `json:"step"`
	// Done is how often this very step was done before in this run. A step that is
	// planned again and again without lasting effect needs an operator.
	Done int `json:"done,omitempty"`
}

// StepResult is the outcome of a step that did not fail.
type StepResult struct {
	Result          provision.Result `json:"result"`
	provision.Route                  // the new route, if Result is ResultMoved
}

// ResultMoved means that nothing was done: the step has to be run over another task queue.
const ResultMoved provision.Result = "moved"
