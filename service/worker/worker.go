package worker

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/sdk/client"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/activities"
	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/notice"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/provision"
	"github.com/tenurehq/tenure/review"
	"github.com/tenurehq/tenure/service"
	"github.com/tenurehq/tenure/service/apps"
	"github.com/tenurehq/tenure/service/runs"
	"github.com/tenurehq/tenure/workflows"
)

// Options are the parts of a worker. All but Started have to be set. Run closes neither
// the ledger nor the connection to Temporal.
type Options struct {
	Config   *config.Config // its apps, policy, limits and times; loaded with config.PartLedger; the secrets of apps may be missing
	Ledger   ledger.Ledger
	Temporal client.Client
	Runs     *runs.Client // for the namespace that Temporal is connected to; its search attributes are registered
	Log      *zap.Logger
	Metrics  prometheus.Registerer
	Started  func() // called once, when the worker takes work
}

// Run hosts Tenure's workflows and activities until ctx is done, and then finishes the
// steps that are under way. Errors of the configuration are marked by service.UsageError.
// Any number of processes may run a worker at the same time; one process runs one.
//
// A configuration may accelerate the clock for development. Run does not know Temporal's
// address: call service.CheckClock first, which allows that on this machine only.
func Run(ctx context.Context, o Options) (err error) {
	cfg := o.Config
	o.Ledger = notice.Tell(o.Ledger, cfg.Book())
	known := apps.Of(cfg, o.Ledger)
	metrics := newMetrics(o.Metrics, cfg.Policy.Apps())
	opened, err := known.OpenAll(ctx, metrics.pace)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, apps.Close(opened)) }()
	for _, name := range slices.Sorted(maps.Keys(opened)) {
		if why := opened[name].Unopened; why != nil {
			o.Log.Error("an app cannot be used: its steps need attention, those of other apps go on; correct it and restart the workers",
				zap.String("app", name), zap.Error(why))
		}
	}
	acts := &activities.Activities{
		Engine: &provision.Engine{
			Ledger:         o.Ledger,
			Policy:         cfg.Policy,
			Apps:           opened,
			Clock:          cfg.Clock(),
			Log:            o.Log,
			Metrics:        metrics.steps,
			AttentionAfter: cfg.Attention.After,
			Recheck:        cfg.Attention.Recheck,
			Breaker:        cfg.Breaker,
		},
		Moved:   func(app string) { metrics.moved.WithLabelValues(app).Inc() },
		Erased:  func(outcome string) { metrics.erasures.WithLabelValues(outcome).Inc() },
		Runs:    o.Runs,
		Overdue: cfg.OverdueAfter(),
		Reviews: activities.Reviews{Terms: cfg.Reviews, Fresh: cfg.Governance.Freshness, Zone: cfg.Governance.TimeZone},
		Privacy: service.ErasureTerms(cfg),
	}
	acts.Scanner = scanner(cfg, o, known, opened)
	o.Metrics.MustRegister(&census{
		ledger: o.Ledger, clock: cfg.Clock(), apps: cfg.Policy.Apps(), enough: known.EnoughSeats, overdue: cfg.OverdueAfter(), log: o.Log,
		every: spans(acts.Scanner), started: cfg.Clock().Now(),
	})
	creeping := &creep{board: &review.Board{Ledger: o.Ledger, Rules: acts.Rules(), Clock: cfg.Clock()}, log: o.Log}
	o.Metrics.MustRegister(creeping)
	o.Metrics.MustRegister(&figured{ledger: o.Ledger, clock: cfg.Clock(), log: o.Log})
	endSequencing, err := sequencing(ctx, cfg, o, newAuditMetrics(o.Metrics, o.Ledger, cfg.Clock(), placesOf(cfg.Audit), exportsOf(cfg.Audit), o.Log))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, endSequencing()) }()
	host := NewHost(o.Temporal, acts)
	err = service.SetUpTemporal(ctx, o.Log, func(ctx context.Context) error {
		if err := o.Runs.ScheduleSweeps(ctx, cfg.Sweep.Every); err != nil {
			return err
		}
		// Nobody who has to be cut off waits because apps cannot be scanned by the clock.
		if err := o.Runs.ScheduleScans(ctx, spans(acts.Scanner)); err != nil {
			o.Log.Error("the scans of apps could not be scheduled: they are made by `tenure app scan` only, until the workers are restarted", zap.Error(err))
		}
		if err := o.Runs.ScheduleErasures(ctx, cfg.Privacy.Keep > 0); err != nil {
			o.Log.Error("erasures could not be scheduled: people are erased by `tenure person erase` only, until the workers are restarted", zap.Error(err))
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := host.Start(); err != nil {
		return err
	}
	if o.Started != nil {
		o.Started()
	}
	o.Log.Info("ready", zap.Strings("apps", cfg.Policy.Apps()), zap.String("taskQueue", workflows.TaskQueue))
	watch := &watch{every: cfg.Sweep.Every, acts: acts, schedule: o.Runs.ScheduleSweeps, log: o.Log}
	counting := &seats{
		apps: licensed(cfg.Policy), ledger: o.Ledger, log: o.Log,
		viewer: &operator.Viewer{Ledger: o.Ledger, Policy: cfg.Policy, Apps: known, Clock: cfg.Clock()},
	}
	var beside sync.WaitGroup
	beside.Go(func() { counting.run(ctx) })
	beside.Go(func() { creeping.run(ctx) })
	watch.run(ctx)
	beside.Wait()
	o.Log.Info("stopping: finishing the steps that are under way")
	host.Stop()
	return nil
}
