package ledger

import (
	"context"
	"time"

	"github.com/tenurehq/tenure/hr"
)

// Steps lists the steps of many people at once.
type Steps interface {
	// Steps lists steps by person and key, after the given place, at most limit.
	Steps(ctx context.Context, f StepFilter, after StepPlace, limit int) ([]Step, error)
}

// StepPlace is a step's place in the list of all. The zero value is before all.
type StepPlace struct{ PersonID, Key string }

// StepFilter selects steps; fields that are zero match all. Questions are steps of
// the kind "Question".
type StepFilter struct {
	PersonID string
	App      string
	Kind     string
	Code     string
	States   []StepState // any of these
	// From and Until bound the last attempt (of a question, when it was asked): at or
	// after, and before.
	From, Until time.Time
	Statuses    []hr.Status // the person's, as the last assessment left them: any of these
}
