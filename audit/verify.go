package audit

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Kind says what is wrong.
type Kind string

// The kinds of findings.
const (
	Altered    Kind = "altered"     // a row, leaf, tile or checkpoint is not what its hash or signature says
	Missing    Kind = "missing"     // a leaf has no row, or a number no leaf, or the tree lacks a tile
	Rewritten  Kind = "rewritten"   // the leaves have another root than a checkpoint says
	RolledBack Kind = "rolled back" // a checkpoint is larger than the log
	Forked     Kind = "forked"      // two checkpoints of one size differ
	Unrecorded Kind = "unrecorded"  // a text was erased, and no row says who did it
	Foreign    Kind = "foreign"     // a checkpoint is of another log
)

// Kinds lists the kinds of findings.
var Kinds = []Kind{Altered, Missing, Rewritten, RolledBack, Forked, Unrecorded, Foreign}

// Finding is something that is wrong.
type Finding struct {
	Kind Kind   `json:"kind"`
	Leaf int64  `json:"leaf"`          // the first one that is concerned; -1 if that is not known
	Seq  int64  `json:"seq,omitempty"` // of the row
	What string `json:"what"`
}

// mostFindings is the number of findings of a kind that a report lists. It counts all.
const mostFindings = 20

// Report is the outcome of a verification.
type Report struct {
	Origin      string         `json:"origin,omitempty"` // of the newest checkpoint
	Leaves      int64          `json:"leaves"`
	Root        string         `json:"root"` // over all leaves, in hexadecimal
	Checkpoints int64          `json:"checkpoints"`
	Signed      int64          `json:"signed"`     // checkpoints whose signature was verified
	Unverified  int64          `json:"unverified"` // checkpoints with signatures by unknown keys only
	Newest      *time.Time     `json:"newest,omitempty"`
	Covered     int64          `json:"covered"`  // leaves that the newest checkpoint covers
	Kept        int64          `json:"kept"`     // checkpoints from outside that were compared
	Cut         int64          `json:"cut"`      // beginnings of checkpoints from outside, as a crash leaves them in a file: they prove nothing
	Redacted    int64          `json:"redacted"` // rows whose text was erased, as the record says
	Waiting     int64          `json:"waiting"`  // rows that have no leaf yet
	Epochs      int64          `json:"epochs"`
	Restored    int64          `json:"restored"` // checkpoints from outside that a restart on the record explains
	Counts      map[Kind]int64 `json:"counts,omitempty"`
	Findings    []Finding      `json:"findings,omitempty"` // of each kind the first ones
}

// Sound reports whether nothing is wrong.
func (r *Report) Sound() bool { return len(r.Counts) == 0 }

func (r *Report) add(f Finding) {
	if r.Counts == nil {
		r.Counts = map[Kind]int64{}
	}
	r.Counts[f.Kind]++
	if r.Counts[f.Kind] <= mostFindings {
		r.Findings = append(r.Findings, f)
	}
}

// Options says with what a record is compared.
type Options struct {
	// Origin is the name of the log in its first epoch. If it is empty, it is taken from the
	// first stored checkpoint.
	Origin string
	// Verifiers are the keys that sign checkpoints. If it is nil, signatures are not verified.
	Verifiers note.Verifiers
	// MustBeSigned makes a log of which no checkpoint is signed by one of Verifiers a finding.
	MustBeSigned bool
	// Kept holds checkpoints that were kept elsewhere, as notes.
	Kept []string
	// Progress is called with the number of leaves that were verified. It may be nil.
	Progress func(done int64)
}

// page is the number of entries that are read at once.
const page = 500

// Verify verifies a record from its rows up: the row gives its leaf, the leaves give the tiles
// and the root, and every checkpoint, stored or kept elsewhere, has to have that root. It needs
// as much memory for a large record as for a small one, but for the rows that were redacted.
// The error is of the source: what is wrong with the record is in the report.
func Verify(ctx context.Context, s Source, o Options) (*Report, error) {
	v := &verifier{
		source: s, options: o, report: &Report{Epochs: 1}, edge: &Edge{},
		stored: pages[Stored]{read: s.Checkpoints, place: func(c Stored) int64 { return c.Size }, after: math.MinInt64},
		erased: map[int64]int64{}, listed: map[int64]bool{},
	}
	if err := v.run(ctx); err != nil {
		return nil, err
	}
	return v.report, nil
}

type verifier struct {
	source  Source
	options Options
	report  *Report
	edge    *Edge

	name     string
	kept     []kept // from outside, by size; those before next are done
	next     int
	stored   pages[Stored]
	tiles    []*pages[Tile] // of each level
	restarts []restart
	erased   map[int64]int64 // leaves of redacted rows that no row has told of yet, by the row's number
	listed   map[int64]bool  // rows whose redaction a row has told of, and which were not met yet
	good     int64           // size of the last stored checkpoint that held
	goodKept int64           // and of the last one from outside
	broken   bool            // a leaf is missing: there is no tree
	signed   bool            // a signed checkpoint was met
	roots    map[int64]Hash  // of the stored checkpoint at the present size
}

// kept is a checkpoint from outside.
type kept struct {
	Checkpoint
	epoch int64
}

// restart is a restart with the leaf that tells of it.
type restart struct {
	Restart
	leaf int64
}

func (v *verifier) run(ctx context.Context) error {
	if err := v.prepare(ctx); err != nil {
		return err
	}
	if err := v.checkpoints(ctx); err != nil { // of the empty log
		return err
	}
	var done int64
	entries := pages[Entry]{read: v.source.Entries, place: func(e Entry) int64 { return e.N }, after: math.MinInt64}
	for {
		e, ok, err := entries.next(ctx)
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		if e.N != v.edge.Size() && !v.broken {
			v.report.add(Finding{Kind: Missing, Leaf: v.edge.Size(), What: fmt.Sprintf("leaf %d is not there, and the next one is %d: without it no root can be computed, and rows are verified only", v.edge.Size(), e.N)})
			v.broken = true
		}
		v.entry(e)
		if err := v.grow(ctx, e.Hash); err != nil {
			return err
		}
		if done++; v.options.Progress != nil {
			v.options.Progress(done)
		}
	}
	return v.end(ctx)
}

// prepare reads the checkpoints from outside.
func (v *verifier) prepare(ctx context.Context) error {
	v.name = v.options.Origin
	if v.name == "" {
		first, err := v.source.Checkpoints(ctx, -1, 1)
		if err != nil {
			return err
		}
		if len(first) > 0 {
			v.name, _, _ = strings.Cut(first[0].Note, "\n")
		}
	}
	for i, text := range v.options.Kept {
		c, signature, err := Open(text, v.options.Verifiers)
		where := fmt.Sprintf("checkpoint %d of those that were given", i+1)
		if (err != nil || signature == Unsigned && v.options.Verifiers != nil) && IsCut(text, v.name) {
			v.report.Cut++
			continue
		}
		if err != nil {
			v.report.add(Finding{Kind: Altered, Leaf: -1, What: fmt.Sprintf("%s: %v", where, err)})
			continue
		}
		if signature != Signed && v.options.Verifiers != nil {
			v.report.add(Finding{Kind: Altered, Leaf: -1, What: where + " is not signed by a key that was given"})
			continue
		}
		if v.name == "" {
			v.name = c.Origin
		}
		epoch, ok := EpochOf(v.name, c.Origin)
		if !ok {
			v.report.add(Finding{Kind: Foreign, Leaf: -1, What: fmt.Sprintf("%s is of the log %s, and this is %s", where, c.Origin, v.name)})
			continue
		}
		v.kept = append(v.kept, kept{c, epoch})
	}
	v.report.Kept = int64(len(v.kept))
	slices.SortFunc(v.kept, func(a, b kept) int { return cmp.Or(cmp.Compare(a.Size, b.Size), cmp.Compare(a.epoch, b.epoch)) })
	for i := 1; i < len(v.kept); i++ {
		a, b := v.kept[i-1], v.kept[i]
		if a.Size == b.Size && a.epoch == b.epoch && a.Root != b.Root {
			v.report.add(Finding{Kind: Forked, Leaf: -1, What: fmt.Sprintf("two checkpoints of size %d that were given differ: %s and %s", a.Size, hexadecimal(a.Root), hexadecimal(b.Root))})
		}
	}
	return nil
}

// EpochOf returns the epoch of an origin of the log with a name, and false if it is of another log.
func EpochOf(name, origin string) (epoch int64, ok bool) {
	if origin == name {
		return 1, true
	}
	number, found := strings.CutPrefix(origin, name+"/")
	epoch, err := strconv.ParseInt(number, 10, 64)
	return epoch, found && err == nil && epoch > 1 && Origin(name, epoch) == origin
}

// entry verifies a leaf and its row.
func (v *verifier) entry(e Entry) {
	if kind, what := e.Check(); kind != "" {
		v.report.add(Finding{Kind: kind, Leaf: e.N, Seq: e.Seq, What: what})
		return
	}
	row := *e.Row
	if row.Redacted {
		v.report.Redacted++
		if v.listed[row.Seq] {
			delete(v.listed, row.Seq)
		} else {
			v.erased[row.Seq] = e.N
		}
	}
	v.tells(row, e.N)
}

// Check verifies a row against its leaf. It returns what is wrong, and no kind if nothing is.
func (e Entry) Check() (wrong Kind, what string) {
	switch row := e.Row; {
	case row == nil:
		return Missing, fmt.Sprintf("row %d is not there", e.Seq)
	case row.Redacted && (row.Salt != nil || row.Cause != "" || row.Detail != nil):
		return Altered, fmt.Sprintf("row %d is marked as redacted, and has a text", e.Seq)
	case !row.Redacted && row.Digest() != e.Text:
		return Altered, fmt.Sprintf("the text of row %d is not what its leaf says", e.Seq)
	case tlog.RecordHash(row.Leaf(e.Text)) != e.Hash:
		return Altered, fmt.Sprintf("row %d is not what its leaf says", e.Seq)
	}
	return "", ""
}

// tells notes what a row tells of the record itself.
func (v *verifier) tells(row Row, leaf int64) {
	if r, is := row.Restarts(); is && r.Epoch == v.report.Epochs+1 {
		v.report.Epochs = r.Epoch
		v.restarts = append(v.restarts, restart{r, leaf})
	}
	for _, seq := range row.Redacts() {
		if _, met := v.erased[seq]; met {
			delete(v.erased, seq)
		} else {
			v.listed[seq] = true
		}
	}
}

// grow adds a leaf to the tree, and compares the tiles and checkpoints that are complete by that.
func (v *verifier) grow(ctx context.Context, leaf Hash) (err error) {
	if v.broken {
		return nil
	}
	v.edge.Add(leaf, func(t Tile) {
		if err == nil {
			err = v.tile(ctx, t)
		}
	})
	if err != nil {
		return err
	}
	return v.checkpoints(ctx)
}

// tile compares a tile with the stored one.
func (v *verifier) tile(ctx context.Context, want Tile) error {
	for len(v.tiles) <= want.Level {
		level := len(v.tiles)
		v.tiles = append(v.tiles, &pages[Tile]{after: math.MinInt64, seen: math.MinInt64, place: func(t Tile) int64 { return t.N },
			read: func(ctx context.Context, after int64, _ int) ([]Tile, error) {
				return v.source.Tiles(ctx, level, after, tilesAtOnce)
			}})
	}
	name := fmt.Sprintf("tile %d/%d", want.Level, want.N)
	leaf := want.N
	for range want.Level + 1 {
		leaf *= tileWidth
	}
	for {
		got, ok, err := v.tiles[want.Level].peek(ctx)
		switch {
		case err != nil:
			return err
		case !ok || got.N > want.N:
			v.report.add(Finding{Kind: Missing, Leaf: leaf, What: name + " is not there"})
			return nil
		case got.N < want.N:
			v.tiles[want.Level].drop()
			v.report.add(Finding{Kind: Altered, Leaf: leaf, What: fmt.Sprintf("tile %d/%d is there twice", want.Level, got.N)})
			continue
		case !bytes.Equal(got.Data, want.Data):
			v.report.add(Finding{Kind: Altered, Leaf: leaf, What: name + " is not what the leaves give"})
		}
		v.tiles[want.Level].drop()
		return nil
	}
}

// tilesAtOnce is the number of tiles that are read at once: each has 8 KB.
const tilesAtOnce = 32

// root returns the root of the tree at its present size, which is computed once.
func (v *verifier) root() Hash {
	if root, ok := v.roots[v.edge.Size()]; ok {
		return root
	}
	v.roots = map[int64]Hash{v.edge.Size(): v.edge.Root()}
	return v.roots[v.edge.Size()]
}

// checkpoints compares the checkpoints of the present size, stored ones and those from outside.
func (v *verifier) checkpoints(ctx context.Context) error {
	size := v.edge.Size()
	var ours *Hash
	for {
		c, ok, err := v.stored.peek(ctx)
		if err != nil {
			return err
		}
		if !ok || c.Size > size {
			break
		}
		v.stored.drop()
		root, sound := v.opened(c)
		ours = &root
		if sound {
			v.compare(root, fmt.Sprintf("the stored checkpoint of size %d", size), false, nil)
		}
	}
	for ; v.next < len(v.kept) && v.kept[v.next].Size <= size; v.next++ {
		k := v.kept[v.next]
		if k.epoch != v.report.Epochs {
			v.abandoned(k)
			continue
		}
		v.compare(k.Root, fmt.Sprintf("a checkpoint of size %d that was given", size), true, ours)
	}
	return nil
}

// compare compares the root of a checkpoint with that of the tree. Kept reports whether it is
// from outside; stored is then the root of the stored checkpoint of this size, if there is one.
func (v *verifier) compare(root Hash, what string, kept bool, stored *Hash) {
	size, good := v.edge.Size(), &v.good
	if kept {
		good = &v.goodKept
	}
	if root == v.root() {
		*good = size
		return
	}
	kind := Rewritten
	if stored != nil && *stored != root {
		kind = Forked
	}
	v.report.add(Finding{Kind: kind, Leaf: *good, What: fmt.Sprintf("%s has the root %s, and the leaves give %s: the first leaf that differs is one of %d to %d",
		what, hexadecimal(root), hexadecimal(v.root()), *good, max(size-1, 0))})
}

// opened verifies a stored checkpoint by itself.
func (v *verifier) opened(c Stored) (root Hash, sound bool) {
	v.report.Checkpoints++
	altered := func(format string, args ...any) (Hash, bool) {
		v.report.add(Finding{Kind: Altered, Leaf: -1, What: fmt.Sprintf("the stored checkpoint of size %d ", c.Size) + fmt.Sprintf(format, args...)})
		return c.Root, false
	}
	opened, signature, err := Open(c.Note, v.options.Verifiers)
	if err != nil {
		return altered("cannot be read: %v", err)
	}
	if opened.Size != c.Size || opened.Root != c.Root || !opened.At.Equal(c.At) {
		return altered("is not what is stored beside it")
	}
	switch {
	case signature == Signed:
		v.signed = true
		v.report.Signed++
	case v.options.Verifiers == nil && signature == Unknown:
		v.report.Unverified++
	case signature == Unknown:
		return altered("is not signed by a key that was given")
	case v.signed:
		return altered("is not signed, and one before it is")
	}
	epoch, ours := EpochOf(v.name, opened.Origin)
	if !ours {
		return altered("is of the log %s, and this is %s", opened.Origin, v.name)
	}
	if c.Size > v.edge.Size() {
		v.report.add(Finding{Kind: RolledBack, Leaf: v.edge.Size(), What: fmt.Sprintf("the stored checkpoint has size %d, and the log %d leaves", c.Size, v.edge.Size())})
		return c.Root, false
	}
	if epoch != v.report.Epochs {
		return altered("is of epoch %d, and the record of %d", epoch, v.report.Epochs)
	}
	v.report.Origin, v.report.Covered = opened.Origin, c.Size
	if !c.At.IsZero() {
		v.report.Newest = &c.At
	}
	return c.Root, true
}

// abandoned judges a checkpoint from outside that the log has not, by what restarts tell.
func (v *verifier) abandoned(k kept) {
	for _, r := range v.restarts {
		if r.Epoch == k.epoch+1 && k.Size <= r.Lost {
			if k.Size == r.Lost && r.Root != "" && r.Root != hexadecimal(k.Root) {
				v.report.add(Finding{Kind: Forked, Leaf: r.leaf, What: fmt.Sprintf("a checkpoint of size %d that was given differs from the one that the restart tells of", k.Size)})
				return
			}
			v.report.Restored++
			return
		}
	}
	v.report.add(Finding{Kind: RolledBack, Leaf: min(v.edge.Size(), k.Size), What: fmt.Sprintf("a checkpoint of %s that was given has size %d, and the log lost what it covers: it has %d leaves", k.Origin, k.Size, v.edge.Size())})
}

// end compares what is left when there are no more leaves.
func (v *verifier) end(ctx context.Context) error {
	var err error
	v.report.Leaves = v.edge.Size()
	if !v.broken {
		v.report.Root = hexadecimal(v.root())
		err = v.rest(ctx)
	}
	if err != nil {
		return err
	}
	for _, seq := range slices.Sorted(maps.Keys(v.erased)) {
		v.report.add(Finding{Kind: Unrecorded, Leaf: v.erased[seq], Seq: seq, What: fmt.Sprintf("the text of row %d was erased, and no row says by whom", seq)})
	}
	if v.options.MustBeSigned && v.report.Signed == 0 {
		v.report.add(Finding{Kind: Altered, Leaf: -1, What: "no checkpoint is signed by a key that was given"})
	}
	v.report.Waiting, err = v.source.Waiting(ctx)
	return err
}

// rest compares the tiles that are not complete, and what belongs to no leaf.
func (v *verifier) rest(ctx context.Context) error {
	for _, t := range v.edge.Partial() {
		if err := v.tile(ctx, t); err != nil {
			return err
		}
	}
	levels, err := v.source.Levels(ctx)
	if err != nil {
		return err
	}
	if levels > len(v.tiles) {
		v.report.add(Finding{Kind: Altered, Leaf: v.edge.Size(), What: fmt.Sprintf("tiles of level %d belong to no leaf", levels-1)})
	}
	for level := range v.tiles {
		more, err := v.source.Tiles(ctx, level, v.tiles[level].seen, 1)
		if err != nil {
			return err
		}
		if len(more) > 0 {
			v.report.add(Finding{Kind: Altered, Leaf: v.edge.Size(), What: fmt.Sprintf("tile %d/%d belongs to no leaf", level, more[0].N)})
		}
	}
	for { // larger than the log
		c, ok, err := v.stored.next(ctx)
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		v.opened(c)
	}
	for ; v.next < len(v.kept); v.next++ {
		v.abandoned(v.kept[v.next])
	}
	return nil
}

// pages reads a list page by page.
type pages[T any] struct {
	read  func(ctx context.Context, after int64, limit int) ([]T, error)
	place func(T) int64
	after int64
	seen  int64 // place of the last entry that was taken
	got   []T
	ended bool
}

// peek returns the next entry and leaves it there.
func (p *pages[T]) peek(ctx context.Context) (entry T, ok bool, err error) {
	if len(p.got) == 0 && !p.ended {
		if p.got, err = p.read(ctx, p.after, page); err != nil {
			return entry, false, err
		}
		if p.ended = len(p.got) == 0; !p.ended {
			p.after = p.place(p.got[len(p.got)-1])
		}
	}
	if len(p.got) == 0 {
		return entry, false, nil
	}
	return p.got[0], true, nil
}

func (p *pages[T]) drop() {
	p.seen = p.place(p.got[0])
	p.got = p.got[1:]
}

func (p *pages[T]) next(ctx context.Context) (entry T, ok bool, err error) {
	if entry, ok, err = p.peek(ctx); ok {
		p.drop()
	}
	return entry, ok, err
}
