package pace

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Class decides which step gets a place first when several wait.
type Class int

// The classes, the least urgent one first.
const (
	Giving  Class = iota // somebody gets access
	Taking               // somebody's access ends
	Cutting              // somebody is cut off now
)

// Claim decides the position of a step that waits for a place.
type Claim struct {
	Class Class
	Since time.Time // since when it has wanted a place; it may have given up and come back
}

// Places bounds how many steps of this process call one app at a time. Among waiting steps,
// the highest class goes first, and within a class the one that has waited longest. If there
// are several places, a fifth of them is reserved for steps that cut somebody off now
// (Cutting), so that these need not wait for steps that hang. Its methods may be called from
// any goroutine.
type Places struct {
	most, common int // how many there are, and how many of them are for every class
	ending       <-chan struct{}
	took         prometheus.Observer
	queued       prometheus.Gauge

	mu          sync.Mutex
	taken       int
	takenCommon int
	queue       []*waiter // the next one first
}

// waiter is a step that waits for a place.
type waiter struct {
	Claim
	in chan struct{} // closed when it has one
}

// NewPlaces returns the places of an app: as many as most says, and at least one. When ctx
// ends, the process is about to stop, and no step waits any more.
func NewPlaces(ctx context.Context, app string, most int, m *Metrics) *Places {
	most = max(most, 1)
	kept := 0
	if most > 1 {
		kept = max(most/5, 1)
	}
	return &Places{
		most: most, common: most - kept, ending: ctx.Done(),
		took: m.placed.WithLabelValues(app), queued: m.queued.WithLabelValues(app),
	}
}

// Enter waits for a place and takes it until leave is called. It returns false if ctx ended
// before there was one. A nil Places has no bound.
func (p *Places) Enter(ctx context.Context, c Claim) (leave func(), ok bool) {
	if p == nil {
		return func() {}, true
	}
	begun := time.Now()
	defer func() { p.took.Observe(time.Since(begun).Seconds()) }()
	w := p.line(c)
	select {
	case <-w.in:
	default:
		p.queued.Inc()
		defer p.queued.Dec()
		select {
		case <-w.in:
		case <-ctx.Done():
		case <-p.ending:
		}
		if p.giveUp(w) {
			return nil, false
		}
	}
	return func() { p.leave(c.Class) }, true
}

// line puts a step into the queue, and then admits all steps that may enter.
func (p *Places) line(c Claim) *waiter {
	p.mu.Lock()
	defer p.mu.Unlock()
	w := &waiter{Claim: c, in: make(chan struct{})}
	at, _ := slices.BinarySearchFunc(p.queue, w, func(other, w *waiter) int {
		// Equal steps stay in the order in which they came.
		return cmp.Or(-cmp.Compare(other.Class, w.Class), other.Since.Compare(w.Since), -1)
	})
	p.queue = slices.Insert(p.queue, at, w)
	p.admit()
	return w
}

// giveUp takes a step out of the queue, and reports whether it was still in it.
func (p *Places) giveUp(w *waiter) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := slices.Index(p.queue, w)
	if at < 0 {
		return false
	}
	p.queue = slices.Delete(p.queue, at, at+1)
	return true
}

func (p *Places) leave(class Class) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken--
	if class != Cutting {
		p.takenCommon--
	}
	p.admit()
}

// admit gives places to steps from the front of the queue. The caller holds mu.
func (p *Places) admit() {
	for len(p.queue) > 0 && p.taken < p.most {
		next := p.queue[0]
		if next.Class != Cutting {
			if p.takenCommon == p.common {
				return // nor may any step behind it
			}
			p.takenCommon++
		}
		p.taken++
		close(next.in)
		p.queue = slices.Delete(p.queue, 0, 1)
	}
}
