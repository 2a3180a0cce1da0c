package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"modernc.org/sqlite"

	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/ledgertest"
	"github.com/tenurehq/tenure/ledger/relational"
)

func TestConcurrentWritesShareATransaction(t *testing.T) {
	s := openStore(t, newPath(t))
	commits := countCommits(t, s)
	release := lock(t, s.path)
	const callers = 100
	calls := ledgertest.InBackground(callers, func(i int) error { return claimName(t.Context(), s, i) })
	require.Eventually(t, func() bool { return len(s.writes.queue) == callers-1 }, time.Minute, time.Millisecond)
	release()
	for _, err := range calls() {
		require.NoError(t, err)
	}
	assert.EqualValues(t, 1, commits.Load())
	people, err := s.People(t.Context(), "", callers)
	require.NoError(t, err)
	assert.Len(t, people, callers)
}

func TestATransactionIsBounded(t *testing.T) {
	s := openStore(t, newPath(t))
	commits := countCommits(t, s)
	s.writes.batch = 10
	release := lock(t, s.path)
	calls := ledgertest.InBackground(25, func(i int) error { return claimName(t.Context(), s, i) })
	require.Eventually(t, func() bool { return len(s.writes.queue) == 24 }, time.Minute, time.Millisecond)
	release()
	for _, err := range calls() {
		require.NoError(t, err)
	}
	assert.EqualValues(t, 3, commits.Load())
}

func TestAFailingCallIsUndoneAlone(t *testing.T) {
	s := openStore(t, newPath(t))
	commits := countCommits(t, s)
	mistake := errors.New("mistake")
	release := lock(t, s.path)
	calls := ledgertest.InBackground(20, func(i int) error {
		return s.writes.do(t.Context(), func(*relational.Tx) error {
			_, err := s.writes.stmt.Exec(`INSERT INTO people (id) VALUES (?)`, fmt.Sprint("p", i))
			if err != nil || i%2 == 0 {
				return errors.Join(err, mistake)
			}
			return nil
		})
	})
	require.Eventually(t, func() bool { return len(s.writes.queue) == 19 }, time.Minute, time.Millisecond)
	release()
	for i, err := range calls() {
		if i%2 == 0 {
			require.ErrorIs(t, err, mistake)
		} else {
			require.NoError(t, err)
		}
	}
	assert.EqualValues(t, 1, commits.Load())
	people, err := s.People(t.Context(), "", 100)
	require.NoError(t, err)
	assert.Len(t, people, 10)
}

func TestACallThatWaitsCanBeCancelled(t *testing.T) {
	s := openStore(t, newPath(t))
	release := lock(t, s.path)
	ctx, cancel := context.WithCancel(t.Context())
	calls := ledgertest.InBackground(5, func(i int) error { return claimName(ctx, s, i) })
	patient := ledgertest.InBackground(1, func(int) error { return claimName(t.Context(), s, 99) })
	require.Eventually(t, func() bool { return len(s.writes.queue) == 5 }, time.Minute, time.Millisecond)
	cancel()
	for _, err := range calls() {
		require.ErrorIs(t, err, context.Canceled)
	}
	release()
	require.NoError(t, patient()[0])
	people, err := s.People(t.Context(), "", 100)
	require.NoError(t, err)
	require.Len(t, people, 1)
	assert.Equal(t, "p99", people[0].PersonID)
}

func TestALockHeldForTooLongIsExplained(t *testing.T) {
	s := openStore(t, newPath(t))
	s.writes.patience = 20 * time.Millisecond
	release := lock(t, s.path)
	for _, err := range ledgertest.InBackground(5, func(i int) error { return claimName(t.Context(), s, i) })() {
		require.ErrorContains(t, err, s.path)
		require.ErrorContains(t, err, "another process has been writing for too long")
	}
	release()
	require.NoError(t, claimName(t.Context(), s, 1))
}

func TestReadsDoNotWaitForWriters(t *testing.T) {
	s := openStore(t, newPath(t))
	require.NoError(t, claimName(t.Context(), s, 1))
	release := lock(t, s.path)
	defer release()
	_, err := s.Person(t.Context(), "p1")
	require.NoError(t, err)
	require.NoError(t, s.Ping(t.Context()))
}

func TestCloseDrains(t *testing.T) {
	s, err := Open(t.Context(), newPath(t))
	require.NoError(t, err)
	release := lock(t, s.path)
	calls := ledgertest.InBackground(50, func(i int) error { return claimName(t.Context(), s, i) })
	require.Eventually(t, func() bool { return len(s.writes.queue) == 49 }, time.Minute, time.Millisecond)
	closed := ledgertest.InBackground(1, func(int) error { return s.Close() })
	require.Eventually(t, func() bool {
		s.writes.mu.RLock()
		defer s.writes.mu.RUnlock()
		return s.writes.closed
	}, time.Minute, time.Millisecond)
	require.ErrorContains(t, claimName(t.Context(), s, 99), "closed")
	release()
	for _, err := range calls() {
		require.NoError(t, err)
	}
	require.NoError(t, closed()[0])
	people, err := openStore(t, s.path).People(t.Context(), "", 100)
	require.NoError(t, err)
	assert.Len(t, people, 50)
}

func TestCloseWhileCallsKeepComing(t *testing.T) {
	s, err := Open(t.Context(), newPath(t))
	require.NoError(t, err)
	var acknowledged, next atomic.Int64
	calls := ledgertest.InBackground(20, func(int) error {
		for {
			if err := claimName(t.Context(), s, int(next.Add(1))); err != nil {
				return err
			}
			acknowledged.Add(1)
		}
	})
	require.Eventually(t, func() bool { return acknowledged.Load() > 100 }, time.Minute, time.Millisecond)
	require.NoError(t, s.Close())
	for _, err := range calls() {
		require.ErrorIs(t, err, errClosed)
	}
	people, err := openStore(t, s.path).People(t.Context(), "", 1e6)
	require.NoError(t, err)
	assert.Len(t, people, int(acknowledged.Load()))
}

func TestAFullDiskChangesNothingAndRecovers(t *testing.T) {
	s := openStore(t, newPath(t))
	require.NoError(t, claimName(t.Context(), s, 1))
	maxPages(t, s, 1) // raised to what there is: the file cannot grow
	var full error
	written := 0
	for full == nil {
		written++
		full = s.FinishStep(t.Context(), ledger.Outcome{
			PersonID: "p1", App: "wiki", Key: fmt.Sprint("k", written), State: ledger.StepDone, At: time.Now(),
			Audit: &ledger.AuditRow{Action: "created", Cause: fmt.Sprintf("%01000d", written)},
		})
		require.Less(t, written, 1000)
	}
	require.ErrorContains(t, full, s.path)
	require.ErrorContains(t, full, "the disk is full")
	maxPages(t, s, 1<<30)
	rows, err := s.Audit(t.Context(), "", 0, 1000)
	require.NoError(t, err)
	assert.Len(t, rows, written-1)
	require.NoError(t, claimName(t.Context(), s, 2), "goes on when there is room")
}

// maxPages limits how far the writing connection lets the file grow.
func maxPages(t *testing.T, s *Store, n int) {
	t.Helper()
	require.NoError(t, s.writes.do(t.Context(), func(*relational.Tx) error {
		return s.writes.stmt.exec(fmt.Sprintf(`PRAGMA max_page_count = %d`, n))
	}))
}

func claimName(ctx context.Context, s *Store, i int) error {
	_, err := s.ClaimUsername(ctx, fmt.Sprint("p", i), fmt.Sprint("name", i), 0)
	return err
}

// countCommits counts the transactions that wrote something.
func countCommits(t *testing.T, s *Store) *atomic.Int64 {
	t.Helper()
	var n atomic.Int64
	require.NoError(t, s.writes.conn.Raw(func(c any) error {
		c.(sqlite.HookRegisterer).RegisterCommitHook(func() int32 { n.Add(1); return 0 })
		return nil
	}))
	return &n
}

// lock takes the file's write lock, as another process would.
func lock(t *testing.T, path string) (release func()) {
	t.Helper()
	db, err := sql.Open(driverName, writeDSN(path))
	require.NoError(t, err)
	held, err := db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	return func() {
		require.NoError(t, held.Rollback())
		require.NoError(t, db.Close())
	}
}
