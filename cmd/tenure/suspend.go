package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/operator"
)

// operatorSource is the source of the events that operators record.
const operatorSource = hr.OperatorSource

// secured is an operator's word on somebody's access: a suspension, or its end.
type secured struct {
	verb       operator.Verb
	personID   string
	wait       time.Duration
	noWait     bool
	breakGlass bool
	decisionFlags
}

func (s *secured) flags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&s.noWait, "no-wait", false, "do not wait until it is done in every app")
	cmd.Flags().DurationVar(&s.wait, "wait", 10*time.Minute, "how `long` to wait until it is done in every app")
	s.decisionFlags.flags(cmd)
}

func (c *cli) personSuspendCommand() *cobra.Command {
	s := secured{verb: operator.Suspend}
	cmd := &cobra.Command{
		Use:   "suspend PERSON",
		Short: "Cut somebody off now: every account disabled, sessions ended, until they are reinstated",
		Long: `Cut somebody off now: in every app their account is disabled and its sessions are
ended, ahead of all other work. Whatever HR says meanwhile, they stay cut off until
they are reinstated.

It is written into the ledger, with your name and reason, and Temporal is told:
Kafka is not needed. The command waits, and shows each app as soon as the app
itself, asked again, has said that the account is off. It exits with 3 if an app
needs attention, or is not done in time.

With --break-glass Temporal is not needed either: this process calls all apps
itself, at once and without waiting for their rates. It needs the configuration and
the secrets of the worker. All of it is on the record, and the person's run finds it
done when Temporal is back.`,
		Example: `  tenure person suspend 10004 --reason "stolen laptop, ticket 4711"
  tenure person suspend 10004 --reason "ticket 4711" --no-wait
  tenure person suspend 10004 --reason "ticket 4711, Temporal is down" --break-glass`,
		Args: exactly("PERSON"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if s.breakGlass && s.noWait {
				return usagef("--break-glass is done by this command itself: it cannot be had with --no-wait")
			}
			s.personID = args[0]
			return c.secure(cmd.Context(), s)
		},
	}
	s.flags(cmd)
	cmd.Flags().BoolVar(&s.breakGlass, "break-glass", false, "call the apps from here, because Temporal is down")
	return c.reads(cmd)
}

func (c *cli) personReinstateCommand() *cobra.Command {
	s := secured{verb: operator.Reinstate}
	cmd := &cobra.Command{
		Use:   "reinstate PERSON",
		Short: "End a suspension: what policy gives the person now comes back, in the same accounts",
		Long: `End a suspension: the same accounts are enabled again, with what they had and what
HR and policy have changed since. Who was terminated meanwhile stays without access.

It is on the record with your name and reason. The command waits until it is done,
and exits with 3 if an app needs attention.`,
		Example: `  tenure person reinstate 10004 --reason "laptop found, ticket 4711"`,
		Args:    exactly("PERSON"),
		RunE: func(cmd *cobra.Command, args []string) error {
			s.personID = args[0]
			return c.secure(cmd.Context(), s)
		},
	}
	s.flags(cmd)
	return c.reads(cmd)
}

// secure records what the operator says, sees to it that it is done, and shows how
// that goes.
func (c *cli) secure(ctx context.Context, s secured) error {
	if err := s.given(); err != nil {
		return err
	}
	return c.operate(ctx, func(cfg *config.Config, o *operator.Operator) error {
		do := o.Suspend
		switch {
		case s.breakGlass:
			do = o.RecordSuspension
		case s.verb == operator.Reinstate:
			do = o.Reinstate
		}
		said, err := do(ctx, s.request(), s.personID)
		untold, err := operator.Untold(err)
		switch {
		case errors.Is(err, operator.ErrProtected):
			return fmt.Errorf("person %s is protected (protected.persons in %s): nothing was recorded or done; "+
				"see to their accounts in the apps by hand, or take them from the list first", s.personID, cfg.Path)
		case untold != nil:
			hint := ""
			if s.verb == operator.Suspend {
				hint = "; to cut off now, without Temporal, run it again with --break-glass"
			}
			return fmt.Errorf("it is on the record, and will be done when Temporal is back (by the sweeper), but not before%s: %w", hint, untold.Err)
		case err != nil:
			return err
		case s.breakGlass:
			return c.breakGlass(ctx, cfg, o, s, said)
		case s.noWait:
			c.say("%s of %s is recorded and under way: see tenure person show %s\n", s.verb, s.personID, quoted(s.personID))
			return c.report([]securedView{}) // no app is known to be done
		}
		return c.awaitSecured(ctx, o, s, said)
	})
}
