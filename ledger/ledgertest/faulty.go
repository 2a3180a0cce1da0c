package ledgertest

import (
	"context"
	"errors"
	"time"

	auditlog "github.com/tenurehq/tenure/audit"
	"github.com/tenurehq/tenure/ledger"
)

// Faulty is a ledger of which one call fails, before it is made or after. It counts the calls of what
// puts the audit record into its log and exports it.
type Faulty struct {
	ledger.Ledger
	At    int  // the call that fails
	After bool // it fails after it was made
	Calls int  // how many were made
}

// ErrDied is the error of the call that fails.
var ErrDied = errors.New("died")

// do makes a call, unless it is the one that fails.
func (f *Faulty) do(call func() error) error {
	f.Calls++
	if f.Calls == f.At && !f.After {
		return ErrDied
	}
	err := call()
	if f.Calls == f.At {
		return ErrDied
	}
	return err
}

// TakeLease implements ledger.Ledger.
func (f *Faulty) TakeLease(ctx context.Context, name, holder string, term time.Duration) (l ledger.Lease, held bool, err error) {
	err = f.do(func() (err error) { l, held, err = f.Ledger.TakeLease(ctx, name, holder, term); return err })
	return l, held, err
}

// LogState implements ledger.Ledger.
func (f *Faulty) LogState(ctx context.Context) (s ledger.LogState, err error) {
	err = f.do(func() (err error) { s, err = f.Ledger.LogState(ctx); return err })
	return s, err
}

// LogTile implements ledger.Ledger.
func (f *Faulty) LogTile(ctx context.Context, level int, n int64) (data []byte, err error) {
	err = f.do(func() (err error) { data, err = f.Ledger.LogTile(ctx, level, n); return err })
	return data, err
}

// Unsequenced implements ledger.Ledger.
func (f *Faulty) Unsequenced(ctx context.Context, after int64, limit int) (rows []auditlog.Row, err error) {
	err = f.do(func() (err error) { rows, err = f.Ledger.Unsequenced(ctx, after, limit); return err })
	return rows, err
}

// LogHorizon implements ledger.Ledger.
func (f *Faulty) LogHorizon(ctx context.Context, before ledger.LogHorizon) (now ledger.LogHorizon, passed bool, err error) {
	err = f.do(func() (err error) { now, passed, err = f.Ledger.LogHorizon(ctx, before); return err })
	return now, passed, err
}

// AppendLeaves implements ledger.Ledger.
func (f *Faulty) AppendLeaves(ctx context.Context, l ledger.Lease, b ledger.LogBatch) error {
	return f.do(func() error { return f.Ledger.AppendLeaves(ctx, l, b) })
}

// SaveCheckpoint implements ledger.Ledger.
func (f *Faulty) SaveCheckpoint(ctx context.Context, l ledger.Lease, c auditlog.Stored) error {
	return f.do(func() error { return f.Ledger.SaveCheckpoint(ctx, l, c) })
}

// SavePublished implements ledger.Ledger.
func (f *Faulty) SavePublished(ctx context.Context, l ledger.Lease, p ledger.Published) error {
	return f.do(func() error { return f.Ledger.SavePublished(ctx, l, p) })
}

// Published implements ledger.Ledger.
func (f *Faulty) Published(ctx context.Context) (p []ledger.Published, err error) {
	err = f.do(func() (err error) { p, err = f.Ledger.Published(ctx); return err })
	return p, err
}

// Exports implements ledger.Ledger.
func (f *Faulty) Exports(ctx context.Context) (all []ledger.Exported, err error) {
	err = f.do(func() (err error) { all, err = f.Ledger.Exports(ctx); return err })
	return all, err
}

// ReadRecord implements ledger.Ledger.
func (f *Faulty) ReadRecord(ctx context.Context, read func(auditlog.Source) error) error {
	return f.do(func() error { return f.Ledger.ReadRecord(ctx, read) })
}

// SaveExported implements ledger.Ledger.
func (f *Faulty) SaveExported(ctx context.Context, l ledger.Lease, e ledger.Exported) error {
	return f.do(func() error { return f.Ledger.SaveExported(ctx, l, e) })
}
