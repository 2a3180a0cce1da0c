package provision

import (
	"cmp"
	"errors"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/set"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/policy"
)

// provision makes sure that the account exists and is the person's, is enabled or disabled
// as the step says, and has its attributes and entitlements.
func (a *stepAttempt) provision() (performed, error) {
	want := a.d.account(a.step.App)
	account, found, err := a.locate()
	if err != nil {
		return performed{}, err
	}
	if !found && a.appearsAtSignIn() {
		return a.awaitsSignIn(), nil
	}
	if !found {
		if account, found, err = a.restore(); err != nil {
			return performed{}, err
		}
	}
	action, shown := "enabled", found && !a.lags()
	switch {
	case !found:
		if account, action, err = a.create(want); err != nil {
			return performed{}, err
		}
		shown = true
	case a.broughtBack(account):
		action = "restored"
		if account, err = a.bare(account); err != nil {
			return performed{}, err
		}
	case a.link.AccountID == "" && account.ID == a.link.Creating.AccountID:
		action = "created"
	case a.link.AccountID == "":
		action = "adopted"
	case !a.step.Enabled:
		action = "prepared"
	}
	if found || action != "created" {
		if err := a.bringUp(account, want); err != nil {
			return performed{}, err
		}
	}
	taken := set.Minus(a.given(), a.step.Grant)
	if err := a.revoke(account.ID, taken); err != nil {
		return performed{}, err
	}
	grant := a.step.Grant
	if shown {
		grant = set.Minus(grant, account.Entitlements)
	}
	// A licence that has run out is no reason to give no access: the next plan has an Update
	// for it, which reports that.
	lacks, late := a.step.Grant, a.notYet
	if action == "created" || !a.frozen(account) {
		if lacks, err = lacking(a.grant(account.ID, grant)); err != nil {
			return performed{}, err
		}
		if len(lacks) > 0 { // if these calls counted as accepted, the refused ones would be waited for
			late = a.notShownAgain
		}
	}
	given := set.Minus(a.step.Grant, lacks)
	account, err = a.confirm(account.ID, a.step.Enabled, given, late)
	if err == nil && action == "restored" && len(a.beyond(account)) > 0 {
		err = late(connector.OpRead, "the account has entitlements again that were taken from it")
	}
	if err != nil {
		return performed{}, err
	}
	// An attribute that the app does not keep is no reason to give no access: the next
	// plan has an Update for it, which reports that.
	attributes, _ := a.shownAttributes(account, want.Attributes, action != "created")
	proven := a.proven(action, assess.Proof{
		AccountID: account.ID, Username: account.Username,
		New: a.link.AccountID != account.ID, Adopted: action == "adopted",
		Attributes: cmp.Or(attributes.digest, ledger.AttributesUnknown), Lacks: lacks,
	})
	if !a.settledTaking(taken) {
		proven.link.Unsure.Entitlements = taken // the next plan has an Update, which waits
	}
	proven.detail = map[string]any{"granted": given}
	return proven, nil
}

// locate finds the person's account: the linked one, or else one that matches them. An
// earlier attempt whose answer was lost may have made it.
func (a *stepAttempt) locate() (connector.Account, bool, error) {
	if a.link.AccountID != "" {
		account, found, err := a.read(a.link.AccountID)
		if found || err != nil {
			return account, found, err
		}
		// Deleted behind our back: it may be in the recycle bin.
		a.link.Binned = ledger.Binned{AccountID: a.link.AccountID, At: a.d.Now}
		a.link.AccountID = ""
	}
	switch back, found, err := a.lookBack(); {
	case err != nil:
		return connector.Account{}, false, err
	case found:
		return back.Account, true, a.claim(back)
	}
	if account, found, err := a.readCreated(); found || err != nil {
		return account, found, err
	}
	matches, err := a.find(a.d.Keys)
	if err != nil || len(matches) == 0 {
		return connector.Account{}, false, err
	}
	if len(matches) > 1 {
		return connector.Account{}, false, ambiguous()
	}
	return matches[0].Account, true, a.claim(matches[0])
}

// adopt sets the account's external ID, if the app has a place for it.
func (a *stepAttempt) adopt(id string) error {
	if !a.app.Capabilities().Adopt {
		return nil
	}
	return a.app.Adopt(a.ctx, id, a.d.Person.PersonID)
}

// create makes the account, and returns how it came to be: "created", or "adopted" if it was
// there already.
func (a *stepAttempt) create(want policy.Account) (connector.Account, string, error) {
	if !a.app.Capabilities().Create {
		return connector.Account{}, "", connector.Unsupported(connector.OpCreate)
	}
	before := a.link.Creating
	if err := a.noteCreating(); err != nil {
		return connector.Account{}, "", err
	}
	account, err := a.app.Create(a.ctx, connector.Spec{
		PersonID:   a.d.Person.PersonID,
		Username:   a.d.Person.Username,
		Active:     a.step.Enabled,
		Attributes: want.Attributes,
	})
	if noted := a.noteCreated(before, account, err); noted != nil {
		return connector.Account{}, "", noted
	}
	acknowledged := connector.Is(err, connector.KindContradictory)
	if !acknowledged && !connector.Is(err, connector.KindExists) {
		return account, "created", err
	}
	// Either the app accepted the call and does not show the account, or the account exists
	// already: an attempt of ours whose answer was lost made it, or it was always there
	// under a key that cannot be searched.
	account, found, sought := a.locate()
	switch {
	case sought != nil:
		return account, "", sought
	case found && acknowledged:
		return account, "created", a.bringUp(account, want)
	case found:
		return account, "adopted", nil
	case acknowledged:
		return account, "", err
	}
	message := "the username is taken by an account that is not this person's: rename that account, or set its external ID to the person ID"
	if a.app.Capabilities().RecycleBin > 0 {
		message += ". If the app shows no such account, a deleted one in its recycle bin may have the username: bring that one back under another, or remove it from the bin"
	}
	return account, "", &connector.Error{Kind: connector.KindConflict, Op: connector.OpCreate, Message: message}
}

// frozen reports whether an account can be given nothing until it is enabled, and is to stay
// disabled.
func (a *stepAttempt) frozen(account connector.Account) bool {
	return a.app.Capabilities().Frozen && !account.Active && !a.step.Enabled
}

// bringUp sets the attributes of an account that was there, and turns it on or off. One that the
// app may refuse to change while it is off is turned on first, and gets its external ID then if
// it has none.
func (a *stepAttempt) bringUp(account connector.Account, want policy.Account) error {
	can := a.app.Capabilities()
	switch {
	case a.frozen(account):
		return nil
	case can.EnableFirst && a.step.Enabled && (!account.Active || !a.settled()):
		if err := a.setActive(account.ID, true); err != nil {
			return err
		}
		if a.lacksMark(account) {
			if err := a.adopt(account.ID); err != nil {
				return err
			}
		}
		return a.setMissing(account, want.Attributes)
	}
	if err := a.setMissing(account, want.Attributes); err != nil {
		return err
	}
	if account.Active == a.step.Enabled && a.settled() {
		return nil
	}
	return a.setActive(account.ID, a.step.Enabled)
}

// ambiguous returns the error for a person whom several accounts match.
func ambiguous() error {
	return &connector.Error{
		Kind: connector.KindConflict, Op: "find",
		Message: "several accounts match this person: leave one, or set its external ID to the person ID",
	}
}

// confirm reads the account and returns an error unless it is enabled or disabled as wanted,
// and has at least these entitlements. The error is late's.
func (a *stepAttempt) confirm(id string, enabled bool, entitlements []string, late func(op, what string) error) (connector.Account, error) {
	account, found, err := a.prove(id, entitlements)
	switch {
	case connector.Lacks(err):
		return account, late("read", "an entitlement is missing")
	case hidden(err), err == nil && !found:
		return account, late("read", "the account is not there")
	case err != nil:
		return account, err
	case account.Active != enabled:
		return account, late("read", "the account is not as enabled as it should be")
	case len(set.Minus(entitlements, account.Entitlements)) > 0:
		return account, late("read", "an entitlement is missing")
	}
	return account, nil
}

// update grants, revokes and sets attributes. If one of these fails, the others are done all
// the same: above all, entitlements are taken even if others cannot be given.
func (a *stepAttempt) update() (performed, error) {
	want := a.d.account(a.step.App)
	if _, manual := a.app.Ask(string(plan.Disable)); manual && a.appearsAtSignIn() {
		return a.awaitsSignIn(), nil // only a human can look, so an account that is not shown may be there
	}
	if a.link.AccountID == "" && a.appearsAtSignIn() {
		account, found, err := a.signedIn()
		if err != nil {
			return performed{}, err
		}
		if !found {
			return a.awaitsSignIn(), nil
		}
		a.link.AccountID, a.link.Username = account.ID, account.Username
	}
	id := a.link.AccountID
	grant, revoke, found, err := a.remaining(id)
	switch {
	case err != nil:
		return a.unsureAttributes(), err
	case !found:
		return a.vanished(), nil
	}
	granted, revoked := a.grant(id, grant), a.revoke(id, revoke)
	if revoked == nil && a.step.Sessions { // not before: what is signed in anew would have it again
		if revoked = a.revokeSessions(id); connector.Is(revoked, connector.KindNotFound) {
			revoked = nil // the look below finds that there is no account
		}
	}
	entitled := errors.Join(revoked, granted)
	var setting error
	if a.step.Attributes && (entitled == nil || !ErrorOf(entitled).Retryable) {
		setting = a.setAttributes(id, want.Attributes)
	}
	if connector.Is(granted, connector.KindNotFound) || connector.Is(setting, connector.KindNotFound) {
		return a.vanished(), nil
	}
	if entitled != nil {
		return a.unsureAttributes(), entitled
	}
	wanted := want.EntitlementNames()
	frozen := a.app.Capabilities().Frozen && !want.Enabled
	if frozen || a.step.Only { // the plan gives nothing until the account is enabled, or the rest has to wait
		wanted = nil
	}
	look := func(id string) (connector.Account, bool, error) { return a.prove(id, wanted) }
	if len(a.step.Grant)+len(a.step.Revoke) == 0 { // entitlements are no matter of this step
		wanted, look = nil, a.readState
	}
	account, found, err := look(id)
	lacks := connector.Lacks(err) // then nothing else is known of the account
	switch {
	case err != nil && !lacks:
		return a.unsureAttributes(), errors.Join(setting, err)
	case !found && !lacks:
		return a.vanished(), nil
	case len(set.Minus(wanted, account.Entitlements)) > 0 || len(set.Intersect(a.step.Revoke, account.Entitlements)) > 0:
		late := a.notYet
		if setting != nil {
			late = a.notShown
		} else if len(a.step.Revoke) > 0 {
			late = a.notTakenYet
		}
		return a.unsureAttributes(), late("read", "its entitlements are not what they should be")
	case !a.settledTaking(a.step.Revoke):
		if setting == nil {
			a.acknowledge()
		}
		return a.unsureAttributes(), a.unsettledGiving("the app does not show what was taken")
	}
	digest := a.link.Attributes
	if a.step.Attributes {
		var notShown error
		if digest, notShown = a.confirmAttributes(account, want.Attributes, setting); notShown != nil && len(a.step.Grant)+len(a.step.Revoke) == 0 {
			return performed{shown: &digest}, notShown
		} // else the step is done for the entitlements, and the next plan has one for the attributes
	}
	proof := assess.Proof{Attributes: digest}
	if frozen {
		proof.Lacks = set.Minus(want.EntitlementNames(), account.Entitlements)
	}
	proven := a.proven("updated", proof)
	proven.detail = map[string]any{"granted": a.step.Grant, "revoked": a.step.Revoke, "attributes": a.step.Attributes}
	if a.step.Sessions {
		proven.detail["sessions"] = "ended"
	}
	return proven, nil
}

// remaining returns what is left to grant and to revoke. If an earlier attempt may have done
// some of it, the account is read first: not every app ignores a repetition, and some list a
// member twice.
func (a *stepAttempt) remaining(id string) (grant, revoke []string, found bool, err error) {
	if !a.unproven || !a.settled() || len(a.step.Grant)+len(a.step.Revoke) == 0 {
		return a.step.Grant, a.step.Revoke, true, nil
	}
	account, found, err := a.read(id)
	return set.Minus(a.step.Grant, account.Entitlements), set.Intersect(a.step.Revoke, account.Entitlements), found, err
}
