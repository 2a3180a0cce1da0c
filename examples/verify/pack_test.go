package main

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
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
	"github.com/tenurehq/tenure/ledger"
)

// packed makes a pack of the rows that are wanted, and of another file.
func (s *site) packed(t *testing.T, wanted func(audit.Entry) bool) (folder string) {
	t.Helper()
	folder = t.TempDir()
	w := &pack.Writer{Create: func(name string) (io.WriteCloser, error) { return os.Create(filepath.Join(folder, name)) }}
	require.NoError(t, w.Write("leavers.jsonl", []byte("{\"person\":\"p1\"}\n")))
	require.NoError(t, s.ReadRecord(t.Context(), func(source audit.Source) error {
		_, err := w.Rows(t.Context(), source, wanted)
		return err
	}))
	_, err := w.Seal(origin, time.Now(), s.signer)
	require.NoError(t, err)
	return folder
}

func every(n int64) func(audit.Entry) bool { return func(e audit.Entry) bool { return e.N%n == 0 } }

func TestAPackIsVerifiedByASecondVerifier(t *testing.T) {
	s := newSite(t)
	for range 3 {
		s.grow(t, 130)
	}
	require.NoError(t, s.Redact(t.Context(), ledger.Redaction{Seqs: []int64{1, 7}, Operator: "dpo", Reason: "x", At: time.Now()}))
	s.grow(t, 1)
	for n, want := range map[int64]int{1: 392, 3: 131, 100: 5, 1000: 2} {
		found, err := verify(s.packed(t, every(n)), s.verifies, []string{s.kept})
		require.NoError(t, err)
		assert.Equal(t, want, found.rows, "with the row that says who erased the text of the first row")
	}
	folder := s.packed(t, every(50))
	_, other, err := audit.NewKey(origin)
	require.NoError(t, err)
	_, err = verify(folder, other, nil)
	assert.ErrorContains(t, err, "manifest")

	before := s.packed(t, every(7))
	s.grow(t, 20)
	_, err = verify(before, s.verifies, []string{s.kept})
	assert.ErrorContains(t, err, "rolled back")
}

// Both verifiers find a change of any byte, and name the file. That the product's own finds every
// change of a bit is tested with it.
func TestEveryChangeOfAByteOfAPackIsFound(t *testing.T) {
	s := newSite(t)
	s.grow(t, 2)
	s.grow(t, 2)
	folder := s.packed(t, every(3))
	_, err := verify(folder, s.verifies, nil)
	require.NoError(t, err)
	verifier, err := note.NewVerifier(s.verifies)
	require.NoError(t, err)
	options := audit.Options{Verifiers: note.VerifierList(verifier), MustBeSigned: true}
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Len(t, entries, 5)
	for _, entry := range entries {
		path := filepath.Join(folder, entry.Name())
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		for i := range text {
			bit := 8*i + i%8
			flipped := append([]byte{}, text...)
			flipped[bit/8] ^= 1 << (bit % 8)
			require.NoError(t, os.WriteFile(path, flipped, 0o600))
			_, err := verify(folder, s.verifies, nil)
			if !assert.ErrorContains(t, err, entry.Name()+":", "bit %d", bit) {
				return
			}
			r, err := pack.Verify(os.DirFS(folder), options)
			if !assert.NoError(t, err) || !assert.NotEmpty(t, r.Findings, "%s, bit %d", entry.Name(), bit) || !assert.Equal(t, entry.Name(), r.Findings[0].File, "bit %d", bit) {
				return
			}
		}
		require.NoError(t, os.WriteFile(path, text, 0o600))
	}
	require.NoError(t, os.WriteFile(filepath.Join(folder, "more"), nil, 0o600))
	_, err = verify(folder, s.verifies, nil)
	assert.ErrorContains(t, err, "more: the manifest does not list it")
}

// A subtree of 2^n leaves begins at a multiple of 2^n, and ends where the next row is or before:
// otherwise other leaves could make the same root.
func TestASubtreeStandsWhereItCan(t *testing.T) {
	root := base64.StdEncoding.EncodeToString(make([]byte, 32))
	for _, c := range []struct {
		at, level, until int
		stands           bool
	}{
		{0, 0, 1, true}, {0, 3, 8, true}, {8, 3, 16, true}, {1, 0, 2, true}, {6, 1, 8, true},
		{1, 1, 8, false}, {2, 2, 8, false}, {4, 3, 16, false}, {6, 2, 16, false}, {0, 3, 7, false}, {0, 63, 8, false}, {0, -1, 8, false},
	} {
		x := tree{}
		for range c.at {
			x.add(0, [32]byte{})
		}
		err := subtree(bufio.NewReader(strings.NewReader(fmt.Sprintf("%d %s\n", c.level, root))), &x, c.until)
		assert.Equal(t, c.stands, err == nil, "level %d at leaf %d, and the next row is %d: %v", c.level, c.at, c.until, err)
	}
}
