package provision

import (
	"context"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/pace"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/policy"
)

// Engine gives people accounts and takes them away. Its exported fields are set before
// it is used.
type Engine struct {
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
}

// App is an open connector, and how it may be called.
type App struct {
	Connector connector.Connector
	// Rate is how often the app may be called; zero: as often as one likes.
	Rate pace.Rate
	// Pacer is told when the app asks to be left alone; may be nil.
	Pacer *pace.Pacer
	// Places bound how many steps call the app at a time; nil for any number.
	Places *pace.Places

	assessed sync.Once
	traits   plan.App // what planning has to know of it, once assessed
}

// Soon returns an error if it is known already that the app may not be called before the
// deadline. Such an attempt does not begin, and does not count as one.
func (app *App) Soon(ctx context.Context, deadline time.Time) error {
	if app == nil || app.Pacer == nil {
		return nil
	}
	return app.Pacer.Soon(ctx, deadline)
}

// pause leaves an app alone that has said for how long it does not want to be called.
func (e *Engine) pause(ctx context.Context, name string, f *Error) {
	app := e.Apps[name]
	if app == nil || app.Pacer == nil || f.NoTurn || f.Code != string(connector.KindRateLimited) || f.RetryAfter <= 0 {
		return
	}
	e.Log.Info("the app asked to be left alone", zap.String("app", name), zap.Duration("for", f.RetryAfter))
	ctx, cancel := context.WithTimeout(ctx, pauseTimeout)
	defer cancel()
	if err := app.Pacer.Pause(ctx, f.RetryAfter); err != nil {
		e.Log.Warn("the other workers were not told that the app wants to be left alone", zap.String("app", name), zap.Error(err))
	}
}

// pauseTimeout bounds how long telling the others of a pause may take.
const pauseTimeout = 5 * time.Second

// traits returns what planning has to know of every app.
func (e *Engine) traits() map[string]plan.App {
	traits := make(map[string]plan.App, len(e.Apps))
	for name := range e.Apps {
		traits[name] = e.traitsOf(name)
	}
	return traits
}

// traitsOf returns what planning has to know of an app: the zero value for one that is
// not in the configuration.
func (e *Engine) traitsOf(name string) plan.App {
	app, ok := e.Apps[name]
	if !ok {
		return plan.App{}
	}
	app.assessed.Do(func() { // neither the policy nor what plans rest on changes while the app is open
		rules, _ := e.Policy.App(name)
		app.traits = assess.Traits(rules, app.Connector)
	})
	return app.traits
}

// destroys reports whether a step may destroy the account.
func (e *Engine) destroys(step plan.Step) bool {
	return step.Kind == plan.Delete || step.Kind == plan.Disable && !step.Spare && e.traitsOf(step.App).Destroys
}
