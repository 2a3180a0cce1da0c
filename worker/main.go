// Command worker hosts Tenure's workflows and activities: it is what talks to
// the apps. Any number of them may run at once.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	_ "time/tzdata" // people live in zones that a slim container image does not know

	"go.uber.org/zap"

	"github.com/tenurehq/tenure/activities"
	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/catalog"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/pace"
	"github.com/tenurehq/tenure/provision"
	"github.com/tenurehq/tenure/service"
	"github.com/tenurehq/tenure/workflows"
)

func main() {
	os.Exit(service.Main("worker", "Hosts Tenure's workflows and activities, and talks to the apps.", run))
}

func run(ctx context.Context, p *service.Process) (err error) {
	cfg, err := config.LoadFor(p.ConfigPath, config.PartLedger, config.PartApps) //nolint:contextcheck // it connects to nothing
	if err != nil {
		return service.UsageError(err)
	}
	for _, w := range cfg.Warnings {
		p.Log.Warn("the configuration is probably not what is meant", zap.String("warning", w.Error()))
	}
	var workerReady service.Later
	backing, err := p.Connect(ctx, cfg, cfg.Metrics.Worker, service.Checks{
		Ready: map[string]service.Check{"worker": workerReady.Check},
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, backing.Close()) }() //nolint:contextcheck // it has to work when ctx is done

	metrics := newMetrics(p.Metrics, cfg.Policy.Apps())
	p.Metrics.MustRegister(&census{
		ledger: backing.Ledger, clock: cfg.Clock(), apps: cfg.Policy.Apps(), overdue: cfg.OverdueAfter(), log: p.Log,
	})
	apps, err := openApps(ctx, cfg, backing.Ledger, metrics)
	if err != nil {
		return service.UsageError(err)
	}
	defer func() { err = errors.Join(err, closeApps(apps)) }()
	acts := &activities.Activities{
		Engine: &provision.Engine{
			Ledger:         backing.Ledger,
			Policy:         cfg.Policy,
			Apps:           apps,
			Clock:          cfg.Clock(),
			Log:            p.Log,
			Metrics:        metrics.steps,
			AttentionAfter: cfg.Attention.After,
			Recheck:        cfg.Attention.Recheck,
			Breaker:        breakerLimits(cfg.Breaker),
		},
		Moved:   func(app string) { metrics.moved.WithLabelValues(app).Inc() },
		Runs:    backing.Runs,
		Overdue: cfg.OverdueAfter(),
	}
	host := workflows.NewHost(backing.Temporal, acts)
	err = service.SetUpTemporal(ctx, p.Log, func(ctx context.Context) error { return backing.Runs.ScheduleSweeps(ctx, cfg.Sweep.Every) })
	if err != nil {
		return err
	}
	if err := host.Start(); err != nil {
		return err
	}
	workerReady.Set(func(context.Context) error { return nil })
	p.Log.Info("ready", zap.Strings("apps", cfg.Policy.Apps()), zap.String("taskQueue", workflows.TaskQueue))
	watch := &watch{every: cfg.Sweep.Every, acts: acts, schedule: backing.Runs.ScheduleSweeps, log: p.Log}
	watch.run(ctx)
	p.Log.Info("stopping: finishing the steps that are under way")
	host.Stop()
	return nil
}

// breakerLimits is the configuration as the ledger wants it.
func breakerLimits(b *config.Breaker) *ledger.Limits {
	if b == nil {
		return nil
	}
	limits := &ledger.Limits{
		Window: b.Window, Settle: b.Settle, SettleImmediate: b.SettleImmediate, Of: map[ledger.WithdrawalKind]ledger.Limit{},
	}
	for kind, l := range map[ledger.WithdrawalKind]config.BreakerLimit{
		ledger.Leavers: b.Leavers, ledger.Disables: b.Disables, ledger.Deletions: b.Deletions,
		ledger.Suspensions: b.Suspensions, ledger.Losses: b.Losses, ledger.Grants: b.Grants,
	} {
		limits.Of[kind] = ledger.Limit{Share: l.Share, Count: l.Count, Most: l.Most, Window: l.Window}
	}
	return limits
}

// openApps opens the connector of every app. None is called yet: an app that is
// down holds up its own steps and nothing else. When ctx ends, calls that wait for
// their turn are given up.
func openApps(ctx context.Context, cfg *config.Config, rates ledger.Pacer, m *metrics) (map[string]*provision.App, error) {
	apps := make(map[string]*provision.App, len(cfg.Apps))
	for name, app := range cfg.Apps {
		kind, ok := catalog.Lookup(app.Connector)
		if !ok {
			return nil, fmt.Errorf("app %s: there is no connector %q", name, app.Connector)
		}
		rate := pace.Rate{Calls: app.Rate.Calls, Per: app.Rate.Per}
		pacer := pace.New(ctx, name, rate, rates, m.pace)
		c, err := kind.Open(ctx, connector.Env{App: name, Pace: pacer.Wait}, connector.Settings(app.Settings))
		if err != nil {
			return nil, fmt.Errorf("app %s: %w", name, err)
		}
		apps[name] = &provision.App{Connector: c, Rate: rate, Pacer: pacer, Places: pace.NewPlaces(ctx, name, kind.CallsAtOnce(app.AtOnce), m.pace)}
	}
	return apps, nil
}

func closeApps(apps map[string]*provision.App) error {
	var errs []error
	for _, app := range apps {
		errs = append(errs, app.Connector.Close())
	}
	return errors.Join(errs...)
}
