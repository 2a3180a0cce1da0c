package activities

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"

	"github.com/tenurehq/tenure/decide"
	"github.com/tenurehq/tenure/ledger"
)

// The errors by which a repair is refused.
var (
	// ErrNothingToRepair means that nothing of what was meant needs attention (any more).
	ErrNothingToRepair = errors.New("nothing of this person needs attention")
	errNoOperator      = errors.New("say who is asking (operator)")
	errNoReason        = errors.New("say why this is not to be done (reason): it goes on the record")
	errPolicy          = errors.New("policy cannot be evaluated for this person, which cannot be skipped: " +
		"mend the rule and restart the workers, or have HR mend the profile; then retry")
)

// RepairRequest is an operator's decision about what needs attention of one person: it
// is tried again, or is not to be done. Empty App, Key and Keys mean all of it.
type RepairRequest struct {
	PersonID string   `json:"personId"`
	App      string   `json:"app,omitempty"`
	Key      string   `json:"key,omitempty"`
	Keys     []string `json:"keys"` // any of these
	Skip     bool     `json:"skip"` // else: retry
	Operator string   `json:"operator"`
	Reason   string   `json:"reason,omitempty"` // required for a skip
}

// RecordRepair puts an operator's decision into the ledger, and on the record, and
// returns the keys that it is about. The ledger is where the decision is made: the
// person's run is to be told to look again, and does what it finds there.
func RecordRepair(ctx context.Context, l ledger.Ledger, now time.Time, req RepairRequest) ([]string, error) {
	switch {
	case strings.TrimSpace(req.Operator) == "":
		return nil, errNoOperator
	case req.Skip && strings.TrimSpace(req.Reason) == "":
		return nil, errNoReason
	}
	person, err := l.Person(ctx, req.PersonID)
	if errors.Is(err, ledger.ErrNotFound) {
		return nil, ErrNothingToRepair
	}
	if err != nil {
		return nil, err
	}
	steps, err := req.meant(person.Steps)
	if err != nil {
		return nil, err
	}
	var keys []string
	for _, step := range steps {
		if err := l.Act(ctx, req.action(step.Key, now)); err != nil {
			return keys, err
		}
		keys = append(keys, step.Key)
	}
	return keys, nil
}

// meant lists the steps and questions in attention that the request is about.
func (req RepairRequest) meant(steps []ledger.Step) ([]ledger.Step, error) {
	var open, meant []ledger.Step
	for _, s := range steps {
		if s.State != ledger.StepAttention {
			continue
		}
		open = append(open, s)
		if (req.App == "" || req.App == s.App) && (req.Key == "" || req.Key == s.Key) &&
			(len(req.Keys) == 0 || slices.Contains(req.Keys, s.Key)) {
			meant = append(meant, s)
		}
	}
	switch {
	case len(open) == 0:
		return nil, ErrNothingToRepair
	case len(meant) == 0:
		keys := make([]string, len(open))
		for i, s := range open {
			keys[i] = s.Key
		}
		return nil, fmt.Errorf("%w like that; what does: %s", ErrNothingToRepair, strings.Join(keys, ", "))
	}
	if req.Skip {
		// Nothing is done for somebody for whom policy cannot be evaluated, and no
		// decision of an operator's changes that.
		meant = slices.DeleteFunc(meant, func(s ledger.Step) bool { return s.Code == CodePolicy })
		if len(meant) == 0 {
			return nil, errPolicy
		}
	}
	return meant, nil
}

// action is the decision about one key, as the ledger has it.
func (req RepairRequest) action(key string, now time.Time) ledger.Action {
	verb := ledger.VerbRetry
	if req.Skip {
		verb = ledger.VerbSkip
	}
	app, _, isStep := strings.Cut(key, "/")
	conflict := slices.ContainsFunc(waivable, func(prefix string) bool { return strings.HasPrefix(key, prefix) })
	if conflict || !isStep {
		app = ""
	}
	return ledger.Action{
		Verb: verb, PersonID: req.PersonID, Key: key, App: app, Conflict: conflict,
		Operator: req.Operator, Reason: req.Reason, At: now,
	}
}

// waivable is what the keys of questions begin with that an operator may waive.
var waivable = []string{conflictKey, letterKey, protectedKey, decide.SameHumanPrefix, contestedKey}

// Repair refuses: what an operator decides is in the ledger, and whoever may write to
// Temporal is no operator. It is there for runs from before that, which may ask for it.
func (a *Activities) Repair(_ context.Context, req RepairRequest) error {
	a.Log.Warn("Temporal asks for a repair, which is decided in the ledger only: refused")
	return temporal.NewNonRetryableApplicationError(
		"what is repaired is decided in the ledger: use 'tenure run retry' or 'tenure run skip'", codeNotHere, nil)
}

// codeNotHere is the type of the error for what Temporal has no say in.
const codeNotHere = "decided_in_the_ledger"
