package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/internal/settings"
	"github.com/tenurehq/tenure/internal/words"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
)

func (c *cli) retentionCommand() *cobra.Command {
	return noun("retention", "Keep one person's accounts longer, or shorter, than the configuration says",
		c.retentionSetCommand(), c.retentionResetCommand())
}

// retentionView says how long accounts of a person are kept.
type retentionView struct {
	Person   string    `json:"person"`
	App      string    `json:"app,omitempty"` // empty: all that are not named
	Until    time.Time `json:"until,omitzero"`
	For      string    `json:"for,omitempty"`
	SetAt    time.Time `json:"setAt"`
	Operator string    `json:"operator"`
	Login    string    `json:"login,omitempty"`
	Reason   string    `json:"reason"`
}

// retainedView describes a retention that was, or would be, set or reset.
type retainedView struct {
	retentionView
	Reset   bool     `json:"reset,omitempty"`   // it holds no more
	Deletes []string `json:"deletes,omitempty"` // apps, at once
	Applied bool     `json:"applied"`
}

func viewRetention(r ledger.Retention) retentionView {
	v := retentionView{Person: r.PersonID, App: r.App, Until: r.Until, SetAt: r.SetAt, Operator: r.Operator, Login: r.Login, Reason: r.Reason}
	if r.Until.IsZero() {
		v.For = days(r.For)
	}
	return v
}

// days shows a duration as the configuration writes it.
func days(d time.Duration) string {
	const day = 24 * time.Hour
	whole, rest := d/day, d%day
	switch {
	case rest == 0:
		return fmt.Sprintf("%dd", whole)
	case whole == 0:
		return rest.String()
	}
	return fmt.Sprintf("%dd%s", whole, rest)
}

func (v retentionView) app() string {
	if v.App == "" {
		return "all"
	}
	return v.App
}

func (v retentionView) kept() string {
	if v.Until.IsZero() {
		return "for " + v.For
	}
	return "until " + words.Instant(v.Until)
}

func (c *cli) retentionSetCommand() *cobra.Command {
	var f deletingFlags
	var app, until, lasts string
	cmd := &cobra.Command{
		Use:   "set PERSON",
		Short: "Set how long somebody's accounts are kept once they are off",
		Long: `Set how long somebody's accounts are kept once they are off, in place of the
configuration's leaver.retain: to the end of a day, or for a time that counts from the
proof that the account is off. It applies to all their accounts, or (--app) to the one
in an app; a retention for an app takes precedence over the one for all.

Retention may be made longer or shorter. If it ends at once, the accounts are deleted
at once: the command then only shows that (exit status 3), unless you say --apply. A
legal hold takes precedence over it: tenure hold. It belongs to the present employment,
or to the last one that has ended, and lapses when another begins. It is on the record
with your name and reason.`,
		Example: `  tenure retention set 10004 --until 2027-06-30 --reason "the project ends then, ticket 42"
  tenure retention set 10004 --for 7d --app wiki --reason "asked to be forgotten, ticket 43" --apply`,
		Args: exactly("PERSON"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.given(); err != nil {
				return err
			}
			if (until == "") == (lasts == "") {
				return usagef("say how long: either --until or --for")
			}
			return c.operate(cmd.Context(), func(cfg *config.Config, o *operator.Operator) error {
				r := operator.Retention{PersonID: args[0], App: app}
				var err error
				if until != "" {
					r.Until, err = end(until, o.Clock.Now())
				} else if r.For, err = settings.ParseDuration(lasts); err != nil {
					err = usagef("--for %w", err)
				}
				if err != nil {
					return err
				}
				changed, err := o.SetRetention(cmd.Context(), f.request(), r, f.does())
				return c.changedRetention(cfg, changed, err, f.applying, false)
			})
		},
	}
	cmd.Flags().StringVar(&until, "until", "", "when it ends: a `day`, an instant, or a time from now (90d)")
	cmd.Flags().StringVar(&lasts, "for", "", "how `long` from the proof that the account is off (60d)")
	c.retentionFlags(cmd, &f, &app, "only the account in this `app`")
	return c.reads(cmd)
}

// retentionFlags adds the flags that setting and resetting a retention have in common.
func (c *cli) retentionFlags(cmd *cobra.Command, f *deletingFlags, app *string, only string) {
	cmd.Flags().StringVar(app, "app", "", only)
	f.flags(cmd)
	_ = cmd.RegisterFlagCompletionFunc("app", c.completeApps)
}

// changedRetention shows a retention that was, or would be, set or reset.
func (c *cli) changedRetention(cfg *config.Config, changed operator.ChangedRetention, err error, a applying, reset bool) error {
	r := changed.Retention
	if r.PersonID == "" {
		return err
	}
	v := retainedView{retentionView: viewRetention(r), Reset: reset, Deletes: changed.Deletes, Applied: changed.Applied}
	switch {
	case !changed.Applied && err != nil:
		return err
	case !changed.Applied:
		return c.showDeleting(a, v, r.PersonID, changed.Deletes)
	case reset:
		c.say("accounts of %s (%s) are no longer kept %s, but as the configuration says\n", r.PersonID, v.app(), v.kept())
	default:
		c.say("accounts of %s (%s) are kept %s\n", r.PersonID, v.app(), v.kept())
	}
	return errors.Join(c.report(v), c.tellUntold(err, cfg.Sweep.Every))
}

func (c *cli) retentionResetCommand() *cobra.Command {
	var f deletingFlags
	var app string
	cmd := &cobra.Command{
		Use:   "reset PERSON",
		Short: "Let the configuration decide again how long somebody's accounts are kept",
		Long: `Let the configuration decide again how long somebody's accounts are kept: remove the
retention for all of them, or (--app) for the one in an app. If retention ends by
that, the accounts are deleted at once: the command then only shows that (exit
status 3), unless you say --apply.`,
		Example: `  tenure retention reset 10004 --reason "the project has ended, ticket 42"
  tenure retention reset 10004 --app wiki --reason "ticket 43"`,
		Args: exactly("PERSON"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.given(); err != nil {
				return err
			}
			return c.operate(cmd.Context(), func(cfg *config.Config, o *operator.Operator) error {
				changed, err := o.ResetRetention(cmd.Context(), f.request(), args[0], app, f.does())
				return c.changedRetention(cfg, changed, err, f.applying, true)
			})
		},
	}
	c.retentionFlags(cmd, &f, &app, "only the retention for this `app`")
	return c.reads(cmd)
}
