package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/apps"
	"github.com/tenurehq/tenure/ledger"
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
			return c.withLedger(cmd.Context(), func(cfg *config.Config, l ledger.Ledger) error {
				return c.unlink(cmd.Context(), cfg, l, args[0], o)
			})
		},
	}
	cmd.Flags().StringVar(&o.person, "person", "", "the `person` who has no account")
	o.decisionFlags.flags(cmd)
	o.applying.flags(cmd)
	return c.reads(cmd)
}

func (c *cli) unlink(ctx context.Context, cfg *config.Config, l ledger.Ledger, app string, o unlinkOptions) (err error) {
	ctx, cancel := context.WithTimeout(ctx, adoptFor)
	defer cancel()
	link, err := linkOf(ctx, l, app, o.person)
	if err != nil {
		return err
	}
	if err := apps.Of(cfg, nil).Find(app); err == nil { // one that is not configured any more cannot be asked
		conn, err := apps.Of(cfg, nil).Open(ctx, app)
		if err != nil {
			return err
		}
		err = errors.Join(refuted(ctx, conn, link), conn.Close())
		if err != nil {
			return err
		}
	}
	if !o.does() {
		return errors.Join(c.report(unlinkedView{Person: o.person, linkView: viewLink(link)}),
			c.onlyShown(o.applying, "%s would have no account in %s (now: %s)", o.person, app, link.State))
	}
	now := cfg.Clock().Now()
	key := "unlink/" + app
	begun, err := l.BeginStep(ctx, ledger.Attempt{PersonID: o.person, App: app, Key: key, Kind: "Unlink", At: now, Deadline: now.Add(adoptFor)})
	if err != nil {
		return err
	}
	gone := ledger.Link{
		PersonID: o.person, App: app, Username: begun.Link.Username, State: ledger.LinkDeleted, Adopted: begun.Link.Adopted,
		CreatedAt: begun.Link.CreatedAt, DeletedAt: now, // said, not proven
	}
	err = l.FinishStep(ctx, ledger.Outcome{
		PersonID: o.person, App: app, Key: key, Kind: "Unlink", Attempt: begun.Attempt, At: now, State: ledger.StepDone, Link: &gone,
		Audit: &ledger.AuditRow{
			At: now, Action: "unlinked", Actor: o.operator, Cause: o.reason,
			Detail: map[string]any{"was": string(begun.Link.State), "account": begun.Link.AccountID, "creation": string(begun.Link.Creating.State)},
		},
	})
	if err != nil {
		return err
	}
	a := &appAccounts{name: app, cfg: cfg, ledger: l}
	if err := a.askNoMore(ctx, o.person, o.operator); err != nil {
		return err
	}
	if err := c.print(unlinkedView{Person: o.person, linkView: viewLink(gone), Applied: true}, func(p *page) { p.note("%s has no account in %s, on your word", o.person, app) }); err != nil {
		return err
	}
	if untold := c.resume(ctx, []string{o.person}, "unlinked"); untold != nil {
		return fmt.Errorf("it is recorded, but the person's run could not be told: %w; it will find out by itself", untold)
	}
	return nil
}

// unlinkedView is a link that is, or is to be, no more.
type unlinkedView struct {
	Person string `json:"person"`
	linkView
	Applied bool `json:"applied"`
}

// linkOf is the link that there is to be said something of.
func linkOf(ctx context.Context, l ledger.Ledger, app, person string) (ledger.Link, error) {
	links, err := l.Links(ctx, ledger.LinkFilter{PersonID: person, App: app})
	if err != nil {
		return ledger.Link{}, err
	}
	if len(links) == 0 || links[0].State == ledger.LinkDeleted {
		return ledger.Link{}, fmt.Errorf("the ledger knows no account of %s in %s", person, app)
	}
	return links[0], nil
}

// refuted fails if the app itself shows the account as the person's: then it is there.
func refuted(ctx context.Context, conn connector.Connector, link ledger.Link) error {
	there := func(account connector.Account) error {
		if link.Contested || account.ExternalID != "" && account.ExternalID != link.PersonID {
			return nil
		}
		return fmt.Errorf("the account is there, and nobody else's: turn it off or delete it in the app, then say so again; account %s", cmp.Or(account.ID, link.AccountID))
	}
	if link.AccountID != "" {
		account, err := conn.Read(ctx, link.AccountID)
		var absent *connector.Error
		if errors.As(err, &absent) && absent.Kind == connector.KindNotFound {
			return nil
		}
		if err != nil {
			return err
		}
		if !account.Active {
			return nil
		}
		return there(account)
	}
	matches, err := conn.Find(ctx, connector.Keys{PersonID: link.PersonID, Username: link.Username})
	if err != nil {
		return nil //nolint:nilerr // that the app cannot say is why a human does
	}
	for _, m := range matches {
		if m.Account.ExternalID == link.PersonID && m.Account.Active {
			return there(m.Account)
		}
	}
	return nil
}
