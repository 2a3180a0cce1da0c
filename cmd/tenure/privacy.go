package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/erase"
	"github.com/tenurehq/tenure/internal/words"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/operator/report"
	"github.com/tenurehq/tenure/privacy"
	"github.com/tenurehq/tenure/service"
)

// dataView shows what is held of a person.
type dataView struct {
	Person   string     `json:"person"`
	At       time.Time  `json:"at"`
	ErasedAt *time.Time `json:"erasedAt,omitempty"`
	// Receipt is the row of the audit record that says that they were erased.
	Receipt *receiptView `json:"receipt,omitempty"`
	// Keep is how long it is kept after their employment has ended; empty: for ever.
	Keep      string             `json:"keep,omitempty"`
	Held      []heldView         `json:"held"`
	Elsewhere []report.Elsewhere `json:"elsewhere"`
}

type heldView struct {
	privacy.Held
	Count int              `json:"count"`
	Rows  []map[string]any `json:"rows"`
}

type receiptView struct {
	Row  int64  `json:"row"`
	Leaf *int64 `json:"leaf,omitempty"` // none yet, if it is missing
}

func (c *cli) personDataCommand() *cobra.Command {
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "data PERSON",
		Short: "Show all that is held of somebody: what, from where, what for, until when",
		Long: `Show all that is held of somebody: what each table of the ledger holds, where that
came from, what it is for, and until when it is kept; and what is elsewhere: in
Temporal, in Kafka (with the retention that the brokers tell), in apps, in the places
to which the audit record is exported, and in backups.

With -o json, every row is there as it is: that is the copy that somebody may ask for.
Others are named in it, by their IDs and by what they wrote: look at it before you
give it away. Correcting it is HR's: a corrected event takes the place of the wrong
one, and tenure person timeline shows which event said what.

A place that does not answer says so, and hides no other. docs/privacy.md has the
records of processing.`,
		Example: `  tenure person data 10004
  tenure person data 10004 -o json > 10004.json`,
		Args: exactly("PERSON"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.view(cmd.Context(), func(cfg *config.Config, v *operator.Viewer) error {
				person, data, err := v.Data(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				view := dataView{Person: person.PersonID, At: v.Clock.Now(), Held: []heldView{}}
				if cfg.Privacy.Keep > 0 {
					view.Keep = words.Span(cfg.Privacy.Keep)
				}
				if view.ErasedAt, view.Receipt, err = receiptOf(cmd.Context(), v.Ledger, person); err != nil {
					return err
				}
				for _, d := range data {
					held, known := privacy.Of(d.Table)
					if !known {
						held.Table = d.Table
					}
					view.Held = append(view.Held, heldView{held, len(d.Rows), d.Rows})
				}
				ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
				defer cancel()
				withKafka, noKafka := c.config(config.PartKafka)
				if noKafka == nil {
					cfg = withKafka
				}
				view.Elsewhere = service.Elsewhere(ctx, cfg, noKafka, person)
				return c.print(view, view.draw)
			})
		},
	}
	cmd.Flags().DurationVar(&timeout, "timeout", 10*time.Second, "how `long` to wait for Kafka and Temporal")
	return c.reads(cmd)
}

// receiptOf returns when a person was erased, and the row that says so.
func receiptOf(ctx context.Context, l ledger.Reader, person ledger.Person) (*time.Time, *receiptView, error) {
	if person.ErasedAt.IsZero() {
		return nil, nil, nil
	}
	var receipt *receiptView
	for row, err := range ledger.AllAudit(ctx, l, person.PersonID, 0) {
		if err != nil {
			return nil, nil, err
		}
		if row.Action == ledger.AuditErased {
			receipt = &receiptView{Row: row.Seq}
		}
	}
	if receipt != nil {
		leaf, found, err := l.LeafOf(ctx, receipt.Row)
		if err != nil {
			return nil, nil, err
		}
		if found {
			receipt.Leaf = &leaf
		}
	}
	return &person.ErasedAt, receipt, nil
}

func (r *receiptView) String() string {
	switch {
	case r == nil:
		return ""
	case r.Leaf == nil:
		return fmt.Sprintf("row %d of the record, which is not in the log yet", r.Row)
	}
	return fmt.Sprintf("row %d of the record, leaf %d of the log", r.Row, *r.Leaf)
}

// personFields are those that tell who somebody is.
var personFields = []string{"given_name", "family_name", "username", "status", "department", "job_title", "manager_id"}

func (v dataView) draw(p *page) {
	fields := []field{{"person", v.Person}}
	if v.ErasedAt != nil {
		fields = append(fields, field{"erased", words.Instant(*v.ErasedAt)}, field{"receipt", v.Receipt.String()})
	}
	for _, h := range v.Held {
		if h.Table != "people" || len(h.Rows) == 0 {
			continue
		}
		for _, name := range personFields {
			if value, ok := h.Rows[0][name]; ok {
				fields = append(fields, field{strings.ReplaceAll(name, "_", " "), fmt.Sprint(value)})
			}
		}
	}
	keep := v.Keep
	if keep == "" {
		keep = "for ever: privacy.keep is not set"
	} else {
		keep += " after their employment has ended"
	}
	p.fields(append(fields, field{"kept", keep})...)
	p.table("In the ledger", "table,rows,what,from,for,until", rowsOf(v.Held, func(h heldView) []string {
		return []string{h.Table, fmt.Sprint(h.Count), h.What, h.From, h.For, h.Until}
	}))
	p.table("Elsewhere", "where,what,until", rowsOf(v.Elsewhere, func(e report.Elsewhere) []string {
		until := e.Until
		if e.Problem != "" {
			until += ": " + e.Problem
		}
		return []string{e.Where, e.What, until}
	}))
	p.note("all of it, row by row: tenure person data %s -o json", quoted(v.Person))
}

// erasureView describes an erasure that was done, or could be.
type erasureView struct {
	Person    string           `json:"person"`
	Ended     *time.Time       `json:"ended,omitempty"` // when their employment ended
	Against   []againstView    `json:"against"`
	Applied   bool             `json:"applied"`
	ErasedAt  *time.Time       `json:"erasedAt,omitempty"`
	Rows      map[string]int64 `json:"rows,omitempty"`
	Redacted  int64            `json:"redacted,omitempty"`
	Elsewhere int64            `json:"otherPeoplesRows,omitempty"`
	Receipt   *receiptView     `json:"receipt,omitempty"`
}

type againstView struct {
	ledger.Obstacle
	Text string `json:"text"`
}

func (c *cli) personEraseCommand() *cobra.Command {
	var f struct {
		decisionFlags
		applying
	}
	cmd := &cobra.Command{
		Use:   "erase PERSON",
		Short: "Erase what is held of somebody who has left, for good",
		Long: `Erase what the ledger holds of somebody who has left. Without --apply, it only shows
what stands against it, each with what to do about it (exit status 3): an employment
that is not over, or was less than privacy.keep ago; a legal hold; an account that is
not deleted; anything of theirs that is open.

What is erased: their name, address, telephone and everything else that HR said; what
humans wrote about them; their usernames and addresses, which are kept as digests so
that nobody else is ever called so; and their name in other people's rows. Their ID
stays, and so do the keys of HR's events: reading a topic again brings nothing back.
The audit record keeps its rows, and verifies as before: of those in which a human
wrote about them, or that name them, the text is erased. The row that says so is the
receipt.

It cannot be taken back. What is elsewhere (tenure person data) is not erased by this.
With privacy.keep, everybody is erased in time without this command. If HR says
something new of somebody who was erased, a new life begins: they get another username.`,
		Example: `  tenure person erase 10004
  tenure person erase 10004 --reason "request 2027-14" --apply`,
		Args: exactly("PERSON"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !f.does() {
				return c.view(cmd.Context(), func(cfg *config.Config, v *operator.Viewer) error {
					erasing, err := v.MayErase(cmd.Context(), service.ErasureTerms(cfg), args[0])
					if err != nil {
						return err
					}
					return c.showErasing(cmd.Context(), v.Ledger, erasing, f.applying)
				})
			}
			if err := f.given(); err != nil {
				return err
			}
			return c.operate(cmd.Context(), func(cfg *config.Config, o *operator.Operator) error {
				erasing, err := o.Erase(cmd.Context(), f.request(), service.ErasureTerms(cfg), args[0])
				if err != nil {
					return err
				}
				return c.showErasing(cmd.Context(), o.Ledger, erasing, f.applying)
			})
		},
	}
	f.decisionFlags.flags(cmd)
	f.applying.flags(cmd)
	f.didBefore(cmd) // --dry-run is what people look for
	return c.reads(cmd)
}

func (c *cli) showErasing(ctx context.Context, l ledger.Reader, e operator.Erasing, a applying) error {
	id := e.Person.PersonID
	v := erasureView{Person: id, Against: []againstView{}, Applied: e.Applied}
	if !e.Ended.IsZero() {
		v.Ended = &e.Ended
	}
	for _, o := range e.Against {
		v.Against = append(v.Against, againstView{o, erase.Sentence(o, id)})
	}
	person, err := l.Person(ctx, id)
	if err != nil {
		return err
	}
	if v.ErasedAt, v.Receipt, err = receiptOf(ctx, l, person); err != nil {
		return err
	}
	v.Rows, v.Redacted, v.Elsewhere = e.Erased.Rows, e.Erased.Redacted, e.Erased.Elsewhere
	if err := c.print(v, v.draw); err != nil {
		return err
	}
	switch {
	case e.Unscrubbed != nil:
		c.tell("erased, but bytes of it may still be in the ledger's files: do the same again (%v)\n", e.Unscrubbed)
		return errAttention
	case len(v.Against) > 0:
		return errAttention
	case !e.Applied && v.ErasedAt == nil:
		return c.onlyShown(a, "nothing stands against erasing person %s, for good", id)
	}
	return nil
}

func (v erasureView) draw(p *page) {
	fields := []field{{"person", v.Person}}
	if v.Ended != nil {
		fields = append(fields, field{"employed until", words.Instant(*v.Ended)})
	}
	if v.ErasedAt != nil {
		fields = append(fields, field{"erased", words.Instant(*v.ErasedAt)}, field{"receipt", v.Receipt.String()})
	}
	p.fields(fields...)
	if len(v.Against) > 0 {
		p.note("\nThey cannot be erased now:")
		for _, o := range v.Against {
			p.note("- %s", o.Text)
		}
	}
	if v.Applied && v.Rows != nil {
		p.table("Erased", "table,rows", rowsOf(slices.Sorted(maps.Keys(v.Rows)), func(table string) []string {
			return []string{table, fmt.Sprint(v.Rows[table])}
		}))
		p.note("texts of the record: %d; rows of other people that named them: %d", v.Redacted, v.Elsewhere)
		p.note("what is elsewhere: tenure person data %s", quoted(v.Person))
	}
}
