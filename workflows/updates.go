package workflows

import (
	"errors"
	"slices"
	"strings"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/tenurehq/tenure/activities"
)

// The Updates by which an operator repairs. Both take a RepairRequest and return
// a RepairResult.
const (
	UpdateRetry = "retry" // try again now
	UpdateSkip  = "skip"  // it is not to be done
)

// RepairRequest says what is to be repaired, and who says so. Empty App, Key and Keys
// mean everything that needs attention.
type RepairRequest struct {
	App      string   `json:"app,omitempty"`
	Key      string   `json:"key,omitempty"`
	Keys     []string `json:"keys,omitempty"` // any of these
	Operator string   `json:"operator"`
	Reason   string   `json:"reason,omitempty"` // required for skip
}

// RepairResult lists the keys that were repaired.
type RepairResult struct {
	Keys []string `json:"keys"`
}

// The errors by which an Update is refused.
var (
	errNoOperator = errors.New("say who is asking (operator)")
	errNoReason   = errors.New("say why this is not to be done (reason): it goes on the record")
	errPolicy     = errors.New("policy cannot be evaluated for this person, which cannot be skipped: " +
		"mend the rule and restart the workers, or have HR mend the profile; then retry")
)

// typeNothingToRepair is the type of the error for what does not need attention.
const typeNothingToRepair = "nothing_to_repair"

func nothingToRepair(text string) error {
	return temporal.NewNonRetryableApplicationError(text, typeNothingToRepair, nil)
}

// NothingToRepair says whether an Update was refused because nothing of what was
// meant needs attention (any more).
func NothingToRepair(err error) bool {
	var app *temporal.ApplicationError
	return errors.As(err, &app) && app.Type() == typeNothingToRepair
}

// handleRepairs lets operators retry and skip what needs attention.
func (r *run) handleRepairs(ctx workflow.Context) error {
	handle := func(name string, skip bool) error {
		return workflow.SetUpdateHandlerWithOptions(ctx, name,
			func(ctx workflow.Context, req RepairRequest) (RepairResult, error) { return r.repair(ctx, req, skip) },
			workflow.UpdateHandlerOptions{
				Validator: func(req RepairRequest) error { return r.validate(req, skip) },
			})
	}
	if err := handle(UpdateRetry, false); err != nil {
		return err
	}
	return handle(UpdateSkip, true)
}

func (r *run) validate(req RepairRequest, skip bool) error {
	switch {
	case strings.TrimSpace(req.Operator) == "":
		return errNoOperator
	case skip && strings.TrimSpace(req.Reason) == "":
		return errNoReason
	}
	if open := r.inAttention(RepairRequest{}); len(r.inAttention(req)) == 0 {
		if len(open) == 0 {
			return nothingToRepair("nothing of this person needs attention")
		}
		return nothingToRepair("nothing like that needs attention; what does: " + strings.Join(keysOf(open), ", "))
	}
	if skip && len(skippable(r.inAttention(req))) == 0 {
		return errPolicy
	}
	return nil
}

// skippable leaves out what cannot be done without: nothing is done for somebody for
// whom policy cannot be evaluated, and no decision of an operator's changes that.
func skippable(list []activities.Attention) []activities.Attention {
	return slices.DeleteFunc(list, func(a activities.Attention) bool { return a.Code == activities.CodePolicy })
}

func (r *run) repair(ctx workflow.Context, req RepairRequest, skip bool) (RepairResult, error) {
	meant := r.inAttention(req)
	if skip {
		meant = skippable(meant)
	}
	keys := keysOf(meant)
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: ledgerTimeout,
		RetryPolicy:         ledgerRetry,
		Summary:             strings.Join(keys, " "),
	})
	err := workflow.ExecuteActivity(ctx, activities.NameRepair, activities.RepairRequest{
		PersonID: r.in.PersonID, Keys: keys, Skip: skip, Operator: req.Operator, Reason: req.Reason,
	}).Get(ctx, nil)
	if err != nil {
		return RepairResult{}, err
	}
	r.board.repaired(ctx, keys, skip)
	r.repairs.SendAsync(true)
	return RepairResult{Keys: keys}, nil
}

// inAttention lists what needs attention and is meant by the request.
func (r *run) inAttention(req RepairRequest) []activities.Attention {
	var out []activities.Attention
	for _, t := range r.todo.Todo {
		if t.Attention != nil {
			out = append(out, *t.Attention)
		}
	}
	out = append(out, r.todo.Questions...)
	meant := out[:0]
	for _, a := range out {
		if (req.App == "" || req.App == a.App) && (req.Key == "" || req.Key == a.Key) &&
			(len(req.Keys) == 0 || slices.Contains(req.Keys, a.Key)) {
			meant = append(meant, a)
		}
	}
	return meant
}

func keysOf(list []activities.Attention) []string {
	keys := make([]string, len(list))
	for i, a := range list {
		keys[i] = a.Key
	}
	return keys
}
