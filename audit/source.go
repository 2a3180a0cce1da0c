package audit

import (
	"context"
	"time"
)

// Entry is a leaf with its row. Row is nil if there is none.
type Entry struct {
	Leaf
	Row *Row
}

// Stored is a checkpoint as it is stored: its note, and what the ledger keeps beside it.
type Stored struct {
	Size int64
	At   time.Time
	Root Hash
	Note string
}

// Source holds a record and its log, as of one moment. Its lists are read in pages: what is
// after (or from) a place, at most limit entries; an empty page ends them.
type Source interface {
	// Entries lists leaves by their numbers, after the given one.
	Entries(ctx context.Context, after int64, limit int) ([]Entry, error)
	// Tiles lists the tiles of a level by their numbers, after the given one.
	Tiles(ctx context.Context, level int, after int64, limit int) ([]Tile, error)
	// Levels returns how many levels have tiles.
	Levels(ctx context.Context) (int, error)
	// Checkpoints lists checkpoints by their sizes, after the given one.
	Checkpoints(ctx context.Context, after int64, limit int) ([]Stored, error)
	// Waiting returns how many rows have no leaf yet.
	Waiting(ctx context.Context) (int64, error)
}
