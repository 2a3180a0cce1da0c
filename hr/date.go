package hr

import (
	"cmp"
	"fmt"
	"time"
)

// Date is a civil date: a day in a calendar, with no time and no zone. The zero
// Date is no date. Its text form is YYYY-MM-DD (RFC 3339 full-date).
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// ParseDate reads YYYY-MM-DD and refuses days that no calendar has.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return Date{}, fmt.Errorf("%q is not a date (want YYYY-MM-DD)", s)
	}
	return DateOf(t), nil
}

// DateOf returns the day that t falls on, in t's own location.
func DateOf(t time.Time) Date {
	y, m, d := t.Date()
	return Date{Year: y, Month: m, Day: d}
}

// IsZero reports whether d is no date.
func (d Date) IsZero() bool { return d == Date{} }

// String returns the date as YYYY-MM-DD, or an empty text for no date.
func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day)
}

// AddDays returns the day n days later (earlier if n is negative).
func (d Date) AddDays(n int) Date { return DateOf(d.utc().AddDate(0, 0, n)) }

// Compare returns a negative number, zero or a positive number if d is before, equal to or
// after e.
func (d Date) Compare(e Date) int {
	return cmp.Or(cmp.Compare(d.Year, e.Year), cmp.Compare(d.Month, e.Month), cmp.Compare(d.Day, e.Day))
}

// StartIn returns the first instant of the day in a zone. If clocks are put forward at
// midnight, the day starts later than 00:00. If they are put back so that 00:00 comes twice,
// it starts with the first one. A day that a zone left out (Samoa, 30 December 2011) starts
// when the next day starts.
func (d Date) StartIn(loc *time.Location) time.Time {
	midnight := d.utc()
	// Walk the spans of constant offset from an instant that is before the day
	// in every zone there ever was, to the span in which the day starts.
	t := midnight.Add(-26 * time.Hour).In(loc)
	for {
		_, offset := t.Zone()
		_, end := t.ZoneBounds()
		start := midnight.Add(-time.Duration(offset) * time.Second)
		if end.IsZero() || start.Before(end) {
			if start.Before(t) {
				start = t // 00:00 was skipped
			}
			return start.In(loc)
		}
		t = end
	}
}

// MarshalText implements encoding.TextMarshaler.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler; empty is no date.
func (d *Date) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*d = Date{}
		return nil
	}
	parsed, err := ParseDate(string(text))
	if err != nil {
		return err
	}
	*d = parsed
	return nil
}

func (d Date) utc() time.Time { return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC) }
