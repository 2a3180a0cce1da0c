package snapshot

import (
	"slices"
	"time"

	"github.com/tenurehq/tenure/hr"
)

// finding is the result of comparing one person with the file.
type finding struct {
	events   []hr.Event   // events that never came
	changed  []Difference // differences that the events settle
	question *Question    // for an operator; nil if there is none; there may be events as well
	outcome  outcome      // the reason if there are no events
	employed bool         // at the snapshot's instant, by all known events, and covered by the snapshot
	upcoming bool         // an employment is still to begin
	leaves   bool         // the events end the employment
}

// outcome is the reason why the snapshot gives no events about a person.
type outcome int

const (
	same      outcome = iota // nothing differs
	newer                    // HR has sent an event since the snapshot
	elsewhere                // the snapshot does not cover the person
)

// decide finds the events about one person that never came. There are no rows if the person
// is absent, and several if they hold several positions.
func (o *Options) decide(id string, rows []*Row, events []hr.Event) (finding, error) {
	// Additional jobs that another system lists are not in the file, and the file does not
	// end them.
	events = slices.DeleteFunc(slices.Clone(events), func(e hr.Event) bool { return e.ListsOnly() })
	for i := range events {
		events[i].Additional = nil
	}
	f, err := o.propose(id, rows, events)
	if err != nil || len(f.events) == 0 {
		return f, err
	}
	told := append(slices.Clone(events), f.events...)
	again, err := o.propose(id, rows, told)
	if err != nil {
		return f, err
	}
	if len(again.events) > 0 || again.question != nil && f.question == nil {
		return finding{employed: f.employed, question: &Question{
			Code: CodeUnsettled, Text: "what HR has said before contradicts the snapshot, and no event would settle that",
		}}, nil
	}
	f.leaves = f.employed && o.ends(id, f.events, events, told)
	return f, nil
}

// ends reports whether events end an employment: by a termination, or because the person is
// not employed any more when the snapshot's day is over.
func (o *Options) ends(id string, found, before, after []hr.Event) bool {
	if slices.ContainsFunc(found, func(e hr.Event) bool { return e.Type == hr.EventTerminated && e.PositionID == "" }) {
		return true
	}
	next := o.AsOf.AddDate(0, 0, 1)
	was, is := employment(hr.Merge(id, before), next), employment(hr.Merge(id, after), next)
	positions := slices.ContainsFunc(found, func(e hr.Event) bool { return e.Type == hr.EventTerminated })
	return was != nil && (is == nil || positions && was.Ends.IsZero() && !is.Ends.IsZero())
}

// subject is the person about whom a decision is made.
type subject struct {
	*Options
	id     string
	row    *Row
	events []hr.Event

	now     *hr.Period // employment at the snapshot's instant, if any
	next    *hr.Period // the first one after it, if any
	last    *hr.Period // the last one that has ended, if any
	profile hr.Profile // the profile in force: of now, else of last, else of next
	source  string     // source of the event that brought the profile

	current, done []*Row   // if there are several rows: those of positions that are held, and of positions that are over
	positionID    string   // the position that is compared; empty for the person
	primary       bool     // the position is marked as the primary one
	numbered      *subject // the subject whose events this one counts
	said          int      // the number of events counted
}

// propose does what decide does, without the check that the events settle the matter.
func (o *Options) propose(id string, rows []*Row, events []hr.Event) (finding, error) {
	s := subject{Options: o, id: id, events: events}
	t := hr.Merge(id, events)
	s.place(t)
	s.choose(rows)
	row := s.row
	covered, err := s.covered()
	switch {
	case err != nil:
		return finding{}, err
	case !covered:
		return finding{outcome: elsewhere}, nil
	}
	f := finding{outcome: newer}
	if !slices.ContainsFunc(events, o.newer) {
		switch {
		case row == nil:
			f, err = s.gone(t, (*subject).absent)
		case row.Left || s.over():
			f, err = s.gone(t, (*subject).left)
		case row.unclear:
			f = s.ask(CodeUnknownStatus, "has a word for whether they have left that is not known: add it to snapshot.left.values, or to snapshot.left.present", hr.EventKey{})
		case s.several(t):
			f, err = s.jobs(t)
		default:
			f = s.present(t)
		}
	}
	if err != nil {
		return finding{}, err
	}
	f.employed, f.upcoming = s.now != nil, s.next != nil
	return f, nil
}

// newer reports whether HR said an event since the snapshot was taken.
func (o *Options) newer(e hr.Event) bool {
	return e.Recorded.After(o.AsOf) || e.Recorded.Equal(o.AsOf) && !made(e.ID)
}

// place finds the employments around the snapshot's instant. It ignores those that never
// gave access.
func (s *subject) place(t hr.Timeline) {
	for i := range t.Periods {
		p := &t.Periods[i]
		switch {
		case !p.Ends.IsZero() && !p.Ends.After(s.AsOf):
			s.last = p
		case !p.Ends.IsZero() && !p.Ends.After(p.Starts): // never gave access
		case p.Starts.After(s.AsOf):
			if s.next == nil {
				s.next = p
			}
		default:
			s.now = p
		}
	}
	for _, p := range []*hr.Period{s.now, s.last, s.next} {
		if p != nil {
			in := inForce(p, s.AsOf)
			s.profile, s.source = in.Profile, in.Event.Source
			return
		}
	}
}

// employment returns the employment that an instant lies in, or nil.
func employment(t hr.Timeline, at time.Time) *hr.Period {
	for i := range t.Periods {
		if p := &t.Periods[i]; !p.Starts.After(at) && (p.Ends.IsZero() || p.Ends.After(at)) {
			return p
		}
	}
	return nil
}

// inForce returns the profile that holds in a period at an instant.
func inForce(p *hr.Period, at time.Time) hr.EffectiveProfile {
	in := p.Profiles[0]
	for _, s := range p.Profiles {
		if !s.From.After(at) {
			in = s
		}
	}
	return in
}

// covered reports whether the snapshot covers the person, by the known profile or by the
// row's.
func (s *subject) covered() (bool, error) {
	isKnown := s.source != ""
	if s.Covers == nil {
		return !isKnown && s.row != nil || s.source == s.Source, nil
	}
	if isKnown {
		if holds, err := s.Covers(s.id, &s.profile); holds || err != nil {
			return holds, err
		}
	}
	if s.row == nil {
		return false, nil
	}
	p := s.row.over(s.profile)
	return s.Covers(s.id, &p)
}

// today returns the snapshot's date in the person's zone.
func (s *subject) today() hr.Date { return hr.DateOf(s.AsOf.In(s.zone())) }

// zone returns the time zone of the person's dates.
func (s *subject) zone() *time.Location {
	name := s.profile.Location.TimeZone
	if s.row != nil && s.row.Profile.Location.TimeZone != "" {
		name = s.row.Profile.Location.TimeZone
	}
	if zone, err := hr.LoadZone(name); err == nil {
		return zone
	}
	return time.UTC
}

// over reports whether the row's own dates say that the person has left.
func (s *subject) over() bool {
	day := s.row.end()
	return !day.IsZero() && day.Compare(s.today()) < 0
}

// end returns the last day that the row names; zero if it names none.
func (r *Row) end() hr.Date {
	if !r.LastDay.IsZero() {
		return r.LastDay
	}
	return r.Profile.EndDate
}

// absent decides about somebody who is not in the file.
func (s *subject) absent() finding {
	if !s.infers || s.now == nil || s.now.End.Cause == hr.EndTerminated {
		return finding{} // somebody with an announced last day leaves on that day
	}
	return s.leaveOn(s.today(), "absent from the snapshot of "+s.today().String())
}

// left decides about somebody who has left by the file.
func (s *subject) left() finding {
	day := s.row.end()
	switch {
	case s.now == nil && s.next != nil && s.last == nil:
		return s.ask(CodeUpcomingLeft, "is to start, but has left by the snapshot: if they are not coming, HR must rescind the hire", s.next.Opened)
	case s.now == nil:
		return finding{}
	case day.IsZero() && s.now.End.Cause == hr.EndTerminated:
		return finding{} // the announced day says the same as the file
	case day.IsZero():
		day = s.today()
	case day.Compare(hr.DateOf(s.now.Starts.In(s.zone()))) < 0:
		return s.ask(CodeEarlierEnd, "has left by the snapshot on a day before the employment that is known began: if that is over too, HR must terminate it", s.now.Opened)
	}
	return s.leaveOn(day, "left by the snapshot of "+s.today().String())
}

// leaveOn ends the employment with a day, unless it ends by then anyway.
func (s *subject) leaveOn(day hr.Date, reason string) finding {
	p := s.now
	if p == nil {
		p = s.next
	}
	if !p.Ends.IsZero() {
		known := hr.DateOf(p.Ends.Add(-1).In(s.zone()))
		switch c := known.Compare(day); {
		case c > 0:
		case c < 0 && p.End.Cause == hr.EndTerminated && s.row != nil && !s.row.LastDay.IsZero():
			return s.ask(CodeLaterEnd, "leaves later by the snapshot than the termination that is known says: HR must rescind that first", p.End.Event)
		default:
			return finding{}
		}
	}
	return finding{events: []hr.Event{s.event(hr.Event{
		Type: hr.EventTerminated, Effective: day, Termination: &hr.Termination{LastDay: day, Reason: reason},
	})}}
}

// present decides about somebody who is, or will be, at work by the file.
func (s *subject) present(t hr.Timeline) finding {
	switch {
	case s.now != nil:
		return s.compare(s.now)
	case s.last == nil && s.next != nil:
		return s.compare(s.next)
	case s.next != nil:
		return finding{} // has left and will return: the row may be about either employment
	case s.last != nil:
		return s.back()
	case len(t.Periods) > 0:
		return s.ask(CodeLeft, "was terminated before they began, but is at work by the snapshot", t.Periods[0].End.Event)
	case slices.ContainsFunc(s.events, func(e hr.Event) bool { return e.Profile != nil }):
		return s.ask(CodeRescinded, "is at work by the snapshot, but HR has rescinded all that it said of them", hr.EventKey{})
	default:
		return s.hire()
	}
}

// hire decides about somebody about whom nothing is known.
func (s *subject) hire() finding {
	profile := s.row.over(s.row.Profile)
	f := finding{events: []hr.Event{s.event(hr.Event{
		Type: hr.EventHired, Effective: profile.StartDate, Profile: &profile,
	})}}
	f.changed = differences(&hr.Profile{}, &profile)
	if day := s.row.LastDay; !day.IsZero() {
		f.events = append(f.events, s.event(hr.Event{
			Type: hr.EventTerminated, Effective: day,
			Termination: &hr.Termination{LastDay: day, Reason: "announced by the snapshot of " + s.today().String()},
		}))
	}
	return f
}

// back decides about somebody who has left and is at work by the file.
func (s *subject) back() finding {
	profile := s.row.over(s.profile)
	e := hr.Event{Profile: &profile, Effective: s.from(s.today())}
	switch {
	case s.Rehire[s.id]:
		e.Type = hr.EventRehired
		if day := profile.StartDate; s.row.Effective.IsZero() && day.StartIn(s.zone()).After(s.last.Ends.Add(-1)) {
			e.Effective = day
		}
	case s.last.End.Cause == hr.EndTerminated:
		return s.ask(CodeLeft, "has left, but is at work by the snapshot: send it again with --rehire "+s.id+
			" if they came back; if they never left, HR must rescind the termination", s.last.End.Event)
	default:
		return s.ask(CodeLeft, "had a contract that is over, but is at work by the snapshot: send it again with --rehire "+s.id+
			" if they came back or the contract goes on", s.last.End.Event)
	}
	return finding{events: []hr.Event{s.event(e)}, changed: differences(&s.profile, &profile)}
}

// from returns the day from which the row holds; the given day if the row has none.
func (s *subject) from(day hr.Date) hr.Date {
	if !s.row.Effective.IsZero() {
		return s.row.Effective
	}
	return day
}

// compare decides about somebody who is employed, or will be.
func (s *subject) compare(p *hr.Period) finding {
	at := s.AsOf
	if p == s.next {
		at = p.Starts
	}
	if since := s.from(s.today()).StartIn(s.zone()); since.After(at) && (p.Ends.IsZero() || since.Before(p.Ends)) {
		at = since // a change that is known in advance
	}
	in := inForce(p, at)
	var f finding
	profile := s.row.over(in.Profile)
	if len(differences(&in.Profile, &profile)) > 0 {
		f.changed = differences(&in.Profile, &profile)
		f.events = append(f.events, s.event(hr.Event{
			Type: kindOf(&in.Profile, &profile), Profile: &profile,
			// Not before the snapshot that it changes, or that one would still hold.
			Effective: later(s.from(s.today()), s.effective(in.Event)),
		}))
	}
	// A contract that ends before the last day ends the employment.
	contract := profile.EndDate
	if day := s.row.LastDay; !day.IsZero() && (contract.IsZero() || day.Compare(contract) <= 0) {
		s.profile = in.Profile
		leaves := s.leaveOn(day, "announced by the snapshot of "+s.today().String())
		f.events, f.question = append(f.events, leaves.events...), leaves.question
	}
	return f
}

// kindOf returns the event type that describes a change. It is for readers only, because the
// effect follows from the profile.
func kindOf(was, is *hr.Profile) hr.EventType {
	switch {
	case was.Type != is.Type:
		return hr.EventConverted
	case was.Department != is.Department || was.JobTitle != is.JobTitle || was.Company != is.Company ||
		was.CostCenter != is.CostCenter || was.Location != is.Location:
		return hr.EventTransferred
	default:
		return hr.EventUpdated
	}
}

// effective returns the effective date of a known event.
func (s *subject) effective(key hr.EventKey) hr.Date {
	for _, e := range s.events {
		if e.EventKey == key {
			return e.Effective
		}
	}
	return hr.Date{}
}

func later(a, b hr.Date) hr.Date {
	if a.Compare(b) > 0 {
		return a
	}
	return b
}

func (s *subject) ask(code Code, text string, about hr.EventKey) finding {
	return finding{question: &Question{Code: code, Text: text, Event: about}}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
