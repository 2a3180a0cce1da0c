// Command verify verifies an audit record that tenure audit export wrote, or a pack of evidence that
// tenure audit pack wrote. It shares no code with Tenure and uses the standard library only, so that
// an auditor can read the whole of it: docs/evidence.md has the algorithm in prose.
//
//	verify FOLDER KEY [FILE OF CHECKPOINTS THAT YOU KEPT]...
package main

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: verify FOLDER KEY [FILE OF CHECKPOINTS]...")
		os.Exit(2)
	}
	found, err := verify(os.Args[1], os.Args[2], os.Args[3:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "NOT SOUND:", err)
		os.Exit(3)
	}
	fmt.Print(found)
}

// outcome is what was found in a record in which nothing is wrong.
type outcome struct {
	rows    int
	excused []restart // those that excuse a checkpoint that was kept, which is not of this record
	cut     int       // checkpoints that were kept, and end before their signature
}

func (o outcome) String() string {
	text := fmt.Sprintf("sound: %d rows\n", o.rows)
	if len(o.excused) > 0 {
		text = fmt.Sprintf("SOUND ONLY IF A BACKUP WAS RESTORED: %d rows\n", o.rows)
	}
	for _, again := range o.excused {
		text += fmt.Sprintf("Checkpoints that you kept are not of this record. Leaf %d says that a restore has lost what they were of, up to size %d: see there who says so and why, and ask whether it is true.\n", again.leaf, again.lost)
	}
	if o.cut > 0 {
		text += fmt.Sprintf("%d checkpoints that you kept end before their signature, as after a crash: they prove nothing.\n", o.cut)
	}
	return text
}

// verify returns what was found, or the first thing that is wrong.
func verify(folder, key string, kept []string) (found outcome, err error) {
	name, public, err := readKey(key)
	if err != nil {
		return found, err
	}
	if _, err := os.Stat(filepath.Join(folder, "manifest")); err == nil {
		return verifyPack(folder, name, public, kept)
	}
	var checkpoints []checkpoint
	for i, path := range append([]string{filepath.Join(folder, "checkpoints")}, kept...) {
		some, cut, err := readCheckpoints(path, name, public)
		if err == nil && cut > 0 && i == 0 {
			err = errors.New("a checkpoint is not signed by the key")
		}
		if err == nil && len(some) == 0 {
			err = errors.New("there is no checkpoint in it")
		}
		if err != nil {
			return found, fmt.Errorf("%s: %w", path, err)
		}
		checkpoints, found.cut = append(checkpoints, some...), found.cut+cut
	}
	record, err := readRows(folder)
	if err != nil {
		return found, err
	}
	found.rows = len(record.leaves)
	roots := rootsOf(record.leaves, checkpoints)
	for _, c := range checkpoints {
		excuse, err := record.holds(c, name, roots)
		if err != nil {
			return found, err
		}
		if excuse != nil && !slices.Contains(found.excused, *excuse) {
			found.excused = append(found.excused, *excuse)
		}
	}
	return found, nil
}

// readKey reads a key that verifies: name+hash+base64 of one byte 1 and the public key.
func readKey(text string) (name string, public ed25519.PublicKey, err error) {
	parts := strings.SplitN(text, "+", 3)
	if len(parts) != 3 {
		return "", nil, errors.New("the key is not written as name+hash+key")
	}
	raw, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(raw) != 1+ed25519.PublicKeySize || raw[0] != 1 {
		return "", nil, errors.New("the key is no ed25519 key")
	}
	return parts[0], ed25519.PublicKey(raw[1:]), nil
}

type checkpoint struct {
	origin string
	size   int
	root   [32]byte
}

// readCheckpoints reads the checkpoints of a file, each of which has to be signed. Cut is the number
// of those that a crash has cut while they were added to it: their text is the beginning of one.
func readCheckpoints(path, name string, public ed25519.PublicKey) (all []checkpoint, cut int, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = file.Close() }() // it was read
	var body, signed string             // the lines of a checkpoint, and those that a signature is of
	wrong := false                      // there is a signature that no crash leaves
	end := func() error {               // says whether what is left without a signature was cut
		if signed+body == "" {
			return nil
		}
		if wrong || !begins(strings.TrimSuffix(signed+body, "\n"), name) {
			return errors.New("a checkpoint is not signed by the key")
		}
		signed, body, cut = "", "", cut+1
		return nil
	}
	dash := "\u2014 " + name + " "
	for in := bufio.NewReader(file); ; {
		text, err := readLine(in, longestNote)
		if err != nil {
			return nil, 0, err
		}
		line := strings.TrimSuffix(string(text), "\n")
		switch signature, isSignature := strings.CutPrefix(line, dash); {
		case len(text) == 0:
			err := end()
			return all, cut, err
		case line == "":
			if body != "" {
				signed, body = body, ""
			}
		case signed != "" && isSignature && len(signature) == base64.StdEncoding.EncodedLen(4+ed25519.SignatureSize):
			raw, err := base64.StdEncoding.DecodeString(signature)
			if err != nil || len(raw) != 4+ed25519.SignatureSize || !ed25519.Verify(public, []byte(signed), raw[4:]) {
				return nil, 0, errors.New("a checkpoint has a wrong signature")
			}
			fields := strings.Split(signed, "\n")
			if len(fields) < 3 {
				return nil, 0, errors.New("a checkpoint is too short")
			}
			size, err := strconv.Atoi(fields[1])
			root, failed := base64.StdEncoding.DecodeString(fields[2])
			if err != nil || failed != nil || len(root) != 32 {
				return nil, 0, errors.New("a checkpoint has no size or root")
			}
			all, signed = append(all, checkpoint{fields[0], size, [32]byte(root)}), ""
		case isSignature, strings.HasPrefix(dash, line), strings.HasPrefix(line, "\u2014 "): // cut, or of somebody else
			isCut := strings.HasPrefix(dash, line) || isSignature && len(signature) < base64.StdEncoding.EncodedLen(4+ed25519.SignatureSize)
			wrong = wrong || !isCut || body != ""
		default:
			if body == "" {
				if err := end(); err != nil {
					return nil, 0, err
				}
				wrong = false
			}
			body += line + "\n"
		}
	}
}

// forms are what the lines of a checkpoint consist of, after the name of the log.
var forms = []*regexp.Regexp{regexp.MustCompile(`^(/\d*)?$`), regexp.MustCompile(`^\d*$`), regexp.MustCompile(`^[A-Za-z0-9+/]{0,43}=?$`), regexp.MustCompile(`^[\w :.-]{0,32}$`)}

// begins reports whether a text can be the beginning of a checkpoint of the log with a name.
func begins(text, name string) bool {
	if strings.HasPrefix(name, text) {
		return true
	}
	rest, ours := strings.CutPrefix(text, name)
	lines := strings.Split(rest, "\n")
	for i, line := range lines {
		ours = ours && i < len(forms) && forms[i].MatchString(line)
	}
	return ours
}

// No line of a record is longer, and no line of a checkpoint: whoever made the files must not be
// able to fill the memory of whoever verifies them.
const (
	longestLine = 64 << 20
	longestNote = 4 << 10
)

// readLine reads a line with its line feed; nothing at the end.
func readLine(in *bufio.Reader, longest int) (line []byte, err error) {
	for {
		part, err := in.ReadSlice('\n')
		if line = append(line, part...); len(line) > longest {
			return nil, fmt.Errorf("a line is longer than %d bytes", longest)
		}
		if err == nil || errors.Is(err, io.EOF) {
			return line, nil
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return nil, err
		}
	}
}

// record is what there is of each leaf.
type record struct {
	size     int
	leaves   [][32]byte // their hashes
	restarts []restart
}

// restart is a row by which an operator began the next epoch of the log, after a restore.
type restart struct {
	leaf int
	lost int // size of the newest checkpoint before that is known to have been lost
}

// readRows verifies each row against its leaf, and the leaves against the files of entries and tiles.
func readRows(folder string) (r record, err error) {
	file, err := os.Open(filepath.Join(folder, "rows.jsonl"))
	if err != nil {
		return r, err
	}
	defer func() { _ = file.Close() }() // it was read
	redacted, listed := map[int64]bool{}, map[int64]bool{}
	var entries, hashes []byte
	for in := bufio.NewReader(file); ; {
		n := len(r.leaves)
		text, err := readLine(in, longestLine)
		if err != nil {
			return r, fmt.Errorf("line %d of rows.jsonl: %w", n+1, err)
		}
		if len(text) == 0 {
			break
		}
		row, err := parseRow(text)
		if err == nil && row.line.Leaf != n {
			err = fmt.Errorf("it is not that of leaf %d", n)
		}
		if err != nil {
			return r, fmt.Errorf("line %d of rows.jsonl: %w", n+1, err)
		}
		line, leaf, hash := row.line, row.leaf, row.hash
		if line.Redacted {
			redacted[leaf.Seq] = true
		}
		r.leaves, r.size = append(r.leaves, hash), n+1
		hashes = append(hashes, hash[:]...)
		entries = append(binary.BigEndian.AppendUint16(entries, uint16(len(line.Record))), line.Record...)
		if len(r.leaves)%256 == 0 {
			if err := sameFiles(folder, n/256, 256, entries, hashes); err != nil {
				return r, err
			}
			entries, hashes = nil, nil
		}
		for _, seq := range row.redacts() {
			listed[seq] = true
		}
		if lost, again := row.restarts(len(r.restarts) + 2); again {
			r.restarts = append(r.restarts, restart{n, lost})
		}
	}
	for seq := range redacted {
		if !listed[seq] {
			return r, fmt.Errorf("the text of row %d was erased, and no row says by whom", seq)
		}
	}
	if width := len(r.leaves) % 256; width > 0 {
		return r, sameFiles(folder, len(r.leaves)/256, width, entries, hashes)
	}
	return r, nil
}

// row is a line of rows.jsonl, whose text was verified against its leaf.
type row struct {
	line struct {
		Leaf     int             `json:"leaf"`
		Record   json.RawMessage `json:"record"`
		Salt     []byte          `json:"salt"`
		Cause    string          `json:"cause"`
		Detail   *string         `json:"detail"`
		Redacted bool            `json:"redacted,omitempty"`
	}
	leaf struct {
		Seq, Attempt        int64
		Person, Action, Key string
		Text                []byte
	}
	hash [32]byte // of the leaf
}

// parseRow reads a line of rows.jsonl.
func parseRow(text []byte) (r row, err error) {
	if err := errors.Join(json.Unmarshal(text, &r.line), json.Unmarshal(r.line.Record, &r.leaf)); err != nil {
		return r, errors.New("it cannot be read")
	}
	// A line that is written otherwise could be read in another way than it is here.
	var again bytes.Buffer
	encoder := json.NewEncoder(&again)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(r.line); err != nil || !bytes.Equal(again.Bytes(), text) {
		return r, errors.New("it is not written as lines are")
	}
	if r.line.Redacted {
		if r.line.Salt != nil || r.line.Cause != "" || r.line.Detail != nil {
			return r, fmt.Errorf("leaf %d: the row was redacted, and has a text", r.line.Leaf)
		}
	} else if digest := digestOf(r.line.Salt, r.line.Cause, r.line.Detail); !bytes.Equal(digest[:], r.leaf.Text) {
		return r, fmt.Errorf("leaf %d: the text of row %d was altered", r.line.Leaf, r.leaf.Seq)
	}
	r.hash = sha256.Sum256(append([]byte{0}, r.line.Record...))
	return r, nil
}

// detail reads the detail of a row about the record itself, with an action.
func (r row) detail(action string, into any) bool {
	return r.line.Detail != nil && r.leaf.Person == "" && r.leaf.Action == action && json.Unmarshal([]byte(*r.line.Detail), into) == nil
}

// redacts returns the numbers of the rows whose texts were erased, if the row tells of that.
func (r row) redacts() []int64 {
	var detail struct{ Rows []int64 }
	r.detail("audit_redacted", &detail)
	return detail.Rows
}

// restarts reports whether an epoch of the log begins with the row, and what a restore has lost.
func (r row) restarts(epoch int) (lost int, is bool) {
	var detail struct{ Known int }
	is = r.leaf.Key == "audit:restart" && int(r.leaf.Attempt) == epoch && r.detail("audit_restarted", &detail)
	return detail.Known, is
}

// digestOf returns the digest of a row's text.
func digestOf(salt []byte, cause string, detail *string) [32]byte {
	b := append([]byte{byte(len(salt))}, salt...)
	b = append(binary.BigEndian.AppendUint64(b, uint64(len(cause))), cause...)
	if detail == nil {
		return sha256.Sum256(append(b, 0))
	}
	return sha256.Sum256(append(append(b, 1), *detail...))
}

// sameFiles compares the n-th bundle of entries, and the n-th tile of their hashes, with what the
// rows give.
func sameFiles(folder string, n, width int, entries, hashes []byte) error {
	path := fmt.Sprintf("%03d", n%1000)
	for n /= 1000; n > 0; n /= 1000 {
		path = fmt.Sprintf("x%03d/%s", n%1000, path)
	}
	if width < 256 {
		path += fmt.Sprintf(".p/%d", width)
	}
	for kind, want := range map[string][]byte{"entries": entries, "0": hashes} {
		if !same(filepath.Join(folder, "tile", kind, filepath.FromSlash(path)), want) {
			return fmt.Errorf("tile/%s/%s is missing, or is not what the rows give", kind, path)
		}
	}
	return nil
}

// same reports whether a file has exactly this content.
func same(path string, content []byte) bool {
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer func() { _ = file.Close() }() // it was read
	got, err := io.ReadAll(io.LimitReader(file, int64(len(content))+1))
	return err == nil && bytes.Equal(got, content)
}

// holds verifies that the record has what a checkpoint says, or says itself that it was lost.
func (r record) holds(c checkpoint, name string, roots map[int][32]byte) (excuse *restart, err error) {
	epoch := 1
	for _, again := range r.restarts {
		if again.leaf < c.size {
			epoch++
		}
	}
	origin := func(epoch int) string {
		if epoch == 1 {
			return name
		}
		return fmt.Sprintf("%s/%d", name, epoch)
	}
	for i, again := range r.restarts {
		if c.origin == origin(i+1) && c.origin != origin(epoch) && c.size <= again.lost {
			return &again, nil // lost by a restore, as the record says
		}
	}
	switch {
	case c.size > r.size:
		return nil, fmt.Errorf("rolled back: a checkpoint has size %d, and the record %d rows", c.size, r.size)
	case c.origin != origin(epoch):
		return nil, fmt.Errorf("a checkpoint of size %d is of the log %s, and the record is %s there", c.size, c.origin, origin(epoch))
	case roots[c.size] != c.root:
		return nil, fmt.Errorf("rewritten: a checkpoint of size %d has another root", c.size)
	}
	return nil, nil
}

// rootsOf returns the root of the tree, as RFC 6962 has it, at the size of each checkpoint.
func rootsOf(leaves [][32]byte, checkpoints []checkpoint) map[int][32]byte {
	roots := wanted(checkpoints)
	var t tree
	for _, leaf := range leaves {
		t.add(0, leaf)
		t.note(roots)
	}
	return roots
}

// wanted returns the sizes of checkpoints, as the keys of a map.
func wanted(checkpoints []checkpoint) map[int][32]byte {
	roots := map[int][32]byte{}
	for _, c := range checkpoints {
		roots[c.size] = sha256.Sum256(nil) // of the empty tree
	}
	return roots
}

// tree is what is kept of a tree: it consists of complete subtrees, the largest on the left, as the
// bits of its size.
type tree struct {
	size     int
	subtrees [][32]byte
	levels   []int // of the subtrees: a subtree of level n has 2^n leaves
}

// add adds a subtree at the right, whose leaves begin where its size divides their number.
func (t *tree) add(level int, hash [32]byte) {
	t.size += 1 << level
	for last := len(t.levels) - 1; last >= 0 && t.levels[last] == level; last-- { // two of one size become one
		hash, level = node(t.subtrees[last], hash), level+1
		t.subtrees, t.levels = t.subtrees[:last], t.levels[:last]
	}
	t.subtrees, t.levels = append(t.subtrees, hash), append(t.levels, level)
}

// note notes the root, if it is wanted at the present size.
func (t *tree) note(roots map[int][32]byte) {
	if _, wanted := roots[t.size]; !wanted || t.size == 0 {
		return
	}
	root := t.subtrees[len(t.subtrees)-1]
	for i := len(t.subtrees) - 2; i >= 0; i-- {
		root = node(t.subtrees[i], root)
	}
	roots[t.size] = root
}

func node(left, right [32]byte) [32]byte {
	return sha256.Sum256(append(append([]byte{1}, left[:]...), right[:]...))
}
