package activities

import (
	"context"
	"iter"
	"time"

	"go.uber.org/zap"

	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/decide"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/policy"
)

// Activities holds what activities work with.
type Activities struct {
	Ledger ledger.Ledger
	Policy *policy.Policy
	Apps   map[string]*App // by name; every app of the policy
	Clock  clock.Clock
	Log    *zap.Logger
	// Metrics may be nil.
	Metrics *Metrics
	// AttentionAfter is how long a step may keep failing (real time) before a
	// human has to look.
	AttentionAfter time.Duration
	// Recheck is how long what needs attention is left alone (real time) before it
	// is tried again by itself.
	Recheck time.Duration
	// Breaker says how many people may lose access at once; nil: any number.
	Breaker *ledger.Limits
	// Runs finds and starts people's runs; used by the sweeper only.
	Runs Runs
}

// Runs is what the sweeper needs of Temporal.
type Runs interface {
	// Open says whether a run of that person is open.
	Open(ctx context.Context, personID string) (bool, error)
	// EndedByHand gives the people whose last run was terminated or cancelled since,
	// and who have no open one.
	EndedByHand(ctx context.Context, since time.Time) iter.Seq2[string, error]
	// Resume starts a run that finds out by itself what has to be done, or tells
	// the open one to look again.
	Resume(ctx context.Context, personID, why string) error
}

// traits are what planning has to know of every app.
func (a *Activities) traits() map[string]plan.App {
	traits := make(map[string]plan.App, len(a.Apps))
	for name := range a.Apps {
		traits[name] = a.traitsOf(name)
	}
	return traits
}

// traitsOf is what planning has to know of an app; of one that is not in the
// configuration, nothing.
func (a *Activities) traitsOf(name string) plan.App {
	app, ok := a.Apps[name]
	if !ok {
		return plan.App{}
	}
	rules, _ := a.Policy.App(name)
	return decide.Traits(rules, app.Connector)
}

// destroys says whether a step may destroy the account.
func (a *Activities) destroys(step plan.Step) bool {
	return step.Kind == plan.Delete || step.Kind == plan.Disable && !step.Spare && a.traitsOf(step.App).Destroys
}
