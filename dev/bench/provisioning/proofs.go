package provisioning

import (
	"context"
	"fmt"
	"time"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
)

// look is how often the ledger is looked at, which workers use at the same time.
const look = 250 * time.Millisecond

// Proofs follows what is done, by the record of a ledger.
type Proofs struct {
	Ledger ledger.Ledger
	// Stall is how long nothing may happen.
	Stall time.Duration
	// Alive returns an error if one of the processes that do it has ended.
	Alive func() error

	row int64 // of the record, up to which it was read
}

// Settle waits until everything is proven of this many events that were published since the ledger
// was made. It returns how many steps that took since the last time, and when the last was proven.
func (p *Proofs) Settle(ctx context.Context, events int) (steps int, last time.Time, err error) {
	moved, seen := time.Now(), p.row
	for {
		rows, err := p.Ledger.Audit(ctx, "", seen, ledger.PageSize)
		if err != nil {
			return 0, last, err
		}
		switch {
		case len(rows) > 0:
			moved, seen = time.Now(), rows[len(rows)-1].Seq
		case time.Since(moved) > 2*look:
			done, why, err := p.rests(ctx, events)
			if err != nil {
				return 0, last, err
			}
			if done {
				return p.count(ctx)
			}
			if time.Since(moved) > p.Stall {
				return 0, last, fmt.Errorf("nothing has happened for %s: %s", p.Stall, why)
			}
		}
		if err := p.Alive(); err != nil {
			return 0, last, err
		}
		select {
		case <-ctx.Done():
			return 0, last, ctx.Err()
		case <-time.After(look):
		}
	}
}

// count reads the record again from where it began: on PostgreSQL, a row may be committed after one
// that has a later number.
func (p *Proofs) count(ctx context.Context) (steps int, last time.Time, err error) {
	for {
		rows, err := p.Ledger.Audit(ctx, "", p.row, ledger.PageSize)
		if err != nil || len(rows) == 0 {
			return steps, last, err
		}
		for _, r := range rows {
			p.row = r.Seq
			if _, change := r.Detail[ledger.DetailHas]; change {
				steps++
				if r.At.After(last) {
					last = r.At
				}
			}
		}
	}
}

// rests reports whether nothing is left to do, or why not.
func (p *Proofs) rests(ctx context.Context, told int) (done bool, why string, err error) {
	events := 0
	for _, err := range ledger.AllEvents(ctx, p.Ledger, ledger.EventFilter{}) {
		if err != nil {
			return false, "", err
		}
		events++
	}
	if events < told {
		return false, fmt.Sprintf("the starter has taken in %d of %d events", events, told), nil
	}
	for s, err := range ledger.AllPeople(ctx, p.Ledger, "") {
		if err != nil {
			return false, "", err
		}
		if !s.DueAt.IsZero() || s.Seen < s.LastSeq || s.Status != hr.StatusActive && s.Status != hr.StatusEnded {
			return false, fmt.Sprintf("something is due for %s (%s)", s.PersonID, s.DueWhat), nil
		}
	}
	for s, err := range ledger.AllSteps(ctx, p.Ledger, ledger.StepFilter{States: []ledger.StepState{ledger.StepOpen, ledger.StepAttention}}) {
		if err != nil {
			return false, "", err
		}
		if s.State == ledger.StepAttention {
			return false, "", fmt.Errorf("%s of %s needs an operator: %s: %s", s.Kind, s.PersonID, s.Code, s.Message)
		}
		return false, fmt.Sprintf("%s of %s is open", s.Kind, s.PersonID), nil
	}
	return true, "", nil
}
