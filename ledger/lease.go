package ledger

import (
	"context"
	"errors"
	"time"
)

// ErrLeaseLost is returned for a lease that another holder has taken meanwhile. Its former
// holder has to stop.
var ErrLeaseLost = errors.New("ledger: another process holds the lease meanwhile")

// LongestLease is the longest time for which a lease is given at once.
const LongestLease = 10 * time.Minute

// Leases see to it that one process at a time does what must not be done by two, such as
// sending notices. It uses the store's own clock, so that the clocks of the processes need
// not agree.
//
// A process that is slow may believe that it still holds a lease that has ended. So whatever
// the holder writes goes to a method of the ledger that takes the Lease: it writes only if
// nobody has taken the lease since, and otherwise returns ErrLeaseLost.
type Leases interface {
	// TakeLease takes or prolongs a lease, for a term from now on, and reports whether
	// the holder has it. Otherwise it returns the lease of whoever has. A term is above zero
	// and at most LongestLease.
	// A holder has a name that no other process ever uses.
	TakeLease(ctx context.Context, name, holder string, term time.Duration) (l Lease, held bool, err error)
	// DropLease ends a lease, so that another holder need not wait. If another holder has it
	// meanwhile, nothing changes.
	DropLease(ctx context.Context, l Lease) error
	// Leases returns all leases that were ever taken, by name.
	Leases(ctx context.Context) ([]Lease, error)
}

// Lease is the right of one process to do something alone.
type Lease struct {
	Name   string
	Holder string
	// Fence grows whenever the lease gets another holder.
	Fence int64
	// Left is the time after which another holder may take the lease; zero or less if one
	// may now.
	Left time.Duration
}
