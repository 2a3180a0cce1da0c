package main

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source/cloudevents"
	"github.com/tenurehq/tenure/internal/nearest"
	"github.com/tenurehq/tenure/sender"
	"github.com/tenurehq/tenure/service/formats"
)

func (c *cli) eventCommand() *cobra.Command {
	return noun("event", "Write HR events, check them and send them", c.eventNewCommand(), c.eventSendCommand(), c.eventValidateCommand())
}

// openInput opens a file by name, or standard input for "-".
func (c *cli) openInput(name string) (r io.ReadCloser, shown string, err error) {
	if name == "-" {
		return io.NopCloser(c.in), "stdin", nil
	}
	f, err := os.Open(name)
	return f, name, err
}

// readEvents reads and checks the events of a file.
func (c *cli) readEvents(name string, f sender.Format) (file string, events []sender.Event, err error) {
	r, file, err := c.openInput(name)
	if err != nil {
		return "", nil, err
	}
	defer func() { _ = r.Close() }()
	events, err = f.Read(r, file)
	return file, events, err
}

// formatOf finds how events of a source are read, with the settings of a topic.
func (c *cli) formatOf(name, topic string) (sender.Format, error) {
	kind, opened, err := formats.Open(name, topic, func() (*config.Config, error) { return c.config() })
	return sender.Format{Kind: kind, Source: opened}, err
}

// reportProblems shows the events that are not valid, and warns of fields that were left out of
// others. It returns how many there are of each.
func reportProblems(w io.Writer, file string, events []sender.Event) (valid, invalid int) {
	for _, in := range events {
		for _, warning := range in.Warnings {
			printTo(w, "%s:%d: warning: %s %s\n", file, in.Line, warning.Field, warning.Text)
		}
		if in.Problem != nil {
			printTo(w, "%s\n", in.Problem)
			invalid++
		}
	}
	return len(events) - invalid, invalid
}

func (c *cli) eventValidateCommand() *cobra.Command {
	name, topic := sender.DefaultSource, ""
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

func (c *cli) printValidation(file string, events []sender.Event) error {
	v := struct {
		Valid    int              `json:"valid"`
		Invalid  int              `json:"invalid"`
		Problems []sender.Problem `json:"problems"`
	}{Problems: []sender.Problem{}}
	for _, in := range events {
		if in.Problem != nil {
			v.Problems = append(v.Problems, *in.Problem)
		}
	}
	if c.output == formatTable {
		v.Valid, v.Invalid = reportProblems(c.err, file, events)
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

// newEvent holds the flags of event new.
type newEvent struct {
	worker, source, id           string
	effective, start, end        string
	given, family, kind, manager string
	title, department, zone      string
	lastDay, urgency, reason     string
	rescinds                     string
	line                         bool
}

func (c *cli) eventNewCommand() *cobra.Command {
	var n newEvent
	cmd := &cobra.Command{
		Use:   "new TYPE",
		Short: "Write an HR event of a type, filled in, for others to change or to send",
		Long: `Write an HR event of a type to standard output: a structured CloudEvent that is valid
as it stands, with the values of the flags, and examples for what they leave open.
TYPE is one of ` + strings.Join(eventWords, ", ") + `.

An event with a worker is the whole person: from its effective date on, it replaces what
HR said before, and a field that it leaves out becomes empty. Give all of their fields as
flags, or change the file, before you send an event about somebody who is known already.

What was said last counts. An event counts as said at its time, or when it was received
if that was earlier. If time is more than 5 minutes ahead of the receipt, the event is
used and an operator is asked about it. Of two events with the same time, the one with
the higher sequence was said last; an event without a sequence comes before those that
have one. What is written here has the present time, no sequence, and a new ID.`,
		Example: `  tenure event new hired > hired.json
  tenure event new hired --worker 10004 --given Ada --family Byron --department Development | tenure event send -
  tenure event new terminated --worker 10004 --last-day 2026-12-31 --line >> events.jsonl`,
		Args:      exactly("TYPE"),
		ValidArgs: eventWords,
		RunE: func(_ *cobra.Command, args []string) error {
			e, err := n.event(args[0], time.Now())
			if err != nil {
				return err
			}
			return c.writeEvent(e, n.line)
		},
	}
	flags := cmd.Flags()
	for _, f := range []struct {
		value             *string
		name, preset, say string
	}{
		{&n.worker, "worker", "10004", "whom it is about: HR's `ID`"},
		{&n.source, "source", "/hr/example", "which HR system says so: a `URI` reference"},
		{&n.id, "id", "", "`ID` of the event (default: a new one)"},
		{&n.effective, "effective", "", "from which `date` on it is true (default: today; of a termination its last day)"},
		{&n.kind, "worker-type", string(hr.TypeEmployee), "`type` of the worker: employee, contractor, intern, partner, temporary or service"},
		{&n.given, "given", "Ada", "given `name`"},
		{&n.family, "family", "Byron", "family `name`"},
		{&n.title, "title", "Engineer", "job `title`"},
		{&n.department, "department", "Development", "`department`"},
		{&n.manager, "manager", "", "the manager's `ID`"},
		{&n.zone, "time-zone", "Europe/Berlin", "IANA time `zone` in which the worker's days begin"},
		{&n.start, "start", "", "first `day` (default: the date from which it is true)"},
		{&n.end, "end", "", "last `day`, of contracts that have one"},
		{&n.lastDay, "last-day", "", "last `day` of work, of a termination (default: the date from which it is true)"},
		{&n.urgency, "urgency", string(hr.UrgencyStandard), "of a termination: `standard` or immediate"},
		{&n.reason, "reason", "", "`why`, of a termination or suspension"},
		{&n.rescinds, "rescinds", "e-1", "`ID` of the event that never should have been"},
	} {
		flags.StringVar(f.value, f.name, f.preset, f.say)
	}
	flags.BoolVar(&n.line, "line", false, "write it in one line, for a file of events")
	flags.VarP(&writtenFormat{&c.output}, "output", "o", "output `format`: json or yaml")
	complete(cmd, "output", []string{"json", "yaml"})
	complete(cmd, "worker-type", workerTypes)
	complete(cmd, "urgency", []string{string(hr.UrgencyStandard), string(hr.UrgencyImmediate)})
	return cmd
}

var workerTypes = []string{
	string(hr.TypeEmployee), string(hr.TypeContractor), string(hr.TypeIntern),
	string(hr.TypePartner), string(hr.TypeTemporary), string(hr.TypeService),
}

// eventTypes lists the event types in the order of eventWords.
var eventTypes = []hr.EventType{
	hr.EventHired, hr.EventRehired, hr.EventTransferred, hr.EventUpdated, hr.EventConverted, hr.EventLeaveStarted,
	hr.EventLeaveEnded, hr.EventTerminated, hr.EventRescinded, hr.EventSuspended, hr.EventReinstated,
}

// event makes the event that the flags describe.
func (n newEvent) event(word string, now time.Time) (hr.Event, error) {
	i := slices.Index(eventWords, word)
	if i < 0 {
		return hr.Event{}, usagef("there is no type %s of events; there is: %s%s", plain(word), strings.Join(eventWords, ", "), nearest.Hint(word, eventWords))
	}
	if err := oneOf("worker-type", n.kind, workerTypes); err != nil {
		return hr.Event{}, err
	}
	if err := oneOf("urgency", n.urgency, []string{string(hr.UrgencyStandard), string(hr.UrgencyImmediate)}); err != nil {
		return hr.Event{}, err
	}
	dates := map[string]hr.Date{}
	for name, given := range map[string]string{"effective": cmp.Or(n.effective, n.lastDay, now.Format(time.DateOnly)), "start": n.start, "end": n.end, "last-day": n.lastDay} {
		if given == "" {
			continue
		}
		day, err := hr.ParseDate(given)
		if err != nil {
			return hr.Event{}, usagef("--%s: %w", name, err)
		}
		dates[name] = day
	}
	e := hr.Event{
		EventKey: hr.EventKey{Source: n.source, ID: cmp.Or(n.id, "new-"+rand.Text())},
		Type:     eventTypes[i], PersonID: n.worker, Recorded: now.UTC().Truncate(time.Second), Effective: dates["effective"],
	}
	switch e.Type {
	case hr.EventHired, hr.EventRehired, hr.EventTransferred, hr.EventUpdated, hr.EventConverted:
		e.Profile = n.profile(dates)
	case hr.EventTerminated:
		e.Termination = &hr.Termination{LastDay: e.Effective, Urgency: hr.Urgency(n.urgency), Reason: n.reason}
		if n.lastDay != "" {
			e.Termination.LastDay = dates["last-day"]
		}
	case hr.EventLeaveStarted:
		e.Leave = &hr.Leave{}
	case hr.EventSuspended:
		e.Suspension = &hr.Suspension{Reason: n.reason}
		e.Effective = hr.Date{}
	case hr.EventReinstated:
		e.Effective = hr.Date{}
	case hr.EventRescinded:
		e.Rescinds, e.Effective = n.rescinds, hr.Date{}
	}
	return e, nil
}

// profile returns the worker that the flags describe.
func (n newEvent) profile(dates map[string]hr.Date) *hr.Profile {
	p := &hr.Profile{
		Type: hr.PersonType(n.kind), GivenName: n.given, FamilyName: n.family, JobTitle: n.title, Department: n.department,
		ManagerID: n.manager, Location: hr.Location{TimeZone: n.zone}, StartDate: dates["effective"], EndDate: dates["end"],
	}
	if n.start != "" {
		p.StartDate = dates["start"]
	}
	return p
}

// writtenFormat is the format in which an event is written: as it goes to Kafka, or as
// YAML to read.
type writtenFormat struct{ *format }

// String, Set and Type implement pflag.Value.
func (f *writtenFormat) String() string { return string(formatJSON) }

func (f *writtenFormat) Set(s string) error {
	if s != string(formatJSON) && s != string(formatYAML) {
		return errors.New("want json or yaml")
	}
	return f.format.Set(s)
}

// writeEvent writes an event as it goes to Kafka, in one line or over several.
func (c *cli) writeEvent(e hr.Event, line bool) error {
	value, err := cloudevents.Encode(e)
	if err != nil {
		return usagef("%w", err) // what the flags say is not valid
	}
	var out bytes.Buffer
	if line {
		err = json.Compact(&out, value)
	} else {
		err = json.Indent(&out, value, "", "  ")
	}
	if err != nil {
		return err
	}
	if c.output == formatYAML {
		return writeYAML(c.out, out.Bytes())
	}
	out.WriteByte('\n')
	_, err = c.out.Write(plainJSON(out.Bytes()))
	return err
}
