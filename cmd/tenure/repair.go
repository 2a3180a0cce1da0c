package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/service"
)

func (c *cli) runRetryCommand() *cobra.Command {
	var one oneRepair
	var bulk bulkRepair
	cmd := &cobra.Command{
		Use:   "retry [PERSON]",
		Short: "Try again now what needs attention: a person's, or everybody's that is alike",
		Long: `Try again now what needs attention, after its cause was removed.

With PERSON, theirs: all of it, or that of one app, or one step.

Without, everybody's that the flags select: of an app, a kind of step, an error
code, a change (Leaver, ...), a span of time, or several of these. What would be
tried again is only shown (exit status 3), until you say --apply. It can be ended
and begun again at any time: what was repaired is not repaired twice.

It is decided in the ledger, with your name on the record, and done by each person's
run, which is told.`,
		Example: `  tenure run retry 10004
  tenure run retry 10004 --app wiki
  tenure run retry --app wiki --type Leaver --since 36h
  tenure run retry --app wiki --type Leaver --since 36h --apply`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.repairAny(cmd.Context(), args, &bulk, one, operator.Retry)
		},
	}
	one.flags(cmd)
	bulk.flags(cmd)
	cmd.Flags().StringVar(&one.Reason, "reason", "", "why, for the record")
	return c.reads(cmd)
}

func (c *cli) runSkipCommand() *cobra.Command {
	var one oneRepair
	var bulk bulkRepair
	cmd := &cobra.Command{
		Use:   "skip [PERSON]",
		Short: "Decide that what needs attention is not to be done",
		Long: `Decide that what needs attention is not to be done: of one person, that of one
app, or one step or question by its key (see: tenure run list --attention); or,
without PERSON, everybody's that the flags select. What would be skipped of
everybody's is only shown (exit status 3), until you say --apply.

It is decided in the ledger, with your name and reason on the record, and each person's
run is told.
A later change of policy or of the person plans anew, and may plan it again.`,
		Example: `  tenure run skip 10004 --app wiki --reason "the wiki was shut down"
  tenure run skip 10004 --key conflict/hired_after_end/e-17 --reason "HR's mistake, ticket 4711"
  tenure run skip --app wiki --step HandOver --reason "nothing is worth keeping there" --apply`,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) > 0 && one.App == "" && one.Key == "":
				return usagef("say what is to be skipped: --app or --key (tenure run list --attention shows both)")
			case strings.TrimSpace(one.Reason) == "" && (len(args) > 0 || bulk.does()):
				return usagef("say why with --reason: it goes on the record")
			}
			return c.repairAny(cmd.Context(), args, &bulk, one, operator.Skip)
		},
	}
	one.flags(cmd)
	bulk.flags(cmd)
	cmd.Flags().StringVar(&one.Reason, "reason", "", "why it is not to be done, for the record")
	return c.reads(cmd)
}

// oneRepair selects what is to be repaired of one person, and says who asks.
type oneRepair struct {
	operator.Attention
	operator.Request
}

func (r *oneRepair) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&r.App, "app", "", "only what is about this `app`")
	cmd.Flags().StringVar(&r.Key, "key", "", "only the step or question with this `key`")
	operatorFlag(cmd, &r.Actor)
}

// repairAny repairs one person's, or everybody's that is selected.
func (c *cli) repairAny(ctx context.Context, args []string, bulk *bulkRepair, one oneRepair, verb operator.Verb) error {
	switch {
	case len(args) > 1:
		return usagef("one person at the most; everybody's are selected by flags: see --help")
	case len(args) == 1 && bulk.given(""):
		return usagef("give either a person (with --app or --key) or the flags that select everybody's")
	case len(args) == 1:
		one.PersonID = args[0]
		return c.repair(ctx, one, verb)
	case one.Key != "":
		return usagef("--key is one person's: say whose")
	case !bulk.given(one.App):
		return usagef("say whose: a person, or by --app, --type, --step, --code, --since what of everybody's (tenure run list --attention shows all)")
	}
	bulk.app = one.App
	if _, err := bulk.filter(time.Now()); err != nil {
		return err // before anything is opened
	}
	return c.repairMany(ctx, bulk, one.Request, verb)
}

// repair repairs what one person needs attention for.
func (c *cli) repair(ctx context.Context, one oneRepair, verb operator.Verb) error {
	var err error
	if one.Actor, err = asking(one.Actor); err != nil {
		return err
	}
	return c.operate(ctx, func(_ *config.Config, o *operator.Operator) error {
		do, done := o.Retry, "will be tried again"
		if verb == operator.Skip {
			do, done = o.Skip, "is skipped"
		}
		if err := o.Runs.Ready(ctx); err != nil {
			return err
		}
		keys, err := do(ctx, one.Request, one.Attention)
		for _, key := range keys {
			c.say("%s of %s %s\n", key, one.PersonID, done)
		}
		if err != nil {
			err = fmt.Errorf("person %s: %w", one.PersonID, err)
		}
		return errors.Join(c.report(repairedView{Person: one.PersonID, Keys: append([]string{}, keys...), Skipped: verb == operator.Skip}), err)
	})
}

// repairedView is what was repaired of one person's.
type repairedView struct {
	Person  string   `json:"person"`
	Keys    []string `json:"keys"` // of steps and questions
	Skipped bool     `json:"skipped,omitempty"`
}

// withTemporal calls f with a client of the Temporal that the environment names.
func (c *cli) withTemporal(ctx context.Context, f func(client.Client) error) error {
	return c.inNamespace(ctx, func(t client.Client, _ string) error { return f(t) })
}

// inNamespace also says in which namespace the client is.
func (c *cli) inNamespace(ctx context.Context, f func(t client.Client, namespace string) error) error {
	t, namespace, err := service.OpenTemporal(ctx)
	if err != nil {
		return err
	}
	defer t.Close()
	return f(t, namespace)
}
