package pace

import (
	"context"
	"errors"
	"math"
	"sync"
	"time"
)

type urgentKey struct{}

// Urgent returns a context whose calls go before all others that wait for their turns in
// this process. They keep to the rate, and to pauses up to UrgentPatience.
func Urgent(ctx context.Context) context.Context { return context.WithValue(ctx, urgentKey{}, true) }

type patienceKey struct{}

// Patient returns a context whose calls keep pauses up to longest, however long a pause the
// app asks for.
func Patient(ctx context.Context, longest time.Duration) context.Context {
	return context.WithValue(ctx, patienceKey{}, longest)
}

// patience returns the longest pause that the calls of a context keep.
func patience(ctx context.Context) time.Duration {
	longest, bounded := ctx.Value(patienceKey{}).(time.Duration)
	switch {
	case isUrgent(ctx):
		return UrgentPatience
	case bounded:
		return longest
	}
	return math.MaxInt64
}

func isUrgent(ctx context.Context) bool {
	urgent, _ := ctx.Value(urgentKey{}).(bool)
	return urgent
}

// errGiveWay ends the wait of a call whose turn it was, so that an urgent call goes first.
var errGiveWay = errors.New("pace: an urgent call goes first")

// haste counts the urgent calls that wait.
type haste struct {
	mu      sync.Mutex
	waiting int
	calm    chan struct{} // closed while no urgent call waits
	rush    chan struct{} // closed while an urgent call waits
}

func newHaste() *haste {
	h := &haste{calm: make(chan struct{}), rush: make(chan struct{})}
	close(h.calm)
	return h
}

// begin counts an urgent call as waiting until end is called.
func (h *haste) begin() (end func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.waiting++; h.waiting == 1 {
		close(h.rush)
		h.calm = make(chan struct{})
	}
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.waiting--; h.waiting == 0 {
			close(h.calm)
			h.rush = make(chan struct{})
		}
	}
}

// rushed returns a channel that is closed when an urgent call waits.
func (h *haste) rushed() <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.rush
}

// calmed returns a channel that is closed when no urgent call waits.
func (h *haste) calmed() <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.calm
}
