package group

import (
	"context"
	"sync"

	"github.com/segmentio/kafka-go"
)

// budget bounds how many bytes of records all partitions together hold: their
// windows bound the number of records, and records may be large.
type budget struct {
	mu    sync.Mutex
	free  int64         // may be negative: see allowance.take
	freed chan struct{} // closed when some bytes come back; nil while nobody waits
}

func newBudget(bytes int64) *budget { return &budget{free: bytes} }

// allowance is the share of the budget that one partition holds.
type allowance struct {
	of   *budget
	held int64 // guarded by of.mu
}

// take waits until n bytes are free. A partition that holds nothing does not
// wait: whatever keeps the others' records, it goes on, one record at a time.
func (a *allowance) take(ctx context.Context, n int64) error {
	for {
		freed := a.try(n)
		if freed == nil {
			return nil
		}
		select {
		case <-freed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// try takes n bytes, or returns what is closed when it is worth trying again.
func (a *allowance) try(n int64) (freed <-chan struct{}) {
	a.of.mu.Lock()
	defer a.of.mu.Unlock()
	if a.held == 0 || n <= a.of.free {
		a.held += n
		a.of.free -= n
		return nil
	}
	if a.of.freed == nil {
		a.of.freed = make(chan struct{})
	}
	return a.of.freed
}

// give returns n bytes.
func (a *allowance) give(n int64) {
	a.of.mu.Lock()
	defer a.of.mu.Unlock()
	a.giveLocked(n)
}

// giveAll returns all that the partition holds.
func (a *allowance) giveAll() {
	a.of.mu.Lock()
	defer a.of.mu.Unlock()
	a.giveLocked(a.held)
}

func (a *allowance) giveLocked(n int64) {
	a.held -= n
	a.of.free += n
	if a.of.freed != nil {
		close(a.of.freed)
		a.of.freed = nil
	}
}

// sizeOf is how many bytes a record counts for.
func sizeOf(m kafka.Message) int64 {
	n := len(m.Key) + len(m.Value)
	for _, h := range m.Headers {
		n += len(h.Key) + len(h.Value)
	}
	return int64(n)
}
