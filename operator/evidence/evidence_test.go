package evidence_test

import (
	"database/sql"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"

	"github.com/tenurehq/tenure/audit"
	"github.com/tenurehq/tenure/audit/pack"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/operator/evidence"
)

// read returns the lines of a file of a pack.
func read[T any](t *testing.T, path, file string) (all []T) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(path, file))
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		var one T
		require.NoError(t, json.Unmarshal([]byte(line), &one), line)
		all = append(all, one)
	}
	return all
}

// storied is a town with a little of everything.
func storied(t *testing.T) *town {
	w := newTown(t)
	w.says("boss", "Engineering", first)
	w.says("ada", "Engineering", first)
	w.says("bob", "Sales", first)
	w.goesOn(first.Add(9*time.Hour), time.Hour)
	w.says("bob", "Engineering", first.Add(10*day))
	w.goesOn(first.Add(20*day), 6*time.Hour)
	w.down["wiki"] = true
	w.says("ada", "", first.Add(20*day))
	w.goesOn(first.Add(23*day), 6*time.Hour)
	w.down["wiki"] = false
	w.goesOn(first.Add(40*day), 6*time.Hour)
	w.says("bob", "", first.Add(38*day)) // two days late
	w.goesOn(first.Add(60*day), 6*time.Hour)
	w.sequences()
	return w
}

func (w *town) verifyOptions() audit.Options {
	verifier, err := note.NewVerifier(w.verifies)
	require.NoError(w.t, err)
	return audit.Options{Verifiers: note.VerifierList(verifier), MustBeSigned: true}
}

// sound verifies a pack without anything but the folder and the key.
func (w *town) sound(path string, kept ...string) *pack.Report {
	w.t.Helper()
	options := w.verifyOptions()
	options.Kept = kept
	r, err := pack.Verify(os.DirFS(path), options)
	require.NoError(w.t, err)
	assert.Empty(w.t, r.Findings)
	assert.True(w.t, r.Signed)
	return r
}

func TestAPackHoldsWhoLeftAndHowItWent(t *testing.T) {
	w := storied(t)
	path, made := w.packs(quarter())
	w.sound(path)
	for _, c := range made.Checks {
		assert.NotEqual(t, evidence.TiesNot, c.Verdict, "%s: %v", c.Check, c.Which)
	}
	leavers := read[evidence.Moment](t, path, "leavers.jsonl")
	require.Len(t, leavers, 2)
	ada := leavers[0]
	assert.Equal(t, []any{"ada", first.Add(20 * day), 2, 0, 1}, []any{ada.Person, ada.At, ada.Accounts, ada.Open, ada.Late})
	assert.Equal(t, []any{"hr.events", "e-5", hr.EventTerminated}, []any{ada.HR.Topic, ada.HR.Event, ada.HR.Type})
	access := read[evidence.Access](t, path, "leavers-access.jsonl")
	require.Len(t, access, 4)
	mail, wiki, late := access[0], access[1], access[2]
	assert.Equal(t, []any{"mail", int64(0), false}, []any{mail.App, mail.Seconds, mail.Late})
	assert.Equal(t, []any{"wiki", int64(78 * 3600), true, map[string]int64{"app": 78 * 3600}}, []any{wiki.App, wiki.Seconds, wiki.Late, wiki.Minutes})
	assert.Greater(t, wiki.Attempts, 1)
	assert.Equal(t, first.Add(20*day), wiki.Intent)
	for what, proof := range map[string]*evidence.Proof{"off": wiki.Done, "stripped": wiki.Stripped, "handed over": wiki.HandedOver, "deleted": wiki.Deleted} {
		require.NotNil(t, proof, what)
		assert.Contains(t, wiki.Rows, proof.Row)
		assert.Contains(t, proof.How, "the app, read again, showed", what)
	}
	assert.Equal(t, []any{map[string]int64{"hr": 2 * 24 * 3600}, false}, []any{late.Minutes, late.Late}, "HR said it two days late, and Tenure was in time")

	joiners := read[evidence.Moment](t, path, "joiners.jsonl")
	require.Len(t, joiners, 3)
	given := read[evidence.Access](t, path, "joiners-access.jsonl")
	require.Len(t, given, 5)
	assert.Equal(t, []any{"ada", "wiki", "engineers (e-2)", []string{"editors"}}, []any{given[1].Person, given[1].App, given[1].Because, given[1].Granted})
	movers := read[evidence.Moment](t, path, "movers.jsonl")
	require.Len(t, movers, 1)
	assert.Equal(t, "moved from Sales", movers[0].What)
	changes := read[evidence.Access](t, path, "movers-access.jsonl")
	require.Len(t, changes, 1)
	assert.Equal(t, []any{"wiki", []string{"editors"}, map[string]int64{"queue": 3 * 3600}, 1}, []any{changes[0].App, changes[0].Granted, changes[0].Minutes, changes[0].Attempts})
	for _, e := range read[evidence.Event](t, path, "events.jsonl") {
		assert.Equal(t, "changed", e.Effect)
	}
	assert.Len(t, read[evidence.Turn](t, path, "turns.jsonl"), 10)
}

// What apps were asked after the time is told of those who left in it, with the rows that say so.
func TestWhatComesAfterTheTimeIsThere(t *testing.T) {
	w := storied(t)
	path, _ := w.packs(evidence.Scope{From: first.Add(19 * day), Until: first.Add(21 * day)})
	assert.Equal(t, int64(9), w.sound(path).Rows)
	access := read[evidence.Access](t, path, "leavers-access.jsonl")
	require.Len(t, access, 2)
	assert.NotNil(t, access[1].Deleted)
	assert.Empty(t, read[evidence.Moment](t, path, "joiners.jsonl"))
}

func TestAPackIsOfAnAppOrAPerson(t *testing.T) {
	w := storied(t)
	scope := quarter()
	scope.App = "wiki"
	path, _ := w.packs(scope)
	w.sound(path)
	for _, a := range read[evidence.Access](t, path, "leavers-access.jsonl") {
		assert.Equal(t, "wiki", a.App)
	}
	assert.Len(t, read[evidence.Scan](t, path, "scans.jsonl"), 1)
	assert.NotContains(t, string(content(t, path, "rows.jsonl")), `"app":"mail"`)

	path, _ = w.packs(evidence.Scope{Person: "bob"})
	w.sound(path)
	assert.Len(t, read[evidence.Event](t, path, "events.jsonl"), 3)
	for _, file := range []string{"rows.jsonl", "events.jsonl", "leavers.jsonl", "evidence.html", "accounts.jsonl"} {
		assert.NotContains(t, string(content(t, path, file)), "ada", file)
	}
}

func content(t testing.TB, path, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(path, file))
	require.NoError(t, err)
	return text
}

// The same pack twice is the same bytes, but for its date.
func TestTheSamePackTwiceIsTheSameBytes(t *testing.T) {
	w := storied(t)
	one, _ := w.packs(quarter())
	two, _ := w.packs(quarter())
	w.now = w.now.Add(90 * time.Second)
	later, made := w.packs(quarter())
	w.sound(later)
	assert.NotEmpty(t, made.Manifest)
	entries, err := os.ReadDir(one)
	require.NoError(t, err)
	assert.Len(t, entries, 27)
	date := strings.NewReplacer("2027-03-02T00:01:30Z", "2027-03-02T00:00:00Z", "2027-03-02 00:01:30", "2027-03-02 00:00:00")
	for _, e := range entries {
		assert.Equal(t, string(content(t, one, e.Name())), string(content(t, two, e.Name())), e.Name())
		if e.Name() != pack.FileManifest {
			assert.Equal(t, string(content(t, one, e.Name())), date.Replace(string(content(t, later, e.Name()))), e.Name())
		}
	}
}

// Whatever people are called, the page has no markup of theirs, and nothing that runs or is fetched.
func TestAPageIsPlain(t *testing.T) {
	w := storied(t)
	path, _ := w.packs(quarter())
	page := string(content(t, path, "evidence.html"))
	assert.NotContains(t, page, `<b>"of`)
	assert.Contains(t, page, "&lt;b&gt;&#34;of &amp; town&#39;")
	for _, never := range []string{"<script", "javascript:", "http://", "https://", "url(", "@import", "<img", "<link"} {
		assert.NotContains(t, page, never)
	}
	for _, f := range read[evidence.Access](t, path, "leavers-access.jsonl") {
		assert.Contains(t, page, f.Done.How)
	}
}

// What was taken before somebody left is told, too.
func TestWhatWasOffBeforeIsProven(t *testing.T) {
	w := newTown(t)
	w.says("boss", "Engineering", first)
	w.says("ada", "Engineering", first)
	w.goesOn(first.Add(day), 12*time.Hour)
	w.says("ada", "Sales", first.Add(2*day)) // without the wiki
	w.goesOn(first.Add(4*day), 12*time.Hour)
	w.says("ada", "", first.Add(5*day))
	w.goesOn(first.Add(20*day), 12*time.Hour)
	w.sequences()
	path, _ := w.packs(quarter())
	access := read[evidence.Access](t, path, "leavers-access.jsonl")
	require.Len(t, access, 2)
	wiki := access[1]
	assert.Equal(t, []any{"wiki", true, false, false, int64(0)}, []any{wiki.App, wiki.Before, wiki.Open, wiki.Late, wiki.Seconds})
	require.NotNil(t, wiki.Done)
	assert.Equal(t, first.Add(2*day), wiki.Done.At)
	assert.NotNil(t, wiki.Stripped)
	assert.Empty(t, wiki.Minutes)
}

// Of somebody who left and came back before Tenure heard of it, nothing had to be taken.
func TestWhoCameBackBeforeTenureHeardIsNoOpenEnd(t *testing.T) {
	w := newTown(t)
	w.says("boss", "Engineering", first)
	w.says("ada", "Sales", first)
	w.goesOn(first.Add(10*day), 12*time.Hour)
	w.says("ada", "", first.Add(5*day))
	w.rehires("ada", "Sales", first.Add(7*day))
	w.goesOn(first.Add(20*day), 12*time.Hour)
	w.sequences()
	path, made := w.packs(quarter())
	for _, c := range made.Checks {
		assert.NotEqual(t, evidence.TiesNot, c.Verdict, "%s: %v", c.Check, c.Which)
	}
	access := read[evidence.Access](t, path, "leavers-access.jsonl")
	require.Len(t, access, 1)
	assert.Equal(t, []any{first.Add(7 * day), false, false, map[string]int64{"hr": 2 * 24 * 3600}}, []any{access[0].Again, access[0].Open, access[0].Late, access[0].Minutes})
}

// What the ledger believes and the record does not say is found, and so is an account that is on.
func TestWhatDoesNotTieOutIsNamed(t *testing.T) {
	w := newTown(t)
	w.says("boss", "Engineering", first)
	w.says("ada", "Engineering", first)
	w.goesOn(first.Add(day), 6*time.Hour)
	w.down["wiki"] = true
	w.says("ada", "", first.Add(day))
	w.goesOn(first.Add(3*day), 6*time.Hour)
	w.sequences()
	verdicts := func(made evidence.Made) map[string]evidence.Check {
		all := map[string]evidence.Check{}
		for _, c := range made.Checks {
			all[c.Check+" "+c.Of] = c
		}
		return all
	}
	path, made := w.packs(quarter())
	w.sound(path)
	assert.Equal(t, []string{"ada in wiki"}, verdicts(made)["accounts of leavers against proofs "].Which)
	open := read[evidence.Access](t, path, "leavers-access.jsonl")[1]
	assert.Equal(t, []any{true, true, int64(2 * 24 * 3600)}, []any{open.Open, open.Late, open.Seconds})
	assert.Equal(t, evidence.Ties, verdicts(made)["accounts in the ledger against the record "].Verdict)

	db, err := sql.Open("sqlite", w.path)
	require.NoError(t, err)
	_, err = db.ExecContext(t.Context(), `UPDATE links SET state = 'disabled' WHERE person_id = 'ada' AND app = 'wiki'`)
	require.NoError(t, err)
	require.NoError(t, db.Close())
	_, made = w.packs(quarter())
	assert.Equal(t, []string{"ada in wiki: disabled, and the record says active"}, verdicts(made)["accounts in the ledger against the record "].Which)
}

// A record that was changed is not packed.
func TestARecordThatWasChangedIsNotPacked(t *testing.T) {
	w := storied(t)
	db, err := sql.Open("sqlite", w.path)
	require.NoError(t, err)
	for _, statement := range []string{`DROP TRIGGER audit_no_update`, `UPDATE audit SET actor = 'mallory' WHERE seq = 3`} {
		_, err = db.ExecContext(t.Context(), statement)
		require.NoError(t, err)
	}
	require.NoError(t, db.Close())
	_, err = w.maker().Make(t.Context(), quarter(), onDisk(filepath.Join(t.TempDir(), "pack")))
	assert.ErrorContains(t, err, "leaf 2 of the audit record: altered")
}
