package audit

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// Checkpoint says what the log was at a time.
type Checkpoint struct {
	Origin string // name of the log: see Origin
	Size   int64
	Root   Hash
	At     time.Time // when it was made, to the microsecond; zero if it does not say
}

// Origin returns the name of a log in an epoch: the first one has the name alone.
func Origin(name string, epoch int64) string {
	if epoch <= 1 {
		return name
	}
	return name + "/" + strconv.FormatInt(epoch, 10)
}

// made begins the line of a checkpoint that says when it was made.
const made = "time "

const madeLayout = "2006-01-02T15:04:05.000000Z"

// Body returns the checkpoint without signatures.
func (c Checkpoint) Body() string {
	body := fmt.Sprintf("%s\n%d\n%s\n", c.Origin, c.Size, base64.StdEncoding.EncodeToString(c.Root[:]))
	if !c.At.IsZero() {
		body += made + c.At.UTC().Format(madeLayout) + "\n"
	}
	return body
}

// Sign returns the checkpoint as a note. Without signers it is not signed, and says only what
// whoever stored it says.
func (c Checkpoint) Sign(signers ...note.Signer) (string, error) {
	if len(signers) == 0 {
		return c.Body() + "\n", nil
	}
	signed, err := note.Sign(&note.Note{Text: c.Body()}, signers...)
	return string(signed), err
}

// Signature says who signed a note.
type Signature int

// The signatures of a note.
const (
	Unsigned Signature = iota // nobody
	Unknown                   // somebody, of whom the verifiers know nothing
	Signed                    // a key that the verifiers know
)

// errForm is returned for a note that is not written as Tenure writes it.
var errForm = errors.New("it is no note as Tenure writes them")

// Open reads a note. It fails if the note is not exactly as Sign writes it, besides signatures of
// others, or if a signature by one of the verifiers is wrong.
func Open(text string, verifiers note.Verifiers) (Checkpoint, Signature, error) {
	body, _, found := strings.Cut(text, "\n\n")
	if !found {
		return Checkpoint{}, Unsigned, errForm
	}
	c, err := parse(body + "\n")
	if err != nil {
		return c, Unsigned, err
	}
	signature, err := SignatureOf(text, c.Body(), verifiers)
	if err != nil {
		return Checkpoint{}, Unknown, err
	}
	return c, signature, nil
}

// SignatureOf returns who signed a note with a body. It fails if the note is written in another way
// than it is signed, or if a signature by one of the verifiers is wrong.
func SignatureOf(text, body string, verifiers note.Verifiers) (Signature, error) {
	signatures, found := strings.CutPrefix(text, body+"\n")
	if !found {
		return Unknown, errForm
	}
	if signatures == "" {
		return Unsigned, nil
	}
	for line := range strings.Lines(signatures) { // a signature may be written in several ways
		encoded := line[strings.LastIndexByte(line, ' ')+1:]
		if raw, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(encoded, "\n")); err != nil || base64.StdEncoding.EncodeToString(raw)+"\n" != encoded {
			return Unknown, errForm
		}
	}
	if verifiers == nil {
		verifiers = note.VerifierList()
	}
	opened, err := note.Open([]byte(text), verifiers)
	var unverified *note.UnverifiedNoteError
	if errors.As(err, &unverified) {
		return Unknown, nil
	}
	if err == nil && opened.Text != body {
		err = errForm
	}
	if err != nil {
		return Unknown, err
	}
	return Signed, nil
}

func parse(body string) (Checkpoint, error) {
	lines := strings.Split(strings.TrimSuffix(body, "\n"), "\n")
	if len(lines) < 3 || len(lines) > 4 {
		return Checkpoint{}, errForm
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	root, failed := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || failed != nil || len(root) != len(Hash{}) || size < 0 {
		return Checkpoint{}, errForm
	}
	c := Checkpoint{Origin: lines[0], Size: size, Root: Hash(root)}
	if len(lines) == 4 {
		if c.At, err = time.Parse(made+madeLayout, lines[3]); err != nil {
			return Checkpoint{}, errForm
		}
	}
	if c.Origin == "" || c.Body() != body {
		return Checkpoint{}, errForm
	}
	return c, nil
}

// bodyBegun is what there may be of a checkpoint's body after its first line.
var bodyBegun = regexp.MustCompile(`^[0-9]*(\n[A-Za-z0-9+/]{0,43}=?(\n[time 0-9:.TZ-]{0,32})?)?$`)

// signatureLength is the length of a signature by an ed25519 key, in base64.
const signatureLength = (4 + ed25519.SignatureSize + 2) / 3 * 4

// IsCut reports whether a text is the beginning of a signed checkpoint of the log with a name,
// without its signature: what is there if the machine stopped while it was added to a file. It
// proves nothing, and is no sign that anybody changed one: whoever can cut it can remove it.
func IsCut(text, name string) bool {
	if name == "" {
		return false
	}
	body, signatures, _ := strings.Cut(strings.TrimRight(text, "\n"), "\n\n")
	first, rest, more := strings.Cut(body, "\n")
	if _, ours := EpochOf(name, first); !ours {
		return !more && signatures == "" && (strings.HasPrefix(name, first) || strings.HasPrefix(first, name+"/"))
	}
	if !bodyBegun.MatchString(rest) {
		return false
	}
	switch parts := strings.Split(signatures, " "); {
	case signatures == "", signatures == signatureBegins[:min(len(signatures), len(signatureBegins))]:
		return true
	case strings.Contains(signatures, "\n") || parts[0]+" " != signatureBegins:
		return false
	case len(parts) == 2:
		return strings.HasPrefix(name, parts[1])
	default:
		return len(parts) == 3 && parts[1] == name && len(parts[2]) < signatureLength
	}
}

// NewKey returns a pair of keys for a log: the one that signs, and the one by which anybody
// verifies.
func NewKey(name string) (signs, verifies string, err error) {
	signs, verifies, err = note.GenerateKey(rand.Reader, name)
	if err == nil {
		_, err = note.NewSigner(signs) // which refuses names that GenerateKey takes
	}
	return signs, verifies, err
}

// Verifies returns the key that verifies what a signing key signs, as note.NewVerifier takes it.
func Verifies(signs string) (string, error) {
	parts := strings.SplitN(signs, "+", 5)
	if len(parts) != 5 {
		return "", errors.New("it is no key as tenure audit key writes it")
	}
	if _, err := note.NewSigner(signs); err != nil {
		return "", errors.New("it is no key as tenure audit key writes it")
	}
	public, err := publicKey(parts[4])
	if err != nil {
		return "", err
	}
	return note.NewEd25519VerifierKey(parts[2], public)
}

// signatureBegins is what a signature begins with.
const signatureBegins = "\u2014 "

// Split returns the notes in a file to which they were added one after the other. What there is
// of one that was cut when the machine stopped is one of them: see IsCut.
func Split(file []byte) []string {
	var notes []string
	if !bytes.HasSuffix(file, []byte("\n")) {
		file = append(slices.Clip(file), '\n') // the line feed may be all that was cut
	}
	for {
		if file = bytes.TrimLeft(file, "\n"); len(file) == 0 {
			return notes
		}
		end := len(file)
		if body := bytes.Index(file, []byte("\n\n")); body >= 0 {
			end = body + 2
			for line := range bytes.Lines(file[end:]) {
				if !isOfSignature(string(line)) {
					break
				}
				end += len(line)
			}
		}
		notes, file = append(notes, string(file[:end])), file[end:]
	}
}

// isOfSignature reports whether a line is a signature, or the beginning of one.
func isOfSignature(line string) bool {
	line = strings.TrimSuffix(line, "\n")
	return strings.HasPrefix(line, signatureBegins) || line != "" && strings.HasPrefix(signatureBegins, line)
}
