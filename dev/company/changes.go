package company

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/hr"
)

// personID is the ID of the i-th person.
func personID(i int) string { return fmt.Sprintf("%d", 10001+i) }

// hire begins a person's first employment today.
func (s *simulation) hire(p *person) {
	d := s.pickDepartment()
	profile := hr.Profile{
		Type:       s.pickType(),
		GivenName:  *pick(s.rand, p.place.given),
		FamilyName: *pick(s.rand, p.place.family),
		Phone:      s.phone(p),
		JobTitle:   d.titles[0],
		Department: d.name,
		CostCenter: d.costCenter,
		Company:    "Made-up Company",
		Location:   hr.Location{Site: p.place.site, Country: p.place.country, TimeZone: p.place.zone},
		ManagerID:  s.headOf(d.name),
		StartDate:  s.today,
	}
	if s.vacant(d.name, profile.Type) {
		profile.JobTitle = d.head
	}
	profile.PersonalEmail = strings.ToLower(p.id) + "@home.example.net"
	profile.EmployeeNumber = numberOf(p, profile.Type)
	if s.chance(0.15) {
		profile.PreferredName = *pick(s.rand, p.place.given)
	}
	if s.chance(0.3) {
		profile.Attributes = map[string]string{"badge": fmt.Sprintf("B%06d", s.rand.IntN(1_000_000))}
	}
	s.begin(p, hr.EventHired, profile)
}

// begin opens an employment today.
func (s *simulation) begin(p *person, kind hr.EventType, profile hr.Profile) {
	if temporary(profile.Type) {
		from := s.today
		if from.Compare(s.opts.Start) < 0 {
			from = s.opts.Start // contracts that ended before it do not matter
		}
		profile.EndDate = from.AddDays(20 + s.rand.IntN(300))
	}
	p.job = &employment{first: s.today, facts: []fact{{s.today, profile}}}
	p.employments = append(p.employments, p.job)
	p.job.opened = s.tell(p, kind, ahead(60, 3), func(e *hr.Event) { e.Profile = &profile })
	p.floor = p.job.opened.Recorded.Add(time.Minute) // HR tells of a job only after its hire
	s.join(p, profile.Department)
	if !profile.EndDate.IsZero() {
		s.planContractEnd(p, profile.EndDate)
	}
}

// join makes a person a member of a department, and its head if it has none.
func (s *simulation) join(p *person, department string) {
	s.members[department] = append(s.members[department], p)
	if s.vacant(department, p.job.latest().profile.Type) {
		s.heads[department] = p
	}
}

// vacant reports whether somebody who joins a department today becomes its head.
func (s *simulation) vacant(department string, t hr.PersonType) bool {
	return s.heads[department] == nil && t == hr.TypeEmployee && s.today.Compare(s.opts.end()) < 0
}

// quit takes a person out of their department. If they were its head, another
// takes over tomorrow, and everybody there has a new manager.
func (s *simulation) quit(p *person) {
	department := p.job.latest().profile.Department
	s.members[department] = slices.DeleteFunc(s.members[department], func(m *person) bool { return m == p })
	if s.heads[department] != p {
		return
	}
	s.heads[department] = nil
	s.on(s.today.AddDays(1), func() { s.succeed(department) })
}

func (s *simulation) succeed(department string) {
	if s.heads[department] != nil {
		return
	}
	i := slices.IndexFunc(s.members[department], func(m *person) bool {
		return m.job != nil && m.job.latest().profile.Type == hr.TypeEmployee && m.job.first != s.today && !m.onLeave()
	})
	if i < 0 {
		return
	}
	head := s.members[department][i]
	s.heads[department] = head
	s.change(head, hr.EventTransferred, func(profile *hr.Profile) {
		profile.JobTitle, profile.ManagerID = departmentNamed(department).head, ""
	})
	for _, m := range s.members[department] {
		if m != head && m.job.first != s.today {
			s.change(m, hr.EventUpdated, func(profile *hr.Profile) { profile.ManagerID = head.id })
		}
	}
}

func (s *simulation) headOf(department string) string {
	if head := s.heads[department]; head != nil {
		return head.id
	}
	return ""
}

// move gives a person another department, sometimes another site.
func (s *simulation) move(p *person) {
	old := p.job.latest().profile.Department
	d := s.pickDepartment()
	if d.name == old || s.heads[old] == p {
		return
	}
	s.quit(p)
	relocated := s.chance(0.2) && p.job.settled(s.today)
	if relocated {
		p.place = pick(s.rand, places)
	}
	s.change(p, hr.EventTransferred, func(profile *hr.Profile) {
		profile.Department, profile.CostCenter = d.name, d.costCenter
		profile.JobTitle, profile.ManagerID = *pick(s.rand, d.titles), s.headOf(d.name)
		if relocated {
			profile.Location = hr.Location{Site: p.place.site, Country: p.place.country, TimeZone: p.place.zone}
			profile.Phone = s.phone(p)
		}
	})
	s.join(p, d.name)
}

// settled reports whether nothing changed in the days before: somebody who flies
// around the world on the day after a change lives through days that no two
// calendars agree on.
func (e *employment) settled(today hr.Date) bool {
	recent := e.latest().from.AddDays(3).Compare(today) > 0
	for _, a := range e.absences {
		recent = recent || a.back.AddDays(3).Compare(today) > 0
	}
	return !recent
}

func (s *simulation) promote(p *person) {
	now := p.job.latest().profile
	d := departmentNamed(now.Department)
	i := slices.Index(d.titles, now.JobTitle)
	if i < 0 || i == len(d.titles)-1 {
		return
	}
	s.change(p, hr.EventTransferred, func(profile *hr.Profile) { profile.JobTitle = d.titles[i+1] })
}

func (s *simulation) rename(p *person) {
	s.change(p, hr.EventUpdated, func(profile *hr.Profile) {
		if s.chance(0.8) {
			profile.FamilyName = *pick(s.rand, p.place.family)
		} else {
			profile.GivenName, profile.PreferredName = *pick(s.rand, p.place.given), ""
		}
	})
}

func (s *simulation) changePhone(p *person) {
	s.change(p, hr.EventUpdated, func(profile *hr.Profile) { profile.Phone = s.phone(p) })
}

// takeLeave begins a leave of absence today.
func (s *simulation) takeLeave(p *person) {
	back := s.today.AddDays(5 + s.rand.IntN(120))
	job := p.job
	job.absences = append(job.absences, absence{from: s.today})
	s.tell(p, hr.EventLeaveStarted, ahead(30, 5), func(e *hr.Event) {
		if s.chance(0.7) {
			e.Leave = &hr.Leave{ExpectedReturn: back}
		}
	})
	s.during(p, back, func() {
		job.absences[len(job.absences)-1].back = s.today
		s.tell(p, hr.EventLeaveEnded, ahead(7, 5), nil)
	})
}

// suspend cuts a person off for some days.
func (s *simulation) suspend(p *person) {
	at := s.duringWork(p)
	n := len(p.suspensions)
	if n > 0 && p.suspensions[n-1].covers(at) || at.Before(p.floor) {
		return
	}
	p.suspensions = append(p.suspensions, suspension{from: at})
	s.tellAt(p, hr.EventSuspended, at, func(e *hr.Event) { e.Suspension = &hr.Suspension{Reason: "investigation"} })
	s.on(s.today.AddDays(2+s.rand.IntN(10)), func() {
		at := s.duringWork(p)
		p.suspensions[n].to = at
		s.tellAt(p, hr.EventReinstated, at, nil)
	})
}

func (s *simulation) pickDepartment() *department {
	total := 0
	for _, d := range departments {
		total += d.weight
	}
	drawn := s.rand.IntN(total)
	for i := range departments {
		if drawn -= departments[i].weight; drawn < 0 {
			return &departments[i]
		}
	}
	panic("unreachable: drawn is less than the total")
}

func departmentNamed(name string) *department {
	i := slices.IndexFunc(departments, func(d department) bool { return d.name == name })
	return &departments[i]
}

func (s *simulation) pickType() hr.PersonType {
	switch drawn := s.rand.Float64(); {
	case drawn < 0.78:
		return hr.TypeEmployee
	case drawn < 0.90:
		return hr.TypeContractor
	case drawn < 0.94:
		return hr.TypeIntern
	case drawn < 0.97:
		return hr.TypeTemporary
	default:
		return hr.TypePartner
	}
}

// temporary reports whether people of a type have contracts with an end.
func temporary(t hr.PersonType) bool {
	return t == hr.TypeContractor || t == hr.TypeIntern || t == hr.TypeTemporary
}

func numberOf(p *person, t hr.PersonType) string {
	if t == hr.TypeEmployee {
		return "E" + p.id
	}
	return "X" + p.id
}

// phone returns a number that nobody else has had: two people with one name and one number
// would be taken for one.
func (s *simulation) phone(p *person) string {
	for n := s.rand.IntN(10_000); ; n++ {
		if number := fmt.Sprintf("%s %04d", p.place.dial, n); !s.numbers[number] {
			s.numbers[number] = true
			return number
		}
	}
}

func (s *simulation) chance(share float64) bool { return s.rand.Float64() < share }
