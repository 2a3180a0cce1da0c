package ledger

import (
	"context"
	"io"
	"time"
)

// Mover moves a ledger to another database. An export holds everything that the ledger
// knows, also names.
type Mover interface {
	// Export writes everything, as of one moment. It may fail when a part has been written;
	// Import refuses an export without its last line. Before Export writes that line, it
	// adds an audit row about the export to this ledger. The export does not contain the
	// row.
	Export(ctx context.Context, w io.Writer, m Move, p Progress) (Export, error)
	// Import reads an export into this ledger, which must be empty. It imports everything
	// or, if it fails, nothing. Rows that are written later have higher numbers than the
	// old ledger ever used. The first of them is an audit row about the import. Unlike other
	// calls, Import cannot be repeated.
	Import(ctx context.Context, r io.Reader, m Move, p Progress) (Export, error)
}

// Move holds, for the audit record, who moves a ledger and when. The audit row's detail has
// the export's digest ("sha256"), number of rows and schema. They are the same for an export
// and its import.
type Move struct {
	Operator string
	At       time.Time
}

// The actions of audit rows about the ledger as a whole.
const (
	ActionExported = "ledger exported"
	ActionImported = "ledger imported"
)

// Export summarizes an export.
type Export struct {
	Schema int64            `json:"schema"` // version of the tables
	Rows   map[string]int64 `json:"rows"`   // by table
	SHA256 string           `json:"sha256"` // of all lines but the last
}

// Total returns the number of rows.
func (e Export) Total() (n int64) {
	for _, rows := range e.Rows {
		n += rows
	}
	return n
}

// Progress is called with the number of rows that have been moved, and the number of all.
type Progress func(done, total int64)
