package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/internal/settings"
	"github.com/tenurehq/tenure/internal/words"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/operator/report"
	"github.com/tenurehq/tenure/policy"
)

func (c *cli) exceptionCommand() *cobra.Command {
	return noun("exception", "What single people have, or do not have, other than the rules say",
		c.exceptionGrantCommand(), c.exceptionWithholdCommand(), c.exceptionWaiveCommand(), c.exceptionEndCommand(), c.exceptionListCommand(), c.exceptionShowCommand())
}

// exceptionFlags holds the flags of a decision about an exception.
type exceptionFlags struct {
	decisionFlags
	applying
}

func (f *exceptionFlags) flags(cmd *cobra.Command) {
	f.decisionFlags.flags(cmd)
	f.applying.flags(cmd)
}

func (c *cli) exceptionGrantCommand() *cobra.Command {
	var f exceptionFlags
	var lasts, from string
	cmd := &cobra.Command{
		Use:   "grant PERSON ROLE",
		Short: "Give somebody a role that has to be requested, for a time",
		Long: `Give somebody a role that has to be requested (roles[].request), for a time.

The role's condition (when) says who may have it. It has to hold when the grant begins,
and is looked at again all the time: if the person moves to where it does not hold, the
access ends with the move. It also ends with the grant's time and with the employment,
and is not there during a leave or a suspension. If other roles give the same access, it
ends with the last of them. A grant that brings together what a rule of separation of
duties keeps apart is refused: tenure exception waive.

Without --apply the command only shows what would be done (exit status 3). It is on the
record with your name and reason.`,
		Example: `  tenure exception grant 10004 prod-admin --for 8h --reason "INC-4711" --apply
  tenure exception grant 10004 prod-admin --from 2027-03-01T18:00:00Z --for 4h --reason "CHG-12, release night"`,
		Args: exactly("PERSON", "ROLE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.given(); err != nil {
				return err
			}
			want := operator.RoleGrant{PersonID: args[0], Role: args[1]}
			var err error
			if want.For, err = settings.ParseDuration(lasts); err != nil {
				return usagef("--for %w", err)
			}
			if from != "" {
				if want.From, err = time.Parse(time.RFC3339, from); err != nil {
					return usagef("--from wants an instant (2027-03-01T18:00:00Z), not %q", from)
				}
			}
			return c.operate(cmd.Context(), func(cfg *config.Config, o *operator.Operator) error {
				changed, err := o.GrantRole(cmd.Context(), f.request(), want, f.does())
				return c.changedException(cmd.Context(), cfg, o, changed, err, f.applying, "is made")
			})
		},
	}
	cmd.Flags().StringVar(&lasts, "for", "", "how `long` (8h, 3d)")
	cmd.Flags().StringVar(&from, "from", "", "the `instant` at which it begins (default: now)")
	_ = cmd.MarkFlagRequired("for")
	f.flags(cmd)
	return c.reads(cmd)
}

func (c *cli) exceptionWithholdCommand() *cobra.Command {
	var f exceptionFlags
	var until string
	cmd := &cobra.Command{
		Use:   "withhold PERSON APP [ENTITLEMENT]",
		Short: "Take an entitlement or an account from somebody, whatever their roles give",
		Long: `Keep somebody from being given an entitlement in an app or, if none is named, an account
there, whatever their roles give and whatever is granted. It holds until --until, or for
as long as the employment lasts.

An account that is withheld is disabled, kept for the retention period and then deleted,
as after a move. Without --apply the command only shows what would be done (exit status
3). It is on the record with your name and reason.`,
		Example: `  tenure exception withhold 10004 wiki admins --until 30d --reason "under investigation, case 12" --apply
  tenure exception withhold 10004 crm --reason "conflict of interest"`,
		Args: cobra.RangeArgs(2, 3),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.given(); err != nil {
				return err
			}
			want := operator.Withholding{PersonID: args[0], App: args[1]}
			if len(args) > 2 {
				want.Entitlement = args[2]
			}
			return c.operate(cmd.Context(), func(cfg *config.Config, o *operator.Operator) error {
				if until != "" {
					var err error
					if want.Until, err = end(until, o.Clock.Now()); err != nil {
						return err
					}
				}
				changed, err := o.Withhold(cmd.Context(), f.request(), want, f.does())
				return c.changedException(cmd.Context(), cfg, o, changed, err, f.applying, "is made")
			})
		},
	}
	cmd.Flags().StringVar(&until, "until", "", "when it ends: a `day`, an instant, or a time from now (90d); default: with the employment")
	f.flags(cmd)
	return c.reads(cmd)
}

func (c *cli) exceptionWaiveCommand() *cobra.Command {
	var f exceptionFlags
	var want operator.DutyWaiver
	var until string
	cmd := &cobra.Command{
		Use:   "waive PERSON DUTY",
		Short: "Let somebody have what a rule of separation of duties keeps apart, for a time",
		Long: `Waive a rule of separation of duties (duties[]) for one person, until --until. It can be
waived for as long as the rule allows (duties[].waive.most), and something else has to
compensate for it (--control), such as a second pair of eyes on each payment.

A grant that the rule kept from being given is given while the waiver lasts, and taken
when it ends. Without --apply the command only shows what would be done (exit status 3).
It is on the record with your name and reason.`,
		Example: `  tenure exception waive 10004 pay-and-approve --until 30d --control "the controller signs every payment" --reason "INC-4711" --apply`,
		Args:    exactly("PERSON", "DUTY"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.given(); err != nil {
				return err
			}
			want.PersonID, want.Duty = args[0], args[1]
			return c.operate(cmd.Context(), func(cfg *config.Config, o *operator.Operator) error {
				var err error
				if want.Until, err = end(until, o.Clock.Now()); err != nil {
					return err
				}
				changed, err := o.WaiveDuty(cmd.Context(), f.request(), want, f.does())
				return c.changedException(cmd.Context(), cfg, o, changed, err, f.applying, "is made")
			})
		},
	}
	cmd.Flags().StringVar(&until, "until", "", "when it ends: a `day`, an instant, or a time from now (30d)")
	cmd.Flags().StringVar(&want.Control, "control", "", "what compensates for the rule meanwhile, for the record")
	_ = cmd.MarkFlagRequired("until")
	_ = cmd.MarkFlagRequired("control")
	f.flags(cmd)
	return c.reads(cmd)
}

func (c *cli) exceptionEndCommand() *cobra.Command {
	var f exceptionFlags
	cmd := &cobra.Command{
		Use:   "end EXCEPTION",
		Short: "End an exception before its time",
		Long: `End an exception (x-12) before its time. What it gave is taken, unless something else
gives it; what it took is given again, if roles give it. Without --apply the command only
shows what would be done (exit status 3). It is on the record with your name and reason.`,
		Example: `  tenure exception end x-12 --reason "the incident is over" --apply`,
		Args:    exactly("EXCEPTION"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.given(); err != nil {
				return err
			}
			return c.operate(cmd.Context(), func(cfg *config.Config, o *operator.Operator) error {
				changed, err := o.EndException(cmd.Context(), f.request(), args[0], f.does())
				return c.changedException(cmd.Context(), cfg, o, changed, err, f.applying, "is ended")
			})
		},
	}
	f.flags(cmd)
	return c.reads(cmd)
}

// changedExceptionView describes an exception that was, or would be, made or ended.
type changedExceptionView struct {
	exceptionView
	At      time.Time `json:"at"`    // when what is to be done is due
	Steps   []string  `json:"steps"` // what is to be done then
	Applied bool      `json:"applied"`
}

// changedException shows an exception that was, or would be, made or ended.
func (c *cli) changedException(ctx context.Context, cfg *config.Config, o *operator.Operator, changed operator.ChangedException, err error, a applying, what string) error {
	if changed.Exception.PersonID == "" {
		return err
	}
	x, state := changed.Exception, ""
	if x.ID != 0 { // nothing is known of one that was not made
		var stateErr error
		if state, stateErr = o.ExceptionStates().Of(ctx, x); stateErr != nil {
			return stateErr
		}
	}
	v := changedExceptionView{
		exceptionView: viewException(x, report.SummaryOf(changed.Person).Name(), state),
		At:            changed.At, Steps: []string{}, Applied: changed.Applied,
	}
	for _, step := range changed.Steps {
		v.Steps = append(v.Steps, operator.DescribeStep(step))
	}
	switch {
	case changed.Applied:
		c.say("%s %s: %s, %s\n", x.Name(), what, v.what(), v.lasts())
	case err != nil:
		return err
	default:
		c.say("%s of %s, %s\n", v.what(), x.PersonID, v.lasts())
	}
	due := "now"
	if changed.At.After(o.Clock.Now()) {
		due = "at " + words.Instant(changed.At)
	}
	for _, step := range v.Steps {
		c.say("  %s  %s\n", due, step)
	}
	if len(v.Steps) == 0 {
		c.say("  nothing has to be done for it %s\n", due)
	}
	if !changed.Applied {
		return errors.Join(c.report(v), c.onlyShown(a, "that is what would come of it"))
	}
	return errors.Join(c.report(v), c.tellUntold(err, cfg.Sweep.Every))
}

// exceptionView describes an exception.
type exceptionView struct {
	Exception   string    `json:"exception,omitempty"` // empty if it was not made
	Person      string    `json:"person"`
	Name        string    `json:"name,omitempty"`
	Kind        string    `json:"kind"`
	Role        string    `json:"role,omitempty"`
	App         string    `json:"app,omitempty"`
	Entitlement string    `json:"entitlement,omitempty"`
	Duty        string    `json:"duty,omitempty"`
	Control     string    `json:"control,omitempty"`
	State       string    `json:"state,omitempty"` // empty if it was not made
	From        time.Time `json:"from"`
	Until       time.Time `json:"until,omitzero"`
	Origin      string    `json:"origin"`
	Emergency   bool      `json:"emergency,omitempty"`
	DecidedAt   time.Time `json:"decidedAt"`
	DecidedBy   string    `json:"decidedBy"`
	Login       string    `json:"login,omitempty"`
	Reason      string    `json:"reason"`

	EndedAt    time.Time `json:"endedAt,omitzero"`
	EndedBy    string    `json:"endedBy,omitempty"`
	EndedLogin string    `json:"endedLogin,omitempty"`
	EndReason  string    `json:"endReason,omitempty"`

	// Request is that from which the exception comes, and Decided who decided about it, with
	// the reason why they could. Only show says it.
	Request string   `json:"request,omitempty"`
	Decided []string `json:"decided,omitempty"`
}

func viewException(x ledger.Exception, name, state string) exceptionView {
	v := exceptionView{
		Person: x.PersonID, Name: name, Kind: x.Kind, Role: x.Role, App: x.App, Entitlement: x.Entitlement, Duty: x.Duty, Control: x.Control,
		State: state, From: x.StartsAt, Until: x.EndsAt, Origin: x.Origin, Emergency: x.Emergency,
		DecidedAt: x.DecidedAt, DecidedBy: x.DecidedBy, Login: x.Login, Reason: x.Reason,
		EndedAt: x.EndedAt, EndedBy: x.EndedBy, EndedLogin: x.EndedLogin, EndReason: x.EndReason,
	}
	if x.ID != 0 {
		v.Exception = x.Name()
	}
	return v
}

// what returns what an exception gives or takes, in a few words.
func (v exceptionView) what() string {
	on := strings.TrimSuffix(v.App+":"+v.Entitlement, ":")
	switch policy.ExceptionKind(v.Kind) {
	case policy.ExceptGrant:
		return "role " + v.Role
	case policy.ExceptWithhold:
		return "no " + on
	case policy.ExceptWaive:
		return "duty " + v.Duty
	}
	return on
}

func (v exceptionView) lasts() string {
	until := "until the employment ends"
	if !v.Until.IsZero() {
		until = "until " + words.Instant(v.Until)
	}
	return fmt.Sprintf("from %s %s", words.Instant(v.From), until)
}

func (c *cli) exceptionListCommand() *cobra.Command {
	var f ledger.ExceptionFilter
	var all bool
	var behind, ending string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List who has, or does not have, what the rules do not say, why and until when",
		Long: `List who has, or does not have, what the rules do not say, why and until when. The state
says if an exception has no effect now, and why: the role's condition does not hold, a rule
of separation of duties forbids it, or the employment has ended.`,
		Example: `  tenure exception list
  tenure exception list --kind grant --ending 7d
  tenure exception list --all --person 10004`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			after, ok := ledger.ExceptionID(behind)
			if behind != "" && !ok {
				return usagef("--after %s: want an exception, such as x-3", behind)
			}
			return c.view(cmd.Context(), func(_ *config.Config, v *operator.Viewer) error {
				if err := exceptionFilter(cmd.Context(), v, f); err != nil {
					return err
				}
				f.Open = !all
				if ending != "" {
					var err error
					if f.EndsBy, err = end(ending, v.Clock.Now()); err != nil {
						return err
					}
				}
				return c.listExceptions(cmd.Context(), v, f, after)
			})
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "those that have ended too")
	cmd.Flags().StringVar(&f.PersonID, "person", "", "only of this `person`")
	cmd.Flags().StringVar(&f.Kind, "kind", "", "only of this `kind`: grant, withhold, accept or waive")
	cmd.Flags().StringVar(&f.Role, "role", "", "only grants of this `role`")
	cmd.Flags().StringVar(&ending, "ending", "", "only those that end until then: a `day`, an instant, or a time from now (7d)")
	cmd.Flags().StringVar(&behind, "after", "", "only those behind this `exception` in the list")
	complete(cmd, "kind", exceptionKinds)
	_ = cmd.RegisterFlagCompletionFunc("role", c.completeRoles)
	return c.lists(cmd)
}

var exceptionKinds = []string{
	string(policy.ExceptGrant), string(policy.ExceptWithhold), string(policy.ExceptAccept), string(policy.ExceptWaive),
}

// exceptionFilter checks the filters of exceptions. A role may have been taken out of the
// configuration while somebody is still granted it.
func exceptionFilter(ctx context.Context, v *operator.Viewer, f ledger.ExceptionFilter) error {
	if err := personFilter(ctx, v.Ledger, f.PersonID); err != nil {
		return err
	}
	if err := oneOf("kind", f.Kind, exceptionKinds); err != nil || f.Role == "" {
		return err
	}
	found, err := v.Ledger.Exceptions(ctx, ledger.ExceptionFilter{Role: f.Role}, 0, 1)
	if err != nil || len(found) > 0 {
		return err
	}
	return oneOf("role", f.Role, v.Policy.RequestableRoles())
}

func (c *cli) listExceptions(ctx context.Context, v *operator.Viewer, f ledger.ExceptionFilter, after int64) error {
	states := v.ExceptionStates()
	views := withNames(ctx, v.Ledger, ledger.AllExceptions(ctx, v.Ledger, f, after),
		func(x ledger.Exception) string { return x.PersonID },
		func(x ledger.Exception, name string) (exceptionView, error) {
			state, err := states.Of(ctx, x)
			return viewException(x, name, state), err
		})
	_, err := streamed(c, views, listView[exceptionView]{header: exceptionHeader, row: exceptionView.row, none: "there are no exceptions"})
	return err
}

const exceptionHeader = "exception,person,name,kind,what,state,from,until,by,reason"

func (v exceptionView) row() []string {
	return []string{
		v.Exception, v.Person, v.Name, v.Kind, v.what(), v.State, words.Instant(v.From), words.Instant(v.Until),
		operatorFrom(v.DecidedBy, v.Login), v.Reason,
	}
}

func (c *cli) exceptionShowCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "show EXCEPTION",
		Short:   "Show one exception: who decided it and why, and how it ended",
		Example: `  tenure exception show x-12`,
		Args:    exactly("EXCEPTION"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.view(cmd.Context(), func(_ *config.Config, viewer *operator.Viewer) error {
				x, err := viewer.Exception(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				person, err := viewer.Person(cmd.Context(), x.PersonID)
				if err != nil {
					return err
				}
				state, err := viewer.ExceptionStates().Of(cmd.Context(), x)
				if err != nil {
					return err
				}
				v := viewException(x, report.SummaryOf(person.Summary).Name(), state)
				if err := v.requested(cmd.Context(), viewer); err != nil {
					return err
				}
				return c.print(v, func(p *page) { p.exception(v) })
			})
		},
	}
	return c.reads(cmd)
}

// requested adds the request from which the exception comes, if it comes from one.
func (v *exceptionView) requested(ctx context.Context, viewer *operator.Viewer) error {
	id, ok := ledger.RequestID(v.Origin)
	if !ok {
		return nil
	}
	r, err := viewer.Request(ctx, v.Origin)
	if err != nil {
		return err
	}
	v.Request = fmt.Sprintf("%s, asked by %s", r.Name(), r.AskedBy)
	votes, err := viewer.Ledger.Votes(ctx, id)
	for _, vote := range votes {
		if vote.Vote != "" {
			v.Decided = append(v.Decided, fmt.Sprintf("%s by %s (%s)", vote.Vote, vote.Voter, vote.Authority))
		}
	}
	return err
}

// exception adds the facts of one exception.
func (p *page) exception(v exceptionView) {
	p.fields(
		field{"exception", v.Exception}, field{"person", strings.TrimSpace(v.Person + " " + v.Name)}, field{"kind", v.Kind},
		field{"what", v.what()}, field{"state", v.State}, field{"time", v.lasts()}, field{"control", v.Control},
		field{"decided", words.Instant(v.DecidedAt) + " by " + operatorFrom(v.DecidedBy, v.Login)}, field{"because of", cmp.Or(v.Request, v.Origin)},
		field{"votes", strings.Join(v.Decided, "; ")},
		field{"reason", v.Reason},
	)
	if !v.EndedAt.IsZero() {
		p.fields(field{"ended", words.Instant(v.EndedAt) + " by " + operatorFrom(v.EndedBy, v.EndedLogin)}, field{"end reason", v.EndReason})
	}
}
