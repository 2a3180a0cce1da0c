package activities

import (
	"sync/atomic"

	"github.com/tenurehq/tenure/provision"
)

const (
	// MainSlots is how many steps for one app one worker runs at a time from the main task
	// queue. Further steps go over the app's own queue, so that an app that hangs takes up
	// no more than its share.
	MainSlots = 200
	// GivingSlots is how many of these may be steps that give access, so that steps that
	// take access find a slot in which they can wait for a place in the app (see Places).
	GivingSlots = 150
	// OverflowSlots is how many more steps one worker runs at a time from the own queue of an
	// app without a rate.
	OverflowSlots = 100
	// UrgentSlots is how many urgent steps for one app one worker runs at a time from the
	// urgent queue. Further ones go the way of the app's other steps, before all of these,
	// so that an app that hangs does not delay cutting off in other apps.
	UrgentSlots = 20
)

// MainQueue is the task queue of Tenure's workflows and activities. Steps for an app that is
// limited or slow go over the app's own queue: see AppQueue.
const MainQueue = "tenure"

// UrgentQueue is the task queue for people who have to be cut off now: for the runs that a
// suspension or an immediate termination starts, and for their Disable steps. Runs that
// sleep are on it too, since such an event may wake them. Every worker serves it with slots
// of its own.
const UrgentQueue = "tenure-urgent"

// AppQueue returns the name of an app's own task queue. Every worker serves the queues of all
// apps that it knows, whether steps come over them or not, since the configuration may just
// have changed.
func AppQueue(app string) string { return "tenure-app-" + app }

// slots counts an app's steps that this worker runs now.
type slots struct {
	underway atomic.Int64 // from the main queue
	urgent   atomic.Int64 // from the urgent one
}

// SlotsOf returns how many steps one worker runs at a time from the app's own queue.
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

// firstRoute returns the route on which a step for the app begins. No worker serves a queue
// for an app that is not in the configuration.
func firstRoute(app *provision.App, name string) provision.Route {
	if app == nil || app.Rate.Calls == 0 {
		return provision.Route{}
	}
	return ownRoute(app, name)
}

// urgentRoute returns the route of a step that cuts somebody off now.
func urgentRoute(app *provision.App) provision.Route {
	route := provision.Route{Queue: UrgentQueue}
	if app != nil && app.Rate.Calls > 0 {
		route.Patience = app.Rate.Wait()
	}
	return route
}

// takeSlot takes one of the app's slots of the main queue, or of the urgent one, until leave
// is called. If none is free, it returns the route that the step has to take instead.
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
	case app.Rate.Calls > 0: // the step was planned before the app had a rate
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
