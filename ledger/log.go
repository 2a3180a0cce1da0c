package ledger

import (
	"context"
	"errors"
	"time"

	"github.com/tenurehq/tenure/audit"
)

// LeaseAudit is the lease of the process that sequences the audit record.
const LeaseAudit = "audit"

// ErrLogMoved is returned for leaves that do not begin where the log ends. Their caller has to
// read the log again.
var ErrLogMoved = errors.New("ledger: the log ends elsewhere by now: read it again")

// ErrUnsequenced is returned for the redaction of a row that has no leaf yet. It has one within
// seconds, if a sequencer runs.
var ErrUnsequenced = errors.New("ledger: a row has no leaf in the log yet, without which its text must not be erased: try again when it has")

// Log keeps the Merkle log of the audit record: see package audit. Rows are written without
// it. One process, which holds the lease LeaseAudit, adds their leaves behind the writers.
type Log interface {
	// LogState returns how far the log goes.
	LogState(ctx context.Context) (LogState, error)
	// LogTile returns the data of a tile, and none if there is no such tile.
	LogTile(ctx context.Context, level int, n int64) ([]byte, error)
	// Unsequenced lists the rows that have no leaf, by sequence number, after the given one,
	// at most limit.
	Unsequenced(ctx context.Context, after int64, limit int) ([]audit.Row, error)
	// LogHorizon returns how far rows have been numbered, and who may still write a row with
	// a number up to there. It also reports whether nobody is left of whom an earlier call
	// told (before): rows up to before.Seq have then all become visible.
	LogHorizon(ctx context.Context, before LogHorizon) (now LogHorizon, passed bool, err error)
	// AppendLeaves adds leaves and tiles, in one transaction, if the log has b.From leaves.
	// Otherwise it returns ErrLogMoved, or ErrLeaseLost: see Leases.
	AppendLeaves(ctx context.Context, l Lease, b LogBatch) error
	// SaveCheckpoint stores a checkpoint. If there is one of its size, nothing changes.
	SaveCheckpoint(ctx context.Context, l Lease, c audit.Stored) error
	// SavePublished records that a place has taken a checkpoint. If that is recorded
	// already, nothing changes.
	SavePublished(ctx context.Context, l Lease, p Published) error
	// SaveExported records how far a place has got the record, which never becomes less.
	SaveExported(ctx context.Context, l Lease, e Exported) error
	// Redact erases the texts of rows, and writes the audit row that says so
	// (audit.ActionRedacted). The rows keep their places in the log. It returns
	// ErrUnsequenced if a row has no leaf, and ErrNotFound if there is no such row.
	Redact(ctx context.Context, r Redaction) error
	// RestartLog begins a new epoch of the log, with an audit row (audit.ActionRestarted),
	// and returns what the row tells.
	RestartLog(ctx context.Context, r LogRestart) (audit.Restart, error)

	LogReader
}

// LogReader is the part of Log that changes nothing and that shows the log.
type LogReader interface {
	// LogState returns how far the log goes.
	LogState(ctx context.Context) (LogState, error)

	// Published lists the newest checkpoint that each place has taken, by place.
	Published(ctx context.Context) ([]Published, error)
	// LeafOf returns the leaf of a row, and false if the row has none yet.
	LeafOf(ctx context.Context, seq int64) (leaf int64, found bool, err error)
	// Exports lists how far places have got the record, by place.
	Exports(ctx context.Context) ([]Exported, error)
	// CountLog counts what metrics show.
	CountLog(ctx context.Context) (LogCounts, error)
	// ReadRecord calls f with the record and its log as of one moment. It may call f more
	// than once.
	ReadRecord(ctx context.Context, f func(audit.Source) error) error
}

// LogState is how far the log goes.
type LogState struct {
	Size   int64         // leaves
	Epoch  int64         // 1 until the log is restarted
	Newest *audit.Stored // the newest checkpoint; nil if there is none
}

// LogHorizon is how far rows have been numbered.
type LogHorizon struct {
	Seq     int64
	Writers []string // transactions that were under way, by names of the database's own
}

// LogBatch holds leaves to add to a log, and the tiles that they make or complete.
type LogBatch struct {
	From   int64 // number of the first leaf
	Leaves []audit.Leaf
	Tiles  []audit.Tile
}

// Published is a checkpoint that a place outside the ledger has taken.
type Published struct {
	Place   string
	Size    int64
	At      time.Time
	Receipt string // what the place answered
}

// LeaseExport returns the name of the lease of the process that exports the audit record to a
// place.
func LeaseExport(place string) string { return "export " + place }

// Exported is how far a place outside the ledger has got the rows of the record.
type Exported struct {
	Place string
	Size  int64 // it has the leaves with a lower number
	At    time.Time
	// Next is when the first row that it has not got was written; zero if it has all. The
	// ledger fills it in.
	Next time.Time
}

// Redaction is an operator's decision to erase the texts of rows.
type Redaction struct {
	Seqs     []int64
	Operator string
	Reason   string
	At       time.Time
}

// LogRestart is an operator's decision to begin a new epoch of the log, after a restore.
type LogRestart struct {
	Operator string
	Reason   string
	At       time.Time
	// Known is the newest checkpoint of the present epoch that is known outside, if any: the
	// ledger may have lost leaves that it covers.
	Known *audit.Checkpoint
}

// LogCounts is what metrics show of the log.
type LogCounts struct {
	Size        int64
	Unsequenced int64 // rows that are newer than the newest one with a leaf
	Checkpoint  *audit.Stored
	Published   []Published
	Exported    []Exported
}
