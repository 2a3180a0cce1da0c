package ledger

import (
	"context"
	"io"
)

// Mover is how a ledger moves to another database. What is written holds all that
// the ledger knows, names included.
type Mover interface {
	// Export writes everything, as it is at one moment. It may fail when a part has
	// been written: without its last line that is not taken by Import.
	Export(ctx context.Context, w io.Writer, p Progress) (Export, error)
	// Import reads what Export wrote into this ledger, which must hold nothing. It
	// does all of it or, if it fails, nothing. What is written afterwards has numbers
	// above those that were ever given out. Unlike other calls it cannot be repeated.
	Import(ctx context.Context, r io.Reader, p Progress) (Export, error)
}

// Export says what was exported.
type Export struct {
	Schema int64            `json:"schema"` // version of the tables
	Rows   map[string]int64 `json:"rows"`   // by table
	SHA256 string           `json:"sha256"` // of all lines but the last
}

// Total is the number of rows.
func (e Export) Total() (n int64) {
	for _, rows := range e.Rows {
		n += rows
	}
	return n
}

// Progress is told how many rows of how many have been moved.
type Progress func(done, total int64)
