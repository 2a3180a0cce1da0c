package hr

import (
	"cmp"
	"slices"
)

// AdditionalJobs lists the jobs that somebody holds besides their main one, as of a day.
// It is for HR systems whose records hold all of somebody's jobs and do not say which job
// a change is about. Each job is a position within the period of employment that the day
// lies in:
//
//   - A job begins on its start date and ends on its last day; of each, the date said last
//     counts. A job that had begun when HR first listed it begins with that list. If a list
//     gives a later start to a job that has begun, the job begins again on that day.
//   - A whole list that lacks a job which has begun ends that job the day before, whatever
//     HR said earlier. It does not affect jobs that begin later, or that HR had not
//     mentioned by then.
//   - A job that has ended comes back by a rescind that lists it, or begins again with a
//     later start. Any other list that has it again is a conflict.
//   - A list that is not whole ends nothing. If it lacks a job that is held, that is a
//     conflict, unless a whole list follows, or another job ends on the day before.
//   - All jobs end with the employment. A termination that names one job ends that one.
type AdditionalJobs struct {
	AsOf  Date            `json:"asOf"`
	Jobs  []AdditionalJob `json:"jobs,omitempty"`
	Whole bool            `json:"whole,omitempty"` // the list is complete

	// With is the ID of the event that the list belongs to, if another event carries the
	// list. That other event says nothing else, and its profile is ignored. So a record can
	// come again with a new list, although its events are known. If the event with the ID
	// is rescinded, so is the list.
	With string `json:"with,omitempty"`
}

// ListsOnly reports whether an event does nothing but list additional jobs.
func (e *Event) ListsOnly() bool { return e.Additional != nil && e.Additional.With != "" }

// AdditionalJob is one additional job, with the profile that its holder would have if they
// held no other job.
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

// jobsTold holds the events about additional jobs, in the order in which HR said them.
type jobsTold struct {
	lists []*Event
	ends  []*Event // terminations that name a job that was listed before, and no other position
}

// additionalJobs finds the events about additional jobs. all holds all events, because a
// rescind may list jobs too; standing holds those that are not rescinded.
func additionalJobs(all, standing []*Event) (jobs jobsTold) {
	void := voided(all)
	rescinds := filter(all, func(e *Event) bool { return e.Type == EventRescinded && void[e] == nil })
	present := map[EventKey]bool{}
	for _, e := range slices.Concat(standing, rescinds) {
		present[e.EventKey] = true
	}
	jobs.lists = filter(slices.Concat(standing, rescinds), func(e *Event) bool {
		return e.Additional != nil && e.Type != EventTerminated &&
			(!e.ListsOnly() || present[EventKey{Source: e.Source, ID: e.Additional.With}])
	})
	slices.SortFunc(jobs.lists, (*Event).compare)
	jobs.ends = filter(standing, func(e *Event) bool {
		return e.Type == EventTerminated && e.PositionID != "" &&
			slices.ContainsFunc(jobs.lists, func(l *Event) bool { return l.before(e) && l.Additional.find(e.PositionID) != nil }) &&
			!slices.ContainsFunc(standing, func(o *Event) bool { return o.snapshot() && o.PositionID == e.PositionID })
	})
	return jobs
}

// others leaves out the events that are only about additional jobs.
func (jobs jobsTold) others(events []*Event) []*Event {
	if len(jobs.ends) == 0 {
		return events
	}
	return filter(events, func(e *Event) bool { return !slices.Contains(jobs.ends, e) })
}

// add adds the additional jobs to the timeline as positions. If HR names no position, the
// main job becomes a position without an ID.
func (t *Timeline) add(jobs jobsTold) (conflicts []Conflict) {
	var list []Position
	for _, source := range sources(jobs.lists) {
		var held []Position
		told := filter(jobs.lists, func(e *Event) bool { return e.Source == source })
		for _, id := range jobIDs(told) {
			position := Position{ID: id, Additional: true}
			said := append(slices.Clone(told), filter(jobs.ends, func(e *Event) bool { return e.PositionID == id })...)
			slices.SortFunc(said, (*Event).compare)
			for i := range t.Periods {
				employment := &t.Periods[i]
				j := hear(id, filter(said, func(e *Event) bool { return t.periodOf(e.asOf()) == employment }))
				position.Periods = append(position.Periods, j.within(employment)...)
				conflicts = append(conflicts, j.conflicts()...)
			}
			if len(position.Periods) > 0 {
				held = append(held, position)
			}
		}
		list = append(list, held...)
		conflicts = append(conflicts, jobs.unclear(told, held)...)
	}
	if len(list) > 0 && len(t.Positions) == 0 {
		t.Positions = []Position{{Periods: t.Periods}}
	}
	t.Positions = append(t.Positions, list...)
	return once(conflicts)
}

// unclear returns conflicts for the lists of one source that are not whole and lack a job
// that is still held, if nothing says whether that job is the one that has ended.
func (jobs jobsTold) unclear(lists []*Event, held []Position) (conflicts []Conflict) {
	for _, u := range lists {
		day := u.Additional.AsOf
		settled := slices.ContainsFunc(jobs.ends, u.before) || slices.ContainsFunc(lists, func(l *Event) bool {
			return l.Additional.Whole && u.before(l) && l.Additional.AsOf.Compare(day) >= 0 || l.Additional.With == u.ID && l.Additional.endsOne()
		})
		open := false
		for _, p := range held {
			for _, q := range p.Periods {
				at := day.StartIn(q.Profiles[0].Profile.zone())
				settled = settled || q.Ends.Equal(at)
				open = open || u.Additional.find(p.ID) == nil && !q.Starts.After(at) && (q.Ends.IsZero() || q.Ends.After(at))
			}
		}
		if !u.Additional.Whole && open && !settled {
			conflicts = append(conflicts, Conflict{Code: ConflictAdditionalJob, Event: u.EventKey})
		}
	}
	return conflicts
}

// endsOne reports whether a job on the list has a last day.
func (a *AdditionalJobs) endsOne() bool {
	return slices.ContainsFunc(a.Jobs, func(j AdditionalJob) bool { return !j.Profile.EndDate.IsZero() })
}

// asOf returns the day as of which an event describes additional jobs.
func (e *Event) asOf() Date {
	if e.Type == EventTerminated {
		return e.lastDay()
	}
	return e.Additional.AsOf
}

// sources returns the sources of events, each once, in the order of the events.
func sources(events []*Event) (list []string) {
	for _, e := range events {
		if !slices.Contains(list, e.Source) {
			list = append(list, e.Source)
		}
	}
	return list
}

// periodOf returns the period that a day lies in, else the next one; nil if there is none.
func (t *Timeline) periodOf(day Date) *Period {
	for i := range t.Periods {
		p := &t.Periods[i]
		if !p.never() && (p.Ends.IsZero() || day.StartIn(p.Profiles[0].Profile.zone()).Before(p.Ends)) {
			return p
		}
	}
	return nil
}

// jobIDs returns the IDs of the jobs that are listed, in the order in which HR said them.
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

// additional holds what HR said about one additional job.
type additional struct {
	id      string
	stints  []*stint // by start
	returns []*Event // lists that have the job although it had ended
}

// hear returns an additional job made from lists, which are in the order in which HR said
// them.
func hear(id string, lists []*Event) *additional {
	j := &additional{id: id}
	for _, e := range lists {
		j.hear(e)
	}
	return j
}

// conflicts returns conflicts for the lists that do not fit earlier ones.
func (j *additional) conflicts() (list []Conflict) {
	for _, e := range j.returns {
		list = append(list, Conflict{Code: ConflictAdditionalJob, Event: e.EventKey})
	}
	return list
}

// stint is one span of time in which a job is held.
type stint struct {
	start  Date
	said   []*Event // lists that have the job, in the order in which HR said them
	absent Date     // first day on which the job is not held, by a whole list without it or a termination; zero if there is none
	by     *Event   // the list or termination that set absent
	asked  bool     // there is a conflict already for a list that has the job after its end
}

// hear takes note of one list or termination about the job.
func (j *additional) hear(e *Event) {
	if e.Type == EventTerminated {
		j.end(e)
		return
	}
	if p := e.Additional.find(j.id); p != nil {
		j.listed(e, p)
		return
	}
	if !e.Additional.Whole {
		return
	}
	for _, s := range j.stints {
		ends := s.ends(j.id)
		if s.start.Compare(e.Additional.AsOf) <= 0 && (ends.IsZero() || ends.Compare(e.Additional.AsOf) > 0) {
			s.absent, s.by = e.Additional.AsOf, e
		}
	}
}

// end takes note of a termination of the job. The job need not have begun.
func (j *additional) end(t *Event) {
	day := t.lastDay().AddDays(1)
	if said := DateOf(t.Said()); t.immediate() && said.Compare(day) < 0 {
		day = said
	}
	for _, s := range j.stints {
		if ends := s.ends(j.id); ends.IsZero() || ends.Compare(day) > 0 {
			s.absent, s.by = day, t
		}
	}
}

// listed takes note of a list that has the job.
func (j *additional) listed(e *Event, p *Profile) {
	s := j.stintOf(e, p)
	said := DateOf(e.Said().In(p.zone()))
	if s == nil || s.followedBy(p.StartDate, said, j.id) {
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
	if p.StartDate.Compare(s.start) < 0 || said.Compare(s.start) < 0 {
		s.start = p.StartDate
	}
}

// followedBy reports whether another start date, said on a day, begins the job again. It
// does if it is later than the known start date and was said after that one. If a
// termination or a last day has ended the job, the new start must be after that end. If
// only a list lacked the job, any later start will do, because nobody said when it ended.
func (s *stint) followedBy(start, said Date, id string) bool {
	if start.Compare(s.start) <= 0 || said.Compare(s.start) < 0 {
		return false
	}
	ends := s.ends(id)
	return ends.IsZero() || start.Compare(ends) >= 0 || ends == s.absent && s.by.Type != EventTerminated
}

// over reports whether an end is known.
func (s *stint) over(id string) bool { return !s.ends(id).IsZero() }

// returnsBy reports whether a list has the job although it has ended: the list is as of a
// day after the end, or it has another last day although the known one had passed.
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

// stintOf returns the stint that a list with the job is about; nil if there is none yet.
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

// inForce returns the lists that have the job, sorted by the day as of which they are. For
// each day it has the list said last.
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

// last returns the list that was said last, as of any day. Its last day of the job counts.
func (s *stint) last() *Event { return s.said[len(s.said)-1] }

// ends returns the first day without the job; zero while no end is known.
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

// begins returns the first day of the job. A job that had begun when HR first listed it
// begins with that list, because it may have been the main job before.
func (s *stint) begins() Date {
	first := s.inForce()[0]
	if s.start.Compare(DateOf(first.Said())) > 0 {
		return s.start
	}
	return later(s.start, first.Additional.AsOf)
}

// period returns the stint as a period, with instants for its days.
func (s *stint) period(id string) Period {
	var p Period
	for _, e := range s.inForce() {
		profile := e.Additional.find(id)
		from := e.Additional.AsOf.StartIn(profile.zone()).UTC()
		if n := len(p.Profiles); n > 0 && !from.After(p.Profiles[n-1].From) {
			from = p.Profiles[n-1].From // the site of the later day is far to the east
			p.Profiles = p.Profiles[:n-1]
		}
		p.Profiles = append(p.Profiles, EffectiveProfile{From: from, Profile: *profile, Event: e.EventKey})
	}
	p.Opened = s.said[0].EventKey
	p.Starts = s.begins().StartIn(p.Profiles[0].Profile.zone()).UTC()
	if ends := s.ends(id); !ends.IsZero() {
		end := End{Cause: EndOfContract, Event: s.last().EventKey}
		if ends == s.absent {
			end = End{Cause: EndTerminated, Event: s.by.EventKey}
		}
		p.endAt(ends.StartIn(s.last().Additional.find(id).zone()).UTC(), end)
	}
	return p
}

// within returns the periods in which the job is held within an employment.
func (j *additional) within(employment *Period) []Period {
	var list []Period
	for _, s := range j.stints {
		p := s.period(j.id)
		p.Starts = latest(p.Starts, employment.Starts)
		if ends := employment.Ends; !ends.IsZero() && (p.Ends.IsZero() || p.Ends.After(ends)) {
			p.endAt(ends, employment.End)
		}
		list = append(list, p)
	}
	slices.SortStableFunc(list, func(a, b Period) int { return a.Starts.Compare(b.Starts) })
	return slices.DeleteFunc(separate(list), func(p Period) bool { return p.never() })
}
