package activities

import (
	"context"
	"errors"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/provision"
	"github.com/tenurehq/tenure/reconcile/scan"
)

// NameScan is the name of the activity type that scans an app.
const NameScan = "Scan"

// ScanRequest asks for a part of a scan. It is written into workflow histories.
type ScanRequest struct {
	App string `json:"app"`
	Key string `json:"key"` // the scan's
	// GiveUp ends the scan, because the app could not be listed for long.
	GiveUp bool `json:"giveUp,omitempty"`
}

// scanBeat is how often a scan sends a heartbeat, also while the app lets it wait.
const scanBeat = 5 * time.Second

// Scan goes on with a scan for some minutes: see scan.Scanner. It runs on the main queue,
// whose spare slots it uses: a place in the app's own queue would be one less for steps.
func (a *Activities) Scan(ctx context.Context, req ScanRequest) (scan.Progress, error) {
	if req.GiveUp {
		p, err := a.Scanner.GiveUp(ctx, req.App, req.Key)
		return p, temporalError(provision.LedgerError(err))
	}
	stop := beats(ctx)
	defer stop()
	told := func(people []string) {
		for _, id := range people {
			if err := a.Runs.Resume(ctx, id, "a scan of "+req.App+" has seen that an account was changed"); err != nil {
				a.Log.Warn("somebody was not told of what a scan has seen; the sweeper does it", zap.String("person", id), zap.Error(err))
				return
			}
		}
	}
	p, err := a.Scanner.Go(ctx, req.App, req.Key, func() { alive(ctx) }, told)
	return p, a.scanError(ctx, req.App, err)
}

// scanError translates an error of a scan, and passes on a pause that the app has asked for.
func (a *Activities) scanError(ctx context.Context, app string, err error) error {
	var failed *connector.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, scan.ErrNoApp):
		return temporal.NewNonRetryableApplicationError(err.Error(), "no_app", nil)
	case errors.As(err, &failed):
		if one := a.Apps[app]; failed.Kind == connector.KindRateLimited && failed.RetryAfter > 0 && one != nil && one.Pacer != nil {
			if lost := one.Pacer.Pause(ctx, failed.RetryAfter); lost != nil {
				a.Log.Warn("the other workers were not told of the pause that the app asked for", zap.String("app", app), zap.Error(lost))
			}
		}
		f := provision.ErrorOf(err)
		f.Final = false
		return temporalError(f)
	}
	return temporalError(provision.LedgerError(err))
}

// beats sends heartbeats until stop is called.
func beats(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	if !activity.IsActivity(ctx) {
		return cancel
	}
	go func() {
		tick := time.NewTicker(scanBeat)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				activity.RecordHeartbeat(ctx)
			}
		}
	}()
	return cancel
}
