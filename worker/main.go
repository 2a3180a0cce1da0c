// Command worker hosts Tenure's workflows and activities: it is the program that calls the
// apps. You may run several of them. To host workflows and activities in a Go program of
// your own, see package service/worker.
package main

import (
	"context"
	"errors"
	"os"
	_ "time/tzdata" // people live in zones that a slim container image does not know

	"go.uber.org/zap"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/service"
	"github.com/tenurehq/tenure/service/worker"
)

func main() {
	os.Exit(service.Main("worker", "Hosts Tenure's workflows and activities, and talks to the apps.", run))
}

func run(ctx context.Context, p *service.Process) (err error) {
	// The secrets of apps are not among them: an app whose secret is missing holds up no other.
	cfg, err := config.LoadFor(p.ConfigPath, config.PartLedger, config.PartPrivacy) //nolint:contextcheck // it connects to nothing
	if err != nil {
		return service.UsageError(err)
	}
	for _, w := range cfg.Warnings {
		p.Log.Warn("the configuration can be used, but may not do what was intended", zap.String("warning", w.Error()))
	}
	var ready service.Later
	backing, err := p.Connect(ctx, cfg, cfg.Metrics.Worker, service.Checks{
		Ready: map[string]service.Check{"worker": ready.Check},
	}, func(ctx context.Context, l ledger.Ledger) { worker.SendNotices(ctx, cfg, l, p.Log, p.Metrics) })
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, backing.Close()) }() //nolint:contextcheck // it has to work when ctx is done
	return worker.Run(ctx, worker.Options{
		Config: cfg, Ledger: backing.Ledger, Temporal: backing.Temporal, Runs: backing.Runs,
		Log: p.Log, Metrics: p.Metrics,
		Started: func() { ready.Set(func(context.Context) error { return nil }) },
	})
}
