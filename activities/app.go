package activities

import (
	"context"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/pace"
)

const (
	// MainSlots is how many steps for one app one worker has under way from the
	// main task queue. What is beyond that goes over the app's own queue: an app
	// that hangs takes up no more than its share.
	MainSlots = 200
	// GivingSlots is how many of these may be steps that give access, so that those that
	// take it away find a slot, in which they wait for a place in the app (see Places).
	GivingSlots = 150
	// OverflowSlots is how many more one worker has under way from the own queue of
	// an app without a rate.
	OverflowSlots = 100
	// UrgentSlots is how many urgent cut-offs in one app one worker has under way
	// from the urgent queue. What is beyond that goes the way of the app's other
	// steps, before all of them, so that an app that hangs delays the cutting off
	// in no other.
	UrgentSlots = 20
)

// MainQueue is the task queue of Tenure's workflows and activities. Steps for an app
// that is limited or slow go over a queue of its own: see AppQueue.
const MainQueue = "tenure"

// UrgentQueue is the task queue of those who have to be cut off now: of the runs
// that a suspension or an immediate termination starts, and of their cutting off in
// every app. Runs that sleep are on it too, since that may be what wakes them. Every
// worker hosts it with slots of its own.
const UrgentQueue = "tenure-urgent"

// AppQueue is an app's own task queue. Every worker hosts it for every app that it
// knows, whether steps come over it or not: the configuration may just have
// changed.
func AppQueue(app string) string { return "tenure-app-" + app }

// App is an open connector, and how it may be used.
type App struct {
	Connector connector.Connector
	// Rate is how often the app may be called. If there is one, all steps go over
	// the app's own queue: those that wait for their turn take nobody's slot.
	Rate pace.Rate
	// Pacer is told when the app asks to be left alone; may be nil.
	Pacer *pace.Pacer
	// Places bound how many steps call the app at a time; nil for any number.
	Places *pace.Places
	// Moved is called for each step that finds the app's share of the main queue
	// used up; may be nil.
	Moved func()

	underway atomic.Int64 // steps from the main queue
	urgent   atomic.Int64 // ... and from the urgent one
}

// Slots is how many steps one worker has under way from the app's own queue.
func (app *App) Slots() int {
	if app.Rate.Calls > 0 {
		return app.Rate.Slots()
	}
	return OverflowSlots
}

// own is the route over the app's own queue.
func (app *App) own(name string) Route {
	route := Route{Queue: AppQueue(name)}
	if app.Rate.Calls > 0 {
		route.Patience = app.Rate.Wait()
	}
	return route
}

// route is how a step for the app is run to begin with. An app that is not in the
// configuration has no queue that is hosted.
func (app *App) route(name string) Route {
	if app == nil || app.Rate.Calls == 0 {
		return Route{}
	}
	return app.own(name)
}

// urgently is how a step that cuts somebody off now is run.
func (app *App) urgently() Route {
	route := Route{Queue: UrgentQueue}
	if app != nil && app.Rate.Calls > 0 {
		route.Patience = app.Rate.Wait()
	}
	return route
}

// takeSlot takes one of the app's slots in the main queue, or in the urgent one, until
// leave is called. If there is none, the step has to go elsewhere.
func (app *App) takeSlot(name string, urgent, gives bool) (leave func(), elsewhere *Route) {
	most := int64(MainSlots)
	if gives {
		most = GivingSlots
	}
	switch {
	case app == nil:
		return func() {}, nil
	case urgent && app.urgent.Add(1) > UrgentSlots:
		app.urgent.Add(-1)
		route := app.route(name)
		return nil, &route
	case urgent:
		return func() { app.urgent.Add(-1) }, nil
	case app.Rate.Calls > 0: // it was planned before there was a rate
		route := app.own(name)
		return nil, &route
	case app.underway.Add(1) > most:
		app.underway.Add(-1)
		if app.Moved != nil {
			app.Moved()
		}
		route := app.own(name)
		return nil, &route
	}
	return func() { app.underway.Add(-1) }, nil
}

// soon says whether it is known already that the app may not be called before the
// deadline. Such an attempt does not begin, and is none.
func (app *App) soon(ctx context.Context, deadline time.Time) error {
	if app == nil || app.Pacer == nil {
		return nil
	}
	return app.Pacer.Soon(ctx, deadline)
}

// pause leaves an app alone that has said for how long it does not want to be
// called.
func (a *Activities) pause(ctx context.Context, app *App, name string, f failure) {
	if app == nil || app.Pacer == nil || f.noTurn || f.code != string(connector.KindRateLimited) || f.retryAfter <= 0 {
		return
	}
	a.Log.Info("the app asked to be left alone", zap.String("app", name), zap.Duration("for", f.retryAfter))
	ctx, cancel := context.WithTimeout(ctx, pauseTimeout)
	defer cancel()
	if err := app.Pacer.Pause(ctx, f.retryAfter); err != nil {
		a.Log.Warn("the other workers were not told that the app wants to be left alone", zap.String("app", name), zap.Error(err))
	}
}

// pauseTimeout bounds how long telling the others of a pause may take.
const pauseTimeout = 5 * time.Second
