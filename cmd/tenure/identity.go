package main

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/assess/preview"
	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
)

// identity holds the flags of an operator's decision about who somebody is, or what they
// are called.
type identity struct {
	decisionFlags
	applying
}

func (i *identity) flags(cmd *cobra.Command) {
	i.applying.flags(cmd)
	i.decisionFlags.flags(cmd)
}

// given checks the flags of a command that acts; one that only shows needs no reason.
func (i *identity) given() error {
	if !i.does() {
		return nil
	}
	return i.decisionFlags.given()
}

func (c *cli) personRenameCommand() *cobra.Command {
	var i identity
	var to string
	cmd := &cobra.Command{
		Use:   "rename PERSON",
		Short: "Give somebody another username, and take their accounts along",
		Long: `Give somebody another username: the one that policy gives them now (after a
marriage, say, or when the expression was changed), or another one by --to. Their
accounts are renamed, app by app, where the app's connector can (tenure app kind
NAME: relabel). Where it cannot, the account keeps its username; it stays linked.

Without --apply, the command only shows what would be done, and exits with 3.
The username that is given up is free for others at once.`,
		Example: `  tenure person rename 10004
  tenure person rename 10004 --apply --reason "married, ticket 4711"
  tenure person rename 10004 --to ada --apply --reason "ticket 4712"`,
		Args: exactly("PERSON"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := i.given(); err != nil {
				return err
			}
			return c.operate(cmd.Context(), func(cfg *config.Config, o *operator.Operator) error {
				return c.rename(cmd.Context(), cfg, o, args[0], to, i)
			})
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "another `username` than policy gives")
	i.flags(cmd)
	return c.reads(cmd)
}

func (c *cli) rename(ctx context.Context, cfg *config.Config, o *operator.Operator, id, to string, i identity) error {
	r, err := o.RenameOf(ctx, id, to)
	var wrong *operator.UsernameError
	if errors.As(err, &wrong) {
		return usagef("--to %w", err)
	}
	if err != nil {
		return err
	}
	if !i.does() {
		after, renamed, err := preview.Renamed(ctx, o.Ledger, r)
		if err != nil {
			return err
		}
		c.renamed(id, renamed, "would be called")
		v := viewRenamed(id, renamed)
		if v.Plan, err = c.rehearseOf(ctx, cfg, after, id); err != nil {
			return err
		}
		return errors.Join(c.report(v), c.onlyShown(i.applying, "%s would be called %s", id, renamed.Username))
	}
	renamed, err := o.Rename(ctx, i.request(), r)
	if renamed.Username == "" {
		return err
	}
	c.renamed(id, renamed, "is called")
	v := viewRenamed(id, renamed)
	v.Applied = true
	return errors.Join(c.report(v), c.tellUntold(err, cfg.Sweep.Every))
}

// renamedView describes the username that somebody has, or would have.
type renamedView struct {
	Person   string            `json:"person"`
	Username string            `json:"username"`
	Apps     []string          `json:"apps"`           // in which the account is to be renamed
	Kept     []string          `json:"kept,omitempty"` // apps in which it keeps the username that it has
	Plan     []preview.Outcome `json:"plan,omitempty"` // what would be done
	Applied  bool              `json:"applied"`
}

func viewRenamed(id string, r ledger.Renamed) renamedView {
	return renamedView{Person: id, Username: r.Username, Apps: append([]string{}, r.Apps...), Kept: r.Left}
}

func (c *cli) renamed(id string, r ledger.Renamed, is string) {
	c.say("%s %s %s; accounts to be renamed: %s\n", id, is, r.Username, listed(r.Apps, "none"))
	if len(r.Left) > 0 {
		c.say("the connector cannot rename the account, which keeps its username: %s\n", strings.Join(r.Left, ", "))
	}
}

const linkLong = `NEW and OLD are two person IDs of one human: a contractor who was hired, a transfer
abroad, records that HR merged. What OLD has becomes NEW's: accounts with all that is
in them, the username, and what is granted, as far as policy grants it to NEW. If there
is a gap between the two, the accounts are off in between, and are not deleted while a
first day is still to come. Afterwards the accounts carry NEW's person ID, in the apps whose
connector can set it.

What HR says of OLD later still counts for this human, and NEW's first day ends what
OLD had. In an app in which both have an account, each keeps theirs, and OLD's is
withdrawn as if OLD had left.

`

func (c *cli) personLinkCommand() *cobra.Command {
	var i identity
	cmd := &cobra.Command{
		Use:   "link NEW OLD",
		Short: "Say that two person IDs are one human, and carry the accounts over",
		Long: linkLong + `Without --apply, the command only shows what would be done, and exits with 3.
It is refused while a step of either is under way. tenure person unlink undoes it.`,
		Example: `  tenure person link 20017 C-0042
  tenure person link 20017 C-0042 --apply --reason "the contractor was hired, ticket 4711"`,
		Args: exactly("NEW", "OLD"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.sameHuman(cmd.Context(), args[0], args[1], i, false)
		},
	}
	i.flags(cmd)
	return c.reads(cmd)
}

func (c *cli) personUnlinkCommand() *cobra.Command {
	i := identity{applying: applying{apply: true}}
	cmd := &cobra.Command{
		Use:   "unlink NEW OLD",
		Short: "Undo tenure person link: the accounts go back",
		Long: `Undo tenure person link: the accounts that were carried over and are still there
are OLD's again, and so is the username. What NEW was given since stays NEW's. The runs
of both then do what HR says of each.`,
		Example: `  tenure person unlink 20017 C-0042 --reason "a namesake, ticket 4713"`,
		Args:    exactly("NEW", "OLD"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.sameHuman(cmd.Context(), args[0], args[1], i, true)
		},
	}
	i.decisionFlags.flags(cmd)
	return c.reads(cmd)
}

func (c *cli) sameHuman(ctx context.Context, newID, oldID string, i identity, undo bool) error {
	if err := i.given(); err != nil {
		return err
	}
	return c.operate(ctx, func(cfg *config.Config, o *operator.Operator) error {
		if !i.does() {
			return c.rehearseLink(ctx, cfg, o, newID, oldID)
		}
		do, is := o.LinkPeople, newID+" and "+oldID+" are one human"
		if undo {
			do, is = o.UnlinkPeople, newID+" and "+oldID+" are two again"
		}
		carried, err := do(ctx, i.request(), newID, oldID)
		if _, other := operator.Untold(err); other != nil {
			return other
		}
		c.carried(is, carried)
		v := viewCarried(newID, oldID, carried)
		v.OneHuman, v.Applied = !undo, true
		return errors.Join(c.report(v), c.tellUntold(err, cfg.Sweep.Every))
	})
}

func (c *cli) rehearseLink(ctx context.Context, cfg *config.Config, o *operator.Operator, newID, oldID string) error {
	if err := o.MayLink(ctx, newID, oldID); err != nil {
		return err
	}
	after, carried, err := preview.Linked(ctx, o.Ledger, newID, oldID)
	if err != nil {
		return err
	}
	c.carried(newID+" and "+oldID+" would be one human", carried)
	v := viewCarried(newID, oldID, carried)
	v.OneHuman = true
	if v.Plan, err = c.rehearseOf(ctx, cfg, after, newID, oldID); err != nil {
		return err
	}
	return errors.Join(c.report(v), c.onlyShown(applying{}, "%s and %s would be one human", newID, oldID))
}

// carriedView describes what is, or would be, carried over between two IDs of one human.
type carriedView struct {
	Person   string            `json:"person"` // the new ID
	Old      string            `json:"old"`
	OneHuman bool              `json:"oneHuman"` // afterwards
	Apps     []string          `json:"apps"`     // whose accounts are carried over
	Kept     []string          `json:"kept,omitempty"`
	Username string            `json:"username,omitempty"` // if it goes with them
	Plan     []preview.Outcome `json:"plan,omitempty"`     // what would be done
	Applied  bool              `json:"applied"`
}

func viewCarried(newID, oldID string, carried ledger.Carried) carriedView {
	return carriedView{Person: newID, Old: oldID, Apps: append([]string{}, carried.Apps...), Kept: carried.Left, Username: carried.Username}
}

func (c *cli) carried(is string, carried ledger.Carried) {
	c.say("%s: accounts carried over: %s\n", is, listed(carried.Apps, "none"))
	if carried.Username != "" {
		c.say("the username goes with them: %s\n", carried.Username)
	}
	if len(carried.Left) > 0 {
		c.say("both have an account, and keep it: %s\n", strings.Join(carried.Left, ", "))
	}
}

// rehearseOf finds what would be done for people.
func (c *cli) rehearseOf(ctx context.Context, cfg *config.Config, l preview.Ledger, people ...string) ([]preview.Outcome, error) {
	s, err := c.scenario(ctx, cfg, planOptions{})
	if err != nil {
		return nil, err
	}
	r := preview.New(l, s)
	var outcomes []preview.Outcome
	show := &planLines{now: s.Now, apps: appsOf(s), out: c.out, color: c.colored()}
	for _, id := range people {
		out, err := r.Person(ctx, id)
		if err != nil {
			return nil, err
		}
		outcomes = append(outcomes, out)
		if out.Nothing() {
			c.say("%s (%s): nothing would be done\n", id, out.Status)
			continue
		}
		if c.output != formatTable {
			continue
		}
		if err := show.person(out); err != nil {
			return nil, err
		}
	}
	return outcomes, nil
}
