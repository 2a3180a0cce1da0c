package main

import (
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
)

func (c *cli) requestCommand() *cobra.Command {
	return noun("request", "Ask for access for a time, and decide about it",
		c.requestNewCommand(), c.requestListCommand(), c.requestShowCommand(), c.requestApproveCommand(), c.requestDenyCommand(), c.requestCancelCommand())
}

func (c *cli) requestNewCommand() *cobra.Command {
	var f exceptionFlags
	var want operator.RoleRequest
	var lasts, from, duty, control string
	cmd := &cobra.Command{
		Use:   "new PERSON [ROLE]",
		Short: "Ask for a role for somebody, or for a waiver, for a time",
		Long: `Ask for a role that has to be requested (roles[].request), for a time.

Without --apply the command only shows what would be done, and who would be asked (exit
status 3). The role's rules say who has to approve (request.approve), stage by stage, how
long it may be had (most), how far ahead it may begin (ahead), and whether a ticket is
needed. Nobody decides for themself: neither the person concerned nor whoever asks (--as,
if that is not the person).

The time runs from the approval, or from --from if that is later. The role's condition
(when) has to hold when it begins, and is looked at again all the time after that.

--extend prolongs a grant: it goes on from its end, after another approval.

--emergency has the role at once, for request.emergency.most at most. It is loud: it is on
the record as an emergency, and an owner of the role has to confirm or dispute it
afterwards (tenure request approve, tenure request deny). While that is late, the person
gets nothing more in this way. A dispute ends the access.

What a rule of separation of duties (duties[]) keeps apart is shown, to you and to whoever
decides. If the rule prevents it, nothing is asked.

--duty asks that such a rule is waived, in place of a role: for no longer than it allows
(duties[].waive.most), and with something that compensates for it (--control). Whoever
answers for the rule decides, if duties[].waive.approve says nothing else.

It is on the record with your name, login and reason.`,
		Example: `  tenure request new 10004 prod-admin --for 2h --reason "INC-4711: restore a page" --ticket INC-4711
  tenure request new 10004 prod-admin --for 4h --from 2027-03-01T18:00:00Z --as 10007 --reason "release night" --apply
  tenure request new 10004 prod-admin --extend x-12 --reason "it takes longer" --apply
  tenure request new 10004 prod-admin --emergency --reason "the site is down" --apply
  tenure request new 10004 --duty pay-and-approve --for 30d --control "the controller signs every payment" --reason "holidays" --apply`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.given(); err != nil {
				return err
			}
			if (len(args) == 2) == (duty != "") {
				return usagef("name a ROLE or, to have a rule waived, --duty")
			}
			want.PersonID, want.Role = args[0], append(args, "")[1]
			var err error
			if lasts != "" {
				if want.For, err = settings.ParseDuration(lasts); err != nil {
					return usagef("--for %w", err)
				}
				if want.For <= 0 {
					return usagef("--for has to be longer than nothing")
				}
			}
			if from != "" {
				if want.From, err = time.Parse(time.RFC3339, from); err != nil {
					return usagef("--from wants an instant (2027-03-01T18:00:00Z), not %q", from)
				}
			}
			if duty != "" {
				if from != "" || want.Extends != "" || want.Emergency || lasts == "" {
					return usagef("a waiver is asked for with --for and --control, and begins when it is approved")
				}
				waiver := operator.WaiverRequest{PersonID: want.PersonID, Duty: duty, AskedBy: want.AskedBy, For: want.For, Control: control, Ticket: want.Ticket}
				return c.operate(cmd.Context(), func(cfg *config.Config, o *operator.Operator) error {
					changed, err := o.AskWaiver(cmd.Context(), f.request(), waiver, f.does())
					return c.changedRequest(cmd.Context(), cfg, o, changed, err, f.applying)
				})
			}
			if control != "" {
				return usagef("--control belongs to --duty")
			}
			return c.operate(cmd.Context(), func(cfg *config.Config, o *operator.Operator) error {
				changed, err := o.AskRole(cmd.Context(), f.request(), want, f.does())
				return c.changedRequest(cmd.Context(), cfg, o, changed, err, f.applying)
			})
		},
	}
	cmd.Flags().StringVar(&lasts, "for", "", "how `long` (8h, 3d); default: what is usual for the role")
	cmd.Flags().StringVar(&from, "from", "", "the `instant` at which it begins; default: when it is approved")
	cmd.Flags().StringVar(&want.AskedBy, "as", "", "the `person` who asks; default: the person who is to have the role")
	cmd.Flags().StringVar(&duty, "duty", "", "the `rule` of separation of duties that is to be waived, in place of a role")
	cmd.Flags().StringVar(&control, "control", "", "what compensates for the rule meanwhile, for the record")
	cmd.Flags().StringVar(&want.Ticket, "ticket", "", "the `ticket` that it is for")
	cmd.Flags().StringVar(&want.Extends, "extend", "", "the `exception` (x-12) that is prolonged")
	cmd.Flags().BoolVar(&want.Emergency, "emergency", false, "have it at once; an owner of the role confirms or disputes it afterwards")
	_ = cmd.RegisterFlagCompletionFunc("as", c.completePeople)
	f.flags(cmd)
	return c.reads(cmd)
}

func (c *cli) requestApproveCommand() *cobra.Command {
	var f exceptionFlags
	d := operator.RequestDecision{Vote: ledger.VoteApprove}
	cmd := &cobra.Command{
		Use:   "approve REQUEST",
		Short: "Approve a request, as somebody who is asked",
		Long: `Approve a request (r-12), as somebody who is asked (tenure request show r-12 lists them).
Whether they may decide is looked up now, and written down with their word. The last
approval that is needed grants the role. Of an emergency, this confirms it.

Without --apply the command only shows what would be done (exit status 3), with a digest
of it: with --shown DIGEST, nothing is approved if something else would be done by then.

The command line has no sign-in. --as says who decides, and is believed: the record has
beside it your name and your login. Let only those who may be believed write to the
ledger.`,
		Example: `  tenure request approve r-12 --as 10007 --reason "agreed with the team" --apply
  tenure request approve r-12 --as 10007 --reason "agreed" --shown 3f0c51a2b6d9 --apply`,
		Args: exactly("REQUEST"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.given(); err != nil {
				return err
			}
			d.Request = args[0]
			return c.operate(cmd.Context(), func(cfg *config.Config, o *operator.Operator) error {
				changed, err := o.DecideRequest(cmd.Context(), f.request(), d, f.does())
				return c.changedRequest(cmd.Context(), cfg, o, changed, err, f.applying)
			})
		},
	}
	c.asFlag(cmd, &d.As)
	cmd.Flags().StringVar(&d.Shown, "shown", "", "the `digest` of what was shown: if something else would be done by now, do nothing")
	f.flags(cmd)
	return c.reads(cmd)
}

// asFlag adds the flag by which it is said who decides.
func (c *cli) asFlag(cmd *cobra.Command, as *string) {
	cmd.Flags().StringVar(as, "as", "", "the `person` who decides")
	_ = cmd.MarkFlagRequired("as")
	_ = cmd.RegisterFlagCompletionFunc("as", c.completePeople)
}

func (c *cli) requestDenyCommand() *cobra.Command {
	var f decisionFlags
	d := operator.RequestDecision{Vote: ledger.VoteDeny}
	cmd := &cobra.Command{
		Use:   "deny REQUEST",
		Short: "Deny a request, as somebody who is asked",
		Long: `Deny a request (r-12), as somebody who is asked. One denial ends the request, in whatever
stage; it can be asked for again. Of an emergency, this disputes it, and ends what it gave.

The command line has no sign-in: see tenure request approve --help.`,
		Example: `  tenure request deny r-12 --as 10007 --reason "the wiki's own editors can do that"`,
		Args:    exactly("REQUEST"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.given(); err != nil {
				return err
			}
			d.Request = args[0]
			return c.operate(cmd.Context(), func(cfg *config.Config, o *operator.Operator) error {
				changed, err := o.DecideRequest(cmd.Context(), f.request(), d, true)
				return c.changedRequest(cmd.Context(), cfg, o, changed, err, applying{})
			})
		},
	}
	c.asFlag(cmd, &d.As)
	f.flags(cmd)
	return c.reads(cmd)
}

func (c *cli) requestCancelCommand() *cobra.Command {
	var f decisionFlags
	cmd := &cobra.Command{
		Use:     "cancel REQUEST",
		Short:   "Take back a request that is not decided",
		Long:    `Take back a request (r-12) that is not decided. What was granted is ended with tenure exception end.`,
		Example: `  tenure request cancel r-12 --reason "it is no longer needed"`,
		Args:    exactly("REQUEST"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.given(); err != nil {
				return err
			}
			return c.operate(cmd.Context(), func(cfg *config.Config, o *operator.Operator) error {
				r, err := o.CancelRequest(cmd.Context(), f.request(), args[0])
				if r.ID == 0 {
					return err
				}
				v := viewRequest(r, "", o.Clock.Now())
				c.say("%s is cancelled\n", v.Request)
				return errors.Join(c.report(v), c.tellUntold(err, cfg.Sweep.Every))
			})
		},
	}
	f.flags(cmd)
	return c.reads(cmd)
}

// changedRequest shows a request that was, or would be, made or decided.
func (c *cli) changedRequest(ctx context.Context, cfg *config.Config, o *operator.Operator, changed operator.ChangedRequest, err error, a applying) error {
	if changed.Request.PersonID == "" {
		return err
	}
	if _, other := operator.Untold(err); other != nil {
		return other
	}
	v, viewErr := c.openRequest(ctx, &o.Viewer, changed)
	if viewErr != nil {
		return viewErr
	}
	what := fmt.Sprintf("%s for %s, for %s", v.what(), v.Person, v.lasts())
	switch {
	case !v.Applied:
		c.say("%s\n", strings.TrimPrefix(v.Request+": "+what, ": "))
	case v.State == string(ledger.RequestDisputed):
		c.say("%s is disputed: %s; %s has ended\n", v.Request, what, v.Exception)
	case v.Exception != "":
		c.say("%s is %s: %s, %s until %s\n", v.Request, v.State, what, v.Exception, words.Instant(v.Ends))
	default:
		c.say("%s is %s: %s\n", v.Request, v.State, what)
	}
	c.sayDeciders(v)
	if v.Until.IsZero() && !changed.Request.Undecided() && v.Exception == "" && v.Applied {
		return errors.Join(c.report(v), c.tellUntold(err, cfg.Sweep.Every))
	}
	c.sayConsequences(v, o.Clock.Now())
	if !v.Applied {
		return errors.Join(c.report(v), c.onlyShown(a, "that is what would come of it"))
	}
	return errors.Join(c.report(v), c.tellUntold(err, cfg.Sweep.Every))
}

func (c *cli) requestListCommand() *cobra.Command {
	var f ledger.RequestFilter
	var all bool
	var behind string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List requests: who asks for what, and whom they wait for",
		Long: `List the requests that wait for somebody's word or, with --all, every request that was
ever made: none is removed. Exits with 3 if one waits.`,
		Example: `  tenure request list
  tenure request list --as 10007
  tenure request list --all --person 10004`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			after, ok := ledger.RequestID(behind)
			if behind != "" && !ok {
				return usagef("--after %s: want a request, such as r-3", behind)
			}
			if !all {
				f.States = []ledger.RequestState{ledger.RequestAsked, ledger.RequestConfirming}
			}
			return c.view(cmd.Context(), func(_ *config.Config, v *operator.Viewer) error {
				if err := requestFilter(cmd.Context(), v, f); err != nil {
					return err
				}
				return c.listRequests(cmd.Context(), v, f, after)
			})
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "those that are decided too")
	cmd.Flags().StringVar(&f.PersonID, "person", "", "only for this `person`")
	cmd.Flags().StringVar(&f.Role, "role", "", "only for this `role`")
	cmd.Flags().StringVar(&f.Voter, "as", "", "only those that wait for the word of this `person`")
	cmd.Flags().StringVar(&behind, "after", "", "only those behind this `request` in the list")
	_ = cmd.RegisterFlagCompletionFunc("as", c.completePeople)
	return c.lists(cmd)
}

// requestFilter checks the filters of requests. A role may have been taken out of the
// configuration after somebody asked for it.
func requestFilter(ctx context.Context, v *operator.Viewer, f ledger.RequestFilter) error {
	if err := errors.Join(personFilter(ctx, v.Ledger, f.PersonID), personFilter(ctx, v.Ledger, f.Voter)); err != nil || f.Role == "" {
		return err
	}
	found, err := v.Ledger.Requests(ctx, ledger.RequestFilter{Role: f.Role}, 0, 1)
	if err != nil || len(found) > 0 {
		return err
	}
	return oneOf("role", f.Role, v.Policy.RequestableRoles())
}

func (c *cli) listRequests(ctx context.Context, v *operator.Viewer, f ledger.RequestFilter, after int64) error {
	waits, none := false, "there are no requests"
	if len(f.States) > 0 {
		none = "no request waits for anybody's word (--all lists those that are decided too)"
	}
	views := withNames(ctx, v.Ledger, ledger.AllRequests(ctx, v.Ledger, f, after),
		func(r ledger.Request) string { return r.PersonID },
		func(r ledger.Request, name string) (requestView, error) {
			waits = waits || r.Undecided()
			return viewRequest(r, name, v.Clock.Now()), nil
		})
	_, err := streamed(c, views, listView[requestView]{header: requestHeader, row: requestView.row, none: none, whole: true})
	if err != nil || !waits {
		return err
	}
	return errAttention
}

func (c *cli) requestShowCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show REQUEST",
		Short: "Show one request: what would come of it, who decides, and what was said",
		Long: `Show one request (r-12). As long as it is to be decided, it shows what would be done if it
were approved now, with a digest of it, and who decides now and why they may. Exits with 3
if it waits for somebody's word.`,
		Example: `  tenure request show r-12`,
		Args:    exactly("REQUEST"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.view(cmd.Context(), func(_ *config.Config, o *operator.Viewer) error {
				shown, err := o.ShowRequest(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				v, err := c.openRequest(cmd.Context(), o, shown)
				if err != nil {
					return err
				}
				if err := c.print(v, func(p *page) { p.request(v) }); err != nil {
					return err
				}
				if shown.Request.Undecided() {
					return errAttention
				}
				return nil
			})
		},
	}
	return c.reads(cmd)
}
