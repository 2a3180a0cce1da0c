package operator

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/tenurehq/tenure/audit"
	"github.com/tenurehq/tenure/audit/export"
	"github.com/tenurehq/tenure/ledger"
)

// RecordHead is the newest checkpoint of the audit record's log, and what it does not cover.
type RecordHead struct {
	audit.Checkpoint
	Note      string
	Leaves    int64 // of the log
	Waiting   int64 // rows that are newer than the log
	Published []ledger.Published
}

// RecordHead returns the newest checkpoint of the audit record's log.
func (v *Viewer) RecordHead(ctx context.Context) (RecordHead, error) {
	counts, err := v.Ledger.CountLog(ctx)
	if err != nil {
		return RecordHead{}, err
	}
	head := RecordHead{Leaves: counts.Size, Waiting: counts.Unsequenced, Published: counts.Published}
	if counts.Checkpoint == nil {
		return head, refuse("the audit record has no checkpoint yet: a worker makes one within a minute, if it runs and can read audit.key", "")
	}
	head.Note = counts.Checkpoint.Note
	head.Checkpoint, _, err = audit.Open(head.Note, nil)
	return head, err
}

// VerifyRecord verifies the audit record, from its rows up.
func (v *Viewer) VerifyRecord(ctx context.Context, o audit.Options) (report *audit.Report, err error) {
	err = v.Ledger.ReadRecord(ctx, func(s audit.Source) (err error) {
		report, err = audit.Verify(ctx, s, o)
		return err
	})
	return report, err
}

// ExportRecord writes the audit record and its log to files: see audit.Export.
func (v *Viewer) ExportRecord(ctx context.Context, create func(name string) (io.WriteCloser, error)) (leaves int64, err error) {
	begun := false
	err = v.Ledger.ReadRecord(ctx, func(s audit.Source) (err error) {
		if begun { // the files are there already
			return errors.New("the connection broke meanwhile: export again, into another folder")
		}
		begun = true
		leaves, err = audit.Export(ctx, s, create)
		return err
	})
	return leaves, err
}

// RowsOf says which rows of the audit record are exported, and how.
type RowsOf struct {
	Format   export.Format
	From, To int64  // the first and the last leaf
	Origin   string // name of the log
	Version  string // of the product
}

// RowsExported says what was exported.
type RowsExported struct {
	Leaves   int64 `json:"leaves"`
	Messages int64 `json:"messages"`
	Tampered int64 `json:"tampered"` // rows that are not what their leaves say, or not there
}

// rowsAtOnce is the number of rows that are in memory at once.
const rowsAtOnce = 250

// ExportRows writes rows of the audit record for other systems, one message a line, in the order of
// the log's leaves.
func (v *Viewer) ExportRows(ctx context.Context, o RowsOf, w io.Writer) (done RowsExported, err error) {
	begun := false
	err = v.Ledger.ReadRecord(ctx, func(s audit.Source) error {
		if begun { // some rows are written already
			return errors.New("the connection broke meanwhile: export again")
		}
		begun = true
		out := bufio.NewWriter(w)
		for o.From <= o.To {
			entries, err := s.Entries(ctx, o.From-1, int(min(rowsAtOnce-1, o.To-o.From)+1))
			if err != nil || len(entries) == 0 {
				return errors.Join(err, out.Flush())
			}
			for _, e := range entries {
				if e.N != o.From {
					return fmt.Errorf("the log has no leaf %d: verify the record (tenure audit verify)", o.From)
				}
				if err := done.write(out, o.Format.Render(export.Of(o.Origin, e), o.Version)); err != nil {
					return err
				}
				o.From++
			}
		}
		return out.Flush()
	})
	return done, err
}

// write writes the messages of a row.
func (r *RowsExported) write(w io.Writer, messages []export.Message) error {
	for _, m := range messages {
		if _, err := w.Write(append(m.Text, '\n')); err != nil {
			return err
		}
		r.Messages++
	}
	r.Leaves++
	if messages[0].Alarm {
		r.Tampered++
	}
	return nil
}

// LogRestart is what a restart of the audit record's log means.
type LogRestart struct {
	audit.Restart
	Origin string // of the log from then on
}

// RestartOfLog says what RestartLog would do.
func (v *Viewer) RestartOfLog(ctx context.Context, origin string, known *audit.Checkpoint) (LogRestart, error) {
	report, err := v.VerifyRecord(ctx, audit.Options{Origin: origin})
	if err != nil {
		return LogRestart{}, err
	}
	r := LogRestart{Restart: audit.Restart{Epoch: report.Epochs + 1, Size: report.Leaves}, Origin: audit.Origin(origin, report.Epochs+1)}
	if known == nil {
		return r, nil
	}
	if known.Origin != audit.Origin(origin, report.Epochs) {
		return LogRestart{}, refuse(fmt.Sprintf("the checkpoint is of the log %s, and this one is %s", known.Origin, audit.Origin(origin, report.Epochs)), "")
	}
	r.Lost, r.Root = known.Size, fmt.Sprintf("%x", known.Root[:])
	return r, nil
}

// RestartLog begins a new epoch of the audit record's log, after the ledger was restored from a
// backup. Known is the newest checkpoint of the log so far that is known outside, if any: the
// record says then up to where it lost something.
func (o *Operator) RestartLog(ctx context.Context, r Request, origin string, known *audit.Checkpoint) (LogRestart, error) {
	if err := RestartLog.Check(r); err != nil {
		return LogRestart{}, err
	}
	if _, err := o.RestartOfLog(ctx, origin, known); err != nil {
		return LogRestart{}, err
	}
	restart, err := o.ledger.RestartLog(ctx, ledger.LogRestart{Operator: r.Actor, Reason: r.Reason, At: o.Clock.Now(), Known: known})
	return LogRestart{Restart: restart, Origin: audit.Origin(origin, restart.Epoch)}, err
}
