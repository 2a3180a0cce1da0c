package provision

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/tenurehq/tenure/ledger"
)

// readTime bounds one reading of a person. It goes on if one of those who wait for it gives up.
const readTime = 20 * time.Second

// reads lets steps of a person that begin at the same moment share one reading of the person. A
// reading is shared only by those who asked before it began, so that everybody sees at least what
// a reading of their own would have shown: all that was committed when they asked, their own
// intent included if they have one already.
type reads struct {
	mu      sync.Mutex
	waiting map[string]*reading // by person: the reading that has not begun
	serving map[string]bool     // by person: readings are made
}

// reading is one reading of a person; what it holds is complete when done is closed.
type reading struct {
	done   chan struct{}
	person ledger.Person
	err    error
}

// person reads a person, whom the caller may change.
func (r *reads) person(ctx context.Context, l ledger.Work, id string) (ledger.Person, error) {
	mine := r.join(ctx, l, id)
	select {
	case <-mine.done:
		return own(mine.person), mine.err
	case <-ctx.Done():
		return ledger.Person{}, ctx.Err()
	}
}

// join returns the next reading of a person that begins.
func (r *reads) join(ctx context.Context, l ledger.Work, id string) *reading {
	r.mu.Lock()
	defer r.mu.Unlock()
	next, ok := r.waiting[id]
	if ok {
		return next
	}
	if r.waiting == nil {
		r.waiting, r.serving = map[string]*reading{}, map[string]bool{}
	}
	next = &reading{done: make(chan struct{})}
	r.waiting[id] = next
	if !r.serving[id] {
		r.serving[id] = true
		go r.serve(context.WithoutCancel(ctx), l, id)
	}
	return next
}

// serve makes one reading after the other, until nobody waits for one.
func (r *reads) serve(ctx context.Context, l ledger.Work, id string) {
	for next := r.begin(id); next != nil; next = r.begin(id) {
		next.read(ctx, l, id)
	}
}

// begin returns the reading that begins now: from here on nobody joins it. It is nil if nobody
// waits.
func (r *reads) begin(id string) *reading {
	r.mu.Lock()
	defer r.mu.Unlock()
	next := r.waiting[id]
	delete(r.waiting, id)
	if next == nil {
		delete(r.serving, id)
	}
	return next
}

func (n *reading) read(ctx context.Context, l ledger.Work, id string) {
	defer close(n.done)
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	n.person, n.err = l.Person(ctx, id)
}

// own returns a person whose lists no other reader has. What they point to nobody changes.
func own(p ledger.Person) ledger.Person {
	p.Waits = maps.Clone(p.Waits)
	p.Events, p.Links, p.Steps = slices.Clone(p.Events), slices.Clone(p.Links), slices.Clone(p.Steps)
	p.Waivers, p.Letters, p.Tasks = slices.Clone(p.Waivers), slices.Clone(p.Letters), slices.Clone(p.Tasks)
	p.Withdrawals, p.Holds, p.Retentions = slices.Clone(p.Withdrawals), slices.Clone(p.Holds), slices.Clone(p.Retentions)
	p.Approvals, p.Exceptions, p.Earlier = slices.Clone(p.Approvals), slices.Clone(p.Exceptions), slices.Clone(p.Earlier)
	p.ManagerAccounts = maps.Clone(p.ManagerAccounts)
	return p
}
