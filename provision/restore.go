package provision

import (
	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/set"
	"github.com/tenurehq/tenure/ledger"
)

// binned returns the ID of the person's account that was deleted last, if the app has a
// recycle bin. Other apps may give the ID of a deleted account to another one.
func (a *stepAttempt) binned() string {
	if a.engine.traitsOf(a.step.App).RecycleBin == 0 {
		return ""
	}
	return a.link.Binned.AccountID
}

// broughtBack reports whether the account is the deleted one of the person, and is there
// again: Tenure or an administrator brought it back.
func (a *stepAttempt) broughtBack(account connector.Account) bool {
	return account.ID != "" && account.ID == a.binned()
}

// lookBack reads the account that was deleted last: it may have been brought back, and then
// have another username than the person has now.
func (a *stepAttempt) lookBack() (connector.Match, bool, error) {
	id := a.binned()
	if id == "" {
		return connector.Match{}, false, nil
	}
	account, found, err := a.read(id)
	return connector.Match{Account: account, By: connector.ByAccountID}, found, err
}

// restore brings the person's account back from the app's recycle bin. It reports false if
// there is nothing to bring back, and if the account is not in the bin any more.
func (a *stepAttempt) restore() (connector.Account, bool, error) {
	traits := a.engine.traitsOf(a.step.App)
	id := a.binned()
	if id == "" || !traits.Restore || !traits.BackUntil(a.link.Binned.At).After(a.d.Now) {
		return connector.Account{}, false, nil
	}
	if err := a.checkUnowned(id); err != nil {
		return connector.Account{}, false, err
	}
	switch err := a.app.Restore(connector.WithFormerUsername(a.ctx, a.link.Username), id); {
	case connector.Is(err, connector.KindNotFound):
		a.link.Binned = ledger.Binned{} // somebody has emptied the bin
		return connector.Account{}, false, nil
	case connector.Is(err, connector.KindExists, connector.KindConflict):
		return connector.Account{}, false, &connector.Error{
			Kind: connector.KindConflict, Op: connector.OpRestore,
			Message: "the person's account is in the recycle bin and cannot come back, because another account has its username or address by now: " +
				"rename that account, then retry; or remove the deleted one from the bin, and another is made",
		}
	case err != nil:
		return connector.Account{}, false, err
	}
	back, found, err := a.lookBack()
	switch {
	case err != nil:
		return connector.Account{}, false, err
	case !found:
		return connector.Account{}, false, a.notYet(connector.OpRestore, "does not show the account")
	}
	return back.Account, true, a.claim(back)
}

// bare takes from an account that was brought back what it had before and policy does not
// give. It does so before the account is turned on. An account that came back on, and must be
// off, is turned off first.
func (a *stepAttempt) bare(account connector.Account) (connector.Account, error) {
	if account.Active && !a.step.Enabled {
		if err := a.setActive(account.ID, false); err != nil {
			return account, err
		}
		account.Active = false
	}
	return account, a.revoke(account.ID, a.beyond(account))
}

// beyond lists the entitlements that an account has and the step does not give.
func (a *stepAttempt) beyond(account connector.Account) []string {
	if !a.app.Capabilities().Entitlements {
		return nil
	}
	return set.Minus(account.Entitlements, a.step.Grant)
}
