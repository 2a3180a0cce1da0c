package pace

import "time"

// Rate is a number of calls in a span of time. The zero value sets no limit.
type Rate struct {
	Calls int
	Per   time.Duration
}

// chunkSpan is how long calls that are reserved at once should last. All workers together
// write to the ledger about this often.
const chunkSpan = 50 * time.Millisecond

// schedule spreads calls so that no span of Rate.Per has more than Rate.Calls, wherever the
// span begins. Some calls may come at once after a time without calls. The even flow has so
// many calls fewer.
type schedule struct {
	every time.Duration // from one call to the next
	chunk int           // calls reserved at once
	saved time.Duration // see ledger.CallReservation
	keep  time.Duration // how long a reserved call may wait to be made
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
	// latency is the slowest answer of an app with which one worker alone still uses up the
	// rate.
	latency = 2 * time.Second
	// maxSlots bounds how many steps one worker runs at a time for one app.
	maxSlots = 100
	// callsOfStep is more than any step's calls, and manyWorkers more workers than
	// usually share a rate.
	callsOfStep, manyWorkers = 12, 6
)

// Slots returns how many steps one worker should run at a time for the app: enough to use up
// the rate, and no more, since all of them wait for it.
func (r Rate) Slots() int {
	return min(maxSlots, max(1, int(latency/r.schedule().every)))
}

// Wait returns how long the calls of one step may have to wait for their turns if every
// worker runs as many steps as Slots returns.
func (r Rate) Wait() time.Duration {
	return time.Duration(r.Slots()*callsOfStep*manyWorkers) * r.schedule().every
}
