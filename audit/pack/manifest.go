package pack

import (
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/tenurehq/tenure/audit"
)

// The files that every pack has.
const (
	FileManifest   = "manifest"   // the list of all others, signed
	FileCheckpoint = "checkpoint" // of the log of the audit record, up to which rows are proven
	FileRows       = "rows.jsonl" // rows of the record, as audit.WriteLine writes them
	FileProof      = "proof"      // what else the root of the checkpoint is computed from
)

// Manifest says what is in a pack.
type Manifest struct {
	Log   string    // name of the audit record's log, in its first epoch
	At    time.Time // when the pack was made, to the microsecond
	Files []File    // by name
}

// File is a file of a pack.
type File struct {
	Name string // with slashes
	Hash audit.Hash
}

// title is the first line of a manifest. No checkpoint begins with it: the name of a log is one word.
const title = "tenure evidence pack v1"

const atLayout = "2006-01-02T15:04:05.000000Z"

// Body returns the manifest without signatures. Its list of files is as sha256sum(1) has it.
func (m Manifest) Body() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s\n%s\n", title, m.Log, m.At.UTC().Format(atLayout))
	for _, f := range m.Files {
		fmt.Fprintf(&b, "%s  %s\n", hex.EncodeToString(f.Hash[:]), f.Name)
	}
	return b.String()
}

// Sign returns the manifest as a note. Without signers it is not signed.
func (m Manifest) Sign(signers ...note.Signer) (string, error) {
	if len(signers) == 0 {
		return m.Body() + "\n", nil
	}
	signed, err := note.Sign(&note.Note{Text: m.Body()}, signers...)
	return string(signed), err
}

var errManifest = errors.New("it is no manifest as Tenure writes them")

// Open reads a manifest. It fails if it is not exactly as Sign writes it, besides signatures of
// others, or if a signature by one of the verifiers is wrong.
func Open(text string, verifiers note.Verifiers) (Manifest, audit.Signature, error) {
	body, _, found := strings.Cut(text, "\n\n")
	if !found {
		return Manifest{}, audit.Unsigned, errManifest
	}
	m, err := parse(body + "\n")
	if err != nil {
		return Manifest{}, audit.Unsigned, err
	}
	signature, err := audit.SignatureOf(text, m.Body(), verifiers)
	return m, signature, err
}

func parse(body string) (Manifest, error) {
	lines := strings.Split(strings.TrimSuffix(body, "\n"), "\n")
	if len(lines) < 3 || lines[0] != title {
		return Manifest{}, errManifest
	}
	m := Manifest{Log: lines[1]}
	var err error
	if m.At, err = time.Parse(atLayout, lines[2]); err != nil {
		return Manifest{}, errManifest
	}
	for _, line := range lines[3:] {
		sum, name, found := strings.Cut(line, "  ")
		raw, err := hex.DecodeString(sum)
		if !found || err != nil || len(raw) != len(audit.Hash{}) || !fs.ValidPath(name) || name == FileManifest {
			return Manifest{}, errManifest
		}
		m.Files = append(m.Files, File{name, audit.Hash(raw)})
	}
	ordered := slices.IsSortedFunc(m.Files, func(a, b File) int { return cmp.Or(cmp.Compare(a.Name, b.Name), 1) }) // none is there twice
	if !ordered || m.Body() != body {
		return Manifest{}, errManifest
	}
	return m, nil
}
