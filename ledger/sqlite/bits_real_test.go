//go:build real

package sqlite

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"

	"github.com/tenurehq/tenure/audit"
)

// stored are the columns of what is stored of the record and its log.
var stored = []struct {
	table   string
	columns []string
}{
	{"audit", []string{"seq", "at", "person_id", "app", "action", "actor", "login", "cause", "detail", "key", "attempt", "salt"}},
	{"audit_leaves", []string{"leaf", "seq", "text", "hash"}},
	{"audit_tiles", []string{"level", "n", "data"}},
	{"checkpoints", []string{"size", "at", "root", "note"}},
}

// TENURE_REAL_ROWS says how many rows the record has, and TENURE_REAL_BITS how many bits are changed.
func sizes(t *testing.T, name string, size int) int {
	t.Helper()
	if text := os.Getenv(name); text != "" {
		var err error
		size, err = strconv.Atoi(text)
		require.NoError(t, err)
	}
	return size
}

// Single bits of a long record, anywhere in what is stored of it, are changed by somebody who has the
// database: each is found.
func TestSampledBitsOfALongRecordAreFound(t *testing.T) {
	rows, bits := sizes(t, "TENURE_REAL_ROWS", 50_000), sizes(t, "TENURE_REAL_BITS", 24)
	const origin = "example.com/tenure"
	path := newPath(t)
	s, err := Open(t.Context(), path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	signs, verifies, err := audit.NewKey(origin)
	require.NoError(t, err)
	q := newSequencer(s, time.Hour)
	q.Origin, q.Checkpoint = origin, 0
	q.Signer, err = note.NewSigner(signs)
	require.NoError(t, err)
	verifier, err := note.NewVerifier(verifies)
	require.NoError(t, err)
	const parts = 10 // so that there are as many checkpoints
	start := time.Now()
	for part := range parts {
		_, err = s.writes.conn.ExecContext(t.Context(), fmt.Sprintf(`WITH RECURSIVE n (n) AS (SELECT %d UNION ALL SELECT n + 1 FROM n WHERE n < %d)
			INSERT INTO audit (at, person_id, app, action, actor, login, cause, detail, key, attempt, salt)
			SELECT n, 'p' || n, 'wiki', 'created', 'tenure', 'root', 'everyone', '{"granted":["r' || n || '"]}', 'k' || n, n, randomblob(16) FROM n`, 1+part*rows/parts, (part+1)*rows/parts))
		require.NoError(t, err)
		require.NoError(t, q.Step(t.Context()))
	}
	t.Logf("%d rows were sequenced in %s", rows, time.Since(start).Round(time.Millisecond))
	verify := func() *audit.Report {
		var report *audit.Report
		require.NoError(t, s.ReadRecord(t.Context(), func(source audit.Source) (err error) {
			report, err = audit.Verify(t.Context(), source, audit.Options{Origin: origin, Verifiers: note.VerifierList(verifier), MustBeSigned: true})
			return err
		}))
		return report
	}
	start = time.Now()
	report := verify()
	require.Empty(t, report.Findings)
	require.Equal(t, []int64{int64(rows), parts, parts}, []int64{report.Leaves, report.Checkpoints, report.Signed})
	t.Logf("they were verified in %s", time.Since(start).Round(time.Millisecond))

	db, err := sql.Open(driverName, writeDSN(path))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	triggers, err := db.QueryContext(t.Context(), `SELECT name FROM sqlite_schema WHERE type = 'trigger'`)
	require.NoError(t, err)
	var names []string
	for triggers.Next() {
		var name string
		require.NoError(t, triggers.Scan(&name))
		names = append(names, name)
	}
	require.NoError(t, triggers.Err())
	for _, name := range names {
		_, err := db.ExecContext(t.Context(), "DROP TRIGGER "+name)
		require.NoError(t, err)
	}
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // no secret
	for found := 0; found < bits; {
		of := stored[found%len(stored)]
		column := of.columns[random.IntN(len(of.columns))]
		if what, is := flipStored(t, db, random, of.table, column); is {
			report := verify()
			require.False(t, report.Sound(), "%s", what.name)
			assert.NotEmpty(t, report.Findings)
			t.Logf("%s: %s", what.name, report.Findings[0].Kind)
			found++
			what.undo()
		}
	}
	require.Empty(t, verify().Findings, "what was changed was changed back")
}

type change struct {
	name string
	undo func()
}

// flipStored changes a bit of a column of some row, and reports whether the table lets it.
func flipStored(t *testing.T, db *sql.DB, random *rand.Rand, table, column string) (change, bool) {
	t.Helper()
	key := map[string]string{"audit": "rowid", "audit_leaves": "rowid", "checkpoints": "rowid"}[table]
	where, at := key+" = ?", []any{int64(0)}
	if key == "" {
		where, at = "level = ? AND n = ?", []any{int64(0), int64(0)}
		require.NoError(t, db.QueryRowContext(t.Context(), `SELECT level, n FROM audit_tiles ORDER BY level DESC, n LIMIT 1 OFFSET ? % (SELECT count(*) FROM audit_tiles)`, random.IntN(1<<20)).Scan(&at[0], &at[1]))
	} else {
		require.NoError(t, db.QueryRowContext(t.Context(), `SELECT `+key+` FROM `+table+` WHERE `+key+` >= ? LIMIT 1`, random.Int64N(largest(t, db, table))).Scan(&at[0]))
	}
	var was any
	require.NoError(t, db.QueryRowContext(t.Context(), `SELECT `+column+` FROM `+table+` WHERE `+where, at...).Scan(&was))
	now, bit := was, 0
	as := "?"
	switch v := was.(type) {
	case int64:
		bit = random.IntN(40)
		now = v ^ 1<<bit
	case []byte:
		bit = random.IntN(8 * len(v))
		v = slices.Clone(v)
		v[bit/8] ^= 1 << (bit % 8)
		now = v
	case string:
		bit = random.IntN(8 * len(v))
		b := []byte(v)
		b[bit/8] ^= 1 << (bit % 8)
		now, as = b, "CAST(? AS TEXT)"
	}
	// What is changed may be what the row is found by.
	then := slices.Clone(at)
	for i, name := range map[string][]string{"audit": {"seq"}, "audit_leaves": {"leaf"}, "audit_tiles": {"level", "n"}, "checkpoints": {"size"}}[table] {
		if name == column {
			then[i] = now
		}
	}
	if _, err := db.ExecContext(t.Context(), `UPDATE `+table+` SET `+column+` = `+as+` WHERE `+where, append([]any{now}, at...)...); err != nil {
		return change{}, false // the number of another, or no JSON
	}
	return change{fmt.Sprintf("%s %v, bit %d of %s", table, at, bit, column), func() {
		_, err := db.ExecContext(t.Context(), `UPDATE `+table+` SET `+column+` = ? WHERE `+where, append([]any{was}, then...)...)
		require.NoError(t, err)
	}}, true
}

func largest(t *testing.T, db *sql.DB, table string) (n int64) {
	t.Helper()
	require.NoError(t, db.QueryRowContext(t.Context(), `SELECT max(rowid) FROM `+table).Scan(&n))
	return n
}
