package pack_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"
	"pgregory.net/rapid"

	"github.com/tenurehq/tenure/audit"
	"github.com/tenurehq/tenure/audit/pack"
)

const origin = "example.com/tenure"

var noon = time.Date(2027, time.April, 1, 12, 0, 0, 0, time.UTC)

// record is a record in memory.
type record struct {
	entries []audit.Entry
	stored  []audit.Stored
	edge    audit.Edge
	signer  note.Signer
	epoch   int64
}

func newRecord(signer note.Signer) *record { return &record{signer: signer, epoch: 1} }

func (r *record) add(row audit.Row) {
	row.Seq = int64(len(r.entries)) + 1
	row.At = noon.UnixMicro()
	if row.Salt == nil && !row.Redacted {
		row.Salt = bytes.Repeat([]byte{byte(row.Seq)}, audit.SaltSize)
	}
	leaf := audit.NewLeaf(r.edge.Size(), row)
	r.entries = append(r.entries, audit.Entry{Leaf: leaf, Row: &row})
	r.edge.Add(leaf.Hash, func(audit.Tile) {})
}

func (r *record) rows(n int) {
	for range n {
		r.add(audit.Row{Person: fmt.Sprint(len(r.entries) % 3), App: "wiki", Action: "disabled", Actor: "tenure", Text: audit.Text{Cause: "leaver <1>"}})
	}
}

// redact erases the text of a row, and says so.
func (r *record) redact(i int) {
	row := r.entries[i].Row
	row.Text, row.Redacted = audit.Text{}, true
	detail := fmt.Sprintf(`{"rows":[%d]}`, row.Seq)
	r.add(audit.Row{Action: audit.ActionRedacted, Actor: "dpo", Text: audit.Text{Detail: &detail}})
}

func (r *record) restart(lost int64) {
	r.epoch++
	text, _ := json.Marshal(audit.Restart{Epoch: r.epoch, Size: r.edge.Size(), Lost: lost})
	detail := string(text)
	r.add(audit.Row{Action: audit.ActionRestarted, Key: audit.KeyRestart, Attempt: r.epoch, Actor: "ops", Text: audit.Text{Detail: &detail}})
}

func (r *record) checkpoint() (note string) {
	c := audit.Checkpoint{Origin: audit.Origin(origin, r.epoch), Size: r.edge.Size(), Root: r.edge.Root(), At: noon.Add(time.Duration(r.edge.Size()) * time.Second)}
	var err error
	if r.signer == nil {
		note, err = c.Sign()
	} else {
		note, err = c.Sign(r.signer)
	}
	if err != nil {
		panic(err)
	}
	r.stored = append(r.stored, audit.Stored{Size: c.Size, At: c.At, Root: c.Root, Note: note})
	return note
}

func (r *record) Entries(_ context.Context, after int64, limit int) ([]audit.Entry, error) {
	from := max(after+1, 0)
	return r.entries[from:min(from+int64(limit), int64(len(r.entries)))], nil
}

func (r *record) Checkpoints(_ context.Context, after int64, limit int) (some []audit.Stored, err error) {
	for _, c := range r.stored {
		if c.Size > after && len(some) < limit {
			some = append(some, c)
		}
	}
	return some, nil
}

func (r *record) Tiles(context.Context, int, int64, int) ([]audit.Tile, error) { return nil, nil }
func (r *record) Levels(context.Context) (int, error)                          { return 0, nil }
func (r *record) Waiting(context.Context) (int64, error)                       { return 0, nil }

// folder is a pack in memory.
type folder fstest.MapFS

type buffer struct {
	bytes.Buffer
	to *fstest.MapFile
}

func (b *buffer) Close() error {
	b.to.Data = b.Bytes()
	return nil
}

func (f folder) create(name string) (io.WriteCloser, error) {
	f[name] = &fstest.MapFile{}
	return &buffer{to: f[name]}, nil
}

// packed makes a pack of the rows that are wanted, and of one more file.
func (r *record) packed(t require.TestingT, wanted func(audit.Entry) bool) folder {
	f := folder{}
	w := &pack.Writer{Create: f.create}
	require.NoError(t, w.Write("people/leavers.jsonl", []byte("{}\n")))
	_, err := w.Rows(context.Background(), r, wanted)
	require.NoError(t, err)
	var signers []note.Signer
	if r.signer != nil {
		signers = append(signers, r.signer)
	}
	_, err = w.Seal(origin, noon.Add(time.Hour), signers...)
	require.NoError(t, err)
	return f
}

// key makes a pair of keys.
func key(t require.TestingT) (note.Signer, audit.Options) {
	signs, verifies, err := audit.NewKey(origin)
	require.NoError(t, err)
	signer, err := note.NewSigner(signs)
	require.NoError(t, err)
	verifier, err := note.NewVerifier(verifies)
	require.NoError(t, err)
	return signer, audit.Options{Verifiers: note.VerifierList(verifier), MustBeSigned: true}
}

func verify(t require.TestingT, f folder, o audit.Options) *pack.Report {
	r, err := pack.Verify(fstest.MapFS(f), o)
	require.NoError(t, err)
	return r
}

func personIs(id string) func(audit.Entry) bool {
	return func(e audit.Entry) bool { return e.Row.Person == id }
}

// Whatever rows are taken, the pack proves them, and agrees with every checkpoint that there was.
func TestAnyRowsAreProven(t *testing.T) {
	signer, options := key(t)
	rapid.Check(t, func(t *rapid.T) {
		r := newRecord(signer)
		var kept []string
		for range rapid.IntRange(1, 5).Draw(t, "checkpoints") {
			r.rows(rapid.IntRange(0, 40).Draw(t, "rows"))
			if rapid.Bool().Draw(t, "redacted") && len(r.entries) > 0 {
				if i := rapid.IntRange(0, len(r.entries)-1).Draw(t, "row"); r.entries[i].Row.Action == "disabled" && !r.entries[i].Row.Redacted {
					r.redact(i)
				}
			}
			if n := len(r.stored); n == 0 || r.stored[n-1].Size < r.edge.Size() {
				kept = append(kept, r.checkpoint())
			}
		}
		r.rows(rapid.IntRange(0, 5).Draw(t, "beyond"))
		taken := rapid.SliceOfN(rapid.Bool(), len(r.entries), len(r.entries)).Draw(t, "taken")
		size, want := r.stored[len(r.stored)-1].Size, 0
		f := r.packed(t, func(e audit.Entry) bool { return taken[e.N] })
		for i := range size {
			if taken[i] {
				want++
			}
		}
		options := options
		options.Kept = kept
		got := verify(t, f, options)
		assert.Empty(t, got.Findings)
		assert.GreaterOrEqual(t, got.Rows, int64(want), "with rows that say who erased something")
		assert.Equal(t, []int64{size, int64(len(kept))}, []int64{got.Size, got.Kept})
		assert.True(t, got.Signed)
	})
}

// Every single bit of every file matters, and the file is named.
func TestEveryChangeOfABitIsFound(t *testing.T) {
	signer, options := key(t)
	r := newRecord(signer)
	r.rows(7)
	r.checkpoint()
	r.rows(6)
	r.redact(3)
	r.checkpoint()
	f := r.packed(t, personIs("0"))
	require.Empty(t, verify(t, f, options).Findings)
	for _, name := range slices.Sorted(maps.Keys(f)) {
		data := f[name].Data
		for bit := range 8 * len(data) {
			flipped := slices.Clone(data)
			flipped[bit/8] ^= 1 << (bit % 8)
			f[name] = &fstest.MapFile{Data: flipped}
			got := verify(t, f, options)
			if got.Sound() || !slices.ContainsFunc(got.Findings, func(found pack.Finding) bool { return found.File == name }) {
				t.Errorf("%s, bit %d: %+v", name, bit, got.Findings)
			}
		}
		f[name] = &fstest.MapFile{Data: data}
	}
}

// Whoever has the key can sign a pack with other rows, but not of the log that others know.
func TestRowsThatAreNotInTheLogAreFound(t *testing.T) {
	signer, options := key(t)
	r := newRecord(signer)
	r.rows(20)
	r.checkpoint()
	f := r.packed(t, personIs("1"))
	seal := func() {
		w := &pack.Writer{Create: f.create}
		for _, name := range []string{pack.FileRows, pack.FileProof, pack.FileCheckpoint} {
			require.NoError(t, w.Write(name, f[name].Data))
		}
		delete(f, "people/leavers.jsonl")
		_, err := w.Seal(origin, noon, signer)
		require.NoError(t, err)
	}
	rows, proof := f[pack.FileRows].Data, f[pack.FileProof].Data
	for name, change := range map[string]func(){
		"a text":               func() { f[pack.FileRows].Data = bytes.Replace(rows, []byte("leaver"), []byte("leaven"), 1) },
		"a row less":           func() { f[pack.FileRows].Data = rows[bytes.IndexByte(rows, '\n')+1:] },
		"the last row less":    func() { f[pack.FileRows].Data = rows[:bytes.LastIndexByte(rows[:len(rows)-1], '\n')+1] },
		"a row twice":          func() { f[pack.FileRows].Data = append(slices.Clone(rows[:bytes.IndexByte(rows, '\n')+1]), rows...) },
		"a part of the proof":  func() { f[pack.FileProof].Data = proof[bytes.IndexByte(proof, '\n')+1:] },
		"more proof than this": func() { f[pack.FileProof].Data = append(slices.Clone(proof), proof...) },
		"an empty line":        func() { f[pack.FileRows].Data = append(slices.Clone(rows), '\n') },
	} {
		f[pack.FileRows], f[pack.FileProof] = &fstest.MapFile{Data: rows}, &fstest.MapFile{Data: proof}
		change()
		seal()
		assert.False(t, verify(t, f, options).Sound(), name)
	}
	f[pack.FileRows], f[pack.FileProof] = &fstest.MapFile{Data: rows}, &fstest.MapFile{Data: proof}
	seal()
	assert.True(t, verify(t, f, options).Sound())
}

func TestFilesThatAreMissingOrAddedAreFound(t *testing.T) {
	signer, options := key(t)
	r := newRecord(signer)
	r.rows(3)
	r.checkpoint()
	f := r.packed(t, personIs("1"))
	f["extra"] = &fstest.MapFile{}
	assert.Equal(t, []pack.Finding{{Kind: pack.Added, File: "extra", What: "the manifest does not list it"}}, verify(t, f, options).Findings)
	delete(f, "extra")
	delete(f, "people/leavers.jsonl")
	assert.Equal(t, []pack.Finding{{Kind: audit.Missing, File: "people/leavers.jsonl", What: "it is not there"}}, verify(t, f, options).Findings)
	delete(f, pack.FileManifest)
	_, err := pack.Verify(fstest.MapFS(f), options)
	assert.Error(t, err)
}

func TestAKeyThatWasGivenHasToHaveSigned(t *testing.T) {
	signer, options := key(t)
	_, others := key(t)
	r := newRecord(signer)
	r.rows(3)
	r.checkpoint()
	f := r.packed(t, personIs("1"))
	assert.Equal(t, pack.Unsigned, verify(t, f, others).Findings[0].Kind)
	got := verify(t, f, audit.Options{})
	assert.True(t, got.Sound())
	assert.False(t, got.Signed)

	unsigned := newRecord(nil)
	unsigned.rows(3)
	unsigned.checkpoint()
	f = unsigned.packed(t, personIs("1"))
	assert.True(t, verify(t, f, audit.Options{}).Sound())
	assert.Equal(t, []string{pack.FileManifest, pack.FileCheckpoint}, []string{verify(t, f, options).Findings[0].File, verify(t, f, options).Findings[1].File})
}

func TestCheckpointsThatWereKeptAreCompared(t *testing.T) {
	signer, options := key(t)
	of := func(f folder, kept ...string) *pack.Report {
		options := options
		options.Kept = kept
		return verify(t, f, options)
	}
	r := newRecord(signer)
	r.rows(9)
	first := r.checkpoint()
	r.rows(4)
	lost := r.checkpoint() // 13 leaves
	packed := r.packed(t, personIs("0"))
	assert.Equal(t, int64(2), of(packed, lost, first).Kept)

	other := newRecord(signer)
	other.rows(8)
	other.add(audit.Row{Action: "deleted"})
	forked := other.checkpoint()
	assert.Equal(t, audit.Rewritten, of(packed, forked).Findings[0].Kind)

	between := newRecord(signer)
	between.rows(11)
	assert.Equal(t, pack.Incomparable, of(packed, between.checkpoint()).Findings[0].Kind)

	r.rows(1)
	larger := r.checkpoint()
	assert.Equal(t, audit.RolledBack, of(packed, larger).Findings[0].Kind)
	r.rows(3590)
	assert.Equal(t, pack.Incomparable, of(packed, r.checkpoint()).Findings[0].Kind, "it is newer than the pack")

	restored := newRecord(signer)
	restored.rows(9)
	restored.checkpoint()
	restored.restart(13)
	restored.rows(2)
	restored.checkpoint()
	f := restored.packed(t, personIs("0"))
	got := of(f, first, lost)
	assert.Empty(t, got.Findings)
	assert.Equal(t, []int64{1, 1}, []int64{got.Kept, got.Restored})
	assert.Equal(t, audit.RolledBack, of(f, larger).Findings[0].Kind, "nobody said that it was lost")
	foreign, err := audit.Checkpoint{Origin: "example.org/other", Size: 9}.Sign(signer)
	require.NoError(t, err)
	assert.Equal(t, audit.Foreign, of(f, foreign).Findings[0].Kind)
}

func TestARecordThatIsNotSoundIsNotPacked(t *testing.T) {
	signer, _ := key(t)
	pack1 := func(r *record) error {
		f := folder{}
		_, err := (&pack.Writer{Create: f.create}).Rows(t.Context(), r, personIs("1"))
		return err
	}
	r := newRecord(signer)
	require.ErrorIs(t, pack1(r), pack.ErrNoCheckpoint)
	r.rows(4)
	r.checkpoint()
	require.NoError(t, pack1(r))
	r.entries[2].Row.App = "mail"
	assert.ErrorContains(t, pack1(r), "leaf 2 of the audit record: altered")
	r = newRecord(signer)
	r.rows(4)
	r.checkpoint()
	r.entries = r.entries[:3]
	assert.ErrorContains(t, pack1(r), "is not what its newest checkpoint says")
}

func TestAManifestIsNoCheckpoint(t *testing.T) {
	signer, options := key(t)
	r := newRecord(signer)
	r.rows(1)
	checkpoint := r.checkpoint()
	f := r.packed(t, personIs("0"))
	_, _, err := audit.Open(string(f[pack.FileManifest].Data), options.Verifiers)
	assert.Error(t, err)
	_, _, err = pack.Open(checkpoint, options.Verifiers)
	assert.Error(t, err)
}

// A pack of few rows of a large log is small.
func TestAProofIsShort(t *testing.T) {
	r := newRecord(nil)
	r.rows(10_000)
	r.checkpoint()
	f := r.packed(t, func(e audit.Entry) bool { return e.N >= 5000 && e.N < 6000 })
	assert.Less(t, bytes.Count(f[pack.FileProof].Data, []byte("\n")), 28)
	assert.True(t, verify(t, f, audit.Options{}).Sound())
}
