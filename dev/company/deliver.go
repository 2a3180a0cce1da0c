package company

import (
	"cmp"
	"slices"

	"github.com/tenurehq/tenure/hr"
)

// deliver puts events in the order in which they arrive, some of them twice.
func (s *simulation) deliver(events []hr.Event) []hr.Event {
	type delivery struct {
		place float64
		event hr.Event
	}
	// How far an event may stray: far enough to pass others of the same person in a
	// company of any size.
	reach := max(10, float64(len(events))/4)
	deliveries := make([]delivery, 0, len(events))
	for i, e := range events {
		place := float64(i)
		if s.chance(s.opts.Disorder) {
			place += (2*s.rand.Float64() - 1) * reach
		}
		deliveries = append(deliveries, delivery{place, e})
		if s.chance(s.opts.Duplicates) {
			deliveries = append(deliveries, delivery{place + s.rand.Float64()*reach, e})
		}
	}
	slices.SortStableFunc(deliveries, func(a, b delivery) int { return cmp.Compare(a.place, b.place) })
	order := make([]hr.Event, len(deliveries))
	for i, d := range deliveries {
		order[i] = d.event
	}
	return order
}
