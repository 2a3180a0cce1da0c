package cloudevents_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/hr/source/cloudevents"
)

func drawDate(t *rapid.T, label string) hr.Date {
	return date("1900-01-01").AddDays(rapid.IntRange(0, 109_000).Draw(t, label))
}

func drawInstant(t *rapid.T, label string) time.Time {
	return time.Unix(rapid.Int64Range(-2_000_000_000, 7_000_000_000).Draw(t, label), rapid.Int64Range(0, 999_999_999).Draw(t, label)).UTC()
}

// text generates texts as Tenure keeps them.
var text = rapid.Map(rapid.String(), hr.Text)

var words = rapid.StringMatching(`[A-Za-zÄß0-9 .'"<&\\/-]{1,12}`).Filter(func(s string) bool { return hr.Text(s) == s })

func drawEvent(t *rapid.T) hr.Event {
	e := hr.Event{
		EventKey: hr.EventKey{
			Source: rapid.StringMatching(`/[a-z]{1,8}(/[a-z0-9-]{1,8})?`).Draw(t, "source"), ID: words.Draw(t, "id"),
		},
		Type: rapid.SampledFrom([]hr.EventType{
			hr.EventHired, hr.EventRehired, hr.EventTransferred, hr.EventUpdated, hr.EventConverted,
			hr.EventLeaveStarted, hr.EventLeaveEnded, hr.EventTerminated, hr.EventRescinded,
			hr.EventSuspended, hr.EventReinstated,
		}).Draw(t, "type"),
		PersonID:  rapid.StringMatching(`[A-Za-z0-9_.%ÄßЖ工-]{1,16}`).Draw(t, "person"),
		Recorded:  drawInstant(t, "recorded"),
		Sequence:  rapid.StringMatching(`[0-9]{0,6}`).Draw(t, "sequence"),
		Effective: drawDate(t, "effective"),
	}
	switch e.Type {
	case hr.EventTerminated:
		e.Termination = &hr.Termination{Reason: text.Draw(t, "reason")}
		if rapid.Bool().Draw(t, "details") {
			voluntary := rapid.Bool().Draw(t, "voluntary")
			e.Termination.LastDay = drawDate(t, "last day")
			e.Termination.AccessEndsAt = drawInstant(t, "access ends")
			e.Termination.Urgency = rapid.SampledFrom([]hr.Urgency{hr.UrgencyStandard, hr.UrgencyImmediate}).Draw(t, "urgency")
			e.Termination.Voluntary = &voluntary
		}
	case hr.EventLeaveStarted, hr.EventLeaveEnded:
		if rapid.Bool().Draw(t, "details") {
			e.Leave = &hr.Leave{ExpectedReturn: drawDate(t, "return")}
		}
	case hr.EventSuspended, hr.EventReinstated:
		if rapid.Bool().Draw(t, "details") {
			e.Suspension = &hr.Suspension{Reason: words.Draw(t, "reason")}
		}
	case hr.EventRescinded:
		e.Rescinds = words.Draw(t, "rescinds")
		e.Effective = hr.Date{}
	default:
		e.Profile = drawProfile(t)
	}
	return e
}

func drawProfile(t *rapid.T) *hr.Profile {
	p := &hr.Profile{
		Type: rapid.SampledFrom([]hr.PersonType{
			hr.TypeEmployee, hr.TypeContractor, hr.TypeIntern, hr.TypePartner, hr.TypeTemporary, hr.TypeService,
		}).Draw(t, "person type"),
		GivenName: words.Draw(t, "given name"), FamilyName: words.Draw(t, "family name"),
		PreferredName: text.Draw(t, "preferred name"), WorkEmail: text.Draw(t, "work email"),
		PersonalEmail: text.Draw(t, "personal email"), Phone: text.Draw(t, "phone"),
		EmployeeNumber: text.Draw(t, "number"), JobTitle: text.Draw(t, "title"),
		Department: text.Draw(t, "department"), CostCenter: text.Draw(t, "cost center"), Company: text.Draw(t, "company"),
		Location: hr.Location{
			Site: text.Draw(t, "site"), Country: text.Draw(t, "country"),
			TimeZone: rapid.SampledFrom([]string{"UTC", "Europe/Berlin", "Pacific/Kiritimati"}).Draw(t, "zone"),
		},
		ManagerID: rapid.StringMatching(`[0-9]{0,6}`).Draw(t, "manager"), StartDate: drawDate(t, "start"),
	}
	if rapid.Bool().Draw(t, "contract") {
		p.EndDate = p.StartDate.AddDays(rapid.IntRange(0, 500).Draw(t, "days"))
	}
	if attributes := rapid.MapOf(text, words).Draw(t, "attributes"); len(attributes) > 0 {
		p.Attributes = attributes
	}
	return p
}

// An encoded event decodes to the same event, in either mode.
func TestEncodeDecode(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := drawEvent(t)
		value, err := cloudevents.Encode(e)
		require.NoError(t, err)
		for _, r := range []source.Record{
			structuredRecord(e.PersonID, string(value)),
			{Key: []byte(e.PersonID), Value: value},
		} {
			events, warnings, err := cloudevents.Decode(r)
			require.NoError(t, err)
			require.Empty(t, warnings)
			require.Equal(t, []hr.Event{e}, events)
		}
	})
}

func TestEncodeRefusesWhatDecodeWould(t *testing.T) {
	_, err := cloudevents.Encode(hr.Event{Type: hr.EventHired})
	require.ErrorContains(t, err, "encode event: schema: /data/effectiveDate is required")
	var refusal *source.Error
	require.ErrorAs(t, err, &refusal)
	assert.Equal(t, source.ReasonSchema, refusal.Reason)

	_, err = cloudevents.Encode(hr.Event{Recorded: time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)})
	require.ErrorContains(t, err, "encode event: ")
}
