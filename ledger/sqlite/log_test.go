package sqlite

import (
	"database/sql"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/audit"
	"github.com/tenurehq/tenure/audit/sequencer"
	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/ledger/ledgertest"
	"github.com/tenurehq/tenure/ledger/relational"
)

// noted is the writing connection, and notes what is executed.
type noted struct {
	relational.Conn
	statements []string
}

func (n *noted) Exec(query string, args ...any) (sql.Result, error) {
	n.statements = append(n.statements, query)
	return n.Conn.Exec(query, args...)
}

func (n *noted) Query(query string, args ...any) (*sql.Rows, error) {
	n.statements = append(n.statements, query)
	return n.Conn.Query(query, args...)
}

func newSequencer(s *Store, every time.Duration) *sequencer.Sequencer {
	return &sequencer.Sequencer{Ledger: s, Origin: "test/audit", Every: every, Checkpoint: time.Minute, Clock: clock.Real(), Log: zap.NewNop()}
}

// What is written for a step is the same, statement by statement, whether the record is put into
// its log or not: writers know nothing of it.
func TestWritersWriteTheSameWithALog(t *testing.T) {
	s := openStore(t, newPath(t))
	n := &noted{Conn: s.writes.stmt}
	s.writes.tx = relational.NewTx(n, dialect)
	round := func(person string) []string {
		n.statements = nil
		require.NoError(t, ledgertest.WriteRound(t.Context(), s, person, 0))
		return n.statements
	}
	without := round("p1")
	require.NotEmpty(t, without)
	q := newSequencer(s, time.Hour)
	require.NoError(t, q.Step(t.Context()))
	require.EqualValues(t, 1, ledgertest.Verify(t, s).Leaves)
	assert.Equal(t, without, round("p2"))
	t.Logf("%d statements, with a log and without", len(without))
}

func BenchmarkFinishStep(b *testing.B) {
	var stores [2]*Store
	for i := range stores {
		s, err := Open(b.Context(), newPath(b))
		require.NoError(b, err)
		defer func() { require.NoError(b, s.Close()) }()
		stores[i] = s
	}
	ledgertest.FinishSteps(b, stores[0], stores[1], newSequencer(stores[1], time.Hour).Step)
}

// filling returns a function that writes rows of the record.
func filling(t testing.TB, s *Store) func(n int) {
	rows := 0
	return func(n int) {
		_, err := s.writes.conn.ExecContext(t.Context(), `WITH RECURSIVE n (n) AS (SELECT ?1 UNION ALL SELECT n + 1 FROM n WHERE n + 1 < ?1 + ?2)
			INSERT INTO audit (at, person_id, app, action, actor, cause, detail, key, attempt, salt)
			SELECT 1700000000000000 + n, 'p' || n, 'wiki', 'created', 'tenure', 'everyone', '{"account":"' || n || '"}', 'Provision:wiki', 0, randomblob(16) FROM n`, rows, n)
		require.NoError(t, err)
		rows += n
	}
}

func BenchmarkSequencing(b *testing.B) {
	path := newPath(b)
	s, err := Open(b.Context(), path)
	require.NoError(b, err)
	defer func() { require.NoError(b, s.Close()) }()
	_, err = s.writes.conn.ExecContext(b.Context(), `PRAGMA wal_autocheckpoint = 0`) // so that the file grows by what is written
	require.NoError(b, err)
	written := func() int64 {
		info, err := os.Stat(path + "-wal")
		require.NoError(b, err)
		return info.Size()
	}
	ledgertest.Sequencing(b, s, filling(b, s), written, newSequencer(s, time.Hour).Step)
}

func BenchmarkVerify(b *testing.B) {
	s, err := Open(b.Context(), newPath(b))
	require.NoError(b, err)
	defer func() { require.NoError(b, s.Close()) }()
	const rows = 20_000
	_, err = s.writes.conn.ExecContext(b.Context(), fmt.Sprintf(`WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < %d)
		INSERT INTO audit (at, person_id, app, action, actor, cause, key, attempt, salt) SELECT n, 'p' || n, 'wiki', 'created', 'tenure', 'everyone', 'k' || n, 0, randomblob(16) FROM n`, rows))
	require.NoError(b, err)
	start := time.Now()
	require.NoError(b, newSequencer(s, time.Hour).Step(b.Context()))
	sequenced := rows / time.Since(start).Seconds()
	for b.Loop() {
		require.NoError(b, s.ReadRecord(b.Context(), func(source audit.Source) error {
			r, err := audit.Verify(b.Context(), source, audit.Options{})
			require.True(b, err == nil && r.Sound() && r.Leaves == rows)
			return err
		}))
	}
	b.ReportMetric(sequenced, "sequenced/s")
	b.ReportMetric(float64(rows*b.N)/b.Elapsed().Seconds(), "verified/s")
}
