package snapshot

import (
	"errors"
	"regexp"
	"strings"
	"time"
	"unicode"

	"github.com/tenurehq/tenure/hr"
)

// The years that a date may be in, as for events.
const (
	firstYear = 1900
	lastYear  = 2199
)

// DateFormat describes how a file writes dates: YYYY-MM-DD, DD.MM.YYYY, M/D/YYYY.
type DateFormat struct{ pattern, layout string }

// DefaultDateFormat is the format of ISO 8601.
var DefaultDateFormat = DateFormat{pattern: "YYYY-MM-DD", layout: time.DateOnly}

// ParseDateFormat reads a pattern: YYYY, and MM and DD (or M and D, without
// leading zeros), each once, with anything but letters and digits in between.
func ParseDateFormat(pattern string) (DateFormat, error) {
	layout, rest := pattern, pattern
	for _, part := range []struct{ long, short, longLayout, shortLayout string }{
		{"YYYY", "YYYY", "2006", "2006"}, {"MM", "M", "01", "1"}, {"DD", "D", "02", "2"},
	} {
		as, in := part.longLayout, part.long
		if !strings.Contains(rest, in) {
			as, in = part.shortLayout, part.short
		}
		if strings.Count(rest, in) != 1 {
			return DateFormat{}, errDateFormat
		}
		layout = strings.Replace(layout, in, as, 1)
		rest = strings.Replace(rest, in, "", 1)
	}
	if strings.ContainsAny(rest, "0123456789") || strings.ToUpper(rest) != strings.ToLower(rest) {
		return DateFormat{}, errDateFormat
	}
	return DateFormat{pattern: pattern, layout: layout}, nil
}

var errDateFormat = errors.New("must have YYYY, MM and DD (or M and D) once each, such as DD.MM.YYYY")

// String returns the pattern.
func (f DateFormat) String() string { return f.pattern }

// timeOfDay matches a date with the time of day that databases write after it.
var timeOfDay = regexp.MustCompile(`^(.*[0-9])[T ] ?[0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)?( ?[AaPp][Mm])?( ?(Z|[+-][0-9]{2}:?[0-9]{2}))?$`)

// parse reads a date. It ignores a time of day after it: the day counts as it is written.
// It reads a date of zeros, which databases write for no date, as none.
func (f DateFormat) parse(text string) (d hr.Date, problem string) {
	if m := timeOfDay.FindStringSubmatch(text); m != nil {
		text = m[1]
	}
	if strings.Count(text, "0") >= 6 && !strings.ContainsFunc(text, func(r rune) bool { return unicode.IsLetter(r) || r >= '1' && r <= '9' }) {
		return hr.Date{}, ""
	}
	t, err := time.Parse(f.layout, text)
	if err != nil {
		return hr.Date{}, "is not a date of the form " + f.pattern + " (see snapshot.dateFormat)"
	}
	return hr.DateOf(t), ""
}
