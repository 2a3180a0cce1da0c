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
	"github.com/tenurehq/tenure/internal/words"
	"github.com/tenurehq/tenure/ledger"
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
and until when. Of what waits for an approval, that is when somebody is reminded.
In an app with a recycle bin, a deleted account can be brought back for a time
(tenure account restore): it is gone for good later than it is deleted.
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
			return c.view(cmd.Context(), func(cfg *config.Config, o *operator.Viewer) error {
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

const deletionHeader = "person,name,app,waits for,until,kept until,gone for good after,approval,why"

func (v deletionView) row() []string {
	return []string{v.Person, v.Name, v.App, v.Waits, words.Instant(v.Until), words.Instant(v.Retained), words.Instant(v.GoneAfter), v.Approval, v.Why}
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

func (c *cli) holdCommand() *cobra.Command {
	return noun("hold", "Legal holds: of somebody who is held, nothing is deleted for good",
		c.holdPlaceCommand(), c.holdReleaseCommand(), c.holdListCommand())
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
	if span, err := config.ParseDuration(text); err == nil {
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

func (c *cli) holdPlaceCommand() *cobra.Command {
	var f decisionFlags
	var until string
	cmd := &cobra.Command{
		Use:   "place PERSON",
		Short: "Keep somebody's accounts from being deleted, until a day",
		Long: `Keep somebody's accounts from being deleted for good, until a day or until the hold
is released. Whatever retention says meanwhile, none of their accounts is deleted, by
Tenure or by a human whom Tenure asked. They are cut off as everybody is: their
access ends when it has to, and is not given back.

The last day of --until belongs to the hold. Several holds may be in force at once:
the last one to end decides. To prolong one, place another.

It is in force as soon as the command has written it into the ledger: Temporal is
not needed. The command names deletions that had begun before (exit status 3), since
they may be done, and accounts that were turned off in an app where that is as good as
deleting them. It also names what was deleted before, and until when that can be brought
back from an app's recycle bin (tenure account restore).`,
		Example: `  tenure hold place 10004 --until 2027-06-30 --reason "matter 42, counsel"
  tenure hold place 10004 --until 90d --reason "matter 42, until counsel has looked"`,
		Args: exactly("PERSON"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.given(); err != nil {
				return err
			}
			if until == "" {
				return usagef("say with --until when the hold ends: it can be prolonged by another one")
			}
			return c.operate(cmd.Context(), func(cfg *config.Config, o *operator.Operator) error {
				return c.placeHold(cmd.Context(), cfg, o, args[0], until, f)
			})
		},
	}
	cmd.Flags().StringVar(&until, "until", "", "when it ends: a `day`, an instant, or a time from now (90d)")
	f.flags(cmd)
	return c.reads(cmd)
}

// placedView describes a hold that was placed, and what it came too late for.
type placedView struct {
	holdView
	Kept     []string  `json:"kept"`                  // apps
	Off      []string  `json:"off,omitempty"`         // apps in which it was disabled before, which destroys it there
	Gone     []string  `json:"deleted,omitempty"`     // apps in which it was deleted before
	Bins     []binView `json:"recycleBins,omitempty"` // what of that can be brought back
	Deleting []string  `json:"deleting,omitempty"`
}

func (c *cli) placeHold(ctx context.Context, cfg *config.Config, o *operator.Operator, id, until string, f decisionFlags) error {
	now := o.Clock.Now()
	expires, err := end(until, now)
	if err != nil {
		return err
	}
	if !expires.After(now) {
		return usagef("--until %s is over: it is %s", until, words.Instant(now))
	}
	placed, err := o.PlaceHold(ctx, f.request(), id, expires)
	if placed.Hold.ID == 0 {
		return err
	}
	for _, unknown := range placed.Unknown {
		c.tell("whether what was turned off is kept is not known: %s\n", unknown)
	}
	c.say("%s: nothing of %s is deleted until %s (%s)\n", placed.Hold.Name(), id, words.Instant(expires), listed(placed.Kept, "there is no account"))
	if len(placed.Deleted) > 0 {
		c.tell("deleted before: %s\n", strings.Join(placed.Deleted, ", "))
	}
	for _, b := range viewBins(placed.Bins) {
		c.tell("the account in %s can be brought back until %s (%s)\n", b.App, words.Instant(b.Until), b.by())
	}
	if len(placed.Disabled) > 0 {
		c.tell("turned off before, which there is as good as deleting: %s\n", strings.Join(placed.Disabled, ", "))
	}
	v := placedView{
		holdView: viewHold(placed.Hold, report.SummaryOf(placed.Person).Name(), now),
		Kept:     append([]string{}, placed.Kept...), Off: placed.Disabled, Gone: placed.Deleted, Bins: viewBins(placed.Bins), Deleting: placed.Deleting,
	}
	if err := errors.Join(c.report(v), c.tellUntold(err, cfg.Sweep.Every)); err != nil {
		return err
	}
	if len(placed.Deleting) > 0 {
		c.tell("a deletion had begun in %s, and may be done all the same: see tenure person show %s\n", strings.Join(placed.Deleting, ", "), quoted(id))
		return errAttention
	}
	return nil
}

// listed joins a list, or returns what to say if it is empty.
func listed(list []string, none string) string {
	if len(list) == 0 {
		return none
	}
	return strings.Join(list, ", ")
}

func (c *cli) holdReleaseCommand() *cobra.Command {
	var f deletingFlags
	cmd := &cobra.Command{
		Use:   "release HOLD|PERSON",
		Short: "End a hold, or all holds of a person, before its time",
		Long: `End a hold (h-3), or all holds that a person has. What the last one kept is deleted
at once if its retention is over; it is only shown then (exit status 3) which accounts
that are, unless you say --apply. It is on the record with your name and reason.`,
		Example: `  tenure hold release h-3 --reason "matter 42 is settled"
  tenure hold release 10004 --reason "all matters are settled"`,
		Args: exactly("HOLD|PERSON"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.given(); err != nil {
				return err
			}
			return c.operate(cmd.Context(), func(cfg *config.Config, o *operator.Operator) error {
				return c.releaseHolds(cmd.Context(), cfg, o, args[0], f)
			})
		},
	}
	f.flags(cmd)
	return c.reads(cmd)
}

// releasedView describes the holds of a person that are, or would be, released.
type releasedView struct {
	Person  string     `json:"person"`
	Holds   []holdView `json:"holds"`
	Deletes []string   `json:"deletes,omitempty"` // apps, at once
	Applied bool       `json:"applied"`
}

func (c *cli) releaseHolds(ctx context.Context, cfg *config.Config, o *operator.Operator, name string, f deletingFlags) error {
	out, err := o.ReleaseHolds(ctx, f.request(), name, f.does())
	v := releasedView{Person: out.Person.PersonID, Holds: []holdView{}, Deletes: out.Deletes, Applied: out.Applied}
	for _, h := range out.Holds {
		v.Holds = append(v.Holds, viewHold(h, report.SummaryOf(out.Person).Name(), o.Clock.Now()))
		if out.Applied {
			c.say("%s of %s is released\n", h.Name(), h.PersonID)
		}
	}
	var before *operator.ReleasedBeforeError
	switch {
	case errors.As(err, &before):
		return fmt.Errorf("%w at %s", err, words.Instant(before.Hold.ReleasedAt))
	case len(out.Holds) == 0:
		return err
	case !out.Applied:
		return errors.Join(err, c.showDeleting(f.applying, v, v.Person, v.Deletes))
	}
	for _, h := range out.InForce {
		c.tell("%s is still held by %s, until %s\n", h.PersonID, h.Name(), words.Instant(h.ExpiresAt))
	}
	return errors.Join(c.report(v), c.tellUntold(err, cfg.Sweep.Every))
}

// holdView describes a hold, and the person whom it is on.
type holdView struct {
	Hold     string    `json:"hold"`
	Person   string    `json:"person"`
	Name     string    `json:"name,omitempty"`
	State    string    `json:"state"`
	PlacedAt time.Time `json:"placedAt"`
	Until    time.Time `json:"until"`
	Operator string    `json:"operator"`
	Login    string    `json:"login,omitempty"`
	Reason   string    `json:"reason"`

	ReleasedAt    time.Time `json:"releasedAt,omitzero"`
	ReleasedBy    string    `json:"releasedBy,omitempty"`
	ReleasedLogin string    `json:"releasedLogin,omitempty"`
	ReleaseReason string    `json:"releaseReason,omitempty"`
}

func viewHold(h ledger.Hold, name string, now time.Time) holdView {
	state := "in force"
	switch {
	case !h.ReleasedAt.IsZero():
		state = "released"
	case !h.InForce(now):
		state = "expired"
	}
	return holdView{
		Hold: h.Name(), Person: h.PersonID, Name: name, State: state, PlacedAt: h.PlacedAt, Until: h.ExpiresAt,
		Operator: h.Operator, Reason: h.Reason, ReleasedAt: h.ReleasedAt, ReleasedBy: h.ReleasedBy, ReleaseReason: h.ReleaseReason,
		Login: h.Login, ReleasedLogin: h.ReleasedLogin,
	}
}

func (c *cli) holdListCommand() *cobra.Command {
	var f ledger.HoldFilter
	var all bool
	var behind string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List who is held, by whom, why and until when",
		Example: `  tenure hold list
  tenure hold list --all --person 10004
  tenure hold list -o json | jq -r '.[] | [.person, .until, .reason] | @tsv'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			after, ok := ledger.HoldID(behind)
			if behind != "" && !ok {
				return usagef("--after %s: want a hold, such as h-3", behind)
			}
			return c.withLedger(cmd.Context(), func(cfg *config.Config, l ledger.Reader) error {
				if err := personFilter(cmd.Context(), l, f.PersonID); err != nil {
					return err
				}
				now := cfg.Clock().Now()
				if !all {
					f.InForce = now
				}
				return c.listHolds(cmd.Context(), l, f, after, now)
			})
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "those that have expired or were released too")
	cmd.Flags().StringVar(&f.PersonID, "person", "", "only on this `person`")
	cmd.Flags().StringVar(&behind, "after", "", "only those behind this `hold` in the list")
	return c.lists(cmd)
}

func (c *cli) listHolds(ctx context.Context, l ledger.Reader, f ledger.HoldFilter, after int64, now time.Time) error {
	views, names := []holdView{}, map[string]string{}
	for h, err := range ledger.AllHolds(ctx, l, f, after) {
		if err != nil {
			return err
		}
		name, err := nameOf(ctx, l, names, h.PersonID)
		if err != nil {
			return err
		}
		views = append(views, viewHold(h, name, now))
	}
	views = limited(c, views)
	rows := rowsOf(views, holdView.row)
	return c.printList(views, holdHeader, rows, func(p *page) {
		p.table("", holdHeader, rows)
		if len(views) == 0 {
			p.note("nobody is held")
		}
	})
}

const holdHeader = "hold,person,name,state,placed,until,operator,reason,released,by,why"

func (v holdView) row() []string {
	return []string{
		v.Hold, v.Person, v.Name, v.State, words.Instant(v.PlacedAt), words.Instant(v.Until), operatorFrom(v.Operator, v.Login), v.Reason,
		words.Instant(v.ReleasedAt), operatorFrom(v.ReleasedBy, v.ReleasedLogin), v.ReleaseReason,
	}
}

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
				} else if r.For, err = config.ParseDuration(lasts); err != nil {
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

// showDeleting ends a command that would have accounts deleted and was not told to.
func (c *cli) showDeleting(a applying, v any, personID string, apps []string) error {
	return errors.Join(c.report(v), c.onlyShown(a, "%s of %s would be deleted for good, now", strings.Join(apps, ", "), personID))
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
