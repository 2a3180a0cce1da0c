package company

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/tenurehq/tenure/hr"
)

// simulation is a company while its days go by.
type simulation struct {
	opts    Options
	rand    *rand.Rand
	today   hr.Date
	people  []*person            // by ID
	members map[string][]*person // of a department, by when they came
	heads   map[string]*person   // of a department
	agenda  map[hr.Date][]func() // what is going to happen
	numbers map[string]bool      // phone numbers that somebody has, or has had
}

// person is somebody in a running simulation.
type person struct {
	life
	place *place
	// job is the present employment; nil while they have none.
	job *employment
	// floor is the instant before which HR cannot have said anything more of them.
	floor time.Time
	told  []*statement // in the order in which it is true
}

// simulate lets everybody live from the first day to the last.
func simulate(o Options) *simulation {
	s := &simulation{
		opts:    o,
		rand:    rand.New(rand.NewPCG(o.Seed, 0)), //nolint:gosec // equal seeds make equal companies
		members: make(map[string][]*person),
		heads:   make(map[string]*person),
		agenda:  make(map[hr.Date][]func()),
		numbers: make(map[string]bool),
	}
	starts := s.firstDays()
	for i, first := range starts {
		p := &person{life: life{id: personID(i)}, place: pick(s.rand, places)}
		s.people = append(s.people, p)
		switch {
		case first.Compare(o.Start) < 0:
			s.today = first
			s.arrive(p)
		case first.Compare(o.end()) < 0:
			s.on(first, func() { s.arrive(p) })
		}
	}
	for s.today = o.Start; s.today.Compare(o.end()) < 0; s.today = s.today.AddDays(1) {
		for _, happen := range s.agenda[s.today] {
			happen()
		}
		for _, p := range s.people {
			s.live(p)
		}
	}
	for i, first := range starts { // those who are hired and come only later
		if first.Compare(o.end()) >= 0 {
			s.today = first
			s.arrive(s.people[i])
		}
	}
	return s
}

// firstDays draws the day on which each person is hired to start, in order: many
// before the simulation, the others during it, and those who are pending after.
func (s *simulation) firstDays() []hr.Date {
	const founders, years = 0.6, 5
	days := make([]hr.Date, s.opts.People)
	for i := range days {
		switch drawn := s.rand.Float64(); {
		case drawn < s.opts.Pending:
			days[i] = s.opts.end().AddDays(s.rand.IntN(30))
		case drawn < s.opts.Pending+(1-s.opts.Pending)*founders:
			days[i] = s.opts.Start.AddDays(-1 - s.rand.IntN(years*365))
		default:
			days[i] = s.opts.Start.AddDays(s.rand.IntN(s.opts.Days))
		}
	}
	slices.SortFunc(days, hr.Date.Compare)
	return days
}

// arrive is a first day, or what was announced as one.
func (s *simulation) arrive(p *person) {
	if s.chance(s.opts.Rescinds / 5) {
		s.neverWas(p)
		return
	}
	s.hire(p)
}

// on puts something on the agenda. What lies after the end does not happen.
func (s *simulation) on(day hr.Date, happen func()) {
	s.agenda[day] = append(s.agenda[day], happen)
}

// during puts something on the agenda that happens only if the person still has
// the same job then.
func (s *simulation) during(p *person, day hr.Date, happen func()) {
	job := p.job
	s.on(day, func() {
		if p.job == job {
			happen()
		}
	})
}

// yearly are the things that happen to people at work, and how often in a year.
var yearly = []struct {
	rate   float64
	happen func(*simulation, *person)
}{
	{0.35, (*simulation).move},
	{0.25, (*simulation).promote},
	{0.08, (*simulation).rename},
	{0.10, (*simulation).changePhone},
	{0.12, (*simulation).takeLeave},
	{0.15, (*simulation).resign},
	{0.04, (*simulation).dismiss},
	{0.03, (*simulation).suspend},
}

// live is one day of a person's life.
func (s *simulation) live(p *person) {
	if p.job == nil || p.job.first == s.today || p.onLeave() {
		return
	}
	drawn := s.rand.Float64() * 365 / s.opts.Pace
	for _, event := range yearly {
		if drawn < event.rate {
			event.happen(s, p)
			return
		}
		drawn -= event.rate
	}
}

func (p *person) onLeave() bool {
	n := len(p.job.absences)
	return n > 0 && p.job.absences[n-1].back.IsZero()
}

// change makes a new fact that holds from today on, and returns HR's event about it.
func (s *simulation) change(p *person, kind hr.EventType, edit func(*hr.Profile)) *statement {
	profile := p.job.latest().profile
	edit(&profile)
	if last := p.job.latest(); last.from == s.today {
		last.profile = profile // a second change on one day
	} else {
		p.job.facts = append(p.job.facts, fact{s.today, profile})
	}
	return s.tell(p, kind, ahead(14, 20), func(e *hr.Event) { e.Profile = &profile })
}

func pick[T any](r *rand.Rand, list []T) *T { return &list[r.IntN(len(list))] }
