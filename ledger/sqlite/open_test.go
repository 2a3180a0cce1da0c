package sqlite

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/ledgertest"
)

func TestOpenSaysWhatIsWrongAndWhatToDo(t *testing.T) {
	for name, c := range map[string]struct {
		path func(t *testing.T) string
		want []string
	}{
		"no path":           {func(*testing.T) string { return "" }, []string{"give the path of a file"}},
		"memory":            {func(*testing.T) string { return ":memory:" }, []string{"give the path of a file"}},
		"directory":         {func(t *testing.T) string { return t.TempDir() }, []string{"not a regular file", "give the path of a file"}},
		"no directory":      {func(t *testing.T) string { return filepath.Join(t.TempDir(), "no", "x.db") }, []string{"no directory", "create it"}},
		"file as directory": {fileAsDirectory, []string{"is not a directory", "give another path"}},
		"not a database":    {func(t *testing.T) string { return file(t, "dear diary, today I was not a database at all") }, []string{"is not a ledger", "left as it is"}},
		"truncated":         {truncated, []string{"damaged", "restore the last backup"}},
		"read-only":         {readOnly, []string{"is read-only", "may be written"}},
		"another program's": {foreign, []string{"another program's database", "left as it is"}},
		"newer":             {newer, []string{"written by a newer Tenure (schema 99999, this one knows up to ", "use that version"}},
	} {
		t.Run(name, func(t *testing.T) {
			path := c.path(t)
			s, err := Open(t.Context(), path)
			require.Error(t, err)
			assert.Nil(t, s)
			assert.ErrorContains(t, err, path)
			for _, want := range c.want {
				assert.ErrorContains(t, err, want)
			}
		})
	}
}

func TestOpenLeavesAForeignFileAsItIs(t *testing.T) {
	for name, path := range map[string]string{
		"not a database": file(t, "dear diary, today I was not a database at all"), "another program's": foreign(t), "newer": newer(t),
	} {
		before, err := os.ReadFile(path)
		require.NoError(t, err)
		_, err = Open(t.Context(), path)
		require.Error(t, err)
		after, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, before, after, name)
	}
}

func TestAReadOnlyLedgerIsReadAndSaysWhyItIsNotWritten(t *testing.T) {
	path := closedLedger(t)
	markReadOnly(t, path)
	s := openStore(t, path)
	_, err := s.People(t.Context(), "", 1)
	require.NoError(t, err)
	err = claimName(t.Context(), s, 1)
	require.ErrorContains(t, err, path)
	require.ErrorContains(t, err, "is read-only")
}

func TestOpenAgainFindsEverything(t *testing.T) {
	path := newPath(t)
	first, err := Open(t.Context(), path)
	require.NoError(t, err)
	require.NoError(t, claimName(t.Context(), first, 1))
	require.NoError(t, first.Close())
	p, err := openStore(t, path).Person(t.Context(), "p1")
	require.NoError(t, err)
	assert.Equal(t, "name1", p.Username)
}

func TestNobodyElseMayReadANewLedger(t *testing.T) {
	s := openStore(t, newPath(t))
	require.NoError(t, claimName(t.Context(), s, 1))
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(s.path + suffix)
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode().Perm(), suffix)
	}
}

func TestOpenKeepsThePermissionsThatAreThere(t *testing.T) {
	path := closedLedger(t)
	require.NoError(t, os.Chmod(path, 0o660))
	openStore(t, path)
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o660), info.Mode().Perm())
}

func TestCloseLeavesNothingRunning(t *testing.T) {
	before := goleak.IgnoreCurrent()
	s, err := Open(t.Context(), newPath(t))
	require.NoError(t, err)
	require.NoError(t, claimName(t.Context(), s, 1))
	_, err = s.Person(t.Context(), "p1")
	require.NoError(t, err)
	require.NoError(t, s.Close())
	goleak.VerifyNone(t, before)
}

func TestOpenARelativePath(t *testing.T) {
	t.Chdir(t.TempDir())
	openStore(t, "tenure.db")
	assert.FileExists(t, "tenure.db")
}

func TestSettingsThatDurabilityNeeds(t *testing.T) {
	s := openStore(t, newPath(t))
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1"} {
		var got string
		require.NoError(t, s.writes.conn.QueryRowContext(t.Context(), `PRAGMA `+pragma).Scan(&got))
		assert.Equal(t, want, got, pragma)
	}
	_, err := s.reads.ExecContext(t.Context(), `DELETE FROM people`)
	require.ErrorContains(t, err, "readonly", "the reading connections cannot write")
}

func TestTheDatabaseItselfHoldsTheRules(t *testing.T) {
	s := openStore(t, newPath(t))
	require.NoError(t, claimName(t.Context(), s, 1))
	require.NoError(t, claimName(t.Context(), s, 2))
	require.NoError(t, s.Act(t.Context(), ledger.Action{
		Verb: ledger.VerbSkip, PersonID: "p1", Key: "conflict", Conflict: true, Operator: "ops", At: time.Now(),
	}))
	require.NoError(t, ledgertest.WriteRound(t.Context(), s, "p3", 0))
	const (
		appendOnly = "the audit record is append-only"
		rest       = "at, person_id, app, action, actor, cause, detail, key, attempt"
	)
	for statement, want := range map[string]string{
		`UPDATE audit SET actor = 'nobody'`:                                                                                       appendOnly,
		`DELETE FROM audit`:                                                                                                       appendOnly,
		`UPDATE audit SET cause = '', detail = NULL, salt = NULL`:                                                                 appendOnly,
		`REPLACE INTO audit (seq, ` + rest + `) SELECT seq, ` + rest + ` FROM audit`:                                              appendOnly,
		`REPLACE INTO audit (` + rest + `) SELECT ` + rest + ` FROM audit`:                                                        appendOnly,
		`UPDATE people SET username = 'NAME1', username_key = 'name1' WHERE id = 'p2'`:                                            "UNIQUE constraint failed: people.username_key",
		`INSERT INTO goose_db_version (version_id, is_applied) VALUES (1, 1)`:                                                     "UNIQUE constraint failed: goose_db_version.version_id",
		`INSERT INTO events SELECT seq + 100, source, id, person_id, at, topic, partition, "offset", delivered, body FROM events`: "UNIQUE constraint failed: events.source, events.id",
		`DELETE FROM people WHERE id = 'p1'`:                                                                                      "FOREIGN KEY constraint failed",
		`INSERT INTO links (person_id, app, state) VALUES ('nobody', 'wiki', 'active')`:                                           "FOREIGN KEY constraint failed",
	} {
		_, err := s.writes.conn.ExecContext(t.Context(), statement)
		require.ErrorContains(t, err, want, statement)
	}
	rows, err := s.Audit(t.Context(), "", 0, 10)
	require.NoError(t, err)
	require.Len(t, rows, 2)
	assert.Equal(t, "ops", rows[0].Actor)
}

// file makes a file with the given content.
func file(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

func fileAsDirectory(t *testing.T) string { return filepath.Join(file(t, ""), "x.db") }

// closedLedger makes a ledger that no process has open, and changes it by SQL.
func closedLedger(t *testing.T, statements ...string) string {
	t.Helper()
	path := newPath(t)
	s, err := Open(t.Context(), path)
	require.NoError(t, err)
	for _, statement := range statements {
		_, err := s.writes.conn.ExecContext(t.Context(), statement)
		require.NoError(t, err)
	}
	require.NoError(t, s.Close())
	return path
}

func newer(t *testing.T) string {
	return closedLedger(t, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, 1)`)
}

func truncated(t *testing.T) string {
	path := closedLedger(t)
	require.NoError(t, os.Truncate(path, 3*4096))
	return path
}

// readOnly returns the path of a ledger that cannot be written and lacks all migrations.
func readOnly(t *testing.T) string {
	path := newPath(t)
	db, err := sql.Open(driverName, writeDSN(path))
	require.NoError(t, err)
	_, err = db.ExecContext(t.Context(), `PRAGMA journal_mode = WAL; PRAGMA application_id = 0x544E524C`)
	require.NoError(t, errors.Join(err, db.Close()))
	markReadOnly(t, path)
	return path
}

// markReadOnly sets a number in the file's header that lets this SQLite read the file but not
// write it. Unlike permissions, that holds for root too.
func markReadOnly(t *testing.T, path string) {
	t.Helper()
	const writeVersion = 18 // https://www.sqlite.org/fileformat.html
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	require.NoError(t, err)
	_, err = f.WriteAt([]byte{3}, writeVersion)
	require.NoError(t, errors.Join(err, f.Close()))
}

func foreign(t *testing.T) string {
	path := filepath.Join(t.TempDir(), "places.sqlite")
	db, err := sql.Open(driverName, path)
	require.NoError(t, err)
	_, err = db.ExecContext(t.Context(), `CREATE TABLE bookmarks (url TEXT)`)
	require.NoError(t, errors.Join(err, db.Close()))
	return path
}

// Whoever copies the file of a closed ledger has all of it.
func TestAClosedLedgerIsOneFile(t *testing.T) {
	path := newPath(t)
	s, err := Open(t.Context(), path)
	require.NoError(t, err)
	require.NoError(t, ledgertest.WriteRound(t.Context(), s, "ada", 0))
	_, err = s.Person(t.Context(), "ada")
	require.NoError(t, err)
	require.NoError(t, s.Close())
	files, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	assert.Len(t, files, 1)
}
