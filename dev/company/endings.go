package company

import (
	"time"

	"github.com/tenurehq/tenure/hr"
)

// resign ends a person's employment with the end of today, as was agreed.
func (s *simulation) resign(p *person) {
	job := p.job
	job.last = s.today
	if s.chance(0.1) { // at the end of the working day already
		job.endsAt = s.today.StartIn(job.on(s.today).zone()).Add(17 * time.Hour).UTC()
	}
	voluntary := s.chance(0.8)
	job.ended = s.tell(p, hr.EventTerminated, ahead(30, 4), func(e *hr.Event) {
		e.Termination = &hr.Termination{
			LastDay: job.last, AccessEndsAt: job.endsAt, Voluntary: &voluntary,
			Urgency: hr.UrgencyStandard, Reason: "resignation",
		}
	})
	s.leave(p)
}

// dismiss ends a person's employment in the middle of today.
func (s *simulation) dismiss(p *person) {
	job, at := p.job, s.duringWork(p)
	if at.Before(p.floor) {
		return
	}
	job.last, job.endsAt = s.today, at
	voluntary := false
	job.ended = s.tellAt(p, hr.EventTerminated, job.endsAt, func(e *hr.Event) {
		e.Termination = &hr.Termination{
			LastDay: job.last, Voluntary: &voluntary, Urgency: hr.UrgencyImmediate, Reason: "dismissal",
		}
	})
	s.leave(p)
}

// leave plans what follows the end of an employment: some people come back.
func (s *simulation) leave(p *person) {
	before := p.job.latest().profile
	s.quit(p)
	for _, said := range []*statement{p.job.renewed, p.job.ended} {
		if said != nil { // a return is announced when it is known what they return from
			p.floor = latest(p.floor, said.Recorded.Add(time.Minute))
		}
	}
	p.job = nil
	if !s.chance(0.25) {
		return
	}
	s.on(s.today.AddDays(2+s.rand.IntN(90)), func() { s.rehire(p, before) })
}

// rehire begins another employment, in another job of another kind perhaps.
func (s *simulation) rehire(p *person, profile hr.Profile) {
	d := s.pickDepartment()
	profile.Type = s.pickType()
	profile.EmployeeNumber = numberOf(p, profile.Type)
	profile.Department, profile.CostCenter = d.name, d.costCenter
	profile.JobTitle, profile.ManagerID = *pick(s.rand, d.titles), s.headOf(d.name)
	profile.StartDate, profile.EndDate = s.today, hr.Date{}
	s.begin(p, hr.EventRehired, profile)
}

// planContractEnd decides what happens at the end of a person's contract: it is
// extended, or they become an employee, or it lapses.
func (s *simulation) planContractEnd(p *person, end hr.Date) {
	some := func(days int) hr.Date { return latestDay(end.AddDays(1-s.rand.IntN(days)), p.job.first.AddDays(1)) }
	switch drawn := s.rand.Float64(); {
	case drawn < 0.3:
		until := end.AddDays(30 + s.rand.IntN(200))
		s.during(p, latestDay(some(15).AddDays(-1), p.job.first.AddDays(1)), func() {
			p.job.renewed = s.change(p, hr.EventUpdated, func(profile *hr.Profile) { profile.EndDate = until })
			p.renewInTime(end)
			s.planContractEnd(p, until)
		})
	case drawn < 0.5:
		s.during(p, some(15), func() {
			p.job.renewed = s.change(p, hr.EventConverted, func(profile *hr.Profile) {
				profile.Type, profile.EndDate = hr.TypeEmployee, hr.Date{}
				profile.EmployeeNumber = numberOf(p, hr.TypeEmployee)
			})
			p.renewInTime(end)
		})
	default:
		s.during(p, end.AddDays(1), func() { s.leave(p) })
	}
}

// renewInTime has HR renew a contract before it has ended: a renewal that is said later
// brings nobody back.
func (p *person) renewInTime(end hr.Date) {
	said := p.job.renewed
	if by := end.AddDays(-1).StartIn(time.UTC).Add(9 * time.Hour); said.Recorded.After(by) {
		said.Recorded = latest(by, p.job.opened.Recorded.Add(time.Minute))
	}
}

// duringWork is an instant of today between nine and five where the person is.
func (s *simulation) duringWork(p *person) time.Time {
	zone := (&fact{profile: hr.Profile{Location: hr.Location{TimeZone: p.place.zone}}}).zone()
	return s.today.StartIn(zone).Add(time.Duration(9*3600+s.rand.IntN(8*3600)) * time.Second).UTC()
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func latestDay(a, b hr.Date) hr.Date {
	if a.Compare(b) > 0 {
		return a
	}
	return b
}
