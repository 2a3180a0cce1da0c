package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/service/formats"
)

func (c *cli) eventCommand() *cobra.Command {
	return noun("event", "Write HR events, check them and send them", c.eventNewCommand(), c.eventSendCommand(), c.eventValidateCommand())
}

// defaultSource is the format of events that nothing is said about.
const defaultSource = "cloudevents"

// structured is the content type of a CloudEvent in one JSON object.
const structured = "application/cloudevents+json"

// input is one event of a file.
type input struct {
	line        int
	key         string // whom it is about
	value       []byte
	contentType string
	events      []hr.Event
	problem     *problem // why it is not valid; nil if it is
	warnings    []source.Warning
}

// problem is an event that is not valid.
type problem struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Reason string `json:"reason"`
	Field  string `json:"field,omitempty"`
	Text   string `json:"text"`
}

func (p problem) String() string {
	return fmt.Sprintf("%s:%d: %v", p.File, p.Line, &source.Error{Reason: p.Reason, Field: p.Field, Text: p.Text})
}

// openInput opens a file by name, or standard input for "-".
func (c *cli) openInput(name string) (r io.ReadCloser, shown string, err error) {
	if name == "-" {
		return io.NopCloser(c.in), "stdin", nil
	}
	f, err := os.Open(name)
	return f, name, err
}

// readEvents reads and checks the events of a file: one a line, blank lines left
// out, or JSON objects over several lines, or one XML document.
func (c *cli) readEvents(name string, f eventFormat) (file string, events []input, err error) {
	r, file, err := c.openInput(name)
	if err != nil {
		return "", nil, err
	}
	defer func() { _ = r.Close() }()
	text, err := io.ReadAll(bufio.NewReader(r))
	if err != nil {
		return "", nil, fmt.Errorf("%s: %w", file, err)
	}
	if whole, ok := overLines(text); ok {
		for _, one := range whole {
			first := 1 + bytes.Count(text[:one.at], []byte("\n"))
			events = append(events, f.check(file, first, one.value))
		}
		return file, events, nil
	}
	line := 0
	for value := range bytes.Lines(text) {
		line++
		if value = bytes.TrimSpace(value); len(value) > 0 {
			events = append(events, f.check(file, line, value))
		}
	}
	return file, events, nil
}

// piece is a part of a file.
type piece struct {
	at    int // where it begins
	value []byte
}

// overLines finds the XML document or the JSON objects that a file has over
// several lines. It is not ok if the file is of another form, or broken: then the
// lines are looked at one by one, so that all that is wrong is told.
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

// eventFormat is how the events of a file are read.
type eventFormat struct {
	kind source.Kind
	source.Source
}

// check decodes one event as the starter will.
func (f eventFormat) check(file string, line int, value []byte) input {
	in := input{line: line, value: value, contentType: contentTypeOf(f.kind, value)}
	in.key = f.keyOf(in.record())
	events, warnings, err := f.Decode(in.record())
	in.events, in.warnings = events, warnings
	var thin *source.ThinError
	switch {
	case err == nil:
		return in
	case errors.As(err, &thin) && f.Fetch != nil:
		in.warnings = append(in.warnings, source.Warning{Field: "the record", Text: "is thin: the starter fetches what it refers to, which was not checked"})
		return in
	}
	in.problem = &problem{File: file, Line: line, Reason: "invalid", Text: err.Error()}
	var refusal *source.Error
	if errors.As(err, &refusal) {
		in.problem.Reason, in.problem.Field, in.problem.Text = refusal.Reason, refusal.Field, refusal.Text
	}
	return in
}

func (in input) record() source.Record {
	return source.Record{
		Key: []byte(in.key), Headers: map[string]string{"content-type": in.contentType}, Value: in.value, Time: time.Now(),
	}
}

// contentTypeOf is what an HR system sends such a body as.
func contentTypeOf(kind source.Kind, value []byte) string {
	switch {
	case kind.Name == defaultSource:
		return structured
	case value[0] == '<':
		return "text/xml"
	case value[0] == '{' || value[0] == '[':
		return "application/json"
	default:
		return "application/x-www-form-urlencoded"
	}
}

// keyOf is the key of a record: what its kind finds, or what the event says.
func (f eventFormat) keyOf(r source.Record) string {
	if f.kind.Key != nil {
		return f.kind.KeyOf(r)
	}
	return keyOf(r.Value)
}

// keyOf is the record key that an event has to have: its partition key, which is
// its subject.
func keyOf(value []byte) string {
	var e struct{ PartitionKey, Subject string }
	_ = json.Unmarshal(value, &e) // what is wrong with it, the decoder says better
	if e.PartitionKey != "" {
		return e.PartitionKey
	}
	return e.Subject
}

// formatOf finds how events of a source are read, with the settings of a topic.
func (c *cli) formatOf(name, topic string) (eventFormat, error) {
	kind, opened, err := formats.Open(name, topic, func() (*config.Config, error) { return c.config() })
	return eventFormat{kind: kind, Source: opened}, err
}

// report shows the events that are not valid, and what was left out of others.
func report(w io.Writer, file string, events []input) (valid, invalid int) {
	for _, in := range events {
		for _, warning := range in.warnings {
			printTo(w, "%s:%d: warning: %s %s\n", file, in.line, warning.Field, warning.Text)
		}
		if in.problem != nil {
			printTo(w, "%s\n", in.problem)
			invalid++
		}
	}
	return len(events) - invalid, invalid
}

func (c *cli) eventValidateCommand() *cobra.Command {
	name, topic := defaultSource, ""
	cmd := &cobra.Command{
		Use:   "validate FILE",
		Short: "Check HR events as the starter would, without sending them",
		Long: `Check HR events as the starter would, without sending them.

FILE holds structured CloudEvents, one JSON object after the other; "-" is
standard input. What is not valid is reported with file and line, and the exit
status is 1 then.

With --source, FILE holds bodies of that HR system's webhooks: one a line, or one
JSON object or XML document in all. The settings are those of the configuration's
topic. Nothing is fetched: what only refers to a person is valid if it can be.`,
		Example: `  tenure event validate events.jsonl
  tenure event validate --source bamboohr webhook.json
  zcat events.jsonl.gz | tenure event validate -`,
		Args: exactly("FILE"),
		RunE: func(_ *cobra.Command, args []string) error {
			format, err := c.formatOf(name, topic)
			if err != nil {
				return err
			}
			file, events, err := c.readEvents(args[0], format)
			if err != nil {
				return err
			}
			return c.printValidation(file, events)
		},
	}
	cmd.Flags().StringVar(&name, "source", name, "format of the events: a `source` as in kafka.topics")
	cmd.Flags().StringVar(&topic, "topic", "", "the `topic` whose settings hold, if several have that source")
	return c.reads(cmd)
}

func (c *cli) printValidation(file string, events []input) error {
	v := struct {
		Valid    int       `json:"valid"`
		Invalid  int       `json:"invalid"`
		Problems []problem `json:"problems"`
	}{Problems: []problem{}}
	for _, in := range events {
		if in.problem != nil {
			v.Problems = append(v.Problems, *in.problem)
		}
	}
	if c.output == formatTable {
		v.Valid, v.Invalid = report(c.err, file, events)
	}
	v.Invalid = len(v.Problems)
	v.Valid = len(events) - v.Invalid
	if err := c.print(v, func(p *page) { p.note("%s: %d valid, %d invalid", file, v.Valid, v.Invalid) }); err != nil {
		return err
	}
	if v.Invalid > 0 {
		return fmt.Errorf("%d of %d events are not valid", v.Invalid, len(events))
	}
	return nil
}
