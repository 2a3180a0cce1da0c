package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/ledgertest"
	"github.com/tenurehq/tenure/ledger/relational"
)

// files returns all bytes of the ledger's files.
func files(t *testing.T, path string) string {
	t.Helper()
	var all strings.Builder
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(filepath.Dir(path), e.Name()))
		require.NoError(t, err)
		all.Write(b)
	}
	return all.String()
}

// Nothing that was erased is left in the file, in what is free of it, and in its log, while
// other processes have it open.
func TestNoByteIsLeftInTheFiles(t *testing.T) {
	path := newPath(t)
	s, other := openStore(t, path), openStore(t, path)
	_, err := s.writes.conn.ExecContext(t.Context(), `PRAGMA secure_delete = off`) // as earlier versions wrote
	require.NoError(t, err)
	ledgertest.Forgotten(t, s)
	_, err = other.Person(t.Context(), "p1")
	require.NoError(t, err)
	before := strings.ToLower(files(t, path))
	for _, trace := range ledgertest.Traces {
		assert.Contains(t, before, trace, "this test would see it")
	}
	require.NoError(t, s.Scrub(t.Context()))
	ledgertest.RequireForgotten(t, files(t, path))
	_, err = other.Person(t.Context(), "p1")
	require.NoError(t, err)
	require.NoError(t, ledgertest.WriteRound(t.Context(), other, "ada", 1), "others go on writing")
	require.NoError(t, s.Scrub(t.Context()))
	ledgertest.RequireForgotten(t, files(t, path))
}

// dying is an engine of which a transaction dies at one of its statements.
type dying struct {
	engine
	at, made int
	die      func() error
}

type dyingConn struct {
	relational.Conn
	d *dying
}

func (c dyingConn) die() error {
	return c.d.step()
}

func (d *dying) step() error {
	if d.made++; d.made == d.at {
		return d.die()
	}
	return nil
}

// Exec implements relational.Conn.
func (c dyingConn) Exec(query string, args ...any) (sql.Result, error) {
	if err := c.die(); err != nil {
		return nil, err
	}
	return c.Conn.Exec(query, args...)
}

// Query implements relational.Conn.
func (c dyingConn) Query(query string, args ...any) (*sql.Rows, error) {
	if err := c.die(); err != nil {
		return nil, err
	}
	return c.Conn.Query(query, args...)
}

// Write implements relational.Engine.
func (d *dying) Write(ctx context.Context, f func(*relational.Tx) error) error {
	if err := d.engine.Write(ctx, func(*relational.Tx) error {
		return f(relational.NewTx(dyingConn{d.writes.stmt, d}, dialect))
	}); err != nil {
		return err
	}
	return d.step() // it is committed, and nobody knows
}

// An erasure that dies at any of its statements has changed nothing, and can be done again.
func TestAnErasureIsWholeOrNotAtAll(t *testing.T) {
	s := openStore(t, newPath(t))
	erasure := ledgertest.Erasable(t, s)
	before, rows := ledgertest.Dump(t, s), counts(t, s)
	d := &dying{engine: engine{s}, die: func() error { return ledgertest.ErrDied }}
	store := relational.New(d)
	store.SetPepper(ledgertest.Pepper)
	died := 0
	for d.at = 1; ; d.at++ {
		d.made = 0
		_, err := store.Erase(t.Context(), erasure)
		if err == nil {
			break
		}
		require.ErrorIs(t, err, ledgertest.ErrDied)
		if p, err := s.Person(t.Context(), erasure.PersonID); err == nil && !p.ErasedAt.IsZero() {
			break // it died after it was committed
		}
		died++
		if d.at%20 == 0 {
			require.Equal(t, rows, counts(t, s))
		}
		p, err := s.Person(t.Context(), erasure.PersonID)
		require.NoError(t, err)
		require.Zero(t, p.ErasedAt)
		require.NotEmpty(t, p.Events)
	}
	t.Logf("died at %d statements", died)
	assert.Greater(t, died, 100)
	assert.Contains(t, before, "adelheid")
	ledgertest.RequireForgotten(t, ledgertest.Dump(t, s))
}

// The environment variables of a child process that erases people: the ledger, and the step at which
// it kills itself.
const (
	childErases = "SQLITE_TEST_ERASES"
	childKilled = "SQLITE_TEST_KILLED_AT"
)

// erasesUntilKilled erases those who can be, one after the other, as the daily run does, then scrubs
// the files. It prints the number of each step that is a commit. Nothing catches a SIGKILL.
func erasesUntilKilled(ctx context.Context, path string) error {
	s, err := Open(ctx, path)
	if err != nil {
		return err
	}
	defer s.Close()
	if _, err := s.writes.conn.ExecContext(ctx, `PRAGMA secure_delete = off`); err != nil { // as earlier versions wrote
		return err
	}
	d := &dying{engine: engine{s}, die: func() error {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}}
	d.at, _ = strconv.Atoi(os.Getenv(childKilled))
	store := relational.New(d)
	store.SetPepper(ledgertest.Pepper)
	for _, person := range []string{"boss", "p1", "p2"} { // something stands against boss and p2 for ever
		p, err := store.Person(ctx, person)
		if err != nil {
			return err
		}
		_, err = store.Erase(ctx, ledger.Erasure{PersonID: person, Revision: p.Revision, Operator: ledger.ActorTenure, Reason: "kept long enough", At: time.Unix(1_800_000_000, 0)})
		var stands *ledger.StandsAgainstError
		if err != nil && !errors.As(err, &stands) {
			return err
		}
		fmt.Println(d.made)
	}
	fmt.Println("scrubs")
	return s.Scrub(ctx)
}

// An erasure that is killed at any place is whole or not there at all, and the next one ends it:
// once, with nothing left in the files.
func TestAnErasureThatIsKilled(t *testing.T) {
	path := newPath(t)
	s, err := Open(t.Context(), path)
	require.NoError(t, err)
	ledgertest.Erasable(t, s)
	require.NoError(t, s.Close())
	child := func(path string, at int) (said []string, killed bool) {
		exe, err := os.Executable()
		require.NoError(t, err)
		cmd := exec.Command(exe)
		cmd.Env = append(os.Environ(), childErases+"="+path, childKilled+"="+strconv.Itoa(at))
		out, err := cmd.Output()
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			status, ok := exit.Sys().(syscall.WaitStatus)
			require.True(t, ok && status.Signaled(), "%s", exit.Stderr)
			return strings.Fields(string(out)), true
		}
		require.NoError(t, err)
		return strings.Fields(string(out)), false
	}
	again := func() string {
		next := newPath(t)
		require.NoError(t, os.CopyFS(filepath.Dir(next), os.DirFS(filepath.Dir(path)))) // with the log, if there is one
		return next
	}
	said, killed := child(again(), 0)
	require.False(t, killed)
	require.Len(t, said, 4)
	before, err := strconv.Atoi(said[0])
	require.NoError(t, err)
	committed, err := strconv.Atoi(said[1])
	require.NoError(t, err)
	require.Greater(t, committed-before, 100)
	for _, at := range []int{1, before + 1, before + rand.IntN(committed-before-2) + 1, committed - 1, committed, committed + 1} {
		path := again()
		_, killed := child(path, at)
		require.True(t, killed, "at %d", at)
		s, err := Open(t.Context(), path)
		require.NoError(t, err)
		p, err := s.Person(t.Context(), "p1")
		require.NoError(t, err)
		assert.Equal(t, at >= committed, !p.ErasedAt.IsZero(), "at %d", at)
		assert.Equal(t, at >= committed, len(p.Events) == 0, "at %d", at)
		require.NoError(t, s.Close())
		_, killed = child(path, 0)
		require.False(t, killed)
		ledgertest.RequireForgotten(t, files(t, path))
		ledgertest.RequireErasedOnce(t, openStore(t, path), "p1")
	}
}

// counts returns how many rows of the record and of what is reserved there are, and what the
// person is called.
func counts(t *testing.T, s *Store) (all string) {
	t.Helper()
	require.NoError(t, s.reads.QueryRowContext(t.Context(), `SELECT (SELECT count(*) FROM audit) || ' ' || (SELECT count(*) FROM reserved) || ' ' || (SELECT count(*) FROM redactions)
		|| ' ' || (SELECT count(*) FROM identifiers) || ' ' || (SELECT group_concat(given_name, ',') FROM people)`).Scan(&all))
	return all
}

// In a large ledger names are looked for before the transaction, and in what is new in it.
func TestNamesAreFoundAmongManyRows(t *testing.T) {
	s := openStore(t, newPath(t))
	erasure := ledgertest.Erasable(t, s)
	for _, statement := range []string{
		`INSERT INTO audit (at, person_id, app, action, actor, cause, key, attempt, login)
			SELECT value, 'q', 'wiki', 'updated', 'tenure', 'urn:hr/' || value, 'k', value, '' FROM generate_series`,
		`INSERT INTO events (source, id, person_id, at, topic, partition, "offset", body)
			SELECT 'x', value, 'p2', 0, 'hr', 0, 0, '{"id":"' || value || '"}' FROM generate_series`,
	} {
		_, err := s.writes.conn.ExecContext(t.Context(), `WITH RECURSIVE generate_series (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM generate_series WHERE value < 12000) `+statement)
		require.NoError(t, err)
	}
	_, err := s.Erase(t.Context(), erasure)
	require.NoError(t, err)
	ledgertest.RequireForgotten(t, ledgertest.Dump(t, s))
}
