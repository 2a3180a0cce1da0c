package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/trial"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/policy"
)

// trialOptions are the flags of app test.
type trialOptions struct {
	write  bool
	grants []string
	wait   time.Duration
}

func (c *cli) appTestCommand() *cobra.Command {
	var o trialOptions
	cmd := &cobra.Command{
		Use:   "test APP",
		Short: "Try an app: as whom Tenure signs in, and whether it may do what it has to",
		Long: `Try an app with the settings of the configuration: as whom Tenure signs in, and
whether the rights are there that it needs. Nothing is changed.

With --write a whole life is played with a test account, whose username begins
with "tenure-test-": it is made with the attributes that the configuration maps,
given an entitlement, disabled, enabled, stripped and deleted, and read back after
each step. If a step fails, what is left of the account is disabled and deleted.

The exit status is 1 if anything fails.`,
		Example: `  tenure app test wiki
  tenure app test wiki --write
  tenure app test wiki --write --grant editors`,
		Args:              exactly("APP"),
		ValidArgsFunction: c.completeApps,
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.tryApp(cmd.Context(), args[0], o)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&o.write, "write", false, "make, change and delete a test account")
	flags.StringSliceVar(&o.grants, "grant", nil, "`entitlement` to give the test account (default: the first that a role gives in this app)")
	flags.DurationVar(&o.wait, "wait", time.Minute, "how `long` all of it may take")
	return cmd
}

func (c *cli) tryApp(ctx context.Context, name string, o trialOptions) (err error) {
	cfg, err := c.config() //nolint:contextcheck // it connects to nothing
	if err != nil {
		return err
	}
	conn, err := openApp(ctx, cfg, connector.Env{App: name})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	ctx, cancel := context.WithTimeout(ctx, o.wait)
	defer cancel()

	t := &trial.Trial{Connector: conn, Say: func(s trial.Step) { sayStep(c.out, s) }}
	if err := t.Look(ctx); err != nil {
		return fmt.Errorf("app %s: %w", name, err)
	}
	if !o.write {
		return nil
	}
	spec, err := testAccount(cfg.Policy, name)
	if err != nil {
		return fmt.Errorf("app %s: %w", name, err)
	}
	if len(o.grants) == 0 {
		o.grants = cfg.Policy.Grants(name)
		o.grants = o.grants[:min(1, len(o.grants))]
	}
	if err := t.Live(ctx, spec, o.grants); err != nil {
		return fmt.Errorf("app %s: %w", name, err)
	}
	return nil
}

// testAccount is the account of a person who does not exist.
func testAccount(p *policy.Policy, app string) (connector.Spec, error) {
	mark := uuid.NewString()[:8] // short: some apps take usernames of 20 characters, and person IDs of 16
	profile := hr.Profile{
		Type: hr.TypeEmployee, GivenName: "Tenure", FamilyName: "Test " + mark, EmployeeNumber: mark,
		JobTitle: "Test account", Department: "Test", Location: hr.Location{Country: "DE", TimeZone: "UTC"},
	}
	id := policy.Identity{PersonID: "test-" + mark, Username: "tenure-test-" + mark}
	var err error
	if id.Email, err = p.Email(id, profile); err != nil {
		return connector.Spec{}, err
	}
	attributes, err := p.Attributes(app, id, profile)
	return connector.Spec{PersonID: id.PersonID, Username: id.Username, Active: true, Attributes: attributes}, err
}

func sayStep(w io.Writer, s trial.Step) {
	mark, detail := "ok", s.Note
	if s.Err != nil {
		mark, detail = "failed", s.Err.Error()
	}
	if detail != "" {
		detail = ": " + detail
	}
	printTo(w, "%-7s %s%s (%s)\n", mark, s.What, detail, s.Took.Round(time.Millisecond))
}
