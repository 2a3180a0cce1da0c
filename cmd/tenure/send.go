package main

import (
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

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/snapshot"
	"github.com/tenurehq/tenure/ingest/broker"
	"github.com/tenurehq/tenure/internal/words"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/sender"
	"github.com/tenurehq/tenure/service"
)

// sendOptions holds the flags of event send.
type sendOptions struct {
	brokers     []string
	cluster     broker.Cluster
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

With --snapshot, FILE instead lists everybody whom HR knows, as CSV with a header
line or as JSONL, and the configuration says under "snapshot" what its columns
mean. The command compares it with the ledger, and shows the events that never came:
hires, changes, and terminations of people who are gone. It shows who and which
fields; --values shows what is in them. It sends them with --apply only, and sends
nothing at all (exit status 3) if more people would leave than the configuration
allows, or if a row cannot be read. A question that only a human can answer, such as whether
somebody who has left came back, is shown, and the exit status is 3.

The snapshot was taken when its file was written, unless --as-of says otherwise.
Somebody about whom HR has sent an event since then is left alone. The last day of
somebody who is gone is the day on which the snapshot was taken.`,
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

// sendDefaults takes what the flags leave open from the configuration, and needs none if
// they leave nothing open. Only a configuration says how to encrypt and sign in: one
// that exists is used for that, whatever the flags say.
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
		o.source = sender.DefaultSource
	}
	return nil
}

// pickTopic finds the topic and the source, each of which may be given.
func pickTopic(o *sendOptions, topics []config.Topic) error {
	wanted := o.source
	if wanted == "" {
		wanted = sender.DefaultSource
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

func (c *cli) send(ctx context.Context, name string, o sendOptions) error {
	format, err := c.formatOf(o.source, o.topic) //nolint:contextcheck // the configuration connects to nothing
	if err != nil {
		return err
	}
	file, events, err := c.readEvents(name, format)
	if err != nil {
		return err
	}
	valid, invalid := reportProblems(c.err, file, events)
	if invalid > 0 && !o.skipInvalid {
		return fmt.Errorf("%d of %d events are not valid, so none was sent (--skip-invalid sends the others)", invalid, len(events))
	}
	messages := make([]broker.Message, 0, valid)
	for _, in := range events {
		if in.Problem == nil {
			messages = append(messages, in.Message())
		}
	}
	sent, err := c.publish(ctx, o, messages, invalid)
	if err != nil {
		return err
	}
	if err := c.report(sentView{Topic: o.topic, Sent: sent, LeftOut: invalid}); err != nil {
		return err
	}
	if invalid > 0 {
		return errAttention
	}
	return nil
}

// sentView says how many events were sent.
type sentView struct {
	Topic   string `json:"topic"`
	Sent    int    `json:"sent"`
	LeftOut int    `json:"leftOut,omitempty"` // that are not valid
}

// publish sends the messages in order, says how many there were and how many were left
// out before, and returns how many were certainly sent.
func (c *cli) publish(ctx context.Context, o sendOptions, messages []broker.Message, leftOut int) (sent int, err error) {
	bar := c.progress(len(messages), "sending", "events")
	defer func() { _ = bar.Exit() }()
	began := time.Now()
	sent, err = sender.Sender{
		Cluster: o.cluster, Topic: o.topic, Wait: o.wait,
		Waiting: func(reason error) { c.tell("waiting: %v\n", reason) },
		Sent:    func(more int) { _ = bar.Add(more) },
	}.Send(ctx, messages)
	var gaveUp *sender.GaveUpError
	if errors.As(err, &gaveUp) {
		err = fmt.Errorf("%w (check kafka.brokers, or --brokers and --topic)", err)
	}
	if err != nil {
		return sent, fmt.Errorf("%w\n%d of %d events were sent; sending all of them again is harmless", err, sent, len(messages))
	}
	_ = bar.Finish()
	others := ""
	if leftOut > 0 {
		others = fmt.Sprintf(", left out %d that are not valid", leftOut)
	}
	c.tell("sent %s to %s in %s%s\n", words.Count(sent, "event"), o.topic, time.Since(began).Round(time.Millisecond), others)
	return sent, nil
}

// progress returns a progress bar, which is shown on a terminal only. A total of -1 means
// that the total is not known yet.
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

// snapshotOptions holds the flags of event send --snapshot.
type snapshotOptions struct {
	file        string
	apply       bool
	onlyPresent bool
	values      bool
	asOf        string
	maxLeavers  int // -1: the configuration's
	rehire      []string
	rows        int // 0: not known
}

// snapshotFlags lists the flags that only a snapshot has.
var snapshotFlags = []string{"apply", "only-present", "values", "as-of", "max-leavers", "rehire", "rows", "output"}

func (so *snapshotOptions) flags(flags *pflag.FlagSet) {
	flags.StringVar(&so.file, "snapshot", "", "compare this `file`, which lists everybody whom HR knows, with the ledger")
	flags.BoolVar(&so.apply, "apply", false, "with --snapshot: send what was found")
	flags.BoolVar(&so.onlyPresent, "only-present", false, "with --snapshot: the file is not of everybody, so nobody is gone for being absent")
	flags.BoolVar(&so.values, "values", false, "with --snapshot: show what is in the fields, which is personal data")
	flags.StringVar(&so.asOf, "as-of", "", "with --snapshot: the `instant` at which it was taken (default: when the file was written)")
	flags.IntVar(&so.maxLeavers, "max-leavers", -1, "with --snapshot: how many `people` may leave (default: the configuration's)")
	flags.StringSliceVar(&so.rehire, "rehire", nil, "with --snapshot: `person` IDs who have left, and came back")
	flags.IntVar(&so.rows, "rows", 0, "with --snapshot: how many `rows` of people the file has; with any other number it is not complete, and nothing is sent")
	flags.Lookup("max-leavers").DefValue = "0" // the help does not show -1, which would explain nothing
}

// check refuses flags that do not go together.
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
	if so.rows < 1 && flags.Changed("rows") {
		return usagef("--rows wants the number of rows that the file has")
	}
	return nil
}

// mostProblems bounds how many bad rows are listed.
const mostProblems = 20

// errSnapshotMissing says what to configure before snapshots can be compared.
const errSnapshotMissing = `%s has no section snapshot; it needs, with the names of your file's columns:

snapshot:
  source: urn:example:hr    # the HR system, as in the source of its events
  columns:
    workerId: Employee ID
    worker.givenName: First name
    worker.familyName: Last name
    worker.startDate: Hire date
  defaults: {worker.workerType: employee, worker.location.timeZone: Europe/Berlin}`

// sendSnapshot compares a snapshot with the ledger, shows the difference and, with
// --apply, sends it.
func (c *cli) sendSnapshot(ctx context.Context, o sendOptions, so snapshotOptions) error {
	return c.withLedger(ctx, func(cfg *config.Config, l ledger.Reader) error {
		if cfg.Snapshot == nil {
			return usagef(errSnapshotMissing, cfg.Path)
		}
		found, err := c.compare(ctx, cfg, l, so)
		if err != nil {
			return err
		}
		run := viewComparison(found, so.values, o.skipInvalid)
		messages, err := found.Messages()
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
			if _, err := c.publish(ctx, o, messages, 0); err != nil {
				return err
			}
		case so.apply:
			c.tell("there is nothing to send\n")
		case len(messages) > 0:
			return c.onlyShown(applying{}, "%s would be sent", words.Count(len(messages), "event"))
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

// comparisonView describes what a comparison found.
type comparisonView struct {
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
}

// snapshotChange is a snapshot.Change without personal data.
type snapshotChange struct {
	Person   string          `json:"person"`
	PersonID string          `json:"personId"` // the same ID, under its earlier name
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

// compare compares the file with the ledger.
func (c *cli) compare(ctx context.Context, cfg *config.Config, l ledger.Reader, so snapshotOptions) (*sender.Comparison, error) {
	file, name, err := c.openInput(so.file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	asOf, err := asOfOf(file, so, cfg.Clock().Now())
	if err != nil {
		return nil, err
	}
	bar := c.progress(-1, "comparing", "people")
	defer func() { _ = bar.Exit() }()
	s := cfg.Snapshot
	compare := sender.Snapshot{
		File: name, AsOf: asOf, Source: s.Source, OnlyPresent: so.onlyPresent, Rehire: so.rehire,
		Mapping: s.Mapping, MostLeavers: s.MaxLeavers.Of, Rows: so.rows, Step: func() { _ = bar.Add(1) },
	}
	if s.Covers != nil {
		compare.Covers = s.Covers.Holds
	}
	if so.maxLeavers >= 0 {
		compare.MostLeavers = func(int) int { return so.maxLeavers }
	}
	found, err := compare.With(ctx, l, file)
	var nobody *sender.RehireError
	if errors.As(err, &nobody) {
		return nil, usagef("--rehire %s: this is not somebody who has left and is at work by the snapshot", nobody.PersonID)
	}
	return found, err
}

// asOfOf returns when the snapshot was taken: as given, else when the file was written.
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
		return at, usagef("the snapshot is of %s, which is still to come (it is %s): say with --as-of when it was taken", words.Instant(at), words.Instant(now))
	}
	return at, nil
}

// viewComparison returns what is shown of a comparison; the values of fields are in it
// only if they are wanted.
func viewComparison(found *sender.Comparison, values, skipInvalid bool) comparisonView {
	v := comparisonView{
		File: found.File, AsOf: found.AsOf, Source: found.Source, Refused: refusedText(found, skipInvalid), Totals: found.Totals,
		Limit: found.Limit, Changes: make([]snapshotChange, len(found.Changes)), Questions: []snapshotQuestion{}, Problems: found.Problems,
		inferred: found.InfersLeavers,
	}
	for _, q := range found.Questions {
		v.Questions = append(v.Questions, snapshotQuestion{q.PersonID, q})
	}
	for i, f := range found.Changes {
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
		v.Changes[i] = change
	}
	return v
}

// refusedText says why a snapshot should not be applied; it is empty if it may be.
func refusedText(found *sender.Comparison, skipInvalid bool) string {
	t := found.Totals
	switch found.Refused(skipInvalid) {
	case sender.OtherRows:
		return fmt.Sprintf("the file has %d rows and not %d, as --rows says: export it again", t.Rows, found.Rows)
	case sender.BadRows:
		return fmt.Sprintf("%d of %d rows cannot be read (--skip-invalid sends what the others say, but of nobody that they are gone)", t.Bad, t.Rows)
	case sender.TooManyLeavers:
		return fmt.Sprintf("%d of %d people would leave, and the most is %d (see snapshot.maxLeavers): "+
			"is the file complete? If they have all left, say --max-leavers %d", t.Leavers, t.Employed, found.Limit, t.Leavers)
	}
	return ""
}

func (run comparisonView) draw(p *page) {
	p.note("%s, as of %s, of %s", run.File, words.Instant(run.AsOf), run.Source)
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

// fields lists the fields that change, in one line. All fields of a new person are new,
// so they are listed with their values only.
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
