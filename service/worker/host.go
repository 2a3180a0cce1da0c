package worker

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"go.temporal.io/sdk/client"
	sdk "go.temporal.io/sdk/worker"

	"github.com/tenurehq/tenure/activities"
	"github.com/tenurehq/tenure/workflows"
)

const (
	// eagerSteps is how many steps of one person may start in the same round trip
	// that plans them. Steps beyond it cost one more state transition each.
	eagerSteps = 25
	// spareSlots are the places in the main queue beyond every app's share: for what
	// is no step, and for steps that are told to go elsewhere.
	spareSlots = 100
)

// HostOptions are the options of a worker that hosts Tenure's workflows and, for
// a number of apps, its activities.
func HostOptions(apps int) sdk.Options {
	eager := eagerSteps
	return sdk.Options{
		MaxEagerActivityReservationsPerWorkflowTask: &eager,
		// As many as all apps' shares: no app takes another's.
		MaxConcurrentActivityExecutionSize: apps*activities.MainSlots + spareSlots,
		WorkerStopTimeout:                  workflows.StopTimeout, // a step that is under way is seen to its end
	}
}

// urgentWorkflows is how many workflow tasks of urgent runs one worker has under way.
const urgentWorkflows = 50

// urgentOptions are the options of a worker for who has to be cut off now: with
// slots and pollers of its own, whatever the others are busy with.
func urgentOptions(apps int) sdk.Options {
	o := HostOptions(apps)
	o.MaxConcurrentActivityExecutionSize = apps*activities.UrgentSlots + spareSlots
	o.MaxConcurrentWorkflowTaskExecutionSize = urgentWorkflows
	return o
}

// Host hosts Tenure's workflows and activities in this process: on the main task
// queue and on the urgent one, and steps on every app's own.
type Host struct {
	workers []sdk.Worker
}

// NewHost makes a host. Start starts it.
func NewHost(c client.Client, a *activities.Activities) *Host {
	main := sdk.New(c, workflows.TaskQueue, HostOptions(len(a.Apps)))
	workflows.Register(main, a)
	urgent := sdk.New(c, workflows.UrgentQueue, urgentOptions(len(a.Apps)))
	workflows.Register(urgent, a)
	h := &Host{workers: []sdk.Worker{urgent, main}}
	for _, name := range slices.Sorted(maps.Keys(a.Apps)) {
		w := sdk.New(c, activities.AppQueue(name), sdk.Options{
			DisableWorkflowWorker:              true,
			MaxConcurrentActivityExecutionSize: activities.SlotsOf(a.Apps[name]),
			WorkerStopTimeout:                  workflows.StopTimeout,
		})
		workflows.RegisterSteps(w, a)
		h.workers = append(h.workers, w)
	}
	return h
}

// Start starts to take work. If that fails, what was started is stopped again.
func (h *Host) Start() error {
	for i, w := range h.workers {
		if err := w.Start(); err != nil {
			(&Host{workers: h.workers[:i]}).Stop()
			return fmt.Errorf("worker: starting the worker: %w", err)
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
