package service

import (
	"context"
	"errors"
	"maps"
	"sync"

	"go.temporal.io/sdk/client"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/open"
	"github.com/tenurehq/tenure/service/runs"
)

// Backing holds the connections that worker and starter need.
type Backing struct {
	Ledger   ledger.Ledger
	Temporal client.Client
	Runs     *runs.Client // for the namespace that Temporal is connected to; its search attributes are registered

	http *HTTP
	stop context.CancelFunc // of what runs beside
	ran  sync.WaitGroup
}

// Connect opens the ledger, connects to Temporal, and waits for either if it cannot be
// reached. Meanwhile it serves p's metrics and probes on the address metrics; if that is
// empty, it does not. own holds checks of the process itself, which the probes add to
// those of ledger and Temporal.
//
// What is beside runs as soon as the ledger is open, with or without Temporal, until its
// context ends or the Backing is closed.
func (p *Process) Connect(ctx context.Context, cfg *config.Config, metrics string, own Checks, beside ...func(context.Context, ledger.Ledger)) (b *Backing, err error) {
	b = &Backing{}
	defer func() { //nolint:contextcheck // closing has to work when ctx is done
		if err != nil {
			err = errors.Join(err, b.Close())
		}
	}()
	var unreached error
	if b.Ledger, err = open.Peppered(ctx, cfg.Ledger.URL, cfg.Privacy.Key()); errors.Is(err, ledger.ErrUnreachable) {
		unreached = err
	} else if err != nil {
		return b, err
	}
	var ledgerReady, temporalReady Later // the probes answer while Connect waits
	if b.Ledger != nil {
		ledgerReady.Set(b.Ledger.Ping)
	}
	checks := map[string]Check{"ledger": ledgerReady.Check, "temporal": temporalReady.Check}
	maps.Copy(checks, own.Ready)
	if b.http, err = p.ServeHTTP(metrics, Checks{Alive: own.Alive, Ready: checks}); err != nil {
		return b, err
	}
	if unreached != nil {
		if b.Ledger, err = awaitLedger(ctx, p.Log, cfg.Ledger.URL, cfg.Privacy.Key(), unreached); err != nil {
			return b, err
		}
		ledgerReady.Set(b.Ledger.Ping)
	}
	running, stop := context.WithCancel(ctx)
	b.stop = stop
	for _, run := range beside {
		b.ran.Go(func() { run(running, b.Ledger) })
	}
	var address, namespace string
	b.Temporal, err = DialTemporal(ctx, p.Log, func(o *client.Options) { address, namespace = o.HostPort, o.Namespace })
	if err != nil {
		return b, err
	}
	temporalReady.Set(func(ctx context.Context) error { return ProbeTemporal(ctx, b.Temporal, namespace) })
	if err := CheckClock(cfg, address, p.Log); err != nil {
		return b, UsageError(err)
	}
	b.Runs = runs.New(b.Temporal, namespace)
	return b, SetUpTemporal(ctx, p.Log, b.Runs.RegisterAttributes)
}

// Close closes what is open.
func (b *Backing) Close() error {
	var errs []error
	if b.stop != nil {
		b.stop()
		b.ran.Wait()
	}
	if b.Temporal != nil {
		b.Temporal.Close()
	}
	if b.http != nil {
		errs = append(errs, b.http.Close())
	}
	if b.Ledger != nil {
		errs = append(errs, b.Ledger.Close())
	}
	return errors.Join(errs...)
}
