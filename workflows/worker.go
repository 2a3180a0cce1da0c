package workflows

import "go.temporal.io/sdk/worker"

// eagerSteps is how many steps of one person may start in the same round trip
// that plans them. Steps beyond it cost one more state transition each.
const eagerSteps = 25

// WorkerOptions are the options of a worker that hosts Tenure's workflows and
// activities.
func WorkerOptions() worker.Options {
	eager := eagerSteps
	return worker.Options{
		MaxEagerActivityReservationsPerWorkflowTask: &eager,
		WorkerStopTimeout: StopTimeout, // a step that is under way is seen to its end
	}
}
