package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/internal/words"
	"github.com/tenurehq/tenure/operator"
)

// secured holds the flags of a suspension, or of its end.
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
				return usagef("--break-glass does not go with --no-wait: this command itself calls the apps")
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
HR and policy have changed since. Somebody who was terminated meanwhile stays without
access.

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

// secure records the operator's decision, waits until it is carried out, and shows how
// far it is.
func (c *cli) secure(ctx context.Context, s secured) error {
	if err := s.given(); err != nil {
		return err
	}
	return c.operate(ctx, func(cfg *config.Config, o *operator.Operator) error {
		if s.breakGlass {
			return c.breakGlass(ctx, cfg, o, s)
		}
		do := o.Suspend
		if s.verb == operator.Reinstate {
			do = o.Reinstate
		}
		said, err := do(ctx, s.request(), s.personID)
		untold, err := operator.Untold(err)
		switch {
		case untold != nil:
			hint := ""
			if s.verb == operator.Suspend {
				hint = "; to cut off now, without Temporal, run it again with --break-glass"
			}
			return fmt.Errorf("it is on the record, and will be done when Temporal is back (by the sweeper), but not before%s: %w", hint, untold.Err)
		case err != nil:
			return s.protected(err, cfg)
		case s.noWait:
			c.say("%s of %s is recorded and under way: see tenure person show %s\n", s.verb, s.personID, quoted(s.personID))
			return c.report([]operator.SecuredApp{}) // no app is known to be done
		}
		return c.awaitSecured(ctx, o, s, said)
	})
}

// protected returns operator.ErrProtected in words that name the setting and say what to
// do. It returns any other error as it is.
func (s secured) protected(err error, cfg *config.Config) error {
	if !errors.Is(err, operator.ErrProtected) {
		return err
	}
	return fmt.Errorf("person %s is protected (protected.persons in %s): nothing was recorded or done; "+
		"see to their accounts in the apps by hand, or take them from the list first", s.personID, cfg.Path)
}

// breakGlass cuts somebody off from this process, and shows each app as it comes.
func (c *cli) breakGlass(ctx context.Context, cfg *config.Config, o *operator.Operator, s secured) error {
	shown := map[string]string{}
	apps, err := o.BreakGlass(ctx, s.request(), s.personID, s.wait, func(app operator.SecuredApp) {
		c.tellSecured([]operator.SecuredApp{app}, shown)
	})
	if err != nil {
		return s.protected(err, cfg)
	}
	c.tellSecured(apps, shown)
	return c.concludeSecured(s, apps, true)
}

// lineOfApp describes for people, in one line, how far a suspension is in an app.
func lineOfApp(v operator.SecuredApp) string {
	switch {
	case v.Stuck || !v.Done && v.Code != "":
		return fmt.Sprintf("%s: not done: %s: %s", v.App, v.Code, v.Message)
	case !v.Done:
		return fmt.Sprintf("%s: under way", v.App)
	}
	return fmt.Sprintf("%s: %s, proven %s", v.App, v.State, words.Instant(v.ProvenAt))
}

const securedPoll = 100 * time.Millisecond

// awaitSecured waits until every app is done or needs attention, and shows each as it
// comes.
func (c *cli) awaitSecured(ctx context.Context, o *operator.Operator, s secured, said operator.Secured) error {
	deadline := time.Now().Add(s.wait)
	shown := map[string]string{}
	tick := time.NewTicker(securedPoll)
	defer tick.Stop()
	for {
		apps, over, err := o.Progress(ctx, said)
		if err != nil {
			return err
		}
		c.tellSecured(apps, shown)
		if over || time.Now().After(deadline) {
			return c.concludeSecured(s, apps, over)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// tellSecured shows people what is new.
func (c *cli) tellSecured(apps []operator.SecuredApp, shown map[string]string) {
	if c.output != formatTable {
		return
	}
	for _, v := range apps {
		if line := lineOfApp(v); shown[v.App] != line {
			shown[v.App] = line
			c.say("%s\n", line)
		}
	}
}

// concludeSecured shows the outcome, and asks for attention if not all is done.
func (c *cli) concludeSecured(s secured, apps []operator.SecuredApp, over bool) error {
	done := 0
	for _, v := range apps {
		if v.Done {
			done++
		}
	}
	what := "cut off"
	if s.verb == operator.Reinstate {
		what = "reinstated"
	}
	err := c.print(apps, func(p *page) {
		p.note("%s is %s in %d of %d apps", s.personID, what, done, len(apps))
		if !over {
			p.note("it goes on: see tenure person show %s", quoted(s.personID))
		}
	})
	if err == nil && (done < len(apps) || !over) {
		return errAttention
	}
	return err
}
