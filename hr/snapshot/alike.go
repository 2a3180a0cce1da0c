package snapshot

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/tenurehq/tenure/hr"
)

// alike holds IDs by the forms that a spreadsheet may turn them into: numbers without
// leading zeros, with separators, or with few digits and an exponent; dates; texts with
// quotes.
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
	for _, f := range forms(id) {
		a.byForm[f] = append(a.byForm[f], id)
		if number(f) {
			a.digits[len(f)] = append(a.digits[len(f)], id)
		}
	}
	if e, ok := exponentOf(id); ok {
		a.written = append(a.written, e)
	}
}

// to returns the IDs that may be the given one, sorted.
func (a *alike) to(id string) (found []string) {
	numbers := slices.DeleteFunc(forms(id), func(f string) bool { return !number(f) })
	for _, f := range forms(id) {
		for _, other := range a.byForm[f] {
			if !strings.HasPrefix(f, dated) || isDate(id) || isDate(other) {
				found = append(found, other)
			}
		}
	}
	for _, e := range a.written {
		if slices.ContainsFunc(numbers, e.is) {
			found = append(found, e.id)
		}
	}
	if e, ok := exponentOf(id); ok {
		for _, other := range a.digits[e.length] {
			if slices.ContainsFunc(forms(other), e.is) {
				found = append(found, other)
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// quotes are the characters that programs put around a text so that it is not read as a
// number.
const quotes = "'\"=`\u2018\u2019\u201c\u201d\u00b4"

var (
	decimals  = regexp.MustCompile(`^([0-9]+)[.,]0+$`)
	thousands = regexp.MustCompile(`^[0-9]{1,3}([.,'\x{2019}_][0-9]{3})+([.,]0+)?$`)
)

// precision is the number of digits that a spreadsheet keeps. The rest become zeros.
const precision = 15

// bare returns an ID in lower case, without the quotes that programs put around it.
func bare(id string) string {
	return strings.ToLower(strings.TrimPrefix(strings.Trim(norm.NFKC.String(hr.Text(id)), quotes+" "), "+"))
}

// forms returns the forms in which a spreadsheet may have left an ID.
func forms(id string) []string {
	f := bare(id)
	list := []string{short(f)}
	if m := decimals.FindStringSubmatch(f); m != nil {
		list = append(list, short(m[1]))
	}
	if thousands.MatchString(f) {
		if whole, rest := f[:strings.LastIndexAny(f, ".,")+1], f[strings.LastIndexAny(f, ".,")+1:]; whole != "" && len(rest) != 3 {
			f = whole // without decimals
		}
		list = append(list, short(strings.Map(func(r rune) rune {
			if r < '0' || r > '9' {
				return -1
			}
			return r
		}, f)))
	}
	if e, ok := exponentOf(id); ok {
		list = append(list, "exponent "+e.mantissa+" "+strconv.Itoa(e.length))
	}
	if n := list[len(list)-1]; number(n) && len(n) > precision {
		list = append(list, n[:precision]+strings.Repeat("0", len(n)-precision))
	}
	list = append(list, asDates(id)...)
	slices.Sort(list)
	return slices.Compact(list)
}

// short returns a text without leading zeros.
func short(text string) string {
	if rest := strings.TrimLeft(text, "0"); rest != "" || text == "" {
		return rest
	}
	return "0"
}

// number reports whether a form is a number without an exponent.
func number(form string) bool { return form != "" && strings.Trim(form, "0123456789") == "" }

var scientific = regexp.MustCompile(`^([0-9]+)(?:[.,]([0-9]*))?e\+?([0-9]{1,3})$`)

func exponentOf(id string) (exponent, bool) {
	m := scientific.FindStringSubmatch(bare(id))
	if m == nil {
		return exponent{}, false
	}
	power, err := strconv.Atoi(m[3])
	whole := strings.TrimLeft(m[1], "0")
	mantissa := strings.TrimRight(whole+m[2], "0")
	return exponent{id: id, mantissa: mantissa, length: power + len(whole)}, err == nil && whole != ""
}

// is reports whether a number may have been written as e: with its first digits, the last
// of them rounded.
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
