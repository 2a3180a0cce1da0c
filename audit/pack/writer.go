package pack

import (
	"bufio"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"math"
	"slices"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/tenurehq/tenure/audit"
)

// Writer makes a pack.
type Writer struct {
	// Create makes a file of the pack, by its name with slashes.
	Create func(name string) (io.WriteCloser, error)

	files []File
}

// file is a file of a pack that is being written.
type file struct {
	*bufio.Writer
	to   io.WriteCloser
	sum  hash.Hash
	name string
	of   *Writer
}

// File makes a file. It belongs to the pack once it is closed.
func (w *Writer) File(name string) (io.WriteCloser, error) {
	to, err := w.Create(name)
	if err != nil {
		return nil, err
	}
	sum := sha256.New()
	return &file{bufio.NewWriter(io.MultiWriter(to, sum)), to, sum, name, w}, nil
}

// Close implements io.Closer.
func (f *file) Close() error {
	err := errors.Join(f.Flush(), f.to.Close())
	f.of.files = append(f.of.files, File{f.name, audit.Hash(f.sum.Sum(nil))})
	return err
}

// Write makes a file with a content.
func (w *Writer) Write(name string, content []byte) error {
	f, err := w.File(name)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Close())
}

// Seal writes the manifest, and returns it. Nothing can be added to the pack after it.
func (w *Writer) Seal(log string, at time.Time, signers ...note.Signer) (manifest string, err error) {
	slices.SortFunc(w.files, func(a, b File) int { return cmp.Compare(a.Name, b.Name) })
	manifest, err = Manifest{Log: log, At: at, Files: w.files}.Sign(signers...)
	if err != nil {
		return "", err
	}
	to, err := w.Create(FileManifest)
	if err != nil {
		return "", err
	}
	_, err = io.WriteString(to, manifest)
	return manifest, errors.Join(err, to.Close())
}

// ErrNoCheckpoint is returned for a record whose log has no checkpoint yet.
var ErrNoCheckpoint = errors.New("the audit record has no checkpoint yet: a worker makes one within a minute, if it runs and can read audit.key")

// ErrErasedSince is returned for a record from which texts were erased of which no checkpoint covers
// by whom: whoever verified the pack would take them for hidden.
var ErrErasedSince = errors.New("texts were erased, and no checkpoint covers yet the row that says by whom: make the pack again in a minute, in another folder, while a worker runs; if this stays so, verify the record (tenure audit verify)")

// page is the number of entries that are read at once.
const page = 500

// Rows writes the rows of the record that are wanted, with the proof that they are in its log, and
// the newest checkpoint, which is returned. Rows that no checkpoint covers are left out. It calls
// wanted with all others, in the order of their leaves. It fails if the record is not what its
// log says, up to that checkpoint.
func (w *Writer) Rows(ctx context.Context, s audit.Source, wanted func(audit.Entry) bool) (audit.Checkpoint, error) {
	sizes, newest, err := checkpoints(ctx, s)
	if err != nil {
		return audit.Checkpoint{}, err
	}
	c, _, err := audit.Open(newest, nil)
	if err != nil {
		return c, err
	}
	rows, err := w.File(FileRows)
	if err != nil {
		return c, err
	}
	proof, err := w.File(FileProof)
	if err != nil {
		return c, errors.Join(err, rows.Close())
	}
	prover := NewProver(proof)
	err = prove(ctx, s, prover, sizes, rows, wanted)
	if err = errors.Join(err, rows.Close(), proof.Close()); err != nil {
		return c, err
	}
	if prover.Size() != c.Size || prover.Root() != c.Root {
		return c, errors.New("the audit record is not what its newest checkpoint says: verify it (tenure audit verify)")
	}
	return c, w.Write(FileCheckpoint, []byte(newest))
}

// checkpoints returns the sizes of all checkpoints, and the newest one.
func checkpoints(ctx context.Context, s audit.Source) (sizes []int64, newest string, err error) {
	for after := int64(math.MinInt64); ; {
		some, err := s.Checkpoints(ctx, after, page)
		if err != nil {
			return nil, "", err
		}
		if len(some) == 0 {
			break
		}
		for _, c := range some {
			sizes, newest = append(sizes, c.Size), c.Note
		}
		after = sizes[len(sizes)-1]
	}
	if newest == "" {
		return nil, "", ErrNoCheckpoint
	}
	return sizes, newest, nil
}

// prove reads the record up to the last of sizes.
func prove(ctx context.Context, s audit.Source, p *Prover, sizes []int64, rows io.Writer, wanted func(audit.Entry) bool) error {
	size := sizes[len(sizes)-1]
	sizes = slices.DeleteFunc(sizes, func(n int64) bool { return n == 0 })
	erased := map[int64]bool{} // rows of the pack of whose redaction no row has told yet
	for after := int64(math.MinInt64); p.Size() < size; {
		entries, err := s.Entries(ctx, after, page)
		if err != nil {
			return err
		}
		if len(entries) == 0 {
			break
		}
		after = entries[len(entries)-1].N
		for _, e := range entries[:min(int64(len(entries)), size-p.Size())] {
			if wrong, what := e.Check(); wrong != "" || e.N != p.Size() {
				return fmt.Errorf("leaf %d of the audit record: %s %s: verify it (tenure audit verify)", e.N, wrong, what)
			}
			about := aboutRecord(*e.Row, erased)
			if !wanted(e) && !about {
				p.Leave(e.Hash)
			} else if err := errors.Join(p.Take(e.Hash), audit.WriteLine(rows, e)); err != nil {
				return err
			} else if e.Row.Redacted {
				erased[e.Row.Seq] = true
			}
			if sizes[0] > p.Size() {
				continue
			}
			if err := p.Cut(); err != nil {
				return err
			}
			sizes = sizes[1:]
		}
	}
	if len(erased) > 0 {
		return ErrErasedSince
	}
	return p.Cut()
}

// aboutRecord reports whether a row belongs to every pack: it begins an epoch of the log, or says
// by whom a text was erased that is in the pack.
func aboutRecord(row audit.Row, erased map[int64]bool) bool {
	if _, is := row.Restarts(); is {
		return true
	}
	tells := false
	for _, seq := range row.Redacts() {
		if erased[seq] {
			tells = true
			delete(erased, seq)
		}
	}
	return tells
}
