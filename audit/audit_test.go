package audit

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"
)

func keysOf(t testing.TB, name string) (note.Signer, note.Verifiers, string) {
	t.Helper()
	signs, verifies, err := NewKey(name)
	require.NoError(t, err)
	same, err := Verifies(signs)
	require.NoError(t, err)
	require.Equal(t, verifies, same)
	signer, err := note.NewSigner(signs)
	require.NoError(t, err)
	verifier, err := note.NewVerifier(verifies)
	require.NoError(t, err)
	return signer, note.VerifierList(verifier), verifies
}

// The tree is the one of golang.org/x/mod, for every size that fills tiles of three levels, and
// its tiles give the proofs that it verifies.
func TestTheTreeIsThatOfRFC6962(t *testing.T) {
	edge, hashes, tiles := &Edge{}, []Hash{}, map[[2]int64][]byte{}
	reader := tlog.HashReaderFunc(func(at []int64) ([]Hash, error) {
		out := make([]Hash, len(at))
		for i, n := range at {
			out[i] = hashes[n]
		}
		return out, nil
	})
	keep := func(t Tile) { tiles[[2]int64{int64(t.Level), t.N}] = t.Data }
	roots := []Hash{edge.Root()}
	const size = 256*256 + 300
	for n := range int64(size) {
		leaf := fmt.Append(nil, "leaf ", n)
		more, err := tlog.StoredHashes(n, leaf, reader)
		require.NoError(t, err)
		hashes = append(hashes, more...)
		edge.Add(tlog.RecordHash(leaf), keep)
		roots = append(roots, edge.Root())
	}
	for n, root := range roots {
		if n > 600 && n%9999 != 0 && (n < 65530 || n > 65540) && n < size-1 {
			continue
		}
		want, err := tlog.TreeHash(int64(n), reader)
		require.NoError(t, err)
		require.Equal(t, want, root, n)
	}
	for _, partial := range edge.Partial() {
		keep(partial)
	}
	tile := func(level int, n int64) ([]byte, error) { return tiles[[2]int64{int64(level), n}], nil }
	again, err := NewEdge(size, tile)
	require.NoError(t, err)
	assert.Equal(t, edge.Root(), again.Root())
	assert.Equal(t, edge.Root(), edge.Clone().Root())
	for _, n := range []int64{0, 255, 256, 65535, 65536, size - 1} {
		proof, err := tlog.ProveRecord(size, n, Hashes(size, tile))
		require.NoError(t, err)
		assert.NoError(t, tlog.CheckRecord(proof, size, edge.Root(), n, tlog.RecordHash(fmt.Append(nil, "leaf ", n))))
	}
	for _, n := range []int64{1, 255, 256, 257, 65536, size} {
		proof, err := tlog.ProveTree(size, n, Hashes(size, tile))
		require.NoError(t, err)
		assert.NoError(t, tlog.CheckTree(proof, size, edge.Root(), n, roots[n]))
	}
}

func TestALeafIsOneLineOfJSON(t *testing.T) {
	detail := `{"a":1}`
	r := Row{Seq: 4711, At: 1790000000000123, Person: "10004", App: "wiki", Action: "disabled", Actor: "tenure", Key: "wiki/Disable/ab", Attempt: 17, Text: Text{Cause: "x", Detail: &detail}}
	assert.Equal(t, `{"v":1,"seq":4711,"at":1790000000000123,"person":"10004","app":"wiki","action":"disabled","actor":"tenure","login":"","key":"wiki/Disable/ab","attempt":17,"text":"5GvViwrNoiI2POkVlSMB0aoLIR2b20jpWtSNEtrqvcc="}`, string(r.Leaf(r.Digest())))
	rapid.Check(t, func(t *rapid.T) {
		r := Row{
			Seq: rapid.Int64().Draw(t, "seq"), At: rapid.Int64().Draw(t, "at"), Attempt: rapid.Int64().Draw(t, "attempt"),
			Person: rapid.String().Draw(t, "person"), App: rapid.String().Draw(t, "app"), Action: rapid.String().Draw(t, "action"),
			Actor: rapid.String().Draw(t, "actor"), Login: rapid.String().Draw(t, "login"), Key: rapid.String().Draw(t, "key"),
		}
		var read struct {
			V, Seq, At, Attempt                    int64
			Person, App, Action, Actor, Login, Key string
			Text                                   []byte
		}
		leaf := r.Leaf(r.Digest())
		require.NoError(t, json.Unmarshal(leaf, &read), "%s", leaf)
		digest := r.Digest()
		assert.Equal(t, []any{int64(1), r.Seq, r.At, r.Attempt, r.Person, r.App, r.Action, r.Actor, r.Login, r.Key, digest[:]},
			[]any{read.V, read.Seq, read.At, read.Attempt, read.Person, read.App, read.Action, read.Actor, read.Login, read.Key, read.Text})
		assert.NotContains(t, string(leaf), "\n")
		assert.Equal(t, Leaf{N: 7, Seq: r.Seq, Text: digest, Hash: tlog.RecordHash(leaf)}, NewLeaf(7, r))
	})
	assert.Zero(t, testing.AllocsPerRun(10, func() { NewLeaf(7, r) }), "allocations for a leaf")
}

// Different texts have different digests, wherever they are cut.
func TestTextsCannotBeTakenForOthers(t *testing.T) {
	text := func(s string) *string { return &s }
	salt := make([]byte, SaltSize)
	seen := map[Hash]Text{}
	for _, x := range []Text{{}, {Cause: "a"}, {Detail: text("")}, {Detail: text("a")}, {Cause: "a", Detail: text("b")}, {Cause: "ab"}, {Cause: "a\x00b"}, {Cause: "a\x01b"}, {Cause: "a", Detail: text("b\x00")},
		{Salt: salt}, {Salt: salt, Cause: "a"}, {Cause: string(salt) + "a"}, {Detail: text("null")}} {
		was, there := seen[x.Digest()]
		assert.False(t, there, "%v and %v", was, x)
		seen[x.Digest()] = x
	}
}

// flip is one bit of one thing that is stored.
type flip struct {
	what string
	do   func(m *memory, bit int)
	bits func(m *memory) int
}

// flips lists every field of everything stored.
func flips(m *memory) []flip {
	var all []flip
	field := func(what string, at func(m *memory) reflect.Value) {
		v := at(m)
		all = append(all, flip{what, func(m *memory, bit int) { flipBit(at(m), bit) }, func(*memory) int { return bitsOf(v) }})
	}
	structure := func(what string, value func(m *memory) reflect.Value) {
		for i := range value(m).NumField() {
			name := value(m).Type().Field(i).Name
			if name == "At" && value(m).Type() == reflect.TypeFor[Stored]() || name == "Redacted" || name == "Level" {
				continue // see below
			}
			if value(m).Field(i).Kind() == reflect.Struct {
				for j := range value(m).Field(i).NumField() {
					field(fmt.Sprint(what, " ", value(m).Field(i).Type().Field(j).Name), func(m *memory) reflect.Value { return value(m).Field(i).Field(j) })
				}
				continue
			}
			field(fmt.Sprint(what, " ", name), func(m *memory) reflect.Value { return value(m).Field(i) })
		}
	}
	for i := range m.rows {
		structure(fmt.Sprint("row ", i), func(m *memory) reflect.Value { return reflect.ValueOf(&m.rows[i]).Elem() })
		all = append(all, flip{fmt.Sprint("row ", i, " Redacted"), func(m *memory, _ int) { m.rows[i].Redacted = !m.rows[i].Redacted }, func(*memory) int { return 1 }})
	}
	for i := range m.leaves {
		structure(fmt.Sprint("leaf ", i), func(m *memory) reflect.Value { return reflect.ValueOf(&m.leaves[i]).Elem() })
	}
	for i := range m.tiles {
		structure(fmt.Sprint("tile ", i), func(m *memory) reflect.Value { return reflect.ValueOf(&m.tiles[i]).Elem() })
		all = append(all, flip{fmt.Sprint("tile ", i, " Level"), func(m *memory, bit int) { m.tiles[i].Level ^= 1 << bit }, func(*memory) int { return 63 }})
	}
	for i := range m.checkpoints {
		structure(fmt.Sprint("checkpoint ", i), func(m *memory) reflect.Value { return reflect.ValueOf(&m.checkpoints[i]).Elem() })
		all = append(all, flip{fmt.Sprint("checkpoint ", i, " At"), func(m *memory, bit int) {
			at := m.checkpoints[i].At
			m.checkpoints[i].At = at.Add(1000 << bit)
		}, func(*memory) int { return 40 }})
	}
	return all
}

func bitsOf(v reflect.Value) int {
	switch v.Kind() {
	case reflect.Int64:
		return 64
	case reflect.String:
		return 8 * v.Len()
	case reflect.Slice, reflect.Array:
		return 8 * v.Len()
	case reflect.Pointer:
		if v.IsNil() {
			return 0
		}
		return bitsOf(v.Elem())
	default:
		panic(v.Kind())
	}
}

func flipBit(v reflect.Value, bit int) {
	switch v.Kind() {
	case reflect.Int64:
		v.SetInt(v.Int() ^ 1<<bit)
	case reflect.String:
		b := []byte(v.String())
		b[bit/8] ^= 1 << (bit % 8)
		v.SetString(string(b))
	case reflect.Slice, reflect.Array:
		e := v.Index(bit / 8)
		e.SetUint(e.Uint() ^ 1<<(bit%8))
	case reflect.Pointer:
		flipBit(v.Elem(), bit)
	default:
		panic(v.Kind())
	}
}

// redacted returns a log with a row whose text was erased.
func redacted(t *testing.T, signer note.Signer, n, every int) *memory {
	t.Helper()
	m := &memory{}
	m.grow(testRows(0, n), every, signer)
	m.rows[2].Text, m.rows[2].Redacted = Text{}, true
	detail := fmt.Sprintf(`{"rows":[%d]}`, m.rows[2].Seq)
	r := testRow(n)
	r.Action, r.Detail = ActionRedacted, &detail
	m.grow([]Row{r}, every, signer)
	return m
}

func TestEverySingleBitIsFound(t *testing.T) {
	signer, verifiers, _ := keysOf(t, testOrigin)
	m := redacted(t, signer, 5, 3)
	o := Options{Verifiers: verifiers}
	report, err := Verify(t.Context(), m, o)
	require.NoError(t, err)
	require.True(t, report.Sound(), "%+v", report)
	require.Equal(t, int64(1), report.Redacted)
	tried := 0
	for _, f := range flips(m) {
		for bit := range f.bits(m) {
			wrong := m.clone()
			f.do(wrong, bit)
			report, err := Verify(t.Context(), wrong, o)
			require.NoError(t, err)
			require.False(t, report.Sound(), "%s, bit %d", f.what, bit)
			tried++
		}
	}
	t.Logf("%d single-bit changes, all found", tried)
	require.Greater(t, tried, 9000)
}

// A larger log, with tiles of two levels: samples of every kind of thing that is stored.
func TestSampledBitsOfALargerLogAreFound(t *testing.T) {
	signer, verifiers, _ := keysOf(t, testOrigin)
	const size = 20_000
	m := redacted(t, signer, size, 1000)
	all := flips(m)
	kinds := map[string][]flip{}
	for _, f := range all {
		kind, _, _ := strings.Cut(f.what, " ")
		if f.bits(m) > 0 && !strings.HasSuffix(f.what, " Redacted") {
			kinds[kind] = append(kinds[kind], f)
		}
	}
	require.Len(t, kinds, 4)
	random := rand.New(rand.NewPCG(1, 2))
	for kind, fields := range kinds {
		for range 8 {
			f := fields[random.IntN(len(fields))]
			wrong := m.clone()
			bit := random.IntN(f.bits(m))
			f.do(wrong, bit)
			report, err := Verify(t.Context(), wrong, Options{Verifiers: verifiers})
			require.NoError(t, err)
			require.False(t, report.Sound(), "%s: %s, bit %d", kind, f.what, bit)
		}
	}
}

// verified verifies with checkpoints that somebody kept.
func verified(t *testing.T, m *memory, verifiers note.Verifiers, kept ...Stored) *Report {
	t.Helper()
	o := Options{Verifiers: verifiers, Origin: testOrigin}
	for _, k := range kept {
		o.Kept = append(o.Kept, k.Note)
	}
	report, err := Verify(t.Context(), m, o)
	require.NoError(t, err)
	return report
}

func kinds(r *Report) []Kind {
	var all []Kind
	for _, k := range Kinds {
		if r.Counts[k] > 0 {
			all = append(all, k)
		}
	}
	return all
}

// What somebody does who may write to all tables, and who makes the log anew from what is left.
func TestWhatOnlyAKeptCheckpointShows(t *testing.T) {
	signer, verifiers, _ := keysOf(t, testOrigin)
	m := &memory{}
	m.grow(testRows(0, 700), 50, signer)
	early, kept := m.checkpoints[1], m.checkpoints[9] // of 100 and 500 leaves
	require.Equal(t, int64(500), kept.Size)
	again := func(rows []Row) *memory {
		m := &memory{}
		m.grow(rows, 50, signer)
		return m
	}
	changed := testRows(0, 700)
	changed[123].Cause = "another"
	swapped := testRows(0, 700)
	swapped[107], swapped[108] = swapped[108], swapped[107]
	for _, c := range []struct {
		name string
		m    *memory
		want []Kind
		leaf int64
	}{
		{"nothing", m, nil, 0},
		{"the newest rows are gone", again(testRows(0, 480)), []Kind{RolledBack}, 480},
		{"a backup was restored, and the log went on", again(append(testRows(0, 400), testRows(900, 300)...)), []Kind{Forked}, 100},
		{"a row was changed", again(changed), []Kind{Forked}, 100},
		{"a row is gone", again(slices.Delete(testRows(0, 700), 3, 4)), []Kind{Forked}, 0},
		{"two rows were swapped", again(swapped), []Kind{Forked}, 100},
		{"all is gone", &memory{}, []Kind{RolledBack}, 0},
	} {
		assert.True(t, verified(t, c.m, verifiers).Sound(), "%s: it cannot be seen from inside", c.name)
		r := verified(t, c.m, verifiers, kept, early)
		assert.Equal(t, c.want, kinds(r), c.name)
		if len(r.Findings) > 0 {
			assert.Equal(t, c.leaf, r.Findings[0].Leaf, "%s: %v", c.name, r.Findings)
		}
	}
	// Without a checkpoint of that size of its own, it is rewritten.
	sparse := again(changed)
	sparse.checkpoints = slices.DeleteFunc(sparse.checkpoints, func(s Stored) bool { return s.Size == 500 })
	assert.Equal(t, []Kind{Rewritten}, kinds(verified(t, sparse, verifiers, kept)))
}

// What is done inside the tables only.
func TestWhatTheTablesShowThemselves(t *testing.T) {
	signer, verifiers, _ := keysOf(t, testOrigin)
	whole := &memory{}
	whole.grow(testRows(0, 700), 50, signer)
	other, _, _ := keysOf(t, testOrigin)
	for _, c := range []struct {
		name string
		do   func(m *memory)
		want []Kind
	}{
		{"a row is gone", func(m *memory) { m.rows = slices.Delete(m.rows, 3, 4) }, []Kind{Missing}},
		{"a leaf is gone", func(m *memory) { m.leaves = slices.Delete(m.leaves, 3, 4) }, []Kind{Missing}},
		{"the last leaf is gone", func(m *memory) { m.leaves = m.leaves[:699] }, []Kind{Altered, RolledBack}},
		{"a row and its leaf were changed", func(m *memory) {
			m.rows[3].Cause = "another"
			m.leaves[3] = NewLeaf(3, m.rows[3])
		}, []Kind{Altered, Rewritten}},
		{"a tile is gone", func(m *memory) { m.tiles = m.tiles[1:] }, []Kind{Missing}},
		{"a row was redacted by nobody", func(m *memory) { m.rows[3].Text, m.rows[3].Redacted = Text{}, true }, []Kind{Unrecorded}},
		{"a text was emptied", func(m *memory) { m.rows[3].Text = Text{} }, []Kind{Altered}},
		{"a checkpoint by another key", func(m *memory) {
			c := Checkpoint{Origin: testOrigin, Size: m.checkpoints[2].Size, Root: m.checkpoints[2].Root, At: m.checkpoints[2].At}
			m.checkpoints[2].Note, _ = c.Sign(other)
		}, []Kind{Altered}},
		{"a checkpoint without its signature", func(m *memory) {
			c := Checkpoint{Origin: testOrigin, Size: m.checkpoints[2].Size, Root: m.checkpoints[2].Root, At: m.checkpoints[2].At}
			m.checkpoints[2].Note, _ = c.Sign()
		}, []Kind{Altered}},
		{"a checkpoint of another log", func(m *memory) {
			c := Checkpoint{Origin: "example.com/other", Size: m.checkpoints[2].Size, Root: m.checkpoints[2].Root, At: m.checkpoints[2].At}
			m.checkpoints[2].Note, _ = c.Sign(signer)
		}, []Kind{Altered}},
	} {
		m := whole.clone()
		c.do(m)
		assert.Equal(t, c.want, kinds(verified(t, m, verifiers)), c.name)
	}
}

func TestKeptCheckpointsAreJudgedByThemselves(t *testing.T) {
	signer, verifiers, _ := keysOf(t, testOrigin)
	stranger, _, _ := keysOf(t, testOrigin)
	m := &memory{}
	m.grow(testRows(0, 20), 10, signer)
	note := func(c Checkpoint, by note.Signer) Stored {
		text, err := c.Sign(by)
		require.NoError(t, err)
		return Stored{Note: text}
	}
	ours := Checkpoint{Origin: testOrigin, Size: 10, Root: m.checkpoints[0].Root}
	fork := ours
	fork.Root[0]++
	foreign := ours
	foreign.Origin = "example.com/other"
	assert.Empty(t, kinds(verified(t, m, verifiers, note(ours, signer))))
	assert.Equal(t, []Kind{Altered}, kinds(verified(t, m, verifiers, note(ours, stranger))))
	assert.Equal(t, []Kind{Foreign}, kinds(verified(t, m, verifiers, note(foreign, signer))))
	assert.Equal(t, []Kind{Altered}, kinds(verified(t, m, verifiers, Stored{Note: "no note"})))
	fork.Size, ours.Size = 15, 15
	assert.Equal(t, []Kind{Rewritten, Forked}, kinds(verified(t, m, verifiers, note(fork, signer), note(ours, signer))))
}

// After a restore, the log goes on under another name, and says what it has lost.
func TestARestartExplainsWhatWasLost(t *testing.T) {
	signer, verifiers, _ := keysOf(t, testOrigin)
	lost := &memory{}
	lost.grow(testRows(0, 60), 10, signer)
	known, beyond := lost.checkpoints[4], lost.checkpoints[5] // 50 and 60
	restored := &memory{}
	restored.grow(testRows(0, 30), 10, signer)
	detail := fmt.Sprintf(`{"epoch":2,"size":30,"known":50,"root":"%x"}`, known.Root[:])
	r := testRow(1000)
	r.Person, r.Action, r.Key, r.Attempt, r.Detail = "", ActionRestarted, KeyRestart, 2, &detail
	restored.grow([]Row{r}, 10, signer)
	restored.grow(testRows(1001, 40), 10, signer)
	report := verified(t, restored, verifiers, lost.checkpoints[0], lost.checkpoints[2], lost.checkpoints[3], known)
	assert.Empty(t, report.Findings)
	assert.Equal(t, []int64{2, 2}, []int64{report.Epochs, report.Restored})
	assert.Equal(t, testOrigin+"/2", report.Origin)
	assert.Equal(t, []Kind{RolledBack}, kinds(verified(t, restored, verifiers, beyond)), "the restart knew nothing of it")
	assert.Equal(t, []Kind{RolledBack}, kinds(verified(t, lost, verifiers, restored.checkpoints[len(restored.checkpoints)-1])), "the log before the restart is not the one after it")
	other := &memory{}
	other.grow(testRows(500, 60), 10, signer)
	assert.Equal(t, []Kind{Forked}, kinds(verified(t, restored, verifiers, other.checkpoints[4])), "another one of the size that the restart tells of")
}

// A row from before there was a log has no salt. If it has no text either, it does not matter
// whether it was redacted: but that a row must say so.
func TestARowFromBeforeTheLog(t *testing.T) {
	m := &memory{}
	r := testRow(5)
	r.Text = Text{}
	m.grow([]Row{r}, 1)
	assert.Empty(t, kinds(verified(t, m, nil)))
	m.rows[0].Redacted = true
	assert.Equal(t, []Kind{Unrecorded}, kinds(verified(t, m, nil)))
}

func TestNotesAreCutApart(t *testing.T) {
	signer, verifiers, _ := keysOf(t, testOrigin)
	m := &memory{}
	m.grow(testRows(0, 30), 10, signer)
	unsigned, err := Checkpoint{Origin: testOrigin, Size: 3}.Sign()
	require.NoError(t, err)
	var file, want []string
	for _, c := range m.checkpoints {
		file, want = append(file, c.Note, unsigned), append(want, c.Note, unsigned)
	}
	text := strings.Join(file, "")
	assert.Equal(t, want, Split([]byte(text)))
	assert.Equal(t, want, Split([]byte(strings.Join(file, "\n"))), "with empty lines in between")
	for cut := range text {
		for _, one := range Split([]byte(text[:cut])) {
			_, _, err := Open(one, verifiers)
			assert.True(t, err == nil || IsCut(one, testOrigin), "cut at %d: %q: %v", cut, one, err)
		}
	}
	assert.Empty(t, Split(nil))
}

// Wherever a crash cuts a checkpoint that is added to a file, those before it and after it are read,
// and the beginning of it is neither taken for one nor for a change.
func TestACheckpointMayBeCutAnywhereInAFile(t *testing.T) {
	signer, verifiers, _ := keysOf(t, testOrigin)
	m := &memory{}
	m.grow(testRows(0, 20), 10, signer)
	first, second := m.checkpoints[0].Note, m.checkpoints[1].Note
	verify := func(file string) *Report {
		r, err := Verify(t.Context(), m, Options{Verifiers: verifiers, Origin: testOrigin, Kept: Split([]byte(file))})
		require.NoError(t, err)
		return r
	}
	for cut := range len(second) - 1 { // but for the last line feed, which is added
		for _, next := range []string{first, second} {
			begun := second[:cut]
			if cut > 0 && !strings.HasSuffix(begun, "\n") { // as durable.Append does
				begun += "\n"
			}
			r := verify("\n" + first + "\n" + begun + "\n" + next)
			want := int64(1)
			if cut == 0 {
				want = 0
			}
			require.Empty(t, r.Findings, "%q", begun)
			require.Equal(t, []int64{2, want}, []int64{r.Kept, r.Cut}, "%q", begun)
		}
	}
	// No single bit makes one look as if it had been cut: it is found.
	file := []byte("\n" + first + "\n" + second)
	for bit := range 8 * len(file) {
		file[bit/8] ^= 1 << (bit % 8)
		if r := verify(string(file)); bit >= 8 { // the first byte is an empty line
			require.False(t, r.Sound() && r.Kept == 2 && r.Cut == 0, "bit %d: %q", bit, file)
			require.False(t, r.Sound(), "bit %d: %q", bit, file)
		}
		file[bit/8] ^= 1 << (bit % 8)
	}
}

func TestKeysAreRefusedWithoutShowingThem(t *testing.T) {
	signs, _, err := NewKey("a")
	require.NoError(t, err)
	for _, key := range []string{"", "x", signs[:len(signs)-3], signs + "AAAA", strings.Replace(signs, "+a+", "+b+", 1)} {
		_, err := Verifies(key)
		require.Error(t, err)
		assert.NotContains(t, err.Error(), signs[20:])
	}
}
