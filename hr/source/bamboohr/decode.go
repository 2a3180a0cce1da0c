package bamboohr

import (
	"errors"
	"slices"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source"
)

// decode is the source.Decoder of one account.
func (s *system) decode(r source.Record) ([]hr.Event, []source.Warning, error) {
	notifications, err := read(r)
	if err != nil {
		return nil, nil, err
	}
	var (
		events   []hr.Event
		warnings []source.Warning
		thin     []string
	)
	for _, n := range notifications {
		said, odd, err := s.decodeOne(n, r)
		var missing *source.ThinError
		switch {
		case errors.As(err, &missing):
			thin = append(thin, missing.References...)
		case err != nil:
			return nil, nil, s.about(err, n, notifications, r)
		}
		events, warnings = append(events, said...), append(warnings, odd...)
	}
	if len(thin) > 0 {
		slices.Sort(thin)
		return nil, nil, &source.ThinError{References: slices.Compact(thin)}
	}
	return events, warnings, nil
}

// about returns the error of a record that cannot be decoded because of one notification,
// with the person whose access the record ends, by any of its notifications.
func (s *system) about(err error, because notification, all []notification, r source.Record) error {
	for _, n := range append([]notification{because}, all...) {
		if s.ends(n, r) {
			return source.About(err, n.employee, true)
		}
	}
	return source.About(err, because.employee, false)
}

// ends reports whether a notification is the end of somebody's employment, as far as it
// can be read.
func (s *system) ends(n notification, r source.Record) bool {
	if n.action == deleted || source.SameWord(s.employee(n.fields)["status"], statusInactive) {
		return true
	}
	record, refusal := s.fetched(r.Fetched[n.employee])
	return refusal == nil && source.SameWord(record["status"], statusInactive)
}

// decodeOne returns the events of one notification of a record.
func (s *system) decodeOne(n notification, r source.Record) ([]hr.Event, []source.Warning, error) {
	record, missing, refusal := s.known(n, r)
	switch {
	case refusal != nil:
		return nil, nil, refusal
	case missing && !s.fetches && n.action == created:
		// BambooHR sends nothing more about a creation. The update that follows has the data.
		return nil, []source.Warning{{Field: n.path, Text: "is a creation without fields: its data come with the update that follows"}}, nil
	case missing && !s.fetches:
		return nil, nil, &source.Error{Reason: source.ReasonThin, Field: n.path, Text: "does not bring the fields that are needed (" +
			list(needed) + "): have the webhook post them, or give settings.companyDomain and settings.apiKey so that Tenure fetches them"}
	case missing:
		return nil, nil, &source.ThinError{References: []string{n.employee}}
	}
	f := source.NewFields(record)
	events, warnings := s.events(n, f)
	if refusal := f.Err(); refusal != nil {
		return nil, nil, refusal
	}
	return events, warnings, nil
}

// known returns the record of the employee whom a notification is about, and whether it
// is missing and has to be fetched.
func (s *system) known(n notification, r source.Record) (record map[string]string, missing bool, _ *source.Error) {
	if n.action == deleted {
		return nil, false, nil
	}
	if record := s.employee(n.fields); whole(record) {
		return record, false, nil
	}
	answer, ok := r.Fetched[n.employee]
	switch {
	case !ok:
		return nil, true, nil
	case answer == nil:
		return nil, false, &source.Error{Reason: source.ReasonNotFound, Field: n.path,
			Text: "is about an employee whom BambooHR does not know (any more), or whom the API key may not see"}
	}
	record, refusal := s.fetched(answer)
	return record, false, refusal
}

// events returns the events of a notification, given the employee's record.
func (s *system) events(n notification, f *source.Fields) ([]hr.Event, []source.Warning) {
	if n.action == deleted {
		return []hr.Event{s.gone(n)}, nil
	}
	switch status := f.Required("status", "have the webhook post it, or let Tenure fetch it (settings.apiKey)"); {
	case source.SameWord(status, "Active"):
		return s.active(n, f), nil
	case source.SameWord(status, statusInactive):
		return s.inactive(n, f)
	default:
		f.Reject("status", "is neither Active nor Inactive")
		return nil, nil
	}
}

// event returns an event with the fields that every event of a notification has.
func (s *system) event(n notification, kind hr.EventType, effective hr.Date) hr.Event {
	return hr.Event{
		EventKey:  hr.EventKey{Source: s.mapping.Name, ID: n.id()},
		Type:      kind,
		PersonID:  n.employee,
		Recorded:  n.at,
		Effective: effective,
	}
}

func (s *system) active(n notification, f *source.Fields) []hr.Event {
	profile := s.profile(f)
	end := f.LastDate("terminationDate")
	if f.Err() != nil {
		return nil
	}
	day := source.DayIn(n.at, profile.Location.TimeZone)
	if end.Compare(day) >= 0 && end.Compare(profile.StartDate) >= 0 {
		profile.EndDate = end
	}
	// Somebody who comes back with a new hire date begins again on that day. With the same
	// hire date, their employment goes on from the day on which BambooHR said so.
	kind, effective := hr.EventUpdated, day
	switch {
	case n.action == created:
		kind = hr.EventHired
	case n.mentions(s, "status"):
		kind = hr.EventRehired
	}
	if kind == hr.EventHired || kind == hr.EventRehired && n.mentions(s, "hireDate") || profile.StartDate.Compare(day) > 0 {
		effective = profile.StartDate
	}
	snapshot := s.event(n, kind, effective)
	snapshot.Profile = profile
	return []hr.Event{snapshot}
}

func (s *system) inactive(n notification, f *source.Fields) ([]hr.Event, []source.Warning) {
	end := f.LastDate("terminationDate")
	zone := s.zone(f)
	if f.Err() != nil {
		return nil, nil
	}
	if !end.IsZero() {
		return []hr.Event{s.ending(n, end)}, nil
	}
	// Somebody who is inactive must have no access, even if HR left the date blank.
	return []hr.Event{s.ending(n, source.DayIn(n.at, zone))}, []source.Warning{{
		Field: "terminationDate", Text: "is missing for an inactive employee: the day of the record counts as their last day",
	}}
}

func (s *system) ending(n notification, last hr.Date) hr.Event {
	e := s.event(n, hr.EventTerminated, last)
	e.Termination = &hr.Termination{LastDay: last}
	return e
}

// gone returns the termination of somebody whose record was deleted. Access ends at once.
func (s *system) gone(n notification) hr.Event {
	e := s.event(n, hr.EventTerminated, source.DayIn(n.at, s.mapping.DefaultZone()))
	e.Termination = &hr.Termination{LastDay: e.Effective, AccessEndsAt: n.at, Reason: "deleted in BambooHR"}
	return e
}

// mentions reports whether a field is among those that changed, by whatever name.
func (n *notification) mentions(s *system, name string) bool {
	return slices.ContainsFunc(n.changed, func(changed string) bool {
		return changed == name || changed == labels[name] || s.names[name] != "" && changed == s.names[name]
	})
}
