package ingest

import (
	"context"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/workflows"
)

// Turns is what the ledger knows of the line of people who wait for their turn.
type Turns interface {
	ledger.Turns
	TakeLease(ctx context.Context, name, holder string, term time.Duration) (ledger.Lease, bool, error)
	DropLease(ctx context.Context, l ledger.Lease) error
}

const (
	turnLease   = "turns"
	leaseTerm   = 10 * time.Second
	turnPage    = 1000            // people read from the line at once
	turnBatch   = 100             // people whose turn it is at once
	noteFor     = 5 * time.Second // how long the ledger may take when the process ends
	longestLine = 50_000          // people of whom the turnstile knows; the ledger has the others
)

// turnstile tells Temporal of the people who wait for their turn, as the work that is under
// way leaves room for them. Of several starters, the one with the lease does so.
//
// Temporal is told first, and the ledger then notes it. After a crash between the two,
// somebody is told again, which has no effect.
type turnstile struct {
	ahead    int // 0: no limit
	turns    Turns
	holder   string
	clock    clock.Clock
	log      *zap.Logger
	metrics  *metrics
	ledger   *dependency
	temporal *dependency
	nudger   Nudger
	paces    TurnPaces
	wake     chan struct{} // has room for one

	line    *line
	refused bool      // another starter has the lease
	counted time.Time // when the line was last counted
	waiting int       // how many waited then
	cursor  int64     // the line was read up to this event
	read    time.Time // when it was last read from the beginning
	lease   ledger.Lease
	until   time.Time // when the lease has to be prolonged; zero: there is none
}

// TurnPaces says how often the line is looked at.
type TurnPaces struct {
	Idle  time.Duration // while nobody waits, or another starter has the lease; default 2s
	Busy  time.Duration // while somebody waits; default 100ms
	Again time.Duration // how often the line is read from its beginning; default 30s
	Tell  time.Duration // how long Temporal may take to be told of those whose turn it is; default 10s
}

// joined tells the turnstile that somebody has joined the line.
func (s *turnstile) joined() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// run lets people have their turn until ctx is done.
func (s *turnstile) run(ctx context.Context) {
	s.line = newLine()
	defer s.drop(ctx)
	for {
		busy := s.round(ctx)
		after, wake := s.paces.Idle, s.wake
		switch {
		case busy:
			after, wake = s.paces.Busy, nil
		case s.refused: // whoever has the lease sees who joins
			wake = nil
		}
		timer := time.NewTimer(after)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		case <-wake:
			timer.Stop()
		}
	}
}

// round lets as many people have their turn as there is room for. It reports whether there
// may be more to do soon.
func (s *turnstile) round(ctx context.Context) (busy bool) {
	if time.Since(s.counted) >= s.paces.Again || s.line.len() == 0 {
		if s.measure(ctx) != nil || s.waiting == 0 {
			return false
		}
	}
	if s.refused = !s.hold(ctx); s.refused {
		s.line = newLine() // what is known of it ages
		s.metrics.atWork.Set(0)
		return false
	}
	if s.look(ctx) != nil || s.line.len() == 0 {
		return false
	}
	atWork, err := s.atWork(ctx)
	if err != nil {
		return true
	}
	room := turnBatch
	if s.ahead > 0 {
		room = min(room, s.ahead-len(atWork))
	}
	if room > 0 {
		s.let(ctx, s.line.next(time.Now(), room, func(person string) bool { return atWork[person] }))
	}
	return s.line.len() > 0
}

// look reads who has joined the line, and now and then the whole of it: numbers of events are
// not always recorded in their order.
func (s *turnstile) look(ctx context.Context) error {
	whole := s.line.len() == 0 || time.Since(s.read) >= s.paces.Again
	seen := map[string]bool{}
	if whole {
		s.cursor, s.read = 0, time.Now()
	}
	for s.line.len() < longestLine || whole && len(seen) < longestLine {
		var page []ledger.Place
		err := s.ledger.call(ctx, func(ctx context.Context) (err error) {
			page, err = s.turns.Line(ctx, s.cursor, turnPage)
			return err
		})
		if err != nil {
			return err
		}
		for _, p := range page {
			s.cursor = p.LastSeq
			seen[p.PersonID] = true
		}
		s.line.put(time.Now(), page...)
		if len(page) < turnPage {
			break
		}
	}
	if whole {
		s.line.keep(seen)
	}
	return nil
}

// measure counts the line, also for the metrics.
func (s *turnstile) measure(ctx context.Context) error {
	return s.ledger.call(ctx, func(ctx context.Context) error {
		b, err := s.turns.Backlog(ctx)
		if err != nil {
			return err
		}
		s.counted, s.waiting = time.Now(), b.People
		s.metrics.backlog(b, s.clock.Now())
		return nil
	})
}

// hold reports whether this starter lets people have their turn, and takes or prolongs the
// lease if need be.
func (s *turnstile) hold(ctx context.Context) bool {
	if time.Now().Before(s.until) {
		return true
	}
	asked, held := time.Now(), false
	err := s.ledger.call(ctx, func(ctx context.Context) (err error) {
		asked = time.Now()
		s.lease, held, err = s.turns.TakeLease(ctx, turnLease, s.holder, leaseTerm)
		return err
	})
	s.until = time.Time{}
	if err == nil && held {
		s.until = asked.Add(leaseTerm / 2)
	}
	return err == nil && held
}

// drop lets another starter have the lease at once.
func (s *turnstile) drop(ctx context.Context) {
	if s.until.IsZero() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = s.turns.DropLease(ctx, s.lease) // otherwise it ends by itself
}

// atWork returns who is at work.
func (s *turnstile) atWork(ctx context.Context) (map[string]bool, error) {
	people := map[string]bool{}
	err := s.ledger.call(ctx, func(ctx context.Context) error {
		all, err := s.turns.AtWork(ctx, workSince(s.clock), max(2*s.ahead, turnPage))
		for _, p := range all {
			people[p.PersonID] = true
		}
		return err
	})
	s.metrics.atWork.Set(float64(len(people)))
	return people, err
}

// let tells Temporal of people, and the ledger that it was told.
func (s *turnstile) let(ctx context.Context, people []string) {
	if len(people) == 0 {
		return
	}
	var turns []ledger.Turn
	err := s.ledger.call(ctx, func(ctx context.Context) (err error) {
		turns, err = s.turns.Turns(ctx, people)
		return err
	})
	if err != nil {
		return
	}
	for _, person := range people {
		if !slices.ContainsFunc(turns, func(t ledger.Turn) bool { return t.PersonID == person }) {
			s.line.leave(person) // an assessment has taken their turn
		}
	}
	// Nobody keeps the others waiting.
	within, cancel := context.WithTimeout(ctx, s.paces.Tell)
	var nudges sync.WaitGroup
	failed := make([]error, len(turns))
	for i, t := range turns {
		nudges.Go(func() {
			failed[i] = s.temporal.pass(within, "", func(ctx context.Context) error { return s.nudger.Nudge(ctx, nudgeForTurn(t)) })
		})
	}
	nudges.Wait()
	cancel()
	somebody := slices.Contains(failed, nil)
	var told []ledger.Turn
	for i, t := range turns {
		switch {
		case failed[i] == nil:
			s.log.Info("delivered in its turn", zap.String("person", t.PersonID), zap.String("type", string(t.First.Type)),
				zap.String("source", t.LastKey.Source), zap.String("event", t.LastKey.ID), zap.Int64("seq", t.LastSeq))
		case ctx.Err() != nil:
			continue
		case !somebody: // Temporal may be away: others are tried first, and they keep a place
			s.line.last(t.PersonID)
			continue
		default: // they are due: the sweeper tries too
			s.log.Error("a person's run cannot be told of what is recorded while others can: the sweeper will do it",
				zap.String("person", t.PersonID), zap.Int64("seq", t.LastSeq), zap.Error(failed[i]))
		}
		told = append(told, t)
	}
	if len(told) == 0 {
		if i := slices.IndexFunc(failed, func(err error) bool { return err != nil }); i >= 0 && ctx.Err() == nil {
			s.log.Warn("nobody's run can be told of what is recorded: they wait on", zap.Int("people", len(turns)), zap.Error(failed[i]))
		}
		return
	}
	// What Temporal was told is noted even if the process ends, so that others are not told instead.
	noting, done := context.WithTimeout(context.WithoutCancel(ctx), noteFor)
	defer done()
	if ctx.Err() == nil {
		noting = ctx
	}
	if s.ledger.call(noting, func(ctx context.Context) error { return s.turns.TakeTurns(ctx, told, s.clock.Now()) }) == nil {
		for _, t := range told {
			s.line.leave(t.PersonID) // those of whom something was recorded meanwhile are read again
		}
	}
}

// nudgeForTurn returns the nudge for what a person waits for. It has the request ID of the
// last event, since whoever was told of that one knows all of them.
func nudgeForTurn(t ledger.Turn) workflows.Nudge {
	n := NudgeFor(t.First, t.LastSeq)
	if t.First.Type == "" {
		n.Why = "an event that was erased since"
	}
	n.PersonID = t.PersonID
	n.RequestID = requestID(t.LastKey)
	return n
}
