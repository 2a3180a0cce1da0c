package provision

import (
	"errors"
	"time"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/plan"
)

// disable turns the account off and ends its sessions, and proves it by reading
// the account again.
func (t *task) disable() (done, error) {
	if t.link.AccountID == "" {
		look := t.ours
		if t.appears() {
			look = t.signedIn
		}
		account, found, err := look()
		if err != nil {
			return done{}, err
		}
		if !found {
			return t.notFound()
		}
		t.link.AccountID, t.link.Username = account.ID, account.Username
	}
	id := t.link.AccountID
	off := t.turnOff
	if t.step.Spare {
		off = t.turnedOff
	}
	if err := off(id); connector.Is(err, connector.KindNotFound) {
		return t.absent(), nil
	} else if err != nil {
		return done{}, err
	}
	if err := t.revokeSessions(id); err != nil && !connector.Is(err, connector.KindNotFound) {
		return done{}, err
	}
	account, found, err := t.readState(id)
	if err != nil {
		return done{}, err
	}
	if !found {
		return t.absent(), nil // an app that forgets what is disabled
	}
	if account.Active {
		return done{}, notYet("disable", "the account is still enabled")
	}
	link := t.link
	link.ProvenAt = t.a.Clock.Now()
	if link.State != ledger.LinkDisabled {
		link.DisabledAt, link.StrippedAt, link.HandedOverAt = link.ProvenAt, time.Time{}, time.Time{}
	}
	link.State, link.DoubtUntil, link.Creating = ledger.LinkDisabled, t.doubt, ledger.Creation{}
	return done{link: link, action: "disabled"}, nil
}

// turnOff turns the account off. An app may do that and fail to say so: then the
// account itself is asked, rather than the same thing once more after a pause, in
// which nobody would know that the person is cut off. Where there is more to do than
// that (see connector.Connector), an account that is off says nothing of the rest.
func (t *task) turnOff(id string) error {
	err := t.setActive(id, false)
	var app *connector.Error
	if !errors.As(err, &app) || app.Kind != connector.KindUnavailable || app.Unfinished {
		return err
	}
	if account, found, unread := t.readState(id); unread != nil || found && account.Active {
		return err
	}
	return nil
}

// turnedOff sees that the account is off, in an app that can turn it off only by
// destroying it. One that a human has turned off is not to be turned off again.
func (t *task) turnedOff(id string) error {
	account, err := t.app.Read(connector.SparingEntitlements(t.ctx), id)
	if err == nil && account.Active {
		err = spared()
	}
	return err
}

// spared is the failure to turn off an account that would be gone then, and must not be.
func spared() *Error {
	return &Error{
		Code: CodeSpared,
		Message: "the app can only take access by deleting the account, which is not to be done: see tenure deletion list. " +
			"Take the access by hand, then retry this, or skip it if the app still shows the account as on; or let it be deleted (release the hold, approve the deletion)",
	}
}

// notFound is the outcome of looking, by what is known of the person, for an account
// that was never seen. While a call that makes it may be under way, it is looked for
// again. After that, it depends on whether there can be one that is not shown.
func (t *task) notFound() (done, error) {
	if t.doubt.IsZero() {
		resolved, err := t.resolved()
		if err == nil && !resolved {
			err = t.unproven()
		}
		if err != nil {
			return done{}, err
		}
	}
	return t.absent(), nil
}

// absent is the outcome of looking for an account that is not there. While a
// call that makes it may be under way, it may yet come.
func (t *task) absent() done {
	link := t.link
	link.ProvenAt = t.a.Clock.Now()
	link.DoubtUntil = t.doubt
	if !t.doubt.IsZero() {
		link.State, link.AccountID = ledger.LinkPlanned, ""
		return done{link: link, action: "not_found"}
	}
	gone := t.vanished()
	if link.CreatedAt.IsZero() {
		gone.action = "not_found"
	}
	return gone
}

// vanished is the outcome of finding that a linked account is gone.
func (t *task) vanished() done {
	link := t.link
	link.State = ledger.LinkDeleted
	link.ProvenAt = t.a.Clock.Now()
	link.DeletedAt = link.ProvenAt
	link.AccountID, link.Attributes, link.Entitlements = "", "", nil
	link.DoubtUntil, link.Creating = time.Time{}, ledger.Creation{}
	return done{link: link, action: "found_gone"}
}

// strip takes every entitlement that the account has, and those that Tenure gave it or
// may have given it, even if the app does not show them now. What it had is in the audit,
// so that somebody who finds it was too much can be given it back.
func (t *task) strip() (done, error) {
	link := t.link
	var had []string
	if t.app.Capabilities().Entitlements {
		account, found, err := t.read(link.AccountID)
		if err != nil {
			return done{}, err
		}
		if !found {
			return t.vanished(), nil
		}
		had = account.Entitlements
		had = append(had, without(link.Entitlements, had)...)
		take := had
		if len(had) == 0 {
			if take, err = t.perhapsGiven(); err != nil {
				return done{}, err
			}
		}
		if err := t.revoke(link.AccountID, take); err != nil {
			return done{}, err
		}
		if len(take) > 0 {
			if account, found, err = t.read(link.AccountID); err != nil {
				return done{}, err
			}
			if found && len(account.Entitlements) > 0 {
				return done{}, notYet("revoke", "the account still has entitlements")
			}
		}
	}
	link.Entitlements = nil
	link.ProvenAt = t.a.Clock.Now()
	link.StrippedAt = link.ProvenAt
	return done{link: link, action: "stripped", detail: map[string]any{"revoked": had}}, nil
}

// mostSteps is how many steps of one account are looked through.
const mostSteps = 1000

// perhapsGiven returns all entitlements that policy grants in the app, if a step was begun
// that gives some and was never proven. An app that does not show them may have them all
// the same, and the link has only what was shown.
func (t *task) perhapsGiven() ([]string, error) {
	steps, err := t.a.Ledger.Steps(t.ctx, ledger.StepFilter{PersonID: t.link.PersonID, App: t.step.App}, ledger.StepPlace{}, mostSteps)
	if err != nil {
		return nil, LedgerError(err)
	}
	for _, s := range steps {
		if plan.Kind(s.Kind).Gives() && s.State != ledger.StepDone && s.Attempts > 0 {
			return t.a.Policy.Grants(t.step.App), nil
		}
	}
	return nil, nil
}

// handOver gives the account's data to the manager's account in the same app.
func (t *task) handOver() (done, error) {
	if !t.app.Capabilities().HandOver {
		return done{}, connector.Unsupported(connector.OpHandOver)
	}
	to := t.d.Recipients[t.step.App]
	if to == "" {
		return done{}, &Error{
			Code:    CodeNoRecipient,
			Message: "the manager has no account in this app: move the data by hand and skip this, or give the manager access and retry",
		}
	}
	if err := t.app.HandOver(t.ctx, t.link.AccountID, to); err != nil {
		return done{}, err
	}
	link := t.link
	link.ProvenAt = t.a.Clock.Now()
	link.HandedOverAt = link.ProvenAt
	return done{link: link, action: "handed_over"}, nil
}

// delete deletes the account for good and proves that it is gone.
func (t *task) delete() (done, error) {
	if err := t.app.Delete(t.ctx, t.link.AccountID); err != nil {
		return done{}, err
	}
	account, found, err := t.readState(t.link.AccountID)
	switch {
	case err != nil:
		return done{}, err
	case found && !account.Active:
		return done{}, notYet("delete", "the account is still there, disabled: if the app keeps what is deleted, say leaver: {delete: false} for it")
	case found:
		return done{}, notYet("delete", "the account is still there")
	}
	gone := t.vanished()
	gone.action = "deleted"
	return gone, nil
}
