package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/internal/words"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
)

func (c *cli) standInCommand() *cobra.Command {
	return noun("standin", "Let somebody decide about requests in another's place",
		c.standInSetCommand(), c.standInListCommand(), c.standInEndCommand())
}

// standInView describes a stand-in.
type standInView struct {
	Name       string    `json:"name"`
	Person     string    `json:"person"`
	StandIn    string    `json:"standIn"`
	State      string    `json:"state"`
	From       time.Time `json:"from"`
	Until      time.Time `json:"until"`
	Operator   string    `json:"operator"`
	Login      string    `json:"login,omitempty"`
	Reason     string    `json:"reason"`
	EndedAt    time.Time `json:"endedAt,omitzero"`
	EndedBy    string    `json:"endedBy,omitempty"`
	EndedLogin string    `json:"endedLogin,omitempty"`
	EndReason  string    `json:"endReason,omitempty"`
}

func viewStandIn(s ledger.StandIn, now time.Time) standInView {
	v := standInView{
		Name: s.Name(), Person: s.PersonID, StandIn: s.StandIn, State: "in force", From: s.StartsAt, Until: s.EndsAt, Operator: s.Operator,
		Login: s.Login, Reason: s.Reason, EndedAt: s.EndedAt, EndedBy: s.EndedBy, EndedLogin: s.EndedLogin, EndReason: s.EndReason,
	}
	switch {
	case !s.EndedAt.IsZero():
		v.State = "ended"
	case s.StartsAt.After(now):
		v.State = "to come"
	case !s.EndsAt.After(now):
		v.State = "over"
	}
	return v
}

const standInHeader = "name,person,stand-in,state,from,until,by,reason"

func (v standInView) row() []string {
	return []string{v.Name, v.Person, v.StandIn, v.State, words.Instant(v.From), words.Instant(v.Until), operatorFrom(v.Operator, v.Login), v.Reason}
}

func (c *cli) standInSetCommand() *cobra.Command {
	var f decisionFlags
	var from, until string
	cmd := &cobra.Command{
		Use:   "set PERSON STANDIN",
		Short: "Let somebody decide in another's place, for a time",
		Long: `Let STANDIN decide about requests in the place of PERSON, for a time: about all about which
PERSON would be asked, while they are at work or on leave. Not once they have left, or
while they are suspended; not in turn (whoever stands in for STANDIN does not decide for
PERSON); and never about what concerns either of them.`,
		Example: `  tenure standin set 10007 10011 --until 2027-08-15 --reason "summer holiday"`,
		Args:    exactly("PERSON", "STANDIN"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.given(); err != nil {
				return err
			}
			return c.operate(cmd.Context(), func(cfg *config.Config, o *operator.Operator) error {
				want := operator.StandInOrder{PersonID: args[0], StandIn: args[1]}
				var err error
				if want.Until, err = end(until, o.Clock.Now()); err != nil {
					return err
				}
				if from != "" {
					if want.From, err = time.Parse(time.RFC3339, from); err != nil {
						return usagef("--from wants an instant (2027-03-01T18:00:00Z), not %q", from)
					}
				}
				set, err := o.SetStandIn(cmd.Context(), f.request(), want)
				return c.changedStandIn(cfg, o, set, err, "stands in")
			})
		},
	}
	cmd.Flags().StringVar(&until, "until", "", "when it ends: a `day`, an instant, or a time from now (14d)")
	cmd.Flags().StringVar(&from, "from", "", "the `instant` at which it begins; default: now")
	_ = cmd.MarkFlagRequired("until")
	f.flags(cmd)
	return c.reads(cmd)
}

func (c *cli) standInEndCommand() *cobra.Command {
	var f decisionFlags
	cmd := &cobra.Command{
		Use:     "end NAME",
		Short:   "End a stand-in before its time",
		Example: `  tenure standin end s-2 --reason "back early"`,
		Args:    exactly("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.given(); err != nil {
				return err
			}
			return c.operate(cmd.Context(), func(cfg *config.Config, o *operator.Operator) error {
				ended, err := o.EndStandIn(cmd.Context(), f.request(), args[0])
				return c.changedStandIn(cfg, o, ended, err, "no longer stands in")
			})
		},
	}
	f.flags(cmd)
	return c.reads(cmd)
}

func (c *cli) changedStandIn(cfg *config.Config, o *operator.Operator, s ledger.StandIn, err error, what string) error {
	if s.ID == 0 {
		return err
	}
	v := viewStandIn(s, o.Clock.Now())
	when := ""
	if s.EndedAt.IsZero() {
		when = ", from " + words.Instant(v.From) + " until " + words.Instant(v.Until)
	}
	c.say("%s: %s %s for %s%s\n", v.Name, v.StandIn, what, v.Person, when)
	return errors.Join(c.report(v), c.tellUntold(err, cfg.Sweep.Every))
}

func (c *cli) standInListCommand() *cobra.Command {
	var all bool
	var personID string
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List who decides in whose place, and until when",
		Example: `  tenure standin list`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.view(cmd.Context(), func(_ *config.Config, v *operator.Viewer) error {
				if err := personFilter(cmd.Context(), v.Ledger, personID); err != nil {
					return err
				}
				return c.listStandIns(cmd.Context(), v, personID, all)
			})
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "those that are over too")
	cmd.Flags().StringVar(&personID, "person", "", "only for this `person`")
	return c.lists(cmd)
}

func (c *cli) listStandIns(ctx context.Context, v *operator.Viewer, personID string, all bool) error {
	now := v.Clock.Now()
	listed := func(s ledger.StandIn) bool {
		state := viewStandIn(s, now).State
		return all || state == "in force" || state == "to come"
	}
	views := viewsOf(ledger.AllStandIns(ctx, v.Ledger, ledger.StandInFilter{PersonID: personID}, 0), listed,
		func(s ledger.StandIn) (standInView, error) { return viewStandIn(s, now), nil })
	_, err := streamed(c, views, listView[standInView]{header: standInHeader, row: standInView.row, none: "nobody stands in for anybody"})
	return err
}
