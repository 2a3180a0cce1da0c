package activities

import (
	"context"

	"go.temporal.io/sdk/temporal"

	"github.com/tenurehq/tenure/provision"
)

// RepairRequest is what runs asked for before operators decided in the ledger alone.
type RepairRequest struct {
	PersonID string   `json:"personId"`
	App      string   `json:"app,omitempty"`
	Key      string   `json:"key,omitempty"`
	Keys     []string `json:"keys"` // any of these
	Skip     bool     `json:"skip"` // else: retry
	Operator string   `json:"operator"`
	Reason   string   `json:"reason,omitempty"` // required for a skip
}

// Repair refuses: what an operator decides is in the ledger, and whoever may write to
// Temporal is no operator. It is there for runs from before that, which may ask for it.
func (a *Activities) Repair(_ context.Context, req RepairRequest) error {
	a.Log.Warn("Temporal asks for a repair, which is decided in the ledger only: refused")
	return temporal.NewNonRetryableApplicationError(
		"what is repaired is decided in the ledger: use 'tenure run retry' or 'tenure run skip'", provision.CodeNotPlanned, nil)
}
