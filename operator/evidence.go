package operator

import (
	"context"
	"slices"
	"time"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
)

// Off says when access ended, compared with when it had to end.
type Off struct {
	DueAt        time.Time `json:"dueAt"`               // see EndedAt
	ProvenAt     time.Time `json:"provenAt,omitzero"`   // when the app first proved it
	AfterSeconds int64     `json:"afterSeconds"`        // from DueAt to ProvenAt
	Before       bool      `json:"before,omitempty"`    // it was off before DueAt
	NotProven    bool      `json:"notProven,omitempty"` // it is not known to be off
}

// EndedAt returns when access had to end for somebody whose employment is over: when HR
// said that it ends, or when that was received, if that was later. It returns zero for
// everybody else.
func EndedAt(person ledger.Person, now time.Time) time.Time {
	t := assess.TimelineOf(person)
	if t.At(now).Status != hr.StatusEnded {
		return time.Time{}
	}
	var due time.Time
	for _, period := range t.Periods {
		if period.Ends.IsZero() || period.Ends.After(now) {
			continue
		}
		due = period.Ends
		for _, stored := range person.Events {
			if stored.Event.EventKey == period.End.Event && stored.At.After(due) {
				due = stored.At
			}
		}
	}
	return due
}

// OffOf returns when an account was off, compared with when access had to end.
func OffOf(link ledger.Link, due time.Time) *Off {
	off := &Off{DueAt: due, ProvenAt: link.DisabledAt}
	if link.State == ledger.LinkDeleted && off.ProvenAt.IsZero() {
		off.ProvenAt = link.DeletedAt
	}
	switch after := off.ProvenAt.Sub(due); {
	case link.State != ledger.LinkDisabled && link.State != ledger.LinkDeleted, off.ProvenAt.IsZero():
		off.NotProven, off.ProvenAt = true, time.Time{}
	case after < 0:
		off.Before = true
	default:
		off.AfterSeconds = int64(after.Round(time.Second).Seconds())
	}
	return off
}

// SecuredBy finds on the record which operators have suspended and reinstated a person:
// the audit rows, by the events that they recorded.
func SecuredBy(ctx context.Context, l ledger.Reader, person ledger.Person) (map[hr.EventKey]ledger.AuditRow, error) {
	found := map[hr.EventKey]ledger.AuditRow{}
	if !slices.ContainsFunc(person.Events, func(e ledger.StoredEvent) bool { return e.Event.Source == hr.OperatorSource }) {
		return found, nil
	}
	for row, err := range ledger.AllAudit(ctx, l, person.PersonID, 0) {
		if err != nil {
			return nil, err
		}
		if id, ok := row.Detail["event"].(string); ok && row.Detail["source"] == hr.OperatorSource {
			found[hr.EventKey{Source: hr.OperatorSource, ID: id}] = row
		}
	}
	return found, nil
}
