package bamboohr

import (
	"maps"
	"slices"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/internal/settings"
)

// labels holds the fields that are read: their API names, and their English names, which
// the field-based form uses unless the webhook is set up with other names.
var labels = map[string]string{
	"status":                  "Status",
	"hireDate":                "Hire Date",
	"terminationDate":         "Termination Date",
	"firstName":               "First Name",
	"lastName":                "Last Name",
	"preferredName":           "Preferred Name",
	"workEmail":               "Work Email",
	"homeEmail":               "Home Email",
	"workPhone":               "Work Phone",
	"employeeNumber":          "Employee #",
	"jobTitle":                "Job Title",
	"department":              "Department",
	"division":                "Division",
	"location":                "Location",
	"country":                 "Country",
	"supervisorEId":           "Supervisor EID",
	"employmentHistoryStatus": "Employment Status",
}

// needed lists the fields without which an employee cannot be decoded.
var needed = []string{"status", "hireDate", "firstName", "lastName", "employmentHistoryStatus"}

// fieldNames reads the setting fields.
func fieldNames(set *settings.Values) map[string]string {
	names := set.Map("fields")
	for name := range names {
		if _, ok := labels[name]; !ok {
			set.Reject("fields", "maps a field that Tenure does not read; it reads "+list(slices.Sorted(maps.Keys(labels))))
			break
		}
	}
	return names
}

func list(names []string) string {
	text := ""
	for i, name := range names {
		if i > 0 {
			text += ", "
		}
		text += name
	}
	return text
}

// wanted returns the names of the fields to ask the API for.
func (s *system) wanted() []string {
	var names []string
	for name := range labels {
		if other := s.names[name]; other != "" {
			name = other
		}
		names = append(names, name)
	}
	names = slices.AppendSeq(names, maps.Values(s.attributes))
	slices.Sort(names)
	return slices.Compact(names)
}

// employee returns an employee's fields by their API names. The given fields may have the
// names of the webhook, of the account or of the API.
func (s *system) employee(fields map[string]string) map[string]string {
	record := maps.Clone(fields)
	for name, label := range labels {
		for _, other := range []string{s.names[name], name, label} {
			value, posted := fields[other]
			if posted && other != "" {
				record[name] = value // kept if empty: some people have only one name
			}
			if value != "" && other != "" {
				break
			}
		}
	}
	return record
}

// whole reports whether a record has all fields that are needed.
func whole(record map[string]string) bool {
	named := record["firstName"] != "" || record["lastName"] != ""
	return named && !slices.ContainsFunc(needed, func(name string) bool {
		value, posted := record[name]
		return value == "" && (!posted || name != "firstName" && name != "lastName")
	})
}

// fetched reads the API's answer.
func (s *system) fetched(answer []byte) (map[string]string, *source.Error) {
	value, refusal := source.ParseJSON(answer)
	if refusal != nil {
		return nil, &source.Error{Reason: source.ReasonMalformed, Field: "fetched", Text: "is not what BambooHR's API answers: no JSON"}
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, &source.Error{Reason: source.ReasonMalformed, Field: "fetched", Text: "is not what BambooHR's API answers: no object"}
	}
	return s.employee(flatten(object)), nil
}

// startsLater reports whether an employee's first day is after today, or may be, because
// they have no employment status yet. It reports false for an answer without a date that
// it can read: the decoder refuses that one.
func (s *system) startsLater(answer []byte, today hr.Date) bool {
	record, refusal := s.fetched(answer)
	if refusal != nil {
		return false
	}
	start := source.NewFields(record).Date("hireDate")
	return start.Compare(today) > 0 || !start.IsZero() && record["employmentHistoryStatus"] == ""
}

// profile returns the snapshot of an employee.
func (s *system) profile(f *source.Fields) *hr.Profile {
	given, family := f.Names("firstName", "lastName", "have the webhook post it, or let Tenure fetch it (settings.apiKey)")
	p := &hr.Profile{
		Type:           s.mapping.Type(f, "employmentHistoryStatus"),
		GivenName:      given,
		FamilyName:     family,
		PreferredName:  f.Text("preferredName"),
		WorkEmail:      f.Text("workEmail"),
		PersonalEmail:  f.Text("homeEmail"),
		Phone:          f.Text("workPhone"),
		EmployeeNumber: f.Text("employeeNumber"),
		JobTitle:       f.Text("jobTitle"),
		Department:     f.Text("department"),
		Company:        f.Text("division"),
		Location: hr.Location{
			Site:     f.Text("location"),
			Country:  country(f.Text("country")),
			TimeZone: s.zone(f),
		},
		ManagerID: f.Reference("supervisorEId"),
		StartDate: f.RequiredDate("hireDate", "fill in the hire date in BambooHR"),
	}
	p.Attributes = f.Attributes(s.attributes)
	return p
}

// zone returns the time zone of an employee's dates.
func (s *system) zone(f *source.Fields) string {
	return s.mapping.Zone(f, "location", f.Text("location"), f.Text("country"))
}

// country returns a country code, and an empty text for a name. BambooHR writes names. The
// setting zones may use those, but a profile holds codes only.
func country(text string) string {
	if len(text) == 2 {
		return text
	}
	return ""
}
