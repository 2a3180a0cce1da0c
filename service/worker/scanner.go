package worker

import (
	"context"
	"time"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/provision"
	"github.com/tenurehq/tenure/reconcile/scan"
	"github.com/tenurehq/tenure/service/apps"
)

// scanner returns what scans the apps of a configuration that can list their accounts.
func scanner(cfg *config.Config, o Options, known apps.Apps, opened map[string]*provision.App) *scan.Scanner {
	s := &scan.Scanner{Ledger: o.Ledger, Policy: cfg.Policy, Clock: cfg.Clock(), Log: o.Log, Apps: map[string]scan.App{}}
	for name, app := range opened {
		can := app.Connector.Capabilities()
		if !can.List && !can.Page {
			continue
		}
		settling := can.Settling
		if app.Settling != nil {
			settling = *app.Settling
		}
		terms := cfg.Apps[name].Reconcile
		s.Apps[name] = scan.App{Terms: terms, Settling: settling, Open: func(ctx context.Context) (connector.Connector, error) {
			if app.Unopened != nil {
				return nil, app.Unopened
			}
			return known.OpenShared(ctx, name, app.Pacer, terms.Share)
		}}
	}
	return s
}

// spans returns how often each app is scanned.
func spans(s *scan.Scanner) map[string]time.Duration {
	every := map[string]time.Duration{}
	for name, app := range s.Apps {
		every[name] = app.Terms.Every
	}
	return every
}
