package scim

import (
	"sync"
	"time"
)

const (
	// trust is how long a deviation is believed before the service is asked again as RFC
	// 7644 has it. One that is met again then is believed on.
	trust = time.Hour
	// groupless is how long a service is believed to have no /Groups, which takes more from
	// people than any other belief.
	groupless = 10 * time.Minute
	// apart is how far apart two answers are by which a service is believed to have no
	// /Groups: what a proxy answers for a moment is no trait.
	apart = time.Minute
)

// deviation is something in which a service does not do as RFC 7644 has it, found out by
// its answers. One answer proves nothing: a proxy may have given it. It is believed when
// it was met twice with no answer to the contrary between, until there is one, or until
// trust has passed. The zero value is one that was never met.
type deviation struct {
	mu          sync.Mutex
	times       int
	first, last time.Time // of the answers that showed it, since the last one to the contrary
}

// met notes an answer that shows the deviation.
func (d *deviation) met(now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.times == 0 {
		d.first = now
	}
	d.times++
	d.last = now
}

// refuted notes an answer to the contrary.
func (d *deviation) refuted() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.times = 0
}

// settle notes an answer that shows the deviation or, if not, one to the contrary.
func (d *deviation) settle(now time.Time, shown bool) {
	if shown {
		d.met(now)
		return
	}
	d.refuted()
}

// holds reports whether the deviation is believed now.
func (d *deviation) holds(now time.Time) bool { return d.held(now, trust, 0) }

// held reports whether the deviation was met at least twice, that far apart, and for the
// last time within so long a time.
func (d *deviation) held(now time.Time, within, apart time.Duration) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.times > 1 && now.Sub(d.last) < within && d.last.Sub(d.first) >= apart
}

// seen reports whether the deviation was met, and nothing to the contrary since.
func (d *deviation) seen() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.times > 0
}

// confirmed notes that the service itself tells of the deviation, which is as good as two
// answers that are that far apart.
func (d *deviation) confirmed(now time.Time, apart time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.times, d.first, d.last = 2, now.Add(-apart), now
}
