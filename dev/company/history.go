package company

import "github.com/tenurehq/tenure/hr"

// History is a company's history: what is told of it, and what is true.
type History struct {
	// Events holds what HR tells, in the order of delivery, with repetitions.
	Events []hr.Event

	lives []*life // by person ID
}

// Generate makes up the history of a company.
func Generate(o Options) *History {
	s := simulate(o.withDefaults())
	s.makeMistakes()
	h := &History{Events: s.deliver(s.events())}
	for _, p := range s.people {
		h.lives = append(h.lives, &p.life)
	}
	return h
}
