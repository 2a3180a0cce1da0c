package ledger

import "context"

// Census counts what the ledger holds.
type Census interface {
	// Count counts links and steps, by app.
	Count(ctx context.Context) (Counts, error)
}

// Counts are numbers by app; apps of which there is nothing are left out.
type Counts struct {
	Links     map[string]map[LinkState]int // by app and state
	Attention map[string]int               // steps that need attention; "" counts questions
	// Retention is how many disabled accounts of people who have left are kept, until
	// their retention ends.
	Retention map[string]int
	// Approvals is how many deletions wait for an operator's approval.
	Approvals map[string]int
}
