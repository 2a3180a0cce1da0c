package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/internal/words"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/operator/report"
)

func (c *cli) holdCommand() *cobra.Command {
	return noun("hold", "Legal holds: of somebody who is held, nothing is deleted for good",
		c.holdPlaceCommand(), c.holdReleaseCommand(), c.holdListCommand())
}

func (c *cli) holdPlaceCommand() *cobra.Command {
	var f decisionFlags
	var until string
	cmd := &cobra.Command{
		Use:   "place PERSON",
		Short: "Keep somebody's accounts from being deleted, until a day",
		Long: `Keep somebody's accounts from being deleted for good, until a day or until the hold
is released. Whatever retention says meanwhile, none of their accounts is deleted, by
Tenure or by a human whom Tenure asked. The person is cut off like everybody else:
their access ends when it has to, and is not given back.

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

func (c *cli) holdReleaseCommand() *cobra.Command {
	var f deletingFlags
	cmd := &cobra.Command{
		Use:   "release HOLD|PERSON",
		Short: "End a hold, or all holds of a person, before its time",
		Long: `End a hold (h-3), or all holds that a person has. The accounts that the last hold kept
are deleted at once if their retention is over: the command then only shows which these
are (exit status 3), unless you say --apply. It is on the record with your name and
reason.`,
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
	views := withNames(ctx, l, ledger.AllHolds(ctx, l, f, after),
		func(h ledger.Hold) string { return h.PersonID },
		func(h ledger.Hold, name string) (holdView, error) { return viewHold(h, name, now), nil })
	_, err := streamed(c, views, listView[holdView]{header: holdHeader, row: holdView.row, none: "nobody is held"})
	return err
}

const holdHeader = "hold,person,name,state,placed,until,operator,reason,released,by,why"

func (v holdView) row() []string {
	return []string{
		v.Hold, v.Person, v.Name, v.State, words.Instant(v.PlacedAt), words.Instant(v.Until), operatorFrom(v.Operator, v.Login), v.Reason,
		words.Instant(v.ReleasedAt), operatorFrom(v.ReleasedBy, v.ReleasedLogin), v.ReleaseReason,
	}
}
