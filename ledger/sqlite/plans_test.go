package sqlite

import (
	"context"
	"database/sql"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/ledgertest"
	"github.com/tenurehq/tenure/ledger/relational"
)

// watched is an engine that notes the queries that it is asked.
type watched struct {
	engine
	mu    sync.Mutex
	texts map[string]bool
}

func (w *watched) note(query string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.texts[query] = true
}

// QueryContext implements relational.Engine.
func (w *watched) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	w.note(query)
	return w.engine.QueryContext(ctx, query, args...)
}

// Snapshot implements relational.Engine.
func (w *watched) Snapshot(ctx context.Context, f func(relational.Reader) error) error {
	return w.engine.Snapshot(ctx, func(r relational.Reader) error { return f(watchedReader{r, w}) })
}

type watchedReader struct {
	relational.Reader
	engine *watched
}

func (r watchedReader) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	r.engine.note(query)
	return r.Reader.QueryContext(ctx, query, args...)
}

// readWhole matches the parts of a plan that read a whole table, or all rows of an app in it:
// what they cost grows with the number of people.
var readWhole = regexp.MustCompile(`^SCAN (people|events|links|steps|attempts|audit|observed|identifiers|findings|exceptions)\b|INDEX \w+ \(app=\?\)`)

// What is done for one person, and for one page of a scan, reads what belongs to that only,
// however many people there are.
func TestNothingOfEverydayReadsATableWhole(t *testing.T) {
	s := openStore(t, newPath(t))
	w := &watched{engine: engine{s}, texts: map[string]bool{}}
	store := relational.New(w)
	ctx, now := t.Context(), time.Now()
	require.NoError(t, ledgertest.WriteRound(ctx, struct {
		*relational.Store
		closer
	}{Store: store}, "ada", 1))
	for _, account := range []string{"a1", "a2"} { // the second time, another account takes its place
		require.NoError(t, store.FinishStep(ctx, ledger.Outcome{
			PersonID: "ada", App: "wiki", Key: account, Kind: "Provision", At: now, State: ledger.StepDone, DueReports: true,
			Link: &ledger.Link{AccountID: account, Username: "ada", State: ledger.LinkDisabled},
		}))
	}
	require.NoError(t, store.NoteIdentifiers(ctx, now, []ledger.Identifier{{Kind: ledger.IdentifiesPerson, Value: "ada", PersonID: "ada"}}))
	_, err := store.Unidentified(ctx, "", 10)
	require.NoError(t, err)
	scan, err := store.BeginScan(ctx, "wiki", "k", now)
	require.NoError(t, err)
	require.NoError(t, store.Observe(ctx, ledger.Listed{Scan: scan.ID, Accounts: []ledger.Observed{
		{AccountID: "a2", At: now.Add(time.Hour), Username: "ada", Active: true},
		{AccountID: "a3", At: now.Add(time.Hour), Username: "eve", ExternalID: "ada", Active: true},
		{AccountID: "a4", At: now.Add(time.Hour), Username: "ada", Employee: "7", Addresses: []string{"ada@example.com"}},
	}}))
	_, err = store.EndListing(ctx, scan.ID, now, -1)
	require.NoError(t, err)
	page, err := store.Sightings(ctx, scan.ID, "", now, 10)
	require.NoError(t, err)
	require.Len(t, page, 3)
	due, err := store.SaveVerdicts(ctx, ledger.Compared{Scan: scan.ID, At: now.Add(2 * time.Hour), Flapping: 3, Verdicts: []ledger.Verdict{
		{AccountID: "a2", Baseline: true, Findings: []ledger.Finding{{Kind: ledger.FindingState, PersonID: "ada", Enabled: true, State: ledger.FindingRepairing}}},
		{AccountID: "a3", Findings: []ledger.Finding{{Kind: ledger.FindingDisputed, PersonID: "ada", State: ledger.FindingOpen}}},
	}})
	require.NoError(t, err)
	require.Equal(t, []string{"ada"}, due, "the verdict is repaired, so that this is tried too")
	require.NoError(t, store.EndScan(ctx, ledger.ScanEnd{Scan: scan.ID, At: now, State: ledger.ScanDone}))
	ada, err := store.Person(ctx, "ada")
	require.NoError(t, err)
	ada.Status, ada.AssessedAt = hr.StatusActive, now
	require.NoError(t, store.SaveAssessment(ctx, ledger.Assessment{Summary: ada.Summary}))
	place := ledger.LinkPlace{PersonID: "ada", App: "wiki"}
	for _, f := range []ledger.LinkFilter{
		{App: "wiki", AccountID: "a2"}, {App: "wiki", State: ledger.LinkActive, Limit: 3},
		{App: "wiki", State: ledger.LinkActive, After: place, Limit: 3}, {State: ledger.LinkDisabled, After: place, Limit: 3}, {After: place, Limit: 3},
	} {
		_, err = store.Links(ctx, f)
		require.NoError(t, err)
	}
	for _, entitlement := range []string{"", "staff"} {
		_, err = store.Granted(ctx, "wiki", entitlement, 10)
		require.NoError(t, err)
	}
	_, err = store.Withdrawals(ctx, 1, "ada", 10)
	require.NoError(t, err)
	_, err = store.Admit(ctx, ledger.AdmissionRequest{
		PersonID: "ada", At: now, Asks: []ledger.Ask{{Kind: ledger.Leavers, Key: "e"}}, // more than a few: the employed are counted
		Limits: ledger.Limits{Window: time.Hour, Of: map[ledger.WithdrawalKind]ledger.Limit{ledger.Leavers: {Share: 1}}},
	})
	require.NoError(t, err)
	require.True(t, slices.ContainsFunc(slices.Collect(maps.Keys(s.writes.stmt.compiled)), func(q string) bool { return strings.Contains(q, "AS few") }), "they are")

	waits := ledger.Received{Event: hr.Event{EventKey: hr.EventKey{Source: "urn:hr", ID: "waits"}, PersonID: "ada", Type: hr.EventUpdated}, At: now, Waits: true}
	_, err = store.Record(ctx, []ledger.Received{waits})
	require.NoError(t, err)
	line, err := store.Line(ctx, 0, 10)
	require.NoError(t, err)
	require.Len(t, line, 1)
	turns, err := store.Turns(ctx, []string{"ada"})
	require.NoError(t, err)
	require.NoError(t, store.TakeTurns(ctx, turns, now))
	_, err = store.AtWork(ctx, now.Add(-time.Hour), 10)
	require.NoError(t, err)
	_, err = store.Backlog(ctx)
	require.NoError(t, err)

	queries := slices.Concat(slices.Collect(maps.Keys(s.writes.stmt.compiled)), slices.Collect(maps.Keys(w.texts)))
	slices.Sort(queries)
	planned := 0
	byLine := 0 // parts that read the line, or who is at work, by their indexes
	for _, query := range queries {
		for _, part := range plan(t, s, query) {
			if part == "SCAN people USING COVERING INDEX people_employed" && strings.Contains(query, "LIMIT") {
				continue // no more of it than the people concerned are a share of
			}
			assert.NotRegexp(t, readWhole, part, query)
			if strings.Contains(query, "ORDER BY person_id, app LIMIT") {
				assert.NotContains(t, part, "TEMP B-TREE", "a page is read in its order: %s", query)
			}
			planned++
			if strings.Contains(part, "INDEX people_line") || strings.Contains(part, "INDEX people_told") {
				byLine++
			}
		}
	}
	assert.Greater(t, planned, 50, "plans are told")
	assert.GreaterOrEqual(t, byLine, 3, "the line, its length, and who is at work")
}

// closer makes a ledger of a store without a file of its own.
type closer struct{}

func (closer) Close() error { return nil }

func (closer) Scrub(context.Context) error { return nil }

// plan returns the parts of a query's plan.
func plan(t *testing.T, s *Store, query string) (parts []string) {
	t.Helper()
	rows, err := s.reads.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query, make([]any, 64)...)
	if err != nil {
		return nil // BEGIN and the like
	}
	defer rows.Close()
	for rows.Next() {
		var id, parent, unused int
		var detail string
		require.NoError(t, rows.Scan(&id, &parent, &unused, &detail))
		parts = append(parts, detail)
	}
	require.NoError(t, rows.Err())
	return parts
}
