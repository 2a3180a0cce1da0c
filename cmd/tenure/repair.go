package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/activities"
	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/internal/service"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/workflows"
)

func (c *cli) runRetryCommand() *cobra.Command {
	var req activities.RepairRequest
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
			return c.repairAny(cmd.Context(), args, &bulk, req)
		},
	}
	repairFlags(cmd, &req)
	bulk.flags(cmd)
	cmd.Flags().StringVar(&req.Reason, "reason", "", "why, for the record")
	return c.reads(cmd)
}

func (c *cli) runSkipCommand() *cobra.Command {
	var req activities.RepairRequest
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
			case len(args) > 0 && req.App == "" && req.Key == "":
				return usagef("say what is to be skipped: --app or --key (tenure run list --attention shows both)")
			case strings.TrimSpace(req.Reason) == "" && (len(args) > 0 || bulk.does()):
				return usagef("say why with --reason: it goes on the record")
			}
			req.Skip = true
			return c.repairAny(cmd.Context(), args, &bulk, req)
		},
	}
	repairFlags(cmd, &req)
	bulk.flags(cmd)
	cmd.Flags().StringVar(&req.Reason, "reason", "", "why it is not to be done, for the record")
	return c.reads(cmd)
}

// repairAny repairs one person's, or everybody's that is selected.
func (c *cli) repairAny(ctx context.Context, args []string, bulk *bulkRepair, req activities.RepairRequest) error {
	switch {
	case len(args) > 1:
		return usagef("one person at the most; everybody's are selected by flags: see --help")
	case len(args) == 1 && bulk.given(""):
		return usagef("give either a person (with --app or --key) or the flags that select everybody's")
	case len(args) == 1:
		req.PersonID = args[0]
		return c.repair(ctx, req)
	case req.Key != "":
		return usagef("--key is one person's: say whose")
	case !bulk.given(req.App):
		return usagef("say whose: a person, or by --app, --type, --step, --code, --since what of everybody's (tenure run list --attention shows all)")
	}
	if _, err := bulk.filter(time.Now()); err != nil {
		return err // before anything is opened
	}
	return c.repairMany(ctx, bulk, req)
}

func repairFlags(cmd *cobra.Command, req *activities.RepairRequest) {
	cmd.Flags().StringVar(&req.App, "app", "", "only what is about this `app`")
	cmd.Flags().StringVar(&req.Key, "key", "", "only the step or question with this `key`")
	operatorFlag(cmd, &req.Operator)
}

// operatorFlag lets an operator say who they are.
func operatorFlag(cmd *cobra.Command, operator *string) {
	cmd.Flags().StringVar(operator, "operator", "", "`who` is asking, for the record, which has your login beside it (default: $TENURE_OPERATOR, else your login name)")
}

// asking is who is asking: as they say, or as the environment does. Where nothing
// says it (a container has no login names), it is refused: the record is of who did
// what. The login goes on the record beside it, always: see machineLogin.
func asking(operator string) (string, error) {
	for _, who := range []string{operator, os.Getenv("TENURE_OPERATOR"), loginName()} {
		if who = strings.TrimSpace(who); who == "" {
			continue
		}
		if ledger.SameOperator(who, ledger.ActorTenure) {
			return "", usagef("%s is what does things by itself: say who you are, with --operator or TENURE_OPERATOR", ledger.ActorTenure)
		}
		return who, nil
	}
	return "", usagef("say who you are with --operator or TENURE_OPERATOR: it goes on the record")
}

// onRecord settles who is asking, and wants to know why: both go on the record.
func onRecord(operator *string, reason string) (err error) {
	if strings.TrimSpace(reason) == "" {
		return usagef("say why with --reason: it goes on the record")
	}
	*operator, err = asking(*operator)
	return err
}

// repair repairs what one person needs attention for.
func (c *cli) repair(ctx context.Context, req activities.RepairRequest) error {
	var err error
	if req.Operator, err = asking(req.Operator); err != nil {
		return err
	}
	done := "will be tried again"
	if req.Skip {
		done = "is skipped"
	}
	return c.withLedger(ctx, func(cfg *config.Config, l ledger.Ledger) error {
		return c.inNamespace(ctx, func(t client.Client, namespace string) error {
			r := repairer{ledger: l, clock: cfg.Clock(), runs: workflows.NewClient(t, namespace)}
			keys, err := r.repair(ctx, req)
			for _, key := range keys {
				c.say("%s of %s %s\n", key, req.PersonID, done)
			}
			if err != nil {
				err = fmt.Errorf("person %s: %w", req.PersonID, err)
			}
			return errors.Join(c.report(repairedView{Person: req.PersonID, Keys: append([]string{}, keys...), Skipped: req.Skip}), err)
		})
	})
}

// repairedView is what was repaired of one person's.
type repairedView struct {
	Person  string   `json:"person"`
	Keys    []string `json:"keys"` // of steps and questions
	Skipped bool     `json:"skipped,omitempty"`
}

// repairer repairs what people need attention for.
type repairer struct {
	ledger ledger.Ledger
	clock  clock.Clock
	runs   *workflows.Client
}

// repair decides in the ledger, and has the person's run look at it: one is started for
// who has none open. It returns the keys that were repaired.
func (r repairer) repair(ctx context.Context, req activities.RepairRequest) ([]string, error) {
	keys, err := activities.RecordRepair(ctx, r.ledger, r.clock.Now(), req)
	if err != nil {
		return keys, err
	}
	if err := r.runs.Resume(ctx, req.PersonID, "repaired by an operator"); err != nil {
		return keys, fmt.Errorf("it is on the record, and the sweeper will tell their run, since this did not: %w", err)
	}
	return keys, nil
}

// withTemporal calls f with a client of the Temporal that the environment names.
func (c *cli) withTemporal(ctx context.Context, f func(client.Client) error) error {
	return c.inNamespace(ctx, func(t client.Client, _ string) error { return f(t) })
}

// inNamespace also says in which namespace the client is.
func (c *cli) inNamespace(ctx context.Context, f func(t client.Client, namespace string) error) error {
	opts, err := service.TemporalOptions(zap.NewNop())
	if err != nil {
		return &usageError{err}
	}
	t, err := client.NewLazyClient(opts)
	if err != nil {
		return &usageError{err}
	}
	defer t.Close()
	if err := service.ProbeTemporal(ctx, t, opts.Namespace); err != nil {
		return fmt.Errorf("no answer from Temporal at %s (check TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE): %w", opts.HostPort, err)
	}
	return f(t, opts.Namespace)
}

// resume has people's runs look again, and starts one for who has none open. Why
// is one line for people, without personal data.
func (c *cli) resume(ctx context.Context, people []string, why string) error {
	if len(people) == 0 {
		return nil
	}
	return c.inNamespace(ctx, func(t client.Client, namespace string) error {
		runs := workflows.NewClient(t, namespace)
		for _, id := range people {
			if err := runs.Resume(ctx, id, why); err != nil {
				return err
			}
		}
		return nil
	})
}
