package rippling

import (
	"mime"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/tenurehq/tenure/hr/source"
)

// The events that are about employments.
const (
	created    = "employee.created"
	updated    = "employee.updated"
	deleted    = "employee.deleted"
	hired      = "employee.hired"
	terminated = "employee.terminated"
)

// notification is one webhook of Rippling.
type notification struct {
	event    string
	company  string
	employee string // empty for events that are not about an employment
}

// stateTerminated is the role state of an employee who has left.
const stateTerminated = "TERMINATED"

// ends reports whether the event is the end of somebody's employment.
func (n notification) ends() bool { return n.event == deleted || n.event == terminated }

// others lists the beginnings of the names of events that are not about an employment.
var others = []string{"group.", "company.", "custom_info_field.", "401_deductions", "leave_request."}

// read finds the notification of a record.
func read(r source.Record) (notification, *source.Error) {
	if len(r.Value) == 0 {
		return notification{}, &source.Error{Reason: source.ReasonTombstone, Text: "has no value"}
	}
	if media, _, err := mime.ParseMediaType(r.Headers["content-type"]); err == nil && media != "application/x-www-form-urlencoded" {
		return notification{}, &source.Error{Reason: source.ReasonWrongContentType, Field: "content-type",
			Text: "must be application/x-www-form-urlencoded: Rippling sends forms"}
	}
	form, err := url.ParseQuery(strings.TrimSpace(string(r.Value)))
	if err != nil {
		return notification{}, &source.Error{Reason: source.ReasonMalformed, Text: "is no form"}
	}
	n := notification{event: form.Get("event_name"), company: form.Get("company_id")}
	for _, name := range []string{"event_name", "company_id", "id"} {
		if len(form[name]) > 1 {
			return n, &source.Error{Reason: source.ReasonMalformed, Field: name, Text: "is there twice"}
		}
		if !utf8.ValidString(form.Get(name)) {
			return n, &source.Error{Reason: source.ReasonNotUTF8, Field: name, Text: "is not UTF-8"}
		}
	}
	switch n.event {
	case created, updated, deleted, hired, terminated:
		n.employee = form.Get("id")
		if !source.ValidID(n.employee) {
			return n, &source.Error{Reason: source.ReasonSchema, Field: "id", Text: "is not the ID of an employee"}
		}
		return n, nil
	}
	for _, prefix := range others {
		if strings.HasPrefix(n.event, prefix) {
			return n, nil
		}
	}
	return n, &source.Error{Reason: source.ReasonUnknownType, Field: "event_name", Text: "is no event of Rippling's that Tenure knows (employee.hired is one)"}
}

// key finds the employee that a record is about.
func key(r source.Record) string {
	n, refusal := read(r)
	if refusal != nil {
		return ""
	}
	return n.employee
}
