package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/time/rate"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/internal/words"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
)

// replayOptions holds the flags of replay.
type replayOptions struct {
	person, from, to, source, kind string
	applying
	perSecond float64
}

func (c *cli) replayCommand() *cobra.Command {
	var o replayOptions
	cmd := &cobra.Command{
		Use:   "replay",
		Short: "Apply events that were received before again, from the ledger",
		Long: `Apply events that were received before again, from the ledger: the runs of
all people whom the selected events concern look at the ledger once more, and correct
whatever differs from what HR has said and policy wants. A run that finds no
difference calls no app, so that this is safe at any time, and for any number of people.

The events come from the ledger, and are not read from Kafka again. Unless it concerns
one --person, the command only shows the people (exit status 3) until you say --apply.`,
		Example: `  tenure replay --from 2026-11-22 --to 2026-11-23
  tenure replay --from 36h --type terminated --apply
  tenure replay --from 7d --source /hr/workday --apply
  tenure replay --person 10004`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case o.person+o.from == "":
				return usagef("say what to replay: --person, or --from (and --to) when events were received")
			case o.perSecond <= 0:
				return usagef("--rate must be above zero")
			}
			if err := oneOf("type", o.kind, eventWords); err != nil {
				return err
			}
			return c.operate(cmd.Context(), func(_ *config.Config, op *operator.Operator) error {
				if err := errors.Join(personFilter(cmd.Context(), op.Ledger, o.person), sourceFilter(cmd.Context(), op.Ledger, o.source)); err != nil {
					return err
				}
				return c.replay(cmd.Context(), op, o)
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.person, "person", "", "only events about this `person`")
	flags.StringVar(&o.from, "from", "", "only what was received at or after this `time`: 2026-11-22, an RFC 3339 instant, or so long ago: 36h, 7d")
	flags.StringVar(&o.to, "to", "", "only what was received before this `time`")
	flags.StringVar(&o.source, "source", "", "only what this HR `system` said: the events' source")
	flags.StringVar(&o.kind, "type", "", "only events of this `type`: hired, transferred, terminated, ...")
	o.flags(cmd)
	flags.Lookup("apply").Usage = "of everybody: " + flags.Lookup("apply").Usage
	o.didBefore(cmd)
	flags.Float64Var(&o.perSecond, "rate", 20, "see to so many `people` a second at most")
	return c.reads(cmd)
}

// replayedView describes somebody whose events are replayed.
type replayedView struct {
	Person string         `json:"person"`
	Events map[string]int `json:"events"` // by type
	Last   time.Time      `json:"last"`   // when the last of them was received
}

func (v replayedView) row() []string {
	var kinds []string
	for _, kind := range slices.Sorted(maps.Keys(v.Events)) {
		kinds = append(kinds, strconv.Itoa(v.Events[kind])+" "+kind)
	}
	return []string{v.Person, strings.Join(kinds, ", "), words.Instant(v.Last)}
}

func (c *cli) replay(ctx context.Context, op *operator.Operator, o replayOptions) error {
	found, err := o.find(ctx, &op.Viewer)
	if err != nil {
		return err
	}
	draw := func(p *page) {
		p.table("", "person,events,last received", rowsOf(found[:min(len(found), shownSteps)], replayedView.row))
		if more := len(found) - shownSteps; more > 0 {
			p.note("and %d more (-o json has all)", more)
		}
		if len(found) == 0 {
			p.note("nothing of the kind was received")
		}
	}
	if err := c.print(found, draw); err != nil || len(found) == 0 {
		return err
	}
	if o.dryRun || o.person == "" && !o.does() {
		return c.onlyShown(o.applying, "%s would be looked at again", people(len(found)))
	}
	ids := make([]string, len(found))
	for i, v := range found {
		ids[i] = v.Person
	}
	bar := c.progress(len(ids), "replaying", "people")
	seen, err := op.Replay(ctx, ids, rate.Limit(o.perSecond), func(more int) { _ = bar.Add(more) })
	_ = bar.Exit()
	if err != nil {
		return fmt.Errorf("%w\n%d of %s were told to look again: run it again, it does no harm", err, seen, people(len(found)))
	}
	c.tell("\n%s are looked at again\n", people(seen))
	return nil
}

// find lists the people whom the selected events concern.
func (o replayOptions) find(ctx context.Context, op *operator.Viewer) ([]replayedView, error) {
	f := ledger.EventFilter{PersonID: o.person, Source: o.source}
	var err error
	if f.From, err = moment("from", o.from, op.Clock.Now()); err != nil {
		return nil, err
	}
	if f.To, err = moment("to", o.to, op.Clock.Now()); err != nil {
		return nil, err
	}
	people, err := op.Replayable(ctx, f, func(e hr.Event) bool { return o.kind == "" || shortType(e.Type) == o.kind })
	if err != nil {
		return nil, err
	}
	found := make([]replayedView, len(people))
	for i, p := range people {
		found[i] = replayedView{Person: p.PersonID, Events: map[string]int{}, Last: p.Last}
		for kind, n := range p.Events {
			found[i].Events[shortType(kind)] += n
		}
	}
	return found, nil
}
