package apps

import (
	"context"
	"errors"

	"go.uber.org/zap"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/pace"
	"github.com/tenurehq/tenure/provision"
)

// OpenAll opens the connectors of all apps for a worker. It calls no app, so that an app
// which is down holds up its own steps and nothing else. So does an app that cannot be
// opened, because a secret is missing for example: see provision.App.Unopened. OpenAll
// fails if no app can be opened. When ctx ends, calls that wait for their turn are given
// up. The caller closes the apps with Close.
func (a Apps) OpenAll(ctx context.Context, m *pace.Metrics) (map[string]*provision.App, error) {
	opened := make(map[string]*provision.App, len(a.cfg.Apps))
	var unopened []error
	for name, app := range a.cfg.Apps {
		pacer := pace.New(ctx, name, app.Rate, a.rates, m)
		kind, err := kindOf(name, app)
		if err != nil {
			return nil, errors.Join(err, Close(opened))
		}
		conn, why := a.openUnguarded(ctx, connector.Env{App: name, Pace: pacer.Wait, Pause: pacer.Pause})
		if why != nil {
			unopened = append(unopened, why)
			if conn, err = a.OpenUncalled(ctx, name); err != nil {
				return nil, errors.Join(err, Close(opened))
			}
		}
		opened[name] = &provision.App{
			Connector: conn, Unopened: why, Rate: app.Rate, Pacer: pacer,
			Places: pace.NewPlaces(ctx, name, kind.CallsAtOnce(app.AtOnce), m), Settling: app.Settling, LongestUnderway: app.LongestOperation,
		}
	}
	if len(unopened) > 0 && len(unopened) == len(opened) {
		return nil, errors.Join(append(unopened, Close(opened))...)
	}
	return opened, nil
}

// Close closes the connectors of apps.
func Close(opened map[string]*provision.App) error {
	var errs []error
	for _, app := range opened {
		errs = append(errs, app.Connector.Close())
	}
	return errors.Join(errs...)
}

// Engine cuts people off in the apps of a configuration from this process. It implements
// operator.Engine.
type Engine struct {
	apps   Apps
	ledger ledger.Ledger
}

// Engine returns an engine that works on the ledger l.
func (a Apps) Engine(l ledger.Ledger) Engine { return Engine{apps: a, ledger: l} }

// CutOff opens all apps and disables the person's accounts: see provision.Engine.CutOff.
// Its calls do not wait for the apps' rates. An app that cannot be opened holds up no other.
func (e Engine) CutOff(ctx context.Context, req provision.CutOffRequest, tell func(provision.CutOffResult)) (err error) {
	cfg := e.apps.cfg
	req.Why = map[string]error{}
	opened := map[string]*provision.App{}
	for name, app := range cfg.Apps {
		conn, err := e.apps.openUnguarded(ctx, connector.Env{App: name})
		if err != nil {
			req.Why[name] = err
			continue
		}
		opened[name] = &provision.App{Connector: conn, Settling: app.Settling, LongestUnderway: app.LongestOperation}
	}
	defer func() { err = errors.Join(err, Close(opened)) }()
	engine := &provision.Engine{
		Ledger: e.ledger, Policy: cfg.Policy, Apps: opened, Clock: cfg.Clock(), Log: zap.NewNop(),
		AttentionAfter: cfg.Attention.After, Recheck: cfg.Attention.Recheck,
	}
	return engine.CutOff(ctx, req, tell)
}
