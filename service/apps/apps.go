// Package apps opens the apps of a configuration, for programs that call them or that
// need to know what they can do.
package apps

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/catalog"
	"github.com/tenurehq/tenure/internal/nearest"
	"github.com/tenurehq/tenure/internal/settings"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/pace"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/service"
)

// Apps opens the apps of one configuration. It implements operator.Apps.
type Apps struct {
	cfg   *config.Config
	rates ledger.Pacer
}

// Of returns the apps of a configuration. Processes share the rates of apps through the
// ledger rates; only OpenPaced and OpenAll need it.
func Of(cfg *config.Config, rates ledger.Pacer) Apps { return Apps{cfg: cfg, rates: rates} }

// Find returns an error if there is no app of that name. The error suggests a similar one.
func (a Apps) Find(name string) error {
	_, err := a.app(name)
	return err
}

func (a Apps) app(name string) (config.App, error) {
	app, ok := a.cfg.Apps[name]
	if !ok {
		return config.App{}, service.UsageErrorf("there is no app %q in %s%s", name, a.cfg.Path, nearest.Hint(name, slices.Collect(maps.Keys(a.cfg.Apps))))
	}
	return app, nil
}

// EnoughSeats says how many free seats of each licence of an app are enough.
func (a Apps) EnoughSeats(name string) ledger.EnoughSeats { return a.cfg.Apps[name].Licences }

// Open opens the connector of an app. The connector is guarded: it changes nothing that
// is protected. Its calls do not wait for the app's rate.
func (a Apps) Open(ctx context.Context, name string) (connector.Connector, error) {
	return a.open(ctx, connector.Env{App: name})
}

// OpenPaced opens the connector of an app as Open does. Its calls share the app's rate
// with those of the workers.
func (a Apps) OpenPaced(ctx context.Context, name string) (connector.Connector, error) {
	app, err := a.app(name)
	if err != nil {
		return nil, err
	}
	pacer := pace.New(ctx, name, app.Rate, a.rates, pace.NewMetrics(prometheus.NewRegistry()))
	return a.open(ctx, connector.Env{App: name, Pace: pacer.Wait, Pause: pacer.Pause})
}

func (a Apps) open(ctx context.Context, env connector.Env) (connector.Connector, error) {
	conn, err := a.openUnguarded(ctx, env)
	if err != nil {
		return nil, err
	}
	return assess.Guard(conn, a.cfg.Policy, env.App, ""), nil
}

// OpenShared opens the connector of an app for calls that are in no hurry: they use at most
// this share of the app's rate, and take their turns from the pacer.
func (a Apps) OpenShared(ctx context.Context, name string, pacer *pace.Pacer, share float64) (connector.Connector, error) {
	app, err := a.app(name)
	if err != nil {
		return nil, err
	}
	env := connector.Env{App: name}
	wait := func(context.Context) error { return nil }
	if pacer != nil {
		wait, env.Pause = pacer.Wait, pacer.Pause
	}
	env.Pace = slower(app.Rate, share, wait)
	return a.open(ctx, env)
}

// slower returns a function that waits for a call's turn and keeps calls apart, so that no
// more than a share of the rate is used.
func slower(rate pace.Rate, share float64, wait func(context.Context) error) func(context.Context) error {
	if rate.Calls == 0 {
		return wait
	}
	apart := time.Duration(float64(rate.Per) / (float64(rate.Calls) * share))
	var mu sync.Mutex
	var next time.Time
	return func(ctx context.Context) error {
		mu.Lock()
		turn := next
		if now := time.Now(); turn.Before(now) {
			turn = now
		}
		next = turn.Add(apart)
		mu.Unlock()
		timer := time.NewTimer(time.Until(turn))
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return &pace.NoTurnError{}
		}
		return wait(ctx)
	}
}

// openUnguarded opens the connector of an app without a guard, for callers that guard
// each attempt themselves.
func (a Apps) openUnguarded(ctx context.Context, env connector.Env) (connector.Connector, error) {
	app, err := a.app(env.App)
	if err != nil {
		return nil, err
	}
	if err := settings.Missing(app.Settings); err != nil {
		return nil, service.UsageError(err)
	}
	kind, err := kindOf(env.App, app)
	if err != nil {
		return nil, err
	}
	return openKind(ctx, kind, env, app)
}

// OpenUncalled opens the connector of an app to see what it can do. The connector is
// given none of the app's secrets and files, so that a program which only asks does not
// need them.
func (a Apps) OpenUncalled(ctx context.Context, name string) (connector.Connector, error) {
	app, err := a.app(name)
	if err != nil {
		return nil, err
	}
	app.Settings = settings.Withhold(app.Settings)
	kind, err := kindOf(name, app)
	if err != nil {
		return nil, err
	}
	conn, err := openKind(ctx, kind, connector.Env{App: name, NoFiles: true}, app)
	if err != nil {
		return nil, err
	}
	return assess.Guard(conn, a.cfg.Policy, name, ""), nil
}

// WithLogin returns the apps as if the configuration said that the person has the login in
// an app. An empty login says nothing, and is an error in an app whose accounts belong to
// their owners. Errors name the flag --login.
func (a Apps) WithLogin(name, personID, login string) (Apps, error) {
	app, err := a.app(name)
	if err != nil {
		return a, err
	}
	kind, err := kindOf(name, app)
	switch {
	case err != nil:
		return a, err
	case login == "" && kind.Logins != "":
		return a, service.UsageErrorf("app %s: accounts of the kind %s belong to people, and nobody has the login of a made-up person: name somebody who exists and has no access there yet, such as a second account of yours: --login LOGIN", name, kind.Name)
	case login == "":
		return a, nil
	case kind.Logins == "":
		return a, service.UsageErrorf("app %s: Tenure makes the accounts of the kind %s itself: leave --login out", name, kind.Name)
	}
	logins := map[string]any{personID: login}
	set, _ := app.Settings[kind.Logins].(map[string]any)
	for person, other := range set {
		if text, _ := other.(string); strings.EqualFold(text, login) {
			return a, service.UsageErrorf("app %s: the setting %s has the login that --login names: name one that nobody of your company has, since its access is taken in the end", name, kind.Logins)
		}
		logins[person] = other
	}
	app.Settings = maps.Clone(app.Settings)
	app.Settings[kind.Logins] = logins
	cfg := *a.cfg
	cfg.Apps = maps.Clone(cfg.Apps)
	cfg.Apps[name] = app
	return Apps{cfg: &cfg, rates: a.rates}, nil
}

func kindOf(name string, app config.App) (connector.Kind, error) {
	kind, ok := catalog.Lookup(app.Connector)
	if !ok {
		return kind, service.UsageErrorf("app %s: there is no connector %q", name, app.Connector)
	}
	return kind, nil
}

func openKind(ctx context.Context, kind connector.Kind, env connector.Env, app config.App) (connector.Connector, error) {
	conn, err := kind.Open(ctx, env, connector.Settings(app.Settings))
	if err != nil {
		return nil, service.UsageErrorf("app %s: %w", env.App, err)
	}
	return conn, nil
}

// Rules returns the policy and the traits of every app, by which people are assessed.
func (a Apps) Rules(ctx context.Context) (assess.Rules, error) {
	rules := assess.Rules{Policy: a.cfg.Policy, Apps: map[string]plan.App{}}
	for name := range a.cfg.Apps {
		traits, err := a.Traits(ctx, name)
		if err != nil {
			return rules, err
		}
		rules.Apps[name] = traits
	}
	return rules, nil
}

// Traits returns the traits of an app that planning needs. It opens the connector to see
// what it can do, which does not call the app.
func (a Apps) Traits(ctx context.Context, name string) (plan.App, error) {
	opened, err := a.OpenUncalled(ctx, name)
	if err != nil {
		return plan.App{}, err
	}
	resolved, _ := a.cfg.Policy.App(name)
	traits := assess.Traits(resolved, opened)
	if err := opened.Close(); err != nil {
		return plan.App{}, fmt.Errorf("app %s: %w", name, err)
	}
	return traits, nil
}
