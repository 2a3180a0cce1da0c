package ledger

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// Holding is the hold of one process on a lease: it takes the lease, prolongs it and gives it back.
// It is not safe for concurrent use.
type Holding struct {
	Leases Leases
	Name   string
	Term   time.Duration // for how long the lease is taken; after a crash, others wait for so long

	holder string
	lease  Lease
	taken  time.Time
}

// Take takes or prolongs the lease, and reports whether this process has it. Anew reports that it has
// not had it all the time since the last Take, so that nothing that it knows of before needs hold.
func (h *Holding) Take(ctx context.Context) (held, anew bool, err error) {
	if h.holder == "" {
		h.holder = uuid.NewString()
	}
	lease, held, err := h.Leases.TakeLease(ctx, h.Name, h.holder, h.Term)
	if err != nil {
		return false, false, err
	}
	if !held {
		h.Lose()
		return false, false, nil
	}
	anew = lease.Fence != h.lease.Fence
	h.lease, h.taken = lease, time.Now()
	return true, anew, nil
}

// Lease returns the lease as it was taken last; one without a name if it is not held.
func (h *Holding) Lease() Lease { return h.lease }

// Old reports whether it is time to prolong the lease: a quarter of its term has passed.
func (h *Holding) Old() bool { return time.Since(h.taken) > h.Term/4 }

// Lose forgets the lease, after the ledger has said ErrLeaseLost.
func (h *Holding) Lose() { h.lease, h.taken = Lease{}, time.Time{} }

// Leave gives the lease back, so that another process can go on at once. It may be called after ctx has
// ended.
func (h *Holding) Leave(ctx context.Context) {
	if h.lease.Name == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = h.Leases.DropLease(ctx, h.lease) // it ends by itself
	h.Lose()
}
