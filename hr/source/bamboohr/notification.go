package bamboohr

import (
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tenurehq/tenure/hr/source"
)

// The actions. Each form has its own names for them.
const (
	created = "created"
	updated = "updated"
	deleted = "deleted"
)

// statusInactive is the status of an employee who has left.
const statusInactive = "Inactive"

// notification is one thing that happened to one employee.
type notification struct {
	path     string // JSON pointer to its place in the record
	action   string
	employee string
	company  string // empty in the field-based form
	at       time.Time
	said     string            // at, as BambooHR wrote it
	changed  []string          // API names or aliases
	fields   map[string]string // fields that were posted; nil if none
}

// id returns the event's ID. It is the same however often the notification is sent. The
// posted values are part of it, since some notifications differ in nothing else.
func (n *notification) id() string {
	parts := []string{"bamboohr", n.action, n.company, n.employee, n.said, strconv.Itoa(len(n.changed))}
	parts = append(parts, slices.Sorted(slices.Values(n.changed))...)
	for _, name := range slices.Sorted(maps.Keys(n.fields)) {
		if value := n.fields[name]; value != "" { // IDs were always made without empty values, and must not change
			parts = append(parts, name, value)
		}
	}
	return source.Digest(parts...)
}

// envelope holds the fields of both forms.
type envelope struct {
	Type      string `json:"type"`
	Timestamp string `json:"timestamp"`
	Data      struct {
		CompanyID     text     `json:"companyId"`
		EmployeeID    text     `json:"employeeId"`
		ChangedFields []string `json:"changedFields"`
	} `json:"data"`
	Employees []struct {
		ID            text         `json:"id"`
		Action        string       `json:"action"`
		Timestamp     string       `json:"timestamp"`
		ChangedFields []string     `json:"changedFields"`
		Fields        postedFields `json:"fields"`
	} `json:"employees"`
}

// text is a JSON text, or a number that is read as text.
type text string

func (t *text) UnmarshalJSON(b []byte) error {
	var value any
	if err := unmarshal(b, &value); err != nil {
		return err
	}
	s, ok := scalar(value)
	if !ok {
		return fmt.Errorf("is no text")
	}
	*t = text(s)
	return nil
}

// postedFields holds values by name, also empty ones. In the JSON, a value may be inside an
// object of its own.
type postedFields map[string]string

func (f *postedFields) UnmarshalJSON(b []byte) error {
	var values any
	if err := unmarshal(b, &values); err != nil {
		return err
	}
	object, ok := values.(map[string]any)
	if !ok { // PHP writes an empty object as []
		return nil
	}
	*f = flatten(object)
	for name, value := range object {
		if inner, ok := value.(map[string]any); ok {
			value = inner["value"]
		}
		if value == nil || value == "" {
			(*f)[name] = "" // posted and empty, for example of a person with one name
		}
	}
	return nil
}

// flatten returns the values by name, and takes them out of objects that hold just a value.
func flatten(object map[string]any) map[string]string {
	fields := make(map[string]string, len(object))
	for name, value := range source.Flatten(object) {
		fields[strings.TrimSuffix(name, ".value")] = value
	}
	return fields
}

func scalar(value any) (string, bool) {
	switch value := value.(type) {
	case nil:
		return "", true
	case string:
		return value, true
	case json.Number:
		return value.String(), true
	case bool:
		return strconv.FormatBool(value), true
	default:
		return "", false
	}
}

func unmarshal(b []byte, to any) error {
	decoder := json.NewDecoder(strings.NewReader(string(b)))
	decoder.UseNumber()
	return decoder.Decode(to)
}

// read finds the notifications of a record.
func read(r source.Record) ([]notification, error) {
	if len(r.Value) == 0 {
		return nil, &source.Error{Reason: source.ReasonTombstone, Text: "has no value"}
	}
	if media, _, err := mime.ParseMediaType(r.Headers["content-type"]); err == nil && media == "application/x-www-form-urlencoded" {
		return nil, &source.Error{Reason: source.ReasonWrongContentType, Field: "content-type",
			Text: "is a form: set the webhook's format to JSON in BambooHR"}
	}
	if _, refusal := source.ParseJSON(r.Value); refusal != nil {
		return nil, refusal
	}
	var e envelope
	if err := json.Unmarshal(r.Value, &e); err != nil {
		return nil, &source.Error{Reason: source.ReasonSchema, Text: "is not of the form of BambooHR's webhooks"}
	}
	switch {
	case e.Type != "":
		return e.event()
	case len(e.Employees) > 0:
		return e.employees()
	default:
		return nil, &source.Error{Reason: source.ReasonSchema, Field: "/type", Text: "is missing, and there are no /employees: this is no webhook of BambooHR"}
	}
}

// types maps the types of both forms to actions. The field-based form need not have any.
var types = map[string]string{
	"employee.created": created, "employee.updated": updated, "employee.deleted": deleted,
	"employee_with_fields.created": created, "employee_with_fields.updated": updated, "employee_with_fields.deleted": deleted,
}

func (e *envelope) event() ([]notification, error) {
	action, ok := types[e.Type]
	if !ok {
		return nil, &source.Error{Reason: source.ReasonUnknownType, Field: "/type",
			Text: "is not employee.created, employee.updated or employee.deleted"}
	}
	n := notification{
		path: "/data", action: action, employee: string(e.Data.EmployeeID), company: string(e.Data.CompanyID),
		said: e.Timestamp, changed: e.Data.ChangedFields,
	}
	if err := n.check("/data/employeeId", "/timestamp"); err != nil {
		return nil, err
	}
	return []notification{n}, nil
}

func (e *envelope) employees() ([]notification, error) {
	list := make([]notification, 0, len(e.Employees))
	for i, said := range e.Employees {
		path := fmt.Sprintf("/employees/%d", i)
		n := notification{
			path: path, action: strings.ToLower(said.Action), employee: string(said.ID),
			said: said.Timestamp, changed: said.ChangedFields, fields: said.Fields,
		}
		if n.action != created && n.action != updated && n.action != deleted {
			return nil, &source.Error{Reason: source.ReasonUnknownType, Field: path + "/action", Text: "is not Created, Updated or Deleted"}
		}
		if err := n.check(path+"/id", path+"/timestamp"); err != nil {
			return nil, err
		}
		list = append(list, n)
	}
	return list, nil
}

// check reads the time of a notification, and checks whom it is about.
func (n *notification) check(id, timestamp string) error {
	ends := n.action == deleted || source.SameWord(n.fields["status"], statusInactive) ||
		source.SameWord(n.fields[labels["status"]], statusInactive)
	if !source.ValidID(n.employee) {
		return source.About(&source.Error{Reason: source.ReasonSchema, Field: id, Text: "is not the ID of an employee"}, "", ends)
	}
	at, ok := source.ParseInstant(n.said)
	if !ok {
		return source.About(&source.Error{Reason: source.ReasonSchema, Field: timestamp,
			Text: "is not an instant, such as 2026-01-31T18:42:00+0000"}, n.employee, ends)
	}
	n.at = at
	return nil
}

// key finds the one employee that a record is about.
func key(r source.Record) string {
	notifications, err := read(r)
	if err != nil {
		return ""
	}
	for _, n := range notifications {
		if n.employee != notifications[0].employee {
			return ""
		}
	}
	return notifications[0].employee
}
