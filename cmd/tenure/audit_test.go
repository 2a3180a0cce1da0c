package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"golang.org/x/mod/sumdb/note"

	"github.com/tenurehq/tenure/audit"
	"github.com/tenurehq/tenure/audit/export"
	"github.com/tenurehq/tenure/audit/place"
	"github.com/tenurehq/tenure/audit/sequencer"
	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/ledgertest"
	"github.com/tenurehq/tenure/service"
)

// logged is a site whose audit record is in its log.
type logged struct {
	*site
	verifies string
	signer   note.Signer
}

// newLogged returns a site with a key, and rows that are in no log yet.
func newLogged(t *testing.T) *logged {
	t.Helper()
	s := newSite(t)
	s.people()
	got := s.run("audit", "key", "audit.signer", "--origin", "example.com/tenure")
	require.Equal(t, service.ExitDone, got.code, got.err)
	text, err := os.ReadFile("tenure.yaml")
	require.NoError(t, err)
	s.write("tenure.yaml", string(text)+"audit: {origin: example.com/tenure, key: \"${file:audit.signer}\", publish: [{file: checkpoints}]}\n")
	signs, err := os.ReadFile("audit.signer")
	require.NoError(t, err)
	signer, err := note.NewSigner(strings.TrimSpace(string(signs)))
	require.NoError(t, err)
	return &logged{s, strings.TrimSpace(got.stdout), signer}
}

// grow writes rows, and sequences them as a worker does.
func (s *logged) grow(t *testing.T, l ledger.Ledger, from, n int) {
	t.Helper()
	for i := range n {
		require.NoError(t, ledgertest.WriteRound(t.Context(), l, strings.Repeat("x", from+i+1), 0))
	}
	q := &sequencer.Sequencer{
		Ledger: l, Origin: "example.com/tenure", Signer: s.signer, Places: []sequencer.Place{place.File{Path: "checkpoints"}},
		Every: time.Hour, Clock: clock.Real(), Log: zap.NewNop(),
	}
	require.NoError(t, q.Step(t.Context()))
	leases, err := l.Leases(t.Context())
	require.NoError(t, err)
	require.NoError(t, l.DropLease(t.Context(), leases[0]))
}

func (s *logged) with(t *testing.T, f func(l ledger.Ledger)) {
	t.Helper()
	l := s.ledger()
	f(l)
	require.NoError(t, l.Close())
}

// execute changes the ledger as somebody does who has its file.
func (s *logged) execute(statement string) {
	s.t.Helper()
	db, err := sql.Open("sqlite", "tenure.db")
	require.NoError(s.t, err)
	_, err = db.ExecContext(s.t.Context(), statement)
	require.NoError(s.t, err)
	require.NoError(s.t, db.Close())
}

func TestAKeyIsMade(t *testing.T) {
	s := newLogged(t)
	info, err := os.Stat("audit.signer")
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	assert.True(t, strings.HasPrefix(s.verifies, "example.com/tenure+"))
	s.refuses(service.ExitFailed, `"audit.signer" is there already`, "audit", "key", "audit.signer", "--origin", "x")
	s.refuses(service.ExitUsage, "cannot be the name of a log", "audit", "key", "other.signer", "--origin", "a b")
	s.refuses(service.ExitUsage, "origin", "audit", "key", "other.signer")
	assert.NotContains(t, s.run("config", "check").stdout, "not signed")
}

func TestTheRecordIsVerified(t *testing.T) {
	s := newLogged(t)
	s.refuses(service.ExitFailed, "the audit record has no checkpoint yet", "audit", "checkpoint")
	s.with(t, func(l ledger.Ledger) { s.grow(t, l, 0, 5) })
	got := s.run("audit", "verify")
	require.Equal(t, service.ExitDone, got.code, got.err+got.stdout)
	assert.Contains(t, got.stdout, "The audit record is sound:")
	assert.Empty(t, got.err, "no progress bar, since this is no terminal")

	got = s.run("audit", "checkpoint")
	require.Equal(t, service.ExitDone, got.code, got.err)
	checkpoints, err := os.ReadFile("checkpoints")
	require.NoError(t, err)
	assert.Equal(t, strings.TrimPrefix(string(checkpoints), "\n"), got.stdout, "as it was published")
	s.write("kept.txt", got.stdout)
	s.with(t, func(l ledger.Ledger) { s.grow(t, l, 5, 5) })
	got = s.run("audit", "verify", "--checkpoint", "kept.txt", "--checkpoint", "checkpoints", "--key", s.verifies, "-o", "json")
	require.Equal(t, service.ExitDone, got.code, got.err+got.stdout)
	var r audit.Report
	require.NoError(t, json.Unmarshal([]byte(got.stdout), &r))
	assert.Equal(t, []int64{3, 2, 2}, []int64{r.Kept, r.Checkpoints, r.Signed})

	var head headView
	got = s.run("audit", "checkpoint", "-o", "json")
	require.NoError(t, json.Unmarshal([]byte(got.stdout), &head), got.err)
	assert.Equal(t, []int64{r.Leaves, r.Leaves, 0}, []int64{head.Size, head.Leaves, head.Waiting})
	require.Len(t, head.Published, 1)
	assert.Equal(t, "file "+"checkpoints", head.Published[0].Place)

	s.refuses(service.ExitUsage, "--key nonsense", "audit", "verify", "--key", "nonsense")
	s.refuses(service.ExitUsage, "no such file", "audit", "verify", "--checkpoint", "none")
	s.refuses(service.ExitUsage, "there is no checkpoint in it", "audit", "verify", "--checkpoint", "audit.signer")
	_, other, err := audit.NewKey("example.com/tenure")
	require.NoError(t, err)
	s.write("plain.yaml", configuration)
	got = s.run("audit", "verify", "--key", other, "--config", "plain.yaml")
	assert.Equal(t, service.ExitAttention, got.code, "no checkpoint is signed by that key")
}

func TestAnExportIsVerifiedWithoutAConfiguration(t *testing.T) {
	s := newLogged(t)
	s.with(t, func(l ledger.Ledger) { s.grow(t, l, 0, 9) })
	got := s.run("audit", "export", "record")
	require.Equal(t, service.ExitDone, got.code, got.err)
	s.refuses(service.ExitFailed, `"record" is there already`, "audit", "export", "record")
	require.NoError(t, os.Remove("tenure.yaml"))
	got = s.run("audit", "verify", "record", "--key", s.verifies, "--checkpoint", "checkpoints")
	require.Equal(t, service.ExitDone, got.code, got.err+got.stdout)
	rows, err := os.ReadFile(filepath.Join("record", "rows.jsonl"))
	require.NoError(t, err)
	s.write(filepath.Join("record", "rows.jsonl"), strings.Replace(string(rows), `"cause":"`, `"cause":"x`, 1))
	got = s.run("audit", "verify", "record", "--key", s.verifies)
	assert.Equal(t, service.ExitAttention, got.code, got.err)
	assert.Contains(t, got.stdout, "altered")
	s.refuses(service.ExitFailed, "none", "audit", "verify", "none")
}

func TestRowsAreExportedForOtherSystems(t *testing.T) {
	s := newLogged(t)
	s.with(t, func(l ledger.Ledger) { s.grow(t, l, 0, 300) }) // more than are read at once
	for _, format := range export.Names() {
		got := s.run("audit", "export", "--format", format)
		require.Equal(t, service.ExitDone, got.code, got.err)
		all := slices.Collect(strings.Lines(got.stdout))
		require.GreaterOrEqual(t, len(all), 300, format)
		assert.Contains(t, got.err, fmt.Sprintf(" in %d messages", len(all)))
		for i, line := range all[:5] {
			assert.Contains(t, line, fmt.Sprintf(map[string]string{"jsonl": `"leaf":%d,`, "ocsf": `"sequence":%d,`, "cef": ` cn1=%d `}[format], i))
		}
		got = s.run("audit", "export", "--format", format, "--from", "3", "--to", "297", "-")
		require.Equal(t, service.ExitDone, got.code, got.err)
		assert.Equal(t, strings.Join(all[3:298], ""), got.stdout, format)
		assert.Empty(t, s.run("audit", "export", "--format", format, "--from", "1000").stdout)
		got = s.run("audit", "export", "--format", format, "--from", "299", "rows."+format)
		require.Equal(t, service.ExitDone, got.code, got.err)
		text, err := os.ReadFile("rows." + format)
		require.NoError(t, err)
		assert.Equal(t, strings.Join(all[299:], ""), string(text), format)
		s.refuses(service.ExitFailed, "is there already", "audit", "export", "--format", format, "rows."+format)
	}
	s.refuses(service.ExitUsage, "--format xml: there is jsonl, ocsf, cef", "audit", "export", "--format", "xml")
	s.refuses(service.ExitUsage, "--format must not be empty", "audit", "export", "--format", "")
	s.refuses(service.ExitUsage, "name a new folder, or give --format", "audit", "export")
	s.refuses(service.ExitUsage, "--to is for --format", "audit", "export", "folder", "--to", "3")
	s.refuses(service.ExitUsage, "--from and --to are the first and the last leaf", "audit", "export", "--format", "cef", "--from", "3", "--to", "2")
	s.execute("DROP TRIGGER audit_no_update; UPDATE audit SET actor = 'nobody' WHERE seq = 5")
	got := s.run("audit", "export", "--format", "jsonl")
	assert.Equal(t, service.ExitAttention, got.code)
	assert.Contains(t, got.err, "1 of them are not what their leaves say")
	assert.Contains(t, got.stdout, `"state":"altered"`)
}

// Somebody who may write to the ledger as they like changes it.
func TestWhatWasDoneToTheLedgerIsFound(t *testing.T) {
	s := newLogged(t)
	s.with(t, func(l ledger.Ledger) { s.grow(t, l, 0, 5) })
	backup, err := os.ReadFile("tenure.db")
	require.NoError(t, err)
	s.with(t, func(l ledger.Ledger) { s.grow(t, l, 5, 5) })
	now, err := os.ReadFile("tenure.db")
	require.NoError(t, err)
	restore := func(file []byte) {
		for _, beside := range []string{"tenure.db-wal", "tenure.db-shm"} {
			_ = os.Remove(beside)
		}
		require.NoError(t, os.WriteFile("tenure.db", file, 0o600))
	}
	for _, c := range []struct{ name, statement, finds string }{
		{"a row was changed", `DROP TRIGGER audit_no_update; UPDATE audit SET actor = 'nobody' WHERE seq = (SELECT max(seq) FROM audit)`, "altered"},
		{"a row is gone", `DROP TRIGGER audit_no_delete; DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit)`, "missing"},
	} {
		restore(now)
		s.execute(c.statement)
		got := s.run("audit", "verify")
		assert.Equal(t, service.ExitAttention, got.code, "%s: %s", c.name, got.err)
		assert.Contains(t, got.stdout, c.finds, c.name)
	}
	restore(backup)
	require.Equal(t, service.ExitDone, s.run("audit", "verify").code, "nothing in the backup is wrong")
	got := s.run("audit", "verify", "--checkpoint", "checkpoints")
	assert.Equal(t, service.ExitAttention, got.code, got.err)
	assert.Contains(t, got.stdout, "rolled back")

	restart := []string{"audit", "restart", "--reason", "restored", "--checkpoint", "checkpoints", "--operator", "olga"}
	got = s.run(restart...)
	assert.Equal(t, service.ExitAttention, got.code, got.err)
	assert.Contains(t, got.stdout, "example.com/tenure/2")
	got = s.run(append(restart, "--apply")...)
	require.Equal(t, service.ExitDone, got.code, got.err)
	s.with(t, func(l ledger.Ledger) { s.grow(t, l, 20, 1) })
	got = s.run("audit", "verify", "--checkpoint", "checkpoints")
	require.Equal(t, service.ExitDone, got.code, got.err+got.stdout)
	assert.Contains(t, got.stdout, "1 of them are of what a restore has lost")
	assert.Contains(t, got.stdout, "But a checkpoint that was given is of what a restore has lost")
	s.write("foreign.txt", "another/log\n3\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n")
	s.refuses(service.ExitUsage, "is not signed by the key of this log", "audit", "restart", "--reason", "x", "--checkpoint", "foreign.txt")
}

// With another name, what is signed from then on is of another log for whoever has the old one.
func TestConfigCheckComparesTheNameOfTheLog(t *testing.T) {
	s := newLogged(t)
	t.Setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
	says := func() string { return s.run("config", "check", "--connect", "--timeout", "10s").stdout }
	assert.NotContains(t, says(), "audit record: its", "it has no checkpoint yet")
	s.with(t, func(l ledger.Ledger) { s.grow(t, l, 0, 1) })
	assert.Contains(t, says(), "audit record: its log is called example.com/tenure")
	text, err := os.ReadFile("tenure.yaml")
	require.NoError(t, err)
	s.write("tenure.yaml", strings.Replace(string(text), "origin: example.com/tenure, key: \"${file:audit.signer}\"", "origin: example.com/other", 1))
	assert.Contains(t, says(), "missing  audit record: its log is called example.com/tenure, and audit.origin is example.com/other")
	assert.Contains(t, says(), "audit.origin: example.com/tenure")
}
