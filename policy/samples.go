package policy

import (
	"errors"
	"time"

	"github.com/tenurehq/tenure/hr"
)

// sample is an invented person for testing the naming expressions.
type sample struct {
	who     string
	profile hr.Profile
}

// samples returns people with names that authors of expressions rarely think of.
func samples() []sample {
	named := func(who, given, family string) sample {
		return sample{who, hr.Profile{
			Type: hr.TypeEmployee, GivenName: given, FamilyName: family,
			WorkEmail: "sample@example.com", PersonalEmail: "sample@example.org", Phone: "+49 30 1234567", EmployeeNumber: "10042",
			JobTitle: "Engineer", Department: "Development", CostCenter: "4711", Company: "Example",
			Location: hr.Location{Site: "Berlin", Country: "DE", TimeZone: "Europe/Berlin"}, ManagerID: "10001",
			StartDate: hr.Date{Year: 2026, Month: time.January, Day: 1},
		}}
	}
	return []sample{
		named("an ordinary name", "Maximiliane", "Musterfrau"),
		named("a family name of one letter", "Jo", "O"),
		named("a given name of one letter", "X", "Li"),
		named("one name only, the family name", "", "Suharto"),
		named("one name only, the given name", "Sukarno", ""),
		named("names in Chinese characters", "小龍", "李"),
	}
}

// trySamples evaluates the naming expressions with the samples. Otherwise an expression that
// fails for some name would only be noticed on that person's first day.
func (c *compiler) trySamples(p *Policy) {
	for _, naming := range []struct {
		path string
		is   *expression
	}{{"person.username", p.username}, {"person.email", p.email}} {
		if naming.is == nil {
			continue // the fault is reported already
		}
		for _, s := range samples() {
			_, err := naming.is.eval(variablesOf(Identity{PersonID: "10042", Username: "sample"}, &s.profile))
			if err == nil {
				continue
			}
			failure := &FieldError{Path: naming.path}
			errors.As(err, &failure)
			failure.Text += ": it fails for somebody with " + s.who + ", so give those another name by a condition (size(person.givenName) > 1 ? ... : ...)"
			c.problems = append(c.problems, failure)
			break
		}
	}
}
