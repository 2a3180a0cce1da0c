package evidence_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/audit"
	"github.com/tenurehq/tenure/audit/pack"
	"github.com/tenurehq/tenure/erase"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator/evidence"
)

// traces are what tells who eva is, in lower case.
var traces = []string{"wilhelmina", "quartzberg", "555 0188", "mina@home"}

// forgettable is a governed town in which eva worked, whom others' reasons name, and who has left.
func forgettable(t *testing.T) *town {
	w := governedOf(t, hostile+" for Wilhelmina Quartzberg <wquartzberg@example.com>, +49 30 555 0188")
	w.ledger.SetPepper([]byte("a pepper that only tests use, which is long enough"))
	w.offset++
	_, err := w.ledger.Record(t.Context(), []ledger.Received{{At: w.now, Topic: "hr.events", Partition: int(w.offset % 2), Offset: w.offset, Event: hr.Event{
		EventKey: hr.EventKey{Source: "/hr", ID: "eva-1"}, Type: hr.EventHired, PersonID: "eva", Recorded: w.now, Effective: hr.DateOf(w.now),
		Profile: &hr.Profile{
			Type: hr.TypeEmployee, GivenName: "Wilhelmina", FamilyName: "Quartzberg", PreferredName: "Mina", Department: "Engineering", ManagerID: "boss",
			WorkEmail: "wquartzberg@example.com", PersonalEmail: "mina@home.example", Phone: "+49 30 555 0188", EmployeeNumber: "E-88",
			StartDate: hr.DateOf(w.now), Location: hr.Location{TimeZone: "UTC"},
		},
	}}})
	require.NoError(t, err)
	w.goesOn(w.now.Add(2*day), 6*time.Hour)
	_, err = w.ledger.PlaceException(t.Context(), ledger.Exception{
		PersonID: "eva", Kind: "waive", Duty: "write-and-judge", Control: "Quartzberg is looked after", Employment: hr.EventKey{Source: "/hr", ID: "eva-1"},
		StartsAt: w.now, EndsAt: w.now.Add(day), Origin: ledger.ExceptionByOperator, DecidedAt: w.now, DecidedBy: "olga", Reason: "Wilhelmina has to",
	})
	require.NoError(t, err)
	w.says("eva", "", w.now.Add(day))
	w.goesOn(w.now.Add(30*day), 6*time.Hour)
	w.sequences()
	return w
}

// erases erases eva, and puts what says so into the log.
func (w *town) erases() ledger.Erased {
	w.t.Helper()
	w.now = w.now.Add(time.Hour)
	_, erased, err := erase.Do(w.t.Context(), w.ledger, erase.Terms{}, "eva", "dpo", "request 14", w.now)
	require.NoError(w.t, err)
	return erased
}

// named returns the files of a pack that name eva.
func named(t *testing.T, path string) (files []string) {
	t.Helper()
	require.NoError(t, fs.WalkDir(os.DirFS(path), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(os.DirFS(path), name)
		for _, trace := range traces {
			if strings.Contains(strings.ToLower(name+string(text)), trace) {
				files = append(files, name+": "+trace)
			}
		}
		return err
	}))
	return files
}

// No byte of any pack that is made after an erasure names whom it erased, and all of them are as
// sound as before.
func TestPacksAfterAnErasureNameNobody(t *testing.T) {
	w := forgettable(t)
	const nowHere = "the time of the erasure only" // in which nothing was said of her
	app := quarter()
	app.App = "wiki"
	scopes := map[string]evidence.Scope{
		"a person who was erased": {Person: "eva"}, "another person": {Person: "ada"}, "a period": quarter(), "an app": app, "a review": {Review: "v-1"},
		nowHere: {From: w.now.Add(time.Minute), Until: w.now.Add(2 * time.Hour)},
	}
	before := map[string]evidence.Made{}
	for of, scope := range scopes {
		path, made := w.packs(scope)
		w.sound(path)
		before[of] = made
		if of != nowHere {
			assert.NotEmpty(t, named(t, path), "this test would see it in a pack of %s", of)
		}
	}
	erased := w.erases()
	for of, scope := range scopes {
		_, err := w.maker().Make(t.Context(), scope, onDisk(filepath.Join(t.TempDir(), "pack")))
		if of != nowHere {
			require.ErrorIs(t, err, pack.ErrErasedSince, "%s: who verifies it would take the texts for hidden", of)
		}
	}
	w.sequences()
	for of, scope := range scopes {
		path, made := w.packs(scope)
		report := w.sound(path)
		assert.Empty(t, named(t, path), of)
		verdicts := map[string]evidence.Check{}
		for _, c := range made.Checks {
			verdicts[c.Check+" "+c.Of] = c
		}
		for _, c := range before[of].Checks {
			if is := verdicts[c.Check+" "+c.Of].Verdict; c.Verdict != evidence.TiesNot {
				assert.NotEqual(t, evidence.TiesNot, is, "%s: %s %s", of, c.Check, c.Of)
			}
		}
		if of == nowHere {
			continue
		}
		assert.Positive(t, report.Redacted, of)
		assert.Contains(t, string(content(t, path, pack.FileRows)), audit.ActionRedacted, of)
		erasures := verdicts["people who were erased "]
		switch of {
		case "a person who was erased", "a period", "an app":
			assert.Equal(t, []any{evidence.CannotSay, []string{"eva"}}, []any{erasures.Verdict, erasures.Which}, of)
			assert.Contains(t, string(content(t, path, "evidence.html")), "what HR said of them is not known any more")
			assert.Contains(t, string(content(t, path, pack.FileRows)), `"eva"`, "what was done for them stays")
		case "another person":
			assert.Equal(t, evidence.Ties, erasures.Verdict)
		}
		if of == "a period" {
			assert.Equal(t, erased.Redacted, report.Redacted)
		}
	}
}
