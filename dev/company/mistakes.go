package company

import (
	"slices"
	"time"

	"github.com/tenurehq/tenure/hr"
)

// makeMistakes adds mistakes to what HR tells: some are corrected, some are taken back,
// and some are overtaken by time. None of them changes what is true.
func (s *simulation) makeMistakes() {
	for _, p := range s.people {
		if len(p.employments) == 0 {
			continue // a person who never came is mistake enough
		}
		s.correct(p)
		for _, e := range p.employments {
			if e.ended != nil && s.chance(s.opts.Overtaken) {
				s.overtake(p, e)
			}
		}
		if s.chance(s.opts.Rescinds) {
			(*pick(s.rand, takenBack))(s, p)
		}
	}
}

// correct has HR tell some profiles wrong first. The right one follows as an update
// that is effective on the same day.
func (s *simulation) correct(p *person) {
	for i, right := range slices.Clone(p.told) {
		last := !slices.ContainsFunc(p.told[i+1:], func(other *statement) bool {
			return other.Profile != nil && other.Effective == right.Effective
		})
		if right.Profile == nil || !last || !s.chance(s.opts.Corrections) {
			continue
		}
		wrong := &statement{Event: right.Event}
		wrong.Profile = s.wrongly(right.Profile)
		right.Type = hr.EventUpdated
		right.Recorded = right.Recorded.Add(s.some(10))
		p.told = append(p.told, wrong)
	}
}

// overtake announces a move for a day on which the person is gone.
func (s *simulation) overtake(p *person, e *employment) {
	at := e.ended.Recorded.Add(-time.Minute)
	day := e.last.AddDays(1 + s.rand.IntN(20))
	for _, next := range p.employments {
		if next.first.Compare(e.last) > 0 && next.first.Compare(day) <= 0 {
			return // it would be about that one
		}
	}
	if !at.After(e.opened.Recorded) {
		return
	}
	p.told = append(p.told, &statement{Event: hr.Event{
		Type: hr.EventTransferred, PersonID: p.id, Recorded: at, Effective: day,
		Profile: s.wrongly(&e.latest().profile),
	}})
}

// takenBack are the kinds of things that HR says and then rescinds.
var takenBack = []func(*simulation, *person){
	(*simulation).rescindHire,
	(*simulation).rescindMove,
	(*simulation).rescindLeave,
	(*simulation).rescindTermination,
	(*simulation).rescindRehire,
}

// rescindHire has the first hire announced for another day at first.
func (s *simulation) rescindHire(p *person) {
	e := p.employments[0]
	profile := *s.wrongly(e.opened.Profile)
	profile.StartDate = e.first.AddDays(s.rand.IntN(40) - 20)
	s.takeBack(p, hr.Event{
		Type: hr.EventHired, Recorded: e.opened.Recorded.Add(-s.some(10)), Effective: profile.StartDate, Profile: &profile,
	}, e.opened.Recorded.Add(-time.Minute))
}

func (s *simulation) rescindMove(p *person) {
	e, day := s.someDay(p)
	s.takeBackLater(p, e, hr.Event{Type: hr.EventTransferred, Effective: day, Profile: s.wrongly(&e.on(day).profile)})
}

func (s *simulation) rescindLeave(p *person) {
	e, day := s.someDay(p)
	s.takeBackLater(p, e, hr.Event{Type: hr.EventLeaveStarted, Effective: day})
}

func (s *simulation) rescindTermination(p *person) {
	e, day := s.someDay(p)
	termination := &hr.Termination{LastDay: day, Urgency: hr.UrgencyStandard}
	if s.chance(0.2) {
		termination.Urgency = hr.UrgencyImmediate
	}
	s.takeBackLater(p, e, hr.Event{Type: hr.EventTerminated, Effective: day, Termination: termination})
}

// rescindRehire has somebody who is gone for good come back, by mistake.
func (s *simulation) rescindRehire(p *person) {
	e := p.employments[len(p.employments)-1]
	if e.ended == nil {
		return
	}
	profile := *s.wrongly(&e.latest().profile)
	profile.StartDate, profile.EndDate = e.last.AddDays(2+s.rand.IntN(60)), hr.Date{}
	at := e.ended.Recorded.Add(s.some(20))
	s.takeBack(p, hr.Event{Type: hr.EventRehired, Recorded: at, Effective: profile.StartDate, Profile: &profile},
		at.Add(s.some(20)))
}

// takeBackLater says something about an employment, around the day on which it
// is effective, and rescinds it.
func (s *simulation) takeBackLater(p *person, e *employment, said hr.Event) {
	said.Recorded = latest(s.officeHours(said.Effective.AddDays(s.rand.IntN(25)-14)), e.opened.Recorded.Add(time.Minute))
	s.takeBack(p, said, said.Recorded.Add(s.some(20)))
}

func (s *simulation) takeBack(p *person, said hr.Event, at time.Time) {
	said.PersonID = p.id
	phantom := &statement{Event: said}
	p.told = append(p.told, phantom, &statement{rescinds: phantom, Event: hr.Event{
		Type: hr.EventRescinded, PersonID: p.id, Recorded: latest(at, said.Recorded), Effective: said.Effective,
	}})
}

// neverWas has HR announce somebody who does not come after all.
func (s *simulation) neverWas(p *person) {
	s.hire(p)
	s.quit(p)
	said := p.told[0].Event
	p.employments, p.job, p.told = nil, nil, nil
	s.takeBack(p, said, said.Recorded.Add(s.some(30)))
}

// someDay is a day of one of a person's employments, not its first.
func (s *simulation) someDay(p *person) (*employment, hr.Date) {
	e := *pick(s.rand, p.employments)
	last := e.lastDay()
	if end := s.opts.end(); last.IsZero() || last.Compare(end) > 0 {
		last = end
	}
	days := 1
	for e.first.AddDays(days).Compare(last) < 0 {
		days++
	}
	return e, e.first.AddDays(1 + s.rand.IntN(days))
}

// wrongly is a profile that mistakes a person for somebody else.
func (s *simulation) wrongly(right *hr.Profile) *hr.Profile {
	wrong, d := *right, s.pickDepartment()
	wrong.Department, wrong.CostCenter, wrong.JobTitle = d.name, d.costCenter, d.titles[0]
	wrong.ManagerID, wrong.Phone = "", ""
	if s.chance(0.3) {
		wrong.FamilyName = *pick(s.rand, pick(s.rand, places).family)
	}
	return &wrong
}

// some is a span of up to so many days, at least a minute.
func (s *simulation) some(days int) time.Duration {
	return time.Minute + time.Duration(s.rand.Int64N(int64(days)*24*int64(time.Hour)))
}
