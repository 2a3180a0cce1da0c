package relational

import (
	"context"
	"fmt"
	"time"

	"github.com/tenurehq/tenure/ledger"
)

// TakeLease implements ledger.Leases.
func (s *Store) TakeLease(ctx context.Context, name, holder string, term time.Duration) (ledger.Lease, bool, error) {
	if name == "" || holder == "" || term <= 0 || term > ledger.LongestLease {
		return ledger.Lease{}, false, fmt.Errorf("%w: a lease %q of holder %q for %s", ledger.ErrRefused, name, holder, term)
	}
	var l ledger.Lease
	held := false
	err := s.write(ctx, func(t *Tx) error {
		l = ledger.Lease{Name: name}
		var ends int64
		// An upsert also locks a row that exists.
		_, err := t.get(`INSERT INTO leases (name, holder, fence, ends_at) VALUES (?, '', 0, 0)
			ON CONFLICT (name) DO UPDATE SET fence = leases.fence RETURNING holder, fence, ends_at`,
			[]any{name}, &l.Holder, &l.Fence, &ends)
		if err != nil {
			return err
		}
		now, err := t.clock()
		if err != nil {
			return err
		}
		l.Left = time.Duration(ends - now)
		// A lease that ends later than one can be given was given before the clock was set back.
		if held = l.Holder == holder || l.Left <= 0 || l.Left > ledger.LongestLease; !held {
			return nil
		}
		if l.Holder != holder {
			l.Holder = holder
			l.Fence++
		}
		l.Left = term
		return t.exec(`UPDATE leases SET holder = ?, fence = ?, ends_at = ? WHERE name = ?`, holder, l.Fence, now+int64(term), name)
	})
	if err != nil {
		return ledger.Lease{}, false, err
	}
	return l, held, nil
}

// DropLease implements ledger.Leases.
func (s *Store) DropLease(ctx context.Context, l ledger.Lease) error {
	return s.write(ctx, func(t *Tx) error {
		return t.exec(`UPDATE leases SET ends_at = 0 WHERE name = ? AND holder = ? AND fence = ?`, l.Name, l.Holder, l.Fence)
	})
}

// Leases implements ledger.Leases.
func (s *Store) Leases(ctx context.Context) ([]ledger.Lease, error) {
	type row struct {
		ledger.Lease
		ends moment
	}
	rows, err := list(ctx, s.engine, `SELECT name, holder, fence, ends_at, `+s.dialect.now()+` FROM leases ORDER BY name`, nil,
		func(r *row) []any { return []any{&r.Name, &r.Holder, &r.Fence, &r.ends.nanos, &r.ends.now} })
	if err != nil {
		return nil, s.explain(err)
	}
	var leases []ledger.Lease
	for _, r := range rows {
		r.Left = r.ends.left()
		leases = append(leases, r.Lease)
	}
	return leases, nil
}

// holds returns ErrLeaseLost if the lease has another holder by now. Otherwise nobody else
// can take it before the transaction ends. Every method that writes under a lease begins
// with holds. What it reads meanwhile, for later, takes no round trip of its own.
func (t *Tx) holds(l ledger.Lease, meanwhile ...func() error) error {
	var found bool
	err := t.later(`SELECT 1 FROM leases WHERE name = ? AND holder = ? AND fence = ?`+t.dialect.Lock,
		[]any{l.Name, l.Holder, l.Fence}, &found, new(int))
	for _, read := range meanwhile {
		if err == nil {
			err = read()
		}
	}
	if err == nil {
		err = t.flush()
	}
	if err == nil && !found {
		err = ledger.ErrLeaseLost
	}
	return err
}
