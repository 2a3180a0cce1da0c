package apps

import (
	"context"
	"errors"

	"go.uber.org/zap"

	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/provision"
)

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
	for name := range cfg.Apps {
		conn, err := e.apps.OpenUnguarded(ctx, name)
		if err != nil {
			req.Why[name] = err
			continue
		}
		opened[name] = &provision.App{Connector: conn}
	}
	defer func() {
		for _, app := range opened {
			err = errors.Join(err, app.Connector.Close())
		}
	}()
	engine := &provision.Engine{
		Ledger: e.ledger, Policy: cfg.Policy, Apps: opened, Clock: cfg.Clock(), Log: zap.NewNop(),
		AttentionAfter: cfg.Attention.After, Recheck: cfg.Attention.Recheck,
	}
	return engine.CutOff(ctx, req, tell)
}
