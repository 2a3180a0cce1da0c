package hr

import (
	"cmp"
	"slices"
)

// AdditionalJobs lists the jobs that somebody holds besides their main one, as of a day.
// It is for HR systems whose records hold all of somebody's jobs and do not say which of
// them a change is of. Each job is a position within the period of employment that the
// day lies in:
//
//   - A job begins on its start date and ends on its last day, each as said last. A start
//     that has passed is not put off. A job that had begun when HR first listed it begins
//     with that list.
//   - A whole list without a job that has begun ends the job the day before, for whatever
//     was said before. It says nothing of jobs that begin later, or that HR had not spoken
//     of by then.
//   - A job that has ended comes back by a rescind that lists it. Under the same ID another
//     one may begin, on a later day. Else a list that has it again is a conflict.
//   - A list that is not whole ends nothing. Where it lacks a job that is held, that is a
//     conflict, unless a whole one follows.
//   - With the employment all of them end.
type AdditionalJobs struct {
	AsOf  Date            `json:"asOf"`
	Jobs  []AdditionalJob `json:"jobs,omitempty"`
	Whole bool            `json:"whole,omitempty"` // there are no others
}

// AdditionalJob is a job as its holder's profile would be, had they no other.
type AdditionalJob struct {
	PositionID string  `json:"positionId"`
	Profile    Profile `json:"profile"`
}

// find returns the profile of a job; nil if the list does not have it.
func (a *AdditionalJobs) find(id string) *Profile {
	for i := range a.Jobs {
		if a.Jobs[i].PositionID == id {
			return &a.Jobs[i].Profile
		}
	}
	return nil
}

// with returns the positions together with those of additional jobs. Where HR names no
// position, the main job is one without an ID.
func (t *Timeline) with(jobs []Position) []Position {
	if len(jobs) == 0 {
		return t.Positions
	}
	positions := t.Positions
	if len(positions) == 0 {
		positions = []Position{{Periods: t.Periods}}
	}
	return append(slices.Clone(positions), jobs...)
}

// additionalJobs makes positions of the jobs that events list. A rescind may list jobs,
// too: all is all that was said, standing what is left of it.
func (t *Timeline) additionalJobs(all, standing []*Event) (list []Position, conflicts []Conflict) {
	lists := filter(standing, func(e *Event) bool { return e.Additional != nil })
	void := voided(all)
	lists = append(lists, filter(all, func(e *Event) bool {
		return e.Additional != nil && e.Type == EventRescinded && void[e] == nil
	})...)
	slices.SortFunc(lists, (*Event).compare)
	for _, source := range sources(lists) {
		told := filter(lists, func(e *Event) bool { return e.Source == source })
		for _, id := range jobIDs(told) {
			position := Position{ID: id, Additional: true}
			for i := range t.Periods {
				employment := &t.Periods[i]
				j := hear(id, filter(told, func(e *Event) bool { return t.periodOf(e.Additional.AsOf) == employment }))
				position.Periods = append(position.Periods, j.within(employment)...)
				conflicts = append(conflicts, j.conflicts()...)
			}
			if len(position.Periods) > 0 {
				list = append(list, position)
			}
		}
	}
	return list, once(conflicts)
}

// sources are those of events, in their order.
func sources(events []*Event) (list []string) {
	for _, e := range events {
		if !slices.Contains(list, e.Source) {
			list = append(list, e.Source)
		}
	}
	return list
}

// periodOf is the period that a day lies in, else the next one; nil if there is none.
func (t *Timeline) periodOf(day Date) *Period {
	for i := range t.Periods {
		p := &t.Periods[i]
		if !p.never() && (p.Ends.IsZero() || day.StartIn(p.Snapshots[0].Profile.zone()).Before(p.Ends)) {
			return p
		}
	}
	return nil
}

// jobIDs are the IDs of the jobs that are listed, in the order in which HR said them.
func jobIDs(lists []*Event) (ids []string) {
	for _, e := range lists {
		for _, job := range e.Additional.Jobs {
			if !slices.Contains(ids, job.PositionID) {
				ids = append(ids, job.PositionID)
			}
		}
	}
	return ids
}

// additional is what was said of one additional job.
type additional struct {
	id       string
	stints   []*stint // by start
	returns  []*Event // lists that have the job after it had ended
	unlisted []*Event // lists that lack the job and are not whole
}

// hear makes an additional job of lists, in the order in which HR said them.
func hear(id string, lists []*Event) *additional {
	j := &additional{id: id}
	for _, e := range lists {
		j.hear(e)
	}
	return j
}

// conflicts are the lists that do not fit what HR said before.
func (j *additional) conflicts() (list []Conflict) {
	for _, e := range slices.Concat(j.returns, j.unlisted) {
		list = append(list, Conflict{Code: ConflictAdditionalJob, Event: e.EventKey})
	}
	return list
}

// stint is one time for which a job is held.
type stint struct {
	start  Date
	said   []*Event // lists that have the job, in the order in which HR said them
	absent Date     // first day as of which a whole list lacked the job; zero if none did
	by     *Event   // that list
	asked  bool     // a list that has the job after its end is a conflict already
}

// hear takes note of what one list says of the job.
func (j *additional) hear(e *Event) {
	if e.Additional.Whole { // which settles what a list that was not whole left open
		j.unlisted = filter(j.unlisted, func(u *Event) bool { return u.Additional.AsOf.Compare(e.Additional.AsOf) > 0 })
	}
	if p := e.Additional.find(j.id); p != nil {
		j.listed(e, p)
		return
	}
	for _, s := range j.stints {
		switch ends := s.ends(j.id); {
		case s.start.Compare(e.Additional.AsOf) > 0, !ends.IsZero() && ends.Compare(e.Additional.AsOf) <= 0:
		case e.Additional.Whole:
			s.absent, s.by = e.Additional.AsOf, e
		default:
			j.unlisted = append(j.unlisted, e)
		}
	}
}

// listed takes note of a list that has the job.
func (j *additional) listed(e *Event, p *Profile) {
	s := j.stintOf(e, p)
	if s == nil || s.over(j.id) && p.StartDate.Compare(s.ends(j.id)) >= 0 {
		j.stints = append(j.stints, &stint{start: p.StartDate, said: []*Event{e}})
		slices.SortStableFunc(j.stints, func(a, b *stint) int { return a.start.Compare(b.start) })
		return
	}
	if e.Type == EventRescinded {
		s.absent, s.by = Date{}, nil
	} else if s.returnsBy(e, p, j.id) {
		if !s.asked {
			j.returns = append(j.returns, e)
		}
		s.asked = true
		return
	}
	s.said = append(s.said, e)
	if said := DateOf(e.Said().In(p.zone())); p.StartDate.Compare(s.start) < 0 || said.Compare(s.start) < 0 {
		s.start = p.StartDate
	}
}

// over reports whether an end is known.
func (s *stint) over(id string) bool { return !s.ends(id).IsZero() }

// returnsBy reports whether a list has the job though it has ended: as of a day on which
// it was not to be held any more, or with another last day when the one known had passed.
func (s *stint) returnsBy(e *Event, p *Profile, id string) bool {
	if !s.absent.IsZero() && e.Additional.AsOf.Compare(s.absent) >= 0 {
		return true
	}
	if !s.over(id) || DateOf(e.Said().In(p.zone())).Compare(s.ends(id)) < 0 {
		return false
	}
	longer := *s
	longer.said = append(slices.Clone(s.said), e)
	return !longer.over(id) || longer.ends(id).Compare(s.ends(id)) > 0
}

// stintOf is the stint that a list with the job speaks of; nil if there is none yet.
func (j *additional) stintOf(e *Event, p *Profile) *stint {
	day := later(e.Additional.AsOf, p.StartDate)
	for _, s := range slices.Backward(j.stints) {
		if s.start.Compare(day) <= 0 {
			return s
		}
	}
	if len(j.stints) > 0 {
		return j.stints[0]
	}
	return nil
}

// inForce are the lists that have the job by the day as of which they are: of each day the
// one said last.
func (s *stint) inForce() (list []*Event) {
	byDay := slices.Clone(s.said)
	slices.SortStableFunc(byDay, func(a, b *Event) int {
		return cmp.Or(a.Additional.AsOf.Compare(b.Additional.AsOf), a.compare(b))
	})
	for _, e := range byDay {
		if n := len(list); n > 0 && list[n-1].Additional.AsOf == e.Additional.AsOf {
			list[n-1] = e
			continue
		}
		list = append(list, e)
	}
	return list
}

// last is the list whose last day of the job counts: the last one as of a day on which the
// job is held.
func (s *stint) last() *Event {
	lists := s.inForce()
	for _, e := range slices.Backward(lists) {
		if s.absent.IsZero() || e.Additional.AsOf.Compare(s.absent) < 0 {
			return e
		}
	}
	return lists[0]
}

// ends is the first day without the job; zero while no end is known.
func (s *stint) ends(id string) Date {
	end := s.last().Additional.find(id).EndDate
	switch {
	case end.IsZero():
		return s.absent
	case s.absent.IsZero() || end.Compare(s.absent) < 0:
		return end.AddDays(1)
	default:
		return s.absent
	}
}

// begins is the first day of the job. One that had begun when HR first listed it begins
// with that list: it may have been the main job before.
func (s *stint) begins() Date {
	first := s.inForce()[0]
	if s.start.Compare(DateOf(first.Said())) > 0 {
		return s.start
	}
	return later(s.start, first.Additional.AsOf)
}

// period makes instants of the stint's days.
func (s *stint) period(id string) Period {
	var p Period
	for _, e := range s.inForce() {
		profile := e.Additional.find(id)
		from := e.Additional.AsOf.StartIn(profile.zone()).UTC()
		if n := len(p.Snapshots); n > 0 && !from.After(p.Snapshots[n-1].From) {
			from = p.Snapshots[n-1].From // the site of the later day is far to the east
			p.Snapshots = p.Snapshots[:n-1]
		}
		p.Snapshots = append(p.Snapshots, Snapshot{From: from, Profile: *profile, Event: e.EventKey})
	}
	p.Opened = s.said[0].EventKey
	p.Starts = s.begins().StartIn(p.Snapshots[0].Profile.zone()).UTC()
	if ends := s.ends(id); !ends.IsZero() {
		end := End{Cause: EndOfContract, Event: s.last().EventKey}
		if ends == s.absent {
			end = End{Cause: EndTerminated, Event: s.by.EventKey}
		}
		p.endAt(ends.StartIn(s.last().Additional.find(id).zone()).UTC(), end)
	}
	return p
}

// within are the periods in which the job is held within an employment.
func (j *additional) within(employment *Period) (list []Period) {
	starts := employment.Starts
	for _, s := range j.stints {
		p := s.period(j.id)
		p.Starts = latest(p.Starts, starts)
		if ends := employment.Ends; !ends.IsZero() && (p.Ends.IsZero() || p.Ends.After(ends)) {
			p.endAt(ends, employment.End)
		}
		if p.never() {
			continue
		}
		list = append(list, p)
		if p.Ends.IsZero() {
			break
		}
		starts = p.Ends
	}
	return list
}
