package relational

import "time"

// clock reads the store's clock, in nanoseconds since 1970.
func (t *Tx) clock() (now int64, err error) {
	if t.dialect.Clock == "" {
		return time.Now().UnixNano(), nil
	}
	_, err = t.get(t.dialect.Clock, nil, &now)
	return now, err
}

// now is an expression for the store's clock in a query; zero if that is this machine's.
func (d Dialect) now() string {
	if d.Clock == "" {
		return `0`
	}
	return `(` + d.Clock + `)`
}

// moment is an instant, and what now gave with it, both in nanoseconds since 1970.
type moment struct{ nanos, now int64 }

// left returns the time until the instant.
func (m moment) left() time.Duration {
	if m.now == 0 {
		m.now = time.Now().UnixNano()
	}
	return time.Duration(m.nanos - m.now)
}
