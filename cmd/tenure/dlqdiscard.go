package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
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
	c.tell("discarded %s\n", count(len(pending), "dead letter"))
	return errors.Join(c.report(viewLetters(discarded)), c.tellUntold(err, cfg.Sweep.Every))
}
