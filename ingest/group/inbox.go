package group

import (
	"context"
	"slices"
	"sync"

	"github.com/segmentio/kafka-go"
)

// inbox holds a few records between fetching and the window, so that fetching and
// handling overlap, and many records are sifted at a time. One goroutine puts, another
// takes.
type inbox struct {
	limit int
	some  chan struct{} // has a value when there may be records; room for one
	room  chan struct{} // has a value when there may be room; room for one

	mu      sync.Mutex
	records []kafka.Message
}

func newInbox(limit int) *inbox {
	return &inbox{limit: limit, some: make(chan struct{}, 1), room: make(chan struct{}, 1)}
}

// put adds a record. It waits while the inbox is full.
func (b *inbox) put(ctx context.Context, m kafka.Message) error {
	for !b.tryPut(m) {
		select {
		case <-b.room:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	notify(b.some)
	return nil
}

func (b *inbox) tryPut(m kafka.Message) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.records) >= b.limit {
		return false
	}
	b.records = append(b.records, m)
	return true
}

// take removes the first n records, or as many as there are.
func (b *inbox) take(n int) []kafka.Message {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer notify(b.room)
	if n >= len(b.records) {
		taken := b.records
		b.records = nil
		return taken
	}
	taken := slices.Clone(b.records[:n])
	b.records = slices.Delete(b.records, 0, n)
	notify(b.some)
	return taken
}

// notify leaves a value in a channel that has room for one.
func notify(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// budget bounds the bytes of the records that all partitions together hold. Windows bound
// only the number of records, and records may be large.
type budget struct {
	mu    sync.Mutex
	free  int64         // may be negative: see allowance.take
	freed chan struct{} // is closed when bytes come back; nil while nobody waits
}

func newBudget(bytes int64) *budget { return &budget{free: bytes} }

// allowance is the share of the budget that one partition holds.
type allowance struct {
	of   *budget
	held int64 // guarded by of.mu
}

// take waits until n bytes are free. A partition that holds nothing does not wait: it
// goes on, one record at a time, whatever the other partitions hold.
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

// try takes n bytes, or returns a channel that is closed when it is worth trying again.
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

// sizeOf returns how many bytes a record counts for.
func sizeOf(m kafka.Message) int64 {
	n := len(m.Key) + len(m.Value)
	for _, h := range m.Headers {
		n += len(h.Key) + len(h.Value)
	}
	return int64(n)
}
