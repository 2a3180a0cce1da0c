package company

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/tenurehq/tenure/hr"
)

// statement is one thing that HR says. Its key and sequence are filled in when
// all that HR ever says is known.
type statement struct {
	hr.Event
	rescinds *statement
}

// notice is how early or late HR records something, in days.
type notice struct{ ahead, late int }

func ahead(days, late int) notice { return notice{days, late} }

// tell has HR say something about a person that is effective today.
func (s *simulation) tell(p *person, kind hr.EventType, n notice, edit func(*hr.Event)) *statement {
	days := -s.rand.IntN(n.ahead + 1)
	if s.chance(0.25) {
		days = s.rand.IntN(n.late + 1)
	}
	at := latest(s.officeHours(s.today.AddDays(days)), p.floor)
	for _, before := range p.told {
		// Of several facts that hold from one day on, the last said counts; said at the
		// same instant, the sequence decides.
		if before.Effective == s.today && !at.After(before.Recorded) {
			at = before.Recorded.Add(time.Duration(s.rand.IntN(3)) * 20 * time.Minute)
		}
	}
	return s.tellAt(p, kind, at, edit)
}

// tellAt has HR say something that is effective today, at a given instant.
func (s *simulation) tellAt(p *person, kind hr.EventType, at time.Time, edit func(*hr.Event)) *statement {
	said := &statement{Event: hr.Event{Type: kind, PersonID: p.id, Recorded: at.UTC(), Effective: s.today}}
	if edit != nil {
		edit(&said.Event)
	}
	p.told = append(p.told, said)
	return said
}

// officeHours is an instant of a day at which people work in an HR department.
func (s *simulation) officeHours(day hr.Date) time.Time {
	return day.StartIn(time.UTC).Add(time.Duration(7*3600+s.rand.IntN(10*3600)) * time.Second)
}

// events makes events of all that was told, in the order in which it was
// recorded, with sequences by person and IDs by company.
func (s *simulation) events() []hr.Event {
	var all []*statement
	for _, p := range s.people {
		// Stable: what was recorded at one instant stays in the order in which it is
		// true.
		slices.SortStableFunc(p.told, func(a, b *statement) int { return a.Recorded.Compare(b.Recorded) })
		for i, said := range p.told {
			said.Sequence = fmt.Sprintf("%06d", i+1)
		}
		all = append(all, p.told...)
	}
	slices.SortStableFunc(all, func(a, b *statement) int {
		return cmp.Or(a.Recorded.Compare(b.Recorded), cmp.Compare(a.PersonID, b.PersonID))
	})
	for i, said := range all {
		said.EventKey = hr.EventKey{Source: s.opts.Source, ID: fmt.Sprintf("event-%07d", i+1)}
	}
	events := make([]hr.Event, len(all))
	for i, said := range all {
		if said.rescinds != nil {
			said.Rescinds = said.rescinds.ID
		}
		events[i] = said.Event
	}
	return events
}
