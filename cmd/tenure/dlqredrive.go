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
	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/ingest"
	"github.com/tenurehq/tenure/ledger"
)

// redriveOptions are the flags of dlq redrive.
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
the way. What would be refused again is left out (--force sends it all the same).

A record that was sent again says so in its headers (tenure-redrive-of, -by, -at,
-reason, -digest: which dead letter, who, when, why, and the digest of what was
refused). Once it has arrived its dead letter is applied. If it is refused again
it is a dead letter of its own, which names this one.

It can be interrupted and run again: what was sent is not sent again, unless
--again says so. Sending a record twice is harmless: an event is known by its
source and id. Without --apply it is shown what would be sent, and whether it would be
read now. The exit status is 3 then, and if something was left out.`,
		Example: `  tenure dlq redrive --code schema
  tenure dlq redrive 17 18 --reason "the schema knows this field now" --apply
  tenure dlq show 17 -o json | jq -r .value > mended.json
  tenure dlq redrive 17 --file mended.json --reason "HR's typo in effectiveDate, ticket 42" --apply`,
		RunE: func(cmd *cobra.Command, ids []string) error {
			mend, err := c.redriveInput(&o, ids)
			if err != nil {
				return err
			}
			return c.withLedger(cmd.Context(), func(cfg *config.Config, l ledger.Ledger) error {
				return c.withLetters(func(letters *ingest.Letters) error {
					r := redriver{cli: c, o: o, mend: mend, cfg: cfg, ledger: l, letters: letters, decoders: map[string]source.Decoder{}}
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

// redriveInput checks the flags and reads how the record is mended.
func (c *cli) redriveInput(o *redriveOptions, ids []string) (ingest.Mend, error) {
	mend := ingest.Mend{}
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
	mend     ingest.Mend
	cfg      *config.Config
	ledger   ledger.Ledger
	letters  *ingest.Letters
	decoders map[string]source.Decoder // by topic

	results []redrivenView
}

func (r *redriver) run(ctx context.Context, ids []string) error {
	states := []ledger.LetterState{ledger.LetterOpen}
	if r.o.again {
		states = nil
	}
	chosen, err := r.o.choose(ctx, r.cfg, r.ledger, ids, states...)
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

// redrivenView is a dead letter whose record is, or would be, sent again.
type redrivenView struct {
	ID     int64  `json:"id"`
	Urgent bool   `json:"urgent,omitempty"`
	Person string `json:"person,omitempty"`
	Type   string `json:"type,omitempty"`
	Topic  string `json:"topic"`
	Sent   bool   `json:"sent"`
	Result string `json:"result"` // in words
}

// byWhom says who did something about a dead letter last.
func byWhom(l ledger.DeadLetter) string {
	if l.Operator == "" {
		return ""
	}
	return fmt.Sprintf(" (%s, %s)", operatorFrom(l.Operator, l.Login), instant(l.ActedAt))
}

// verdict says in words what would become of a record that is sent now, and
// whether that is worth it.
func (r *redriver) verdict(letter ingest.Letter, entry ledger.DeadLetter) (text string, good bool) {
	decode, err := r.decoder(entry)
	if err != nil {
		return "cannot be checked: " + err.Error(), r.o.force
	}
	if refusal := letter.Decode(decode, r.mend); refusal != nil {
		return "would be refused: " + refusal.Error(), r.o.force
	}
	return "can be read", true
}

// decoder is that of the topic where the record was, as the configuration says
// now; of a topic that it does not know, that which the record was refused by.
func (r *redriver) decoder(entry ledger.DeadLetter) (source.Decoder, error) {
	topic := entry.Origin.Topic
	if decode, ok := r.decoders[topic]; ok {
		return decode, nil
	}
	name := entry.Format
	if i := slices.IndexFunc(r.cfg.Kafka.Topics, func(t config.Topic) bool { return t.Name == topic }); i >= 0 {
		name = r.cfg.Kafka.Topics[i].Source
	}
	format, err := r.formatOf(name, topic)
	if err == nil {
		r.decoders[topic] = format.Decode
	}
	return format.Decode, err
}

// rehearse lists what would be sent.
func (r *redriver) rehearse(ctx context.Context, todo []ledger.DeadLetter) error {
	views := []redrivenView{}
	for _, entry := range todo {
		letter, err := readLetter(ctx, r.letters, entry, r.o.wait)
		var text string
		switch {
		case errors.Is(err, ingest.ErrGone):
			text = "is gone"
		case err != nil:
			return err
		default:
			text, _ = r.verdict(letter, entry) //nolint:contextcheck // the configuration connects to nothing
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
	r.tell("sent %s again", count(r.sent(), "record"))
	if leftOut := len(r.results) - r.sent(); leftOut > 0 {
		r.tell(", left out %d\n", leftOut)
		return errAttention
	}
	r.tell("\n")
	return nil
}

// sent is how many records were sent.
func (r *redriver) sent() (n int) {
	for _, v := range r.results {
		if v.Sent {
			n++
		}
	}
	return n
}

// sendOne sends one record, then notes that: should the note be lost, the record
// may be sent twice, which is harmless, but never not at all.
func (r *redriver) sendOne(ctx context.Context, entry ledger.DeadLetter) error {
	letter, err := readLetter(ctx, r.letters, entry, r.o.wait)
	if errors.Is(err, ingest.ErrGone) {
		r.leave(entry, "it is gone from "+place(entry.At))
		return nil
	}
	if err != nil {
		return err
	}
	if text, good := r.verdict(letter, entry); !good { //nolint:contextcheck // the configuration connects to nothing
		r.leave(entry, "it "+text)
		return nil
	}
	now := r.cfg.Clock().Now()
	// Whoever may write to the topic may say that a record was sent again: only what the
	// ledger was told of before counts.
	err = r.ledger.ActOnLetter(ctx, ledger.LetterAction{Verb: ledger.VerbAnnounce, ID: entry.ID, Operator: r.o.operator, At: now, Sending: letter.Sending(r.mend)})
	if err != nil {
		return err
	}
	sending, cancel := context.WithTimeout(ctx, r.o.wait)
	defer cancel()
	err = r.letters.Redrive(sending, letter, r.mend, ingest.Provenance{Operator: r.o.operator, Reason: r.o.reason, At: now})
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("dead letter %d could not be sent to %s within %s: check kafka.brokers in the configuration, and that Kafka is up", entry.ID, entry.Origin.Topic, r.o.wait)
	}
	if err != nil {
		return fmt.Errorf("dead letter %d was not taken by %s: %w", entry.ID, entry.Origin.Topic, err)
	}
	r.results = append(r.results, viewRedriven(entry, true, "sent again"))
	// It was sent, whoever gives up now.
	return r.ledger.ActOnLetter(context.WithoutCancel(ctx), ledger.LetterAction{
		Verb: ledger.VerbRedrive, ID: entry.ID, Operator: r.o.operator, Reason: r.o.reason, At: now,
		Detail: map[string]any{"mended": r.mend.Changes(), "digest": entry.Digest},
	})
}

func (r *redriver) leave(entry ledger.DeadLetter, why string) {
	r.results = append(r.results, viewRedriven(entry, false, "left out: "+why))
	r.tell("dead letter %d is left out: %s\n", entry.ID, why)
}
