package operator

import (
	"context"
	"maps"
	"time"

	"github.com/tenurehq/tenure/ledger"
)

// seenAgain is how many of the last audit rows a Follower reads again. If several
// processes write at once, as they can with PostgreSQL, a row may become visible after
// rows with higher numbers.
const seenAgain = 1000

// Follower reads the audit record as it grows.
type Follower struct {
	ledger   ledger.Reader
	personID string
	since    time.Time
	start    int64          // the row after which it begins
	seq      int64          // the last row that was seen
	seen     map[int64]bool // by number: the last rows that were seen
	begun    bool           // what was done since the instant is read
}

// FollowFrom returns a Follower of everything that was done at or after an instant, and
// of what is done from now on, to one person or (empty) to everybody. What was done until now
// comes in the order of time.
func FollowFrom(l ledger.Reader, personID string, since time.Time) *Follower {
	return &Follower{ledger: l, personID: personID, since: since, seen: map[int64]bool{}}
}

// FollowAfter returns a Follower of the audit rows after the given one, of one person or
// (empty) of everybody.
func FollowAfter(l ledger.Reader, personID string, seq int64) *Follower {
	return &Follower{ledger: l, personID: personID, start: seq, seq: seq, seen: map[int64]bool{}}
}

// Each calls f with each row that it has not been called with before.
func (w *Follower) Each(ctx context.Context, f func(ledger.AuditRow) error) error {
	if err := w.begin(ctx, f); err != nil {
		return err
	}
	for r, err := range ledger.AllAudit(ctx, w.ledger, w.personID, max(w.start, w.seq-seenAgain)) {
		if err != nil {
			return err
		}
		w.seq = max(w.seq, r.Seq)
		if w.seen[r.Seq] {
			continue
		}
		w.seen[r.Seq] = true
		if r.At.Before(w.since) {
			continue
		}
		if err := f(r); err != nil {
			return err
		}
		if len(w.seen) > 2*seenAgain {
			w.forget()
		}
	}
	w.forget()
	return nil
}

// begin calls f with what was done to everybody since the instant. It reads the record by time:
// its beginning may be long ago. One person's part of it is short.
func (w *Follower) begin(ctx context.Context, f func(ledger.AuditRow) error) error {
	if w.begun || w.personID != "" || w.since.IsZero() {
		return nil
	}
	end, err := AuditEnd(ctx, w.ledger)
	if err != nil {
		return err
	}
	for r, err := range ledger.AllAuditSince(ctx, w.ledger, w.since) {
		if err != nil {
			return err
		}
		if r.Seq > end-seenAgain {
			w.seen[r.Seq] = true // it is read again by number
		}
		if err := f(r); err != nil {
			return err
		}
	}
	w.begun, w.seq = true, end
	return nil
}

// forget removes from seen the rows that are not read again.
func (w *Follower) forget() {
	maps.DeleteFunc(w.seen, func(seq int64, _ bool) bool { return seq <= w.seq-seenAgain })
}

// AuditEnd returns the sequence number of the last row of the audit record. It is found
// by halving: the record may be long.
func AuditEnd(ctx context.Context, l ledger.Reader) (int64, error) {
	beyond := func(seq int64) (bool, error) {
		rows, err := l.Audit(ctx, "", seq, 1)
		return len(rows) > 0, err
	}
	low, high := int64(0), int64(1)
	for {
		more, err := beyond(high)
		if err != nil {
			return 0, err
		}
		if !more {
			break
		}
		low, high = high, 2*high
	}
	for low < high {
		middle := low + (high-low)/2
		more, err := beyond(middle)
		if err != nil {
			return 0, err
		}
		if more {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low, nil
}

// auditBefore returns a sequence number after which the rows of the audit record are those of
// an instant and later. It is found by halving, as in AuditEnd.
func auditBefore(ctx context.Context, l ledger.Reader, at time.Time) (int64, error) {
	high, err := AuditEnd(ctx, l)
	if err != nil {
		return 0, err
	}
	low := int64(0)
	for low < high {
		middle := low + (high-low)/2
		rows, err := l.Audit(ctx, "", middle, 1)
		if err != nil {
			return 0, err
		}
		if len(rows) > 0 && rows[0].At.Before(at) {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low, nil
}
