package main

import (
	"context"
	"errors"
	"sync"

	"go.uber.org/zap"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/provision"
	"github.com/tenurehq/tenure/service/apps"
)

// breakGlass cuts somebody off from this process. An app that cannot even be opened
// holds up no other.
func (c *cli) breakGlass(ctx context.Context, cfg *config.Config, o *operator.Operator, s secured, said operator.Secured) (err error) {
	opened := map[string]*provision.App{}
	closed := map[string]error{}
	for name := range cfg.Apps {
		conn, err := apps.Of(cfg, nil).OpenUnguarded(ctx, name) // without pace: rates are not waited for
		if err != nil {
			closed[name] = err
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
		Ledger: o.Ledger, Policy: cfg.Policy, Apps: opened, Clock: cfg.Clock(), Log: zap.NewNop(),
		AttentionAfter: cfg.Attention.After, Recheck: cfg.Attention.Recheck,
	}
	work, cancel := context.WithTimeout(ctx, s.wait)
	defer cancel()
	var mu sync.Mutex
	failures := map[string]provision.CutOffResult{}
	shown := map[string]string{}
	err = engine.CutOff(work, provision.CutOffRequest{PersonID: s.personID, Operator: s.operator, Reason: s.reason, Why: closed},
		func(r provision.CutOffResult) {
			mu.Lock()
			defer mu.Unlock()
			v := securedView{Person: s.personID, App: r.App, State: r.Link.State, ProvenAt: r.Link.ProvenAt, Done: r.Code == "", Code: r.Code, Message: r.Message, stuck: r.Code != ""}
			if v.Done && v.ProvenAt.IsZero() {
				return // somebody else has done it: the ledger says how
			}
			if !v.Done {
				failures[r.App] = r
			}
			c.tellSecured([]securedView{v}, shown)
		})
	if err != nil {
		return err
	}
	secured, _, err := o.Progress(ctx, said)
	if err != nil {
		return err
	}
	views := viewSecured(s.personID, secured)
	for i, v := range views {
		if f, ok := failures[v.App]; ok {
			views[i].Done, views[i].stuck, views[i].Code, views[i].Message = false, true, f.Code, f.Message
		}
	}
	c.tellSecured(views, shown)
	return c.concludeSecured(s, views, true)
}
