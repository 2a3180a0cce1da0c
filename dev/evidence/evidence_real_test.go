//go:build real

package evidence

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"golang.org/x/mod/sumdb/note"

	"github.com/tenurehq/tenure/audit"
	"github.com/tenurehq/tenure/audit/pack"
	"github.com/tenurehq/tenure/audit/sequencer"
	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/memory"
	"github.com/tenurehq/tenure/dev/company"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/sqlite"
	"github.com/tenurehq/tenure/ledger/sqlite/sqlitetest"
	evidencepack "github.com/tenurehq/tenure/operator/evidence"
	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/provision"
)

const (
	origin = "example.com/tenure"
	people = 1000
	day    = 24 * time.Hour
)

// office does what a worker does, without Temporal, at the time that the history has.
type office struct {
	t      *testing.T
	now    time.Time
	engine *provision.Engine
	ledger *sqlite.Store
}

func newOffice(t *testing.T) *office {
	t.Helper()
	store, err := sqlite.Open(t.Context(), sqlitetest.New(t))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, store.Close()) })
	o := &office{t: t, ledger: store}
	rules := policy.Rules{
		Apps: map[string]policy.AppRules{"mail": {}, "wiki": {}, "crm": {}},
		Roles: []policy.Role{
			{Name: "everybody", When: "true", Grants: []policy.Grant{{App: "mail", Entitlements: []string{"staff"}}}},
			{Name: "developers", When: "person.department == 'Development'", Grants: []policy.Grant{{App: "wiki", Entitlements: []string{"editors"}}}},
			{Name: "sellers", When: "person.department == 'Sales'", Grants: []policy.Grant{{App: "crm", Entitlements: []string{"accounts"}}}},
		},
		Leaver: policy.LeaverRules{Retain: 30 * day, Delete: true},
	}
	compiled, err := policy.Compile(rules)
	require.NoError(t, err)
	apps := map[string]*provision.App{}
	for name := range rules.Apps {
		memory.Shared(name).Reset()
		c, err := memory.Kind.Open(t.Context(), connector.Env{App: name}, nil)
		require.NoError(t, err)
		apps[name] = &provision.App{Connector: c}
	}
	o.engine = &provision.Engine{
		Ledger: store, Policy: compiled, Apps: apps, Log: zap.NewNop(), Clock: clock.Func(func() time.Time { return o.now }), AttentionAfter: time.Hour, Recheck: day,
	}
	return o
}

// lives plays the history of a company, in which what is due is done twice a day.
func (o *office) lives(h *company.History, until time.Time) {
	offset := int64(0)
	events := slices.SortedStableFunc(slices.Values(h.Events), func(a, b hr.Event) int { return a.Recorded.Compare(b.Recorded) })
	for o.now = events[0].Recorded; o.now.Before(until); o.now = o.now.Add(12 * time.Hour) {
		n := slices.IndexFunc(events, func(e hr.Event) bool { return e.Recorded.After(o.now) })
		if n < 0 {
			n = len(events)
		}
		var received []ledger.Received
		for _, e := range events[:n] {
			received = append(received, ledger.Received{Event: e, At: o.now, Topic: "hr.events", Offset: offset})
			offset++
		}
		events = events[n:]
		for some := range slices.Chunk(received, 500) {
			_, err := o.ledger.Record(o.t.Context(), some)
			require.NoError(o.t, err)
		}
		due, err := o.ledger.Due(o.t.Context(), o.now, 10*people)
		require.NoError(o.t, err)
		for _, p := range due {
			o.workOn(p.PersonID)
		}
	}
}

func (o *office) workOn(person string) {
	for range 5 {
		assessment, err := o.engine.Assess(o.t.Context(), person)
		require.NoError(o.t, err)
		done := 0
		for _, todo := range assessment.Todo {
			if slices.ContainsFunc(assessment.Todo, func(t provision.Todo) bool { return slices.Contains(todo.Needs, t.Key) }) {
				continue
			}
			result, _, err := o.engine.Apply(o.t.Context(), provision.Attempt{PersonID: person, Step: todo.Step, Deadline: time.Now().Add(time.Minute), Token: todo.Key})
			var failed *provision.Error
			if err != nil && !errors.As(err, &failed) {
				require.NoError(o.t, err)
			}
			if result == provision.ResultDone {
				done++
			}
		}
		if done == 0 {
			return
		}
	}
}

// folder is where a pack is written.
type folder string

func (f folder) Create(name string) (io.WriteCloser, error) {
	return os.Create(filepath.Join(string(f), name))
}

func (f folder) Open(name string) (io.ReadCloser, error) {
	return os.Open(filepath.Join(string(f), name))
}

// The pack of a quarter of a company of a thousand is made in less than a minute, in little memory.
// Both verifiers verify it, and a browser prints its page.
func TestTheQuarterOfACompanyOfAThousand(t *testing.T) {
	o := newOffice(t)
	options := company.Typical(7, people)
	options.Start = hr.Date{Year: 2026, Month: time.January, Day: 1}
	until := time.Date(2027, time.January, 1, 0, 0, 0, 0, time.UTC)
	began := time.Now()
	o.lives(company.Generate(options), until)
	t.Logf("the history took %s", time.Since(began).Round(time.Second))

	signs, verifies, err := audit.NewKey(origin)
	require.NoError(t, err)
	signer, err := note.NewSigner(signs)
	require.NoError(t, err)
	q := &sequencer.Sequencer{Ledger: o.ledger, Origin: origin, Signer: signer, Every: time.Hour, Clock: clock.Func(func() time.Time { return o.now }), Log: zap.NewNop()}
	require.NoError(t, q.Step(t.Context()))

	path := t.TempDir()
	maker := evidencepack.Maker{
		Ledger: o.ledger, Policy: o.engine.Policy, Now: o.now, By: "auditor", Log: origin, Within: day, Zone: time.UTC, Apps: []string{"crm", "mail", "wiki"}, Fresh: day,
		Signers: []note.Signer{signer},
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	began = time.Now()
	made, err := maker.Make(t.Context(), evidencepack.Scope{From: time.Date(2026, time.July, 1, 0, 0, 0, 0, time.UTC), Until: time.Date(2026, time.October, 1, 0, 0, 0, 0, time.UTC)}, folder(path))
	took := time.Since(began)
	require.NoError(t, err)
	runtime.GC()
	runtime.ReadMemStats(&after)
	for _, f := range made.Files {
		t.Logf("%6d %s", f.Lines, f.Name)
	}
	for _, c := range made.Checks {
		t.Log(c.Verdict, c.Check, c.Of, c.Numbers, c.Which)
	}
	t.Logf("the pack took %s: %d of %d rows", took.Round(time.Millisecond), made.Rows, made.Size)
	assert.Less(t, took, time.Minute)

	began = time.Now()
	verifier, err := note.NewVerifier(verifies)
	require.NoError(t, err)
	report, err := pack.Verify(os.DirFS(path), audit.Options{Verifiers: note.VerifierList(verifier), MustBeSigned: true})
	require.NoError(t, err)
	assert.Empty(t, report.Findings)
	t.Logf("verifying it took %s", time.Since(began).Round(time.Millisecond))
	second := exec.CommandContext(t.Context(), "go", "run", "./examples/verify", path, verifies)
	second.Dir = filepath.Join("..", "..")
	out, err := second.CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Contains(t, string(out), "sound: ")

	if to := os.Getenv("EVIDENCE_KEEP"); to != "" {
		require.NoError(t, os.CopyFS(to, os.DirFS(path)))
	}
	o.isWholePopulation(path)
	prints(t, path)
}

// isWholePopulation compares who left with what the events alone say.
func (o *office) isWholePopulation(path string) {
	o.t.Helper()
	text, err := os.ReadFile(filepath.Join(path, "leavers.jsonl"))
	require.NoError(o.t, err)
	var got []string
	for line := range strings.Lines(string(text)) {
		var m evidencepack.Moment
		require.NoError(o.t, json.Unmarshal([]byte(line), &m))
		got = append(got, m.Person)
	}
	options := company.Typical(7, people)
	options.Start = hr.Date{Year: 2026, Month: time.January, Day: 1}
	h := company.Generate(options)
	var want []string
	at := func(t time.Time) map[string]bool {
		employed := map[string]bool{}
		for _, e := range h.Expected(t) {
			employed[e.PersonID] = e.Status != hr.StatusEnded && e.Status != hr.StatusUnknown && e.Status != hr.StatusUpcoming
		}
		return employed
	}
	first, last := at(time.Date(2026, time.July, 1, 0, 0, 0, 0, time.UTC)), at(time.Date(2026, time.October, 1, 0, 0, 0, 0, time.UTC))
	for id := range first {
		if first[id] && !last[id] {
			want = append(want, id)
		}
	}
	slices.Sort(want)
	for _, id := range want {
		assert.Contains(o.t, got, id, "they were employed at the beginning and not at the end")
	}
	o.t.Logf("%d left, of whom %d were there at the beginning", len(got), len(want))
}

// prints prints the page with Chromium.
func prints(t *testing.T, path string) {
	t.Helper()
	browser, err := exec.LookPath("chromium")
	require.NoError(t, err, "scripts/test-real installs it")
	pdf := filepath.Join(t.TempDir(), "evidence.pdf")
	cmd := exec.CommandContext(t.Context(), browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer", "--print-to-pdf="+pdf, "file://"+filepath.Join(path, "evidence.html"))
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	text, err := os.ReadFile(pdf)
	require.NoError(t, err)
	assert.True(t, bytes.HasPrefix(text, []byte("%PDF-")))
	pages := regexp.MustCompile(`/Type\s*/Page\b`).FindAll(text, -1)
	assert.Greater(t, len(pages), 3)
	assert.Contains(t, string(text), "/MediaBox [0 0 841.9", "it lies on its side")
	t.Logf("the page has %d pages in PDF", len(pages))
}
