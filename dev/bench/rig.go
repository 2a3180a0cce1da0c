package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	sdkworker "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/activities"
	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/memory"
	"github.com/tenurehq/tenure/dev/stack"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/provision"
	"github.com/tenurehq/tenure/service/runs"
	"github.com/tenurehq/tenure/service/worker"
)

// rig is a Temporal server with a worker for bare workflows.
type rig struct {
	stack    *stack.Stack
	temporal client.Client
	bare     sdkworker.Worker
	server   string // URL of the PostgreSQL server for ledgers; empty: they are files
}

// openRig connects to a Temporal server, or starts the embedded one if it is given no address.
func openRig(ctx context.Context, address string) (_ *rig, err error) {
	r := &rig{}
	if r.stack, err = stack.Start(ctx, stack.Options{}); err != nil {
		return nil, err
	}
	if address == "" {
		address = r.stack.TemporalAddress()
	}
	r.temporal, err = client.DialContext(ctx, client.Options{
		HostPort: address, Namespace: stack.Namespace,
		Logger: sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	})
	if err != nil {
		r.stack.Close()
		return nil, fmt.Errorf("dial Temporal: %w", err)
	}
	r.bare = sdkworker.New(r.temporal, bareQueue, worker.HostOptions(1))
	r.bare.RegisterWorkflowWithOptions(bare, workflow.RegisterOptions{Name: bareType})
	r.bare.RegisterWorkflowWithOptions(dressed, workflow.RegisterOptions{Name: dressedType})
	r.bare.RegisterActivity(nothing)
	if err := r.bare.Start(); err != nil {
		r.temporal.Close()
		r.stack.Close()
		return nil, fmt.Errorf("start the worker of bare workflows: %w", err)
	}
	return r, nil
}

func (r *rig) close() {
	r.bare.Stop()
	r.temporal.Close()
	r.stack.Close()
}

// tenure is the product with a number of apps, hosted in this process.
type tenure struct {
	rig    *rig
	apps   []*memory.App
	dir    string
	ledger metered
	drop   func() error // removes the ledger's database
	runs   *runs.Client
	acts   *activities.Activities
	host   *worker.Host
	end    func()               // ends waits for turns and places; nil if there are none
	waits  *prometheus.Registry // with the metrics of those waits
}

// retain is how long accounts of leavers are kept, in real time: longer than it takes to
// cut a leaver off.
const retain = 5 * time.Second

// openTenure opens the product with n apps in memory.
func (r *rig) openTenure(ctx context.Context, n int) (_ *tenure, err error) {
	open, rules := map[string]*provision.App{}, map[string]policy.AppRules{}
	var apps []*memory.App
	for i := range n {
		name := appName(i)
		app := memory.Shared("bench/" + name)
		app.Reset()
		apps = append(apps, app)
		c, err := memory.Kind.Open(ctx, connector.Env{App: name}, connector.Settings{"name": "bench/" + name})
		if err != nil {
			return nil, err
		}
		open[name] = &provision.App{Connector: c}
		rules[name] = policy.AppRules{Attributes: map[string]string{
			"displayName": "person.givenName + ' ' + person.familyName",
			"title":       "person.jobTitle",
			"department":  "person.department",
		}}
	}
	t, err := r.serve(ctx, open, rules)
	if err != nil {
		return nil, err
	}
	t.apps = apps
	if err := t.addManager(ctx, slices.Sorted(maps.Keys(open))); err != nil {
		return nil, errors.Join(err, t.close())
	}
	return t, nil
}

func appName(i int) string { return fmt.Sprintf("app%02d", i+1) }

// serve hosts the product with these apps. Everybody has the group staff there, and that
// of engineers or sellers.
func (r *rig) serve(ctx context.Context, open map[string]*provision.App, apps map[string]policy.AppRules) (_ *tenure, err error) {
	rules := policy.Rules{
		Apps: apps,
		Roles: []policy.Role{
			{Name: "everyone", When: "true"},
			{Name: "engineering", When: "person.department == 'Engineering'"},
			{Name: "sales", When: "person.department == 'Sales'"},
		},
		Leaver: policy.LeaverRules{Retain: retain, Delete: true},
	}
	for _, name := range slices.Sorted(maps.Keys(open)) {
		for j, entitlement := range []string{"staff", "engineers", "sales"} {
			rules.Roles[j].Grants = append(rules.Roles[j].Grants, policy.Grant{App: name, Entitlements: []string{entitlement}})
		}
	}
	return r.host(ctx, rules, func(ledger.Ledger) (map[string]*provision.App, error) { return open, nil })
}

// host hosts the product with these rules, and with the apps that open opens. Only one can be
// hosted at a time, because there is one task queue.
func (r *rig) host(ctx context.Context, rules policy.Rules, open func(ledger.Ledger) (map[string]*provision.App, error)) (_ *tenure, err error) {
	t := &tenure{rig: r, runs: runs.New(r.temporal, stack.Namespace)}
	compiled, err := policy.Compile(rules)
	if err != nil {
		return nil, err
	}
	if t.dir, err = os.MkdirTemp("", "tenure-bench-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, t.close())
		}
	}()
	l, drop, err := openLedger(ctx, t.dir, r.server)
	if err != nil {
		return nil, err
	}
	t.ledger, t.drop = l, drop
	if err := t.runs.RegisterAttributes(ctx); err != nil {
		return nil, err
	}
	apps, err := open(t.ledger)
	if err != nil {
		return nil, err
	}
	t.acts = &activities.Activities{Runs: t.runs, Engine: &provision.Engine{
		Ledger: t.ledger, Policy: compiled, Apps: apps, Clock: clock.Real(), Log: zap.NewNop(),
		AttentionAfter: time.Minute, Recheck: time.Hour,
	}}
	t.host = worker.NewHost(r.temporal, t.acts)
	if err := t.host.Start(); err != nil {
		t.host = nil
		return nil, err
	}
	return t, nil
}

// addManager gives everybody's manager an account in every app, so that data can be
// handed over.
func (t *tenure) addManager(ctx context.Context, apps []string) error {
	for i, app := range apps {
		id := t.apps[i].Put(connector.Account{Username: "manager", ExternalID: managerID, Active: true})
		err := t.ledger.FinishStep(ctx, ledger.Outcome{
			PersonID: managerID, App: app, Key: app, Kind: "Provision", At: time.Now(), State: ledger.StepDone,
			Link: &ledger.Link{PersonID: managerID, App: app, AccountID: id, Username: "manager", State: ledger.LinkActive},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *tenure) close() (err error) {
	if t.end != nil {
		t.end()
	}
	if t.host != nil {
		t.host.Stop()
	}
	if t.ledger != nil {
		err = errors.Join(t.ledger.Close(), t.drop())
	}
	return errors.Join(err, os.RemoveAll(t.dir))
}
