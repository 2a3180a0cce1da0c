package sqlite

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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
}

type dyingConn struct {
	relational.Conn
	d *dying
}

func (c dyingConn) die() error {
	if c.d.made++; c.d.made == c.d.at {
		return ledgertest.ErrDied
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
	return d.engine.Write(ctx, func(*relational.Tx) error {
		return f(relational.NewTx(dyingConn{d.writes.stmt, d}, dialect))
	})
}

// An erasure that dies at any of its statements has changed nothing, and can be done again.
func TestAnErasureIsWholeOrNotAtAll(t *testing.T) {
	s := openStore(t, newPath(t))
	erasure := ledgertest.Erasable(t, s)
	before, rows := ledgertest.Dump(t, s), counts(t, s)
	d := &dying{engine: engine{s}}
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
