package worker

import (
	"context"
	"errors"
	"fmt"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/catalog"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/pace"
	"github.com/tenurehq/tenure/provision"
)

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
		pacer := pace.New(ctx, name, app.Rate, rates, m.pace)
		c, err := kind.Open(ctx, connector.Env{App: name, Pace: pacer.Wait}, connector.Settings(app.Settings))
		if err != nil {
			return nil, fmt.Errorf("app %s: %w", name, err)
		}
		apps[name] = &provision.App{Connector: c, Rate: app.Rate, Pacer: pacer, Places: pace.NewPlaces(ctx, name, kind.CallsAtOnce(app.AtOnce), m.pace)}
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
