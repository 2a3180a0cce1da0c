package operator_test

import (
	"bytes"
	"database/sql"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/sqlite"
	"github.com/tenurehq/tenure/ledger/sqlite/sqlitetest"
	"github.com/tenurehq/tenure/operator"
)

func TestEveryDeedIsOnTheRecordAndTold(t *testing.T) {
	for _, d := range deeds {
		t.Run(string(d.verb), func(t *testing.T) {
			s := newSiteFor(t, d)
			before := len(s.audit(t))
			require.NoError(t, d.do(t.Context(), s, asks))
			rows := s.audit(t)[before:]
			require.NotEmpty(t, rows)
			for _, row := range rows {
				if row.Actor != ledger.ActorTenure {
					assert.Equal(t, "eve", row.Actor)
				}
			}
			if !slices.Contains(needNoReason, d.verb) {
				assert.True(t, slices.ContainsFunc(rows, func(row ledger.AuditRow) bool { return row.Actor == "eve" && s.why(t, row) == asks.Reason }), "%v", rows)
			}
			assert.Equal(t, d.tells, len(s.runs.told) > 0)

			err := d.do(t.Context(), s, asks)
			if d.twice == "" {
				assert.NoError(t, err, "a second time")
			} else {
				assert.ErrorContains(t, err, d.twice)
			}
		})
	}
}

// why returns the reason that is on the record with an audit row. The reason for refusing
// a task is with the task.
func (s *site) why(t *testing.T, row ledger.AuditRow) string {
	t.Helper()
	if row.Detail["task"] == nil {
		return row.Cause
	}
	task, err := s.Task(t.Context(), 1)
	require.NoError(t, err)
	return task.Why
}

func TestNobodyAsksWithoutANameAndAReason(t *testing.T) {
	for _, d := range deeds {
		t.Run(string(d.verb), func(t *testing.T) {
			s := newSiteFor(t, d)
			before := s.audit(t)
			for _, wrong := range []struct {
				request operator.Request
				want    error
			}{
				{operator.Request{Reason: "x"}, operator.ErrNoActor},
				{operator.Request{Actor: " \t", Reason: "x"}, operator.ErrNoActor},
				{operator.Request{Actor: " Tenure ", Reason: "x"}, operator.ErrTenure},
			} {
				assert.ErrorIs(t, d.do(t.Context(), s, wrong.request), wrong.want)
			}
			if !slices.Contains(needNoReason, d.verb) {
				assert.ErrorIs(t, d.do(t.Context(), s, operator.Request{Actor: "eve", Reason: " "}), operator.ErrNoReason)
			}
			assert.Equal(t, before, s.audit(t))
			assert.Empty(t, s.runs.told)
		})
	}
}

// If no run can be told, a decision stands all the same: the sweeper tells the runs. Only
// a repair is not decided then.
func TestADeedStandsThoughNoRunCanBeTold(t *testing.T) {
	for _, d := range deeds {
		t.Run(string(d.verb), func(t *testing.T) {
			s := newSiteFor(t, d)
			s.runs.down = errors.New("no answer from Temporal")
			before := len(s.audit(t))
			err := d.do(t.Context(), s, asks)
			if d.verb == operator.Retry || d.verb == operator.Skip {
				assert.ErrorIs(t, err, s.runs.down)
				assert.Len(t, s.audit(t), before)
				return
			}
			untold, other := operator.Untold(err)
			assert.NoError(t, other)
			assert.Equal(t, d.tells, untold != nil)
			assert.Greater(t, len(s.audit(t)), before)
		})
	}
}

// The ledger writes a decision and its audit row together. If the row cannot be written,
// nothing has changed and nobody is told.
func TestADeedThatCannotGoOnTheRecordIsNotDone(t *testing.T) {
	for _, d := range deeds {
		t.Run(string(d.verb), func(t *testing.T) {
			s := newSiteFor(t, d)
			refuseRecord(t, s.path)
			before, err := s.Ledger.Person(t.Context(), "ada")
			require.NoError(t, err)
			assert.ErrorContains(t, d.do(t.Context(), s, asks), "the record is full")
			after, err := s.Ledger.Person(t.Context(), "ada")
			require.NoError(t, err)
			after.Steps = slices.DeleteFunc(after.Steps, func(s ledger.Step) bool { // intents are written ahead
				return s.Kind == "Adopt" || s.Kind == "Unlink" || s.Kind == "Restore"
			})
			assert.Equal(t, before, after)
			assert.Empty(t, s.runs.told)
		})
	}
}

// The record says who asked for an import. If that cannot be written, nothing is
// imported.
func TestAnImportIsOnTheRecord(t *testing.T) {
	var text bytes.Buffer
	_, err := newSite(t).Export(t.Context(), asks, &text, nil)
	require.NoError(t, err)
	path := sqlitetest.New(t)
	l, err := sqlite.Open(t.Context(), path)
	require.NoError(t, err)
	defer l.Close()
	o := operator.New(l, &runs{}, operator.Viewer{Clock: clock.Func(func() time.Time { return now })})
	everybody := func() []ledger.Summary {
		all, err := ledger.Collect(ledger.AllPeople(t.Context(), l, ""))
		require.NoError(t, err)
		return all
	}

	_, err = o.Import(t.Context(), operator.Request{}, bytes.NewReader(text.Bytes()), nil)
	assert.ErrorIs(t, err, operator.ErrNoActor)
	allowRecord := refuseRecord(t, path)
	_, err = o.Import(t.Context(), asks, bytes.NewReader(text.Bytes()), nil)
	assert.ErrorContains(t, err, "the record is full")
	assert.Empty(t, everybody())

	allowRecord()
	_, err = o.Import(t.Context(), asks, bytes.NewReader(text.Bytes()), nil)
	require.NoError(t, err)
	assert.Len(t, everybody(), 2)
	rows, err := l.Audit(t.Context(), "", 0, 100)
	require.NoError(t, err)
	assert.True(t, slices.ContainsFunc(rows, func(row ledger.AuditRow) bool { return strings.HasSuffix(row.Action, "imported") && row.Actor == "eve" }), "%v", rows)
}

// refuseRecord makes the ledger at a path refuse audit rows until allow is called.
func refuseRecord(t *testing.T, path string) (allow func()) {
	t.Helper()
	do := func(statement string) {
		db, err := sql.Open("sqlite", path)
		require.NoError(t, err)
		defer db.Close()
		_, err = db.ExecContext(t.Context(), statement)
		require.NoError(t, err)
	}
	do("CREATE TRIGGER no_audit BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'the record is full'); END")
	return func() { do("DROP TRIGGER no_audit") }
}

// These tests try every verb.
func TestEveryVerbHasADeed(t *testing.T) {
	tried := map[operator.Verb]bool{operator.Import: true} // see TestAnImportIsOnTheRecord
	for _, d := range deeds {
		tried[d.verb] = true
	}
	file, err := parser.ParseFile(token.NewFileSet(), "operator.go", nil, 0)
	require.NoError(t, err)
	verbs := 0
	for _, decl := range file.Decls {
		if group, ok := decl.(*ast.GenDecl); ok && group.Tok == token.CONST {
			for _, spec := range group.Specs {
				value := spec.(*ast.ValueSpec)
				if kind, ok := value.Type.(*ast.Ident); ok && kind.Name == "Verb" {
					verb, err := strconv.Unquote(value.Values[0].(*ast.BasicLit).Value)
					require.NoError(t, err)
					assert.True(t, tried[operator.Verb(verb)], "no deed has the verb %s", value.Names[0].Name)
					verbs++
				}
			}
		}
	}
	assert.Greater(t, verbs, 20)
}

// A grant is made for one employment, and does not begin in a later one.
func TestAGrantBeginsInTheEmploymentForWhichItIsMade(t *testing.T) {
	s := newSite(t)
	s.leave(t, "ada")
	later := now.AddDate(0, 2, 0)
	_, err := s.ledger.Record(t.Context(), []ledger.Received{{At: now, Event: hr.Event{
		EventKey: hr.EventKey{Source: "/hr", ID: "rehired-ada"}, Type: hr.EventRehired, PersonID: "ada", Recorded: now, Effective: hr.DateOf(later),
		Profile: &hr.Profile{Type: hr.TypeEmployee, GivenName: "A", FamilyName: "ada", StartDate: hr.DateOf(later), Location: hr.Location{TimeZone: "UTC"}},
	}}})
	require.NoError(t, err)
	grant := func(from time.Time) error {
		_, err := s.GrantRole(t.Context(), asks, operator.RoleGrant{PersonID: "ada", Role: "admin", From: from, For: time.Hour}, false)
		return err
	}
	require.NoError(t, grant(later.AddDate(0, 0, 2)), "she is not employed now, so it is for the next employment")
	_, err = s.ledger.Record(t.Context(), []ledger.Received{{At: now, Event: hr.Event{
		EventKey: hr.EventKey{Source: "/hr", ID: "left-bob"}, Type: hr.EventTerminated, PersonID: "bob", Recorded: now, Effective: hr.DateOf(now.AddDate(0, 0, 5)),
		Termination: &hr.Termination{LastDay: hr.DateOf(now.AddDate(0, 0, 5))},
	}}})
	require.NoError(t, err)
	_, err = s.GrantRole(t.Context(), asks, operator.RoleGrant{PersonID: "bob", Role: "admin", From: later, For: time.Hour}, false)
	require.ErrorContains(t, err, "when the employment for which it is made is over")
}
