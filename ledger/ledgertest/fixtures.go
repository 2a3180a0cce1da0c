package ledgertest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
)

// t0 is when the tests happen: with microseconds, which a ledger keeps.
var t0 = time.Date(2026, time.March, 2, 9, 30, 0, 123456000, time.UTC)

// at is the instant some minutes after t0.
func at(minutes int) time.Time { return t0.Add(time.Duration(minutes) * time.Minute) }

// event is an event of a person's with everything in it.
func event(personID, id string) hr.Event {
	voluntary := false
	return hr.Event{
		EventKey:  hr.EventKey{Source: "urn:hr", ID: id},
		Type:      hr.EventTransferred,
		PersonID:  personID,
		Recorded:  t0.Add(123 * time.Nanosecond),
		Sequence:  "7",
		Effective: hr.Date{Year: 2026, Month: time.April, Day: 1},
		Profile: &hr.Profile{
			Type: hr.TypeContractor, GivenName: "Zoë", FamilyName: "O'Brien-Łukasiewicz", PreferredName: "山田 \"Z\"",
			WorkEmail: "zoe@example.com", JobTitle: "Engineer & <Lead>", Department: "R\u2028D",
			Location:  hr.Location{Site: "HQ", Country: "DE", TimeZone: "Europe/Berlin"},
			ManagerID: "boss", StartDate: hr.Date{Year: 1986, Month: time.December, Day: 1},
			EndDate:    hr.Date{Year: 9999, Month: time.December, Day: 31},
			Attributes: map[string]string{"badge": "🪪", "": "empty key"},
		},
		Termination: &hr.Termination{
			LastDay: hr.Date{Year: 2026, Month: time.July, Day: 31}, AccessEndsAt: at(99),
			Urgency: hr.UrgencyImmediate, Voluntary: &voluntary, Reason: "reorganisation",
		},
		Leave:      &hr.Leave{ExpectedReturn: hr.Date{Year: 2026, Month: time.May, Day: 1}},
		Suspension: &hr.Suspension{Reason: "investigation"},
		Rescinds:   "earlier",
	}
}

// received is an event of a person's, received at t0 plus some minutes.
func received(personID, id string, minutes int) ledger.Received {
	return ledger.Received{
		Event: event(personID, id), At: at(minutes), Topic: "hr.events", Partition: 3, Offset: 1 << 40,
	}
}

// record stores events and returns the receipts.
func record(t *testing.T, l ledger.Ledger, events ...ledger.Received) []ledger.Receipt {
	t.Helper()
	receipts, err := l.Record(t.Context(), events)
	require.NoError(t, err)
	require.Len(t, receipts, len(events))
	return receipts
}

// read reads a person who is there.
func read(t *testing.T, l ledger.Ledger, personID string) ledger.Person {
	t.Helper()
	p, err := l.Person(t.Context(), personID)
	require.NoError(t, err)
	return p
}
