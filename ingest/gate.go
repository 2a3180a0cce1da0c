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
// person's turn. It lets events pass until so many people are at work as it is to read ahead,
// or others wait: then there is a line.
//
// It asks the ledger once for a good many events, so that a stream that is no flood costs
// next to nothing more. What several starters let pass in the meantime may be somewhat more
// than the limit.
type gate struct {
	ahead int
	turns ledger.Turns
	clock clock.Clock

	mu     sync.Mutex
	room   int       // events that may pass before the ledger is asked again
	spare  int       // ... that came by a webhook
	looked time.Time // when it was last asked
}

// waits reports whether an event is to wait. What may take access from somebody never does,
// nor what an operator sends again. What HR says by a webhook, just now, has room of its
// own, as large again: it does not wait behind a first import.
func (g *gate) waits(ctx context.Context, m kafka.Message, r ledger.Position, e hr.Event) bool {
	if g == nil || e.EndsAccess() || r != (ledger.Position{}) {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	live := cameByWebhook(m)
	if g.pass(live) {
		return false
	}
	if time.Since(g.looked) < looksEvery {
		return true
	}
	if g.look(ctx) != nil {
		return false // the event has to wait for the ledger anyway
	}
	return !g.pass(live)
}

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

// look asks the ledger how much room there is.
func (g *gate) look(ctx context.Context) error {
	atWork, err := g.turns.AtWork(ctx, workSince(g.clock), 2*g.ahead)
	if err != nil {
		return err
	}
	first, err := g.turns.Line(ctx, 0, 1)
	if err != nil {
		return err
	}
	g.looked = time.Now()
	share := max(1, g.ahead/4)
	g.room, g.spare = min(share, g.ahead-len(atWork)), min(share, 2*g.ahead-len(atWork))
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
