package pace

import "time"

// Rate is a number of calls in a span of time. The zero value sets no limit.
type Rate struct {
	Calls int
	Per   time.Duration
}

// chunkSpan is how long the calls that are taken from the ledger at once should
// last: the ledger is written to about this often, by all workers together.
const chunkSpan = 50 * time.Millisecond

// schedule spreads calls so that no span of Rate.Per, wherever it
// begins, has more than Rate.Calls: as many calls as may come at once, for an app
// that was left alone, are missing from the even flow.
type schedule struct {
	every time.Duration // from one call to the next
	chunk int           // calls taken at once
	saved time.Duration // see ledger.CallReservation
	keep  time.Duration // how long a call that was taken may wait to be made
}

func (r Rate) schedule() schedule {
	burst := max(1, r.Calls/10)
	s := schedule{chunk: 1}
	s.every = (r.Per + time.Duration(r.Calls-burst)) / time.Duration(r.Calls-burst+1) // rounded up
	if most := burst / 2; most > 1 {
		s.chunk = min(most, max(1, int(chunkSpan/s.every)))
	}
	// Calls that are kept come at once too.
	if s.chunk > 1 {
		s.keep = time.Duration(s.chunk) * s.every
	}
	s.saved = time.Duration(burst-1)*s.every - s.keep
	return s
}

const (
	// latency is how slow an app's answers may be for one worker alone to use up
	// the rate.
	latency = 2 * time.Second
	// maxSlots bounds the steps under way for one app in one worker.
	maxSlots = 100
	// callsOfStep is more than any step's calls, and manyWorkers more workers than
	// usually share a rate.
	callsOfStep, manyWorkers = 12, 6
)

// Slots returns how many steps for the app should be under way at a time in one
// worker: enough to use up the rate and no more, since they all wait for it.
func (r Rate) Slots() int {
	return min(maxSlots, max(1, int(latency/r.schedule().every)))
}

// Wait returns how long the calls of one step may have to wait for their turns if all
// workers have as many steps under way as Slots returns.
func (r Rate) Wait() time.Duration {
	return time.Duration(r.Slots()*callsOfStep*manyWorkers) * r.schedule().every
}
