package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/ledger"
)

func (c *cli) dlqDiscardCommand() *cobra.Command {
	var f letterActFlags
	cmd := &cobra.Command{
		Use:   "discard [ID...]",
		Short: "Decide that nothing has to come of dead letters",
		Long: `Decide that nothing has to come of dead letters: those with the numbers given, or
all that are open or redriven and that the filters select.

They do not show with their people any more, and urgent ones need no attention:
the person's run is told.
The records stay in Kafka for as long as the topic keeps them, and can still be
redriven (with --again). It is on the record with your name and reason. Without
--apply it is shown which, and the exit status is 3.`,
		Example: `  tenure dlq discard 17
  tenure dlq discard 17 --reason "HR sent it again as e-4711" --apply
  tenure dlq discard --code tombstone --since 36h --reason "a connector's mistake, ticket 42" --apply`,
		RunE: func(cmd *cobra.Command, ids []string) error {
			if err := f.check(ids); err != nil {
				return err
			}
			return c.withLedger(cmd.Context(), func(cfg *config.Config, l ledger.Ledger) error {
				return c.discard(cmd.Context(), cfg, l, f, ids)
			})
		},
	}
	f.flags(cmd)
	return c.reads(cmd)
}

func (c *cli) discard(ctx context.Context, cfg *config.Config, l ledger.Ledger, f letterActFlags, ids []string) error {
	chosen, err := f.choose(ctx, cfg, l, ids, ledger.LetterOpen, ledger.LetterRedriven)
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
	var waiting []string // people whose runs have asked what is to come of a letter
	for i, letter := range pending {
		err := l.ActOnLetter(ctx, ledger.LetterAction{
			Verb: ledger.VerbDiscard, ID: letter.ID, Operator: f.operator, Reason: f.reason, At: cfg.Clock().Now(),
		})
		if err != nil {
			return fmt.Errorf("%w\n%d of %d were discarded; run it again for the others", errors.Join(err, c.tellRuns(ctx, l, waiting, cfg.Sweep.Every, letterDiscarded)), i, len(pending))
		}
		if letter.Urgent && letter.PersonID != "" && !slices.Contains(waiting, letter.PersonID) {
			waiting = append(waiting, letter.PersonID)
		}
	}
	c.tell("discarded %s\n", count(len(pending), "dead letter"))
	discarded, err := reread(ctx, l, pending)
	if err != nil {
		return err
	}
	if err := c.report(viewLetters(discarded)); err != nil {
		return err
	}
	return c.tellRuns(ctx, l, waiting, cfg.Sweep.Every, letterDiscarded)
}

// reread reads dead letters as they are now.
func reread(ctx context.Context, l ledger.Ledger, letters []ledger.DeadLetter) ([]ledger.DeadLetter, error) {
	var now []ledger.DeadLetter
	for _, letter := range letters {
		found, err := l.DeadLetters(ctx, ledger.LetterFilter{ID: letter.ID}, 0, 1)
		if err != nil {
			return nil, err
		}
		now = append(now, found...)
	}
	return now, nil
}

// letterDiscarded is why people's runs are told.
const letterDiscarded = "dead letter discarded"

// tellRuns has the runs of people look again; why is one line without personal data.
// The ledger has noted that they are to: without Temporal the sweeper sees to it.
func (c *cli) tellRuns(ctx context.Context, l ledger.Ledger, people []string, every time.Duration, why string) error {
	var known []string
	for _, id := range people {
		switch _, err := l.Person(ctx, id); {
		case err == nil:
			known = append(known, id)
		case !errors.Is(err, ledger.ErrNotFound): // somebody whom the ledger does not know has no run
			return err
		}
	}
	if err := c.resume(ctx, known, why); err != nil {
		c.tell("the runs of %s could not be told, and will be by the sweeper, within %s: %v\n",
			strings.Join(known, ", "), every, err)
	}
	return nil
}
