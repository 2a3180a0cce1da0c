package main

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/internal/words"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/operator/report"
	"github.com/tenurehq/tenure/service/apps"
)

func roleRow(v report.Role) []string {
	if v.Holds {
		holds := "yes"
		if len(v.For) > 0 {
			holds = "yes, for " + strings.Join(v.For, ", ")
		}
		if v.By != "" {
			holds += ", by " + v.By
			if v.Request != "" {
				holds += " (" + v.Request + ")"
			}
		}
		return []string{v.Role, holds, v.When, strings.Join(v.Grants, " ")}
	}
	return []string{v.Role, "no", "not true: " + strings.Join(v.Failed, "; "), strings.Join(v.Grants, " ")}
}

func (c *cli) personWhyCommand() *cobra.Command {
	return c.reads(&cobra.Command{
		Use:   "why PERSON [APP [ENTITLEMENT]]",
		Short: "Show why somebody has access, or has none",
		Long: `Show why somebody has access, or has none: the roles that hold and what they give,
the roles that do not hold and which part of their condition is not true, and the steps
that are not done, held or skipped. For somebody with several positions, a role holds if
it holds for one of them, and the command names that one. With APP, only what concerns that app; with ENTITLEMENT, only the
roles that give it. Roles count while the person is employed; a leave or a suspension
keeps their accounts disabled whatever the roles say.`,
		Example: `  tenure person why 10004
  tenure person why 10004 wiki editors`,
		Args: cobra.RangeArgs(1, 3),
		RunE: func(cmd *cobra.Command, args []string) error {
			args = append(args, "", "")
			app, entitlement := args[1], args[2]
			return c.withLedger(cmd.Context(), func(cfg *config.Config, l ledger.Reader) error {
				if app != "" {
					if err := apps.Of(cfg, nil).Find(app); err != nil {
						return err
					}
				}
				person, err := operator.FindPerson(cmd.Context(), l, args[0])
				if err != nil {
					return err
				}
				v, err := report.WhyOf(cfg.Policy, person, cfg.Clock().Now(), app, entitlement)
				if err != nil {
					return wrong(err)
				}
				return c.print(v, func(p *page) { drawWhy(p, v) })
			})
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 1 {
				return c.completeApps(cmd, args, typed)
			}
			return nil, cobra.ShellCompDirectiveNoFileComp
		},
	})
}

func drawWhy(p *page, v report.Why) {
	p.fields(field{"person", v.Person}, field{"name", v.Name}, field{"status", string(v.Status)}, field{"held", strings.Join(v.Held, ", ")})
	p.table("Positions", positionHeader, rowsOf(v.Positions, positionRow))
	p.table("Roles", "role,holds,why,gives", rowsOf(v.Roles, roleRow))
	if len(v.Roles) == 0 {
		p.note("no role is asked: nothing that HR has said is in force, or no role gives it")
	}
	p.table("Accounts", "app,state,entitlements,last proof", rowsOf(v.Links, func(a report.Link) []string {
		return []string{a.App, linkState(a), strings.Join(a.Entitlements, " "), words.Instant(a.ProvenAt)}
	}))
	p.table("Not done", "app,step,state,what", rowsOf(v.Waiting, func(s ledger.Step) []string {
		return []string{s.App, s.Kind, string(s.State), whatOf(s)}
	}))
}

func (c *cli) accessCommand() *cobra.Command {
	return noun("access", "Show who has access to what", c.accessWhoCommand(), c.accessCreepCommand())
}

const holderHeader = "person,name,username,state,entitlements,roles,last proof"

func holderRow(v report.Holder) []string {
	return []string{v.Person, v.Name, v.Username, string(v.State), strings.Join(v.Entitlements, " "), strings.Join(v.Roles, " "), words.Instant(v.ProvenAt)}
}

const holderThenHeader = "person,name,entitlements,since,because,last proof"

// holderThenRow says why somebody had what was asked about: the entitlement or, if there is none,
// the account.
func holderThenRow(entitlement string) func(report.HolderThen) []string {
	return func(v report.HolderThen) []string {
		since, why := v.Since, v.Why()
		for _, had := range v.Entitlements {
			if had.Name == entitlement {
				since, why = had.Since, had.Why()
			}
		}
		return []string{v.Person, v.Name, strings.Join(v.Names(), " "), words.Instant(since), why, words.Instant(v.ProvenAt)}
	}
}

// whoThen lists who had access at an instant.
func (c *cli) whoThen(ctx context.Context, l ledger.Reader, at time.Time, app, entitlement string) error {
	_, err := streamed(c, report.WhoThen(ctx, l, at, app, entitlement), listView[report.HolderThen]{
		header: holderThenHeader, row: holderThenRow(entitlement), none: "nobody",
		frame: frame{above: func(p *page) { p.fields(field{"at", words.Instant(at)}) }},
	})
	return err
}

func (c *cli) accessWhoCommand() *cobra.Command {
	var day string
	cmd := &cobra.Command{
		Use:   "who APP [ENTITLEMENT]",
		Short: "List everybody who has access to an app, and by which role",
		Long: `List everybody who has an enabled account in an app, or one entitlement there, and
the roles that grant it now. No app is called: it is what Tenure has granted and the
app has confirmed (tenure app accounts APP reads the app). Access without a role is
kept by an overlap, a hold or an operator, or is about to be taken: tenure person why
says which.

With --at it lists who had it on a day (its end, in UTC) and why, by the audit record. An
account that an app created or changed by itself is not in it.`,
		Example: `  tenure access who wiki
  tenure access who wiki editors -o csv
  tenure access who wiki admins --at 2027-03-31`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			entitlement := ""
			if len(args) == 2 {
				entitlement = args[1]
			}
			return c.withLedger(cmd.Context(), func(cfg *config.Config, l ledger.Reader) error {
				if err := apps.Of(cfg, nil).Find(args[0]); err != nil {
					return err
				}
				if day != "" {
					at, err := onDay("--at", day, cfg.Clock().Now())
					if err != nil {
						return err
					}
					return c.whoThen(cmd.Context(), l, at, args[0], entitlement)
				}
				holders := report.Who(cmd.Context(), l, cfg.Policy, cfg.Clock().Now(), args[0], entitlement)
				_, err := streamed(c, holders, listView[report.Holder]{header: holderHeader, row: holderRow, none: "nobody"})
				return wrong(err)
			})
		},
		ValidArgsFunction: c.completeApps,
	}
	cmd.Flags().StringVar(&day, "at", "", "who had it on this `day` or at this instant (default: who has it now)")
	return c.lists(cmd)
}

// accessView says what somebody had at an instant and, if another one was asked for, in what
// that differs.
type accessView struct {
	Person  string                `json:"person"`
	At      time.Time             `json:"at"`
	Access  []report.AccessThen   `json:"access"`
	Against time.Time             `json:"against,omitzero"`
	Changes []report.AccessChange `json:"changes,omitempty"`
	// ErasedAt is when what was known of them was erased. What the record says of their access
	// stays, but for what a human wrote.
	ErasedAt time.Time `json:"erasedAt,omitzero"`
}

func (c *cli) personAccessCommand() *cobra.Command {
	var at, against string
	cmd := &cobra.Command{
		Use:   "access PERSON",
		Short: "Show what somebody had on a day, why, and since when it was proven",
		Long: `Show what somebody had on a day: in each app the state of their account and its
entitlements, since when, why (the roles, the grant or the event on the record, and who did
it, if not Tenure) and the last proof until then. With --against, show what differs
on that later, or earlier, day.

A day means its end, in UTC. It comes from the audit record, to which rows are only
added. An account that an app created or changed by itself is not in it: tenure app
accounts APP shows what is there now. Without --at, it also shows when each account was
last used, as the last scan of the app saw it ("unknown" is not unused: tenure app kind
NAME says what an app tells).`,
		Example: `  tenure person access 10004 --at 2027-03-31
  tenure person access 10004 --at 2026-12-31 --against 2027-03-31
  tenure person access 10004 --at 2027-03-31T12:00:00Z -o json`,
		Args: exactly("PERSON"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withLedger(cmd.Context(), func(cfg *config.Config, l ledger.Reader) error {
				v, err := c.accessThen(cmd.Context(), l, args[0], at, against, cfg.Clock().Now())
				if err != nil {
					return err
				}
				return c.print(v, func(p *page) { drawAccess(p, v) })
			})
		},
		ValidArgsFunction: c.completePeople,
	}
	cmd.Flags().StringVar(&at, "at", "", "the `day` or instant (default: now)")
	cmd.Flags().StringVar(&against, "against", "", "another `day` or instant, to show what differs then")
	return c.reads(cmd)
}

func (c *cli) accessThen(ctx context.Context, l ledger.Reader, person, at, against string, now time.Time) (v accessView, err error) {
	found, err := operator.FindPerson(ctx, l, person)
	if err != nil {
		return v, err
	}
	v = accessView{Person: person, At: now, ErasedAt: found.ErasedAt}
	if at != "" {
		if v.At, err = onDay("--at", at, now); err != nil {
			return v, err
		}
	}
	if v.Access, err = report.AccessOf(ctx, l, person, v.At); err == nil && at == "" {
		err = report.AddLastUse(ctx, l, person, v.Access)
	}
	if err != nil || against == "" {
		return v, err
	}
	if v.Against, err = onDay("--against", against, now); err != nil {
		return v, err
	}
	other, err := report.AccessOf(ctx, l, person, v.Against)
	v.Changes = report.CompareAccess(v.Access, other)
	return v, err
}

// onDay reads a day, of which it returns the last instant until now, or an instant. It refuses
// what lies in the future: nobody knows what somebody will have had.
func onDay(flag, text string, now time.Time) (time.Time, error) {
	if day, err := time.Parse(time.DateOnly, text); err == nil && !day.After(now) {
		if end := day.AddDate(0, 0, 1).Add(-time.Microsecond); end.Before(now) {
			return end, nil
		}
		return now, nil
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil && !at.After(now) {
		return at.UTC(), nil
	}
	_, noDay := time.Parse(time.DateOnly, text)
	if _, noInstant := time.Parse(time.RFC3339, text); noDay == nil || noInstant == nil {
		return time.Time{}, usagef("%s is %s, which is in the future: now is %s", flag, text, words.Instant(now))
	}
	return time.Time{}, usagef("%s wants a day (2027-03-31, its end in UTC) or an instant (2027-03-31T12:00:00Z), and not %q", flag, text)
}

func drawAccess(p *page, v accessView) {
	p.fields(field{"person", v.Person}, field{"erased", words.Instant(v.ErasedAt)}, field{"at", words.Instant(v.At)})
	var rows [][]string
	for _, a := range v.Access {
		rows = append(rows, []string{a.App, "account: " + string(a.State), words.Instant(a.Since), a.Why(), words.Instant(a.ProvenAt), lastUsed(a.LastUsedAt)})
		for _, e := range a.Entitlements {
			rows = append(rows, []string{a.App, e.Name, words.Instant(e.Since), e.Why(), words.Instant(a.ProvenAt), ""})
		}
	}
	p.table("Access", "app,what,since,because,last proof,last used", rows)
	if len(rows) == 0 {
		p.note("none")
	}
	if v.Against.IsZero() {
		return
	}
	p.table("What differs at "+words.Instant(v.Against), "app,what,was,is", rowsOf(v.Changes, func(c report.AccessChange) []string {
		return []string{c.App, c.What, c.Was, c.Is}
	}))
	if len(v.Changes) == 0 {
		p.note("nothing differs at %s", words.Instant(v.Against))
	}
}
