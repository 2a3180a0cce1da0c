//go:build real

package postgres

import (
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"fmt"
	"io"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/internal/postgrestest"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/ledgertest"
)

func TestOpenSaysWhatIsWrongAndWhatToDo(t *testing.T) {
	newest := fmt.Sprintf("%d", look(t, postgrestest.NewDatabase(t)).Newest)
	for name, c := range map[string]struct {
		at          func(t *testing.T) *url.URL
		want        []string
		unreachable bool
	}{
		"nobody there":      {nobody, []string{"cannot be reached", "see that the server is up"}, true},
		"no database":       {change(func(u *url.URL) { u.Path = "/no_such" }), []string{"does not exist", "create the database"}, false},
		"wrong password":    {change(func(u *url.URL) { u.User = url.UserPassword(u.User.Username(), "wr0ng") }), []string{"refuses the sign-in"}, false},
		"no such schema":    {set("search_path", "no_such"), []string{"none of the schemas of search_path"}, false},
		"untrusted":         {set("sslmode", "verify-full"), []string{"does not show a certificate that is trusted", "sslrootcert"}, false},
		"no right":          {noRight, []string{"does not let the role do that", "docs/ledger.md"}, false},
		"encoding":          {latin, []string{"has the encoding LATIN1", "ENCODING 'UTF8'"}, false},
		"another program's": {foreign, []string{"has other tables in its schema public", "left as it is"}, false},
		"newer":             {newer, []string{"written by a newer Tenure (schema 99999, this one knows up to " + newest + ")", "use that version"}, false},
		"standby":           {set("default_transaction_read_only", "on"), []string{"cannot be reached"}, true},
		"unknown parameter": {set("no_such", "1"), []string{"no_such"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			at := c.at(t)
			s, err := Open(t.Context(), at.String())
			require.Error(t, err)
			assert.Nil(t, s)
			assert.ErrorContains(t, err, "postgres://"+at.Host+at.Path)
			for _, want := range c.want {
				assert.ErrorContains(t, err, want)
			}
			if c.unreachable {
				require.ErrorIs(t, err, ledger.ErrUnreachable)
			} else {
				require.NotErrorIs(t, err, ledger.ErrUnreachable)
			}
			requireNoPassword(t, err)
			_, _, looked := LookAt(t.Context(), at.String())
			if name != "no right" {
				require.Error(t, looked, "looking finds it too")
				requireNoPassword(t, looked)
			}
		})
	}
}

func requireNoPassword(t *testing.T, err error) {
	t.Helper()
	for _, secret := range []string{postgrestest.Password, url.QueryEscape(postgrestest.Password), url.UserPassword("", postgrestest.Password).String()[1:], "wr0ng"} {
		require.NotContains(t, err.Error(), secret)
	}
}

func TestOpenLeavesAForeignDatabaseAsItIs(t *testing.T) {
	at := foreign(t)
	_, err := Open(t.Context(), at.String())
	require.Error(t, err)
	assert.Equal(t, []string{"bookmarks"}, tables(t, at))
}

func TestASchemaOfItsOwnBesideAnotherProgram(t *testing.T) {
	at := foreign(t)
	postgrestest.Exec(t, at, `CREATE SCHEMA tenure`)
	s := openStore(t, with(at, "search_path", "tenure"))
	require.NoError(t, ledgertest.WriteRound(t.Context(), s, "p1", 0))
	assert.Equal(t, []string{"bookmarks"}, tables(t, at), "in the schema public")
}

func TestTLS(t *testing.T) {
	at := postgrestest.NewDatabase(t)
	at.Host = "localhost:" + at.Port()
	query := at.Query()
	query.Del("sslmode")
	query.Set("sslrootcert", postgrestest.Authority(t))
	at.RawQuery = query.Encode()
	s := openStore(t, at)
	var encrypted bool
	require.NoError(t, s.db.QueryRowContext(t.Context(), `SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()`).Scan(&encrypted))
	assert.True(t, encrypted)
}

func TestOpenAgainFindsEverything(t *testing.T) {
	at := postgrestest.NewDatabase(t)
	assert.Zero(t, look(t, at).Schema)
	first, err := Open(t.Context(), at.String())
	require.NoError(t, err)
	_, err = first.ClaimUsername(t.Context(), "p1", "ada", 0)
	require.NoError(t, err)
	require.NoError(t, first.Close())
	require.Error(t, first.Ping(t.Context()), "closed")
	p, err := openStore(t, at).Person(t.Context(), "p1")
	require.NoError(t, err)
	assert.Equal(t, "ada", p.Username)
	found := look(t, at)
	assert.Equal(t, found.Newest, found.Schema)
	assert.Equal(t, at.User.Username(), found.Role)
	assert.True(t, found.MayCreate)
	assert.False(t, found.Synced, "this server was started with fsync=off")
}

// TestARoleThatOnlyReadsAndWrites opens a ledger that somebody else has made.
func TestARoleThatOnlyReadsAndWrites(t *testing.T) {
	at := postgrestest.NewDatabase(t)
	openStore(t, at)
	other := postgrestest.NewDatabase(t)
	mate := other.User.Username()
	postgrestest.Exec(t, at, `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO `+mate)
	postgrestest.Exec(t, at, `GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO `+mate)
	guest := *at
	guest.User = other.User
	t.Cleanup(func() { postgrestest.Exec(t, at, `REVOKE ALL ON ALL TABLES IN SCHEMA public FROM `+mate) })
	t.Cleanup(func() { postgrestest.Exec(t, at, `REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM `+mate) })
	s := openStore(t, &guest)
	require.NoError(t, ledgertest.WriteRound(t.Context(), s, "p1", 0))
	_, err := s.Export(t.Context(), io.Discard, ledger.Move{}, nil)
	require.NoError(t, err)
	_, err = s.db.ExecContext(t.Context(), `ALTER TABLE audit DISABLE TRIGGER USER`)
	require.ErrorContains(t, err, "must be owner")
}

func TestCloseLeavesNothingRunning(t *testing.T) {
	at := postgrestest.NewDatabase(t)
	before := goleak.IgnoreCurrent()
	s, err := Open(t.Context(), at.String())
	require.NoError(t, err)
	require.NoError(t, ledgertest.WriteRound(t.Context(), s, "p1", 0))
	require.NoError(t, s.Close())
	goleak.VerifyNone(t, before)
}

func TestSettingsThatDurabilityNeeds(t *testing.T) {
	at := postgrestest.NewDatabase(t)
	postgrestest.Exec(t, at, `ALTER ROLE `+at.User.Username()+` SET synchronous_commit = off`)
	var got string
	require.NoError(t, openStore(t, at).db.QueryRowContext(t.Context(), `SHOW synchronous_commit`).Scan(&got))
	assert.Equal(t, "on", got)
}

func TestTheDatabaseItselfHoldsTheRules(t *testing.T) {
	at := postgrestest.NewDatabase(t)
	s := openStore(t, at)
	for i := range 2 {
		_, err := s.ClaimUsername(t.Context(), fmt.Sprint("p", i+1), fmt.Sprint("name", i+1), 0)
		require.NoError(t, err)
	}
	require.NoError(t, s.Act(t.Context(), ledger.Action{
		Verb: ledger.VerbSkip, PersonID: "p1", Key: "conflict", Conflict: true, Operator: "ops", At: time.Now(),
	}))
	require.NoError(t, ledgertest.WriteRound(t.Context(), s, "p3", 0))
	before := auditRows(t, s)
	require.Len(t, before, 2)
	const appendOnly = "the audit record is append-only"
	for statement, want := range map[string]string{
		`UPDATE audit SET actor = 'nobody'`:                       appendOnly,
		`DELETE FROM audit`:                                       appendOnly,
		`TRUNCATE audit`:                                          appendOnly,
		`DELETE FROM audit WHERE false`:                           appendOnly,
		`UPDATE audit SET cause = '', detail = NULL, salt = NULL`: appendOnly,
		`INSERT INTO audit SELECT * FROM audit`:                   "duplicate key",
		`INSERT INTO audit (at, person_id, app, action, actor, cause, key, attempt) SELECT at, person_id, app, action, actor, cause, key, attempt FROM audit`: "duplicate key",
		`INSERT INTO audit SELECT * FROM audit ON CONFLICT (seq) DO UPDATE SET actor = 'nobody'`:                                                              appendOnly,
		`UPDATE people SET username = 'NAME1', username_key = 'name1' WHERE id = 'p2'`:                                                                        "people_username_key_key",
		`INSERT INTO events SELECT seq + 100, source, id, person_id, at, topic, partition, "offset", delivered, body FROM events`:                             "events_source_id_key",
		`UPDATE events SET body = 'no JSON'`:                                            "invalid input syntax for type json",
		`UPDATE links SET entitlements = 'no JSON'`:                                     "invalid input syntax for type json",
		`DELETE FROM people WHERE id = 'p1'`:                                            "foreign key constraint",
		`INSERT INTO links (person_id, app, state) VALUES ('nobody', 'wiki', 'active')`: "foreign key constraint",
	} {
		_, err := s.db.ExecContext(t.Context(), statement)
		require.ErrorContains(t, err, want, statement)
	}
	assert.Equal(t, before, auditRows(t, s))
}

func auditRows(t *testing.T, s *Store) []ledger.AuditRow {
	t.Helper()
	rows, err := s.Audit(t.Context(), "", 0, 1e6)
	require.NoError(t, err)
	return rows
}

func TestTextsThatPostgreSQLCannotHold(t *testing.T) {
	s := openStore(t, postgrestest.NewDatabase(t))
	_, err := s.ClaimUsername(t.Context(), "p1", "nul\x00 and \xff", 0)
	require.NoError(t, err)
	p, err := s.Person(t.Context(), "p1")
	require.NoError(t, err)
	assert.Equal(t, "nul\uFFFD and \uFFFD", p.Username)
}

func look(t *testing.T, at *url.URL) Look {
	t.Helper()
	found, address, err := LookAt(t.Context(), at.String())
	require.NoError(t, err)
	assert.Equal(t, "postgres://"+at.Host+at.Path, address)
	return found
}

func tables(t *testing.T, at *url.URL) []string {
	t.Helper()
	db, err := sql.Open("pgx", at.String())
	require.NoError(t, err)
	defer db.Close()
	var names sql.NullString
	require.NoError(t, db.QueryRowContext(t.Context(), `SELECT string_agg(tablename::text, ' ') FROM pg_tables WHERE schemaname = 'public'`).Scan(&names))
	return strings.Fields(names.String)
}

// with is a URL with another parameter.
func with(at *url.URL, name, value string) *url.URL {
	changed := *at
	query := changed.Query()
	query.Set(name, value)
	changed.RawQuery = query.Encode()
	return &changed
}

func change(f func(*url.URL)) func(t *testing.T) *url.URL {
	return func(t *testing.T) *url.URL {
		at := *postgrestest.NewDatabase(t)
		f(&at)
		return &at
	}
}

func set(name, value string) func(t *testing.T) *url.URL {
	return func(t *testing.T) *url.URL { return with(postgrestest.NewDatabase(t), name, value) }
}

func nobody(t *testing.T) *url.URL {
	at := *postgrestest.NewDatabase(t)
	proxy := postgrestest.NewProxy(t, at.Host)
	proxy.Behave(postgrestest.Refuse)
	at.Host = proxy.Address
	return &at
}

// noRight is the database of another.
func noRight(t *testing.T) *url.URL {
	at := *postgrestest.NewDatabase(t)
	at.User = postgrestest.NewDatabase(t).User
	return &at
}

func latin(t *testing.T) *url.URL {
	return postgrestest.NewDatabase(t, `ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`)
}

func foreign(t *testing.T) *url.URL {
	at := postgrestest.NewDatabase(t)
	postgrestest.Exec(t, at, `CREATE TABLE bookmarks (url TEXT)`)
	return at
}

func newer(t *testing.T) *url.URL {
	at := postgrestest.NewDatabase(t)
	openStore(t, at)
	postgrestest.Exec(t, at, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)`)
	return at
}

// What no index has room for is refused, and not taken for a server that is away.
func TestWhatPostgreSQLCannotKeep(t *testing.T) {
	s := openStore(t, postgrestest.NewDatabase(t))
	random := make([]byte, 6000)
	_, _ = rand.Read(random)
	_, err := s.Record(t.Context(), []ledger.Received{{At: time.Now(), Event: hr.Event{
		EventKey: hr.EventKey{Source: "/hr", ID: hex.EncodeToString(random)}, PersonID: "p1",
	}}})
	require.ErrorIs(t, err, ledger.ErrRefused)
	require.NotErrorIs(t, err, ledger.ErrUnreachable)
	_, err = s.Record(t.Context(), []ledger.Received{{At: time.Now(), Event: hr.Event{EventKey: hr.EventKey{Source: "/hr", ID: "e"}, PersonID: "p1"}}})
	require.NoError(t, err, "the next one is kept")
}
