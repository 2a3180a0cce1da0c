package audit

import (
	"bytes"
	"errors"
	"fmt"
	"math/bits"
	"slices"

	"golang.org/x/mod/sumdb/tlog"
)

// TileHeight is the height of tiles, as C2SP tlog-tiles has it.
const TileHeight = 8

// tileWidth is the number of hashes in a full tile.
const tileWidth = 1 << TileHeight

// Tile is a tile of the tree: N-th of its level, from the left. It holds up to 256 hashes; those
// of level 0 are hashes of leaves, and those of a higher level are roots of the full tiles below.
// The last tile of a level grows.
type Tile struct {
	Level int
	N     int64
	Data  []byte
}

// Width returns the number of hashes in the tile.
func (t Tile) Width() int { return len(t.Data) / tlog.HashSize }

// Edge is the right edge of a tree: what is needed to add leaves to it. The zero Edge is the
// edge of the empty tree.
type Edge struct {
	size   int64
	levels [][]Hash // the last, incomplete tile of each level
}

// Size returns the number of leaves.
func (e *Edge) Size() int64 { return e.size }

// NewEdge returns the edge of a tree of a size, of which last returns the data of tiles.
func NewEdge(size int64, last func(level int, n int64) ([]byte, error)) (*Edge, error) {
	e := &Edge{size: size}
	for level, width := 0, size; width > 0; level, width = level+1, width/tileWidth {
		var hashes []Hash
		if has := int(width % tileWidth); has > 0 {
			data, err := last(level, width/tileWidth)
			if err != nil {
				return nil, err
			}
			if len(data) != has*tlog.HashSize {
				return nil, fmt.Errorf("tile %d/%d has %d bytes, and the log has %d leaves: verify it (tenure audit verify)", level, width/tileWidth, len(data), size)
			}
			for h := range slices.Chunk(data, tlog.HashSize) {
				hashes = append(hashes, Hash(h))
			}
		}
		e.levels = append(e.levels, hashes)
	}
	return e, nil
}

// Clone returns a copy.
func (e *Edge) Clone() *Edge {
	c := &Edge{size: e.size, levels: make([][]Hash, len(e.levels))}
	for i, level := range e.levels {
		c.levels[i] = slices.Clone(level)
	}
	return c
}

// Add adds the hash of a leaf. It calls full with each tile that is complete by that.
func (e *Edge) Add(leaf Hash, full func(Tile)) {
	n := e.size // of the entry in its level
	e.size++
	for level, h := 0, leaf; ; level++ {
		if level == len(e.levels) {
			e.levels = append(e.levels, nil)
		}
		e.levels[level] = append(e.levels[level], h)
		if len(e.levels[level]) < tileWidth {
			return
		}
		full(Tile{Level: level, N: n / tileWidth, Data: data(e.levels[level])})
		h, n = subtree(e.levels[level]), n/tileWidth
		e.levels[level] = nil
	}
}

// Partial returns the last tile of each level that is not complete.
func (e *Edge) Partial() []Tile {
	var tiles []Tile
	for level, width := 0, e.size; level < len(e.levels); level, width = level+1, width/tileWidth {
		if len(e.levels[level]) > 0 {
			tiles = append(tiles, Tile{Level: level, N: width / tileWidth, Data: data(e.levels[level])})
		}
	}
	return tiles
}

// Root returns the root of the tree as RFC 6962 has it.
func (e *Edge) Root() Hash {
	if e.size == 0 {
		root, _ := tlog.TreeHash(0, nil) // reads nothing
		return root
	}
	// The tree consists of complete subtrees, one for each bit of the size, the largest on the
	// left. Those of the bits of one level are in the last tile of that level.
	var root Hash
	begun := false
	for _, level := range e.levels { // from the right
		end := len(level)
		for end > 0 {
			width := 1 << bits.TrailingZeros(uint(end))
			h := subtree(level[end-width : end])
			if begun {
				root = tlog.NodeHash(h, root)
			} else {
				root, begun = h, true
			}
			end -= width
		}
	}
	return root
}

// subtree returns the root over hashes, whose number is a power of two.
func subtree(hashes []Hash) Hash {
	row := slices.Clone(hashes)
	for ; len(row) > 1; row = row[:len(row)/2] {
		for i := range len(row) / 2 {
			row[i] = tlog.NodeHash(row[2*i], row[2*i+1])
		}
	}
	return row[0]
}

func data(hashes []Hash) []byte {
	b := make([]byte, 0, len(hashes)*tlog.HashSize)
	for _, h := range hashes {
		b = append(b, h[:]...)
	}
	return b
}

// Hashes returns a reader of the hashes of a tree of a size, from its tiles. It does not verify
// them: Consistency and Inclusion do.
func Hashes(size int64, tile func(level int, n int64) ([]byte, error)) tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]Hash, error) {
		read := map[tlog.Tile][]byte{}
		out := make([]Hash, len(indexes))
		for i, index := range indexes {
			t := tlog.TileForIndex(TileHeight, index)
			t.W = tileWidth
			at := t
			b, ok := read[at]
			if !ok {
				var err error
				if b, err = tile(t.L, t.N); err != nil {
					return nil, err
				}
				read[at] = b
			}
			t.W = len(b) / tlog.HashSize
			h, err := tlog.HashFromTile(t, bytes.Clone(b[:t.W*tlog.HashSize]), index)
			if err != nil {
				return nil, errors.Join(fmt.Errorf("of a log of %d leaves", size), err)
			}
			out[i] = h
		}
		return out, nil
	})
}
