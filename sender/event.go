package sender

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/ingest/broker"
)

// DefaultSource is the format of events unless something else is configured.
const DefaultSource = "cloudevents"

// structured is the content type of a CloudEvent in one JSON object.
const structured = "application/cloudevents+json"

// Event is one event of a file.
type Event struct {
	Line     int
	Decoded  []hr.Event
	Problem  *Problem // why it is not valid; nil if it is
	Warnings []source.Warning

	key         string // key of the record
	value       []byte
	contentType string
}

// Problem describes an event that is not valid.
type Problem struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Reason string `json:"reason"`
	Field  string `json:"field,omitempty"`
	Text   string `json:"text"`
}

func (p Problem) String() string {
	return fmt.Sprintf("%s:%d: %v", p.File, p.Line, &source.Error{Reason: p.Reason, Field: p.Field, Text: p.Text})
}

// Format describes how the events of a file are read.
type Format struct {
	Kind source.Kind
	source.Source
}

// Read reads and checks the events of a file. They are one event a line (blank lines are
// ignored), JSON objects over several lines, or one XML document. The name of the file is for
// the problems of events.
func (f Format) Read(r io.Reader, name string) (events []Event, err error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if whole, ok := overLines(text); ok {
		for _, one := range whole {
			first := 1 + bytes.Count(text[:one.at], []byte("\n"))
			events = append(events, f.check(name, first, one.value))
		}
		return events, nil
	}
	line := 0
	for value := range bytes.Lines(text) {
		line++
		if value = bytes.TrimSpace(value); len(value) > 0 {
			events = append(events, f.check(name, line, value))
		}
	}
	return events, nil
}

// piece is a part of a file.
type piece struct {
	at    int // where it begins
	value []byte
}

// overLines finds the XML document or the JSON objects in a file that go over several lines.
// It returns false if the file has another form or is broken. Then the caller reads the lines
// one by one, so that every fault is reported.
func overLines(text []byte) (whole []piece, ok bool) {
	trimmed := bytes.TrimSpace(text)
	begins := bytes.Index(text, trimmed)
	line, _, more := bytes.Cut(trimmed, []byte("\n"))
	switch {
	case !more || json.Valid(line):
		return nil, false
	case trimmed[0] == '<':
		return []piece{{begins, trimmed}}, true
	}
	values := json.NewDecoder(bytes.NewReader(trimmed))
	for values.More() {
		var value json.RawMessage
		if err := values.Decode(&value); err != nil {
			return nil, false
		}
		whole = append(whole, piece{begins + int(values.InputOffset()) - len(value), value})
	}
	return whole, true
}

// check decodes one event as the starter will.
func (f Format) check(file string, line int, value []byte) Event {
	e := Event{Line: line, value: value, contentType: contentTypeOf(f.Kind, value)}
	e.key = f.keyOf(e.record())
	events, warnings, err := f.Decode(e.record())
	e.Decoded, e.Warnings = events, warnings
	var thin *source.ThinError
	switch {
	case err == nil:
		return e
	case errors.As(err, &thin) && f.Fetch != nil:
		e.Warnings = append(e.Warnings, source.Warning{Field: "the record", Text: "is thin: the starter fetches what it refers to, which was not checked"})
		return e
	}
	e.Problem = &Problem{File: file, Line: line, Reason: "invalid", Text: err.Error()}
	var refusal *source.Error
	if errors.As(err, &refusal) {
		e.Problem.Reason, e.Problem.Field, e.Problem.Text = refusal.Reason, refusal.Field, refusal.Text
	}
	return e
}

func (e Event) record() source.Record {
	return source.Record{
		Key: []byte(e.key), Headers: map[string]string{"content-type": e.contentType}, Value: e.value, Time: time.Now(),
	}
}

// Message returns the message that carries the event.
func (e Event) Message() broker.Message {
	return broker.Message{Key: e.key, Value: e.value, Headers: e.record().Headers}
}

// contentTypeOf returns the content type with which an HR system sends such a body.
func contentTypeOf(kind source.Kind, value []byte) string {
	switch {
	case kind.Name == DefaultSource:
		return structured
	case value[0] == '<':
		return "text/xml"
	case value[0] == '{' || value[0] == '[':
		return "application/json"
	default:
		return "application/x-www-form-urlencoded"
	}
}

// keyOf returns the key of a record: the one that its kind finds, or the event's own.
func (f Format) keyOf(r source.Record) string {
	if f.Kind.Key != nil {
		return f.Kind.KeyOf(r)
	}
	return keyOf(r.Value)
}

// keyOf returns the record key that an event must have: its partition key, which is its
// subject.
func keyOf(value []byte) string {
	var e struct{ PartitionKey, Subject string }
	_ = json.Unmarshal(value, &e) // the decoder reports errors better
	if e.PartitionKey != "" {
		return e.PartitionKey
	}
	return e.Subject
}
