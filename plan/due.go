package plan

import (
	"slices"
	"time"
)

// together bounds the time between deletions that are done in one run. The accounts of one
// person are stripped moments apart, so their retention ends moments apart. A run for each app
// would cost more, and could not keep the order of deletions.
const together = time.Minute

// nextDue returns the earliest Due. If it is a deletion, and other deletions follow soon with
// nothing else between, it returns the last of those, because a deletion may be late and never
// early.
func (m *maker) nextDue() Due {
	if at := m.Desired.Changes; !at.IsZero() {
		m.dues = append(m.dues, Due{At: at, What: m.nextChange(at), By: m.Desired.ChangesBy})
	}
	if len(m.dues) == 0 {
		return Due{}
	}
	slices.SortStableFunc(m.dues, func(a, b Due) int { return a.At.Compare(b.At) })
	next := m.dues[0]
	if next.What != DueDelete {
		return next
	}
	limit := next.At.Add(together)
	for _, due := range m.dues {
		if due.What != DueDelete || due.At.After(limit) {
			break
		}
		if due.At.After(next.At) {
			next = due
		}
	}
	return next
}

func (m *maker) nextChange(at time.Time) DueWhat {
	period := m.Desired.Standing.Period
	switch {
	case m.Desired.ChangesBy != "":
		return DueException
	case period == nil:
		return DueChange
	case at.Equal(period.Starts):
		return DueStart
	case at.Equal(period.Ends):
		return DueEnd
	}
	return DueChange
}
