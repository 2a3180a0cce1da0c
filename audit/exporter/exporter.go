// Package exporter sends the audit record to other systems, in the order of the leaves of its
// log, and each row at least once. Each place has an exporter of its own, so that one that is
// away holds up no other. Of all processes that run it, the one with the lease of the place
// does so.
package exporter

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/tenurehq/tenure/audit"
	"github.com/tenurehq/tenure/audit/export"
	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/internal/backoff"
	"github.com/tenurehq/tenure/ledger"
)

// Sink takes messages somewhere outside.
type Sink interface {
	// Send hands over messages in their order, and returns when they are where they
	// belong. After an error some of them may be there; the same ones come again, and perhaps
	// more after them.
	Send(ctx context.Context, messages []export.Message) error
}

// Ledger is the part of a ledger that an Exporter needs.
type Ledger interface {
	ledger.Log
	ledger.Leases
}

// Exporter sends the record to one place.
type Exporter struct {
	Ledger  Ledger
	Origin  string // name of the log
	Place   string // its name, by which the ledger knows how far it has got
	Format  export.Format
	Version string // of the product
	Sink    Sink
	Every   time.Duration // pause between two looks for new leaves
	Clock   clock.Clock
	Log     *zap.Logger
	Failed  func(place string) // called for each failure; may be nil

	holding ledger.Holding
	next    int64 // the leaf that is sent next; read anew with each new hold on the lease
}

// term is for how long the lease is taken. After a crash, another process has to wait for so
// long before it goes on.
const term = time.Minute

// sendWithin bounds how long a place may take for one batch: less than term by enough that the
// lease is still held afterwards.
const sendWithin = 30 * time.Second

// leavesAtOnce is the number of leaves that are sent and recorded together.
const leavesAtOnce = 250

// patiently holds the pauses after failures.
var patiently = backoff.Range{Min: time.Second, Max: time.Minute}

// Run exports until ctx ends. It never fails: what fails is tried again.
func (e *Exporter) Run(ctx context.Context) {
	defer e.holding.Leave(ctx)
	pauses, failing := patiently.Start(), ""
	for {
		pause := e.Every
		err := e.Step(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			pauses, failing = patiently.Start(), ""
		default:
			pause = max(pause, pauses.Next())
			if err.Error() != failing { // once, however often it is tried
				failing = err.Error()
				e.Log.Warn("the audit record is not exported to a place; it is tried again", zap.String("place", e.Place), zap.Error(err))
			}
		}
		if backoff.Sleep(ctx, pause) != nil {
			return
		}
	}
}

// Step sends all that the place has not got, if this process has the lease or can take it.
func (e *Exporter) Step(ctx context.Context) error {
	held, err := e.take(ctx)
	if err != nil || !held {
		return err
	}
	for more := true; more && err == nil; {
		more, err = e.send(ctx)
	}
	if errors.Is(err, ledger.ErrLeaseLost) {
		e.holding.Lose() // another goes on
		err = nil
	}
	return err
}

// take takes or prolongs the lease, and reads how far the place has got if it was not held.
func (e *Exporter) take(ctx context.Context) (held bool, err error) {
	if e.holding.Leases == nil {
		e.holding = ledger.Holding{Leases: e.Ledger, Name: ledger.LeaseExport(e.Place), Term: term}
	}
	held, anew, err := e.holding.Take(ctx)
	if err != nil || !anew {
		return held, err
	}
	exports, err := e.Ledger.Exports(ctx)
	if err != nil {
		e.holding.Lose() // it is read with the next hold
		return false, err
	}
	e.next = 0
	for _, x := range exports {
		if x.Place == e.Place {
			e.next = x.Size
		}
	}
	return true, nil
}

// send sends some leaves, and reports whether there may be more.
func (e *Exporter) send(ctx context.Context) (more bool, err error) {
	if e.holding.Old() {
		if held, err := e.take(ctx); err != nil || !held {
			return false, err
		}
	}
	entries, err := e.entries(ctx)
	if err != nil || len(entries) == 0 {
		return false, err
	}
	var messages []export.Message
	for i, entry := range entries {
		if entry.N != e.next+int64(i) {
			return false, fmt.Errorf("the log has no leaf %d: verify the record (tenure audit verify)", e.next+int64(i))
		}
		messages = append(messages, e.Format.Render(export.Of(e.Origin, entry), e.Version)...)
	}
	sending, cancel := context.WithTimeout(ctx, sendWithin)
	defer cancel()
	if err := e.Sink.Send(sending, messages); err != nil {
		if e.Failed != nil && ctx.Err() == nil {
			e.Failed(e.Place)
		}
		return false, err
	}
	next := e.next + int64(len(entries))
	if err := e.Ledger.SaveExported(ctx, e.holding.Lease(), ledger.Exported{Place: e.Place, Size: next, At: e.Clock.Now()}); err != nil {
		return false, err
	}
	e.next = next
	return len(entries) == leavesAtOnce, nil
}

// entries reads the leaves that come next, with their rows.
func (e *Exporter) entries(ctx context.Context) (entries []audit.Entry, err error) {
	err = e.Ledger.ReadRecord(ctx, func(s audit.Source) (err error) {
		entries, err = s.Entries(ctx, e.next-1, leavesAtOnce)
		return err
	})
	return entries, err
}
