package sqlite

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net/url"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger/ledgertest"
	"github.com/tenurehq/tenure/ledger/relational"
)

func TestManyOpenANewFileAtOnce(t *testing.T) {
	path := newPath(t)
	begin := make(chan struct{})
	opened := ledgertest.InBackground(12, func(i int) error {
		<-begin
		s, err := Open(t.Context(), path)
		if err != nil {
			return err
		}
		defer s.Close()
		return ledgertest.WriteRound(t.Context(), s, fmt.Sprint("p", i), 0)
	})
	close(begin)
	for _, err := range opened() {
		require.NoError(t, err)
	}
	requireMigratedOnce(t, path, 12)
}

func TestManyProcessesOpenANewFileAtOnce(t *testing.T) {
	path := newPath(t)
	var children []*ledgertest.Child
	for i := range 6 {
		children = append(children, ledgertest.Start(t, ledgertest.OpenOnce, path, fmt.Sprint("p", i)))
	}
	for _, c := range children { // all children wait for the end of their input
		require.NoError(t, c.In.Close())
	}
	for _, c := range children {
		require.NoError(t, c.Cmd.Wait(), c.Said(t))
	}
	requireMigratedOnce(t, path, 6)
}

// TestOpenWaits opens a file that another process has locked completely, as a process does for
// a moment when it recovers the file after a crash.
func TestOpenWaits(t *testing.T) {
	path := closedLedger(t)
	db, err := sql.Open(driverName, dsn(path, url.Values{"_pragma": {"locking_mode(EXCLUSIVE)"}}))
	require.NoError(t, err)
	_, err = db.ExecContext(t.Context(), `INSERT INTO people (id) VALUES ('p1')`)
	require.NoError(t, err)
	var opened atomic.Int64
	calls := ledgertest.InBackground(2, func(i int) error {
		defer opened.Add(1)
		if i == 0 {
			s, err := Open(t.Context(), path)
			if err != nil {
				return err
			}
			return s.Close()
		}
		w, err := openWriter(t.Context(), path, maxBatch, &relational.Meter{})
		if err != nil {
			return err
		}
		return w.close()
	})
	require.Never(t, func() bool { return opened.Load() > 0 }, 100*time.Millisecond, time.Millisecond)
	require.NoError(t, db.Close())
	for _, err := range calls() {
		require.NoError(t, err)
	}
}

// requireMigratedOnce requires that no migration was applied twice, and that every process
// could write.
func requireMigratedOnce(t *testing.T, path string, people int) {
	t.Helper()
	s := openStore(t, path)
	var versions, applied int
	require.NoError(t, s.reads.QueryRowContext(t.Context(),
		`SELECT count(DISTINCT version_id), count(*) FROM goose_db_version`).Scan(&versions, &applied))
	files, err := migrations.ReadDir("migrations")
	require.NoError(t, err)
	assert.Equal(t, len(files)+1, applied, "goose's own zero counts")
	assert.Equal(t, versions, applied)
	all, err := s.People(t.Context(), "", 1000)
	require.NoError(t, err)
	assert.Len(t, all, people)
}

// TestKilledProcesses repeatedly kills processes in the middle of writing. Everything that was
// acknowledged is there, and no call is stored by half.
func TestKilledProcesses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tenure.db")
	acknowledged := map[string]int{}
	for round := range 4 {
		var wg sync.WaitGroup
		var mu sync.Mutex
		for i := range 2 {
			name := fmt.Sprint("person ", round, " ", i)
			c := ledgertest.Start(t, ledgertest.WriteForEver, path, name)
			until := 20 + rand.IntN(60)
			wg.Go(func() {
				last := -1
				for c.Out.Scan() {
					n, err := strconv.Atoi(c.Out.Text())
					if !assert.NoError(t, err) {
						return
					}
					if last = n; last == until {
						assert.NoError(t, c.Cmd.Process.Kill())
					}
				}
				assert.GreaterOrEqual(t, last, until, c.Said(t))
				mu.Lock()
				defer mu.Unlock()
				acknowledged[name] = last
			})
		}
		wg.Wait()
		s := openStore(t, path)
		for name, last := range acknowledged {
			ledgertest.RequireWhole(t, s, name, last)
		}
		require.NoError(t, s.Close())
	}
}

func TestProcessesCountTogether(t *testing.T) {
	path := closedLedger(t)
	ledgertest.CountTogether(t, openStore(t, path), path)
}

// TestProcessesTakeTurns lets two processes write as fast as they can. Neither of them is kept
// out.
func TestProcessesTakeTurns(t *testing.T) {
	path := newPath(t)
	const rounds = 150
	busy := ledgertest.Start(t, ledgertest.WriteForEver, path, "busy")
	require.True(t, busy.Out.Scan(), "the other process writes")
	go func() {
		for busy.Out.Scan() { // keep it going
		}
	}()
	s := openStore(t, path)
	for _, err := range ledgertest.InBackground(4, func(i int) error {
		for round := range rounds {
			if err := ledgertest.WriteRound(t.Context(), s, fmt.Sprint("p", i), round); err != nil {
				return err
			}
		}
		return nil
	})() {
		require.NoError(t, err)
	}
	p, err := s.Person(t.Context(), "busy")
	require.NoError(t, err)
	assert.NotEmpty(t, p.Events)
}
