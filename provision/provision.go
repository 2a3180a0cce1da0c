package provision

import (
	"cmp"
	"errors"
	"time"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/policy"
)

// provision makes sure that the account is there, the person's, enabled or not
// as the step says, with its attributes and entitlements.
func (t *task) provision() (done, error) {
	want := t.d.account(t.step.App)
	account, found, err := t.locate()
	if err != nil {
		return done{}, err
	}
	if !found && t.appears() {
		return t.whenSignedIn(want), nil
	}
	action := "enabled"
	if !found {
		if account, action, err = t.create(want); err != nil {
			return done{}, err
		}
	} else if t.link.AccountID == "" {
		action = "adopted"
	}
	if action == "enabled" && !t.step.Enabled {
		action = "prepared"
	}
	if action != "created" {
		if err := t.bringUp(account, want); err != nil {
			return done{}, err
		}
	}
	if err := t.revoke(account.ID, without(t.link.Entitlements, t.step.Grant)); err != nil {
		return done{}, err
	}
	if err := t.grant(account.ID, without(t.step.Grant, account.Entitlements)); err != nil {
		return done{}, err
	}
	account, err = t.confirm(account.ID, t.step.Enabled, t.step.Grant)
	if err != nil {
		return done{}, err
	}
	// What the app does not keep is no reason not to give access: that there is
	// something to set is planned next, and says so.
	attributes, _ := t.shows(account, want.Attributes, action != "created")
	fresh := t.link.AccountID != account.ID
	link := t.link
	link.AccountID, link.Username = account.ID, account.Username
	link.Adopted = link.Adopted || action == "adopted"
	link.Attributes = cmp.Or(attributes.digest, ledger.AttributesUnknown)
	link.Entitlements = t.step.Grant
	link.ProvenAt = t.a.Clock.Now()
	link.DeletedAt, link.DoubtUntil, link.Creating = time.Time{}, time.Time{}, ledger.Creation{}
	if fresh {
		link.CreatedAt = link.ProvenAt
	}
	link.StrippedAt, link.HandedOverAt, link.DisabledAt = time.Time{}, time.Time{}, time.Time{}
	link.State = ledger.LinkActive
	if !t.step.Enabled {
		link.State, link.DisabledAt = ledger.LinkDisabled, link.ProvenAt
	}
	return done{link: link, action: action, created: fresh, detail: map[string]any{"granted": t.step.Grant}}, nil
}

// locate finds the person's account: the linked one, else one that correlates. An
// earlier attempt whose answer was lost may have made it.
func (t *task) locate() (connector.Account, bool, error) {
	if t.link.AccountID != "" {
		account, found, err := t.read(t.link.AccountID)
		if found || err != nil {
			return account, found, err
		}
		t.link.AccountID = "" // deleted behind our back
	}
	matches, err := t.find(t.d.Keys)
	if err != nil || len(matches) == 0 {
		return connector.Account{}, false, err
	}
	if len(matches) > 1 {
		return connector.Account{}, false, ambiguous()
	}
	return matches[0].Account, true, t.claim(matches[0])
}

func (t *task) adopt(id string) error {
	if !t.app.Capabilities().Adopt {
		return nil
	}
	return t.app.Adopt(t.ctx, id, t.d.Person.PersonID)
}

func (t *task) create(want policy.Account) (connector.Account, string, error) {
	if !t.app.Capabilities().Create {
		return connector.Account{}, "", connector.Unsupported(connector.OpCreate)
	}
	before := t.link.Creating
	if err := t.creating(); err != nil {
		return connector.Account{}, "", err
	}
	account, err := t.app.Create(t.ctx, connector.Spec{
		PersonID:   t.d.Person.PersonID,
		Username:   t.d.Person.Username,
		Active:     t.step.Enabled,
		Attributes: want.Attributes,
	})
	if noted := t.created(before, err); noted != nil {
		return connector.Account{}, "", noted
	}
	acknowledged := connector.Is(err, connector.KindContradictory)
	if !acknowledged && !connector.Is(err, connector.KindExists) {
		return account, "created", err
	}
	// The app took the call and did not show what came of it. Or somebody made it since
	// we looked: an attempt of ours whose answer was lost, or the account was always
	// there under a key that cannot be searched.
	account, found, sought := t.locate()
	switch {
	case sought != nil:
		return account, "", sought
	case found && acknowledged:
		return account, "created", t.bringUp(account, want)
	case found:
		return account, "adopted", nil
	case acknowledged:
		return account, "", err
	}
	return account, "", &connector.Error{
		Kind: connector.KindConflict, Op: "create",
		Message: "the username is taken by an account that is not this person's: rename that account, or set its external ID to the person ID",
	}
}

// bringUp sets an account that was there to what it should be.
func (t *task) bringUp(account connector.Account, want policy.Account) error {
	if err := t.setMissing(account, want.Attributes); err != nil {
		return err
	}
	if account.Active == t.step.Enabled {
		return nil
	}
	return t.setActive(account.ID, t.step.Enabled)
}

func ambiguous() error {
	return &connector.Error{
		Kind: connector.KindConflict, Op: "find",
		Message: "several accounts match this person: leave one, or set its external ID to the person ID",
	}
}

// confirm reads the account back: it must be as enabled as wanted and have at
// least these entitlements.
func (t *task) confirm(id string, enabled bool, entitlements []string) (connector.Account, error) {
	account, found, err := t.read(id)
	switch {
	case err != nil:
		return account, err
	case !found:
		return account, notYet("read", "the account is not there")
	case account.Active != enabled:
		return account, notYet("read", "the account is not as enabled as it should be")
	case len(without(entitlements, account.Entitlements)) > 0:
		return account, notYet("read", "an entitlement is missing")
	}
	return account, nil
}

// update grants, revokes and sets attributes. None of them keeps the others from being
// done: least of all what is given from what is taken.
func (t *task) update() (done, error) {
	want := t.d.account(t.step.App)
	if t.link.AccountID == "" && t.appears() {
		account, found, err := t.signedIn()
		if err != nil {
			return done{}, err
		}
		if !found {
			return t.whenSignedIn(want), nil
		}
		t.link.AccountID, t.link.Username = account.ID, account.Username
	}
	id := t.link.AccountID
	grant, revoke, found, err := t.left(id)
	switch {
	case err != nil:
		return t.unsure(), err
	case !found:
		return t.vanished(), nil
	}
	granted := t.grant(id, grant)
	entitled := errors.Join(t.revoke(id, revoke), granted)
	var set error
	if t.step.Attributes && (entitled == nil || !ErrorOf(entitled).Retryable) {
		set = t.setAttributes(id, want.Attributes)
	}
	if connector.Is(granted, connector.KindNotFound) || connector.Is(set, connector.KindNotFound) {
		return t.vanished(), nil
	}
	wanted := namesOf(want.Entitlements)
	account, found, err := t.read(id)
	switch {
	case entitled != nil:
		return t.unsure(), entitled
	case err != nil:
		return t.unsure(), errors.Join(set, err)
	case !found:
		return t.vanished(), nil
	case len(without(wanted, account.Entitlements)) > 0 || len(intersect(t.step.Revoke, account.Entitlements)) > 0:
		return t.unsure(), notYet("read", "its entitlements are not what they should be")
	}
	link := t.link
	if t.step.Attributes {
		var unset error
		if link.Attributes, unset = t.attributesOf(account, want.Attributes, set); unset != nil && len(t.step.Grant)+len(t.step.Revoke) == 0 {
			return done{shown: &link.Attributes}, unset
		} // else what was granted and revoked is, and the attributes are a step of their own
	}
	link.Entitlements = wanted
	link.ProvenAt = t.a.Clock.Now()
	return done{link: link, action: "updated", detail: map[string]any{
		"granted": t.step.Grant, "revoked": t.step.Revoke, "attributes": t.step.Attributes,
	}}, nil
}

// left is what is left to grant and to revoke. Where an earlier attempt may have done
// some of it, its answer having been lost, the account is read first: not every app takes
// a repetition for nothing, and some list a member twice.
func (t *task) left(id string) (grant, revoke []string, found bool, err error) {
	if !t.again || len(t.step.Grant)+len(t.step.Revoke) == 0 {
		return t.step.Grant, t.step.Revoke, true, nil
	}
	account, found, err := t.read(id)
	return without(t.step.Grant, account.Entitlements), intersect(t.step.Revoke, account.Entitlements), found, err
}

// intersect lists what is in both.
func intersect(a, b []string) []string { return without(a, without(a, b)) }
