package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/plan"
)

func (c *cli) deletionCommand() *cobra.Command {
	return noun("deletion", "Show what is to be deleted for good and what it waits for, and approve it",
		c.deletionListCommand(), c.deletionApproveCommand())
}

// deletionView is a deletion that is to come.
type deletionView struct {
	Person   string    `json:"person"`
	Name     string    `json:"name,omitempty"`
	App      string    `json:"app"`
	Waits    string    `json:"waitsFor"`       // "hold", "retention", "approval" or "nothing"
	Until    time.Time `json:"until,omitzero"` // when the hold or retention ends; when somebody is reminded
	Retained time.Time `json:"retainedUntil,omitzero"`
	Approval string    `json:"approval,omitempty"` // "needed" or "given"
	Why      string    `json:"why,omitempty"`
}

func viewDeletion(d operator.Deletion) deletionView {
	return deletionView{
		Person: d.Person.PersonID, Name: viewPerson(d.Person).name(), App: d.App, Waits: string(d.Waits), Until: d.Until,
		Retained: d.Retained, Approval: string(d.Approval), Why: d.Why,
	}
}

// waitKinds are what a deletion may wait for.
var waitKinds = []string{string(plan.WaitHold), string(plan.WaitRetention), string(plan.WaitApproval), string(operator.WaitsForNothing)}

func (c *cli) deletionListCommand() *cobra.Command {
	var waits, personID, app string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List what is to be deleted for good, when, and what it waits for",
		Long: `List the accounts that are off and to be deleted for good, the next first: what each
waits for (a legal hold, the end of its retention, an operator's approval, or nothing)
and until when. Of what waits for an approval, that is when somebody is reminded.
It is decided as the worker decides, from the ledger and the configuration; no app
is called. What the breaker holds is in tenure breaker list.
Exits with 3 if something waits for an approval.`,
		Example: `  tenure deletion list
  tenure deletion list --waits approval
  tenure deletion list --person 10004 -o json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := oneOf("waits", waits, waitKinds); err != nil {
				return err
			}
			return c.operate(cmd.Context(), func(cfg *config.Config, o *operator.Operator) error {
				if err := errors.Join(appFilter(cmd.Context(), cfg, o.Ledger, app), personFilter(cmd.Context(), o.Ledger, personID)); err != nil {
					return err
				}
				deletions, err := o.Deletions(cmd.Context(), personID)
				if err != nil {
					return err
				}
				views := []deletionView{}
				for _, d := range deletions {
					if (waits == "" || string(d.Waits) == waits) && (app == "" || d.App == app) {
						views = append(views, viewDeletion(d))
					}
				}
				return c.listDeletions(views)
			})
		},
	}
	cmd.Flags().StringVar(&waits, "waits", "", "only what waits for `this`: hold, retention, approval, nothing")
	complete(cmd, "waits", waitKinds)
	cmd.Flags().StringVar(&personID, "person", "", "only of this `person`")
	cmd.Flags().StringVar(&app, "app", "", "only in this `app`")
	_ = cmd.RegisterFlagCompletionFunc("app", c.completeApps)
	return c.lists(cmd)
}

const deletionHeader = "person,name,app,waits for,until,kept until,approval,why"

func (v deletionView) row() []string {
	return []string{v.Person, v.Name, v.App, v.Waits, instant(v.Until), instant(v.Retained), v.Approval, v.Why}
}

func (c *cli) listDeletions(views []deletionView) error {
	slices.SortStableFunc(views, func(a, b deletionView) int { return a.Until.Compare(b.Until) })
	shown := limited(c, views)
	rows := rowsOf(shown, deletionView.row)
	err := c.printList(shown, deletionHeader, rows, func(p *page) {
		p.table("", deletionHeader, rows)
		if len(views) == 0 {
			p.note("nothing is to be deleted")
		}
	})
	waiting := func(v deletionView) bool { return v.Waits == string(plan.WaitApproval) }
	if err == nil && slices.ContainsFunc(views, waiting) {
		return errAttention
	}
	return err
}

// approvalView is what an operator has said, or is to say, of a deletion.
type approvalView struct {
	Person     string               `json:"person"`
	App        string               `json:"app"`
	State      ledger.ApprovalState `json:"state"`
	AskedAt    time.Time            `json:"askedAt,omitzero"`
	Reminders  int                  `json:"reminders,omitempty"`
	RemindAt   time.Time            `json:"remindAt,omitzero"`
	ApprovedAt time.Time            `json:"approvedAt,omitzero"`
	Operator   string               `json:"operator,omitempty"`
	Login      string               `json:"login,omitempty"`
	Reason     string               `json:"reason,omitempty"`
}

func viewApproval(a ledger.Approval) approvalView {
	return approvalView{
		Person: a.PersonID, App: a.App, State: a.State, AskedAt: a.AskedAt, Reminders: a.Reminders, RemindAt: a.LookAt,
		ApprovedAt: a.ApprovedAt, Operator: a.Operator, Login: a.Login, Reason: a.Reason,
	}
}

func (c *cli) deletionApproveCommand() *cobra.Command {
	var f approveFlags
	cmd := &cobra.Command{
		Use:   "approve PERSON",
		Short: "Approve that somebody's accounts are deleted for good",
		Long: `Approve that somebody's accounts are deleted for good, where the configuration asks
for that (leaver.approval): all that need it, or (--app) that in one app. What waited
for nothing else is deleted at once; what is still kept, or held, when that ends.

It holds for this ending only: whoever comes back and leaves again is asked about
anew. It is on the record with your name and reason. To say no, keep the account
longer (tenure retention set) or place a hold (tenure hold place). Without --apply it
is shown what would be deleted and when, and the exit status is 3.`,
		Example: `  tenure deletion approve 10004
  tenure deletion approve 10004 --reason "ticket 42" --apply
  tenure deletion approve 10004 --app wiki --reason "nothing of it is needed, ticket 42" --apply`,
		Args: exactly("PERSON"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.does() { // to look, neither name nor reason is needed
				if err := f.given(); err != nil {
					return err
				}
			}
			return c.operate(cmd.Context(), func(cfg *config.Config, o *operator.Operator) error {
				return c.approveDeletions(cmd.Context(), cfg, o, args[0], f)
			})
		},
	}
	cmd.Flags().StringVar(&f.app, "app", "", "only in this `app`")
	f.decisionFlags.flags(cmd)
	f.applying.flags(cmd)
	return c.reads(cmd)
}

// approveFlags are the flags of deletion approve.
type approveFlags struct {
	decisionFlags
	applying
	app string
}

// approvedView is a deletion that is, or would be, approved.
type approvedView struct {
	deletionView
	Applied bool `json:"applied"`
}

// when says when it is done.
func (v approvedView) when() string {
	if v.Waits == string(plan.WaitHold) || v.Waits == string(plan.WaitRetention) {
		return fmt.Sprintf("it is deleted when its %s ends, at %s", v.Waits, instant(v.Until))
	}
	return "it is deleted now"
}

func (c *cli) approveDeletions(ctx context.Context, cfg *config.Config, o *operator.Operator, id string, f approveFlags) error {
	if !f.does() {
		needed, err := o.AwaitApproval(ctx, id, f.app)
		if err != nil {
			return err
		}
		views := viewApproved(needed, false)
		return errors.Join(c.print(views, func(p *page) {
			for _, v := range views {
				p.note("the deletion of %s in %s would be approved: %s", id, v.App, v.when())
			}
		}), c.onlyShown(f.applying, "%s would be approved", count(len(views), "deletion")))
	}
	approved, err := o.ApproveDeletions(ctx, f.request(), id, f.app)
	views := viewApproved(approved, true)
	for _, v := range views {
		c.say("the deletion of %s in %s is approved: %s\n", id, v.App, v.when())
	}
	if _, other := operator.Untold(err); other != nil {
		return other
	}
	return errors.Join(c.report(views), c.tellUntold(err, cfg.Sweep.Every))
}

func viewApproved(deletions []operator.Deletion, applied bool) []approvedView {
	views := make([]approvedView, len(deletions))
	for i, d := range deletions {
		views[i] = approvedView{viewDeletion(d), applied}
	}
	return views
}
