package ingest

import (
	"context"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
)

// countsFor is how long (real time) a person who is at work counts as open work. An app that
// is away for a day, and whoever waits for it, must not keep others from their turn.
const countsFor = 5 * time.Minute

// looksEvery is how often the gate asks the ledger when there was no room.
const looksEvery = 250 * time.Millisecond

// gate decides of which events Temporal is told at once, and which of them wait for their
// person's turn. As long as few people are at work (a tenth of those to whom it is to read
// ahead) and nobody waits, all pass: a stream that is no flood never sees a line. Then there
// is one, from which the turnstile fills up the rest, because only a line has an order.
//
// It asks the ledger once for a good many events, so that it costs next to nothing. What
// several starters let pass in the meantime may be somewhat more than that.
type gate struct {
	ahead int
	turns ledger.Turns
	clock clock.Clock

	mu     sync.Mutex
	room   int       // events that may pass before the ledger is asked again
	spare  int       // ... that came by a webhook
	looked time.Time // when it was last asked
}

// waits reports whether an event is to wait, and whether it is to wait only if nothing can be
// taken from its person yet. What may take access from somebody, or gives it back, waits in that
// case only, and what an operator sends again never does. What HR says by a webhook, just now, has
// room of its own: it does not wait behind a first import.
func (g *gate) waits(ctx context.Context, m kafka.Message, redriveOf ledger.Position, e hr.Event) (waits, ifNew bool) {
	switch {
	case g == nil || redriveOf != (ledger.Position{}):
		return false, false
	case e.Previous != "": // else the accounts of the old ID would end before anybody knows of the new one
		return false, false
	case g.presses(e):
		return false, true
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	live := cameByWebhook(m)
	if g.pass(live) {
		return false, false
	}
	if time.Since(g.looked) < looksEvery {
		return true, false
	}
	if g.look(ctx) != nil {
		return false, false // the event has to wait for the ledger anyway
	}
	return !g.pass(live), false
}

// presses reports whether an event may take access from somebody by now, or gives it back: also one
// that gives another end of the employment, or another list of jobs.
func (g *gate) presses(e hr.Event) bool {
	if e.EndsAccess() || e.Type == hr.EventReinstated || e.Additional != nil {
		return true
	}
	soon := hr.DateOf(g.clock.Now().UTC()).AddDays(soonDays)
	return e.Type != hr.EventHired && e.Profile != nil && !e.Profile.EndDate.IsZero() && e.Profile.EndDate.Compare(soon) <= 0
}

// soonDays is how many days ahead an end of employment is close: a line may be hours long, and a
// day begins earlier elsewhere.
const soonDays = 2

// pass uses up room for one event, if there is some.
func (g *gate) pass(live bool) bool {
	switch {
	case g.room > 0:
		g.room--
	case live && g.spare > 0:
		g.spare--
	default:
		return false
	}
	return true
}

// lookWithin bounds a look: meanwhile, all events that may have to wait stand still.
const lookWithin = 5 * time.Second

// look asks the ledger how much room there is.
func (g *gate) look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	atWork, err := g.turns.AtWork(ctx, workSince(g.clock), 2*g.ahead)
	if err != nil {
		return err
	}
	first, err := g.turns.Line(ctx, 0, 1)
	if err != nil {
		return err
	}
	g.looked = time.Now()
	few := max(1, g.ahead/10)
	g.room, g.spare = few-len(atWork), min(few, 2*g.ahead-len(atWork))
	if len(first) > 0 {
		g.room = 0
	}
	return nil
}

// workSince returns since when somebody must have been told to count as open work.
func workSince(c clock.Clock) time.Time { return c.Now().Add(-c.Span(countsFor)) }

// cameByWebhook reports whether the webhook intake wrote a message.
func cameByWebhook(m kafka.Message) bool {
	for _, h := range m.Headers {
		if h.Key == headerEndpoint {
			return true
		}
	}
	return false
}
