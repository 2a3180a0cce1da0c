package evidence

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator/report"
)

// HRRecord is what HR said, and where it is in Kafka.
type HRRecord struct {
	Source    string       `json:"source,omitempty"`
	Event     string       `json:"event,omitempty"`
	Type      hr.EventType `json:"type,omitempty"`
	Topic     string       `json:"topic,omitempty"` // empty: it did not come from Kafka
	Partition int          `json:"partition"`
	Offset    int64        `json:"offset"`
	Seq       int64        `json:"seq,omitempty"` // of the event in the ledger
	Recorded  time.Time    `json:"recorded,omitzero"`
	Received  time.Time    `json:"received,omitzero"`
}

// Moment is somebody who left, joined or moved, and what HR said of it.
type Moment struct {
	Person     string    `json:"person"`
	Name       string    `json:"name,omitempty"`
	Department string    `json:"department,omitempty"`
	What       string    `json:"what"`
	At         time.Time `json:"at"` // when access had to change, as HR says
	HR         HRRecord  `json:"hr"`
	Accounts   int       `json:"accounts"` // that had to change
	Open       int       `json:"open"`     // of which that is not proven
	Late       int       `json:"late"`     // of which it was proven too late, or is not and its time is over
}

// Event is an event of HR, and what came of it.
type Event struct {
	Person    string  `json:"person"`
	Effective hr.Date `json:"effective"`
	HRRecord
	Effect string  `json:"effect"`
	Rows   []int64 `json:"rows"` // that name it
}

// What came of events. Each event is exactly one of these.
const (
	effectChanged   = "changed"   // accounts were changed because of it
	effectInForce   = "in force"  // it is a part of what HR says of the person, and no account was changed because of it
	effectWaits     = "waits"     // it contradicts others, and waits for an operator, or an operator has let it be
	effectRescinds  = "rescinds"  // it takes another one back
	effectRescinded = "rescinded" // it was taken back
	effectReplaced  = "replaced"  // others have replaced it
)

// subject is a person with what the ledger knows.
type subject struct {
	ledger.Person
	timeline hr.Timeline
	rows     []ledger.AuditRow // by time
	stored   map[hr.EventKey]ledger.StoredEvent
	named    map[string][]ledger.AuditRow // changes, by the ID of the event that they name
	steps    []ledger.Step
	tasks    []ledger.Task
}

// readPeople writes down the people of the scope.
func (k *maker) readPeople() error {
	if k.Review != "" {
		return nil
	}
	for _, f := range []string{"leavers.jsonl", "leavers-access.jsonl", "joiners.jsonl", "joiners-access.jsonl", "movers.jsonl", "movers-access.jsonl", "events.jsonl"} {
		if _, err := k.listing(f); err != nil {
			return err
		}
	}
	if k.Person != "" {
		return k.person(k.Person)
	}
	for s, err := range ledger.AllPeople(k.ctx, k.Ledger, "") {
		if err != nil {
			return err
		}
		if err := k.person(s.PersonID); err != nil {
			return err
		}
	}
	return nil
}

// person writes down one person.
func (k *maker) person(id string) error {
	s, err := k.subject(id)
	if err != nil {
		return err
	}
	if !s.ErasedAt.IsZero() && (k.Person != "" || slices.ContainsFunc(s.rows, func(r ledger.AuditRow) bool { return r.App != "" && k.of(r.App) && k.holds(r.At) })) {
		k.tally.erased = append(k.tally.erased, id)
	}
	if err := k.events(s); err != nil {
		return err
	}
	if err := k.compareLinks(s); err != nil || s.CarriedTo != "" { // the rest is told of the ID that they have now
		return err
	}
	for i, p := range s.timeline.Periods {
		next := time.Time{}
		if i+1 < len(s.timeline.Periods) {
			next = s.timeline.Periods[i+1].Starts
		}
		if err := k.employment(s, p, next); err != nil {
			return err
		}
	}
	return nil
}

// subject reads a person.
func (k *maker) subject(id string) (*subject, error) {
	p, err := k.Ledger.Person(k.ctx, id)
	if err != nil {
		return nil, err
	}
	s := &subject{Person: p, timeline: assess.TimelineOf(p), stored: map[hr.EventKey]ledger.StoredEvent{}, named: map[string][]ledger.AuditRow{}}
	ids := []string{id}
	for _, e := range p.Earlier {
		ids = append(ids, e.PersonID)
	}
	for _, e := range s.said() {
		s.stored[e.Event.EventKey] = e
	}
	for _, id := range ids {
		k.people[id] = true
		for row, err := range ledger.AllAudit(k.ctx, k.Ledger, id, 0) {
			if err != nil {
				return nil, err
			}
			s.rows = append(s.rows, row)
		}
	}
	byTime(s.rows)
	events := map[string]bool{}
	for key := range s.stored {
		events[key.ID] = true
	}
	for _, row := range s.rows {
		_, change := row.Detail[ledger.DetailHas]
		if event, ok := namesEvent(row.Cause, events); ok && change {
			s.named[event] = append(s.named[event], row)
		}
	}
	return s, nil
}

// said returns what HR said of the person, under all their IDs.
func (s *subject) said() []ledger.StoredEvent {
	all := slices.Clone(s.Events)
	for _, e := range s.Earlier {
		all = append(all, e.Events...)
	}
	return all
}

// namesEvent returns the event that the cause of a row names at its end: "leaver (e-12)".
func namesEvent(cause string, known map[string]bool) (id string, ok bool) {
	whole, closed := strings.CutSuffix(cause, ")")
	for rest := whole; closed; {
		_, after, found := strings.Cut(rest, " (")
		if !found {
			return "", false
		}
		if known[after] {
			return after, true
		}
		rest = after
	}
	return "", false
}

// recordOf returns what HR said in an event.
func (s *subject) recordOf(key hr.EventKey) HRRecord {
	stored, there := s.stored[key]
	if !there {
		return HRRecord{Source: key.Source, Event: key.ID}
	}
	return recordOf(stored)
}

func recordOf(e ledger.StoredEvent) HRRecord {
	return HRRecord{
		Source: e.Event.Source, Event: e.Event.ID, Type: e.Event.Type, Topic: e.From.Topic, Partition: e.From.Partition, Offset: e.From.Offset,
		Seq: e.Seq, Recorded: e.Event.Recorded, Received: e.At,
	}
}

// employment writes down who joined, moved and left. Next is when the next employment begins.
func (k *maker) employment(s *subject, p hr.Period, next time.Time) error {
	if !p.Ends.IsZero() && !p.Ends.After(p.Starts) {
		return nil // it never gave access
	}
	if k.holds(p.Starts) && !p.Starts.After(k.Now) {
		if err := k.joined(s, p); err != nil {
			return err
		}
	}
	for i, profile := range p.Profiles {
		if i == 0 || !k.holds(profile.From) || profile.From.After(k.Now) {
			continue
		}
		if err := k.moved(s, p.Profiles[i-1], profile); err != nil {
			return err
		}
	}
	goesOn := !next.IsZero() && !next.After(p.Ends)
	if p.Ends.IsZero() || goesOn || !k.holds(p.Ends) || p.Ends.After(k.Now) {
		return nil
	}
	return k.left(s, p, next)
}

// moment returns somebody of whom HR said something.
func (s *subject) moment(what string, at time.Time, department string, event hr.EventKey) Moment {
	return Moment{Person: s.PersonID, Name: nameOf(s.Summary), Department: department, What: what, At: at.UTC(), HR: s.recordOf(event)}
}

// profileAt returns the profile in force at the end of an employment.
func profileAt(p hr.Period, at time.Time) hr.Profile {
	profile := p.Profiles[0].Profile
	for _, q := range p.Profiles {
		if q.From.Before(at) {
			profile = q.Profile
		}
	}
	return profile
}

// write writes down a moment, and what had to change because of it.
func (k *maker) write(m Moment, file string, changes []Access) error {
	kept := changes[:0]
	for _, a := range changes {
		if k.of(a.App) {
			kept = append(kept, a)
		}
	}
	if k.App != "" && len(kept) == 0 {
		return nil // they had nothing in that app
	}
	for _, a := range kept {
		m.Accounts++
		if a.Open {
			m.Open++
		}
		if a.Late {
			m.Late++
		}
		if err := k.emit(file+"-access.jsonl", a); err != nil {
			return err
		}
	}
	return k.emit(file+".jsonl", m)
}

// left writes down somebody who left.
func (k *maker) left(s *subject, p hr.Period, next time.Time) error {
	if err := k.works(s); err != nil {
		return err
	}
	m := s.moment(string(p.End.Cause), p.Ends, profileAt(p, p.Ends).Department, p.End.Event)
	changes := k.takenFrom(s, m, next)
	for _, a := range changes {
		if !k.of(a.App) {
			continue
		}
		k.tally.toTake++
		if !a.Again.IsZero() {
			k.tally.again++
		}
		if a.Open {
			k.tally.on = append(k.tally.on, s.PersonID+" in "+a.App)
		}
		if a.Late {
			k.tally.late++
		}
	}
	return k.write(m, "leavers", changes)
}

// joined writes down somebody who joined.
func (k *maker) joined(s *subject, p hr.Period) error {
	if err := k.works(s); err != nil {
		return err
	}
	m := s.moment("joined", p.Starts, p.Profiles[0].Profile.Department, p.Opened)
	return k.write(m, "joiners", k.givenTo(s, m, p))
}

// moved writes down somebody whose profile changed.
func (k *maker) moved(s *subject, before, after hr.EffectiveProfile) error {
	rows := s.named[after.Event.ID]
	if len(rows) == 0 && before.Profile.Department == after.Profile.Department && before.Profile.JobTitle == after.Profile.JobTitle && before.Profile.ManagerID == after.Profile.ManagerID {
		return nil // nothing that anybody decides by
	}
	if err := k.works(s); err != nil {
		return err
	}
	what := "moved"
	if before.Profile.Department != after.Profile.Department {
		what = "moved from " + before.Profile.Department
	}
	m := s.moment(what, after.From, after.Profile.Department, after.Event)
	return k.write(m, "movers", k.movedBy(s, m, rows))
}

// works reads the steps and tasks of a person, once.
func (k *maker) works(s *subject) (err error) {
	if s.steps != nil {
		return nil
	}
	if s.steps, err = ledger.Collect(ledger.AllSteps(k.ctx, k.Ledger, ledger.StepFilter{PersonID: s.PersonID})); err != nil {
		return err
	}
	s.steps = append(s.steps, ledger.Step{}) // they were read
	s.tasks, err = ledger.Collect(ledger.AllTasks(k.ctx, k.Ledger, ledger.TaskFilter{PersonID: s.PersonID}))
	return err
}

// events writes down what HR said of a person in the scope's time, and what came of it.
func (k *maker) events(s *subject) error {
	inForce, waits, rescinded := map[hr.EventKey]bool{}, map[hr.EventKey]bool{}, map[hr.EventKey]bool{}
	periods := slices.Clone(s.timeline.Periods)
	for _, p := range s.timeline.Positions {
		periods = append(periods, p.Periods...)
	}
	for _, p := range periods {
		inForce[p.Opened], inForce[p.End.Event] = true, true
		for _, profile := range p.Profiles {
			inForce[profile.Event] = true
		}
	}
	for _, i := range slices.Concat(s.timeline.Absences, s.timeline.Suspensions) {
		inForce[i.Event] = true
	}
	for _, c := range s.timeline.Conflicts {
		waits[c.Event] = true
	}
	for _, e := range s.said() {
		if e.Event.Rescinds != "" {
			source := e.Event.RescindsSource
			if source == "" {
				source = e.Event.Source
			}
			rescinded[hr.EventKey{Source: source, ID: e.Event.Rescinds}] = true
		}
	}
	for _, stored := range s.Events {
		k.offset(stored.From, stored.At, counted)
		if !k.holds(stored.At) {
			continue
		}
		e := Event{Person: s.PersonID, Effective: stored.Event.Effective, HRRecord: recordOf(stored), Rows: k.cite(s.named[stored.Event.ID]...)}
		key := stored.Event.EventKey
		switch {
		case waits[key]:
			e.Effect = effectWaits
		case rescinded[key]:
			e.Effect = effectRescinded
		case len(e.Rows) > 0:
			e.Effect = effectChanged
		case stored.Event.Type == hr.EventRescinded:
			e.Effect = effectRescinds
		case inForce[key]:
			e.Effect = effectInForce
		default:
			e.Effect = effectReplaced
		}
		k.effects[e.Effect]++
		if err := k.emit("events.jsonl", e); err != nil {
			return err
		}
	}
	return nil
}

// compareLinks compares what the ledger believes that somebody has with what the record says.
func (k *maker) compareLinks(s *subject) error {
	has := report.AccessAt(s.rows, k.Now)
	if len(s.Earlier) > 0 || s.CarriedTo != "" {
		var err error
		if has, err = report.AccessOf(k.ctx, k.Ledger, s.PersonID, k.Now); err != nil {
			return err
		}
	}
	for _, link := range s.Links {
		if !k.of(link.App) || link.State == ledger.LinkPlanned {
			continue
		}
		state := ledger.LinkDeleted
		if i := slices.IndexFunc(has, func(a report.AccessThen) bool { return a.App == link.App }); i >= 0 {
			state = has[i].State
		}
		k.tally.links++
		if state != link.State {
			k.tally.differ = append(k.tally.differ, fmt.Sprintf("%s in %s: %s, and the record says %s", s.PersonID, link.App, link.State, state))
		}
	}
	return nil
}
