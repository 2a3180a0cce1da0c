package group

import (
	"context"
	"slices"
	"sync"

	"github.com/segmentio/kafka-go"
)

// inbox holds a few records that were fetched and are not begun with, so that
// fetching and handling overlap, and records can be handled many at a time. One
// goroutine puts, another takes.
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
