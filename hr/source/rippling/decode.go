package rippling

import (
	"time"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source"
)

// decode is the source.Decoder of one company.
func (s *system) decode(r source.Record) ([]hr.Event, []source.Warning, error) {
	n, refusal := read(r)
	if refusal != nil {
		return nil, nil, source.About(refusal, "", n.ends())
	}
	if n.employee == "" {
		return nil, []source.Warning{{Field: "event_name", Text: "is not about an employment and has no effect"}}, nil
	}
	events, warnings, err := s.events(n, r)
	return events, warnings, source.About(err, n.employee, n.ends() || ended(r.Fetched[n.employee]))
}

// ended reports whether the API's answer says that an employee is terminated.
func ended(answer []byte) bool {
	f, refusal := fetched(answer)
	return refusal == nil && source.SameWord(f.Text("roleState"), stateTerminated)
}

// events returns the events of a notification.
func (s *system) events(n notification, r source.Record) ([]hr.Event, []source.Warning, error) {
	answer, ok := r.Fetched[n.employee]
	switch {
	case !ok && !s.fetches:
		return nil, nil, &source.Error{Reason: source.ReasonThin, Field: "id", Text: "is all that Rippling says: give settings.token, so that Tenure fetches the employee"}
	case !ok:
		return nil, nil, &source.ThinError{References: []string{n.employee}}
	case answer == nil:
		return s.gone(n, r.Time)
	}
	f, refusal := fetched(answer)
	if refusal != nil {
		return nil, nil, refusal
	}
	event, warnings := s.event(n, f, r.Time)
	if refusal := f.Err(); refusal != nil {
		return nil, nil, refusal
	}
	if event == nil {
		return nil, warnings, nil
	}
	return []hr.Event{*event}, warnings, nil
}

func fetched(answer []byte) (*source.Fields, *source.Error) {
	value, refusal := source.ParseJSON(answer)
	object, ok := value.(map[string]any)
	if refusal != nil || !ok {
		return nil, &source.Error{Reason: source.ReasonMalformed, Field: "fetched", Text: "is not what Rippling's API answers: no JSON object"}
	}
	return source.NewFields(source.Flatten(object)), nil
}

// event returns the event of a notification, given the employee's present data; nil if there
// is none.
func (s *system) event(n notification, f *source.Fields, received time.Time) (*hr.Event, []source.Warning) {
	recorded, version := received, received.UTC().Format(time.RFC3339Nano)
	if text := f.Text("updatedAt"); text != "" {
		at, ok := source.ParseInstant(text)
		if !ok {
			f.Reject("updatedAt", "is not an instant")
		}
		recorded, version = at, text
	} else if received.IsZero() {
		f.Reject("updatedAt", "is missing, and so is the record's own time: nothing says when this was")
	}
	e := &hr.Event{
		EventKey: hr.EventKey{Source: s.mapping.Name, ID: source.Digest("rippling", n.event, n.company, n.employee, version)},
		PersonID: n.employee,
		Recorded: recorded.UTC(),
	}
	switch state := f.Required("roleState", "let the token read employees' role states (scope employee:roleState)"); {
	case source.SameWord(state, stateTerminated):
		return e, s.end(e, f)
	case source.SameWord(state, "INIT"):
		return nil, []source.Warning{{Field: "roleState", Text: "says that the person is not hired yet: it has no effect"}}
	case source.SameWord(state, "HIRED"), source.SameWord(state, "ACCEPTED"), source.SameWord(state, "ACTIVE"):
		s.begin(e, n, f)
	case state != "":
		f.Reject("roleState", "is not INIT, HIRED, ACCEPTED, ACTIVE or TERMINATED")
	}
	return e, nil
}

func (s *system) end(e *hr.Event, f *source.Fields) []source.Warning {
	e.Type = hr.EventTerminated
	e.Effective = f.LastDate("endDate")
	var warnings []source.Warning
	if e.Effective.IsZero() {
		// Somebody who is terminated must have no access, even if HR left the date blank.
		e.Effective = source.DayIn(e.Recorded, s.zone(f))
		warnings = []source.Warning{{Field: "endDate", Text: "is missing for a terminated employee: the day of the record counts as their last day"}}
	}
	e.Termination = &hr.Termination{LastDay: e.Effective}
	return warnings
}

func (s *system) begin(e *hr.Event, n notification, f *source.Fields) {
	if n.event == deleted {
		f.Reject("roleState", "is that of somebody who is employed, but the app may not see them any more: "+
			"if they have not left, let the app's access rules in Rippling include everybody")
		return
	}
	p := s.profile(f)
	if f.Err() != nil {
		return
	}
	day := source.DayIn(e.Recorded, p.Location.TimeZone)
	if end := f.LastDate("endDate"); end.Compare(day) >= 0 && end.Compare(p.StartDate) >= 0 {
		p.EndDate = end
	}
	e.Type, e.Effective, e.Profile = hr.EventUpdated, day, p
	upcoming := p.StartDate.Compare(day) >= 0
	if upcoming {
		e.Effective = p.StartDate
	}
	switch {
	case n.event != created && n.event != hired:
	case upcoming:
		e.Type = hr.EventHired
	default:
		e.Type = hr.EventRehired
	}
}

func (s *system) profile(f *source.Fields) *hr.Profile {
	given, family := f.Names("firstName", "lastName", "let the token read employees' names")
	p := &hr.Profile{
		Type:           s.mapping.Type(f, "employmentType"),
		GivenName:      given,
		FamilyName:     family,
		PreferredName:  f.Text("preferredFirstName"),
		WorkEmail:      f.Text("workEmail"),
		PersonalEmail:  f.Text("personalEmail"),
		Phone:          f.Text("phoneNumber"),
		EmployeeNumber: f.Text("employeeNumber"),
		JobTitle:       f.Text("title"),
		Department:     f.Text("department"),
		Location: hr.Location{
			Site:     f.Text("workLocation.city"),
			Country:  f.Text("workLocation.country"),
			TimeZone: s.zone(f),
		},
		ManagerID: f.Reference("manager"),
		StartDate: f.RequiredDate("startDate", "fill in the start date in Rippling, and let the token read it"),
	}
	p.Attributes = f.Attributes(s.attributes)
	return p
}

func (s *system) zone(f *source.Fields) string {
	return s.mapping.Zone(f, "workLocation.city", f.Text("workLocation.city"), f.Text("workLocation.state"), f.Text("workLocation.country"))
}

// gone returns the events about somebody whom Rippling no longer knows: a termination, if
// the notification says that the employment has ended.
func (s *system) gone(n notification, at time.Time) ([]hr.Event, []source.Warning, error) {
	if !n.ends() || at.IsZero() {
		return nil, nil, &source.Error{Reason: source.ReasonNotFound, Field: "id",
			Text: "names an employee whom Rippling does not know (any more), or whom the app may not see"}
	}
	at = at.UTC()
	day := source.DayIn(at, s.mapping.DefaultZone())
	return []hr.Event{{
		EventKey:    hr.EventKey{Source: s.mapping.Name, ID: source.Digest("rippling", n.event, n.company, n.employee, at.Format(time.RFC3339Nano))},
		Type:        hr.EventTerminated,
		PersonID:    n.employee,
		Recorded:    at,
		Effective:   day,
		Termination: &hr.Termination{LastDay: day, AccessEndsAt: at, Reason: "gone from Rippling"},
	}}, nil, nil
}
