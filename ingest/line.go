package ingest

import (
	"time"

	"github.com/tenurehq/tenure/ledger"
)

// strangerPatience is how long people whose manager nobody has heard of let others go first:
// the manager may be further back in a topic that is being read.
const strangerPatience = 15 * time.Second

// line is the order in which people have their turn. First come, first served, but managers
// go before their reports: an account that is made before the manager's has to be changed
// when theirs is there.
//
// Nobody waits without end. A chain of managers who wait is followed to its top, who may go,
// or whose manager is at work for a bounded time. If it leads in a circle, one of the circle
// goes. It is not safe for concurrent use.
type line struct {
	waits map[string]*entry
	order []*entry        // by when they came; those who have left are removed now and then
	left  map[string]bool // who was in the line before
}

type entry struct {
	ledger.Place
	came time.Time // into this line
	left bool
}

func newLine() *line {
	return &line{waits: map[string]*entry{}, left: map[string]bool{}}
}

// len returns how many people wait.
func (l *line) len() int { return len(l.waits) }

// put adds people to the end, and notes what is new of those who are in the line.
func (l *line) put(now time.Time, places ...ledger.Place) {
	for _, p := range places {
		if e := l.waits[p.PersonID]; e != nil {
			e.Place = p
			continue
		}
		e := &entry{Place: p, came: now}
		l.waits[p.PersonID] = e
		l.order = append(l.order, e)
	}
}

// leave removes people.
func (l *line) leave(people ...string) {
	for _, id := range people {
		if e := l.waits[id]; e != nil {
			e.left = true
			delete(l.waits, id)
			l.left[id] = true
		}
	}
	if len(l.waits) == 0 {
		*l = *newLine()
		return
	}
	if len(l.order) < 2*len(l.waits) {
		return
	}
	still := l.order[:0]
	for _, e := range l.order {
		if !e.left {
			still = append(still, e)
		}
	}
	clear(l.order[len(still):])
	l.order = still
}

// last puts people at the end of the line.
func (l *line) last(people ...string) {
	for _, id := range people {
		if e := l.waits[id]; e != nil {
			e.left = true // their old place
			moved := &entry{Place: e.Place, came: e.came}
			l.waits[id] = moved
			l.order = append(l.order, moved)
		}
	}
}

// keep removes everybody who is not among people.
func (l *line) keep(people map[string]bool) {
	var gone []string
	for id := range l.waits {
		if !people[id] {
			gone = append(gone, id)
		}
	}
	l.leave(gone...)
}

// next returns who has their turn now, at most n people, and leaves them in the line. AtWork
// reports whether somebody's accounts may be in the making.
func (l *line) next(now time.Time, n int, atWork func(person string) bool) []string {
	picked := map[*entry]bool{}
	var chosen []string
	pick := func(e *entry) {
		picked[e] = true
		chosen = append(chosen, e.PersonID)
	}
	for _, e := range l.order {
		if len(chosen) >= n {
			return chosen
		}
		if e.left || picked[e] {
			continue
		}
		top := l.top(e, picked)
		switch {
		case top == nil || atWork(top.ManagerID) && top.ManagerID != top.PersonID:
		case l.isStranger(top) && now.Sub(top.came) < strangerPatience:
		default:
			pick(top)
		}
	}
	return chosen
}

// top returns the person at the top of the chain of managers in the line that begins with e.
// If it is a circle, that is somebody in it. It returns nil if one of them was picked.
func (l *line) top(e *entry, picked map[*entry]bool) *entry {
	var met map[*entry]bool
	for {
		manager := l.waits[e.ManagerID]
		switch {
		case manager == nil || manager == e:
			return e
		case picked[manager]:
			return nil
		case met[manager]:
			return manager
		}
		if met == nil {
			met = map[*entry]bool{}
		}
		met[e] = true
		e = manager
	}
}

// isStranger reports whether the manager of somebody at the top of a chain is nobody whom the
// ledger has assessed, or who was in the line.
func (l *line) isStranger(e *entry) bool {
	return e.ManagerID != "" && !e.Known && !l.left[e.ManagerID] && l.waits[e.ManagerID] == nil
}
