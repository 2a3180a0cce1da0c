package hr

import (
	"encoding/json"
	"time"
)

// EventType is the CloudEvents type of an HR event.
type EventType string

// The event types that HR systems emit. See schemas/ for the wire format.
const (
	EventHired        EventType = "com.tenurehq.worker.hired.v1"
	EventRehired      EventType = "com.tenurehq.worker.rehired.v1"
	EventTransferred  EventType = "com.tenurehq.worker.transferred.v1"
	EventUpdated      EventType = "com.tenurehq.worker.updated.v1"
	EventConverted    EventType = "com.tenurehq.worker.converted.v1"
	EventLeaveStarted EventType = "com.tenurehq.worker.leave_started.v1"
	EventLeaveEnded   EventType = "com.tenurehq.worker.leave_ended.v1"
	EventTerminated   EventType = "com.tenurehq.worker.terminated.v1"
	EventRescinded    EventType = "com.tenurehq.worker.rescinded.v1"
	EventSuspended    EventType = "com.tenurehq.security.suspended.v1"
	EventReinstated   EventType = "com.tenurehq.security.reinstated.v1"
)

// EventKey identifies an event: two events with the same key are the same event.
type EventKey struct {
	Source string `json:"source"` // the HR system that said it
	ID     string `json:"id"`     // unique within the source
}

// Event is one statement of HR about one person.
//
// Type decides which of the optional parts are set: Profile for hired, rehired,
// transferred, updated and converted; Termination for terminated; Rescinds for rescinded.
// Leave and Suspension may be nil even for their types.
type Event struct {
	EventKey
	Type      EventType `json:"type"`
	PersonID  string    `json:"personId"`
	Recorded  time.Time `json:"recorded"`           // when HR said so
	Sequence  string    `json:"sequence,omitempty"` // orders events of one person recorded at the same time
	Effective Date      `json:"effective"`          // when it is true, in the person's own time zone

	// Received is when Tenure received the event. The ledger keeps it beside the event, not
	// in it. Zero means that it is not known; then Recorded counts.
	Received time.Time `json:"-"`

	Profile     *Profile     `json:"profile,omitempty"`
	Termination *Termination `json:"termination,omitempty"`
	Leave       *Leave       `json:"leave,omitempty"`
	Suspension  *Suspension  `json:"suspension,omitempty"`
	// PositionID names the position that the event is about, for people who hold several at
	// once. Empty means the only or the primary one; in a termination it means all.
	PositionID string `json:"positionId,omitempty"`
	// Primary means that the position's profile is the person's.
	Primary bool `json:"primaryPosition,omitempty"`
	// Additional lists the jobs that somebody holds besides the one of the profile. Nil
	// means that the event does not say.
	Additional *AdditionalJobs `json:"additionalJobs,omitempty"`
	// Previous is another ID of the same human, under which they were employed before:
	// HR gave them a new one.
	Previous string `json:"previousPersonId,omitempty"`
	Rescinds string `json:"rescinds,omitempty"` // ID of the event that never should have been
	// RescindsSource is the source of the event that is rescinded, if it is not the
	// rescind's own. Only Tenure sets it, when an operator cancels; no decoder does.
	RescindsSource string `json:"rescindsSource,omitempty"`
}

// SameContent reports whether two events with one key are one event: they say the same about
// the same person. Recorded time and sequence may differ, because some HR systems give a
// repetition new ones.
func SameContent(a, b Event) bool { return a.content() == b.content() }

// content returns the event as text, without recorded time and sequence.
func (e Event) content() string {
	e.Recorded, e.Sequence = time.Time{}, ""
	text, err := json.Marshal(e) // sorts what has no order
	if err == nil {
		var copied Event
		if err = json.Unmarshal(text, &copied); err == nil {
			text, err = json.Marshal(Tidied(copied)) // an older version may have kept invisible characters
		}
	}
	if err != nil {
		return "no JSON: " + err.Error() // an instant beyond the year 9999, which no decoder lets pass
	}
	return string(text)
}

// EndsAccess reports whether an event may take access from somebody. If such an event cannot
// be applied, an operator has to know at once.
func (e Event) EndsAccess() bool {
	switch e.Type {
	case EventTerminated, EventSuspended, EventLeaveStarted, EventRescinded:
		return true
	default:
		return e.Additional != nil && !e.Additional.Whole // a job has ended, and not all are listed
	}
}

// PersonType names a person's relation with the company.
type PersonType string

// The person types of the event format ("workerType" on the wire).
const (
	TypeEmployee   PersonType = "employee"
	TypeContractor PersonType = "contractor"
	TypeIntern     PersonType = "intern"
	TypePartner    PersonType = "partner"
	TypeTemporary  PersonType = "temporary"
	TypeService    PersonType = "service"
)

// Profile holds all data of a person as of an event's effective date.
// Its JSON names are those of the "worker" object on the wire.
type Profile struct {
	Type           PersonType        `json:"workerType"`
	GivenName      string            `json:"givenName"`
	FamilyName     string            `json:"familyName"`
	PreferredName  string            `json:"preferredName,omitempty"`
	WorkEmail      string            `json:"workEmail,omitempty"`
	PersonalEmail  string            `json:"personalEmail,omitempty"`
	Phone          string            `json:"phone,omitempty"`
	EmployeeNumber string            `json:"employeeNumber,omitempty"`
	JobTitle       string            `json:"jobTitle,omitempty"`
	Department     string            `json:"department,omitempty"`
	CostCenter     string            `json:"costCenter,omitempty"`
	Company        string            `json:"company,omitempty"`
	Location       Location          `json:"location"`
	ManagerID      string            `json:"managerId,omitempty"` // person ID
	StartDate      Date              `json:"startDate"`
	EndDate        Date              `json:"endDate,omitzero"` // last day, for those whose end is known; zero if open
	Attributes     map[string]string `json:"attributes,omitempty"`
}

// Location is where a person works. TimeZone is an IANA name and required.
type Location struct {
	Site     string `json:"site,omitempty"`
	Country  string `json:"country,omitempty"` // ISO 3166-1 alpha-2
	TimeZone string `json:"timeZone"`
}

// Urgency tells how fast a termination takes effect.
type Urgency string

// The urgencies of a termination. Immediate means now, whatever the last day is.
const (
	UrgencyStandard  Urgency = "standard"
	UrgencyImmediate Urgency = "immediate"
)

// Termination ends an employment. Access ends at the end of LastDay in the
// person's zone, unless AccessEndsAt or UrgencyImmediate says otherwise.
type Termination struct {
	LastDay      Date      `json:"lastDayOfWork,omitzero"` // zero means the event's effective date
	AccessEndsAt time.Time `json:"accessEndsAt,omitzero"`
	Urgency      Urgency   `json:"urgency,omitempty"`
	Voluntary    *bool     `json:"voluntary,omitempty"`
	Reason       string    `json:"reason,omitempty"`
}

// Leave is a leave of absence. ExpectedReturn is a hint only: access comes back
// with the leave_ended event, not by the calendar.
type Leave struct {
	ExpectedReturn Date `json:"expectedReturn,omitzero"`
}

// Suspension cuts a person off until reinstated.
type Suspension struct {
	Reason string `json:"reason,omitempty"`
}
