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
)

func TestManyOpenANewFileAtOnce(t *testing.T) {
	path := newPath(t)
	begin := make(chan struct{})
	opened := inBackground(12, func(i int) error {
		<-begin
		s, err := Open(t.Context(), path)
		if err != nil {
			return err
		}
		defer s.Close()
		return writeRound(t.Context(), s, fmt.Sprint("p", i), 0)
	})
	close(begin)
	for _, err := range opened() {
		require.NoError(t, err)
	}
	requireMigratedOnce(t, path, 12)
}

func TestManyProcessesOpenANewFileAtOnce(t *testing.T) {
	path := newPath(t)
	var children []*child
	for i := range 6 {
		children = append(children, start(t, "open", path, fmt.Sprint("p", i)))
	}
	for _, c := range children { // all wait for this
		require.NoError(t, c.in.Close())
	}
	for _, c := range children {
		require.NoError(t, c.cmd.Wait(), c.said(t))
	}
	requireMigratedOnce(t, path, 6)
}

// TestOpenWaits opens a file that another process has wholly to itself, as it
// has for a moment when it recovers the file after a crash.
func TestOpenWaits(t *testing.T) {
	path := closedLedger(t)
	db, err := sql.Open(driverName, dsn(path, url.Values{"_pragma": {"locking_mode(EXCLUSIVE)"}}))
	require.NoError(t, err)
	_, err = db.ExecContext(t.Context(), `INSERT INTO people (id) VALUES ('p1')`)
	require.NoError(t, err)
	var opened atomic.Int64
	calls := inBackground(2, func(i int) error {
		defer opened.Add(1)
		if i == 0 {
			s, err := Open(t.Context(), path)
			if err != nil {
				return err
			}
			return s.Close()
		}
		w, err := openWriter(t.Context(), path, maxBatch)
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

// requireMigratedOnce sees that no migration was applied twice, and that
// everybody could write.
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

// TestKilledProcesses kills processes in the middle of writing, over and over:
// what they acknowledged is there, and nothing is there by half.
func TestKilledProcesses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tenure.db")
	acknowledged := map[string]int{}
	for round := range 4 {
		var wg sync.WaitGroup
		var mu sync.Mutex
		for i := range 2 {
			name := fmt.Sprint("person ", round, " ", i)
			c := start(t, "write", path, name)
			until := 20 + rand.IntN(60)
			wg.Go(func() {
				last := -1
				for c.out.Scan() {
					n, err := strconv.Atoi(c.out.Text())
					if !assert.NoError(t, err) {
						return
					}
					if last = n; last == until {
						assert.NoError(t, c.cmd.Process.Kill())
					}
				}
				assert.GreaterOrEqual(t, last, until, c.said(t))
				mu.Lock()
				defer mu.Unlock()
				acknowledged[name] = last
			})
		}
		wg.Wait()
		s := openStore(t, path)
		for name, last := range acknowledged {
			requireWhole(t, s, name, last)
		}
		require.NoError(t, s.Close())
	}
}

// requireWhole sees that the rounds up to the last acknowledged one are there,
// and of the next one only whole calls.
func requireWhole(t *testing.T, s *Store, name string, last int) {
	t.Helper()
	p, err := s.Person(t.Context(), name)
	require.NoError(t, err)
	require.Zero(t, len(p.Events)%eventsPerRound, "half a call")
	rounds := len(p.Events) / eventsPerRound
	require.Contains(t, []int{last + 1, last + 2}, rounds)
	for i, e := range p.Events {
		require.Equal(t, fmt.Sprint(i/eventsPerRound, " ", i%eventsPerRound), e.Event.ID)
	}
	rows, err := s.Audit(t.Context(), name, 0, 1e6)
	require.NoError(t, err)
	require.Contains(t, []int{last + 1, last + 2}, len(rows))
	for i, r := range rows {
		require.Equal(t, strconv.Itoa(i), r.Cause)
	}
	require.Len(t, p.Links, 1)
	require.Equal(t, rows[len(rows)-1].Cause, p.Links[0].Attributes, "link and audit row of one outcome")
	require.LessOrEqual(t, len(p.Steps), 1)
	if len(p.Steps) == 1 {
		require.Equal(t, fmt.Sprint("step ", len(rows)), p.Steps[0].Key, "the intent that was not resolved")
	}
}

// TestProcessesTakeTurns has two processes write as fast as they can: neither is
// kept out.
func TestProcessesTakeTurns(t *testing.T) {
	path := newPath(t)
	const rounds = 150
	busy := start(t, "write", path, "busy")
	require.True(t, busy.out.Scan(), "the other process writes")
	go func() {
		for busy.out.Scan() { // keep it going
		}
	}()
	s := openStore(t, path)
	for _, err := range inBackground(4, func(i int) error {
		for round := range rounds {
			if err := writeRound(t.Context(), s, fmt.Sprint("p", i), round); err != nil {
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
