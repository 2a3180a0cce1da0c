package workflows

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"

	"github.com/tenurehq/tenure/activities"
)

const (
	// eagerSteps is how many steps of one person may start in the same round trip
	// that plans them. Steps beyond it cost one more state transition each.
	eagerSteps = 25
	// spareSlots are the places in the main queue beyond every app's share: for what
	// is no step, and for steps that are told to go elsewhere.
	spareSlots = 100
)

// WorkerOptions are the options of a worker that hosts Tenure's workflows and, for
// a number of apps, its activities.
func WorkerOptions(apps int) worker.Options {
	eager := eagerSteps
	return worker.Options{
		MaxEagerActivityReservationsPerWorkflowTask: &eager,
		// As many as all apps' shares: no app takes another's.
		MaxConcurrentActivityExecutionSize: apps*activities.MainSlots + spareSlots,
		WorkerStopTimeout:                  StopTimeout, // a step that is under way is seen to its end
	}
}

// urgentWorkflows is how many workflow tasks of urgent runs one worker has under way.
const urgentWorkflows = 50

// urgentOptions are the options of a worker for who has to be cut off now: with
// slots and pollers of its own, whatever the others are busy with.
func urgentOptions(apps int) worker.Options {
	o := WorkerOptions(apps)
	o.MaxConcurrentActivityExecutionSize = apps*activities.UrgentSlots + spareSlots
	o.MaxConcurrentWorkflowTaskExecutionSize = urgentWorkflows
	return o
}

// Host hosts Tenure's workflows and activities in this process: on the main task
// queue and on the urgent one, and steps on every app's own.
type Host struct {
	workers []worker.Worker
}

// NewHost makes a host. Start starts it.
func NewHost(c client.Client, a *activities.Activities) *Host {
	main := worker.New(c, TaskQueue, WorkerOptions(len(a.Apps)))
	Register(main, a)
	urgent := worker.New(c, UrgentQueue, urgentOptions(len(a.Apps)))
	Register(urgent, a)
	h := &Host{workers: []worker.Worker{urgent, main}}
	for _, name := range slices.Sorted(maps.Keys(a.Apps)) {
		w := worker.New(c, activities.AppQueue(name), worker.Options{
			DisableWorkflowWorker:              true,
			MaxConcurrentActivityExecutionSize: activities.SlotsOf(a.Apps[name]),
			WorkerStopTimeout:                  StopTimeout,
		})
		registerSteps(w, a)
		h.workers = append(h.workers, w)
	}
	return h
}

// Start starts to take work. If that fails, what was started is stopped again.
func (h *Host) Start() error {
	for i, w := range h.workers {
		if err := w.Start(); err != nil {
			(&Host{workers: h.workers[:i]}).Stop()
			return fmt.Errorf("workflows: starting the worker: %w", err)
		}
	}
	return nil
}

// Stop takes no more work, and waits a while for what is under way.
func (h *Host) Stop() {
	var all sync.WaitGroup
	for _, w := range h.workers {
		all.Go(w.Stop)
	}
	all.Wait()
}
