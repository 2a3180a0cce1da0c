package audit

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// A record is exported to a folder of plain files, with the tiles and entries of C2SP tlog-tiles:
//
//	checkpoint          the newest checkpoint
//	checkpoints         all checkpoints, with an empty line before each
//	tile/0/x001/234     256 hashes; the last one of a level is tile/0/x001/235.p/17, with 17 hashes
//	tile/entries/...    256 leaves, each after its length in two bytes
//	rows.jsonl          a line for each leaf: the leaf, and the text of which it has the digest
const (
	fileCheckpoint  = "checkpoint"
	fileCheckpoints = "checkpoints"
	fileRows        = "rows.jsonl"
)

// What there may be in a file at most: whoever made the folder must not be able to fill the
// memory of whoever verifies it.
const (
	longestLine     = 64 << 20 // of rows.jsonl
	longestTile     = tileWidth * tlog.HashSize
	longestEntries  = tileWidth * (2 + math.MaxUint16)
	longestNote     = 4 << 10
	longestNotesAll = 1 << 30
)

// ReadFile reads a file of at most so many bytes: whoever made a folder must not be able to fill
// the memory of whoever verifies it. It returns an error if there are more.
func ReadFile(folder fs.FS, path string, most int64) ([]byte, error) {
	file, err := folder.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // it was read
	content, err := io.ReadAll(io.LimitReader(file, most+1))
	if err == nil && int64(len(content)) > most {
		err = fmt.Errorf("%s has more than %d bytes", path, most)
	}
	return content, err
}

// readLine reads a line of at most so many bytes, with its line feed. The error is io.EOF if there
// is none, and io.ErrUnexpectedEOF if it was cut.
func readLine(in *bufio.Reader, most int) (line []byte, err error) {
	for {
		part, err := in.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > most:
			return nil, fmt.Errorf("it is longer than %d bytes", most)
		case err == nil:
			return line, nil
		case errors.Is(err, io.EOF) && len(line) > 0:
			return nil, io.ErrUnexpectedEOF
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		}
	}
}

// line is a line of rows.jsonl.
type line struct {
	Leaf     int64           `json:"leaf"`
	Record   json.RawMessage `json:"record"` // the leaf, byte for byte
	Salt     []byte          `json:"salt"`
	Cause    string          `json:"cause"`
	Detail   *string         `json:"detail"`
	Redacted bool            `json:"redacted,omitempty"`
}

// WriteLine writes a leaf with its row as a line of JSON, as exported records and evidence packs
// have it.
func WriteLine(w io.Writer, e Entry) error {
	return lines(w).Encode(line{e.N, e.Row.Leaf(e.Text), e.Row.Salt, e.Row.Cause, e.Row.Detail, e.Row.Redacted})
}

// ReadLine reads what WriteLine wrote, and refuses what is written otherwise. The hash is that of
// the leaf in the line: whether it is the leaf of its row, and is in the log, is left to Check and
// to the tree. The error is io.EOF at the end.
func ReadLine(in *bufio.Reader) (Entry, error) {
	text, err := readLine(in, longestLine)
	if err != nil {
		return Entry{}, err
	}
	e, _, err := parseLine(text)
	if err != nil { // an empty line is not the end
		return Entry{}, errors.New("it is no row: " + err.Error())
	}
	return e, nil
}

func parseLine(text []byte) (e Entry, record []byte, err error) {
	var l line
	var r struct {
		V, Seq, At, Attempt                    int64
		Person, App, Action, Actor, Login, Key string
		Text                                   []byte
	}
	for _, into := range []struct {
		text []byte
		v    any
	}{{text, &l}, {nil, &r}} {
		if into.text == nil {
			into.text = l.Record
		}
		d := json.NewDecoder(bytes.NewReader(into.text))
		d.DisallowUnknownFields()
		if err := d.Decode(into.v); err != nil {
			return Entry{}, nil, err
		}
	}
	var again bytes.Buffer // a line that is written otherwise was changed
	if err := lines(&again).Encode(l); err != nil || !bytes.Equal(again.Bytes(), text) {
		return Entry{}, nil, errors.New("it is not written as lines are")
	}
	if r.V != 1 || len(r.Text) != len(Hash{}) {
		return Entry{}, nil, errors.New("it is no leaf")
	}
	row := Row{
		Seq: r.Seq, At: r.At, Person: r.Person, App: r.App, Action: r.Action, Actor: r.Actor, Login: r.Login, Key: r.Key, Attempt: r.Attempt,
		Text: Text{Salt: l.Salt, Cause: l.Cause, Detail: l.Detail}, Redacted: l.Redacted,
	}
	leaf := Leaf{N: l.Leaf, Seq: r.Seq, Text: Hash(r.Text), Hash: tlog.RecordHash(l.Record)}
	if !bytes.Equal(l.Record, row.Leaf(leaf.Text)) {
		return Entry{}, nil, errors.New("the leaf is not written as leaves are")
	}
	return Entry{leaf, &row}, l.Record, nil
}

// lines writes lines, with leaves as they are.
func lines(w io.Writer) *json.Encoder {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e
}

// tilePath returns the path of a tile, or of a bundle of entries, which has so many of 256.
func tilePath(level string, n int64, width int) string {
	path := fmt.Sprintf("%03d", n%1000)
	for n /= 1000; n > 0; n /= 1000 {
		path = fmt.Sprintf("x%03d/%s", n%1000, path)
	}
	path = "tile/" + level + "/" + path
	if width < tileWidth {
		path += ".p/" + strconv.Itoa(width)
	}
	return path
}

// Export writes a record to files, which create makes. It fails if a row is not there: Verify says
// more.
func Export(ctx context.Context, s Source, create func(name string) (io.WriteCloser, error)) (leaves int64, err error) {
	write := func(name string, content []byte) error {
		file, err := create(name)
		if err != nil {
			return err
		}
		_, err = file.Write(content)
		return errors.Join(err, file.Close())
	}
	if leaves, err = exportRows(ctx, s, create, write); err != nil {
		return leaves, err
	}
	levels, err := s.Levels(ctx)
	if err != nil {
		return leaves, err
	}
	for level := range levels {
		tiles := pages[Tile]{after: math.MinInt64, place: func(t Tile) int64 { return t.N }, read: func(ctx context.Context, after int64, _ int) ([]Tile, error) {
			return s.Tiles(ctx, level, after, tilesAtOnce)
		}}
		for {
			t, ok, err := tiles.next(ctx)
			if err != nil {
				return leaves, err
			}
			if !ok {
				break
			}
			if err := write(tilePath(strconv.Itoa(t.Level), t.N, t.Width()), t.Data); err != nil {
				return leaves, err
			}
		}
	}
	return leaves, exportCheckpoints(ctx, s, create, write)
}

func exportRows(ctx context.Context, s Source, create func(string) (io.WriteCloser, error), write func(string, []byte) error) (leaves int64, err error) {
	file, err := create(fileRows)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	out := bufio.NewWriter(file)
	encoder := lines(out)
	entries := pages[Entry]{read: s.Entries, place: func(e Entry) int64 { return e.N }, after: math.MinInt64}
	var bundle []byte
	inBundle := 0
	flush := func() error {
		if inBundle == 0 {
			return nil
		}
		err := write(tilePath("entries", (leaves-1)/tileWidth, inBundle), bundle)
		bundle, inBundle = nil, 0
		return err
	}
	for {
		e, ok, err := entries.next(ctx)
		if err != nil {
			return leaves, err
		}
		if !ok {
			break
		}
		if e.Row == nil {
			return leaves, fmt.Errorf("row %d, of leaf %d, is not there: verify the record (tenure audit verify)", e.Seq, e.N)
		}
		leaf := e.Row.Leaf(e.Text)
		if len(leaf) > math.MaxUint16 {
			return leaves, fmt.Errorf("leaf %d has %d bytes, and an entry has room for %d", e.N, len(leaf), math.MaxUint16)
		}
		if length := len(e.Row.Cause) + lengthOf(e.Row.Detail); 6*length > longestLine-(1<<20) { // as it is escaped at worst
			return leaves, fmt.Errorf("the text of leaf %d has %d bytes, and a line has room for %d", e.N, length, (longestLine-(1<<20))/6)
		}
		if err := encoder.Encode(line{e.N, leaf, e.Row.Salt, e.Row.Cause, e.Row.Detail, e.Row.Redacted}); err != nil {
			return leaves, err
		}
		bundle = append(binary.BigEndian.AppendUint16(bundle, uint16(len(leaf))), leaf...)
		leaves++
		if inBundle++; inBundle == tileWidth {
			if err := flush(); err != nil {
				return leaves, err
			}
		}
	}
	return leaves, errors.Join(flush(), out.Flush())
}

func lengthOf(text *string) int {
	if text == nil {
		return 0
	}
	return len(*text)
}

func exportCheckpoints(ctx context.Context, s Source, create func(string) (io.WriteCloser, error), write func(string, []byte) error) (err error) {
	file, err := create(fileCheckpoints)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	out := bufio.NewWriter(file)
	stored := pages[Stored]{read: s.Checkpoints, place: func(c Stored) int64 { return c.Size }, after: math.MinInt64}
	newest := ""
	for {
		c, ok, err := stored.next(ctx)
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		newest = c.Note
		if _, err := out.WriteString("\n" + c.Note); err != nil {
			return err
		}
	}
	if err := out.Flush(); err != nil || newest == "" {
		return err
	}
	return write(fileCheckpoint, []byte(newest))
}

// Folder returns a record that was exported to a folder. It reads the rows once, from the first
// one on; close it when it was read.
func Folder(folder fs.FS) (Source, io.Closer, error) {
	f := &exported{folder: folder, tiles: map[int][]Tile{}}
	if err := f.list(); err != nil {
		return nil, nil, err
	}
	rows, err := folder.Open(fileRows)
	if err != nil {
		return nil, nil, err
	}
	f.rows = bufio.NewReader(rows)
	return f, rows, nil
}

// exported is a record in a folder.
type exported struct {
	folder fs.FS
	tiles  map[int][]Tile // by level, without their data
	paths  map[[2]int64]string
	rows   *bufio.Reader
	leaves [][]byte // those of the last bundle that was read
	hashes []byte   // those of the last tile of leaves that was read
	last   int64    // the leaf of the row that was read last, and one
	stored []Stored
}

// list finds the tiles and checkpoints.
func (f *exported) list() error {
	f.paths = map[[2]int64]string{}
	err := fs.WalkDir(f.folder, "tile", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		level, n, err := parseTilePath(path)
		if err != nil {
			return err
		}
		if level != levelEntries {
			f.tiles[level] = append(f.tiles[level], Tile{Level: level, N: n})
		}
		f.paths[[2]int64{int64(level), n}] = path
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, tiles := range f.tiles {
		slices.SortFunc(tiles, func(a, b Tile) int { return cmp.Compare(a.N, b.N) })
	}
	text, err := ReadFile(f.folder, fileCheckpoints, longestNotesAll)
	if err != nil {
		return err
	}
	for _, note := range Split(text) {
		c, _, err := Open(note, nil)
		if err != nil {
			return fmt.Errorf("%s: %w", fileCheckpoints, err)
		}
		f.stored = append(f.stored, Stored{Size: c.Size, At: c.At, Root: c.Root, Note: note})
	}
	newest, err := ReadFile(f.folder, fileCheckpoint, longestNote)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if len(f.stored) > 0 && f.stored[len(f.stored)-1].Note != string(newest) || len(f.stored) == 0 && len(newest) > 0 {
		return fmt.Errorf("%s is not the last one of %s", fileCheckpoint, fileCheckpoints)
	}
	slices.SortStableFunc(f.stored, func(a, b Stored) int { return cmp.Compare(a.Size, b.Size) })
	return nil
}

// levelEntries stands for the bundles of entries.
const levelEntries = -1

// parseTilePath reads the path of a tile.
func parseTilePath(path string) (level int, n int64, err error) {
	whole, width := path, tileWidth
	if cut, partial, found := strings.Cut(path, ".p/"); found {
		whole = cut
		if width, err = strconv.Atoi(partial); err != nil {
			return 0, 0, fmt.Errorf("%s is no path of a tile", path)
		}
	}
	parts := strings.Split(strings.TrimPrefix(whole, "tile/"), "/")
	if parts[0] == "entries" {
		level = levelEntries
	} else {
		level, err = strconv.Atoi(parts[0])
	}
	for _, group := range parts[1:] {
		digits, failed := strconv.ParseInt(strings.TrimPrefix(group, "x"), 10, 32)
		err = errors.Join(err, failed)
		n = n*1000 + digits
	}
	if err != nil || tilePath(parts[0], n, width) != path {
		return 0, 0, fmt.Errorf("%s is no path of a tile", path)
	}
	return level, n, nil
}

// Entries implements Source.
func (f *exported) Entries(_ context.Context, after int64, limit int) (entries []Entry, err error) {
	if after >= 0 && after != f.last-1 {
		return nil, errors.New("the rows of an exported record are read once")
	}
	for len(entries) < limit {
		text, err := readLine(f.rows, longestLine)
		if errors.Is(err, io.EOF) {
			return entries, nil
		}
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, fmt.Errorf("%s: line %d is cut", fileRows, f.last+1)
		}
		var e Entry
		if err == nil {
			e, err = f.entry(text)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: line %d: %w", fileRows, f.last+1, err)
		}
		f.last = e.N + 1
		entries = append(entries, e)
	}
	return entries, nil
}

func (f *exported) entry(text []byte) (Entry, error) {
	e, record, err := parseLine(text)
	if err != nil {
		return Entry{}, err
	}
	if e.N != f.last {
		return Entry{}, errors.New("it is not the next leaf")
	}
	if err := f.bundle(e.N / tileWidth); err != nil {
		return Entry{}, err
	}
	i := int(e.N % tileWidth)
	if i >= len(f.leaves) || !bytes.Equal(f.leaves[i], record) {
		return Entry{}, errors.New("the leaf is not the one among the entries")
	}
	if end := (i + 1) * tlog.HashSize; end <= len(f.hashes) {
		e.Hash = Hash(f.hashes[end-tlog.HashSize : end])
	}
	return e, nil
}

// bundle reads a bundle of entries, and the tile of their hashes, when its first leaf is read.
func (f *exported) bundle(n int64) (err error) {
	if f.last%tileWidth != 0 {
		return nil
	}
	f.leaves, f.hashes = nil, nil
	if path, ok := f.paths[[2]int64{0, n}]; ok {
		if f.hashes, err = ReadFile(f.folder, path, longestTile); err != nil {
			return err
		}
	}
	text, err := ReadFile(f.folder, f.paths[[2]int64{levelEntries, n}], longestEntries)
	if err != nil {
		return fmt.Errorf("entries of leaf %d: %w", f.last, err)
	}
	for len(text) >= 2 {
		length := 2 + int(binary.BigEndian.Uint16(text))
		if length > len(text) {
			break
		}
		f.leaves, text = append(f.leaves, text[2:length]), text[length:]
	}
	if len(text) > 0 {
		return fmt.Errorf("the entries from leaf %d on are cut", f.last)
	}
	return nil
}

// Tiles implements Source.
func (f *exported) Tiles(_ context.Context, level int, after int64, limit int) (tiles []Tile, err error) {
	for _, t := range f.tiles[level] {
		if t.N <= after {
			continue
		}
		if t.Data, err = ReadFile(f.folder, f.paths[[2]int64{int64(level), t.N}], longestTile); err != nil {
			return nil, err
		}
		if tiles = append(tiles, t); len(tiles) == limit {
			break
		}
	}
	return tiles, nil
}

// Levels implements Source.
func (f *exported) Levels(context.Context) (levels int, err error) {
	for level := range f.tiles {
		levels = max(levels, level+1)
	}
	return levels, nil
}

// Checkpoints implements Source.
func (f *exported) Checkpoints(_ context.Context, after int64, limit int) (some []Stored, err error) {
	for _, c := range f.stored {
		if c.Size > after && len(some) < limit {
			some = append(some, c)
		}
	}
	return some, nil
}

// Waiting implements Source. What was exported has leaves.
func (f *exported) Waiting(context.Context) (int64, error) { return 0, nil }
