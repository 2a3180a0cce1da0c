package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/hr/source/catalog"
)

func (c *cli) eventCommand() *cobra.Command {
	return noun("event", "Check HR events and send them", c.eventSendCommand(), c.eventValidateCommand())
}

// defaultSource is the format of events that nothing is said about.
const defaultSource = "cloudevents"

// structured is the content type of a CloudEvent in one JSON object.
const structured = "application/cloudevents+json"

// input is one event of a file.
type input struct {
	line     int
	key      string // whom it is about
	value    []byte
	problem  *problem // why it is not valid; nil if it is
	warnings []source.Warning
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

// readEvents reads and checks the events of a file: one JSON object a line,
// blank lines left out, or one object over several lines.
func (c *cli) readEvents(name string, decode source.Decoder) (file string, events []input, err error) {
	r, file, err := c.openInput(name)
	if err != nil {
		return "", nil, err
	}
	defer func() { _ = r.Close() }()
	text, err := io.ReadAll(bufio.NewReader(r))
	if err != nil {
		return "", nil, fmt.Errorf("%s: %w", file, err)
	}
	if one := bytes.TrimSpace(text); bytes.IndexByte(one, '\n') >= 0 && json.Valid(one) {
		first := 1 + bytes.Count(text[:bytes.IndexByte(text, one[0])], []byte("\n"))
		return file, []input{check(file, first, one, decode)}, nil
	}
	line := 0
	for value := range bytes.Lines(text) {
		line++
		if value = bytes.TrimSpace(value); len(value) > 0 {
			events = append(events, check(file, line, value, decode))
		}
	}
	return file, events, nil
}

// check decodes one event as the starter will.
func check(file string, line int, value []byte, decode source.Decoder) input {
	in := input{line: line, key: keyOf(value), value: value}
	_, warnings, err := decode(in.record())
	in.warnings = warnings
	if err == nil {
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
	return source.Record{Key: []byte(in.key), Headers: map[string]string{"content-type": structured}, Value: in.value}
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

// decoderOf finds the decoder of a source.
func decoderOf(name string) (source.Decoder, error) {
	kind, ok := catalog.Lookup(name)
	if !ok {
		return nil, usagef("there is no source %q; there is: %s", name, strings.Join(catalog.Names(), ", "))
	}
	opened, err := kind.Open(nil)
	if err != nil {
		return nil, usagef("source %s: %w", name, err)
	}
	return opened.Decode, nil
}

// report shows the events that are not valid, and what was left out of others.
func report(w io.Writer, file string, events []input) (valid, invalid int) {
	for _, in := range events {
		for _, warning := range in.warnings {
			_, _ = fmt.Fprintf(w, "%s:%d: warning: %s %s\n", file, in.line, warning.Field, warning.Text)
		}
		if in.problem != nil {
			_, _ = fmt.Fprintln(w, in.problem)
			invalid++
		}
	}
	return len(events) - invalid, invalid
}

func (c *cli) eventValidateCommand() *cobra.Command {
	name := defaultSource
	cmd := &cobra.Command{
		Use:   "validate FILE",
		Short: "Check HR events as the starter would, without sending them",
		Long: `Check HR events as the starter would, without sending them.

FILE holds structured CloudEvents, one JSON object a line; "-" is standard
input. What is not valid is reported with file and line, and the exit status is
1 then.`,
		Example: `  tenure event validate events.jsonl
  zcat events.jsonl.gz | tenure event validate -`,
		Args: exactly("FILE"),
		RunE: func(_ *cobra.Command, args []string) error {
			decode, err := decoderOf(name)
			if err != nil {
				return err
			}
			file, events, err := c.readEvents(args[0], decode)
			if err != nil {
				return err
			}
			return c.printValidation(file, events)
		},
	}
	cmd.Flags().StringVar(&name, "source", name, "format of the events: a `source` as in kafka.topics")
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
