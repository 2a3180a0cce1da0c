package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/internal/settings"
	"github.com/tenurehq/tenure/internal/words"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/operator/report"
	"github.com/tenurehq/tenure/plan"
)

func (c *cli) deletionCommand() *cobra.Command {
	return noun("deletion", "Show what is to be deleted for good and what it waits for, and approve it",
		c.deletionListCommand(), c.deletionApproveCommand())
}

// deletionView describes a deletion that is to come.
type deletionView struct {
	Person   string    `json:"person"`
	Name     string    `json:"name,omitempty"`
	App      string    `json:"app"`
	Waits    string    `json:"waitsFor"`       // "hold", "retention", "approval" or "nothing"
	Until    time.Time `json:"until,omitzero"` // when the hold or retention ends; when somebody is reminded
	Retained time.Time `json:"retainedUntil,omitzero"`
	// GoneAfter is when it is gone for good: later than it is deleted, if the app has a recycle
	// bin.
	GoneAfter time.Time `json:"goneAfter,omitzero"`
	Approval  string    `json:"approval,omitempty"` // "needed" or "given"
	Why       string    `json:"why,omitempty"`
}

func viewDeletion(d operator.Deletion) deletionView {
	return deletionView{
		Person: d.Person.PersonID, Name: report.SummaryOf(d.Person).Name(), App: d.App, Waits: string(d.Waits), Until: d.Until,
		Retained: d.Retained, GoneAfter: d.GoneAfter, Approval: string(d.Approval), Why: d.Why,
	}
}

// waitKinds lists what a deletion may wait for.
var waitKinds = []string{string(plan.WaitHold), string(plan.WaitRetention), string(plan.WaitApproval), string(operator.WaitsForNothing)}

func (c *cli) deletionListCommand() *cobra.Command {
	var waits, personID, app string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List what is to be deleted for good, when, and what it waits for",
		Long: `List the accounts that are off and to be deleted for good, the next first: what each
waits for (a legal hold, the end of its retention, an operator's approval, or nothing)
and until when. For one that waits for an approval, it shows when somebody is reminded.
In an app with a recycle bin, a deleted account can be brought back for a time
(tenure account restore): it is gone for good later than it is deleted.
The command decides as the worker does, from the ledger and the configuration, and
calls no app. What the breaker holds is in tenure breaker list.
Exits with 3 if something waits for an approval.`,
		Example: `  tenure deletion list
  tenure deletion list --waits approval
  tenure deletion list --person 10004 -o json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := oneOf("waits", waits, waitKinds); err != nil {
				return err
			}
			return c.view(cmd.Context(), func(cfg *config.Config, o *operator.Viewer) error {
				if err := errors.Join(appFilter(cmd.Context(), cfg, o.Ledger, app), personFilter(cmd.Context(), o.Ledger, personID)); err != nil {
					return err
				}
				listed := func(d operator.Deletion) bool {
					return (waits == "" || string(d.Waits) == waits) && (app == "" || d.App == app)
				}
				return c.listDeletions(viewsOf(o.Deletions(cmd.Context(), personID), listed,
					func(d operator.Deletion) (deletionView, error) { return viewDeletion(d), nil }))
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

const deletionHeader = "person,name,app,waits for,until,kept until,gone for good after,approval,why"

func (v deletionView) row() []string {
	return []string{v.Person, v.Name, v.App, v.Waits, words.Instant(v.Until), words.Instant(v.Retained), words.Instant(v.GoneAfter), v.Approval, v.Why}
}

func (c *cli) listDeletions(deletions iter.Seq2[deletionView, error]) error {
	waiting := false
	views := viewsOf(deletions, every, func(v deletionView) (deletionView, error) {
		waiting = waiting || v.Waits == string(plan.WaitApproval)
		return v, nil
	})
	_, err := streamed(c, views, listView[deletionView]{
		header: deletionHeader, row: deletionView.row, none: "nothing is to be deleted",
		order: func(a, b deletionView) int { return a.Until.Compare(b.Until) },
	})
	if err == nil && waiting {
		return errAttention
	}
	return err
}

func (c *cli) deletionApproveCommand() *cobra.Command {
	var f approveFlags
	cmd := &cobra.Command{
		Use:   "approve PERSON",
		Short: "Approve that somebody's accounts are deleted for good",
		Long: `Approve that somebody's accounts are deleted for good, where the configuration asks
for an approval (leaver.approval): all accounts that need one, or (--app) the one in an
app. An account that waits for nothing else is deleted at once. One that is still kept,
or held, is deleted when that ends.

The approval holds for this end of the employment only: if the person comes back and
leaves again, Tenure asks again. It is on the record with your name and reason. To say
no, keep the account longer (tenure retention set) or place a hold (tenure hold place).
Without --apply, the command only shows what would be deleted and when, and exits with 3.`,
		Example: `  tenure deletion approve 10004
  tenure deletion approve 10004 --reason "ticket 42" --apply
  tenure deletion approve 10004 --app wiki --reason "nothing of it is needed, ticket 42" --apply`,
		Args: exactly("PERSON"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.does() { // showing needs neither a name nor a reason
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

// approveFlags holds the flags of deletion approve.
type approveFlags struct {
	decisionFlags
	applying
	app string
}

// approvedView describes a deletion that is, or would be, approved.
type approvedView struct {
	deletionView
	Applied bool `json:"applied"`
}

// when says when the deletion is done.
func (v approvedView) when() string {
	if v.Waits == string(plan.WaitHold) || v.Waits == string(plan.WaitRetention) {
		return fmt.Sprintf("it is deleted when its %s ends, at %s", v.Waits, words.Instant(v.Until))
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
		}), c.onlyShown(f.applying, "%s would be approved", words.Count(len(views), "deletion")))
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

// end reads the end of a period: a day (to its end, in UTC), an instant, or a time from
// now.
func end(text string, now time.Time) (time.Time, error) {
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return day.AddDate(0, 0, 1), nil
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at.UTC(), nil
	}
	if span, err := settings.ParseDuration(text); err == nil {
		return now.Add(span).UTC().Truncate(time.Second), nil
	}
	return time.Time{}, usagef("--until wants a day (2027-06-30, to its end in UTC), an instant (2027-06-30T12:00:00Z) or a time from now (90d), not %q", text)
}

// deletingFlags holds the flags of a decision that may have accounts deleted at once.
type deletingFlags struct {
	decisionFlags
	applying
}

func (f *deletingFlags) flags(cmd *cobra.Command) {
	f.decisionFlags.flags(cmd)
	f.askedBefore(cmd)
	cmd.Flags().Lookup("apply").Usage = "do it, even if something is deleted at once; without, only show that then"
}

// listed joins a list, or returns what to say if it is empty.
func listed(list []string, none string) string {
	if len(list) == 0 {
		return none
	}
	return strings.Join(list, ", ")
}

// showDeleting ends a command that would have accounts deleted and was not told to.
func (c *cli) showDeleting(a applying, v any, personID string, apps []string) error {
	return errors.Join(c.report(v), c.onlyShown(a, "%s of %s would be deleted for good, now", strings.Join(apps, ", "), personID))
}
