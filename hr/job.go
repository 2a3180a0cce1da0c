package hr

import (
	"cmp"
	"slices"
	"time"
)

// job is an employment in one position.
type job struct {
	*position
	*employment
	opening *Event // the event that gave the job
	plain   bool   // opened by no rehire
	again   bool   // opened by a hire that is read as a rehire
	periods []Period
}

// jobs returns the employments in all positions. They are sorted by position, in the order
// in which HR first mentioned them, and within a position by time.
func (ps *positions) jobs() (jobs []job, conflicts []Conflict) {
	for _, p := range ps.list {
		said := employments(p.events)
		conflicts = append(conflicts, said.conflicts...)
		for _, m := range said.list {
			periods, found := m.periods()
			conflicts = append(conflicts, found...)
			if len(periods) > 0 {
				opening := m.opening()
				again := ps.again[opening.EventKey]
				plain := again || opening.Type != EventRehired
				if len(ps.list) > 1 {
					opening = m.givenBy()
				}
				jobs = append(jobs, job{p, m, opening, plain, again, periods})
			}
		}
	}
	return jobs, conflicts
}

// givenBy returns the event that gave the job: the rehire, else HR's first event about it.
// If a contract was over before it began by the events said so far, the job was given by
// the event that made it last.
func (m *employment) givenBy() *Event {
	given := cmp.Or(m.rehired, m.said[0])
	first := given
	known, lasted := employment{rehired: m.rehired, from: m.from, floor: m.floor}, true
	for i, e := range m.said {
		if e.before(first) {
			continue
		}
		known.said, known.ends = m.said[:i+1], filter(m.ends, func(t *Event) bool { return t.before(e) })
		periods, _ := known.periods()
		lasts := slices.ContainsFunc(periods, func(p Period) bool { return !p.never() })
		if lasts && !lasted {
			given = e
		}
		lasted = lasts
	}
	return given
}

// lateJob finds a job that no rehire opened, and that HR first mentioned when every other
// job was over, or that begins after all others end by the events said until then. It is a
// rehire that HR did not call one, or a mistake. lateJob returns nil if there is none.
func lateJob(jobs []job) *job {
	for n, j := range jobs {
		earlier, open := false, false
		for i, o := range jobs {
			if o.position == j.position || i > n && !o.opening.before(j.opening) {
				continue
			}
			earlier = true
			last := i+1 == len(jobs) || jobs[i+1].position != o.position || j.opening.before(jobs[i+1].opening)
			open = open || last && !o.overBefore(j.opening)
		}
		if j.plain && earlier && !open {
			return &jobs[n]
		}
	}
	return nil
}

// overBefore reports whether a job was over, by the events said until then, when HR opened
// another job, or before that one was to begin.
func (j job) overBefore(opening *Event) bool {
	last := j.periods[len(j.periods)-1]
	zone := last.Profiles[len(last.Profiles)-1].Profile.zone()
	begins := cmp.Or(opening.Profile.StartDate, opening.Effective).StartIn(zone)
	over := func(end time.Time) bool { return !end.After(opening.Said()) || end.Before(begins) }
	return slices.ContainsFunc(j.ends, func(t *Event) bool { return t.before(opening) && over(t.accessEnds(zone)) }) ||
		over(j.contractBefore(opening))
}

// contractBefore returns when the last contract that gives access ends, by the events said
// before the given one. It returns an instant far in the future if the contract has no end,
// and zero if no contract gives access.
func (j job) contractBefore(opening *Event) time.Time {
	known := *j.employment
	known.said = filter(j.said, func(e *Event) bool { return e.before(opening) })
	all := known.contracts()
	periods := slices.DeleteFunc(slices.Clone(all), func(p Period) bool { return p.never() })
	switch n := len(periods); {
	case len(all) == 0, n > 0 && periods[n-1].Ends.IsZero():
		return opening.Said().AddDate(1000, 0, 0)
	case n == 0:
		return time.Time{}
	default:
		return periods[n-1].Ends
	}
}
