package operator

import (
	"context"
	"maps"
	"slices"
	"time"

	"golang.org/x/time/rate"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
)

// Replayed describes somebody whom replayed events concern.
type Replayed struct {
	PersonID string
	Events   map[hr.EventType]int // the number of events of each type
	Last     time.Time            // when the last of them was received
}

// Replayable lists the people with events that match the filter and, unless it is nil,
// wanted. It changes nothing.
func (v *Viewer) Replayable(ctx context.Context, f ledger.EventFilter, wanted func(hr.Event) bool) ([]Replayed, error) {
	if f.PersonID != "" {
		if _, err := v.Person(ctx, f.PersonID); err != nil {
			return nil, err
		}
	}
	people := map[string]Replayed{}
	for e, err := range ledger.AllEvents(ctx, v.Ledger, f) {
		if err != nil {
			return nil, err
		}
		if wanted != nil && !wanted(e.Event) {
			continue
		}
		p, ok := people[e.Event.PersonID]
		if !ok {
			p = Replayed{PersonID: e.Event.PersonID, Events: map[hr.EventType]int{}}
		}
		p.Events[e.Event.Type]++
		p.Last = e.At
		people[p.PersonID] = p
	}
	found := []Replayed{}
	for _, id := range slices.Sorted(maps.Keys(people)) {
		found = append(found, people[id])
	}
	return found, nil
}

// Replay has the runs of people look at the ledger once more, at most perSecond people a
// second, and returns how many were told. It decides nothing, so it needs no Request. A
// run that finds nothing different calls no app.
func (o *Operator) Replay(ctx context.Context, people []string, perSecond rate.Limit, p Progress) (told int, err error) {
	if err := o.Ready(ctx); err != nil {
		return 0, err
	}
	limit := rate.NewLimiter(perSecond, 1)
	for _, id := range people {
		if err := limit.Wait(ctx); err != nil {
			return told, err
		}
		if err := o.runs.Resume(ctx, id, "replayed by an operator"); err != nil {
			return told, err
		}
		told++
		p.add(1)
	}
	return told, nil
}
