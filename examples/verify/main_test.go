package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
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
	"github.com/tenurehq/tenure/audit/place"
	"github.com/tenurehq/tenure/audit/sequencer"
	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/ledgertest"
	"github.com/tenurehq/tenure/ledger/sqlite"
	"github.com/tenurehq/tenure/ledger/sqlite/sqlitetest"
)

const origin = "example.com/tenure"

// site is a ledger with its key, and the file to which checkpoints are published.
type site struct {
	*sqlite.Store
	verifies string
	signer   note.Signer
	kept     string
	wrote    int
}

func newSite(t *testing.T) *site {
	t.Helper()
	l, err := sqlite.Open(t.Context(), sqlitetest.New(t))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	signs, verifies, err := audit.NewKey(origin)
	require.NoError(t, err)
	signer, err := note.NewSigner(signs)
	require.NoError(t, err)
	return &site{Store: l, verifies: verifies, signer: signer, kept: filepath.Join(t.TempDir(), "kept")}
}

// grow writes rows, and sequences them.
func (s *site) grow(t *testing.T, n int) {
	t.Helper()
	for range n {
		require.NoError(t, ledgertest.WriteRound(t.Context(), s, fmt.Sprint("p", s.wrote), 0))
		s.wrote++
	}
	q := &sequencer.Sequencer{
		Ledger: s.Store, Origin: origin, Signer: s.signer, Places: []sequencer.Place{place.File{Path: s.kept}}, Every: time.Hour, Clock: clock.Real(), Log: zap.NewNop(),
	}
	require.NoError(t, q.Step(t.Context()))
	leases, err := s.Leases(t.Context())
	require.NoError(t, err)
	require.NoError(t, s.DropLease(t.Context(), leases[0]))
}

func (s *site) export(t *testing.T) (folder string) {
	t.Helper()
	folder = t.TempDir()
	require.NoError(t, s.ReadRecord(t.Context(), func(source audit.Source) error {
		_, err := audit.Export(t.Context(), source, func(name string) (io.WriteCloser, error) {
			path := filepath.Join(folder, filepath.FromSlash(name))
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				return nil, err
			}
			return os.Create(path)
		})
		return err
	}))
	return folder
}

func TestARecordIsVerifiedByASecondVerifier(t *testing.T) {
	s := newSite(t)
	for range 3 {
		s.grow(t, 130)
	}
	rows, err := s.Unsequenced(t.Context(), 0, 1)
	require.NoError(t, err)
	require.Empty(t, rows)
	require.NoError(t, s.Redact(t.Context(), ledger.Redaction{Seqs: []int64{3, 7}, Operator: "dpo", Reason: "x", At: time.Now()}))
	s.grow(t, 1)
	folder := s.export(t)
	n, err := verify(folder, s.verifies, []string{s.kept})
	require.NoError(t, err)
	assert.Equal(t, "sound: 392 rows\n", n.String())

	// Samples of single bits, in every file but those of higher levels, which follow from level 0,
	// and the copy of the newest checkpoint.
	require.NoError(t, filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Base(path) == "checkpoint" || filepath.Base(filepath.Dir(path)) == "1" || filepath.Base(filepath.Dir(filepath.Dir(path))) == "1" {
			return err
		}
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		for range 40 {
			bit := rand.IntN(8 * len(text))
			flipped := append([]byte{}, text...)
			flipped[bit/8] ^= 1 << (bit % 8)
			require.NoError(t, os.WriteFile(path, flipped, 0o600))
			_, failed := verify(folder, s.verifies, nil)
			assert.True(t, failed != nil || meaning(path, text) == meaning(path, flipped), "%s, bit %d: %q", path, bit, flipped[max(0, bit/8-20):min(len(flipped), bit/8+20)])
		}
		return os.WriteFile(path, text, 0o600)
	}))

	_, other, err := audit.NewKey(origin)
	require.NoError(t, err)
	_, err = verify(folder, other, nil)
	require.ErrorContains(t, err, "wrong signature")
	_, err = verify(folder, "x", nil)
	require.ErrorContains(t, err, "not written as name+hash+key")
}

// Wherever a crash cuts a checkpoint that is added to a file, the others are read, and it is said.
// No single bit makes one look so.
func TestACheckpointMayBeCutAnywhereInAFile(t *testing.T) {
	s := newSite(t)
	s.grow(t, 2)
	s.grow(t, 1)
	folder := s.export(t)
	whole, err := os.ReadFile(s.kept)
	require.NoError(t, err)
	first, second := audit.Split(whole)[0], audit.Split(whole)[1]
	for cut := range len(second) - 1 {
		require.NoError(t, os.WriteFile(s.kept, []byte("\n"+first+"\n"+second[:cut]), 0o600))
		for _, after := range []string{"at the end", "before another"} {
			found, err := verify(folder, s.verifies, []string{s.kept})
			require.NoError(t, err, "%s: %q", after, second[:cut])
			require.Equal(t, min(cut, 1), found.cut, "%s: %q", after, second[:cut])
			_, err = place.File{Path: s.kept}.Publish(t.Context(), sequencer.Head{Note: second})
			require.NoError(t, err)
		}
	}
	name, public, err := readKey(s.verifies)
	require.NoError(t, err)
	for bit := 8; bit < 8*len(whole); bit++ { // the first byte is an empty line
		whole[bit/8] ^= 1 << (bit % 8)
		require.NoError(t, os.WriteFile(s.kept, whole, 0o600))
		_, _, err := readCheckpoints(s.kept, name, public)
		whole[bit/8] ^= 1 << (bit % 8)
		if meaning("checkpoints", whole) == meaning("checkpoints", flipped(whole, bit)) {
			continue
		}
		require.Error(t, err, "bit %d: %q", bit, flipped(whole, bit))
	}
	require.NoError(t, os.WriteFile(filepath.Join(folder, "checkpoints"), []byte("\n"+first+"\n"+second[:40]), 0o600))
	_, err = verify(folder, s.verifies, nil)
	require.ErrorContains(t, err, "a checkpoint is not signed by the key", "nothing cuts those of the record itself")
}

func flipped(text []byte, bit int) []byte {
	text = slices.Clone(text)
	text[bit/8] ^= 1 << (bit % 8)
	return text
}

// Whoever makes the files cannot fill the memory of whoever verifies them.
func TestALineHasAMostLength(t *testing.T) {
	s := newSite(t)
	s.grow(t, 1)
	folder := s.export(t)
	for name, longest := range map[string]int64{"rows.jsonl": longestLine, "checkpoints": longestNote} {
		path := filepath.Join(folder, name)
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NoError(t, os.Truncate(path, 0))
		require.NoError(t, os.Truncate(path, longest+1))
		_, err = verify(folder, s.verifies, nil)
		require.ErrorContains(t, err, "a line is longer than")
		require.NoError(t, os.WriteFile(path, text, 0o600))
	}
	require.NoError(t, os.Truncate(filepath.Join(folder, "tile", "0", "000.p", "1"), 1<<40))
	_, err := verify(folder, s.verifies, nil)
	require.ErrorContains(t, err, "is not what the rows give")
}

// What a person, or another program, reads in a line is what was verified.
func TestALineCanBeReadInOneWayOnly(t *testing.T) {
	s := newSite(t)
	s.grow(t, 3)
	folder := s.export(t)
	path := filepath.Join(folder, "rows.jsonl")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	for old, forged := range map[string]string{
		`"cause":"`: `"cause":"forged","Cause":"`, `{"leaf":1,`: `{"leaf":1,"note":"forged",`, `,"cause":`: `, "cause":`,
	} {
		require.NoError(t, os.WriteFile(path, []byte(strings.Replace(string(text), old, forged, 1)), 0o600))
		_, err = verify(folder, s.verifies, nil)
		require.ErrorContains(t, err, "not written as lines are", forged)
	}
}

func TestAFileOfNoCheckpointsProvesNothing(t *testing.T) {
	s := newSite(t)
	s.grow(t, 3)
	empty := filepath.Join(t.TempDir(), "kept")
	require.NoError(t, os.WriteFile(empty, []byte("\n"), 0o600))
	_, err := verify(s.export(t), s.verifies, []string{empty})
	require.ErrorContains(t, err, "there is no checkpoint in it")
}

// meaning returns what is read of a file: JSON has several forms of the same, and so has base64.
func meaning(path string, text []byte) string {
	switch filepath.Base(path) {
	case "rows.jsonl":
		out := ""
		for line := range strings.Lines(string(text)) {
			var l struct {
				Leaf     int
				Record   string
				Salt     []byte
				Cause    string
				Detail   *string
				Redacted bool
			}
			var raw struct{ Record json.RawMessage }
			_, _ = json.Unmarshal([]byte(line), &l), json.Unmarshal([]byte(line), &raw)
			l.Record = string(raw.Record)
			again, _ := json.Marshal(l)
			out += string(again)
		}
		return out
	case "checkpoints":
		out := ""
		for line := range strings.Lines(string(text)) {
			if signature, is := strings.CutPrefix(line, "\u2014 "+origin+" "); is {
				raw, _ := base64.StdEncoding.DecodeString(strings.TrimSpace(signature))
				line = string(raw[min(4, len(raw)):]) // the key's hash is only a hint
			}
			out += line
		}
		return out
	}
	return string(text)
}

func TestWhatOnlyAKeptCheckpointShows(t *testing.T) {
	s := newSite(t)
	s.grow(t, 20)
	older := s.export(t)
	s.grow(t, 20)
	_, err := verify(older, s.verifies, nil)
	require.NoError(t, err, "nothing in a backup is wrong")
	_, err = verify(older, s.verifies, []string{s.kept})
	require.ErrorContains(t, err, "rolled back")

	other := newSite(t)
	other.signer, other.verifies = s.signer, s.verifies
	other.grow(t, 50)
	_, err = verify(other.export(t), s.verifies, []string{s.kept})
	require.ErrorContains(t, err, "rewritten")
}

func TestARestartIsUnderstood(t *testing.T) {
	s := newSite(t)
	s.grow(t, 20)
	text, err := os.ReadFile(s.kept)
	require.NoError(t, err)
	known, _, err := audit.Open(audit.Split(text)[0], nil)
	require.NoError(t, err)
	restored := newSite(t)
	restored.signer, restored.verifies = s.signer, s.verifies
	_, err = restored.RestartLog(t.Context(), ledger.LogRestart{Operator: "ops", Reason: "restored", At: time.Now(), Known: &known})
	require.NoError(t, err)
	restored.grow(t, 30)
	n, err := verify(restored.export(t), s.verifies, []string{s.kept, restored.kept})
	require.NoError(t, err)
	assert.Equal(t, "SOUND ONLY IF A BACKUP WAS RESTORED: 31 rows\nCheckpoints that you kept are not of this record. "+
		"Leaf 0 says that a restore has lost what they were of, up to size 20: see there who says so and why, and ask whether it is true.\n", n.String())
	n, err = verify(restored.export(t), s.verifies, []string{restored.kept})
	require.NoError(t, err)
	assert.Equal(t, "sound: 31 rows\n", n.String(), "who has no other checkpoint needs no excuse")
	s.grow(t, 1)
	_, err = verify(restored.export(t), s.verifies, []string{s.kept})
	require.ErrorContains(t, err, "is of the log "+origin+", and the record is "+origin+"/2 there")
}
