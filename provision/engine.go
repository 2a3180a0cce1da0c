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
	Apps   map[string]*App // by name; all apps of the policy
	Clock  clock.Clock
	Log    *zap.Logger
	// Metrics may be nil.
	Metrics *Metrics
	// AttentionAfter is how long (real time) a step may keep failing before it needs an
	// operator.
	AttentionAfter time.Duration
	// Recheck is how long (real time) to wait before what needs attention is tried again.
	Recheck time.Duration
	// Breaker limits how many people may lose access, or be given more, at once; nil: no
	// limit.
	Breaker *ledger.Limits

	reads reads
	kept  keptSearches
}

// App is an open connector, and the limits on calling it.
type App struct {
	Connector connector.Connector
	// Unopened is why the connector cannot be used in this process: a secret is missing,
	// for example. It then only tells what the app can do. Steps of the app need attention,
	// and no call is made. Nil: it can be used.
	Unopened error
	// Rate is how often the app may be called; zero: without limit.
	Rate pace.Rate
	// Pacer is told when the app asks to be left alone; may be nil.
	Pacer *pace.Pacer
	// Places bounds how many steps call the app at a time; nil: no bound.
	Places *pace.Places

	// Settling is how long after a change the app may still answer as if there had been none,
	// where the configuration says so; nil: as the connector declares.
	Settling *time.Duration

	// LongestUnderway is how long (real time) an operation of the app may be under way before it
	// needs an operator; zero: a day.
	LongestUnderway time.Duration

	assessed sync.Once
	traits   plan.App // set once by assessed
}

// Soon returns an error if the app must not be called before the deadline. Then no attempt
// begins, and none is counted.
func (app *App) Soon(ctx context.Context, deadline time.Time) error {
	if app == nil || app.Pacer == nil {
		return nil
	}
	return app.Pacer.Soon(ctx, deadline)
}

// settling returns how long after a change the app may still answer as if there had been none.
func (app *App) settling() time.Duration {
	if app.Settling != nil {
		return *app.Settling
	}
	return app.Connector.Capabilities().Settling
}

// pause tells all workers not to call an app that has asked for a pause.
func (e *Engine) pause(ctx context.Context, name string, f *Error) {
	app := e.Apps[name]
	if app == nil || app.Pacer == nil || f.NoTurn || f.Code != string(connector.KindRateLimited) || f.RetryAfter <= 0 {
		return
	}
	e.Log.Info("the app asked for a pause", zap.String("app", name), zap.Duration("for", f.RetryAfter))
	ctx, cancel := context.WithTimeout(ctx, pauseTimeout)
	defer cancel()
	if err := app.Pacer.Pause(ctx, f.RetryAfter); err != nil {
		e.Log.Warn("the other workers were not told of the pause that the app asked for", zap.String("app", name), zap.Error(err))
	}
}

// pauseTimeout bounds how long it may take to tell the other workers of a pause.
const pauseTimeout = 5 * time.Second

// traits returns the traits of all apps that planning depends on.
func (e *Engine) traits() map[string]plan.App {
	traits := make(map[string]plan.App, len(e.Apps))
	for name := range e.Apps {
		traits[name] = e.traitsOf(name)
	}
	return traits
}

// traitsOf returns the traits of an app that planning depends on; the zero value if the app
// is not in the configuration.
func (e *Engine) traitsOf(name string) plan.App {
	app, ok := e.Apps[name]
	if !ok {
		return plan.App{}
	}
	app.assessed.Do(func() { // neither policy nor capabilities change while the app is open
		rules, _ := e.Policy.App(name)
		app.traits = assess.Traits(rules, app.Connector)
	})
	return app.traits
}

// destroys reports whether a step may destroy the account.
func (e *Engine) destroys(step plan.Step) bool {
	return step.Kind == plan.Delete || step.Kind == plan.Disable && !step.Spare && e.traitsOf(step.App).Destroys
}
