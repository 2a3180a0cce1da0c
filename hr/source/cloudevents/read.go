package cloudevents

import (
	"time"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/schemas"
)

const specVersion = "1.0"

// parts holds, by event type, the function that reads the type's data.
var parts = map[hr.EventType]func(data *object, e *hr.Event){
	hr.EventHired:        readProfile,
	hr.EventRehired:      readProfile,
	hr.EventTransferred:  readProfile,
	hr.EventUpdated:      readProfile,
	hr.EventConverted:    readProfile,
	hr.EventTerminated:   readTermination,
	hr.EventLeaveStarted: readLeave,
	hr.EventLeaveEnded:   readLeave,
	hr.EventRescinded:    func(data *object, e *hr.Event) { e.Rescinds = data.text("rescinds") },
	hr.EventSuspended:    readSuspension,
	hr.EventReinstated:   readSuspension,
}

// read returns the event of a document that is valid by the schema.
func read(event *object) (hr.Event, *source.Error) {
	data := event.object("data")
	e := hr.Event{
		EventKey:  hr.EventKey{Source: event.text("source"), ID: event.text("id")},
		Type:      hr.EventType(event.text("type")),
		PersonID:  event.text("subject"),
		Recorded:  event.instant("time"),
		Sequence:  event.text("sequence"),
		Effective: data.date("effectiveDate"),
	}
	if !e.Type.Security() && e.Type != hr.EventRescinded {
		e.PositionID = data.text("positionId")
	}
	parts[e.Type](data, &e)
	return e, event.refuse
}

func readProfile(data *object, e *hr.Event) {
	e.Previous = data.text("previousWorkerId")
	if primary := data.boolean("primaryPosition"); primary != nil {
		e.Primary = *primary && e.PositionID != ""
	}
	worker := data.object("worker")
	location := worker.object("location")
	e.Profile = &hr.Profile{
		Type:           hr.PersonType(worker.text("workerType")),
		GivenName:      worker.text("givenName"),
		FamilyName:     worker.text("familyName"),
		PreferredName:  worker.text("preferredName"),
		WorkEmail:      worker.text("workEmail"),
		PersonalEmail:  worker.text("personalEmail"),
		Phone:          worker.text("phone"),
		EmployeeNumber: worker.text("employeeNumber"),
		JobTitle:       worker.text("jobTitle"),
		Department:     worker.text("department"),
		CostCenter:     worker.text("costCenter"),
		Company:        worker.text("company"),
		Location: hr.Location{
			Site:     location.text("site"),
			Country:  location.text("country"),
			TimeZone: location.zone("timeZone"),
		},
		ManagerID:  worker.text("managerId"),
		StartDate:  worker.date("startDate"),
		EndDate:    worker.lastDate("endDate"),
		Attributes: worker.object("attributes").texts(),
	}
}

func readTermination(data *object, e *hr.Event) {
	termination := data.object("termination")
	e.Termination = &hr.Termination{
		LastDay:      termination.date("lastDayOfWork"),
		AccessEndsAt: termination.instant("accessEndsAt"),
		Urgency:      hr.Urgency(termination.text("urgency")),
		Voluntary:    termination.boolean("voluntary"),
		Reason:       termination.text("reason"),
	}
}

func readLeave(data *object, e *hr.Event) {
	if leave := data.object("leave"); len(leave.fields) > 0 {
		e.Leave = &hr.Leave{ExpectedReturn: leave.lastDate("expectedReturn")}
	}
}

func readSuspension(data *object, e *hr.Event) {
	if suspension := data.object("suspension"); len(suspension.fields) > 0 {
		e.Suspension = &hr.Suspension{Reason: suspension.text("reason")}
	}
}

// object is a JSON object whose fields have the types that the schema requires. An absent
// field reads as zero. The outermost object keeps the first error that the schema cannot
// find.
type object struct {
	fields map[string]any
	path   []string
	outer  *object
	refuse *source.Error // the first thing found wrong
}

func (o *object) object(name string) *object {
	fields, _ := o.fields[name].(map[string]any)
	return &object{fields: fields, path: source.Below(o.path, name), outer: o}
}

func (o *object) text(name string) string {
	text, _ := o.fields[name].(string)
	return text
}

// texts returns all fields; nil if there are none.
func (o *object) texts() map[string]string {
	if len(o.fields) == 0 {
		return nil
	}
	texts := make(map[string]string, len(o.fields))
	for name := range o.fields {
		texts[name] = o.text(name)
	}
	return texts
}

func (o *object) boolean(name string) *bool {
	if value, ok := o.fields[name].(bool); ok {
		return &value
	}
	return nil
}

func (o *object) date(name string) hr.Date {
	return o.dateIn(name, func(d hr.Date) bool { return d.Year >= source.FirstYear && d.Year <= source.LastYear })
}

// lastDate returns a date, or zero for a date so far in the future that it means none.
func (o *object) lastDate(name string) hr.Date {
	d := o.dateIn(name, func(d hr.Date) bool { return d.Year >= source.FirstYear })
	if d.Year > source.LastYear {
		return hr.Date{}
	}
	return d
}

func (o *object) dateIn(name string, plausible func(hr.Date) bool) hr.Date {
	var d hr.Date
	if err := d.UnmarshalText([]byte(o.text(name))); err != nil {
		o.wrong(name, "is not a date")
	} else if !d.IsZero() && !plausible(d) {
		o.wrong(name, "is not in a plausible year (1900 to 2199)")
	}
	return d
}

func (o *object) instant(name string) time.Time {
	text := o.text(name)
	if text == "" {
		return time.Time{}
	}
	var t time.Time
	if err := t.UnmarshalText([]byte(text)); err != nil {
		o.wrong(name, "is not an instant")
	}
	t = t.UTC()
	if t.Year() < source.FirstYear || t.Year() > source.LastYear {
		o.wrong(name, "is not in a plausible year (1900 to 2199)")
	}
	return t
}

func (o *object) zone(name string) string {
	if _, err := hr.LoadZone(o.text(name)); err != nil {
		o.wrong(name, "is not the IANA name of a time zone, such as Europe/Berlin")
	}
	return o.text(name)
}

func (o *object) wrong(name, text string) {
	root := o
	for root.outer != nil {
		root = root.outer
	}
	if root.refuse == nil {
		field := schemas.Pointer(source.Below(o.path, name)...)
		root.refuse = &source.Error{Reason: source.ReasonSchema, Field: field, Text: text}
	}
}
