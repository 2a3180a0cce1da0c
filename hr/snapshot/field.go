package snapshot

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tenurehq/tenure/hr"
)

// The fields with a special meaning, named as in the data of an event.
const (
	FieldPersonID  = "workerId"
	FieldPosition  = "positionId"
	FieldEffective = "effectiveDate"
	FieldLastDay   = "termination.lastDayOfWork"
	FieldType      = "worker.workerType"
	FieldGiven     = "worker.givenName"
	FieldFamily    = "worker.familyName"
	FieldStart     = "worker.startDate"
	FieldEnd       = "worker.endDate"
	FieldZone      = "worker.location.timeZone"
	FieldManager   = "worker.managerId"

	attributePrefix = "worker.attributes."
)

// requiredFields must have a value in every row. So must one of FieldGiven and
// FieldFamily: some people have only one name.
var requiredFields = []string{FieldPersonID, FieldType, FieldStart, FieldZone}

// texts holds the fields of a profile that are texts.
var texts = map[string]func(*hr.Profile) *string{
	FieldType:                 func(p *hr.Profile) *string { return (*string)(&p.Type) },
	FieldGiven:                func(p *hr.Profile) *string { return &p.GivenName },
	FieldFamily:               func(p *hr.Profile) *string { return &p.FamilyName },
	"worker.preferredName":    func(p *hr.Profile) *string { return &p.PreferredName },
	"worker.workEmail":        func(p *hr.Profile) *string { return &p.WorkEmail },
	"worker.personalEmail":    func(p *hr.Profile) *string { return &p.PersonalEmail },
	"worker.phone":            func(p *hr.Profile) *string { return &p.Phone },
	"worker.employeeNumber":   func(p *hr.Profile) *string { return &p.EmployeeNumber },
	"worker.jobTitle":         func(p *hr.Profile) *string { return &p.JobTitle },
	"worker.department":       func(p *hr.Profile) *string { return &p.Department },
	"worker.costCenter":       func(p *hr.Profile) *string { return &p.CostCenter },
	"worker.company":          func(p *hr.Profile) *string { return &p.Company },
	"worker.location.site":    func(p *hr.Profile) *string { return &p.Location.Site },
	"worker.location.country": func(p *hr.Profile) *string { return &p.Location.Country },
	FieldZone:                 func(p *hr.Profile) *string { return &p.Location.TimeZone },
	FieldManager:              func(p *hr.Profile) *string { return &p.ManagerID },
}

// dates holds the fields of a row that are dates.
var dates = map[string]func(*Row) *hr.Date{
	FieldEffective: func(r *Row) *hr.Date { return &r.Effective },
	FieldLastDay:   func(r *Row) *hr.Date { return &r.LastDay },
	FieldStart:     func(r *Row) *hr.Date { return &r.Profile.StartDate },
	FieldEnd:       func(r *Row) *hr.Date { return &r.Profile.EndDate },
}

// Fields returns the names of the fields to which a column can be mapped, sorted. Besides
// them there is worker.attributes.NAME, for any name.
func Fields() []string {
	names := append(slices.Collect(maps.Keys(texts)), FieldPersonID, FieldPosition)
	return slices.Sorted(slices.Values(append(names, slices.Collect(maps.Keys(dates))...)))
}

// attribute returns the name of a field's attribute, and reports whether the field is one.
func attribute(field string) (name string, ok bool) {
	name, ok = strings.CutPrefix(field, attributePrefix)
	return name, ok && name != ""
}

// known reports whether there is a field with a name.
func known(field string) bool {
	_, isAttribute := attribute(field)
	return isAttribute || field == FieldPersonID || field == FieldPosition || texts[field] != nil || dates[field] != nil
}

// Row is a row of the file: it is about one person, or about one of their positions.
type Row struct {
	Line       int // line where it begins, from 1
	PersonID   string
	PositionID string     // ID of the position; empty if the file does not say
	Profile    hr.Profile // fields without a column are empty
	Effective  hr.Date    // day from which it holds; zero if the file does not say
	LastDay    hr.Date    // last day of work; zero if the file does not say
	Left       bool       // marked as somebody who has left
	Primary    bool       // marked as the primary one of several

	mapped  []string        // fields with a column; shared by all rows, so never changed
	missing map[string]bool // fields among mapped whose value the file has lost
	unclear bool            // the word in the column for people who have left is not known
	done    bool            // the row's position is over at the snapshot's instant
}

// content returns a digest of a row's content, without its line and the primary mark.
func (r *Row) content() [sha256.Size]byte {
	said := *r
	said.Line, said.Primary = 0, false
	text, err := json.Marshal(said)
	if err != nil {
		text = fmt.Append(nil, said) // does not happen: JSON can hold every row
	}
	return sha256.Sum256(text)
}

// over returns the known profile, with the row's values in place of its own.
func (r *Row) over(known hr.Profile) hr.Profile {
	p := known
	p.Attributes = maps.Clone(known.Attributes)
	for _, field := range r.mapped {
		if r.missing[field] {
			continue
		}
		if at := texts[field]; at != nil {
			*at(&p) = *at(&r.Profile)
		}
		if name, ok := attribute(field); ok {
			delete(p.Attributes, name)
			if value := r.Profile.Attributes[name]; value != "" {
				if p.Attributes == nil {
					p.Attributes = map[string]string{}
				}
				p.Attributes[name] = value
			}
		}
	}
	if slices.Contains(r.mapped, FieldStart) && !r.missing[FieldStart] {
		p.StartDate = r.Profile.StartDate
	}
	if slices.Contains(r.mapped, FieldEnd) && !r.missing[FieldEnd] {
		p.EndDate = r.Profile.EndDate
	}
	if len(p.Attributes) == 0 {
		p.Attributes = nil
	}
	return p
}

// Difference is one field in which two profiles differ. Its values are personal
// data.
type Difference struct {
	Field string `json:"field"`
	Was   string `json:"was,omitempty"`
	Is    string `json:"is,omitempty"`
}

// differences lists the fields in which profiles differ, by name.
func differences(was, is *hr.Profile) []Difference {
	var list []Difference
	add := func(field, was, is string) {
		if was != is {
			list = append(list, Difference{Field: field, Was: was, Is: is})
		}
	}
	for field, at := range texts {
		add(field, *at(was), *at(is))
	}
	add(FieldStart, was.StartDate.String(), is.StartDate.String())
	add(FieldEnd, was.EndDate.String(), is.EndDate.String())
	names := map[string]bool{}
	for name := range was.Attributes {
		names[name] = true
	}
	for name := range is.Attributes {
		names[name] = true
	}
	for name := range names {
		add(attributePrefix+name, was.Attributes[name], is.Attributes[name])
	}
	slices.SortFunc(list, func(a, b Difference) int { return strings.Compare(a.Field, b.Field) })
	return list
}
