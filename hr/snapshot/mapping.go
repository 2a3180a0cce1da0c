package snapshot

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/internal/nearest"
)

// Mapping tells what the columns of a file mean.
type Mapping struct {
	Columns    map[string]string            // field -> name of its column; in JSONL, a.b is b in the object a
	Defaults   map[string]string            // field -> its value where the file has none
	Values     map[string]map[string]string // field -> word in the file -> its meaning
	DateFormat DateFormat                   // the format of all dates
	Left       Marker                       // marks the rows of people who have left
	Primary    Marker                       // marks the primary row of somebody with several positions
}

// Marker is a column whose values mark rows, such as those of people who have left. Without
// a column no row is marked. Values are compared by hr.SameWord.
type Marker struct {
	Column  string
	Values  []string // words for people who have left
	Present []string // further words, besides present, for people who are employed
}

// present lists the words that mean in every file that somebody is employed.
var present = []string{"active", "employed", "current", "working", "onboarding", "on leave", "leave"}

// reads reports whether a text marks somebody who has left, and whether that is unclear: a
// word that is not configured means neither. An empty text means employed.
func (m Marker) reads(text string) (left, unclear bool) {
	same := func(word string) bool { return word == text || hr.SameWord(word, text) && hr.Word(word) != "" }
	switch {
	case slices.ContainsFunc(m.Values, same):
		return true, false
	case text == "", slices.ContainsFunc(m.Present, same), slices.ContainsFunc(present, same):
		return false, false
	}
	return false, true
}

// FieldError describes a fault in one part of a mapping.
type FieldError struct {
	Path string // "columns.workerId"
	Text string
}

func (e *FieldError) Error() string { return e.Path + ": " + e.Text }

// Check returns an error that joins a *FieldError for every fault of the mapping; nil if there
// is none.
func (m Mapping) Check() error {
	var problems []error
	fail := func(path, text string) { problems = append(problems, &FieldError{Path: path, Text: text}) }
	named := func(part string, fields []string) {
		for _, field := range fields {
			if !known(field) {
				fail(part+"."+field, "there is no field of that name"+nearest.Hint(field, Fields()))
			}
		}
	}
	named("columns", slices.Sorted(maps.Keys(m.Columns)))
	named("defaults", slices.Sorted(maps.Keys(m.Defaults)))
	named("values", slices.Sorted(maps.Keys(m.Values)))
	for _, field := range requiredFields {
		switch {
		case m.Columns[field] != "":
		case field == FieldPersonID:
			fail("columns", "the column of "+field+" is missing")
		case m.Defaults[field] == "":
			fail("columns", "the column of "+field+" is missing, and it has no default either")
		}
	}
	if m.Columns[FieldGiven] == "" && m.Columns[FieldFamily] == "" {
		fail("columns", "the columns of "+FieldGiven+" and "+FieldFamily+" are missing: people have at least one of them")
	}
	if _, ok := m.Defaults[FieldPersonID]; ok {
		fail("defaults."+FieldPersonID, "people cannot share an ID")
	}
	if _, ok := m.Defaults[FieldPosition]; ok {
		fail("defaults."+FieldPosition, "positions cannot share an ID")
	}
	for _, field := range slices.Sorted(maps.Keys(m.Defaults)) {
		if known(field) && field != FieldPersonID {
			if problem := m.set(&Row{}, field, m.Defaults[field]); problem != "" {
				fail("defaults."+field, problem)
			}
		}
	}
	if (m.Left.Column == "") != (len(m.Left.Values) == 0) {
		fail("left", "needs both a column and values")
	}
	if (m.Primary.Column == "") != (len(m.Primary.Values) == 0) {
		fail("primary", "needs both a column and values")
	}
	return errors.Join(problems...)
}

// columns returns the names of the columns that are read, sorted.
func (m Mapping) columns() []string {
	names := slices.Collect(maps.Values(m.Columns))
	if m.Left.Column != "" {
		names = append(names, m.Left.Column)
	}
	if m.Primary.Column != "" {
		names = append(names, m.Primary.Column)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// fields returns the fields that have a column, sorted.
func (m Mapping) fields() []string { return slices.Sorted(maps.Keys(m.Columns)) }

// meant returns the value by which the configuration replaces a word of a field.
func (m Mapping) meant(field, text string) (string, bool) {
	if meant, ok := m.Values[field][text]; ok {
		return meant, true
	}
	if hr.Word(text) == "" {
		return "", false
	}
	for _, word := range slices.Sorted(maps.Keys(m.Values[field])) {
		if hr.SameWord(word, text) {
			return m.Values[field][word], true
		}
	}
	return "", false
}

// row returns the Row of a record. get returns the text of a column. row calls fail for every
// field that is wrong, with its column ("" if it has none) and the problem.
func (m Mapping) row(line int, fields []string, get func(column string) string, fail func(column, field, problem string)) *Row {
	row := &Row{Line: line, mapped: fields}
	row.Primary = m.Primary.Column != "" && slices.ContainsFunc(m.Primary.Values, func(is string) bool {
		return strings.EqualFold(is, hr.Text(get(m.Primary.Column)))
	})
	if m.Left.Column != "" {
		row.Left, row.unclear = m.Left.reads(get(m.Left.Column))
	}
	for _, field := range fields {
		column := m.Columns[field]
		text := get(column)
		if !isID(field) {
			text = hr.Text(text)
		}
		if meant, ok := m.meant(field, text); ok {
			text = meant
		} else if text, ok = value(field, text); !ok {
			if row.missing == nil {
				row.missing = map[string]bool{}
			}
			row.missing[field] = true
		}
		if text == "" {
			text = m.Defaults[field]
		}
		switch {
		case text == "" && (slices.Contains(requiredFields, field) || row.missing[field] && isName(field)) && (field == FieldPersonID || !row.Left):
			fail(column, field, "is empty")
		case text != "":
			if problem := m.set(row, field, text); problem != "" {
				fail(column, field, problem)
			}
		}
	}
	for field, text := range m.Defaults {
		if m.Columns[field] == "" {
			_ = m.set(row, field, text) // Check has tested it
		}
	}
	lost := row.missing[FieldGiven] || row.missing[FieldFamily] // that is an error already
	if row.Profile.GivenName == "" && row.Profile.FamilyName == "" && !row.Left && !lost {
		field := FieldFamily
		if m.Columns[field] == "" {
			field = FieldGiven
		}
		fail(m.Columns[field], field, "is empty, and there is no other name either")
	}
	return row
}

// set sets a field of a row. It returns the problem if the text is wrong, and never quotes it.
func (m Mapping) set(row *Row, field, text string) (problem string) {
	if len(text) > hr.LongestText {
		return fmt.Sprintf("is longer than %d bytes", hr.LongestText)
	}
	if name, ok := attribute(field); ok {
		if row.Profile.Attributes == nil {
			row.Profile.Attributes = map[string]string{}
		}
		row.Profile.Attributes[name] = text
		return ""
	}
	if at := dates[field]; at != nil {
		d, problem := m.DateFormat.parse(text)
		if problem == "" && d.IsZero() {
			if slices.Contains(requiredFields, field) {
				problem = "is empty"
			}
			return problem
		}
		if d.Year > lastYear && (field == FieldEnd || field == FieldLastDay) {
			d = hr.Date{} // HR systems write such a date for none
		} else if problem == "" && (d.Year < firstYear || d.Year > lastYear) {
			problem = "is not in a plausible year (1900 to 2199)"
		}
		*at(row) = d
		return problem
	}
	if isID(field) {
		if problem := hr.PersonIDProblem(text); problem != "" {
			return problem
		}
	}
	switch field {
	case FieldPersonID:
		row.PersonID = text
		return ""
	case FieldPosition:
		row.PositionID = text
		return ""
	case FieldType:
		if !slices.Contains(personTypes, hr.PersonType(text)) {
			return "must be employee, contractor, intern, partner, temporary or service: say under values." + FieldType + " what the file's own words mean"
		}
	case FieldZone:
		if _, err := hr.LoadZone(text); err != nil {
			return "is not the IANA name of a time zone, such as Europe/Berlin: say under values." + FieldZone + " what the file's own words mean"
		}
	}
	*texts[field](&row.Profile) = text
	return ""
}

// isName reports whether a field is one of the two names. People have at least one.
func isName(field string) bool { return field == FieldGiven || field == FieldFamily }

// isID reports whether a field holds a person's ID.
func isID(field string) bool { return field == FieldPersonID || field == FieldManager }

var personTypes = []hr.PersonType{
	hr.TypeEmployee, hr.TypeContractor, hr.TypeIntern, hr.TypePartner, hr.TypeTemporary, hr.TypeService,
}
