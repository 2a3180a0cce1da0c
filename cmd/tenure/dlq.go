package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/ingest/deadletter"
	"github.com/tenurehq/tenure/internal/settings"
	"github.com/tenurehq/tenure/internal/words"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/operator/report"
	"github.com/tenurehq/tenure/service"
	"github.com/tenurehq/tenure/service/redrive"
)

func (c *cli) dlqCommand() *cobra.Command {
	return noun("dlq", "See and mend the records that could not be read (dead letters)",
		c.dlqListCommand(), c.dlqShowCommand(), c.dlqRedriveCommand(), c.dlqDiscardCommand(), c.dlqIndexCommand())
}

func letterID(v report.Letter) string { return strconv.FormatInt(v.ID, 10) }

func urgency(urgent bool) string {
	if urgent {
		return "urgent"
	}
	return ""
}

// letterSelection holds the flags that select dead letters.
type letterSelection struct {
	code, person, topic, since, until string
	states                            []string
	urgent, all                       bool
}

func (s *letterSelection) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&s.code, "code", "", "only those refused with this `code`: schema, malformed, ...")
	complete(cmd, "code", letterReasons)
	flags.StringVar(&s.person, "person", "", "only those about the person with this `ID`")
	flags.StringVar(&s.topic, "topic", "", "only those whose record was on this `topic`")
	flags.StringVar(&s.since, "since", "", "only those refused at or after this `time`: 2026-11-22, an RFC 3339 instant, or so long ago: 36h")
	flags.StringVar(&s.until, "until", "", "only those refused before this `time`")
	flags.BoolVar(&s.urgent, "urgent", false, "only those that were to end somebody's access")
}

// given reports whether the flags select anything.
func (s *letterSelection) given() bool {
	return s.code+s.person+s.topic+s.since+s.until != "" || s.urgent || s.all
}

func (s *letterSelection) filter(now time.Time, states ...ledger.LetterState) (ledger.LetterFilter, error) {
	f := ledger.LetterFilter{PersonID: s.person, Reason: s.code, Topic: s.topic, Urgent: s.urgent, States: states}
	var err error
	if f.From, err = moment("since", s.since, now); err != nil {
		return f, err
	}
	f.Until, err = moment("until", s.until, now)
	return f, err
}

// moment reads a point in time as people write it.
func moment(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, read := range []func(string) (time.Duration, error){time.ParseDuration, settings.ParseDuration} {
		if ago, err := read(text); err == nil {
			return now.Add(-ago), nil
		}
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, usagef("--%s %s is no time: write 2026-11-22, 2026-11-22T09:00:00Z, or 36h or 7d for so long ago", flag, text)
}

// letterStateNames lists the values of --state.
var letterStateNames = []string{"open", "redriven", "applied", "failed", "discarded", "all"}

// letterStates reads --state.
func letterStates(names []string) ([]ledger.LetterState, error) {
	known := []ledger.LetterState{
		ledger.LetterOpen, ledger.LetterRedriven, ledger.LetterApplied, ledger.LetterFailed, ledger.LetterDiscarded,
	}
	var states []ledger.LetterState
	for _, name := range names {
		switch state := ledger.LetterState(name); {
		case name == "all":
			return known, nil
		case slices.Contains(known, state):
			states = append(states, state)
		default:
			return nil, oneOf("state", name, letterStateNames)
		}
	}
	return states, nil
}

// findLetter reads one dead letter by the ID that somebody typed.
func findLetter(ctx context.Context, o *operator.Viewer, typed string) (ledger.DeadLetter, error) {
	id, err := strconv.ParseInt(typed, 10, 64)
	if err != nil || id <= 0 {
		return ledger.DeadLetter{}, usagef("%q is no dead letter's number: tenure dlq list shows them", typed)
	}
	return o.Letter(ctx, id)
}

// withLetters calls f with the dead letters of the cluster that the configuration names.
func (c *cli) withLetters(f func(*deadletter.Letters) error) error {
	cfg, err := c.config(config.PartLedger, config.PartKafka)
	if err != nil {
		return err
	}
	cluster, err := service.Cluster(cfg.Kafka)
	if err != nil {
		return usagef("%w", err)
	}
	letters := deadletter.NewLetters(cluster, func(reason error) { c.tell("waiting: %v\n", reason) })
	return errors.Join(f(letters), letters.Close())
}

// letterActFlags holds the flags of a command that does something about dead letters.
type letterActFlags struct {
	selection letterSelection
	decisionFlags
	applying
}

func (f *letterActFlags) flags(cmd *cobra.Command) {
	f.selection.flags(cmd)
	formerly(cmd, "refused", "", "code")
	cmd.Flags().BoolVar(&f.selection.all, "all", false, "all that are open")
	f.decisionFlags.flags(cmd)
	f.askedBefore(cmd)
}

// check says which flags are missing. A command that only shows needs neither name nor
// reason.
func (f *letterActFlags) check(ids []string) error {
	switch {
	case len(ids) == 0 && !f.selection.given():
		return usagef("say which dead letters: by number, by filter (--person, --code, ...), or --all")
	case len(ids) > 0 && f.selection.given():
		return usagef("give either numbers or filters, not both")
	case f.does():
		return f.given()
	}
	return nil
}

// choose finds the dead letters with the given IDs, whatever their state, or else those
// that the filters select and that are in one of the states.
func (f *letterActFlags) choose(ctx context.Context, cfg *config.Config, o *operator.Operator, ids []string, states ...ledger.LetterState) ([]ledger.DeadLetter, error) {
	if len(ids) == 0 {
		if err := f.selection.check(ctx, cfg, o.Ledger); err != nil {
			return nil, err
		}
		filter, err := f.selection.filter(time.Now(), states...)
		if err != nil {
			return nil, err
		}
		return ledger.Collect(ledger.AllDeadLetters(ctx, o.Ledger, filter, 0))
	}
	var chosen []ledger.DeadLetter
	for _, id := range ids {
		found, err := findLetter(ctx, &o.Viewer, id)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(chosen, func(d ledger.DeadLetter) bool { return d.ID == found.ID }) {
			chosen = append(chosen, found)
		}
	}
	return chosen, nil
}

func (c *cli) dlqDiscardCommand() *cobra.Command {
	var f letterActFlags
	cmd := &cobra.Command{
		Use:   "discard [ID...]",
		Short: "Decide that nothing has to come of dead letters",
		Long: `Decide that nothing has to come of dead letters: those with the numbers given, or
all that are open or redriven and that the filters select.

They are no longer shown with their people, and urgent ones no longer need attention:
the person's run is told.
The records stay in Kafka for as long as the topic keeps them, and can still be
redriven (with --again). It is on the record with your name and reason. Without
--apply, the command only shows which they are, and exits with 3.`,
		Example: `  tenure dlq discard 17
  tenure dlq discard 17 --reason "HR sent it again as e-4711" --apply
  tenure dlq discard --code tombstone --since 36h --reason "a connector's mistake, ticket 42" --apply`,
		RunE: func(cmd *cobra.Command, ids []string) error {
			if err := f.check(ids); err != nil {
				return err
			}
			return c.operate(cmd.Context(), func(cfg *config.Config, o *operator.Operator) error {
				return c.discard(cmd.Context(), cfg, o, f, ids)
			})
		},
	}
	f.flags(cmd)
	return c.reads(cmd)
}

func (c *cli) discard(ctx context.Context, cfg *config.Config, o *operator.Operator, f letterActFlags, ids []string) error {
	chosen, err := f.choose(ctx, cfg, o, ids, ledger.LetterOpen, ledger.LetterRedriven)
	if err != nil {
		return err
	}
	var pending []ledger.DeadLetter
	for _, letter := range chosen {
		if letter.Pending() {
			pending = append(pending, letter)
		} else {
			c.tell("dead letter %d is %s already\n", letter.ID, letter.State)
		}
	}
	if len(pending) == 0 {
		c.tell("nothing to discard\n")
		return c.report(viewLetters(nil))
	}
	if v := viewLetters(pending); !f.does() {
		return errors.Join(c.print(v, v.draw), c.onlyShown(f.applying, "discard %s", v.total()))
	}
	discarded, err := o.Discard(ctx, f.request(), pending)
	if _, other := operator.Untold(err); other != nil {
		return fmt.Errorf("%w\n%d of %d were discarded; run it again for the others", c.tellUntold(err, cfg.Sweep.Every), len(discarded), len(pending))
	}
	c.tell("discarded %s\n", words.Count(len(pending), "dead letter"))
	return errors.Join(c.report(viewLetters(discarded)), c.tellUntold(err, cfg.Sweep.Every))
}

// redriveOptions holds the flags of dlq redrive.
type redriveOptions struct {
	letterActFlags
	file, key    string
	headers      []string
	again, force bool
	wait         time.Duration
}

func (c *cli) dlqRedriveCommand() *cobra.Command {
	var o redriveOptions
	cmd := &cobra.Command{
		Use:   "redrive [ID...]",
		Short: "Send the records of dead letters again, as they were or mended",
		Long: `Send the records of dead letters again: those with the numbers given, or all that
are open and that the filters select.

Each goes to the topic where it was, with its key, value and headers, so that the
starter reads it like any other. --file, --key and --header mend one record on
the way. A record that would be refused again is left out, unless you say --force.

A record that was sent again says so in its headers (tenure-redrive-of, -by, -at,
-reason, -digest: which dead letter, who, when, why, and the digest of what was
refused). When it has arrived, its dead letter is applied. If it is refused again,
it becomes a dead letter of its own, which names this one.

It can be interrupted and run again: what was sent is not sent again, unless you say
--again. Sending a record twice is harmless: an event is known by its source and id.
Without --apply, the command only shows what would be sent, and whether it would be read
now. The exit status is 3 then, and also if something was left out.`,
		Example: `  tenure dlq redrive --code schema
  tenure dlq redrive 17 18 --reason "the schema knows this field now" --apply
  tenure dlq show 17 -o json | jq -r .value > mended.json
  tenure dlq redrive 17 --file mended.json --reason "HR's typo in effectiveDate, ticket 42" --apply`,
		RunE: func(cmd *cobra.Command, ids []string) error {
			mend, err := c.redriveInput(&o, ids)
			if err != nil {
				return err
			}
			return c.operate(cmd.Context(), func(cfg *config.Config, op *operator.Operator) error {
				return c.withLetters(func(letters *deadletter.Letters) error {
					r := redriver{cli: c, o: o, cfg: cfg, operator: op, records: &redrive.Records{Letters: letters, Config: cfg, Mend: mend, Wait: o.wait}}
					return r.run(cmd.Context(), ids)
				})
			})
		},
	}
	o.flags(cmd)
	o.didBefore(cmd)
	flags := cmd.Flags()
	flags.StringVar(&o.file, "file", "", "send the content of this `file` in place of one record's value; - is standard input")
	flags.StringVar(&o.key, "key", "", "send one record with this `key`")
	flags.StringArrayVar(&o.headers, "header", nil, "send one record with this header: `name=value`, or name= to leave it out")
	flags.BoolVar(&o.again, "again", false, "send also what was sent already, or discarded")
	flags.BoolVar(&o.force, "force", false, "send also what would be refused again")
	waitFlag(cmd, &o.wait)
	return c.reads(cmd)
}

// redriveInput checks the flags, and reads how the record is to be mended.
func (c *cli) redriveInput(o *redriveOptions, ids []string) (deadletter.Mend, error) {
	mend := deadletter.Mend{}
	if err := o.check(ids); err != nil {
		return mend, err
	}
	if o.key != "" {
		mend.Key = []byte(o.key)
	}
	for _, h := range o.headers {
		name, value, ok := strings.Cut(h, "=")
		if !ok || name == "" {
			return mend, usagef("--header %s: write name=value", h)
		}
		if mend.Headers == nil {
			mend.Headers = map[string]string{}
		}
		mend.Headers[name] = value
	}
	if o.file != "" {
		r, shown, err := c.openInput(o.file)
		if err != nil {
			return mend, err
		}
		defer func() { _ = r.Close() }()
		if mend.Value, err = io.ReadAll(r); err != nil {
			return mend, fmt.Errorf("%s: %w", shown, err)
		}
		if len(mend.Value) == 0 {
			return mend, usagef("%s is empty: it has to hold the record's new value", shown)
		}
	}
	if mend.Changes() && len(ids) != 1 {
		return mend, usagef("--file, --key and --header mend one record: give its number")
	}
	return mend, nil
}

// redriver sends the records of dead letters again.
type redriver struct {
	*cli
	o        redriveOptions
	cfg      *config.Config
	operator *operator.Operator
	records  *redrive.Records

	results []redrivenView
}

func (r *redriver) run(ctx context.Context, ids []string) error {
	states := []ledger.LetterState{ledger.LetterOpen}
	if r.o.again {
		states = nil
	}
	chosen, err := r.o.choose(ctx, r.cfg, r.operator, ids, states...)
	if err != nil {
		return err
	}
	var todo []ledger.DeadLetter
	for _, l := range chosen {
		if l.State == ledger.LetterOpen || r.o.again {
			todo = append(todo, l)
			continue
		}
		r.tell("dead letter %d is %s already%s: --again sends it once more\n", l.ID, l.State, byWhom(l))
	}
	switch {
	case len(todo) == 0:
		r.tell("nothing to send\n")
		return r.report([]redrivenView{})
	case !r.o.does():
		return errors.Join(r.rehearse(ctx, todo), r.onlyShown(r.o.applying, "send again %s", viewLetters(todo).total()))
	}
	return r.sendAll(ctx, todo)
}

// redrivenView describes a dead letter whose record was, or would be, sent again.
type redrivenView struct {
	ID     int64  `json:"id"`
	Urgent bool   `json:"urgent,omitempty"`
	Person string `json:"person,omitempty"`
	Type   string `json:"type,omitempty"`
	Topic  string `json:"topic"`
	Sent   bool   `json:"sent"`
	Result string `json:"result"` // in words
}

// byWhom says who last did something about a dead letter.
func byWhom(l ledger.DeadLetter) string {
	if l.Operator == "" {
		return ""
	}
	return fmt.Sprintf(" (%s, %s)", operatorFrom(l.Operator, l.Login), words.Instant(l.ActedAt))
}

// rehearse lists the records that would be sent.
func (r *redriver) rehearse(ctx context.Context, todo []ledger.DeadLetter) error {
	views := []redrivenView{}
	for _, entry := range todo {
		record, err := r.records.Open(ctx, entry)
		text := "can be read"
		switch {
		case errors.Is(err, operator.ErrGone):
			text = "is gone"
		case err != nil:
			return err
		default:
			if refusal := record.Refusal(); refusal != nil {
				text = refusal.Error()
			}
		}
		views = append(views, viewRedriven(entry, false, text))
	}
	return r.print(views, func(p *page) {
		p.table("", "id,urgency,person,type,goes to,and", rowsOf(views, func(v redrivenView) []string {
			return []string{strconv.FormatInt(v.ID, 10), urgency(v.Urgent), v.Person, v.Type, v.Topic, v.Result}
		}))
	})
}

func viewRedriven(l ledger.DeadLetter, sent bool, result string) redrivenView {
	return redrivenView{ID: l.ID, Urgent: l.Urgent, Person: l.PersonID, Type: l.EventType, Topic: l.Origin.Topic, Sent: sent, Result: result}
}

func (r *redriver) sendAll(ctx context.Context, todo []ledger.DeadLetter) error {
	bar := r.progress(len(todo), "sending again", "records")
	defer func() { _ = bar.Exit() }()
	for _, entry := range todo {
		if err := r.sendOne(ctx, entry); err != nil {
			return errors.Join(r.report(r.results),
				fmt.Errorf("%w\n%d of %d were sent again; run it again for the others", err, r.sent(), len(todo)))
		}
		_ = bar.Add(1)
	}
	_ = bar.Finish()
	if err := r.report(r.results); err != nil {
		return err
	}
	r.tell("sent %s again", words.Count(r.sent(), "record"))
	if leftOut := len(r.results) - r.sent(); leftOut > 0 {
		r.tell(", left out %d\n", leftOut)
		return errAttention
	}
	r.tell("\n")
	return nil
}

// sent counts the records that were sent.
func (r *redriver) sent() (n int) {
	for _, v := range r.results {
		if v.Sent {
			n++
		}
	}
	return n
}

// sendOne sends one record, or says why it is left out.
func (r *redriver) sendOne(ctx context.Context, entry ledger.DeadLetter) error {
	redriven, err := r.operator.Redrive(ctx, r.o.request(), entry, r.records, r.o.force)
	switch {
	case redriven.Sent:
		r.results = append(r.results, viewRedriven(entry, true, "sent again"))
	case redriven.LeftOut != "":
		r.results = append(r.results, viewRedriven(entry, false, "left out: "+redriven.LeftOut))
		r.tell("dead letter %d is left out: %s\n", entry.ID, redriven.LeftOut)
	}
	return err
}

func (c *cli) dlqIndexCommand() *cobra.Command {
	var topic string
	var wait time.Duration
	cmd := &cobra.Command{
		Use:   "index",
		Short: "Look for dead letters that the ledger does not know of",
		Long: `Read the topics of dead letters, and add to the ledger those that it does not know
yet: they were written before Tenure kept an index, or by somebody else.

Running it again changes nothing.`,
		Example: `  tenure dlq index
  tenure dlq index --topic hr.events.dlq`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.operate(cmd.Context(), func(cfg *config.Config, o *operator.Operator) error {
				topics := []string{topic}
				if topic == "" {
					topics = deadLetterTopics(cfg)
				}
				return c.withLetters(func(letters *deadletter.Letters) error {
					ctx, cancel := context.WithTimeoutCause(cmd.Context(), wait,
						fmt.Errorf("not done within %s: check that Kafka is up, or give it longer with --wait; what was found is kept", wait))
					defer cancel()
					views := []indexedView{}
					for _, topic := range topics {
						v, err := c.index(ctx, letters, o, topic)
						if err != nil {
							return err
						}
						views = append(views, v)
					}
					return c.report(views)
				})
			})
		},
	}
	cmd.Flags().StringVar(&topic, "topic", "", "only this `topic` of dead letters (default: all that the configuration names)")
	cmd.Flags().DurationVar(&wait, "wait", 10*time.Minute, "how `long` it may take, with waiting for Kafka when it cannot be reached")
	return c.reads(cmd)
}

// indexedView counts what was found on a topic of dead letters.
type indexedView struct {
	Topic string `json:"topic"`
	Found int    `json:"found"`
	New   int    `json:"new"` // to the ledger
}

// deadLetterTopics lists the topics of dead letters that the configuration names.
func deadLetterTopics(cfg *config.Config) []string {
	var topics []string
	for _, t := range cfg.Kafka.Topics {
		topics = append(topics, t.DeadLetters)
	}
	slices.Sort(topics)
	return slices.Compact(topics)
}

func (c *cli) index(ctx context.Context, letters *deadletter.Letters, o *operator.Operator, topic string) (indexedView, error) {
	v := indexedView{Topic: topic}
	err := letters.Each(ctx, topic, func(letter deadletter.Letter) error {
		isNew, err := o.Index(ctx, letter.Entry())
		v.Found++
		if isNew {
			v.New++
		}
		return err
	})
	if errors.Is(err, context.DeadlineExceeded) {
		err = context.Cause(ctx)
	}
	if err != nil {
		return v, fmt.Errorf("topic %s: %w", topic, err)
	}
	c.say("%s: %s, %d of them new to the ledger\n", topic, words.Count(v.Found, "dead letter"), v.New)
	return v, nil
}
