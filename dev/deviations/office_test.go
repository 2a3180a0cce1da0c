//go:build real

package deviations

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/pace"
	"github.com/tenurehq/tenure/ledger/sqlite"
	"github.com/tenurehq/tenure/provision"
	"github.com/tenurehq/tenure/reconcile/scan"
	"github.com/tenurehq/tenure/service/apps"
)

// office is what a worker does, without Temporal: it assesses people, makes their steps, and
// scans apps, with the engine, the connectors and the scanner of the product.
type office struct {
	config  *config.Config
	known   apps.Apps
	ledger  ledger.Ledger
	path    string // of the ledger's database
	engine  *provision.Engine
	scanner *scan.Scanner
	scans   int

	mu  sync.Mutex
	due map[string]bool // people about whom something is new
	env *testsuite.TestWorkflowEnvironment
}

func newOffice(t *testing.T, configuration string) *office {
	t.Helper()
	cfg, err := config.Load(configuration)
	require.NoError(t, err)
	o := &office{config: cfg, due: map[string]bool{}, path: filepath.Join(t.TempDir(), "ledger.db")}
	store, err := sqlite.Open(t.Context(), o.path)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, store.Close()) })
	o.ledger, o.known = store, apps.Of(cfg, store)
	opened, err := o.known.OpenAll(t.Context(), pace.NewMetrics(prometheus.NewRegistry()))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, apps.Close(opened)) })
	o.engine = &provision.Engine{
		Ledger: store, Policy: cfg.Policy, Apps: opened, Clock: clock.Func(o.now), Log: zap.NewNop(),
		AttentionAfter: cfg.Attention.After, Recheck: cfg.Attention.Recheck, Breaker: cfg.Breaker,
	}
	o.scanner = &scan.Scanner{Ledger: store, Policy: cfg.Policy, Clock: clock.Func(o.now), Log: zap.NewNop(), Apps: map[string]scan.App{}}
	for name, app := range opened {
		require.NoError(t, app.Unopened, name)
		o.scanner.Apps[name] = scan.App{
			Terms: cfg.Apps[name].Reconcile, Settling: app.Connector.Capabilities().Settling,
			Open: func(ctx context.Context) (connector.Connector, error) { return o.known.Open(ctx, name) },
		}
	}
	return o
}

// now returns the time: that of a workflow that runs with skipped time, if there is one.
func (o *office) now() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.env != nil {
		return o.env.Now()
	}
	return time.Now()
}

// resume notes that something is new about somebody.
func (o *office) resume(id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.due[id] = true
}

// hear records what HR says, and does what is due.
func (o *office) hear(events []hr.Event) error {
	for some := range slices.Chunk(events, 500) {
		received := make([]ledger.Received, len(some))
		for i, e := range some {
			received[i] = ledger.Received{Event: e, At: o.now()}
			o.resume(e.PersonID)
		}
		if _, err := o.ledger.Record(context.Background(), received); err != nil {
			return err
		}
	}
	return o.settle()
}

// settle does what is due until nothing is, and until no attempt that has failed may still be under
// way: accounts in doubt are not judged. For whom the breaker waits for more, something stays due.
func (o *office) settle() error {
	for {
		if err := o.settleAll(); err != nil || o.engine.Breaker != nil {
			return err
		}
		doubts, err := o.tables(`SELECT person_id, doubt_until FROM links WHERE doubt_until IS NOT NULL
			UNION ALL SELECT person_id, deadline FROM attempts`)
		if err != nil || len(doubts) == 0 {
			return err
		}
		var until int64
		for _, row := range doubts {
			o.resume(row[0])
			at, err := strconv.ParseInt(row[1], 10, 64)
			if err != nil {
				return err
			}
			until = max(until, at)
		}
		if wait := time.UnixMicro(until).Sub(o.now()); wait > 0 {
			<-time.After(wait)
			continue
		}
		return o.settleAll() // an attempt whose time is over is in nobody's way
	}
}

// atOnce is how many people the office works on at once.
const atOnce = 8

// settleAll does what is due now.
func (o *office) settleAll() error {
	o.mu.Lock()
	due := o.due
	o.due = map[string]bool{}
	o.mu.Unlock()
	people := make(chan string)
	var workers sync.WaitGroup
	var mu sync.Mutex
	var failed []error
	for range atOnce {
		workers.Go(func() {
			for person := range people {
				if err := o.settleOne(person); err != nil {
					mu.Lock()
					failed = append(failed, fmt.Errorf("person %s: %w", person, err))
					mu.Unlock()
				}
			}
		})
	}
	for person := range due {
		people <- person
	}
	close(people)
	workers.Wait()
	return errors.Join(failed...)
}

// settleOne does what is to be done for somebody. A step that could not be made now is tried
// again.
func (o *office) settleOne(person string) error {
	var last error
	for round := range 20 {
		a, err := o.engine.Assess(context.Background(), person)
		if err != nil {
			return err
		}
		again, err := o.answers(person, a.Questions)
		if err != nil {
			return err
		}
		if again {
			continue
		}
		if len(a.Todo) == 0 {
			if a.Settle > 0 {
				o.resume(person)
			}
			return nil
		}
		done := map[string]bool{}
		for _, todo := range a.Todo {
			if slices.ContainsFunc(todo.Needs, func(key string) bool { return !done[key] }) {
				continue
			}
			_, _, err := o.engine.Apply(context.Background(), provision.Attempt{
				PersonID: person, Step: todo.Step, Deadline: time.Now().Add(time.Minute), Token: todo.Key + "/" + strconv.Itoa(round),
			})
			if done[todo.Key] = err == nil; err != nil {
				last = err
			}
		}
	}
	return fmt.Errorf("there is always something left to do: %w", last)
}

// answers answers what an operator is asked about somebody, and reports whether that has changed
// anything. People who look like one human are two. Where what HR says contradicts itself,
// nothing has to be done. Any other question is an error.
func (o *office) answers(person string, questions []provision.Attention) (changed bool, err error) {
	for _, q := range questions {
		switch {
		case strings.HasPrefix(q.Key, "same-human:"):
			changed = true
			err = o.engine.Ledger.Act(context.Background(), ledger.Action{
				Verb: ledger.VerbSkip, PersonID: person, Key: q.Key, Conflict: provision.Waivable(q.Key), Operator: "olga", Reason: "they are two", At: time.Now(),
			})
			if err != nil {
				return false, err
			}
		case !strings.HasPrefix(q.Key, "conflict/"):
			return false, fmt.Errorf("an operator is asked: %+v", q)
		}
	}
	return changed, nil
}

// scan scans an app once, and requires that the list is believed.
func (o *office) scan(t *testing.T, app string) {
	t.Helper()
	o.scans++
	for {
		p, err := o.scanner.Go(t.Context(), app, strconv.Itoa(o.scans), func() {}, func(people []string) {
			for _, person := range people {
				o.resume(person)
			}
		})
		require.NoError(t, err)
		if !p.More {
			require.Equal(t, ledger.ScanDone, p.State, "%s: %s", app, p.Why)
			return
		}
	}
}

// findings lists the findings that have not ended, as deviation.finding with their apps.
func (o *office) findings(t *testing.T) []string {
	t.Helper()
	all, err := o.ledger.Findings(t.Context(), ledger.FindingFilter{}, 0, 1000)
	require.NoError(t, err)
	list := []string{}
	for _, f := range all {
		whose := f.PersonID
		if whose == "" {
			whose = strings.Join(f.Candidates, ",")
		}
		seen, _, err := o.ledger.Seen(t.Context(), f.App, f.AccountID)
		require.NoError(t, err)
		list = append(list, f.App+": "+strings.Join([]string{string(f.Kind), f.What, seen.Username, whose, string(f.State)}, " "))
	}
	slices.Sort(list)
	return list
}

// tables asks the ledger's own tables, without any code of the product.
func (o *office) tables(query string, args ...any) (all [][]string, err error) {
	db, err := sql.Open("sqlite", "file:"+o.path+"?mode=ro")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	rows, err := db.QueryContext(context.Background(), query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		row, into := make([]string, len(columns)), make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		all = append(all, row)
	}
	return all, rows.Err()
}
