package sqlite

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"io/fs"
	"testing"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/ledgertest"
)

// day returns an instant in the old ledger.
func day(n int) time.Time { return time.Date(2026, time.March, n, 8, 0, 0, 123456000, time.UTC) }

// firstVersion makes a ledger as the first version left it. Ada has an account, a step that
// failed and one that may be under way. Grace is her manager, whose new account Ada's run has
// not seen.
func firstVersion(t *testing.T) (path string, tables map[string][]string) {
	t.Helper()
	path = newPath(t)
	db, err := sql.Open(driverName, writeDSN(path))
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	db.SetMaxOpenConns(1)
	scripts, err := fs.Sub(migrations, "migrations")
	require.NoError(t, err)
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, scripts, goose.WithDisableGlobalRegistry(true))
	require.NoError(t, err)
	_, err = provider.UpTo(t.Context(), 1)
	require.NoError(t, err)

	hired, err := json.Marshal(hiredAda)
	require.NoError(t, err)
	for _, insert := range []struct {
		statement string
		args      []any
	}{
		{`INSERT INTO people (id, username, username_key, given_name, family_name, status, department, job_title, manager_id,
			due_at, due_what, assessed_at, last_seq, revision, assessed_from, assessed_rev, nudged_at, nudged_rev)
			VALUES ('p1', 'Ada', 'ada', 'Ada', 'Lovelace', 'active', 'R&D', 'Engineer', 'p2', ?2, 'manager', ?1, 1, 3, 1, 2, ?2, 3),
				('p2', NULL, NULL, '', '', '', '', '', '', NULL, '', NULL, 0, 0, -1, 0, NULL, 0)`, []any{day(2).UnixMicro(), day(3).UnixMicro()}},
		{`INSERT INTO events (source, id, person_id, at, topic, partition, "offset", delivered, body)
			VALUES ('/hr', 'e1', 'p1', ?1, 'hr.events', 3, 17, 1, ?2)`, []any{day(1).UnixMicro(), string(hired)}},
		{`INSERT INTO links (person_id, app, account_id, username, state, adopted, entitlements, attributes, created_at, proven_at)
			VALUES ('p1', 'wiki', '77', 'ada', 'active', 1, '["engineers","staff"]', 'sha256:ab', ?1, ?2)`, []any{day(1).UnixMicro(), day(2).UnixMicro()}},
		{`INSERT INTO steps (person_id, key, app, kind, state, attempts, code, message, planned_at, last_attempt_at)
			VALUES ('p1', 'provision chat', 'chat', 'Provision', 'attention', 4, 'forbidden', 'no', ?1, ?2),
				('p1', 'provision wiki', 'wiki', 'Provision', 'done', 1, '', '', ?1, ?2)`, []any{day(1).UnixMicro(), day(2).UnixMicro()}},
		{`INSERT INTO attempts (person_id, key, app, at, deadline, gives) VALUES ('p1', 'provision chat', 'chat', ?1, ?2, 1)`,
			[]any{day(2).UnixMicro(), day(9).UnixMicro()}},
		{`INSERT INTO waivers (person_id, key, operator, reason, at) VALUES ('p1', 'conflict/e0', 'ops', 'HR knows', ?1)`, []any{day(2).UnixMicro()}},
		{`INSERT INTO audit (at, person_id, app, action, actor, cause, detail, key, attempt)
			VALUES (?1, 'p1', 'wiki', 'adopted', 'tenure', 'event e1', '{"by":"email"}', 'provision wiki', 1)`, []any{day(1).UnixMicro()}},
	} {
		_, err := db.ExecContext(t.Context(), insert.statement, insert.args...)
		require.NoError(t, err)
	}
	return path, contents(t, db)
}

var hiredAda = hr.Event{
	EventKey: hr.EventKey{Source: "/hr", ID: "e1"}, Type: hr.EventHired, PersonID: "p1",
	Recorded: day(1), Effective: hr.Date{Year: 2026, Month: time.March, Day: 1},
	Profile: &hr.Profile{
		Type: hr.TypeEmployee, GivenName: "Ada", FamilyName: "Lovelace", Department: "R&D",
		Location: hr.Location{TimeZone: "Europe/London"}, StartDate: hr.Date{Year: 2026, Month: time.March, Day: 1},
	},
}

// tablesOfTheFirst holds the tables of schema 1 with their columns. A later schema may add
// columns.
var tablesOfTheFirst = map[string]string{
	"people": `id, username, username_key, given_name, family_name, status, department, job_title, manager_id, due_at, due_what,
		assessed_at, last_seq, revision, assessed_from, assessed_rev, nudged_at, nudged_rev`,
	"events": `*`, "links": `person_id, app, account_id, username, state, adopted, entitlements, attributes, created_at, disabled_at,
		stripped_at, handed_over_at, deleted_at, proven_at, doubt_until`, "steps": `person_id, key, app, kind, state, attempts,
		code, message, reason, planned_at, trying_since, last_attempt_at, finished_at, outcome`, "attempts": `id, person_id, key, app, at, deadline, gives`, "waivers": `person_id, key, operator, reason, at`,
	"audit": `seq, at, person_id, app, action, actor, cause, detail, key, attempt`,
}

// contents returns the rows of all tables that the first version had.
func contents(t *testing.T, db *sql.DB) map[string][]string {
	t.Helper()
	tables := map[string][]string{}
	for table, columns := range tablesOfTheFirst {
		tables[table] = rowsOf(t, db, `SELECT `+columns+` FROM `+table+` ORDER BY 1, 2`)
		assert.NotEmpty(t, tables[table], table)
	}
	return tables
}

func rowsOf(t *testing.T, db *sql.DB, query string) (found []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	names, err := rows.Columns()
	require.NoError(t, err)
	for rows.Next() {
		values, dest := make([]any, len(names)), make([]any, len(names))
		for i := range values {
			dest[i] = &values[i]
		}
		require.NoError(t, rows.Scan(dest...))
		found = append(found, fmt.Sprintf("%q", values))
	}
	require.NoError(t, rows.Err())
	return found
}

func TestALedgerOfTheFirstVersionIsTakenOver(t *testing.T) {
	path, before := firstVersion(t)
	s := openStore(t, path)
	assert.Equal(t, before, contents(t, s.reads.DB), "nothing is lost, nothing changed")

	// The new version reads the same data.
	ada, err := s.Person(t.Context(), "p1")
	require.NoError(t, err)
	assert.Equal(t, "Ada", ada.Username)
	require.Len(t, ada.Events, 1)
	assert.Equal(t, hiredAda, ada.Events[0].Event)
	require.Len(t, ada.Links, 1)
	assert.Equal(t, ledger.Link{
		PersonID: "p1", App: "wiki", AccountID: "77", Username: "ada", State: ledger.LinkActive, Adopted: true,
		Entitlements: []string{"engineers", "staff"}, Attributes: "sha256:ab", CreatedAt: day(1), ProvenAt: day(2),
	}, ada.Links[0])
	require.Len(t, ada.Steps, 1)
	assert.Equal(t, ledger.StepAttention, ada.Steps[0].State)
	assert.Empty(t, ada.Letters)
	due, err := s.Due(t.Context(), day(4), 10)
	require.NoError(t, err)
	require.Len(t, due, 1, "her manager's account is still news to her")
	assert.Equal(t, ledger.DueManager, due[0].What)

	// An assessment that was under way during the upgrade has not seen her manager's account.
	ada.Revision, ada.AssessedAt = 2, day(4)
	ada.DueAt, ada.DueWhat = time.Time{}, ""
	require.NoError(t, s.SaveAssessment(t.Context(), ledger.Assessment{Summary: ada.Summary}))
	due, err = s.Due(t.Context(), day(4), 10)
	require.NoError(t, err)
	require.Len(t, due, 1)
	assert.Equal(t, ledger.DueManager, due[0].What)

	// The new version goes on with the data.
	receipts, err := s.Record(t.Context(), []ledger.Received{
		{Event: hiredAda, At: day(5), Topic: "hr.events", Partition: 3, Offset: 99},
		{Event: hr.Event{EventKey: hr.EventKey{Source: "/hr", ID: "e2"}, Type: hr.EventTerminated, PersonID: "p1", Recorded: day(5), Effective: hr.Date{Year: 2026, Month: time.March, Day: 9}},
			At: day(5), Topic: "hr.events", Partition: 3, Offset: 100},
	})
	require.NoError(t, err)
	assert.Equal(t, ledger.Receipt{Seq: 1, Duplicate: true, Delivered: true}, receipts[0])
	assert.False(t, receipts[1].Duplicate)
	assert.EqualValues(t, 2, receipts[1].Seq, "numbers go on where they were")

	letter, err := s.RecordDeadLetter(t.Context(), ledger.DeadLetter{
		At: ledger.Position{Topic: "hr.events.dlq"}, Origin: ledger.Position{Topic: "hr.events", Offset: 101}, Digest: "sha256:cd",
		Reason: "schema", ReceivedAt: day(5), PersonID: "p1", Urgent: true,
	})
	require.NoError(t, err)
	assert.Equal(t, "p1", letter.PersonID)
	require.NoError(t, ledgertest.WriteRound(t.Context(), s, "p1", 0))
	_, err = s.writes.conn.ExecContext(t.Context(), `DELETE FROM audit`)
	require.ErrorContains(t, err, "append-only")
	rows, err := s.Audit(t.Context(), "p1", 0, 10)
	require.NoError(t, err)
	require.Len(t, rows, 2)
	assert.Equal(t, "adopted", rows[0].Action)
}

// Data of schemas before 14 are kept: links of one account to several people are marked and
// reported, and a creation with an unknown outcome is in doubt.
func TestAccountsThatAreLinkedTwiceAreReportedAndKept(t *testing.T) {
	path, _ := firstVersion(t)
	db, err := sql.Open(driverName, writeDSN(path))
	require.NoError(t, err)
	_, err = db.ExecContext(t.Context(), `INSERT INTO links (person_id, app, account_id, state) VALUES ('p2', 'wiki', '77', 'disabled'), ('p2', 'crm', '77', 'active')`)
	require.NoError(t, err)
	_, err = db.ExecContext(t.Context(), `INSERT INTO links (person_id, app, username, state) VALUES ('p1', 'chat', 'ada', 'planned'), ('p1', 'crm', 'ada', 'planned')`)
	require.NoError(t, err)
	_, err = db.ExecContext(t.Context(), `INSERT INTO steps (person_id, key, app, kind, state, attempts, code, trying_since)
		VALUES ('p1', 'provision crm', 'crm', 'Provision', 'superseded', 2, 'unavailable', ?)`, day(3).UnixMicro())
	require.NoError(t, err)
	require.NoError(t, db.Close())

	s := openStore(t, path)
	links, err := s.Links(t.Context(), ledger.LinkFilter{AccountID: "77"})
	require.NoError(t, err)
	require.Len(t, links, 3)
	for _, l := range links {
		assert.Equal(t, l.App == "wiki", l.Contested, l.PersonID+" "+l.App)
		rows, err := s.Audit(t.Context(), l.PersonID, 0, 10)
		require.NoError(t, err)
		assert.Equal(t, "contested", rows[len(rows)-1].Action)
	}
	due, err := s.Due(t.Context(), time.Now(), 10)
	require.NoError(t, err)
	assert.Len(t, due, 2, "somebody looks at both")
	ada, err := s.Person(t.Context(), "p1")
	require.NoError(t, err)
	creating := map[string]ledger.Creation{}
	for _, l := range ada.Links {
		creating[l.App] = l.Creating
	}
	assert.Equal(t, map[string]ledger.Creation{
		"wiki": {}, "chat": {}, // the app refused that one
		"crm": {At: day(3), Username: "ada", State: ledger.CreationSent},
	}, creating)

	grace, err := s.Person(t.Context(), "p2")
	require.NoError(t, err)
	link := grace.Links[1]
	require.Equal(t, "wiki", link.App)
	link.State, link.AccountID = ledger.LinkDeleted, ""
	require.NoError(t, s.FinishStep(t.Context(), ledger.Outcome{PersonID: "p2", App: "wiki", Key: "k", Kind: "Unlink", At: day(5), State: ledger.StepDone, Link: &link}))
	links, err = s.Links(t.Context(), ledger.LinkFilter{App: "wiki", PersonID: "p1"})
	require.NoError(t, err)
	assert.False(t, links[0].Contested, "it is one person's again")
}
