package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/trial"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/service/apps"
)

// trialOptions are the flags of app test.
type trialOptions struct {
	write  bool
	grants []string
	wait   time.Duration
	// patience is for one thing that the app shows late.
	patience time.Duration
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
they are changed and cleared, it is given an entitlement, disabled, enabled, stripped
and deleted, and read back after each step. What the app shows late is waited for, and
attributes that it takes and does not keep are named.
If a step fails, or Ctrl-C is pressed, what there is of the account is disabled and
deleted, even if the app never said that it made it. What may be left is named.

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
	flags.DurationVar(&o.wait, "wait", 5*time.Minute, "how `long` all of it may take, without cleaning up")
	flags.DurationVar(&o.patience, "patience", 30*time.Second, "how `long` to wait for one thing that the app shows late")
	return c.reads(cmd)
}

// trialStep is what a step of a trial came to.
type trialStep struct {
	Step    string  `json:"step"`
	OK      bool    `json:"ok"`
	Note    string  `json:"note,omitempty"`
	Error   string  `json:"error,omitempty"`
	Seconds float64 `json:"seconds"`
}

func viewTrialStep(s trial.Step) trialStep {
	v := trialStep{Step: s.What, OK: s.Err == nil, Note: s.Note, Seconds: s.Took.Round(time.Millisecond).Seconds()}
	if s.Err != nil {
		v.Error = s.Err.Error()
	}
	return v
}

func (c *cli) tryApp(ctx context.Context, name string, o trialOptions) (err error) {
	cfg, err := c.config() //nolint:contextcheck // it connects to nothing
	if err != nil {
		return err
	}
	conn, err := apps.Of(cfg, nil).Open(ctx, name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	ctx, cancel := context.WithTimeout(ctx, o.wait)
	defer cancel()

	rules, _ := cfg.Policy.App(name)
	steps := []trialStep{}
	defer func() { err = errors.Join(c.report(steps), err) }()
	t := &trial.Trial{
		Connector: conn, Patience: o.patience, Ignore: rules.Ignore,
		Say: func(s trial.Step) {
			steps = append(steps, viewTrialStep(s))
			if c.output == formatTable {
				sayStep(c.out, s)
			}
		},
		Waiting: func(what string) { printTo(c.err, "%s\n", what) },
	}
	if err := t.Look(ctx); err != nil {
		return fmt.Errorf("app %s: %w", name, err)
	}
	if !o.write {
		return nil
	}
	life, err := testLife(cfg.Policy, name)
	if err != nil {
		return fmt.Errorf("app %s: %w", name, err)
	}
	if life.Entitlements = o.grants; len(o.grants) == 0 {
		grants := cfg.Policy.Grants(name)
		life.Entitlements = grants[:min(1, len(grants))]
	}
	// The account is cleaned up also if the terminal is closed, or nobody reads on.
	signal.Ignore(syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGHUP)
	defer stop()
	printTo(c.err, "trying with the test account %s (external ID %s)\n", life.Account.Username, life.Account.PersonID)
	if err := t.Live(ctx, life); err != nil {
		return fmt.Errorf("app %s: %w", name, err)
	}
	return nil
}

// testLife is the life of a person who does not exist: who is hired, and then has
// another name, department and so on, and then lacks what people need not have.
func testLife(p *policy.Policy, app string) (trial.Life, error) {
	mark := uuid.NewString()[:8] // short: some apps take usernames of 20 characters, and person IDs of 16
	hired := hr.Profile{
		Type: hr.TypeEmployee, GivenName: "Tenure", FamilyName: "Test " + mark, EmployeeNumber: mark,
		JobTitle: "Test account", Department: "Test", CostCenter: "1", Company: "Test", Location: hr.Location{Site: "Test", Country: "DE", TimeZone: "UTC"},
	}
	moved := hired
	moved.GivenName, moved.FamilyName = "Changed", "Changed "+mark
	moved.JobTitle, moved.Department, moved.CostCenter, moved.Company = "Changed", "Changed", "2", "Changed"
	moved.Location = hr.Location{Site: "Changed", Country: "AT", TimeZone: "Europe/Vienna"}
	id := policy.Identity{PersonID: "test-" + mark, Username: "tenure-test-" + mark}
	made, err := mapped(p, app, &id, hired)
	if err != nil {
		return trial.Life{}, err
	}
	life := trial.Life{
		Account: connector.Spec{PersonID: id.PersonID, Username: id.Username, Active: true, Attributes: made},
		Email:   id.Email, EmployeeNumber: mark,
	}
	changed, err := mapped(p, app, &id, moved)
	if err != nil {
		return trial.Life{}, err
	}
	rules, _ := p.App(app)
	all := map[string]any{} // as Tenure sends them: what has no value is cleared
	for _, name := range rules.Attributes {
		all[name] = ""
	}
	life.Changed, life.Cleared = maps.Clone(all), maps.Clone(all)
	maps.Copy(life.Changed, changed)
	maps.Copy(life.Cleared, changed)
	for _, without := range withoutOne(moved) {
		left, err := mapped(p, app, &id, without)
		if err != nil {
			continue // a mapping needs it, so that it is never cleared
		}
		for name := range changed {
			if _, ok := left[name]; !ok {
				life.Cleared[name] = ""
			}
		}
	}
	return life, nil
}

// withoutOne are profiles of which each lacks one thing that people need not have.
func withoutOne(p hr.Profile) []hr.Profile {
	all := slices.Repeat([]hr.Profile{p}, 6)
	all[0].JobTitle, all[1].Department, all[2].CostCenter, all[3].Company = "", "", "", ""
	all[4].Location.Site, all[5].Location.Country = "", ""
	return all
}

// mapped are the attributes of somebody, whose e-mail address it sets in the identity.
func mapped(p *policy.Policy, app string, id *policy.Identity, profile hr.Profile) (attributes map[string]any, err error) {
	if id.Email, err = p.Email(*id, profile); err != nil {
		return nil, err
	}
	return p.Attributes(app, *id, profile)
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
