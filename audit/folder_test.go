package audit

import (
	"bytes"
	"io"
	"io/fs"
	"maps"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"
)

// written is a file in memory.
type written struct {
	bytes.Buffer
	close func([]byte)
}

func (w *written) Close() error {
	w.close(w.Bytes())
	return nil
}

func export(t *testing.T, s Source) fstest.MapFS {
	t.Helper()
	folder := fstest.MapFS{}
	_, err := Export(t.Context(), s, func(name string) (io.WriteCloser, error) {
		return &written{close: func(b []byte) { folder[name] = &fstest.MapFile{Data: slices.Clone(b)} }}, nil
	})
	require.NoError(t, err)
	return folder
}

// verifyFolder verifies a folder, and returns an error if it cannot be read or is not sound.
func verifyFolder(t *testing.T, folder fs.FS, verifiers note.Verifiers) (*Report, error) {
	t.Helper()
	s, rows, err := Folder(folder)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	return Verify(t.Context(), s, Options{Verifiers: verifiers, MustBeSigned: true})
}

func TestAnExportedRecordIsVerified(t *testing.T) {
	signer, verifiers, _ := keysOf(t, testOrigin)
	for _, n := range []int{0, 1, 255, 256, 700} {
		m := &memory{}
		m.grow(testRows(0, n), 100, signer)
		if n > 2 {
			m = redacted(t, signer, n, 100)
		}
		folder := export(t, m)
		r, err := verifyFolder(t, folder, verifiers)
		require.NoError(t, err)
		if n == 0 {
			assert.Equal(t, []Kind{Altered}, kinds(r), "no checkpoint is signed: there is none")
			continue
		}
		require.Empty(t, r.Findings, n)
		direct, err := Verify(t.Context(), m, Options{Verifiers: verifiers, MustBeSigned: true})
		require.NoError(t, err)
		assert.Equal(t, direct, r)
	}
	m := &memory{}
	m.grow(testRows(0, 256*3+5), 100, signer)
	folder := export(t, m)
	for _, path := range []string{"checkpoint", "checkpoints", "rows.jsonl", "tile/0/000", "tile/0/003.p/5", "tile/1/000.p/3", "tile/entries/002", "tile/entries/003.p/5"} {
		assert.Contains(t, folder, path)
	}
	assert.Equal(t, "tile/0/x001/x234/067", tilePath("0", 1234067, 256))
}

// Every single bit of every file.
func TestEverySingleBitOfAnExportIsFound(t *testing.T) {
	signer, verifiers, _ := keysOf(t, testOrigin)
	folder := export(t, redacted(t, signer, 3, 4))
	tried := 0
	for _, name := range slices.Sorted(maps.Keys(folder)) {
		for bit := range 8 * len(folder[name].Data) {
			flipped := maps.Clone(folder)
			data := slices.Clone(folder[name].Data)
			data[bit/8] ^= 1 << (bit % 8)
			flipped[name] = &fstest.MapFile{Data: data}
			r, err := verifyFolder(t, flipped, verifiers)
			require.True(t, err != nil || !r.Sound(), "%s, bit %d: %q", name, bit, data)
			tried++
		}
	}
	t.Logf("%d single-bit changes, all found", tried)
	for name := range folder {
		without := maps.Clone(folder)
		delete(without, name)
		r, err := verifyFolder(t, without, verifiers)
		require.True(t, err != nil || !r.Sound(), name)
	}
}

// endless is a file that never ends.
type endless struct{ fs.File }

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

type endlessFS struct {
	fstest.MapFS
	name string
}

func (f endlessFS) Open(name string) (fs.File, error) {
	file, err := f.MapFS.Open(name)
	if name == f.name && err == nil {
		return endless{file}, nil
	}
	return file, err
}

// Whoever made a folder cannot fill the memory of whoever verifies it.
func TestNoFileIsReadWithoutEnd(t *testing.T) {
	signer, verifiers, _ := keysOf(t, testOrigin)
	m := &memory{}
	m.grow(testRows(0, 3), 3, signer)
	folder := export(t, m)
	for name := range folder {
		if name == fileCheckpoints {
			continue // its limit is too high to be tried
		}
		_, err := verifyFolder(t, endlessFS{folder, name}, verifiers)
		require.Error(t, err, name)
	}
}
