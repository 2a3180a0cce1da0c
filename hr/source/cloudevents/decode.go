package cloudevents

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/schemas"
)

// Decode is the source.Decoder of the format: one record, one event.
func Decode(r source.Record) ([]hr.Event, []source.Warning, error) {
	e, warnings, refusal := decode(r)
	if refusal != nil {
		return nil, nil, refusal
	}
	return []hr.Event{e}, warnings, nil
}

func decode(r source.Record) (hr.Event, []source.Warning, *source.Error) {
	doc, refusal := envelope(r)
	if refusal != nil {
		return hr.Event{}, nil, refusal
	}
	if refusal := prune(doc); refusal != nil {
		return hr.Event{}, nil, refusal
	}
	if refusal := checkVersions(doc); refusal != nil {
		return hr.Event{}, nil, refusal
	}
	if err := schemas.OfEvent().Validate(doc); err != nil {
		return hr.Event{}, nil, violated(err)
	}
	event := &object{fields: doc.(map[string]any)}
	if refusal := checkPerson(event, r.Key); refusal != nil {
		return hr.Event{}, nil, refusal
	}
	e, refusal := read(event)
	if refusal == nil {
		refusal = check(e)
	}
	if refusal != nil {
		return hr.Event{}, nil, refusal
	}
	return e, warnings(e, doc, r.Key), nil
}

// check refuses an event that no ledger or workflow can keep.
func check(e hr.Event) *source.Error {
	refusal := source.Check(e)
	if refusal == nil {
		return nil
	}
	for _, name := range []struct{ event, wire string }{
		{"/personId", "/subject"}, {"/source", "/source"}, {"/id", "/id"}, {"/sequence", "/sequence"}, {"/profile", "/data/worker"}, {"", "/data"},
	} {
		if rest, ok := strings.CutPrefix(refusal.Field, name.event); ok {
			refusal.Field = name.wire + rest
			break
		}
	}
	return refusal
}

// checkVersions refuses events of versions or types that the schema does not describe.
func checkVersions(doc any) *source.Error {
	fields, _ := doc.(map[string]any)
	if v, ok := fields["specversion"].(string); ok && v != specVersion {
		return &source.Error{
			Reason: source.ReasonUnsupportedVersion, Field: "/specversion",
			Text: "is not a version of CloudEvents that Tenure reads (" + specVersion + ")",
		}
	}
	kind, ok := fields["type"].(string)
	if !ok || parts[hr.EventType(kind)] != nil {
		return nil
	}
	dot := strings.LastIndex(kind, ".v")
	if dot >= 0 && strings.TrimFunc(kind[dot+2:], unicode.IsDigit) == "" && parts[hr.EventType(kind[:dot]+".v1")] != nil {
		return &source.Error{
			Reason: source.ReasonUnsupportedVersion, Field: "/type",
			Text: "is not a version of this event type that Tenure reads (" + kind[:dot] + ".v1)",
		}
	}
	return &source.Error{
		Reason: source.ReasonUnknownType, Field: "/type",
		Text: "is not a type of HR event (com.tenurehq.worker.hired.v1 is one; see the schema for all)",
	}
}

// mostListed bounds how many errors or warnings about one record are named. Nobody reads
// more, and a log line or header should not grow with the sender's mistakes.
const mostListed = 10

// violated returns one error for all violations that the schema found.
func violated(err error) *source.Error {
	refusal := &source.Error{Reason: source.ReasonSchema, Text: "is not an event"}
	var found schemas.InvalidError
	if !errors.As(err, &found) {
		return refusal
	}
	for i, v := range found {
		switch {
		case i == 0:
			refusal.Field, refusal.Text = source.Printable(v.Field), v.Problem
		case i < mostListed:
			refusal.Text += "; " + source.Printable(v.Field) + " " + v.Problem
		default:
			refusal.Text += fmt.Sprintf("; and %d more", len(found)-i)
			return refusal
		}
	}
	return refusal
}

// checkPerson refuses an event that names more than one person. Acting on it might cut off
// the wrong one.
func checkPerson(event *object, key []byte) *source.Error {
	subject := event.text("subject")
	mismatch := func(field string) *source.Error {
		return &source.Error{Reason: source.ReasonKeyMismatch, Field: field, Text: "names another person than /subject"}
	}
	switch {
	case event.object("data").text("workerId") != subject:
		return mismatch("/data/workerId")
	case event.text("partitionkey") != "" && event.text("partitionkey") != subject:
		return mismatch("/partitionkey")
	case len(key) > 0 && string(key) != subject:
		return mismatch("key")
	}
	return nil
}

// warnings returns the warnings about a record that can be used.
func warnings(e hr.Event, doc any, key []byte) []source.Warning {
	var list []source.Warning
	if len(key) == 0 {
		list = append(list, source.Warning{Field: "key", Text: "is missing: it should be the worker ID"})
	}
	unknown := schemas.OfEvent().Unknown(doc)
	for _, field := range unknown[:min(len(unknown), mostListed)] {
		list = append(list, source.Warning{Field: source.Printable(field), Text: "is not known and was left out"})
	}
	if more := len(unknown) - mostListed; more > 0 {
		list = append(list, source.Warning{Field: "/data", Text: fmt.Sprintf("has %d more unknown fields", more)})
	}
	if p := e.Profile; p != nil && !p.EndDate.IsZero() && p.EndDate.Compare(p.StartDate) < 0 {
		list = append(list, source.Warning{Field: "/data/worker/endDate", Text: "is before /data/worker/startDate"})
	}
	return list
}
