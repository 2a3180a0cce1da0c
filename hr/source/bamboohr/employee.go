package bamboohr

import (
	"maps"
	"slices"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/internal/settings"
)

// The API names of the fields that are read, and the names that the field-based
// form has for them unless the webhook gives others (its own, in English).
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

// needed are the fields without which nothing can be said of somebody.
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

// wanted are the names of the fields to ask the API for.
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

// employee makes the record of an employee, by API names, of fields by the names
// that the webhook, the account or the API gives them.
func (s *system) employee(fields map[string]string) map[string]string {
	record := maps.Clone(fields)
	for name, label := range labels {
		for _, other := range []string{s.names[name], name, label} {
			value, posted := fields[other]
			if posted && other != "" {
				record[name] = value // of somebody with one name the other one is posted empty
			}
			if value != "" && other != "" {
				break
			}
		}
	}
	return record
}

// whole reports whether a record has all that is needed.
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

// startsLater reports whether the first day of an employee is after a day, or can be
// because nothing says what they are employed as yet. What has no date that can be
// read is told by the decoder.
func (s *system) startsLater(answer []byte, today hr.Date) bool {
	record, refusal := s.fetched(answer)
	if refusal != nil {
		return false
	}
	start := source.NewFields(record).Date("hireDate")
	return start.Compare(today) > 0 || !start.IsZero() && record["employmentHistoryStatus"] == ""
}

// profile is the snapshot of an employee.
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

// zone is the one in which an employee's dates are meant.
func (s *system) zone(f *source.Fields) string {
	return s.mapping.Zone(f, "location", f.Text("location"), f.Text("country"))
}

// country keeps codes. BambooHR writes names, which the zones may be given for but
// which are no code.
func country(text string) string {
	if len(text) == 2 {
		return text
	}
	return ""
}
