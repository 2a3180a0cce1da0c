package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/operator"
)

// unlinkOptions are the flags of app unlink.
type unlinkOptions struct {
	person string
	decisionFlags
	applying
}

func (c *cli) appUnlinkCommand() *cobra.Command {
	var o unlinkOptions
	cmd := &cobra.Command{
		Use:   "unlink APP --person PERSON --reason WHY",
		Short: "Say that somebody has no account in an app: there is none, or it is another's",
		Long: `Say that somebody has no account in an app. Nothing is changed in the app, and
nothing without --apply: what would be is shown, and the exit status is 3.

It is for what no look-up can prove: that a creation which went wrong has left no
account behind ("unproven"), or that the account which is linked is another person's
("contested"). Look in the app first: an account that is there and is on stays so, and
nobody will turn it off. What the app itself shows as this person's alone cannot be
unlinked. It is on the record, with your name, as your word and not as a proof.`,
		Example:           `  tenure app unlink wiki --person 10004 --reason "not in the app: I looked" --apply`,
		Args:              exactly("APP"),
		ValidArgsFunction: c.completeApps,
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.person == "" {
				return usagef("say with --person who has no account")
			}
			if o.does() { // to look, neither name nor reason is needed
				if err := o.given(); err != nil {
					return err
				}
			}
			return c.operate(cmd.Context(), func(_ *config.Config, op *operator.Operator) error {
				return c.unlink(cmd.Context(), op, args[0], o)
			})
		},
	}
	cmd.Flags().StringVar(&o.person, "person", "", "the `person` who has no account")
	o.decisionFlags.flags(cmd)
	o.applying.flags(cmd)
	return c.reads(cmd)
}

func (c *cli) unlink(ctx context.Context, op *operator.Operator, app string, o unlinkOptions) error {
	if !o.does() {
		link, err := op.MayUnlink(ctx, app, o.person)
		if err != nil {
			return err
		}
		return errors.Join(c.report(unlinkedView{Person: o.person, linkView: viewLink(link)}),
			c.onlyShown(o.applying, "%s would have no account in %s (now: %s)", o.person, app, link.State))
	}
	gone, err := op.Unlink(ctx, o.request(), app, o.person)
	untold, err := operator.Untold(err)
	if err != nil {
		return err
	}
	if err := c.print(unlinkedView{Person: o.person, linkView: viewLink(gone), Applied: true}, func(p *page) { p.note("%s has no account in %s, on your word", o.person, app) }); err != nil {
		return err
	}
	if untold != nil {
		return fmt.Errorf("it is recorded, but the person's run could not be told: %w; it will find out by itself", untold.Err)
	}
	return nil
}

// unlinkedView is a link that is, or is to be, no more.
type unlinkedView struct {
	Person string `json:"person"`
	linkView
	Applied bool `json:"applied"`
}
