package activities

import (
	"context"
	"strings"

	"github.com/tenurehq/tenure/decide"
	"github.com/tenurehq/tenure/ledger"
)

// Repair records an operator's decision: what was shown to need attention is
// tried again, or is not to be done.
func (a *Activities) Repair(ctx context.Context, req RepairRequest) error {
	verb := ledger.VerbRetry
	if req.Skip {
		verb = ledger.VerbSkip
	}
	for _, key := range req.Keys {
		app, _, isStep := strings.Cut(key, "/")
		conflict := strings.HasPrefix(key, conflictKey) || strings.HasPrefix(key, letterKey) || strings.HasPrefix(key, protectedKey) ||
			strings.HasPrefix(key, decide.SameHumanPrefix) || strings.HasPrefix(key, contestedKey)
		if conflict || !isStep {
			app = ""
		}
		err := a.Ledger.Act(ctx, ledger.Action{
			Verb: verb, PersonID: req.PersonID, Key: key, App: app, Conflict: conflict,
			Operator: req.Operator, Reason: req.Reason, At: a.Clock.Now(),
		})
		if err != nil {
			return classify(err)
		}
	}
	return nil
}
