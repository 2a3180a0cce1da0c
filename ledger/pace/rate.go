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

// answer is how long the ledger may take to answer without the calls that it gave being lost.
const answer = 50 * time.Millisecond

// schedule spreads calls so that no span of Rate.Per has more than Rate.Calls, wherever the
// span begins, as the app sees it. A call arrives after its turn: it was saved or kept, the
// process was busy, or the way was long. So turns are a little farther apart than the rate
// says: a tenth more time is allowed for, and a call that would be later than that is not
// made in its turn.
type schedule struct {
	every time.Duration // from one call to the next
	chunk int           // calls reserved at once
	saved time.Duration // see ledger.CallReservation
	fresh time.Duration // how long after its turn a call may be made
	way   time.Duration // how long it may be on its way to the app
}

func (r Rate) schedule() schedule {
	late := r.Per / 10
	s := schedule{way: min(late/4, time.Second)}
	s.every = (r.Per + late + time.Duration(r.Calls-1)) / time.Duration(r.Calls) // rounded up
	s.chunk = max(1, min(int(late/s.every)/2, int(chunkSpan/s.every)))
	s.fresh = late - s.way
	// All calls that are reserved at once are fresh for long enough to be made.
	s.saved = max(0, s.fresh-answer-time.Duration(s.chunk)*s.every)
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
