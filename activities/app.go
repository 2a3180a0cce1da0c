package activities

import (
	"sync/atomic"

	"github.com/tenurehq/tenure/provision"
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

// slots count an app's steps that this worker has under way.
type slots struct {
	underway atomic.Int64 // from the main queue
	urgent   atomic.Int64 // from the urgent one
}

// SlotsOf returns how many steps one worker has under way from the app's own queue.
func SlotsOf(app *provision.App) int {
	if app.Rate.Calls > 0 {
		return app.Rate.Slots()
	}
	return OverflowSlots
}

// ownRoute returns the route over the app's own queue.
func ownRoute(app *provision.App, name string) provision.Route {
	route := provision.Route{Queue: AppQueue(name)}
	if app.Rate.Calls > 0 {
		route.Patience = app.Rate.Wait()
	}
	return route
}

// firstRoute returns how a step for the app is run to begin with. An app that is not in the
// configuration has no queue that is hosted.
func firstRoute(app *provision.App, name string) provision.Route {
	if app == nil || app.Rate.Calls == 0 {
		return provision.Route{}
	}
	return ownRoute(app, name)
}

// urgentRoute returns how a step that cuts somebody off now is run.
func urgentRoute(app *provision.App) provision.Route {
	route := provision.Route{Queue: UrgentQueue}
	if app != nil && app.Rate.Calls > 0 {
		route.Patience = app.Rate.Wait()
	}
	return route
}

// takeSlot takes one of the app's slots in the main queue, or in the urgent one, until
// leave is called. If there is none, the step has to go elsewhere.
func (a *Activities) takeSlot(name string, urgent, gives bool) (leave func(), elsewhere *provision.Route) {
	app := a.Apps[name]
	if app == nil {
		return func() {}, nil
	}
	used := a.slotsOf(name)
	most := int64(MainSlots)
	if gives {
		most = GivingSlots
	}
	switch {
	case urgent && used.urgent.Add(1) > UrgentSlots:
		used.urgent.Add(-1)
		route := firstRoute(app, name)
		return nil, &route
	case urgent:
		return func() { used.urgent.Add(-1) }, nil
	case app.Rate.Calls > 0: // it was planned before there was a rate
		route := ownRoute(app, name)
		return nil, &route
	case used.underway.Add(1) > most:
		used.underway.Add(-1)
		if a.Moved != nil {
			a.Moved(name)
		}
		route := ownRoute(app, name)
		return nil, &route
	}
	return func() { used.underway.Add(-1) }, nil
}

// slotsOf returns the counts of an app.
func (a *Activities) slotsOf(name string) *slots {
	counts, _ := a.slots.LoadOrStore(name, &slots{})
	return counts.(*slots) //nolint:forcetypeassert // nothing else is stored there
}
