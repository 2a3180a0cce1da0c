//go:build real

package postgres

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/audit"
	"github.com/tenurehq/tenure/audit/sequencer"
	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/internal/postgrestest"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/ledgertest"
	"github.com/tenurehq/tenure/ledger/relational"
)

// looked is a ledger that tells from where on rows were looked for.
type looked struct {
	ledger.Ledger
	from int64
}

func (l *looked) Unsequenced(ctx context.Context, after int64, limit int) ([]audit.Row, error) {
	if l.from < 0 {
		l.from = after
	}
	return l.Ledger.Unsequenced(ctx, after, limit)
}

func sequencing(l sequencer.Log) *sequencer.Sequencer {
	return &sequencer.Sequencer{Ledger: l, Origin: "test/audit", Every: time.Hour, Clock: clock.Real(), Log: zap.NewNop()}
}

// insert adds an audit row as somebody does who has begun with it already.
const insert = `INSERT INTO audit (seq, at, person_id, app, action, actor, cause, key, attempt) VALUES ($1, 0, 'late', 'chat', 'created', 'tenure', '', 'k', $1)`

// A row that comes to light late gets its leaf, however long it takes, and whether its transaction
// had an ID when the row got its number or not.
func TestRowsThatComeToLightLateGetALeaf(t *testing.T) {
	s := openStore(t, postgrestest.NewDatabase(t))
	l := &looked{Ledger: s}
	q := sequencing(l)
	step := func(leaves int64) {
		t.Helper()
		l.from = -1
		require.NoError(t, q.Step(t.Context()))
		report := ledgertest.Verify(t, s)
		require.Empty(t, report.Findings)
		require.Equal(t, leaves, report.Leaves)
	}
	var seqs [2]int64
	for i, early := range []string{`SELECT 1`, `CREATE TEMPORARY TABLE t (n INT)`} { // the second gives the transaction an ID
		tx, err := s.db.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		defer func() { _ = tx.Rollback() }()
		_, err = tx.ExecContext(t.Context(), early)
		require.NoError(t, err)
		require.NoError(t, tx.QueryRowContext(t.Context(), `SELECT nextval('audit_seq_seq')`).Scan(&seqs[i]))
		for n := range 5 {
			require.NoError(t, ledgertest.WriteRound(t.Context(), s, fmt.Sprint("p", 5*i+n), 0))
			step(int64(6*i + n + 1))
		}
		assert.Less(t, l.from, seqs[i], "rows are looked for from before it on")
		_, err = tx.ExecContext(t.Context(), insert, seqs[i])
		require.NoError(t, err)
		step(int64(6*i + 5))
		require.NoError(t, tx.Commit())
		step(int64(6*i + 6))
	}
	var last int64
	require.NoError(t, s.db.QueryRowContext(t.Context(), `SELECT max(seq) FROM audit`).Scan(&last))
	require.Eventually(t, func() bool { // other databases of the server are used, too
		step(12)
		return l.from == last
	}, time.Minute, 10*time.Millisecond, "nobody is left who could write one before")
}

// Many write at once, some of them slowly, and two sequence.
func TestNoRowOfManyWritersIsSkipped(t *testing.T) {
	s := openStore(t, postgrestest.NewDatabase(t))
	ctx, stop := context.WithCancel(t.Context())
	var sequencers, writers sync.WaitGroup
	for range 2 {
		q := sequencing(s)
		sequencers.Go(func() {
			for ctx.Err() == nil {
				_ = q.Step(ctx) // whoever loses the lease says so
			}
		})
	}
	sequencers.Go(func() { // time passes for them
		for ctx.Err() == nil {
			leases, _ := s.Leases(ctx)
			for _, lease := range leases {
				_ = s.DropLease(ctx, lease)
			}
		}
	})
	const each = 60
	for w := range 3 {
		writers.Go(func() {
			for n := range each {
				assert.NoError(t, ledgertest.WriteRound(t.Context(), s, fmt.Sprint("p", w*each+n), 0))
			}
		})
	}
	for w := range 3 {
		writers.Go(func() {
			for n := range each {
				tx, err := s.db.BeginTx(t.Context(), nil)
				if !assert.NoError(t, err) {
					return
				}
				_, err = tx.ExecContext(t.Context(), `INSERT INTO audit (at, person_id, app, action, actor, cause, key, attempt) VALUES ($1, 'late', 'chat', 'created', 'tenure', '', 'k', $2)`, w, n)
				assert.NoError(t, err)
				_, err = tx.ExecContext(t.Context(), `SELECT pg_sleep($1)`, rand.Float64()/20) //nolint:gosec // no secret
				assert.NoError(t, err)
				assert.NoError(t, tx.Commit())
			}
		})
	}
	writers.Wait()
	stop()
	sequencers.Wait()
	leases, err := s.Leases(t.Context())
	require.NoError(t, err)
	for _, lease := range leases {
		require.NoError(t, s.DropLease(t.Context(), lease))
	}
	require.NoError(t, sequencing(s).Step(t.Context()))
	report := ledgertest.Verify(t, s)
	assert.Empty(t, report.Findings)
	assert.Equal(t, [2]int64{6 * each, 0}, [2]int64{report.Leaves, report.Waiting})
}

// A writer does not wait for the sequencer, even if that hangs in its transaction.
func TestWritersDoNotWaitForTheSequencer(t *testing.T) {
	s := openStore(t, postgrestest.NewDatabase(t))
	require.NoError(t, ledgertest.WriteRound(t.Context(), s, "p1", 0))
	lease, held, err := s.TakeLease(t.Context(), ledger.LeaseAudit, "a", time.Minute)
	require.NoError(t, err)
	require.True(t, held)
	rows, err := s.Unsequenced(t.Context(), 0, 10)
	require.NoError(t, err)
	tx, err := s.db.BeginTx(t.Context(), nil) // what AppendLeaves does, without its end
	require.NoError(t, err)
	defer func() { _ = tx.Rollback() }()
	for _, statement := range []string{
		`SELECT 1 FROM leases WHERE name = '` + lease.Name + `' FOR NO KEY UPDATE`,
		`INSERT INTO audit_leaves (leaf, seq, text, hash) VALUES (0, ` + fmt.Sprint(rows[0].Seq) + `, '', '')`,
		`INSERT INTO audit_tiles (level, n, data) VALUES (0, 0, '')`,
	} {
		_, err := tx.ExecContext(t.Context(), statement)
		require.NoError(t, err)
	}
	for n := range 20 {
		require.NoError(t, ledgertest.WriteRound(t.Context(), s, fmt.Sprint("p", n), 1))
	}
}

func BenchmarkFinishStep(b *testing.B) {
	var stores [2]*Store
	for i := range stores {
		s, err := Open(b.Context(), postgrestest.NewDatabase(b).String())
		require.NoError(b, err)
		defer func() { require.NoError(b, s.Close()) }()
		stores[i] = s
	}
	q := sequencing(stores[1])
	q.Checkpoint = time.Minute
	// The server plans for what it knows of the tables, and it knows of them what autovacuum has
	// seen within a minute: a plan for empty tables would be measured otherwise.
	for _, s := range stores {
		for n := range 2000 {
			require.NoError(b, ledgertest.OneStep(b.Context(), s, 99, 10_000_000+n))
		}
	}
	require.NoError(b, q.Step(b.Context()))
	for _, s := range stores {
		_, err := s.db.ExecContext(b.Context(), `ANALYZE`)
		require.NoError(b, err)
	}
	ledgertest.FinishSteps(b, stores[0], stores[1], q.Step)
}

// filling returns a function that writes rows of the record.
func filling(t testing.TB, s *Store) func(n int) {
	rows := 0
	return func(n int) {
		_, err := s.db.ExecContext(t.Context(), `INSERT INTO audit (at, person_id, app, action, actor, cause, detail, key, attempt, salt)
			SELECT 1700000000000000 + n, 'p' || n, 'wiki', 'created', 'tenure', 'everyone', '{"account":"' || n || '"}', 'Provision:wiki', 0, decode(md5(n::text), 'hex')
			FROM generate_series($1::int, $1::int + $2::int - 1) AS n`, rows, n)
		require.NoError(t, err)
		rows += n
		_, err = s.db.ExecContext(t.Context(), `ANALYZE audit, audit_leaves`) // as autovacuum does within a minute
		require.NoError(t, err)
	}
}

// calm is a ledger on a server on which nobody else does anything.
type calm struct{ *Store }

func (c calm) LogHorizon(ctx context.Context, before ledger.LogHorizon) (ledger.LogHorizon, bool, error) {
	now, _, err := c.Store.LogHorizon(ctx, before)
	now.Writers = nil
	return now, true, err
}

func TestWhatATurnOfTheSequencerAsksOfTheServer(t *testing.T) {
	s := openStore(t, postgrestest.NewDatabase(t))
	q := sequencing(calm{s})
	q.Checkpoint = time.Minute
	assert.Equal(t, relational.Spent{Writes: 12, Commits: 12, Reads: 13, Statements: 108, RoundTrips: 38}, ledgertest.TurnCosts(t, s, filling(t, s), q.Step))
}

func BenchmarkSequencing(b *testing.B) {
	s, err := Open(b.Context(), postgrestest.NewDatabase(b).String())
	require.NoError(b, err)
	defer func() { require.NoError(b, s.Close()) }()
	written := func() (n int64) {
		require.NoError(b, s.db.QueryRowContext(b.Context(), `SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn`).Scan(&n))
		return n
	}
	q := sequencing(s)
	q.Checkpoint = time.Minute
	ledgertest.Sequencing(b, s, filling(b, s), written, q.Step)
}
