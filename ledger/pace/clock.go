package pace

import "time"

// drift is how many seconds it takes two clocks at least to differ by one second more.
const drift = 1000

// storeClock tells when it is a time of the ledger's clock by the clock of this process. An
// answer says what time it was somewhere between question and answer, so that only bounds
// are known. Each further answer may narrow them.
type storeClock struct {
	begun       time.Time     // the process's time is the time since then, which nobody can set
	answers     int           // that agree
	at          time.Duration // when the bounds were known
	least, most time.Duration // the process's time less that of the ledger
}

// learn is told that the ledger's clock showed now between question and answer.
func (c *storeClock) learn(now, asked, answered time.Time) {
	at, store := answered.Sub(c.begun), time.Duration(now.UnixNano())
	least, most := asked.Sub(c.begun)-store, at-store
	c.answers++
	if c.answers > 1 {
		apart := (at - c.at) / drift
		// If they exclude each other, a clock was set, and only the answer tells.
		if narrow, wide := max(least, c.least-apart), min(most, c.most+apart); narrow <= wide {
			least, most = narrow, wide
		} else {
			c.answers = 1
		}
	}
	c.at, c.least, c.most = at, least, most
}

// enough answers are nearly as good as any more.
const enough = 5

// when returns the process's time at which it is certainly that time by the ledger's clock,
// and for how long it may have been so by then. Where answers always take long, that is said to be
// no longer than tolerated once there were enough, since no call could be made otherwise.
func (c *storeClock) when(at time.Time, tolerated time.Duration) (certain time.Time, unsure time.Duration) {
	if unsure = c.most - c.least; c.answers >= enough {
		unsure = min(unsure, tolerated)
	}
	return c.begun.Add(time.Duration(at.UnixNano()) + c.most), unsure
}
