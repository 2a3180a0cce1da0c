package workflows

import (
	"cmp"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/tenurehq/tenure/activities"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/reconcile/scan"
)

// ReconcilePrefix begins the workflow ID of every scan; the app's name follows.
const ReconcilePrefix = "reconcile:"

// ReconcileInput is the argument of Reconcile.
type ReconcileInput struct {
	App string `json:"app"`
	// Key is what the ledger knows the scan by; empty in the first run, which makes it.
	Key string `json:"key,omitempty"`
}

const (
	// scanRounds is how many parts of a scan one run makes before it continues as new.
	scanRounds = 200
	// scanTimeout bounds one part of a scan, and scanPatience how long one is tried until the
	// scan is given up.
	scanTimeout  = 30 * time.Minute
	scanPatience = 6 * time.Hour
	// scanHeartbeat is the time within which the death of the scanning worker is noticed.
	scanHeartbeat = 20 * time.Second
)

// Reconcile scans an app and compares it with the ledger. A Temporal Schedule starts it for
// each app: see runs.Client.ScheduleScans. What is found is in the ledger.
func Reconcile(ctx workflow.Context, in ReconcileInput) (scan.Progress, error) {
	in.Key = cmp.Or(in.Key, workflow.GetInfo(ctx).WorkflowExecution.RunID)
	upsertStage(ctx, StageApplying)
	parts := workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue:              TaskQueue,
		StartToCloseTimeout:    scanTimeout,
		ScheduleToCloseTimeout: scanPatience,
		HeartbeatTimeout:       scanHeartbeat,
		RetryPolicy:            &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: time.Minute},
		Priority:               temporal.Priority{PriorityKey: priorityScan},
		Summary:                in.App,
	})
	for range scanRounds {
		var p scan.Progress // a new one each time: what an answer leaves out is not what the last one said
		request := activities.ScanRequest{App: in.App, Key: in.Key}
		if err := workflow.ExecuteActivity(parts, activities.NameScan, request).Get(ctx, &p); err != nil {
			return giveUp(ctx, in, err)
		}
		if !p.More {
			stage := StageDone
			if p.State != ledger.ScanDone && p.State != ledger.ScanAbandoned {
				stage = StageAttention
			}
			upsertStage(ctx, stage)
			return p, nil
		}
	}
	return scan.Progress{}, workflow.NewContinueAsNewError(ctx, Reconcile, in)
}

// giveUp ends a scan that has failed for too long, and returns why it failed.
func giveUp(ctx workflow.Context, in ReconcileInput, why error) (scan.Progress, error) {
	var p scan.Progress
	if temporal.IsCanceledError(why) {
		return p, why
	}
	ends := workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue: TaskQueue, StartToCloseTimeout: ledgerTimeout, RetryPolicy: ledgerRetry,
	})
	if err := workflow.ExecuteActivity(ends, activities.NameScan, activities.ScanRequest{App: in.App, Key: in.Key, GiveUp: true}).Get(ctx, &p); err != nil {
		return p, err
	}
	upsertStage(ctx, StageAttention)
	return p, why
}

func upsertStage(ctx workflow.Context, stage string) {
	if err := workflow.UpsertTypedSearchAttributes(ctx, AttrStage.ValueSet(stage)); err != nil {
		workflow.GetLogger(ctx).Error("search attributes were not written", "error", err)
	}
}
