package source

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tenurehq/tenure/hr"
)

// The years that a date may be in. HR systems write a date far in the future for an end
// that is not known (9999-12-31, 4712-12-31, 2999-12-31). Anywhere else such a date is a
// mistake, and no timer can wait for it.
const (
	FirstYear = 1900
	LastYear  = 2199
)

// Fields reads an HR system's record of one person: texts by the HR system's own names. A
// field that is absent reads as empty. Err returns the first error found.
type Fields struct {
	texts   map[string]string
	refusal *Error
}

// NewFields returns Fields that read from texts, by field name.
func NewFields(texts map[string]string) *Fields { return &Fields{texts: texts} }

// Text returns a field, tidied by hr.Text.
func (f *Fields) Text(name string) string {
	text := f.texts[name]
	switch {
	case !utf8.ValidString(text):
		f.Reject(name, "is not UTF-8")
	case strings.Contains(text, "\x00"):
		f.Reject(name, "has a NUL character in it")
	default:
		return hr.Text(text)
	}
	return ""
}

// Required returns a field that must be there; advice says what to do if it is not.
func (f *Fields) Required(name, advice string) string {
	text := f.Text(name)
	if text == "" {
		f.Reject(name, "is missing: "+advice)
	}
	return text
}

// Names returns the given and the family name of a person. Some people have only one of
// them; advice says what to do if neither is there.
func (f *Fields) Names(given, family, advice string) (givenName, familyName string) {
	givenName, familyName = f.Text(given), f.Text(family)
	if givenName == "" && familyName == "" {
		f.Reject(family, "is missing, and so is "+given+": "+advice)
	}
	return givenName, familyName
}

// ID returns the ID of a person, which must be there and valid.
func (f *Fields) ID(name string) string {
	id := f.texts[name]
	if problem := hr.PersonIDProblem(id); problem != "" {
		f.Reject(name, problem)
		return ""
	}
	return id
}

// ValidID reports whether a text can be a person's ID.
func ValidID(id string) bool { return hr.PersonIDProblem(id) == "" }

// Reference returns the ID of another person; empty if there is none.
func (f *Fields) Reference(name string) string {
	if f.texts[name] == "" {
		return ""
	}
	return f.ID(name)
}

// Date returns a civil date. It ignores the times and zones that some HR systems add: the
// day as it is written is meant.
func (f *Fields) Date(name string) hr.Date {
	d := f.date(name)
	if d.Year > LastYear {
		f.Reject(name, "is not in a plausible year (1900 to 2199)")
	}
	return d
}

// LastDate returns a date, or zero for a date so far in the future that it means none.
func (f *Fields) LastDate(name string) hr.Date {
	d := f.date(name)
	if d.Year > LastYear {
		return hr.Date{}
	}
	return d
}

// noDate is the text that BambooHR and others write if there is no date.
const noDate = "0000-00-00"

func (f *Fields) date(name string) hr.Date {
	text := f.Text(name)
	if text == "" || text == noDate {
		return hr.Date{}
	}
	if len(text) > len(time.DateOnly) {
		text = text[:len(time.DateOnly)]
	}
	d, err := hr.ParseDate(text)
	switch {
	case err != nil:
		f.Reject(name, "is not a date (YYYY-MM-DD)")
		return hr.Date{}
	case d.Year < FirstYear:
		f.Reject(name, "is not in a plausible year (1900 to 2199)")
		return hr.Date{}
	}
	return d
}

// RequiredDate returns a date that must be there; advice says what to do if it is not.
func (f *Fields) RequiredDate(name, advice string) hr.Date {
	d := f.Date(name)
	if d.IsZero() {
		f.Reject(name, "is missing: "+advice)
	}
	return d
}

// Attributes returns the fields that are kept as attributes; nil if there are none.
func (f *Fields) Attributes(fields map[string]string) map[string]string {
	var kept map[string]string
	for attribute, field := range fields {
		if value := f.Text(field); value != "" {
			if kept == nil {
				kept = make(map[string]string)
			}
			kept[attribute] = value
		}
	}
	return kept
}

// Reject records that a field is wrong, unless an error is recorded already.
func (f *Fields) Reject(name, text string) {
	if f.refusal == nil {
		f.refusal = &Error{Reason: ReasonSchema, Field: Printable(name), Text: text}
	}
}

// Err returns the first error found, or nil.
func (f *Fields) Err() *Error { return f.refusal }

// instants lists the layouts of instants in HR systems: RFC 3339, and the same without a
// colon in the offset.
var instants = []string{time.RFC3339, "2006-01-02T15:04:05.999999999Z0700"}

// ParseInstant reads an instant with its offset, and refuses implausible years.
func ParseInstant(text string) (time.Time, bool) {
	for _, layout := range instants {
		t, err := time.Parse(layout, strings.TrimSpace(text))
		if err != nil {
			continue
		}
		t = t.UTC()
		return t, t.Year() >= FirstYear && t.Year() <= LastYear
	}
	return time.Time{}, false
}

// DayIn returns the day of an instant in a zone; in UTC if there is no such zone.
func DayIn(at time.Time, zone string) hr.Date {
	loc, err := hr.LoadZone(zone)
	if err != nil {
		loc = time.UTC
	}
	return hr.DateOf(at.In(loc))
}
