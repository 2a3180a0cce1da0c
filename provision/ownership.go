package provision

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/set"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/policy"
)

// clockSkew is how far the clock of an app may be behind: a call can have made an account
// that seems to be older than the call by that much.
const clockSkew = time.Minute

// isTheirs reports whether an account is certain to be the person's: it has their external
// ID, an attempt of Tenure's made it, or it is the one that was deleted and came back. Others may know anything else that it can match by,
// and may have made an account with it.
func (a *stepAttempt) isTheirs(m connector.Match) (bool, error) {
	if a.carriesID(m) || a.broughtBack(m.Account) {
		return true, nil
	}
	return a.mayHaveMade(m.Account)
}

// carriesID reports whether the account has the person's external ID. The account may
// have been found by another key, since not every app can search for external IDs.
func (a *stepAttempt) carriesID(m connector.Match) bool {
	return m.By == connector.ByExternalID || m.Account.ExternalID == a.d.Person.PersonID
}

// mayHaveMade reports whether a creation of Tenure's whose answer was lost can have made the
// account: the account has the username that was sent, has no external ID, and is no older
// than the call. It cannot if the app said, before such a call, that the username was taken.
// Neither can it if the app is seen to keep external IDs and the call would have set one.
func (a *stepAttempt) mayHaveMade(account connector.Account) (bool, error) {
	c := a.link.Creating
	sent := c.State == ledger.CreationSent || c.State == ledger.CreationAcknowledged
	old := !account.CreatedAt.IsZero() && !a.engine.Clock.Shifted() && account.CreatedAt.Before(c.At.Add(-clockSkew))
	if !sent || old || account.ExternalID != "" || !strings.EqualFold(account.Username, c.Username) {
		return false, nil
	}
	if a.app.Capabilities().MarksLater {
		return true, nil
	}
	marks, err := a.findsByExternalID()
	return !marks && err == nil, err
}

// claim checks that an account may be linked to the person, and sets its external ID. An
// account that is linked to somebody else may not, whatever the app shows.
func (a *stepAttempt) claim(m connector.Match) error {
	if err := a.checkUnowned(m.Account.ID); err != nil {
		return err
	}
	if a.carriesID(m) {
		return nil
	}
	// In an app whose accounts appear at sign-in, the directory has let the person in.
	appeared := a.appearsAtSignIn() && a.link.State != "" && a.link.State != ledger.LinkPlanned
	theirs, err := a.isTheirs(m)
	if err != nil {
		return err
	}
	if theirs || appeared {
		return a.mark(m.Account)
	}
	rules, _ := a.engine.Policy.App(a.step.App)
	if rules.Adopt != policy.AdoptAuto {
		return a.ownershipQuestion(m, rules.Adopt)
	}
	if err := a.mark(m.Account); err != nil {
		return err
	}
	// No human has checked whose the account is. Somebody who uses it already must lose
	// access to it.
	return connector.Reset(a.ctx, a.app, m.Account.ID)
}

// mark sets the external ID of an account that becomes the person's. An account that the app
// may refuse to change while it is off is marked when it is enabled: see bringUp.
func (a *stepAttempt) mark(account connector.Account) error {
	can := a.app.Capabilities()
	if can.EnableFirst && !account.Active && (a.step.Enabled || can.Frozen) {
		_, err := connector.Mark(connector.OpAdopt, account.ExternalID, a.d.Person.PersonID, a.step.App)
		return err
	}
	return a.adopt(account.ID)
}

// checkUnowned returns an error if the account is linked to another person.
func (a *stepAttempt) checkUnowned(accountID string) error {
	links, err := a.engine.Ledger.Links(a.ctx, ledger.LinkFilter{App: a.step.App, AccountID: accountID})
	if err != nil {
		return LedgerError(err)
	}
	for _, l := range links {
		if l.PersonID != a.d.Person.PersonID && l.State != ledger.LinkDeleted {
			return &ledger.TakenError{App: l.App, Owner: l.PersonID}
		}
	}
	return nil
}

// takenByAnother returns the error for an account that is linked to somebody else.
func takenByAnother(taken *ledger.TakenError) *Error {
	return &Error{
		Code: CodeNotTheirs,
		Message: "the account that matches this person is linked to another one: see 'tenure app accounts " + taken.App +
			"'. If it is not the other's, say so with 'tenure app unlink'; else put its username or external ID right in the app, then retry",
	}
}

// ownershipQuestion returns the error that asks an operator whose an account is. It says what
// the account has, and what it would get.
func (a *stepAttempt) ownershipQuestion(m connector.Match, rule policy.Adoption) *Error {
	if rule == policy.AdoptNever {
		return &Error{
			Code: CodeWhose,
			Message: "an account is there already that matches by " + string(m.By) + ", and none is adopted in this app (adopt: never): " +
				"rename it in the app, or set its external ID to the person ID, then retry",
		}
	}
	return &Error{
		Code: CodeWhose,
		Message: fmt.Sprintf("an account is there already that matches by %s, which proves nothing. %s. "+
			"If it is this person's: 'tenure app adopt %s' links it; if not: rename it in the app, then retry",
			m.By, possessions(m.Account, a.d.account(a.step.App).EntitlementNames(), a.engine.Clock.Now()), a.step.App),
	}
}

// mostNamed is how many entitlements a message names.
const mostNamed = 10

// possessions describes an account: its state, its age, and how its entitlements differ from
// those that policy wants.
func possessions(account connector.Account, wanted []string, now time.Time) string {
	parts := []string{map[bool]string{true: "It is enabled", false: "It is disabled"}[account.Active]}
	if !account.CreatedAt.IsZero() {
		parts = append(parts, "was made "+ago(now.Sub(account.CreatedAt)))
	}
	if !account.LastUsedAt.IsZero() {
		parts = append(parts, "was last used "+ago(now.Sub(account.LastUsedAt)))
	}
	parts = append(parts, "has beyond policy: "+named(set.Minus(account.Entitlements, wanted)), "would get: "+named(set.Minus(wanted, account.Entitlements)))
	return strings.Join(parts, ", ")
}

func ago(d time.Duration) string {
	if days := int(d.Hours() / 24); days > 0 {
		return fmt.Sprintf("%d days ago", days)
	}
	return "within a day"
}

// named lists the first entitlements by name, and counts the rest.
func named(names []string) string {
	if len(names) == 0 {
		return "nothing"
	}
	list := strings.Join(names[:min(len(names), mostNamed)], " ")
	if more := len(names) - mostNamed; more > 0 {
		list += fmt.Sprintf(" and %d more", more)
	}
	return list
}

// noteCreating records, before the call, that it may make an account, unless the intent did so. If
// an earlier call is still in doubt, that one stays recorded.
func (a *stepAttempt) noteCreating() error {
	if a.link.Creating.Pending() {
		return nil
	}
	if a.noted.Pending() {
		a.link.Creating, a.noted = a.noted, ledger.Creation{}
		return nil
	}
	return a.noteCreation(ledger.Creation{At: a.engine.Clock.Now(), Username: a.d.Person.Username, State: ledger.CreationSent})
}

// noteCreation records which creation is in doubt.
func (a *stepAttempt) noteCreation(c ledger.Creation) error {
	if c == a.link.Creating {
		return nil
	}
	if err := a.engine.Ledger.NoteCreation(a.ctx, a.d.Person.PersonID, a.step.App, c); err != nil {
		return LedgerError(err)
	}
	a.link.Creating = c
	return nil
}

// nothingMade lists the errors that prove that a creation has made nothing.
var nothingMade = []connector.ErrorKind{
	connector.KindInvalid, connector.KindForbidden, connector.KindUnauthorized, connector.KindUnsupported, connector.KindRateLimited,
}

// noteCreated records whether, after a creation, there may be an account that the app does
// not show. before is the creation that was in doubt before it.
func (a *stepAttempt) noteCreated(before ledger.Creation, account connector.Account, err error) error {
	var protected *connector.ProtectedError
	var app *connector.Error
	after := a.link.Creating
	if err != nil && account.ID != "" {
		after.AccountID = account.ID // it was made, and the rest of it failed
	}
	switch {
	case err == nil && a.changes.settling == 0:
		return nil // the app shows it from now on
	case err == nil:
		after.State, after.AccountID = ledger.CreationAcknowledged, account.ID
	case errors.As(err, &protected):
		after = before
	case !errors.As(err, &app):
		return nil
	case slices.Contains(nothingMade, app.Kind):
		after = before
	case app.Kind == connector.KindContradictory:
		after.State = ledger.CreationAcknowledged
	case app.Kind == connector.KindExists && !before.Pending():
		after.State = ledger.CreationTaken
	}
	return a.noteCreation(after)
}

// unprovenCreation returns the error for an account that a creation may have made and that
// no search has shown: a search that finds nothing proves nothing.
func (a *stepAttempt) unprovenCreation() error {
	says := map[ledger.CreationState]string{
		ledger.CreationSent:         "a call that makes the account was sent, and what came of it is not known",
		ledger.CreationAcknowledged: "the app has taken a call that makes the account, in an answer that does not show it",
		ledger.CreationTaken:        "the app said that there is an account of this username or person",
	}
	return &Error{
		Code: CodeUnproven,
		Message: says[a.link.Creating.State] + ", but it shows none: that proves nothing. Look in the app for the username, and turn the account off. " +
			"Then, or if there is none, say so with 'tenure app unlink " + a.step.App + "'",
	}
}

// creationResolved reports whether a search that finds nothing proves that a creation has
// made nothing. It does if the app shows that somebody else's account has the username. For
// a call without an answer it also does if the app is seen to find by external ID, and sets
// it with the call. It does not if the app has acknowledged the call, or said that such an account exists.
func (a *stepAttempt) creationResolved() (bool, error) {
	c := a.link.Creating
	if !c.Pending() {
		return true, nil
	}
	matches, err := a.find(connector.Keys{Username: c.Username})
	if err != nil {
		return false, err
	}
	for _, m := range matches {
		if owner := m.Account.ExternalID; owner != "" && owner != a.d.Person.PersonID {
			return true, nil
		}
	}
	if c.AccountID != "" {
		return true, nil // the account of this ID is not there any more
	}
	if c.State != ledger.CreationSent || a.app.Capabilities().MarksLater {
		return false, nil
	}
	return a.findsByExternalID()
}

// findsByExternalID reports whether the app is seen to keep external IDs and to find by
// them: it searches for the linked accounts of others, and one of them has to be found.
func (a *stepAttempt) findsByExternalID() (bool, error) {
	witnesses, err := a.witnesses()
	if err != nil {
		return false, err
	}
	for _, l := range witnesses {
		// Whether others are found does not depend on the person's own account.
		matches, err := a.app.Connector.Find(a.ctx, connector.Keys{PersonID: l.PersonID, Username: l.Username})
		if err != nil {
			return false, err
		}
		if len(matches) == 1 && matches[0].Account.ExternalID == l.PersonID && matches[0].Account.ID == l.AccountID {
			return true, nil
		}
	}
	return false, nil
}

// witnesses returns a few linked accounts of others in the app: those that are enabled
// first, and disabled ones if there are not enough, since everybody may have left.
func (a *stepAttempt) witnesses() ([]ledger.Link, error) {
	var few []ledger.Link
	for _, state := range []ledger.LinkState{ledger.LinkActive, ledger.LinkDisabled} {
		links, err := a.engine.Ledger.Links(a.ctx, ledger.LinkFilter{App: a.step.App, State: state, Limit: mostLooked})
		if err != nil {
			return nil, LedgerError(err)
		}
		for _, l := range links {
			if l.AccountID == "" || l.Contested || l.PersonID == a.d.Person.PersonID {
				continue
			}
			if few = append(few, l); len(few) == mostWitnesses {
				return few, nil
			}
		}
	}
	return few, nil
}

// readCreated reads the account that a creation of an earlier attempt has made, if its answer
// said which one. A search may not find it yet.
func (a *stepAttempt) readCreated() (connector.Account, bool, error) {
	id := a.link.Creating.AccountID
	if id == "" {
		return connector.Account{}, false, nil
	}
	account, found, err := a.read(id)
	if !found || err != nil {
		return account, found, err
	}
	return account, true, a.checkUnowned(id)
}

const (
	// mostWitnesses is how many accounts witnesses returns at most.
	mostWitnesses = 3
	// mostLooked is among how many accounts it looks for them: an app may have a great many.
	mostLooked = 100
)

// findOwn finds an account that is certain to be the person's: see isTheirs. Tenure never
// touched an account that has only the username.
func (a *stepAttempt) findOwn() (connector.Account, bool, error) {
	if account, found, err := a.readCreated(); found || err != nil {
		return account, found, err
	}
	switch back, found, err := a.lookBack(); {
	case err != nil:
		return connector.Account{}, false, err
	case found:
		return back.Account, true, a.checkUnowned(back.Account.ID)
	}
	keys := connector.Keys{PersonID: a.d.Person.PersonID, Username: cmp.Or(a.link.Creating.Username, a.d.Person.Username)}
	matches, err := a.find(keys)
	if err != nil {
		return connector.Account{}, false, err
	}
	for _, m := range matches {
		theirs, err := a.isTheirs(m)
		if err != nil {
			return connector.Account{}, false, err
		}
		if theirs {
			return m.Account, true, a.checkUnowned(m.Account.ID)
		}
	}
	return connector.Account{}, false, nil
}
