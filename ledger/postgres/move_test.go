//go:build real

package postgres

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/internal/postgrestest"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/ledgertest"
	"github.com/tenurehq/tenure/ledger/relational"
	"github.com/tenurehq/tenure/ledger/sqlite"
	"github.com/tenurehq/tenure/ledger/sqlite/sqlitetest"
)

func openFile(t *testing.T) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlitetest.New(t))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func TestALedgerMovesFromSQLite(t *testing.T) {
	ledgertest.Move(t, openFile(t), openStore(t, postgrestest.NewDatabase(t)))
}

func TestALedgerMovesToSQLite(t *testing.T) {
	ledgertest.Move(t, openStore(t, postgrestest.NewDatabase(t)), openFile(t))
}

func TestALedgerMovesToAnotherDatabase(t *testing.T) {
	ledgertest.Move(t, openStore(t, postgrestest.NewDatabase(t)), openStore(t, postgrestest.NewDatabase(t)))
}

var byOps = ledger.Move{Operator: "ops", At: time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)}

// TestThereAndBack: an export of what was imported is the same, to the byte, but for
// the row that says that it was imported.
func TestThereAndBack(t *testing.T) {
	first, second, third := openFile(t), openStore(t, postgrestest.NewDatabase(t)), openFile(t)
	for round := range 300 {
		require.NoError(t, ledgertest.WriteRound(t.Context(), first, "p1", round))
	}
	var there, back, again bytes.Buffer
	_, err := first.Export(t.Context(), &there, byOps, nil)
	require.NoError(t, err)
	_, err = second.Import(t.Context(), strings.NewReader(there.String()), byOps, nil)
	require.NoError(t, err)
	_, err = second.Export(t.Context(), &back, byOps, nil)
	require.NoError(t, err)
	_, err = third.Import(t.Context(), strings.NewReader(back.String()), byOps, nil)
	require.NoError(t, err)
	_, err = third.Export(t.Context(), &again, byOps, nil)
	require.NoError(t, err)
	moved, imports := rowsMoved(there.String())
	assert.Zero(t, imports)
	for times, later := range []string{back.String(), again.String()} {
		rows, imports := rowsMoved(later)
		assert.Equal(t, moved, rows)
		assert.Equal(t, 1+times, imports)
	}
}

// rowsMoved are the rows of an export but those that say that it was imported, and
// how many these are. Its first and last lines are left out: they count the rows.
func rowsMoved(export string) (rows []string, imports int) {
	for line := range strings.Lines(export) {
		switch {
		case strings.HasPrefix(line, "{"):
		case strings.Contains(line, `"`+ledger.ActionImported+`"`):
			imports++
		default:
			rows = append(rows, line)
		}
	}
	return rows, imports
}

func TestAnExportIsOfOneMoment(t *testing.T) {
	at := postgrestest.NewDatabase(t)
	s := openStore(t, at)
	require.NoError(t, ledgertest.WriteRound(t.Context(), s, "p1", 0))
	var file bytes.Buffer
	rounds := 0
	exported, err := s.Export(t.Context(), &file, byOps, func(int64, int64) { // while it is written, others go on
		rounds++
		assert.NoError(t, ledgertest.WriteRound(t.Context(), s, "p1", rounds))
	})
	require.NoError(t, err)
	assert.EqualValues(t, rounds, exported.Total())
	to := openFile(t)
	_, err = to.Import(t.Context(), &file, byOps, nil)
	require.NoError(t, err)
	ledgertest.RequireWhole(t, to, "p1", 0)
}

func TestAnImportThatBreaksLeavesNothing(t *testing.T) {
	from := openFile(t)
	for round := range 200 {
		require.NoError(t, ledgertest.WriteRound(t.Context(), from, "p1", round))
	}
	var file bytes.Buffer
	_, err := from.Export(t.Context(), &file, byOps, nil)
	require.NoError(t, err)
	at := postgrestest.NewDatabase(t)
	proxy := postgrestest.NewProxy(t, at.Host)
	through := *at
	through.Host = proxy.Address
	s := openStore(t, &through)
	half := false
	_, err = s.Import(t.Context(), bytes.NewReader(file.Bytes()), byOps, func(done, total int64) {
		if !half && done > total/2 {
			half = true
			proxy.Behave(postgrestest.Refuse)
			proxy.Behave(postgrestest.Forward)
		}
	})
	require.ErrorContains(t, err, "the connection broke meanwhile")
	people, err := s.People(t.Context(), "", 1)
	require.NoError(t, err)
	require.Empty(t, people)

	proxy.Behave(postgrestest.DropNextCommit)
	_, err = s.Import(t.Context(), bytes.NewReader(file.Bytes()), byOps, nil)
	require.ErrorContains(t, err, "see whether the ledger is empty")
	ledgertest.RequireMoved(t, from, s) // it is not: that commit had arrived
}

func TestEveryColumnIsMoved(t *testing.T) {
	s := openStore(t, postgrestest.NewDatabase(t))
	rows, err := s.db.QueryContext(t.Context(), `SELECT table_name::text, column_name::text FROM information_schema.columns
		WHERE table_schema = 'public' AND table_name <> 'goose_db_version'`)
	require.NoError(t, err)
	defer rows.Close()
	ledgertest.RequireColumns(t, rows, relational.Columns())
	require.NoError(t, rows.Err())
}
