package ingest

import (
	"context"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
)

// turnsOnly has another name than its method.
type turnsOnly = ledger.Turns

// full is a ledger in which as many people are at work as may be.
type full struct{ turnsOnly }

func (full) AtWork(context.Context, time.Time, int) ([]ledger.Told, error) {
	return make([]ledger.Told, 100), nil
}

func (full) Line(context.Context, int64, int) ([]ledger.Place, error) {
	return make([]ledger.Place, 1), nil
}

// Whatever may take access, or gives it back, is told of at once, however many are at work.
func TestWhatPressesDoesNotWait(t *testing.T) {
	now := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	g := &gate{ahead: 10, turns: full{}, clock: clock.Func(func() time.Time { return now })}
	today := hr.DateOf(now)
	ending := func(d hr.Date) *hr.Profile { return &hr.Profile{EndDate: d} }
	const passes, waits, unlessNew = "passes", "waits", "waits only if it is new"
	for name, c := range map[string]struct {
		event hr.Event
		want  string
	}{
		"somebody joins":                        {hr.Event{Type: hr.EventHired}, waits},
		"... for a time that is over":           {hr.Event{Type: hr.EventHired, Profile: ending(today.AddDays(-9))}, waits},
		"... and had another ID":                {hr.Event{Type: hr.EventHired, Previous: "old"}, passes},
		"somebody moves":                        {hr.Event{Type: hr.EventTransferred, Profile: &hr.Profile{}}, waits},
		"somebody's contract ends next year":    {hr.Event{Type: hr.EventUpdated, Profile: ending(today.AddDays(300))}, waits},
		"it has ended":                          {hr.Event{Type: hr.EventUpdated, Profile: ending(today.AddDays(-1))}, unlessNew},
		"it ends tomorrow":                      {hr.Event{Type: hr.EventConverted, Profile: ending(today.AddDays(1))}, unlessNew},
		"somebody leaves":                       {hr.Event{Type: hr.EventTerminated}, unlessNew},
		"somebody is suspended":                 {hr.Event{Type: hr.EventSuspended}, unlessNew},
		"somebody is let in again":              {hr.Event{Type: hr.EventReinstated}, unlessNew},
		"a list of jobs, in which one may lack": {hr.Event{Type: hr.EventUpdated, Additional: &hr.AdditionalJobs{Whole: true}}, unlessNew},
	} {
		t.Run(name, func(t *testing.T) {
			isTo, ifNew := g.waits(t.Context(), kafka.Message{}, ledger.Position{}, c.event)
			got := passes
			if isTo {
				got = waits
			} else if ifNew {
				got = unlessNew
			}
			assert.Equal(t, c.want, got)
		})
	}
}

// stuck is a ledger that does not answer who is at work.
type stuck struct {
	turnsOnly
	asked chan struct{}
}

func (s stuck) AtWork(ctx context.Context, _ time.Time, _ int) ([]ledger.Told, error) {
	deadline, bounded := ctx.Deadline()
	if !bounded || time.Until(deadline) > lookWithin {
		panic("a look has no bound")
	}
	close(s.asked)
	<-ctx.Done()
	return nil, ctx.Err()
}

// While the ledger does not answer, a termination does not wait for it.
func TestATerminationPassesALedgerThatHangs(t *testing.T) {
	s := stuck{asked: make(chan struct{})}
	g := &gate{ahead: 10, turns: s, clock: clock.Real()}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go g.waits(ctx, kafka.Message{}, ledger.Position{}, hr.Event{Type: hr.EventHired})
	<-s.asked
	waits, _ := g.waits(t.Context(), kafka.Message{}, ledger.Position{}, hr.Event{Type: hr.EventTerminated})
	require.False(t, waits)
}
