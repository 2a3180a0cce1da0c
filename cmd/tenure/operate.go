package main

import (
	"context"
	"errors"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/service"
	"github.com/tenurehq/tenure/service/apps"
)

// operate calls f with what operators can do, on the ledger that the configuration names.
func (c *cli) operate(ctx context.Context, f func(*config.Config, *operator.Operator) error) error {
	return c.withLedger(ctx, func(cfg *config.Config, l ledger.Ledger) error {
		o, done := operatorOn(cfg, l)
		defer done()
		return f(cfg, o)
	})
}

// operatorOn makes an operator. Temporal is connected to when a run has to be told of
// something, and left when done is called.
func operatorOn(cfg *config.Config, l ledger.Ledger) (o *operator.Operator, done func()) {
	runs := &service.Runs{}
	return &operator.Operator{Ledger: l, Policy: cfg.Policy, Apps: apps.Of(cfg, l), Runs: runs, Clock: cfg.Clock()}, runs.Close
}

// decisionFlags are the flags of what an operator decides.
type decisionFlags struct{ operator, reason string }

func (f *decisionFlags) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.reason, "reason", "", "why, for the record")
	operatorFlag(cmd, &f.operator)
}

// given returns an error unless a reason was given, and finds out who is asking.
func (f *decisionFlags) given() error {
	return onRecord(&f.operator, f.reason)
}

// request is what was given.
func (f *decisionFlags) request() operator.Request {
	return operator.Request{Actor: f.operator, Reason: f.reason}
}

// operatorFlag lets an operator say who they are.
func operatorFlag(cmd *cobra.Command, operator *string) {
	cmd.Flags().StringVar(operator, "operator", "", "`who` is asking, for the record, which has your login beside it (default: $TENURE_OPERATOR, else your login name)")
}

// asking returns who is asking: as they say, or as the environment does. Where nothing
// says it (a container has no login names), it is refused: the record is of who did
// what. The login goes on the record beside it, always: see machineLogin.
func asking(name string) (string, error) {
	for _, who := range []string{name, os.Getenv("TENURE_OPERATOR"), loginName()} {
		if who = strings.TrimSpace(who); who == "" {
			continue
		}
		if errors.Is(operator.CheckActor(who), operator.ErrTenure) {
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

// tellUntold says of runs that could not be told that the sweeper will tell them. It
// returns what else is wrong.
func (c *cli) tellUntold(err error, every time.Duration) error {
	untold, other := operator.Untold(err)
	if untold != nil {
		c.tell("the runs of %s could not be told, and will be by the sweeper, within %s: %v\n",
			strings.Join(untold.People, ", "), every, untold.Err)
	}
	return other
}
