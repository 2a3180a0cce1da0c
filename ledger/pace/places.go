package pace

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Class decides who is let in first when several wait for a place.
type Class int

// The classes, the one that is let in last first.
const (
	Giving  Class = iota // somebody gets access
	Taking               // somebody's access ends
	Cutting              // somebody is cut off now
)

// Claim decides the position of somebody who waits for a place.
type Claim struct {
	Class Class
	Since time.Time // since when they have wanted a place; they may have given up and come back
}

// Places bound how many steps of this process call one app at a time. Of those who
// wait, the highest class is let in first, and within it who has waited for longest. A
// fifth of the places, if there are several, is kept for those who have to be cut off
// now, so that they need not wait for others that hang. Its methods may be called from
// any goroutine.
type Places struct {
	most, common int // how many there are, and how many of them anybody may have
	ending       <-chan struct{}
	took         prometheus.Observer
	queued       prometheus.Gauge

	mu          sync.Mutex
	taken       int
	takenCommon int
	queue       []*waiter // whose turn is next first
}

// waiter is somebody who waits for a place.
type waiter struct {
	Claim
	in chan struct{} // closed when they have one
}

// NewPlaces returns so many places in an app, at least one. When ctx ends, the process is
// about to stop, and nobody waits any more.
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

// Enter takes a place as soon as there is one, until leave is called. It reports whether
// there was one before ctx ended. A nil Places bounds nothing.
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

// line puts somebody into the queue, and lets in whoever may come in.
func (p *Places) line(c Claim) *waiter {
	p.mu.Lock()
	defer p.mu.Unlock()
	w := &waiter{Claim: c, in: make(chan struct{})}
	at, _ := slices.BinarySearchFunc(p.queue, w, func(other, w *waiter) int {
		// Who is equal stays before who comes.
		return cmp.Or(-cmp.Compare(other.Class, w.Class), other.Since.Compare(w.Since), -1)
	})
	p.queue = slices.Insert(p.queue, at, w)
	p.admit()
	return w
}

// giveUp takes somebody out of the queue, and reports whether they were in it still.
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

// admit lets in from the front of the queue who may come in. The caller holds mu.
func (p *Places) admit() {
	for len(p.queue) > 0 && p.taken < p.most {
		next := p.queue[0]
		if next.Class != Cutting {
			if p.takenCommon == p.common {
				return // nor may anybody behind
			}
			p.takenCommon++
		}
		p.taken++
		close(next.in)
		p.queue = slices.Delete(p.queue, 0, 1)
	}
}
