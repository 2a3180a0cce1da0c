package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/ingest"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/service/redrive"
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
			return c.operate(cmd.Context(), func(cfg *config.Config, op *operator.Operator) error {
				return c.withLetters(func(letters *ingest.Letters) error {
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

// rehearse lists what would be sent.
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
