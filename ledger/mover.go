package ledger

import (
	"context"
	"io"
	"time"
)

// Mover moves a ledger to another database. What is written holds all that
// the ledger knows, names included.
type Mover interface {
	// Export writes everything, as it is at one moment. It may fail when a part has
	// been written: without its last line that is not taken by Import. Before that
	// line is written, an audit row in this ledger says who exported what; what is
	// written does not have it.
	Export(ctx context.Context, w io.Writer, m Move, p Progress) (Export, error)
	// Import reads what Export wrote into this ledger, which must hold nothing. It
	// does all of it or, if it fails, nothing. What is written afterwards has numbers
	// above those that were ever given out. The first of it is an audit row that says
	// who imported what. Unlike other calls it cannot be repeated.
	Import(ctx context.Context, r io.Reader, m Move, p Progress) (Export, error)
}

// Move says who moves a ledger and when, for the audit record. The row's detail has
// the export's digest ("sha256"), number of rows and schema: those of an export and
// its import are the same.
type Move struct {
	Operator string
	At       time.Time
}

// What the audit record says of the ledger as a whole.
const (
	ActionExported = "ledger exported"
	ActionImported = "ledger imported"
)

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
