package workflows

import (
	"errors"
	"slices"
	"strings"

	"go.temporal.io/sdk/workflow"

	"github.com/tenurehq/tenure/activities"
	"github.com/tenurehq/tenure/provision"
)

// The Updates by which runs were repaired before operators decided in the ledger alone.
const (
	updateRetry = "retry"
	updateSkip  = "skip"
)

// errDecidedInLedger is why an Update is refused: who may write to Temporal is no
// operator, and nobody can tell in whose name they speak.
var errDecidedInLedger = errors.New("what is repaired is decided in the ledger: use 'tenure run retry' or 'tenure run skip'")

// repairRequest is the argument of the Updates.
type repairRequest struct {
	App      string   `json:"app,omitempty"`
	Key      string   `json:"key,omitempty"`
	Keys     []string `json:"keys,omitempty"`
	Operator string   `json:"operator"`
	Reason   string   `json:"reason,omitempty"`
}

// repairResult is what the Updates returned.
type repairResult struct {
	Keys []string `json:"keys"`
}

// handleRepairs refuses the Updates. Those that a history has, from when they were not
// refused, are gone through again.
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

// repair does what runs did about an Update. The activity refuses by now.
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

// inAttention lists the keys that need attention and are meant by the request.
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
