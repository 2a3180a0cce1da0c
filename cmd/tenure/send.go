package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/snapshot"
	"github.com/tenurehq/tenure/hr/source/cloudevents"
	"github.com/tenurehq/tenure/ingest"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/service"
)

// sendOptions are the flags of event send.
type sendOptions struct {
	brokers     []string
	cluster     ingest.Cluster
	topic       string
	source      string
	skipInvalid bool
	wait        time.Duration
}

func (c *cli) eventSendCommand() *cobra.Command {
	var (
		o  sendOptions
		so snapshotOptions
	)
	cmd := &cobra.Command{
		Use:   "send FILE | --snapshot FILE",
		Short: "Send HR events to Kafka, for the starter to consume",
		Long: `Send HR events to Kafka, for the starter to consume.

FILE holds structured CloudEvents, one JSON object after the other; "-" is
standard input. All are checked first, and nothing is sent if any is not valid, unless
--skip-invalid says to leave those out (then the exit status is 3).

Sending the same events again is harmless: an event is known by its source and
id.

With --snapshot, FILE is instead everybody whom HR knows, as CSV with a header
line or as JSONL, and the configuration says under "snapshot" what its columns
mean. It is compared with the ledger, and what never came is shown: hires,
changes, and terminations of people who are gone. It shows who and which fields;
--values shows what is in them. Nothing is sent without --apply, and nothing at
all (exit status 3) if more people would leave than the configuration allows, or
if a row cannot be read. A question that only a human can answer, such as whether
somebody who has left came back, is shown, and the exit status is 3.

The snapshot is of the instant at which its file was written, unless --as-of says
otherwise; whom HR has said something of since then is left alone. Who is gone
has the day of that instant as their last day.`,
		Example: `  tenure event send events.jsonl
  zcat company.jsonl.gz | tenure event send -
  tenure event send events.jsonl --brokers kafka-1:9092,kafka-2:9092 --topic hr.events
  tenure event send --snapshot people.csv
  tenure event send --snapshot people.csv --apply --rehire 10004`,
		Args: func(cmd *cobra.Command, args []string) error {
			if so.file != "" {
				return cobra.NoArgs(cmd, args)
			}
			return exactly("FILE")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := so.check(cmd.Flags()); err != nil {
				return err
			}
			if err := c.sendDefaults(&o); err != nil {
				return err
			}
			if so.file != "" {
				return c.sendSnapshot(cmd.Context(), o, so)
			}
			return c.send(cmd.Context(), args[0], o)
		},
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&o.brokers, "brokers", nil, "Kafka `brokers`, in place of the configuration's; how to encrypt and sign in is what it says")
	flags.StringVar(&o.topic, "topic", "", "`topic` to send to (default: the configuration's first one of this source)")
	flags.StringVar(&o.source, "source", "", "format of the events: a `source` as in kafka.topics (default: the topic's, else cloudevents)")
	flags.BoolVar(&o.skipInvalid, "skip-invalid", false, "send the valid events, report the others")
	flags.DurationVar(&o.wait, "wait", time.Minute, "how `long` to wait for Kafka when it cannot be reached")
	so.flags(flags)
	return c.reads(cmd)
}

// sendDefaults takes what the flags leave open from the configuration; none is
// needed if they leave nothing open. How to encrypt and sign in only a
// configuration can say: one that is there is used whatever the flags say.
func (c *cli) sendDefaults(o *sendOptions) error {
	o.cluster.Brokers = o.brokers
	if len(o.brokers) == 0 || o.topic == "" || c.configPath != "" || exists(c.findConfig()) {
		cfg, err := c.config(config.PartKafka)
		if err != nil {
			return err
		}
		if o.cluster, err = service.Cluster(cfg.Kafka); err != nil {
			return usagef("%w", err)
		}
		if len(o.brokers) > 0 {
			o.cluster.Brokers = o.brokers
		}
		if err := pickTopic(o, cfg.Kafka.Topics); err != nil {
			return err
		}
	}
	if o.source == "" {
		o.source = defaultSource
	}
	return nil
}

// pickTopic settles topic and source, each of which may be given.
func pickTopic(o *sendOptions, topics []config.Topic) error {
	wanted := o.source
	if wanted == "" {
		wanted = defaultSource
	}
	i := slices.IndexFunc(topics, func(t config.Topic) bool {
		return t.Name == o.topic || o.topic == "" && t.Source == wanted
	})
	switch {
	case i >= 0 && o.source == "":
		o.topic, o.source = topics[i].Name, topics[i].Source
	case i >= 0:
		o.topic = topics[i].Name
	case o.topic == "":
		return usagef("no topic of the configuration has the source %q: name one with --topic", wanted)
	}
	return nil
}

// sendChunk is how many events are sent between two steps of the progress bar.
const sendChunk = 500

func (c *cli) send(ctx context.Context, name string, o sendOptions) error {
	format, err := c.formatOf(o.source, o.topic) //nolint:contextcheck // the configuration connects to nothing
	if err != nil {
		return err
	}
	file, events, err := c.readEvents(name, format)
	if err != nil {
		return err
	}
	valid, invalid := report(c.err, file, events)
	if invalid > 0 && !o.skipInvalid {
		return fmt.Errorf("%d of %d events are not valid, so none was sent (--skip-invalid sends the others)", invalid, len(events))
	}
	messages := make([]ingest.Message, 0, valid)
	for _, in := range events {
		if in.problem == nil {
			messages = append(messages, in.message())
		}
	}
	began := time.Now()
	sent, err := c.publish(ctx, o, messages)
	if err != nil {
		return fmt.Errorf("%w\n%d of %d events were sent; sending all of them again is harmless", err, sent, len(messages))
	}
	if err := c.report(sentView{Topic: o.topic, Sent: sent, LeftOut: invalid}); err != nil {
		return err
	}
	c.tell("sent %s to %s in %s", count(sent, "event"), o.topic, time.Since(began).Round(time.Millisecond))
	if invalid > 0 {
		c.tell(", left out %d that are not valid\n", invalid)
		return errAttention
	}
	c.tell("\n")
	return nil
}

// sentView is how many events were sent.
type sentView struct {
	Topic   string `json:"topic"`
	Sent    int    `json:"sent"`
	LeftOut int    `json:"leftOut,omitempty"` // that are not valid
}

func (in input) message() ingest.Message {
	return ingest.Message{Key: in.key, Value: in.value, Headers: in.record().Headers}
}

// publish sends the messages in order and says how many were certainly sent.
func (c *cli) publish(ctx context.Context, o sendOptions, messages []ingest.Message) (sent int, err error) {
	publisher := ingest.NewPublisher(o.cluster)
	defer func() { err = errors.Join(err, publisher.Close()) }()
	var waitingFor error
	publisher.Waiting = func(reason error) {
		waitingFor = reason
		c.tell("waiting: %v\n", reason)
	}
	bar := c.progress(len(messages), "sending", "events")
	defer func() { _ = bar.Exit() }()
	for chunk := range slices.Chunk(messages, sendChunk) {
		err := publishWithin(ctx, o.wait, publisher, o.topic, chunk)
		switch {
		case errors.Is(err, context.DeadlineExceeded) && waitingFor != nil:
			return sent, fmt.Errorf("gave up after %s: %w (check kafka.brokers, or --brokers and --topic)", o.wait, waitingFor)
		case err != nil:
			return sent, err
		}
		sent += len(chunk)
		_ = bar.Add(len(chunk))
	}
	_ = bar.Finish()
	return sent, nil
}

func publishWithin(ctx context.Context, wait time.Duration, p *ingest.Publisher, topic string, chunk []ingest.Message) error {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	return p.Publish(ctx, topic, chunk)
}

// progress is a bar on a terminal, and nothing elsewhere. A total of -1 is not
// known yet.
func (c *cli) progress(total int, doing, what string) *progressbar.ProgressBar {
	return progressbar.NewOptions(total,
		progressbar.OptionSetWriter(c.err),
		progressbar.OptionSetDescription(doing),
		progressbar.OptionShowCount(),
		progressbar.OptionShowIts(),
		progressbar.OptionSetItsString(what),
		progressbar.OptionThrottle(65*time.Millisecond),
		progressbar.OptionSetRenderBlankState(true),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionSetVisibility(c.errTTY),
	)
}

// snapshotOptions are the flags of event send --snapshot.
type snapshotOptions struct {
	file        string
	apply       bool
	onlyPresent bool
	values      bool
	asOf        string
	maxLeavers  int // -1: the configuration's
	rehire      []string
}

// snapshotFlags are the flags that only a snapshot has.
var snapshotFlags = []string{"apply", "only-present", "values", "as-of", "max-leavers", "rehire", "output"}

func (so *snapshotOptions) flags(flags *pflag.FlagSet) {
	flags.StringVar(&so.file, "snapshot", "", "compare this `file` of everybody whom HR knows with the ledger")
	flags.BoolVar(&so.apply, "apply", false, "with --snapshot: send what was found")
	flags.BoolVar(&so.onlyPresent, "only-present", false, "with --snapshot: the file is not of everybody, so nobody is gone for being absent")
	flags.BoolVar(&so.values, "values", false, "with --snapshot: show what is in the fields, which is personal data")
	flags.StringVar(&so.asOf, "as-of", "", "with --snapshot: the `instant` of which it is (default: when the file was written)")
	flags.IntVar(&so.maxLeavers, "max-leavers", -1, "with --snapshot: how many `people` may leave (default: the configuration's)")
	flags.StringSliceVar(&so.rehire, "rehire", nil, "with --snapshot: `person` IDs who have left, and came back")
	flags.Lookup("max-leavers").DefValue = "0" // so that -1, which says nothing to anybody, is not shown
}

// check refuses what does not go together.
func (so *snapshotOptions) check(flags *pflag.FlagSet) error {
	if so.file == "" {
		for _, name := range snapshotFlags {
			if flags.Changed(name) {
				return usagef("--%s goes with --snapshot only", name)
			}
		}
		return nil
	}
	if flags.Changed("source") {
		return usagef("--source is the format of events; that of a snapshot is in the configuration")
	}
	if so.maxLeavers < 0 && flags.Changed("max-leavers") {
		return usagef("--max-leavers wants a number of people")
	}
	return nil
}

// mostProblems is how many bad rows are listed.
const mostProblems = 20

// errSnapshotMissing says how to begin with snapshots.
const errSnapshotMissing = `%s says nothing of snapshots; it needs, with the names of your file's columns:

snapshot:
  source: urn:example:hr    # the HR system, as in the source of its events
  columns:
    workerId: Employee ID
    worker.givenName: First name
    worker.familyName: Last name
    worker.startDate: Hire date
  defaults: {worker.workerType: employee, worker.location.timeZone: Europe/Berlin}`

// sendSnapshot compares a snapshot with the ledger, shows what it finds and, if
// told to, sends it.
func (c *cli) sendSnapshot(ctx context.Context, o sendOptions, so snapshotOptions) error {
	return c.withLedger(ctx, func(cfg *config.Config, l ledger.Reader) error {
		if cfg.Snapshot == nil {
			return usagef(errSnapshotMissing, cfg.Path)
		}
		run, err := c.readSnapshot(ctx, cfg, l, so)
		if err != nil {
			return err
		}
		run.judge(o.skipInvalid)
		messages, err := run.messages()
		if err != nil {
			return err
		}
		if err := c.print(run, run.draw); err != nil {
			return err
		}
		for i, p := range run.Problems {
			if i == mostProblems {
				c.tell("... and %d more\n", len(run.Problems)-i)
				break
			}
			c.tell("%s:%v\n", run.File, p)
		}
		switch {
		case run.Refused != "":
			c.tell("tenure: nothing %s: %s\n", wouldBe(so.apply), run.Refused)
			return errAttention
		case so.apply && len(messages) > 0:
			if err := c.sendFound(ctx, o, messages); err != nil {
				return err
			}
		case so.apply:
			c.tell("there is nothing to send\n")
		case len(messages) > 0:
			return c.onlyShown(applying{}, "%s would be sent", count(len(messages), "event"))
		}
		if len(run.Questions) > 0 || len(run.Problems) > 0 {
			return errAttention
		}
		return nil
	})
}

func wouldBe(apply bool) string {
	if apply {
		return "was sent"
	}
	return "would be sent"
}

func (c *cli) sendFound(ctx context.Context, o sendOptions, messages []ingest.Message) error {
	began := time.Now()
	sent, err := c.publish(ctx, o, messages)
	if err != nil {
		return fmt.Errorf("%w\n%d of %d events were sent; sending all of them again is harmless", err, sent, len(messages))
	}
	c.tell("sent %s to %s in %s\n", count(sent, "event"), o.topic, time.Since(began).Round(time.Millisecond))
	return nil
}

// snapshotRun is what one comparison found.
type snapshotRun struct {
	File      string             `json:"file"`
	AsOf      time.Time          `json:"asOf"`
	Source    string             `json:"source"`
	Refused   string             `json:"refused,omitempty"`
	Totals    snapshot.Totals    `json:"totals"`
	Limit     int                `json:"maxLeavers"`
	Changes   []snapshotChange   `json:"changes"`
	Questions []snapshotQuestion `json:"questions"`
	Problems  []*snapshot.Error  `json:"problems"`

	inferred bool // absent people counted as gone
	found    []snapshot.Change
}

// snapshotChange is a snapshot.Change without what is personal.
type snapshotChange struct {
	Person   string          `json:"person"`
	PersonID string          `json:"personId"` // the same, as it was named before
	Line     int             `json:"line,omitempty"`
	Leaves   bool            `json:"leaves"`
	Events   []snapshotEvent `json:"events"`
	Fields   []any           `json:"fields,omitempty"` // names, or snapshot.Difference
}

// snapshotQuestion is a snapshot.Question with the person's ID as it is named everywhere.
type snapshotQuestion struct {
	Person string `json:"person"`
	snapshot.Question
}

type snapshotEvent struct {
	ID        string       `json:"id"`
	Type      hr.EventType `json:"type"`
	Effective hr.Date      `json:"effectiveDate"`
	Position  string       `json:"positionId,omitempty"`
	Primary   bool         `json:"primaryPosition,omitempty"`
}

// readSnapshot reads the file and the ledger once each, one person at a time.
func (c *cli) readSnapshot(ctx context.Context, cfg *config.Config, l ledger.Reader, so snapshotOptions) (*snapshotRun, error) {
	file, shown, err := c.openInput(so.file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	asOf, err := asOfOf(file, so, cfg.Clock().Now())
	if err != nil {
		return nil, err
	}
	s := cfg.Snapshot
	opts := snapshot.Options{AsOf: asOf, Source: s.Source, OnlyPresent: so.onlyPresent, Rehire: map[string]bool{}}
	for _, id := range so.rehire {
		opts.Rehire[id] = true
	}
	if s.Covers != nil {
		opts.Covers = s.Covers.Holds
	}
	r, err := snapshot.New(opts)
	if err != nil {
		return nil, err
	}
	run := &snapshotRun{File: shown, AsOf: asOf, Source: s.Source, Problems: []*snapshot.Error{}}
	bar := c.progress(-1, "comparing", "people")
	defer func() { _ = bar.Exit() }()
	step := func() { _ = bar.Add(1) }
	text, err := rereadable(file)
	if err == nil {
		err = countRows(text, s.Mapping, r)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", shown, err)
	}
	if err := run.rows(ctx, text, s.Mapping, l, r, step); err != nil {
		return nil, err
	}
	if r.Totals().Rows == 0 {
		return nil, fmt.Errorf("%s: nobody is in the file", shown)
	}
	if err := everybodyElse(ctx, l, r, step); err != nil {
		return nil, err
	}
	run.Totals, run.inferred, run.found = r.Totals(), r.Infers(), r.Changes()
	run.Questions = []snapshotQuestion{}
	for _, q := range r.Questions() {
		run.Questions = append(run.Questions, snapshotQuestion{q.PersonID, q})
	}
	run.Limit = s.MaxLeavers.Of(run.Totals.Employed)
	if so.maxLeavers >= 0 {
		run.Limit = so.maxLeavers
	}
	run.show(so.values)
	return run, run.rehired(so.rehire)
}

// asOfOf is the instant of a snapshot: as given, else when the file was written.
func asOfOf(file io.Reader, so snapshotOptions, now time.Time) (time.Time, error) {
	var at time.Time
	switch f, isFile := file.(*os.File); {
	case so.asOf != "":
		var err error
		if at, err = time.Parse(time.RFC3339, so.asOf); err != nil {
			return at, usagef("--as-of wants an instant such as 2026-11-21T06:00:00Z")
		}
	case !isFile:
		return at, usagef("say with --as-of when the snapshot was taken: standard input does not")
	default:
		info, err := f.Stat()
		if err != nil {
			return at, err
		}
		at = info.ModTime()
	}
	at = at.UTC().Truncate(time.Second)
	if at.After(now) {
		return at, usagef("the snapshot is of %s, which is still to come (it is %s): say with --as-of when it was taken", instant(at), instant(now))
	}
	return at, nil
}

// rereadable is a file that can be read from its beginning again: itself, or for a pipe
// what comes from it.
func rereadable(file io.Reader) (io.ReadSeeker, error) {
	if f, ok := file.(io.ReadSeeker); ok {
		if _, err := f.Seek(0, io.SeekStart); err == nil {
			return f, nil
		}
	}
	text, err := io.ReadAll(file)
	return bytes.NewReader(text), err
}

// countRows reads a file for how many rows there are of each person, and goes back to its
// beginning. What is wrong with rows is told when they are read again.
func countRows(file io.ReadSeeker, m snapshot.Mapping, r *snapshot.Reconciliation) error {
	for row, err := range snapshot.Rows(file, m) {
		var bad *snapshot.Error
		if err != nil && !errors.As(err, &bad) {
			return err
		}
		r.Count(row)
	}
	_, err := file.Seek(0, io.SeekStart)
	return err
}

// rows compares everybody who is in the file.
func (run *snapshotRun) rows(ctx context.Context, file io.Reader, m snapshot.Mapping, l ledger.Reader, r *snapshot.Reconciliation, step func()) error {
	for row, err := range snapshot.Rows(file, m) {
		var bad *snapshot.Error
		if err == nil {
			var events []hr.Event
			if events, err = eventsOf(ctx, l, row.PersonID); err != nil {
				return err
			}
			err = r.Row(row, events)
		} else if errors.As(err, &bad) {
			r.Bad()
		}
		switch {
		case errors.As(err, &bad) && bad.Fatal:
			return fmt.Errorf("%s:%w", run.File, err)
		case errors.As(err, &bad):
			run.Problems = append(run.Problems, bad)
		case err != nil:
			return fmt.Errorf("%s: %w", run.File, err)
		}
		step()
	}
	return nil
}

// everybodyElse compares the people whom only the ledger knows.
func everybodyElse(ctx context.Context, l ledger.Reader, r *snapshot.Reconciliation, step func()) error {
	return eachPerson(ctx, l, func(person ledger.Summary) error {
		if r.Saw(person.PersonID) {
			return nil
		}
		events, err := eventsOf(ctx, l, person.PersonID)
		if err == nil {
			err = r.Absent(person.PersonID, events)
		}
		step()
		return err
	})
}

// eventsOf are the events of a person, none for whom nothing is known.
func eventsOf(ctx context.Context, l ledger.Reader, personID string) ([]hr.Event, error) {
	person, err := l.Person(ctx, personID)
	if errors.Is(err, ledger.ErrNotFound) {
		return nil, nil
	}
	return assess.EventsOf(person), err
}

// show makes what is printed of what was found.
func (run *snapshotRun) show(values bool) {
	run.Changes = make([]snapshotChange, len(run.found))
	for i, f := range run.found {
		change := snapshotChange{Person: f.PersonID, PersonID: f.PersonID, Line: f.Line, Leaves: f.Leaves}
		for _, e := range f.Events {
			change.Events = append(change.Events, snapshotEvent{ID: e.ID, Type: e.Type, Effective: e.Effective, Position: e.PositionID, Primary: e.Primary})
		}
		for _, d := range f.Fields {
			if values {
				change.Fields = append(change.Fields, d)
			} else {
				change.Fields = append(change.Fields, d.Field)
			}
		}
		run.Changes[i] = change
	}
}

// rehired says whether everybody whom --rehire names is rehired by this.
func (run *snapshotRun) rehired(named []string) error {
	for _, id := range named {
		if !slices.ContainsFunc(run.found, func(f snapshot.Change) bool {
			return f.PersonID == id && f.Events[0].Type == hr.EventRehired
		}) {
			return usagef("--rehire %s: this is not somebody who has left and is at work by the snapshot", id)
		}
	}
	return nil
}

// judge refuses a snapshot that had better not be applied.
func (run *snapshotRun) judge(skipInvalid bool) {
	switch {
	case run.Totals.Bad > 0 && !skipInvalid:
		run.Refused = fmt.Sprintf("%d of %d rows cannot be read (--skip-invalid sends what the others say, but of nobody that they are gone)",
			run.Totals.Bad, run.Totals.Rows)
	case run.Totals.Leavers > run.Limit:
		run.Refused = fmt.Sprintf("%d of %d people would leave, and the most is %d (see snapshot.maxLeavers): "+
			"is the file complete? If they have all left, say --max-leavers %d",
			run.Totals.Leavers, run.Totals.Employed, run.Limit, run.Totals.Leavers)
	}
}

// messages are the events that were found, as they are sent.
func (run *snapshotRun) messages() ([]ingest.Message, error) {
	var messages []ingest.Message
	for _, f := range run.found {
		for _, e := range f.Events {
			value, err := cloudevents.Encode(e)
			if err != nil {
				return nil, fmt.Errorf("%s:%d: person %s: %w", run.File, f.Line, f.PersonID, err)
			}
			in := input{key: e.PersonID, value: value}
			messages = append(messages, in.message())
		}
	}
	return messages, nil
}

func (run *snapshotRun) draw(p *page) {
	p.note("%s, as of %s, of %s", run.File, instant(run.AsOf), run.Source)
	p.table("", "PERSON,LINE,EVENT,EFFECTIVE,FIELDS", rowsOf(run.Changes, func(ch snapshotChange) []string {
		var types, dates []string
		for _, e := range ch.Events {
			types = append(types, strings.Trim(shortType(e.Type)+" "+e.Position, " "))
			dates = append(dates, e.Effective.String())
		}
		return []string{ch.PersonID, lineOf(ch.Line), strings.Join(types, ", "), strings.Join(dates, ", "), ch.fields()}
	}))
	p.table("Only a human can say:", "PERSON,LINE,WHY,EVENT", rowsOf(run.Questions, func(q snapshotQuestion) []string {
		return []string{q.PersonID, lineOf(q.Line), q.Text, strings.Trim(q.Event.Source+" "+q.Event.ID, " ")}
	}))
	t := run.Totals
	p.note("")
	p.note("%d rows: %d hired, %d changed, %d to leave (the most is %d of %d employed), %d as known, %d for a human",
		t.Rows, t.Hires, t.Changes, t.Leavers, run.Limit, t.Employed, t.Same, t.Questions)
	if t.Newer > 0 {
		p.note("%d left alone: HR has said something of them since the snapshot", t.Newer)
	}
	if t.Elsewhere > 0 {
		p.note("%d left alone: the snapshot does not speak of them (see snapshot.source and snapshot.covers)", t.Elsewhere)
	}
	if !run.inferred {
		p.note("Nobody counts as gone for being absent.")
	}
}

// fields is what changes, in one line. What is known of somebody new is all new:
// without the values that says nothing.
func (ch snapshotChange) fields() string {
	var list []string
	for _, f := range ch.Fields {
		if d, ok := f.(snapshot.Difference); ok {
			list = append(list, fmt.Sprintf("%s: %q -> %q", d.Field, d.Was, d.Is))
		} else if ch.Events[0].Type != hr.EventHired {
			list = append(list, fmt.Sprint(f))
		}
	}
	return strings.Join(list, ", ")
}

func lineOf(line int) string {
	if line == 0 {
		return "absent"
	}
	return fmt.Sprint(line)
}
