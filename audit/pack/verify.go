package pack

import (
	"bufio"
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"time"

	"github.com/tenurehq/tenure/audit"
)

// The kinds of findings that only packs have; those of package audit are the others.
const (
	Added        audit.Kind = "added"        // a file is not in the manifest
	Unsigned     audit.Kind = "unsigned"     // the manifest or the checkpoint is not signed by a key that was given
	Incomparable audit.Kind = "incomparable" // the pack proves nothing about a checkpoint that was given
)

// Finding is something that is wrong with a pack.
type Finding struct {
	Kind audit.Kind `json:"kind"`
	File string     `json:"file,omitempty"` // which is concerned
	What string     `json:"what"`
}

// Report is the outcome of a verification.
type Report struct {
	Log      string    `json:"log"`
	At       time.Time `json:"at"`     // when the pack was made, as it says
	Signed   bool      `json:"signed"` // the manifest is signed by a key that was given
	Files    int       `json:"files"`  // that the manifest lists
	Rows     int64     `json:"rows"`   // of the record, which are in the log
	Size     int64     `json:"size"`   // of the log
	Root     string    `json:"root"`   // of the log, in hexadecimal
	Redacted int64     `json:"redacted"`
	Kept     int64     `json:"kept"`     // checkpoints that were given and agree
	Cut      int64     `json:"cut"`      // beginnings of checkpoints that were given, as a crash leaves them in a file: they prove nothing
	Restored int64     `json:"restored"` // checkpoints that were given, and that a restart on the record explains
	Findings []Finding `json:"findings,omitempty"`
}

// Sound reports whether nothing is wrong.
func (r *Report) Sound() bool { return len(r.Findings) == 0 }

func (r *Report) add(kind audit.Kind, file, what string, args ...any) {
	r.Findings = append(r.Findings, Finding{kind, file, fmt.Sprintf(what, args...)})
}

// Verify verifies a pack: the manifest's signature, every file against the manifest, and the rows
// of the record against the checkpoint. Of the options it takes Verifiers, MustBeSigned and Kept.
// The error says that the pack cannot be read: what is wrong with it is in the report.
func Verify(folder fs.FS, o audit.Options) (*Report, error) {
	text, err := audit.ReadFile(folder, FileManifest, longestManifest)
	if err != nil {
		return nil, err
	}
	r := &Report{}
	m, signature, err := Open(string(text), o.Verifiers)
	if err != nil {
		r.add(audit.Altered, FileManifest, "%v", err)
		return r, nil
	}
	r.Log, r.At, r.Files, r.Signed = m.Log, m.At, len(m.Files), signature == audit.Signed
	mustBeSigned(r, FileManifest, signature, o)
	before := len(r.Findings)
	if err := files(folder, m, r); err != nil || len(r.Findings) > before {
		return r, err
	}
	return r, record(folder, m, r, o)
}

// What there may be in a file at most: whoever made the pack must not be able to fill the memory of
// whoever verifies it.
const (
	longestManifest = 16 << 20
	longestNote     = 4 << 10
)

// mustBeSigned notes that something is not signed which has to be.
func mustBeSigned(r *Report, file string, signature audit.Signature, o audit.Options) {
	if signature != audit.Signed && (o.MustBeSigned || o.Verifiers != nil) {
		r.add(Unsigned, file, "it is not signed by a key that was given")
	}
}

// files compares the files with the manifest.
func files(folder fs.FS, m Manifest, r *Report) error {
	there := map[string]bool{FileManifest: true}
	for _, f := range m.Files {
		there[f.Name] = true
		sum, err := hashOf(folder, f.Name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			r.add(audit.Missing, f.Name, "it is not there")
		case err != nil:
			return err
		case sum != f.Hash:
			r.add(audit.Altered, f.Name, "it is not what the manifest says")
		}
	}
	for _, name := range []string{FileCheckpoint, FileRows, FileProof} {
		if !there[name] {
			r.add(audit.Missing, name, "the manifest does not list it")
		}
	}
	return fs.WalkDir(folder, ".", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && !there[path] {
			r.add(Added, path, "the manifest does not list it")
		}
		return err
	})
}

func hashOf(folder fs.FS, name string) (sum audit.Hash, err error) {
	f, err := folder.Open(name)
	if err != nil {
		return sum, err
	}
	h := sha256.New()
	_, err = io.Copy(h, f)
	return audit.Hash(h.Sum(nil)), errors.Join(err, f.Close())
}

// kept is a checkpoint with which the record is compared.
type kept struct {
	audit.Checkpoint
	epoch int64
	given int // number among those that were given; 0: the pack's own
}

// record verifies the rows.
func record(folder fs.FS, m Manifest, r *Report, o audit.Options) error {
	text, err := audit.ReadFile(folder, FileCheckpoint, longestNote)
	if err != nil {
		return err
	}
	c, signature, err := audit.Open(string(text), o.Verifiers)
	epoch, ours := audit.EpochOf(m.Log, c.Origin)
	switch {
	case err != nil:
		r.add(audit.Altered, FileCheckpoint, "%v", err)
		return nil
	case !ours:
		r.add(audit.Foreign, FileCheckpoint, "it is of the log %s, and the pack of %s", c.Origin, m.Log)
		return nil
	}
	mustBeSigned(r, FileCheckpoint, signature, o)
	r.Size, r.Root = c.Size, fmt.Sprintf("%x", c.Root[:])
	compare := append(given(m.Log, r, o), kept{c, epoch, 0})
	slices.SortStableFunc(compare, func(a, b kept) int { return cmp.Compare(a.Size, b.Size) })
	w := &walk{report: r, size: c.Size, compare: compare, erased: map[int64]bool{}}
	return w.run(folder)
}

// given reads the checkpoints that somebody kept elsewhere.
func given(log string, r *Report, o audit.Options) (all []kept) {
	for i, text := range o.Kept {
		c, signature, err := audit.Open(text, o.Verifiers)
		epoch, ours := audit.EpochOf(log, c.Origin)
		where := fmt.Sprintf("checkpoint %d of those that were given", i+1)
		switch {
		case (err != nil || signature == audit.Unsigned && o.Verifiers != nil) && audit.IsCut(text, log):
			r.Cut++
		case err != nil:
			r.add(audit.Altered, "", "%s: %v", where, err)
		case signature != audit.Signed && o.Verifiers != nil:
			r.add(Unsigned, "", "%s is not signed by a key that was given", where)
		case !ours:
			r.add(audit.Foreign, "", "%s is of the log %s, and the pack of %s", where, c.Origin, log)
		default:
			all = append(all, kept{c, epoch, i + 1})
		}
	}
	return all
}

// walk goes through the leaves of the log: those whose rows are in the pack, and the subtrees of
// the others.
type walk struct {
	report   *Report
	size     int64 // of the log
	compare  []kept
	position int64
	tree     parts
	roots    []kept // compared when all restarts are known, with the root that was there
	found    []audit.Hash
	restarts []restart
	erased   map[int64]bool
}

// restart is a row by which the next epoch of the log began.
type restart struct {
	audit.Restart
	leaf int64
}

func (w *walk) run(folder fs.FS) error {
	rows, closeRows, err := lines(folder, FileRows)
	if err != nil {
		return err
	}
	defer closeRows()
	proof, closeProof, err := lines(folder, FileProof)
	if err != nil {
		return err
	}
	defer closeProof()
	next, wrong := nextRow(rows)
	w.boundary()
	for wrong == nil && w.position < w.size {
		if next != nil && next.N == w.position {
			if kind, what := next.Check(); kind != "" {
				w.report.add(kind, FileRows, "%s", what)
				return nil
			}
			w.row(*next)
			next, wrong = nextRow(rows)
			continue
		}
		until := w.size
		if next != nil {
			until = min(until, next.N)
		}
		if what := w.subtree(proof, until); what != "" {
			w.report.add(audit.Altered, FileProof, "%s", what)
			return nil
		}
	}
	if _, left := proof.ReadByte(); wrong != nil || next != nil || left == nil {
		w.report.add(audit.Altered, FileRows, "the rows and their proof do not fit each other")
		return nil
	}
	w.end()
	return nil
}

// row takes the row of the next leaf.
func (w *walk) row(e audit.Entry) {
	w.report.Rows++
	if e.Row.Redacted {
		w.report.Redacted++
		w.erased[e.Row.Seq] = true
	}
	for _, seq := range e.Row.Redacts() {
		delete(w.erased, seq)
	}
	if again, is := e.Row.Restarts(); is && again.Epoch == int64(len(w.restarts))+2 {
		w.restarts = append(w.restarts, restart{again, e.N})
	}
	w.tree.add(part{0, e.Hash})
	w.position++
	w.boundary()
}

// subtree takes a subtree of leaves whose rows are not in the pack, and says what is wrong with it.
func (w *walk) subtree(proof *bufio.Reader, until int64) (wrong string) {
	line, err := proof.ReadSlice('\n') // longer than any line of a proof may be
	if err != nil {
		return fmt.Sprintf("it does not say what leaf %d is", w.position)
	}
	p, err := readPart(string(line))
	if err != nil {
		return err.Error()
	}
	end := w.position + 1<<p.level
	if w.position&(1<<p.level-1) != 0 || end > until || end < w.position {
		return fmt.Sprintf("a subtree of level %d cannot be at leaf %d", p.level, w.position)
	}
	w.tree.add(p)
	w.position = end
	w.boundary()
	return ""
}

// boundary compares the checkpoints of the present size.
func (w *walk) boundary() {
	for len(w.compare) > 0 && w.compare[0].Size <= w.position {
		c := w.compare[0]
		w.compare = w.compare[1:]
		if c.Size < w.position {
			w.report.add(Incomparable, "", "the pack proves nothing about checkpoint %d of those that were given, of size %d: the ledger that it was made from has no checkpoint of that size", c.given, c.Size)
			continue
		}
		w.roots, w.found = append(w.roots, c), append(w.found, w.tree.root())
	}
}

// end compares what needs all restarts to be known.
func (w *walk) end() {
	if len(w.erased) > 0 {
		seq := slices.Min(slices.Collect(maps.Keys(w.erased)))
		w.report.add(audit.Unrecorded, FileRows, "the text of row %d was erased, and no row says by whom", seq)
	}
	for i, c := range w.roots {
		switch epoch := w.epochAt(c.Size); {
		case c.epoch != epoch && w.explained(c):
			w.report.Restored++
		case c.epoch != epoch:
			w.report.add(audit.Foreign, whereOf(c), "the checkpoint of size %d is of epoch %d, and the log was in epoch %d there", c.Size, c.epoch, epoch)
		case c.Root != w.found[i]:
			w.report.add(audit.Rewritten, whereOf(c), "the checkpoint of size %d has another root than the log", c.Size)
		case c.given > 0:
			w.report.Kept++
		}
	}
	for _, c := range w.compare {
		if w.explained(c) {
			w.report.Restored++
			continue
		}
		if c.At.After(w.report.At) {
			w.report.add(Incomparable, "", "checkpoint %d of those that were given is newer than the pack", c.given)
			continue
		}
		w.report.add(audit.RolledBack, "", "checkpoint %d of those that were given has size %d, and the log of the pack had %d leaves later", c.given, c.Size, w.size)
	}
}

// whereOf returns the file that a checkpoint is in.
func whereOf(c kept) string {
	if c.given > 0 {
		return ""
	}
	return FileCheckpoint
}

// epochAt returns the epoch in which the log was when it had so many leaves.
func (w *walk) epochAt(size int64) int64 {
	epoch := int64(1)
	for _, again := range w.restarts {
		if again.leaf < size {
			epoch++
		}
	}
	return epoch
}

// explained reports whether a restart on the record says that what a checkpoint covers was lost.
func (w *walk) explained(c kept) bool {
	return slices.ContainsFunc(w.restarts, func(again restart) bool {
		return c.epoch == again.Epoch-1 && c.Size > again.Size && c.Size <= again.Lost
	})
}

// lines opens a file to be read by lines.
func lines(folder fs.FS, name string) (in *bufio.Reader, done func(), err error) {
	f, err := folder.Open(name)
	if err != nil {
		return nil, nil, err
	}
	return bufio.NewReader(f), func() { _ = f.Close() }, nil // it was read
}

// nextRow reads a line of rows; nil if there is none.
func nextRow(rows *bufio.Reader) (*audit.Entry, error) {
	e, err := audit.ReadLine(rows)
	if errors.Is(err, io.EOF) {
		return nil, nil //nolint:nilnil // the end is a value
	}
	return &e, err
}
