package main

import (
	"bufio"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// verifyPack verifies a pack of evidence: the signature of its manifest, each file against the
// manifest, and each row of the record against the checkpoint.
func verifyPack(folder, name string, public ed25519.PublicKey, kept []string) (found outcome, err error) {
	if err := verifyFiles(folder, name, public); err != nil {
		return found, err
	}
	var checkpoints []checkpoint
	for i, path := range append([]string{filepath.Join(folder, "checkpoint")}, kept...) {
		some, cut, err := readCheckpoints(path, name, public)
		if err == nil && i == 0 && (cut > 0 || len(some) != 1) {
			err = errors.New("it is not one checkpoint that is signed by the key")
		}
		if err == nil && len(some) == 0 {
			err = errors.New("there is no checkpoint in it")
		}
		if err != nil {
			return found, fmt.Errorf("%s: %w", path, err)
		}
		checkpoints, found.cut = append(checkpoints, some...), found.cut+cut
	}
	roots := wanted(checkpoints)
	passed := map[int]bool{0: true} // sizes at which the root is known
	record, rows, err := walk(folder, checkpoints[0].size, roots, passed)
	if err != nil {
		return found, err
	}
	found.rows = rows
	for _, c := range checkpoints {
		if c.size <= record.size && !passed[c.size] {
			return found, fmt.Errorf("the pack proves nothing about a checkpoint of size %d", c.size)
		}
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

// verifyFiles verifies the manifest, and the files against it.
func verifyFiles(folder, name string, public ed25519.PublicKey) error {
	file, err := os.Open(filepath.Join(folder, "manifest"))
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // it was read
	text, err := io.ReadAll(io.LimitReader(file, longestManifest))
	if err != nil {
		return err
	}
	body, signature, _ := strings.Cut(string(text), "\n\n")
	encoded, signed := strings.CutPrefix(strings.TrimSuffix(signature, "\n"), "\u2014 "+name+" ")
	raw, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if !signed || err != nil || signature != "\u2014 "+name+" "+base64.StdEncoding.EncodeToString(raw)+"\n" || len(raw) != 4+ed25519.SignatureSize ||
		!ed25519.Verify(public, []byte(body+"\n"), raw[4:]) {
		return errors.New("manifest: it is not signed by the key, or was altered")
	}
	if hash := sha256.Sum256(slices.Concat([]byte(name+"\n\x01"), public)); string(hash[:4]) != string(raw[:4]) {
		return errors.New("manifest: its signature was altered")
	}
	lines := strings.Split(body, "\n")
	if len(lines) < 3 || lines[0] != "tenure evidence pack v1" || lines[1] != name {
		return errors.New("manifest: it is none of a pack of this log")
	}
	there := map[string]bool{"manifest": true}
	for _, line := range lines[3:] {
		sum, file, _ := strings.Cut(line, "  ")
		there[file] = true
		if !fs.ValidPath(file) || sum != digestOfFile(filepath.Join(folder, filepath.FromSlash(file))) {
			return fmt.Errorf("%s: it is missing, or is not what the manifest says", file)
		}
	}
	for _, file := range []string{"checkpoint", "rows.jsonl", "proof"} {
		if !there[file] {
			return fmt.Errorf("%s: the manifest does not list it", file)
		}
	}
	return fs.WalkDir(os.DirFS(folder), ".", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && !there[path] {
			err = fmt.Errorf("%s: the manifest does not list it", path)
		}
		return err
	})
}

// longestManifest is how much is read of a manifest: the signature of a longer one is not met.
const longestManifest = 16 << 20

// digestOfFile returns the SHA-256 of a file in hexadecimal; nothing if it cannot be read.
func digestOfFile(path string) string {
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer func() { _ = file.Close() }() // it was read
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return ""
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// walk goes through the leaves of the log: those whose rows are in the pack, and the subtrees of
// all others, which the file proof lists.
func walk(folder string, size int, roots map[int][32]byte, passed map[int]bool) (r record, rows int, err error) {
	read := func(name string) (*bufio.Reader, func(), error) {
		file, err := os.Open(filepath.Join(folder, name))
		if err != nil {
			return nil, nil, err
		}
		return bufio.NewReader(file), func() { _ = file.Close() }, nil
	}
	in, done, err := read("rows.jsonl")
	if err != nil {
		return r, 0, err
	}
	defer done()
	proof, done, err := read("proof")
	if err != nil {
		return r, 0, err
	}
	defer done()
	redacted := map[int64]bool{}
	var t tree
	for {
		text, err := readLine(in, longestLine)
		if err != nil {
			return r, rows, fmt.Errorf("rows.jsonl: %w", err)
		}
		next := row{}
		next.line.Leaf = size // the end
		if len(text) > 0 {
			if next, err = parseRow(text); err != nil {
				return r, rows, fmt.Errorf("rows.jsonl: %w", err)
			}
			if next.line.Leaf < t.size || next.line.Leaf >= size {
				return r, rows, fmt.Errorf("rows.jsonl: leaf %d is not in its place", next.line.Leaf)
			}
		}
		for t.size < next.line.Leaf {
			if err := subtree(proof, &t, next.line.Leaf); err != nil {
				return r, rows, fmt.Errorf("proof: %w", err)
			}
			passed[t.size] = true
			t.note(roots)
		}
		if len(text) == 0 {
			break
		}
		t.add(0, next.hash)
		passed[t.size] = true
		t.note(roots)
		rows++
		if next.line.Redacted {
			redacted[next.leaf.Seq] = true
		}
		for _, seq := range next.redacts() {
			delete(redacted, seq)
		}
		if lost, again := next.restarts(len(r.restarts) + 2); again {
			r.restarts = append(r.restarts, restart{next.line.Leaf, lost})
		}
	}
	if _, err := proof.ReadByte(); err == nil {
		return r, rows, errors.New("proof: there is more than the log has")
	}
	for seq := range redacted {
		return r, rows, fmt.Errorf("the text of row %d was erased, and no row says by whom", seq)
	}
	r.size = size
	return r, rows, nil
}

// subtree reads a line of the proof: the root of a subtree of 2^level leaves.
func subtree(proof *bufio.Reader, t *tree, until int) error {
	text, err := readLine(proof, longestNote)
	if err != nil {
		return err
	}
	var level int
	var encoded string
	if _, err := fmt.Sscanf(string(text), "%d %s\n", &level, &encoded); err != nil || level < 0 || level > 62 {
		return fmt.Errorf("it does not say what leaf %d is", t.size)
	}
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(raw) != 32 || t.size%(1<<level) != 0 || t.size > math.MaxInt-1<<level || t.size+1<<level > until {
		return fmt.Errorf("a subtree of level %d cannot be at leaf %d", level, t.size)
	}
	t.add(level, [32]byte(raw))
	return nil
}
