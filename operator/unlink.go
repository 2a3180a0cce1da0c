package operator

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/ledger"
)

// MayUnlink returns the link that Unlink would end. It refuses if the ledger has none,
// or if the app itself shows the account as the person's. It changes nothing.
func (v *Viewer) MayUnlink(ctx context.Context, app, personID string) (ledger.Link, error) {
	ctx, cancel := context.WithTimeout(ctx, linkTimeout)
	defer cancel()
	links, err := v.Ledger.Links(ctx, ledger.LinkFilter{PersonID: personID, App: app})
	if err != nil {
		return ledger.Link{}, err
	}
	if len(links) == 0 || links[0].State == ledger.LinkDeleted {
		return ledger.Link{}, refuse(fmt.Sprintf("the ledger knows no account of %s in %s", personID, app), "")
	}
	if v.Apps.Find(app) != nil {
		return links[0], nil // an app that is not configured any more cannot be asked
	}
	conn, err := v.Apps.Open(ctx, app)
	if err != nil {
		return links[0], err
	}
	return links[0], errors.Join(refuted(ctx, conn, links[0]), conn.Close())
}

// Unlink records, on the operator's word and without a proof, that somebody has no
// account in an app. It changes nothing in the app.
func (o *Operator) Unlink(ctx context.Context, r Request, app, personID string) (ledger.Link, error) {
	if err := Unlink.Check(r); err != nil {
		return ledger.Link{}, err
	}
	if _, err := o.MayUnlink(ctx, app, personID); err != nil {
		return ledger.Link{}, err
	}
	now := o.Clock.Now()
	key := "unlink/" + app
	begun, err := o.ledger.BeginStep(ctx, ledger.Attempt{PersonID: personID, App: app, Key: key, Kind: "Unlink", At: now, Deadline: now.Add(linkTimeout)})
	if err != nil {
		return ledger.Link{}, err
	}
	gone := ledger.Link{
		PersonID: personID, App: app, Username: begun.Link.Username, State: ledger.LinkDeleted, Adopted: begun.Link.Adopted,
		CreatedAt: begun.Link.CreatedAt, DeletedAt: now, // the operator's word, without a proof
	}
	err = o.ledger.FinishStep(ctx, ledger.Outcome{
		PersonID: personID, App: app, Key: key, Kind: "Unlink", Attempt: begun.Attempt, At: now, State: ledger.StepDone, Link: &gone,
		Audit: &ledger.AuditRow{
			At: now, Action: "unlinked", Actor: r.Actor, Cause: r.Reason,
			Detail: map[string]any{"was": string(begun.Link.State), "account": begun.Link.AccountID, "creation": string(begun.Link.Creating.State)},
		},
	})
	if err != nil {
		return ledger.Link{}, err
	}
	if err := o.retryOwnership(ctx, r, app, personID); err != nil {
		return ledger.Link{}, err
	}
	return gone, o.tellKnown(ctx, "unlinked", []string{personID}, nil)
}

// refuted returns an error if the app itself shows the account as the person's.
func refuted(ctx context.Context, conn connector.Connector, link ledger.Link) error {
	there := func(account connector.Account) error {
		if link.Contested || account.ExternalID != "" && account.ExternalID != link.PersonID {
			return nil
		}
		return refuse(fmt.Sprintf("the account is there, and nobody else's: turn it off or delete it in the app, then say so again; account %s",
			cmp.Or(account.ID, link.AccountID)), "")
	}
	if link.AccountID != "" {
		account, err := conn.Read(ctx, link.AccountID)
		switch {
		case connector.Is(err, connector.KindNotFound):
			return nil
		case err != nil || !account.Active:
			return err
		}
		return there(account)
	}
	matches, err := conn.Find(ctx, connector.Keys{PersonID: link.PersonID, Username: link.Username})
	if err != nil {
		return nil //nolint:nilerr // the app cannot be asked, so the operator's word counts
	}
	for _, m := range matches {
		if m.Account.ExternalID == link.PersonID && m.Account.Active {
			return there(m.Account)
		}
	}
	return nil
}
