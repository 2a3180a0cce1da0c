package provision

import (
	"errors"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/set"
	"github.com/tenurehq/tenure/ledger"
)

// disable turns the account off and ends its sessions, and proves it by reading the account
// again.
func (a *stepAttempt) disable() (performed, error) {
	if a.link.AccountID == "" {
		look := a.findOwn
		if a.appearsAtSignIn() {
			look = a.signedIn
		}
		account, found, err := look()
		if err != nil {
			return performed{}, err
		}
		if !found {
			return a.notFound()
		}
		a.link.AccountID, a.link.Username = account.ID, account.Username
	}
	id := a.link.AccountID
	off := a.turnOff
	if a.step.Spare {
		off = a.confirmOff
	}
	if err := off(id); connector.Is(err, connector.KindNotFound) {
		return a.absent(), nil
	} else if err != nil {
		return performed{}, err
	}
	if err := a.revokeSessions(id); err != nil && !connector.Is(err, connector.KindNotFound) {
		return performed{}, err
	}
	account, found, err := a.readState(id)
	if err != nil {
		return performed{}, err
	}
	if !found {
		return a.absent(), nil // an app that forgets what is disabled
	}
	if account.Active {
		return performed{}, a.notYet("disable", "the account is still enabled")
	}
	return a.proven("disabled", assess.Proof{DoubtUntil: a.doubt}), nil
}

// turnOff turns the account off. An app may do that and fail to answer: then turnOff
// reads the account at once, so that nobody has to wait for another attempt to know that
// the person is cut off. It does not if what the app shows may be a picture of another time
// at which the account was off, or if the connector says that it has more to do than to
// turn the account off (connector.Error.Unfinished): then an account that is off does not
// prove that all is done.
func (a *stepAttempt) turnOff(id string) error {
	err := a.setActive(id, false)
	var app *connector.Error
	if !errors.As(err, &app) || app.Kind != connector.KindUnavailable || app.Unfinished || !a.settled() {
		return err
	}
	if account, found, unread := a.readState(id); unread != nil || found && account.Active {
		return err
	}
	return nil
}

// confirmOff checks that the account is off, in an app that can turn it off only by
// destroying it. A human may have turned it off.
func (a *stepAttempt) confirmOff(id string) error {
	account, err := a.app.Read(connector.SparingEntitlements(a.ctx), id)
	switch {
	case err != nil:
		return err
	case account.Active:
		return spared()
	case !a.settled():
		return a.unsettled("the account is shown as disabled")
	}
	return nil
}

// spared returns the error for an account that can be turned off only by deleting it, and
// must not be deleted.
func spared() *Error {
	return &Error{
		Code: CodeSpared,
		Message: "the app can only take access by deleting the account, which is not to be done: see tenure deletion list. " +
			"Take the access by hand, then retry this, or skip it if the app still shows the account as on; or let it be deleted (release the hold, approve the deletion)",
	}
}

// notFound returns the outcome of a search that did not find an account which was never
// seen. While a call that makes it may be under way, the step is planned again later.
// After that, an account that may exist and that the app does not show needs an operator.
func (a *stepAttempt) notFound() (performed, error) {
	if a.doubt.IsZero() {
		resolved, err := a.creationResolved()
		if err == nil && !resolved {
			err = a.unprovenCreation()
		}
		if err != nil {
			return performed{}, err
		}
	}
	return a.absent(), nil
}

// absent returns the outcome of a search that did not find the account. While a call that
// makes it may be under way, it may still appear.
func (a *stepAttempt) absent() performed {
	action := "found_gone"
	if !a.doubt.IsZero() || a.link.CreatedAt.IsZero() {
		action = "not_found"
	}
	return a.proven(action, assess.Proof{Missing: true, DoubtUntil: a.doubt})
}

// vanished returns the outcome of finding that a linked account is gone.
func (a *stepAttempt) vanished() performed {
	return a.proven("found_gone", assess.Proof{Missing: true})
}

// strip takes every entitlement that the account has, and those that Tenure gave it or
// may have given it, even if the app does not show them now. It leaves what a hand-over needs. The audit record says what
// the account had, so that it can be given back.
func (a *stepAttempt) strip() (performed, error) {
	id := a.link.AccountID
	var had, kept []string
	if a.app.Capabilities().Entitlements {
		account, found, err := a.read(id)
		if err != nil {
			return performed{}, err
		}
		if !found {
			return a.vanished(), nil
		}
		had = account.Entitlements
		had = append(had, set.Minus(a.given(), had)...)
		kept = a.step.Kept(had)
		if err := a.revoke(id, set.Minus(had, kept)); err != nil {
			return performed{}, err
		}
		if len(had) > 0 {
			if account, found, err = a.read(id); err != nil {
				return performed{}, err
			}
			if found && len(set.Minus(account.Entitlements, kept)) > 0 {
				return performed{}, a.notYet("revoke", "the account still has entitlements")
			}
		}
		if !a.settledGiving() {
			a.acknowledge()
			return performed{}, a.unsettledGiving("the app shows no entitlements")
		}
	}
	proven := a.proven("stripped", assess.Proof{Kept: kept})
	proven.detail = map[string]any{"revoked": set.Minus(had, kept)}
	if len(kept) > 0 {
		proven.detail["kept"] = kept
	}
	return proven, nil
}

// delete deletes the account for good, and proves that it is gone. An app that hands data over
// as it deletes hears who gets it. If the account of such an app was gone before, nothing was
// handed over.
func (a *stepAttempt) delete() (performed, error) {
	to, err := a.receiverByDelete()
	if err != nil {
		return performed{}, err
	}
	there := true
	if to.PersonID != "" {
		if _, there, err = a.readState(a.link.AccountID); err != nil {
			return performed{}, err
		}
	}
	switch given, maybe := a.maybeHandedOver(); {
	case there:
		to, err = a.deleteFor(to)
	case !maybe:
		return a.vanished(), nil
	default:
		to = given
	}
	if err != nil {
		return performed{}, err
	}
	account, found, err := a.readDeleted(a.link.AccountID)
	switch {
	case err != nil:
		return performed{}, err
	case found && !account.Active:
		return performed{}, a.notYet("delete", "the account is still there, disabled: if the app keeps what is deleted, say leaver: {delete: false} for it")
	case found:
		return performed{}, a.notYet("delete", "the account is still there")
	case !a.settledGiving():
		a.acknowledge()
		return performed{}, a.unsettledGiving("the app shows no account")
	}
	return a.deleted(to), nil
}

// deleted returns the outcome of a deletion that gave the data to a receiver; the zero receiver if
// it gave them to nobody.
func (a *stepAttempt) deleted(to ledger.Receiver) performed {
	proven := a.proven("deleted", assess.Proof{})
	detail := map[string]any{}
	_, over := a.d.HandOvers[a.step.App]
	switch {
	case to.PersonID != "":
		proven.link.HandedOverAt = proven.link.DeletedAt
		detail = map[string]any{"data_to": to.AccountID, "to": to.PersonID, "by": to.By}
	case !over || !a.app.Capabilities().HandOverByDelete:
	case a.d.skipsHandOver(a.step.App):
		detail["handOver"] = "skipped"
	default:
		detail["handOver"] = "nobody could be given the data"
	}
	if had := a.link.Entitlements; len(had) > 0 { // they end with the account: its seats are free again
		detail["revoked"] = had
	}
	if len(detail) > 0 {
		proven.detail = detail
	}
	return proven
}

// readDeleted reads an account that was deleted. That it is not there is what was asked for,
// and no answer to be doubted because of that last change.
func (a *stepAttempt) readDeleted(id string) (connector.Account, bool, error) {
	account, err := a.app.Connector.Read(connector.SparingEntitlements(a.ctx), id)
	if connector.Is(err, connector.KindNotFound) {
		return account, false, nil
	}
	return account, err == nil, err
}
