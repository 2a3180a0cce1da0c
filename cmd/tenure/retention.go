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
	"github.com/tenurehq/tenure/internal/apps"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
)

func (c *cli) retentionCommand() *cobra.Command {
	return noun("retention", "Keep one person's accounts longer, or shorter, than the configuration says",
		c.retentionSetCommand(), c.retentionResetCommand())
}

// retentionView is how long accounts of a person are kept.
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

// retainedView is what was, or would be, said of retention, or no more.
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

// days is a duration as the configuration has it.
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
	return "until " + instant(v.Until)
}

func (c *cli) retentionSetCommand() *cobra.Command {
	var f deletingFlags
	var app, until, lasts string
	cmd := &cobra.Command{
		Use:   "set PERSON",
		Short: "Say how long somebody's accounts are kept once they are off",
		Long: `Say how long somebody's accounts are kept once they are off, in place of what the
configuration says (leaver.retain): until a day, which belongs to it, or for a time
that counts from the proof that the account is off. Of all their accounts, or (--app)
of that in one app; what is said of an app goes before what is said of all.

Retention may be made longer or shorter. If it is over by that, the accounts are
deleted at once: it is only shown then (exit status 3), unless you say --apply. A
legal hold goes before it: tenure hold. It is of the present employment, or of the last one that has ended: it
lapses when another begins. It is on the record with your name and reason.`,
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
			return c.withLedger(cmd.Context(), func(cfg *config.Config, l ledger.Ledger) error {
				r := ledger.Retention{PersonID: args[0], App: app, SetAt: cfg.Clock().Now(), Operator: f.operator, Reason: f.reason}
				var err error
				if until != "" {
					r.Until, err = end(until, r.SetAt)
				} else if r.For, err = config.ParseDuration(lasts); err != nil {
					err = usagef("--for %w", err)
				}
				if err != nil {
					return err
				}
				return c.setRetention(cmd.Context(), cfg, l, r, f.applying)
			})
		},
	}
	cmd.Flags().StringVar(&until, "until", "", "when it ends: a `day`, an instant, or a time from now (90d)")
	cmd.Flags().StringVar(&lasts, "for", "", "how `long` from the proof that the account is off (60d)")
	c.retentionFlags(cmd, &f, &app, "only the account in this `app`")
	return c.reads(cmd)
}

// retentionFlags are what saying something of retention and taking it back have in common.
func (c *cli) retentionFlags(cmd *cobra.Command, f *deletingFlags, app *string, only string) {
	cmd.Flags().StringVar(app, "app", "", only)
	f.flags(cmd)
	_ = cmd.RegisterFlagCompletionFunc("app", c.completeApps)
}

func (c *cli) setRetention(ctx context.Context, cfg *config.Config, l ledger.Ledger, r ledger.Retention, a applying) error {
	person, err := operator.FindPerson(ctx, l, r.PersonID)
	if err != nil {
		return err
	}
	if err := knownApp(cfg, person, r.App); err != nil {
		return err
	}
	after := person
	after.Retentions = append(replaced(person.Retentions, r.App), r)
	deletes, err := begins(ctx, cfg, l, person, after, r.SetAt)
	if err != nil {
		return err
	}
	if len(deletes) > 0 && !a.does() {
		return c.showDeleting(a, retainedView{retentionView: viewRetention(r), Deletes: deletes}, r.PersonID, deletes)
	}
	set, err := l.SetRetention(ctx, r)
	if err != nil {
		return err
	}
	v := viewRetention(set)
	c.say("accounts of %s (%s) are kept %s\n", r.PersonID, v.app(), v.kept())
	return errors.Join(c.report(retainedView{retentionView: v, Deletes: deletes, Applied: true}),
		c.tellRuns(ctx, l, []string{r.PersonID}, cfg.Sweep.Every, "retention was set"))
}

// begins names the apps in which a person's accounts are deleted at once after something
// is decided of them, and are not as things are.
func begins(ctx context.Context, cfg *config.Config, l ledger.Ledger, before, after ledger.Person, now time.Time) ([]string, error) {
	rules, err := apps.Of(cfg, nil).Rules(ctx)
	if err != nil {
		return nil, err
	}
	was, err := deletionsOf(ctx, l, rules, before, now)
	if err != nil {
		return nil, err
	}
	is, err := deletionsOf(ctx, l, rules, after, now)
	return begun(was, is), err
}

// showDeleting ends a command that would have accounts deleted, and was not told to.
func (c *cli) showDeleting(a applying, v any, personID string, apps []string) error {
	return errors.Join(c.report(v), c.onlyShown(a, "%s of %s would be deleted for good, now", strings.Join(apps, ", "), personID))
}

// replaced are all but what was said of an app.
func replaced(said []ledger.Retention, app string) []ledger.Retention {
	var others []ledger.Retention
	for _, r := range said {
		if r.App != app {
			others = append(others, r)
		}
	}
	return others
}

// begun names the apps in which something is deleted now that was not before.
func begun(was, is []deletionView) []string {
	deleting := map[string]bool{}
	for _, d := range was {
		deleting[d.App] = d.Waits == waitsForNothing
	}
	var apps []string
	for _, d := range is {
		if d.Waits == waitsForNothing && !deleting[d.App] {
			apps = append(apps, d.App)
		}
	}
	return apps
}

// knownApp is nil if the person has, or may get, an account in an app; empty is all.
func knownApp(cfg *config.Config, person ledger.Person, app string) error {
	if _, configured := cfg.Apps[app]; configured || app == "" {
		return nil
	}
	for _, l := range person.Links {
		if l.App == app {
			return nil
		}
	}
	err := apps.Of(cfg, nil).Find(app)
	return err
}

func (c *cli) retentionResetCommand() *cobra.Command {
	var f deletingFlags
	var app string
	cmd := &cobra.Command{
		Use:   "reset PERSON",
		Short: "Let the configuration say again how long somebody's accounts are kept",
		Long: `Let the configuration say again how long somebody's accounts are kept: what was said
of all of them, or (--app) of that in one app, holds no more. If retention is over by
that, the accounts are deleted at once: it is only shown then (exit status 3), unless
you say --apply.`,
		Example: `  tenure retention reset 10004 --reason "the project has ended, ticket 42"
  tenure retention reset 10004 --app wiki --reason "ticket 43"`,
		Args: exactly("PERSON"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.given(); err != nil {
				return err
			}
			return c.withLedger(cmd.Context(), func(cfg *config.Config, l ledger.Ledger) error {
				return c.resetRetention(cmd.Context(), cfg, l, ledger.RetentionReset{
					PersonID: args[0], App: app, Operator: f.operator, Reason: f.reason, At: cfg.Clock().Now(),
				}, f.applying)
			})
		},
	}
	c.retentionFlags(cmd, &f, &app, "only what was said of this `app`")
	return c.reads(cmd)
}

func (c *cli) resetRetention(ctx context.Context, cfg *config.Config, l ledger.Ledger, r ledger.RetentionReset, a applying) error {
	person, err := operator.FindPerson(ctx, l, r.PersonID)
	if err != nil {
		return err
	}
	others := replaced(person.Retentions, r.App)
	if len(others) == len(person.Retentions) {
		if err := knownApp(cfg, person, r.App); err != nil {
			return err
		}
		return fmt.Errorf("nothing was said of that: see tenure person show %s", quoted(r.PersonID))
	}
	after := person
	after.Retentions = others
	deletes, err := begins(ctx, cfg, l, person, after, r.At)
	if err != nil {
		return err
	}
	if len(deletes) > 0 && !a.does() {
		i := slices.IndexFunc(person.Retentions, func(said ledger.Retention) bool { return said.App == r.App })
		return c.showDeleting(a, retainedView{retentionView: viewRetention(person.Retentions[i]), Reset: true, Deletes: deletes}, r.PersonID, deletes)
	}
	was, err := l.ResetRetention(ctx, r)
	if err != nil {
		return err
	}
	v := viewRetention(was)
	c.say("accounts of %s (%s) are no longer kept %s, but as the configuration says\n", r.PersonID, v.app(), v.kept())
	return errors.Join(c.report(retainedView{retentionView: v, Reset: true, Deletes: deletes, Applied: true}),
		c.tellRuns(ctx, l, []string{r.PersonID}, cfg.Sweep.Every, "retention was reset"))
}
