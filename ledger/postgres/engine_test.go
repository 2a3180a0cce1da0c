//go:build real

package postgres

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/internal/postgrestest"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/ledgertest"
	"github.com/tenurehq/tenure/ledger/relational"
)

func TestOldWorkersBesideNewOnes(t *testing.T) {
	at := postgrestest.NewDatabase(t)
	ledgertest.BesideOldWorkers(t, openStore(t, at), func(statement string) { postgrestest.Exec(t, at, statement) })
}

func TestManyOpenANewDatabaseAtOnce(t *testing.T) {
	at := postgrestest.NewDatabase(t)
	const processes, stores = 5, 6
	var children []*ledgertest.Child
	for i := range processes {
		children = append(children, ledgertest.Start(t, ledgertest.OpenOnce, with(at, "pool_max_conns", "2").String(), fmt.Sprint("child", i)))
	}
	begin := make(chan struct{})
	opened := ledgertest.InBackground(stores, func(i int) error {
		<-begin
		s, err := Open(t.Context(), with(at, "pool_max_conns", "2").String())
		if err != nil {
			return err
		}
		return errors.Join(ledgertest.WriteRound(t.Context(), s, fmt.Sprint("p", i), 0), s.Close())
	})
	for _, c := range children { // all children wait for the end of their input
		require.NoError(t, c.In.Close())
	}
	close(begin)
	for _, err := range opened() {
		require.NoError(t, err)
	}
	for _, c := range children {
		require.NoError(t, c.Cmd.Wait(), c.Said(t))
	}
	s := openStore(t, at)
	var versions, applied int
	require.NoError(t, s.db.QueryRowContext(t.Context(), `SELECT count(DISTINCT version_id), count(*) FROM goose_db_version`).Scan(&versions, &applied))
	assert.Equal(t, len(names(t, "migrations"))+1, applied, "goose's own zero counts")
	assert.Equal(t, versions, applied)
	all, err := s.People(t.Context(), "", 1000)
	require.NoError(t, err)
	assert.Len(t, all, processes+stores)
}

// TestTheServerCrashesUnderLoad kills the server's processes repeatedly while stores and
// processes write. They go on by themselves, everything that was acknowledged is there, and
// no call is stored by half or twice.
func TestTheServerCrashesUnderLoad(t *testing.T) {
	at := postgrestest.NewDatabase(t)
	openStore(t, at)
	const writers, children, crashes = 4, 2, 3
	var rounds [writers]atomic.Int64
	var stop atomic.Bool
	wrote := ledgertest.InBackground(writers, func(i int) error {
		s, err := Open(t.Context(), at.String())
		if err != nil {
			return err
		}
		for round := 0; !stop.Load(); round++ {
			if err := ledgertest.WriteRound(t.Context(), s, fmt.Sprint("p", i), round); err != nil {
				return errors.Join(fmt.Errorf("round %d: %w", round, err), s.Close())
			}
			rounds[i].Store(int64(round) + 1)
		}
		return s.Close()
	})
	var acknowledged [children]atomic.Int64
	var heard sync.WaitGroup
	processes := make([]*ledgertest.Child, children)
	for i := range processes {
		c := ledgertest.Start(t, ledgertest.WriteForEver, at.String(), fmt.Sprint("child", i))
		processes[i] = c
		heard.Go(func() {
			for c.Out.Scan() {
				n, err := strconv.ParseInt(c.Out.Text(), 10, 64)
				assert.NoError(t, err)
				acknowledged[i].Store(n + 1)
			}
		})
	}
	// progress waits until every writer has had some more rounds acknowledged.
	progress := func() {
		var from []int64
		all := func() (now []int64) {
			for i := range rounds {
				now = append(now, rounds[i].Load())
			}
			for i := range acknowledged {
				now = append(now, acknowledged[i].Load())
			}
			return now
		}
		from = all()
		require.Eventually(t, func() bool {
			for i, n := range all() {
				if n < from[i]+5 {
					return false
				}
			}
			return true
		}, 2*time.Minute, 10*time.Millisecond, "everybody goes on")
	}
	progress()
	for range crashes {
		crash(t)
		progress()
	}
	stop.Store(true)
	for _, err := range wrote() {
		require.NoError(t, err)
	}
	for _, c := range processes {
		require.NoError(t, c.Cmd.Process.Kill())
	}
	heard.Wait()
	for _, c := range processes {
		assert.Empty(t, c.Said(t))
	}
	s := openStore(t, at)
	for i := range rounds {
		n := int(rounds[i].Load())
		ledgertest.RequireWhole(t, s, fmt.Sprint("p", i), n-1)
	}
	for i := range acknowledged {
		ledgertest.RequireWhole(t, s, fmt.Sprint("child", i), int(acknowledged[i].Load())-1)
	}
}

// crash kills one of the server's processes with -9. The server then ends all others, loses
// its memory, and recovers.
func crash(t *testing.T) {
	t.Helper()
	db := connections(parsed(t, postgrestest.Administrator(t)))
	defer db.Close()
	var pid int
	require.NoError(t, db.QueryRowContext(t.Context(), `SELECT pg_backend_pid()`).Scan(&pid))
	require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
}

func parsed(t *testing.T, at *url.URL) *address {
	t.Helper()
	a, err := parse(at.String())
	require.NoError(t, err)
	return a
}

// TestACommitWhoseAnswerIsLost breaks connections during a commit, before or after the server
// has done it. The caller cannot tell which.
func TestACommitWhoseAnswerIsLost(t *testing.T) {
	at := postgrestest.NewDatabase(t)
	proxy := postgrestest.NewProxy(t, at.Host)
	through := *at
	through.Host = proxy.Address
	s := openStore(t, &through)
	for round := range 12 {
		proxy.Behave([]postgrestest.Behaviour{postgrestest.DropNextCommit, postgrestest.LoseNextCommit}[round%2])
		require.NoError(t, ledgertest.WriteRound(t.Context(), s, "p1", round))
		require.True(t, proxy.Is(postgrestest.Forward), "a connection was broken")
	}
	ledgertest.RequireWhole(t, openStore(t, at), "p1", 11)
}

func TestAnOutageIsWaitedForAndThenTold(t *testing.T) {
	at := postgrestest.NewDatabase(t)
	proxy := postgrestest.NewProxy(t, at.Host)
	through := *at
	through.Host = proxy.Address
	s := openStore(t, &through)
	require.NoError(t, ledgertest.WriteRound(t.Context(), s, "p1", 0))

	proxy.Behave(postgrestest.Refuse)
	calls := ledgertest.InBackground(2, func(i int) error {
		if i == 0 {
			_, err := s.Person(t.Context(), "p1")
			return err
		}
		return ledgertest.WriteRound(t.Context(), s, "p1", 1)
	})
	proxy.Behave(postgrestest.Forward)
	for _, err := range calls() {
		require.NoError(t, err, "nobody has noticed")
	}

	proxy.Behave(postgrestest.Refuse)
	hurried := relational.New(&engine{db: s.db, at: s.at, patience: 20 * time.Millisecond})
	_, err := hurried.ClaimUsername(t.Context(), "p2", "ada", 0)
	require.ErrorIs(t, err, ledger.ErrUnreachable)
	requireNoPassword(t, err)
	require.ErrorIs(t, hurried.Ping(t.Context()), ledger.ErrUnreachable)
	soon, hurry := context.WithTimeout(t.Context(), 5*time.Second) // as a probe does
	defer hurry()
	require.ErrorIs(t, s.Ping(soon), ledger.ErrUnreachable, "it says what is wrong")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, s.Ping(ctx), context.Canceled)

	proxy.Behave(postgrestest.Forward)
	require.NoError(t, s.Ping(t.Context()))
	ledgertest.RequireWhole(t, openStore(t, at), "p1", 1)
}

func TestACallEndsWithItsContext(t *testing.T) {
	at := postgrestest.NewDatabase(t)
	s := openStore(t, at)
	require.NoError(t, ledgertest.WriteRound(t.Context(), s, "p1", 0))
	release := hold(t, at, "p1")
	ctx, cancel := context.WithCancel(t.Context())
	waiting := ledgertest.InBackground(1, func(int) error { return ledgertest.WriteRound(ctx, s, "p1", 1) })
	awaitLock(t, s)
	cancel()
	require.ErrorIs(t, waiting()[0], context.Canceled)
	release()
	require.NoError(t, ledgertest.WriteRound(t.Context(), s, "p1", 1))
	ledgertest.RequireWhole(t, s, "p1", 1)
}

// TestATransactionThatBlocksAnother checks that a transaction which the server ends because of
// a deadlock begins again.
func TestATransactionThatBlocksAnother(t *testing.T) {
	at := postgrestest.NewDatabase(t)
	s := openStore(t, at)
	for i := range 2 {
		require.NoError(t, ledgertest.WriteRound(t.Context(), s, fmt.Sprint("p", i), 0))
	}
	other := *at
	other.User = postgrestest.Administrator(t).User // only a superuser may set deadlock_timeout, by which the store's transaction is the one to fail
	tx, err := openStore(t, &other).db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	lock := func(person string) error {
		_, err := tx.ExecContext(t.Context(), `SELECT FROM people WHERE id = $1 FOR UPDATE`, person)
		return err
	}
	_, err = tx.ExecContext(t.Context(), `SET LOCAL deadlock_timeout = '10min'`)
	require.NoError(t, err)
	require.NoError(t, lock("p1"))
	var receipts []ledger.Receipt
	recorded := ledgertest.InBackground(1, func(int) (err error) {
		receipts, err = s.Record(t.Context(), []ledger.Received{event("p0"), event("p1")})
		return err
	})
	awaitLock(t, s)
	require.NoError(t, lock("p0"), "the other one lets it go")
	require.NoError(t, tx.Commit())
	require.NoError(t, recorded()[0])
	assert.False(t, receipts[0].Duplicate)
	assert.False(t, receipts[1].Duplicate)
	require.Eventually(t, func() bool {
		var deadlocks int
		err := s.db.QueryRowContext(t.Context(), `SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`).Scan(&deadlocks)
		return err == nil && deadlocks == 1
	}, time.Minute, 10*time.Millisecond)
}

func event(person string) ledger.Received {
	return ledger.Received{At: time.Now(), Event: hr.Event{EventKey: hr.EventKey{Source: "/hr", ID: person}, PersonID: person}}
}

// hold locks a person, as another process would.
func hold(t *testing.T, at *url.URL, person string) (release func()) {
	t.Helper()
	s := openStore(t, at)
	tx, err := s.db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	_, err = tx.ExecContext(t.Context(), `SELECT FROM people WHERE id = $1 FOR UPDATE`, person)
	require.NoError(t, err)
	return func() { require.NoError(t, tx.Rollback()) }
}

// awaitLock waits until a session waits for a lock.
func awaitLock(t *testing.T, s *Store) {
	t.Helper()
	require.Eventually(t, func() bool {
		var waiting int
		err := s.db.QueryRowContext(t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&waiting)
		return err == nil && waiting > 0
	}, time.Minute, time.Millisecond)
}

func TestProcessesCountTogether(t *testing.T) {
	at := postgrestest.NewDatabase(t)
	ledgertest.CountTogether(t, openStore(t, at), with(at, "pool_max_conns", "2").String())
}

// Two round trips for an intent, whether or not it notes a creation, two for an outcome, and one for
// a reading of the person. What the ledger counts is what goes over the wire.
func TestWhatAStepAsksOfTheServer(t *testing.T) {
	at := postgrestest.NewDatabase(t)
	proxy := postgrestest.NewProxy(t, at.Host)
	through := *at
	through.Host = proxy.Address
	s := openStore(t, &through)
	costs := map[string]relational.Spent{}
	for _, person := range []string{"p1", "p2"} { // the statements are prepared for the first one
		trips, before := proxy.RoundTrips(), s.Spent()
		costs = ledgertest.StepCosts(t, s, person, "wiki")
		if person == "p2" {
			require.Equal(t, proxy.RoundTrips()-trips, s.Spent().Minus(before).RoundTrips)
		}
	}
	require.Equal(t, map[string]relational.Spent{
		"Person":                       {Reads: 1, Statements: 2 + 18, RoundTrips: 1},
		"BeginStep":                    {Writes: 1, Commits: 1, Statements: 3 + 11, RoundTrips: 2},
		"BeginStep, with the creation": {Writes: 1, Commits: 1, Statements: 3 + 13, RoundTrips: 2},
		"FinishStep":                   {Writes: 1, Commits: 1, Statements: 3 + 11, RoundTrips: 2},
		"Admit":                        {Writes: 1, Commits: 1, Statements: 3 + 30, RoundTrips: 3},
		"Admit, for the end":           {Writes: 1, Commits: 1, Statements: 3 + 11, RoundTrips: 2},
	}, costs)
}
