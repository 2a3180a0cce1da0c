package workflows

import (
	"errors"
	"slices"
	"strings"

	"go.temporal.io/sdk/workflow"

	"github.com/tenurehq/tenure/activities"
	"github.com/tenurehq/tenure/provision"
)

// The Updates by which operators repaired runs before they did so in the ledger.
const (
	updateRetry = "retry"
	updateSkip  = "skip"
)

// errDecidedInLedger refuses an Update: access to Temporal makes nobody an operator, and
// an Update does not prove who sent it.
var errDecidedInLedger = errors.New("what is repaired is decided in the ledger: use 'tenure run retry' or 'tenure run skip'")

// repairRequest is the argument of the Updates.
type repairRequest struct {
	App      string   `json:"app,omitempty"`
	Key      string   `json:"key,omitempty"`
	Keys     []string `json:"keys,omitempty"`
	Operator string   `json:"operator"`
	Reason   string   `json:"reason,omitempty"`
}

// repairResult is the result of the Updates.
type repairResult struct {
	Keys []string `json:"keys"`
}

// handleRepairs refuses the Updates. Replaying a history in which one was accepted runs
// its handler again.
func (r *run) handleRepairs(ctx workflow.Context) error {
	for _, name := range []string{updateRetry, updateSkip} {
		err := workflow.SetUpdateHandlerWithOptions(ctx, name,
			func(ctx workflow.Context, req repairRequest) (repairResult, error) {
				return r.repair(ctx, req, name == updateSkip)
			},
			workflow.UpdateHandlerOptions{Validator: func(repairRequest) error { return errDecidedInLedger }})
		if err != nil {
			return err
		}
	}
	return nil
}

// repair handles an Update as runs did when Updates were accepted. The activity that it
// calls refuses today.
func (r *run) repair(ctx workflow.Context, req repairRequest, skip bool) (repairResult, error) {
	keys := r.inAttention(req, skip)
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: ledgerTimeout,
		RetryPolicy:         ledgerRetry,
		Summary:             strings.Join(keys, " "),
	})
	err := workflow.ExecuteActivity(ctx, activities.NameRepair, activities.RepairRequest{
		PersonID: r.in.PersonID, Keys: keys, Skip: skip, Operator: req.Operator, Reason: req.Reason,
	}).Get(ctx, nil)
	if err != nil {
		return repairResult{}, err
	}
	r.repairs.SendAsync(true)
	return repairResult{Keys: keys}, nil
}

// inAttention lists the keys that need attention and that the request selects.
func (r *run) inAttention(req repairRequest, skip bool) (keys []string) {
	var all []provision.Attention
	for _, t := range r.todo.Todo {
		if t.Attention != nil {
			all = append(all, *t.Attention)
		}
	}
	for _, a := range append(all, r.todo.Questions...) {
		if (req.App == "" || req.App == a.App) && (req.Key == "" || req.Key == a.Key) &&
			(len(req.Keys) == 0 || slices.Contains(req.Keys, a.Key)) && (!skip || a.Code != provision.CodePolicy) {
			keys = append(keys, a.Key)
		}
	}
	return keys
}
