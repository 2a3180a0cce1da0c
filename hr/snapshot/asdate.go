package snapshot

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// dated begins the forms of IDs that a spreadsheet takes for dates: MAR1 and 3-1 become
// 1-Mar, Mar-01 or 2026-03-01.
const dated = "date "

// months maps the first letters of the names of months to their numbers, in the languages of
// spreadsheets, without accents. There are as many letters as are needed to tell names apart.
var months = map[string]int{
	"jan": 1, "ene": 1, "gen": 1, "feb": 2, "fev": 2, "mar": 3, "mrz": 3, "mrt": 3, "maa": 3, "apr": 4, "avr": 4, "abr": 4,
	"may": 5, "mai": 5, "mag": 5, "mei": 5, "jun": 6, "juin": 6, "giu": 6, "jul": 7, "juil": 7, "lug": 7, "aug": 8, "aou": 8, "ago": 8,
	"sep": 9, "set": 9, "oct": 10, "okt": 10, "ott": 10, "out": 10, "nov": 11, "dec": 12, "dez": 12, "dic": 12,
}

var (
	dayMonth = regexp.MustCompile(`^([0-9]{1,4})[-./]?([a-z]{3,10})\.?$`)
	monthDay = regexp.MustCompile(`^([a-z]{3,10})\.?[-./]?([0-9]{1,4})$`)
	pair     = regexp.MustCompile(`^([0-9]{1,4})[-./]([0-9]{1,4})$`)
	yearLast = regexp.MustCompile(`^([0-9]{1,2})[-./]([0-9]{1,2}|[a-z]{3,10})[-./]([0-9]{2}|[0-9]{4})$`)
	yearHead = regexp.MustCompile(`^([0-9]{4})[-./]([0-9]{1,2})[-./]([0-9]{1,2})(?:t?[0-9]{2}:.*)?$`)
)

// isDate reports whether an ID looks like a date that a spreadsheet has made of it: it names
// a month or is a whole date.
func isDate(id string) bool { return len(asDates(id)) > 0 && !pair.MatchString(unaccented(id)) }

// unaccented returns an ID in the form in which dates are read.
func unaccented(id string) string {
	return strings.Map(func(r rune) rune {
		if r >= 0x300 && r < 0x370 { // accents
			return -1
		}
		return r
	}, norm.NFKD.String(bare(id)))
}

// asDates returns the forms of an ID that may be a date: its month, and its day or year.
func asDates(id string) (list []string) {
	text := unaccented(id)
	add := func(month, other string) {
		m := monthOf(month)
		if n, err := strconv.Atoi(other); err == nil && m > 0 {
			list = append(list, fmt.Sprint(dated, m, "-", n%100))
		}
	}
	if m := dayMonth.FindStringSubmatch(text); m != nil {
		add(m[2], m[1])
	}
	if m := monthDay.FindStringSubmatch(text); m != nil {
		add(m[1], m[2])
	}
	if m := pair.FindStringSubmatch(text); m != nil {
		add(m[1], m[2])
		add(m[2], m[1])
	}
	for _, m := range [][]string{yearLast.FindStringSubmatch(text), yearHead.FindStringSubmatch(text)} {
		if m == nil {
			continue
		}
		first, second, third := m[1], m[2], m[3]
		if len(first) == 4 {
			first, third = third, first // in the order day, month, year
		}
		add(second, first)
		add(first, second)
		for _, at := range [][2]string{{first, second}, {second, first}} {
			if day, err := strconv.Atoi(at[0]); err == nil && day == 1 { // a spreadsheet writes the first day for a month as a whole
				add(at[1], third)
			}
		}
	}
	return list
}

// monthOf returns the number of a month that is written as a number or a name, or 0.
func monthOf(text string) int {
	if n, err := strconv.Atoi(text); err == nil {
		if n < 1 || n > 12 {
			return 0
		}
		return n
	}
	for _, letters := range []int{4, 3} {
		if n := months[text[:min(len(text), letters)]]; n > 0 {
			return n
		}
	}
	return 0
}
