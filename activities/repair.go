package activities

import (
	"context"

	"go.temporal.io/sdk/temporal"

	"github.com/tenurehq/tenure/provision"
)

// RepairRequest is the request of runs from before operators decided in the ledger alone.
type RepairRequest struct {
	PersonID string   `json:"personId"`
	App      string   `json:"app,omitempty"`
	Key      string   `json:"key,omitempty"`
	Keys     []string `json:"keys"` // any of these
	Skip     bool     `json:"skip"` // otherwise: retry
	Operator string   `json:"operator"`
	Reason   string   `json:"reason,omitempty"` // required for a skip
}

// Repair refuses every request: operators decide in the ledger, and access to Temporal makes
// nobody an operator. It is registered because older runs may still ask for it.
func (a *Activities) Repair(_ context.Context, req RepairRequest) error {
	a.Log.Warn("refused a repair that was asked for through Temporal: operators decide in the ledger only")
	return temporal.NewNonRetryableApplicationError(
		"what is repaired is decided in the ledger: use 'tenure run retry' or 'tenure run skip'", provision.CodeNotPlanned, nil)
}
