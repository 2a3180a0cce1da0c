package scale

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"maps"
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
// asleep there.
type RunCost struct {
	People int    `json:"people"`
	Asleep int    `json:"asleep"`
	What   string `json:"what"`
	// Of the statements that the server does not ask when nothing happens.
	Statements float64 `json:"statements"`
	Blocks     float64 `json:"blocks"`
	WAL        float64 `json:"walRecords"`
	// Of those that it asks then too, without as many as it asks then.
	Routine       float64 `json:"routineStatements"`
	RoutineBlocks float64 `json:"routineBlocks"`
	// Deeper is how many blocks are looked at only since indexes have more levels than in the
	// smallest store.
	Deeper float64 `json:"deeper"`
	// Transitions is the mean of the runs of one kind.
	Transitions float64       `json:"transitions,omitempty"`
	Took        time.Duration `json:"took"` // the median

	all    statements
	done   indexes
	times  int
	passed float64 // as many times idleFor
}

// Store is what Temporal's store holds.
type Store struct {
	People    int           `json:"people"`
	Asleep    int           `json:"asleep"`
	Filled    time.Duration `json:"filled"`
	Bytes     int64         `json:"bytes"`          // of both databases
	IdleEach  float64       `json:"idleEach"`       // statements a second while nothing happens
	IdleBlock float64       `json:"idleBlocks"`     // and blocks
	Calm      time.Duration `json:"calm"`           // how long it took to be at rest
	Before    int64         `json:"bytesBefore"`    // the runs were put to sleep
	Due       int           `json:"due"`            // people whom the last sweep found due
	Rate      float64       `json:"runsEachSecond"` // that fell asleep

	rest    statements // in idleFor
	resting indexes
}

// temporalDatabases lists the databases of Temporal's store.
var temporalDatabases = []string{"temporal", "temporal_visibility"}

// atOnce is how many runs are started at once.
const atOnce = 64

// settles is how long Temporal may take to do what is behind an answer, and PostgreSQL's sessions
// to tell which indexes they used: ten seconds.
const settles = 12 * time.Second

// pause is how long a sweep waits for the next one: Temporal lets a namespace list ten times a
// second only.
const pause = time.Second

// Temporal is at rest after many runs when it asks its store for no less in calmFor than in the
// calmFor before, or after calmWithin.
const (
	calmFor    = 15 * time.Second
	calmWithin = 4 * time.Minute
)

// sweeps is how many sweeps are measured.
const sweeps = 5

// A worker's first sweep, and one in an hour, looks at all open runs.
const (
	sweepAll  = "sweep that looks for all strangers"
	sweepOnce = "sweep"
)

// company is a company at work: Temporal's namespace, and a worker in this process.
type company struct {
	house    *house
	temporal client.Client
	runs     *runs.Client
	acts     *activities.Activities
	meter    *meter
	stores   []*sql.DB // Temporal's
	people   int
}

// idleFor is how long it is watched while nothing happens.
const idleFor = 30 * time.Second

// routine is how often a statement is asked in idleFor at least, to be one that is asked when
// nothing happens.
const routine = int64(idleFor / (5 * time.Second))

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
		for _, name := range temporalDatabases {
			db, err := sql.Open("pgx", databaseURL(o.Server, name))
			if err != nil {
				return err
			}
			defer func() { _ = db.Close() }()
			if _, err := db.ExecContext(ctx, `CREATE EXTENSION IF NOT EXISTS pageinspect`); err != nil {
				return err
			}
			co.stores = append(co.stores, db)
		}
		if err := co.runs.RegisterAttributes(ctx); err != nil {
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
				if errs[i] = co.resume(ctx, person); errs[i] != nil {
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
	if s.Calm, err = co.calm(ctx); err != nil {
		return s, err
	}
	for _, db := range co.stores { // as autovacuum does in time
		if _, err := db.ExecContext(ctx, `VACUUM ANALYZE`); err != nil {
			return s, err
		}
	}
	s.Bytes, err = co.meter.size(ctx)
	return s, err
}

// resume starts the run of somebody. A server that is busy may refuse now and then.
func (co *company) resume(ctx context.Context, person string) error {
	const most = 10
	for attempt := 1; ; attempt++ {
		err := co.runs.Resume(ctx, person, "benchmark")
		if err == nil || attempt == most {
			return err
		}
		if err := rest(ctx, time.Second); err != nil {
			return err
		}
	}
}

// calm waits until Temporal is at rest, and returns how long that took.
func (co *company) calm(ctx context.Context) (time.Duration, error) {
	began := time.Now()
	for last := int64(0); ; {
		asked, _, err := co.during(ctx, calmFor)
		if err != nil {
			return 0, err
		}
		blocks := asked.sum().Blocks
		if last > 0 && blocks*10 >= last*9 || time.Since(began) > calmWithin {
			return time.Since(began), nil
		}
		last = blocks
	}
}

// during returns what Temporal asks of its store in so long.
func (co *company) during(ctx context.Context, d time.Duration) (statements, indexes, error) {
	before, trees, err := co.read(ctx)
	if err != nil {
		return nil, nil, err
	}
	if err := rest(ctx, d); err != nil {
		return nil, nil, err
	}
	after, grown, err := co.read(ctx)
	return after.since(before), grown.since(trees), err
}

// read returns what Temporal asked of its store so far.
func (co *company) read(ctx context.Context) (statements, indexes, error) {
	all, err := co.meter.read(ctx, temporalDatabases...)
	trees := indexes{}
	for _, db := range co.stores {
		if err != nil {
			break
		}
		var more indexes
		if more, err = readIndexes(ctx, db); err == nil {
			maps.Copy(trees, more)
		}
	}
	return all, trees, err
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
	if s.rest, s.resting, err = co.during(ctx, idleFor); err != nil {
		return nil, err
	}
	idle := s.rest.sum()
	s.IdleEach, s.IdleBlock = float64(idle.Calls)/idleFor.Seconds(), float64(idle.Blocks)/idleFor.Seconds()
	sweep := func(ctx context.Context, _ int) error {
		found, err := co.acts.Sweep(ctx)
		s.Due = found.Due
		return err
	}
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
		{sweepAll, "", 1, sweep},
		{sweepOnce, "", sweeps, sweep},
	} {
		c := RunCost{People: co.people, Asleep: s.Asleep, What: m.what, times: m.times}
		before, trees, err := co.read(ctx)
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
			if m.what == sweepOnce {
				if err := rest(ctx, pause); err != nil {
					return nil, err
				}
			}
		}
		if err := rest(ctx, settles); err != nil {
			return nil, err
		}
		c.passed = time.Since(began).Seconds() / idleFor.Seconds()
		after, grown, err := co.read(ctx)
		if err != nil {
			return nil, err
		}
		c.all, c.done = after.since(before), grown.since(trees)
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

// attribute says what the statements cost that are asked for what was measured, and those that
// are asked at rest too. All stores have the same statements at rest.
func (r *Report) attribute() {
	rest := map[string]bool{}
	stores := map[int]Store{}
	for _, s := range r.Stores {
		stores[s.People] = s
		for text, asked := range s.rest {
			if asked.Calls >= routine {
				rest[text] = true
			}
		}
	}
	for i := range r.Runs {
		c := &r.Runs[i]
		first := r.runsOf(c.What)[0]
		own, other, idle := statements{}, statements{}, statements{}
		for text, asked := range c.all {
			if rest[text] {
				other[text], idle[text] = asked, stores[c.People].rest[text]
			} else {
				own[text] = asked
			}
		}
		each := func(all int64) float64 { return float64(all) / float64(c.times) }
		one, more, less := own.sum(), other.sum(), idle.sum()
		c.Statements, c.Blocks, c.WAL = each(one.Calls), each(one.Blocks), each(one.WAL)
		c.Routine = each(more.Calls) - each(less.Calls)*c.passed
		c.RoutineBlocks = each(more.Blocks) - each(less.Blocks)*c.passed
		c.Deeper = each(c.done.deeper(first.done)) - each(stores[c.People].resting.deeper(first.done))*c.passed
		c.all = own
	}
	for _, c := range r.Runs {
		all := r.runsOf(c.What)
		if last := all[len(all)-1]; c.People == all[0].People && last.People > c.People {
			r.Grown = append(r.Grown, grown("Temporal: "+c.What, c.all, last.all, c.times)...)
		}
	}
}

// runsOf returns the costs of the same thing, those with the fewest people first.
func (r *Report) runsOf(what string) (all []RunCost) {
	for _, c := range r.Runs {
		if c.What == what {
			all = append(all, c)
		}
	}
	slices.SortStableFunc(all, func(a, b RunCost) int { return cmp.Compare(a.People, b.People) })
	return all
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
