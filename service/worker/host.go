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
	// eagerSteps is how many steps of one person may start in the round trip that plans
	// them. Each further step costs one more state transition.
	eagerSteps = 25
	// spareSlots is the number of slots on the main queue beyond the shares of all apps:
	// for activities that are not steps, and for steps that are moved to another queue.
	spareSlots = 100
)

// HostOptions returns the SDK's options for a worker on the main queue, which hosts
// Tenure's workflows and its activities for this number of apps.
func HostOptions(apps int) sdk.Options {
	eager := eagerSteps
	return sdk.Options{
		MaxEagerActivityReservationsPerWorkflowTask: &eager,
		// The sum of all shares, so that no app takes another one's.
		MaxConcurrentActivityExecutionSize: apps*activities.MainSlots + spareSlots,
		WorkerStopTimeout:                  workflows.StopTimeout, // for the steps that are under way
	}
}

// urgentWorkflows is how many workflow tasks of the urgent queue one worker has under way.
const urgentWorkflows = 50

// urgentOptions returns the SDK's options for a worker on the urgent queue. It has slots
// and pollers of its own, so that nobody who is to be cut off waits for other work.
func urgentOptions(apps int) sdk.Options {
	o := HostOptions(apps)
	o.MaxConcurrentActivityExecutionSize = apps*activities.UrgentSlots + spareSlots
	o.MaxConcurrentWorkflowTaskExecutionSize = urgentWorkflows
	return o
}

// Host hosts Tenure's workflows and activities in this process: all of them on the main
// and the urgent task queue, and steps on the queue of each app.
type Host struct {
	workers []sdk.Worker
}

// NewHost returns a host for all apps of a. Start starts it.
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

// Start begins to take tasks from all queues. If one worker cannot start, Start stops the
// others again.
func (h *Host) Start() error {
	for i, w := range h.workers {
		if err := w.Start(); err != nil {
			(&Host{workers: h.workers[:i]}).Stop()
			return fmt.Errorf("worker: starting the worker: %w", err)
		}
	}
	return nil
}

// Stop takes no more tasks, and waits for those under way, for workflows.StopTimeout at
// most.
func (h *Host) Stop() {
	var all sync.WaitGroup
	for _, w := range h.workers {
		all.Go(w.Stop)
	}
	all.Wait()
}
