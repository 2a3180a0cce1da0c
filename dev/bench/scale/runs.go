package scale

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/tenurehq/tenure/activities"
	"github.com/tenurehq/tenure/dev/bench/hrevents"
	"github.com/tenurehq/tenure/dev/process"
	"github.com/tenurehq/tenure/dev/topology"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/service/runs"
	"github.com/tenurehq/tenure/service/worker"
	"github.com/tenurehq/tenure/workflows"
)

// RunCost is what one more of something costs Temporal's store, while runs of retained leavers are
// asleep there. What the server asks of its store when nothing happens is taken off.
type RunCost struct {
	People     int     `json:"people"`
	Asleep     int     `json:"asleep"`
	What       string  `json:"what"`
	Statements float64 `json:"statements"`
	Blocks     float64 `json:"blocks"`
	WAL        float64 `json:"walRecords"`
	// Transitions is the mean of the runs of one kind.
	Transitions float64       `json:"transitions,omitempty"`
	Took        time.Duration `json:"took"` // the median

	all statements
}

// Store is what Temporal's store holds.
type Store struct {
	People    int           `json:"people"`
	Asleep    int           `json:"asleep"`
	Filled    time.Duration `json:"filled"`
	Bytes     int64         `json:"bytes"`          // of both databases
	IdleEach  float64       `json:"idleEach"`       // statements a second while nothing happens
	IdleBlock float64       `json:"idleBlocks"`     // and blocks
	Before    int64         `json:"bytesBefore"`    // the runs were put to sleep
	Due       int           `json:"due"`            // people whom the last sweep found due
	Rate      float64       `json:"runsEachSecond"` // that fell asleep
}

// temporalDatabases lists the databases of Temporal's store.
var temporalDatabases = []string{"temporal", "temporal_visibility"}

// atOnce is how many runs are started at once.
const atOnce = 64

// settles is how long Temporal may take to do what is behind an answer.
const settles = time.Second

// calms is how long Temporal may take to be at rest after many runs.
const calms = 20 * time.Second

// learns is longer than the parts of a Temporal server take to learn of a new search attribute.
const learns = 12 * time.Second

// sweeps is how many sweeps are measured.
const sweeps = 5

const sweepOnce = "sweep"

// company is a company at work: Temporal's namespace, and a worker in this process.
type company struct {
	house    *house
	temporal client.Client
	runs     *runs.Client
	acts     *activities.Activities
	meter    *meter
	people   int
	idle     Statement // in idleFor
}

// idleFor is how long it is watched while nothing happens.
const idleFor = 5 * time.Second

// asleep measures what one more change costs Temporal's store.
func (r *Report) asleep(ctx context.Context, o Options, s *store, h *house, people int, tell func(string, ...any)) error {
	namespace := fmt.Sprintf("scale-%d", people)
	c, err := dial(ctx, o.Temporal, namespace)
	if err != nil {
		return err
	}
	defer c.Close()
	return s.with(ctx, func(l ledger.Ledger) error {
		co := &company{house: h.on(l), temporal: c, runs: runs.New(c, namespace), meter: s.meter, people: people}
		if err := co.runs.RegisterAttributes(ctx); err != nil {
			return err
		}
		if err := rest(ctx, learns); err != nil {
			return err
		}
		co.acts = &activities.Activities{Engine: co.house.engine, Runs: co.runs, Overdue: time.Minute}
		host := worker.NewHost(c, co.acts)
		if err := host.Start(); err != nil {
			return err
		}
		defer host.Stop()
		store, err := co.sleep(ctx, o, tell)
		if err != nil {
			return err
		}
		costs, err := co.changes(ctx, &store, o.Runs)
		r.Stores, r.Runs = append(r.Stores, store), append(r.Runs, costs...)
		return err
	})
}

// dial makes a namespace, and connects to it.
func dial(ctx context.Context, address, namespace string) (client.Client, error) {
	c, err := client.DialContext(ctx, client.Options{HostPort: address, Namespace: namespace, Logger: sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler))})
	if err != nil {
		return nil, fmt.Errorf("dial Temporal: %w", err)
	}
	_, err = c.WorkflowService().RegisterNamespace(ctx, &workflowservice.RegisterNamespaceRequest{
		Namespace: namespace, WorkflowExecutionRetentionPeriod: durationpb.New(30 * 24 * time.Hour),
	})
	if err == nil {
		err = process.Await(ctx, func(ctx context.Context) error { // the server learns of it within seconds
			_, err := c.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Namespace: namespace})
			return err
		})
	}
	if err != nil {
		c.Close()
		return nil, fmt.Errorf("make the namespace: %w", err)
	}
	return c, nil
}

// sleep starts the run of each retained leaver, or of as many as there is time for, and waits until
// all of them are asleep.
func (co *company) sleep(ctx context.Context, o Options, tell func(string, ...any)) (s Store, err error) {
	s.People = co.people
	if s.Before, err = co.meter.size(ctx); err != nil {
		return s, err
	}
	began := time.Now()
	within, stop := context.WithTimeout(ctx, o.AsleepFor)
	defer stop()
	people := make(chan string)
	var started atomic.Int64
	errs := make([]error, atOnce)
	var all sync.WaitGroup
	for i := range atOnce {
		all.Go(func() {
			for person := range people {
				if errs[i] = co.runs.Resume(ctx, person, "benchmark"); errs[i] != nil {
					return
				}
				started.Add(1)
			}
		})
	}
	err = func() error {
		defer close(people)
		for p, err := range ledger.AllPeople(ctx, co.house.ledger, "") {
			switch {
			case err != nil:
				return err
			case p.PersonID[0] != leaverMark[0]:
				continue
			case o.Asleep > 0 && int(started.Load()) >= o.Asleep:
				return nil
			}
			select {
			case people <- p.PersonID:
			case <-within.Done():
				return ctx.Err()
			}
		}
		return nil
	}()
	all.Wait()
	if err := errors.Join(err, errors.Join(errs...)); err != nil {
		return s, err
	}
	s.Asleep = int(started.Load())
	for last := time.Now(); ; {
		n, err := co.temporal.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{
			Query: "ExecutionStatus = 'Running' AND " + workflows.AttrStage.GetName() + " = '" + workflows.StageScheduled + "'",
		})
		if err != nil {
			return s, err
		}
		if int(n.GetCount()) >= s.Asleep {
			break
		}
		if time.Since(last) > 10*time.Second {
			last = time.Now()
			tell("  %d of %d runs are asleep", n.GetCount(), s.Asleep)
		}
		if err := rest(ctx, 200*time.Millisecond); err != nil {
			return s, err
		}
	}
	s.Filled = time.Since(began)
	s.Rate = float64(s.Asleep) / s.Filled.Seconds()
	tell("Temporal: %d runs of retained leavers are asleep after %s", s.Asleep, s.Filled.Round(time.Second))
	if err := rest(ctx, calms); err != nil {
		return s, err
	}
	s.Bytes, err = co.meter.size(ctx)
	return s, err
}

func rest(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// size returns the bytes of Temporal's store, after what autovacuum does in time.
func (m *meter) size(ctx context.Context) (n int64, err error) {
	err = m.db.QueryRowContext(ctx, `SELECT sum(pg_database_size(datname)) FROM pg_database WHERE datname LIKE 'temporal%'`).Scan(&n)
	return n, err
}

// changes measures what one more change costs, for so many people.
func (co *company) changes(ctx context.Context, s *Store, each int) (all []RunCost, err error) {
	before, err := co.meter.read(ctx, temporalDatabases...)
	if err != nil {
		return nil, err
	}
	if err := rest(ctx, idleFor); err != nil {
		return nil, err
	}
	after, err := co.meter.read(ctx, temporalDatabases...)
	if err != nil {
		return nil, err
	}
	co.idle = after.since(before).sum()
	s.IdleEach, s.IdleBlock = float64(co.idle.Calls)/idleFor.Seconds(), float64(co.idle.Blocks)/idleFor.Seconds()
	person := func(i int) string { return fmt.Sprintf("t%05d", i) }
	for _, m := range []struct {
		what  string
		kind  string // of the run
		times int
		do    func(ctx context.Context, i int) error
	}{
		{"joiner", workflows.TypeJoiner, each, func(ctx context.Context, i int) error { return co.live(ctx, hired(person(i))) }},
		{"mover", workflows.TypeMover, each, func(ctx context.Context, i int) error { return co.live(ctx, moved(person(i))) }},
		{"leaver, until they sleep", workflows.TypeLeaver, each, func(ctx context.Context, i int) error { return co.live(ctx, hrevents.Left(person(i))) }},
		{sweepOnce, "", sweeps, func(ctx context.Context, _ int) error {
			found, err := co.acts.Sweep(ctx)
			s.Due = found.Due
			return err
		}},
	} {
		c := RunCost{People: co.people, Asleep: s.Asleep, What: m.what}
		before, err := co.meter.read(ctx, temporalDatabases...)
		if err != nil {
			return nil, err
		}
		began := time.Now()
		took := make([]time.Duration, m.times)
		for i := range took {
			start := time.Now()
			if err := m.do(ctx, i); err != nil {
				return nil, fmt.Errorf("%s: %w", m.what, err)
			}
			took[i] = time.Since(start)
			if m.what == sweepOnce { // Temporal lets a namespace list ten times a second only
				if err := rest(ctx, settles); err != nil {
					return nil, err
				}
			}
		}
		if err := rest(ctx, settles); err != nil {
			return nil, err
		}
		passed := time.Since(began).Seconds() / idleFor.Seconds()
		after, err := co.meter.read(ctx, temporalDatabases...)
		if err != nil {
			return nil, err
		}
		c.all = after.since(before)
		sum := c.all.sum()
		one := func(n, idle int64) float64 { return (float64(n) - float64(idle)*passed) / float64(m.times) }
		c.Statements, c.Blocks, c.WAL = one(sum.Calls, co.idle.Calls), one(sum.Blocks, co.idle.Blocks), one(sum.WAL, co.idle.WAL)
		slices.Sort(took)
		c.Took = took[m.times/2]
		if m.kind != "" {
			if c.Transitions, err = co.transitions(ctx, m.kind); err != nil {
				return nil, err
			}
		}
		all = append(all, c)
	}
	return all, nil
}

// live tells of an event as the starter does, and waits until all that is to be done now is done.
func (co *company) live(ctx context.Context, e hr.Event) error {
	receipts, err := co.house.ledger.Record(ctx, []ledger.Received{{Event: e, At: time.Now()}})
	if err != nil {
		return err
	}
	seq := receipts[0].Seq
	if err := co.runs.Nudge(ctx, workflows.Nudge{PersonID: e.PersonID, Seq: seq, Type: workflows.TypeFor(e.Type), Why: "benchmark"}); err != nil {
		return err
	}
	if err := co.house.ledger.MarkDelivered(ctx, []int64{seq}); err != nil {
		return err
	}
	if e.Type != hr.EventTerminated {
		return co.temporal.GetWorkflow(ctx, workflows.WorkflowID(e.PersonID), "").Get(ctx, nil)
	}
	for { // until the run is another one, which sleeps until the deletion
		d, err := co.temporal.DescribeWorkflowExecution(ctx, workflows.WorkflowID(e.PersonID), "")
		if err != nil {
			return err
		}
		info := d.GetWorkflowExecutionInfo()
		if info.GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING && info.GetType().GetName() == workflows.TypeScheduled &&
			d.GetPendingWorkflowTask() == nil && len(d.GetPendingActivities()) == 0 && info.GetHistoryLength() > 4 {
			return nil
		}
		if err := rest(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
}

// transitions returns the mean of the state transitions of the measured people's runs of a kind.
func (co *company) transitions(ctx context.Context, kind string) (float64, error) {
	listed, err := co.temporal.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
		Query: "WorkflowType = '" + kind + "' AND WorkflowId STARTS_WITH '" + workflows.WorkflowID("t") + "' AND ExecutionStatus != 'Running'",
	})
	if err != nil {
		return 0, err
	}
	sum := int64(0)
	for _, run := range listed.GetExecutions() {
		sum += run.GetStateTransitionCount()
	}
	return float64(sum) / float64(max(len(listed.GetExecutions()), 1)), nil
}

// Servers starts PostgreSQL, and a Temporal server with its store there, until stop is called, and
// has them measured.
func Servers(ctx context.Context, o *Options, t topology.Options) (stop func(), err error) {
	t.WithoutKafka, t.WithoutApps, t.PostgreSQL = true, true, []string{statementsAreCounted, "pg_stat_statements.max=20000"}
	top, err := topology.Start(ctx, t)
	if err != nil {
		return nil, err
	}
	o.Server, o.Temporal = top.PostgresURL("postgres"), top.TemporalAddress()
	return top.Close, nil
}
