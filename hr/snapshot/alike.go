package snapshot

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/tenurehq/tenure/hr"
)

// alike holds IDs by what is left of them when a spreadsheet has had them: numbers
// without leading zeros, with few digits and an exponent; texts with quotes.
type alike struct {
	byForm  map[string][]string
	written []exponent // IDs that are numbers with an exponent
	digits  map[int][]string
}

// exponent is an ID such as 1.23457E+11.
type exponent struct {
	id       string
	mantissa string // its digits, without the point: 123457
	length   int    // of the whole number: 12
}

func (a *alike) add(id string) {
	if a.byForm == nil {
		a.byForm, a.digits = map[string][]string{}, map[int][]string{}
	}
	f := form(id)
	a.byForm[f] = append(a.byForm[f], id)
	if e, ok := exponentOf(id, f); ok {
		a.written = append(a.written, e)
	}
	if number(f) {
		a.digits[len(f)] = append(a.digits[len(f)], id)
	}
}

// to returns the IDs that may be the one given.
func (a *alike) to(id string) []string {
	f := form(id)
	found := append([]string(nil), a.byForm[f]...)
	if number(f) {
		for _, e := range a.written {
			if e.is(f) {
				found = append(found, e.id)
			}
		}
	}
	if e, ok := exponentOf(id, f); ok {
		for _, other := range a.digits[e.length] {
			if e.is(form(other)) {
				found = append(found, other)
			}
		}
	}
	return found
}

// quotes are what programs put around texts, so that nobody reads them as numbers.
const quotes = "'\"=`\u2018\u2019\u201c\u201d\u00b4"

var decimals = regexp.MustCompile(`^([0-9]+)[.,]0+$`)

// form is what is left of an ID.
func form(id string) string {
	f := strings.ToLower(strings.Trim(hr.Text(id), quotes+" "))
	if m := decimals.FindStringSubmatch(f); m != nil {
		f = m[1]
	}
	if short := strings.TrimLeft(f, "0"); short != "" || f == "" {
		return short
	}
	return "0"
}

// number reports whether a form is one without an exponent.
func number(form string) bool { return form != "" && strings.Trim(form, "0123456789") == "" }

var scientific = regexp.MustCompile(`^([0-9])(?:[.,]([0-9]+))?e\+?([0-9]{1,3})$`)

func exponentOf(id, form string) (exponent, bool) {
	m := scientific.FindStringSubmatch(form)
	if m == nil {
		return exponent{}, false
	}
	power, err := strconv.Atoi(m[3])
	mantissa := strings.TrimRight(m[1]+m[2], "0")
	return exponent{id: id, mantissa: mantissa, length: power + 1}, err == nil && mantissa != ""
}

// is reports whether a number may have been written so: with its first digits, the
// last of them rounded.
func (e exponent) is(digits string) bool {
	if len(digits) != e.length || len(digits) < len(e.mantissa) {
		return false
	}
	kept, rest := digits[:len(e.mantissa)], digits[len(e.mantissa):]
	if kept == e.mantissa {
		return true
	}
	if rest == "" || rest[0] < '5' {
		return false
	}
	a, errA := strconv.ParseUint(kept, 10, 64)
	b, errB := strconv.ParseUint(e.mantissa, 10, 64)
	return errA == nil && errB == nil && a+1 == b
}
