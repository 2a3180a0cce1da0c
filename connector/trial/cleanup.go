package trial

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/connector"
)

// longestCleanUp bounds how long cleaning up takes: each look and each change in it has
// the trial's patience.
const longestCleanUp = 3 * time.Minute

// leftover describes what there is to clean up.
type leftover struct {
	life  Life
	id    string // of the test account; empty if unknown
	doubt bool   // the app may have created an account whose ID is unknown
	gone  bool   // nothing is left
}

// cleanUp disables and deletes the test account. It looks for it by its ID and by every
// key, since an app may have created it without saying so. The step names what may be
// left, and how to find it.
func (t *Trial) cleanUp(ctx context.Context, left *leftover) {
	ctx, cancel := context.WithTimeout(ctx, longestCleanUp)
	defer cancel()
	t.do("clean up", func() (string, error) {
		var notes []string
		var failures []error
		remove := func(id string) {
			note, err := t.remove(ctx, id, left.life)
			if err != nil {
				failures = append(failures, err)
				return
			}
			notes = append(notes, note)
		}
		if left.id != "" {
			remove(left.id)
		}
		others, err := t.search(ctx, left)
		for _, id := range others {
			remove(id)
		}
		if err != nil && (left.doubt || len(failures) > 0) {
			failures = append(failures, err)
		}
		if len(notes) == 0 && len(failures) == 0 {
			notes = append(notes, "no test account was made")
		}
		return strings.Join(notes, "; "), errors.Join(failures...)
	})
}

// remove disables the account, and deletes it if the app can. It tries both, even if one
// fails.
func (t *Trial) remove(ctx context.Context, id string, life Life) (note string, err error) {
	var failures []error
	failed := func(what string, err error) {
		if err != nil && !connector.Is(err, connector.KindNotFound) {
			failures = append(failures, fmt.Errorf("%s it: %w", what, err))
		}
	}
	can := t.can()
	if can.Disable {
		failed("disable", t.await(ctx, mayPass, func() error { return t.Connector.Disable(ctx, id) }))
	}
	if can.Delete {
		failed("delete", t.await(ctx, mayPass, func() error { return t.Connector.Delete(ctx, id) }))
	}
	if can.Entitlements && (!can.Delete || len(failures) > 0) && len(life.Entitlements) > 0 {
		failed("strip", t.await(ctx, mayPass, func() error { return t.Connector.Revoke(ctx, id, life.Entitlements) }))
	}
	kept := false
	read := t.await(ctx, mayPass, func() error {
		account, err := t.Connector.Read(ctx, id)
		switch {
		case connector.Is(err, connector.KindNotFound):
			kept = false
			return nil
		case err != nil:
			return err
		case account.Active:
			return unlike("the account is enabled")
		}
		kept = true
		return nil
	})
	switch {
	case read != nil:
		return "", fmt.Errorf("the test account %s (%s) MAY STILL BE ENABLED: disable and delete it in the app: %w", id, known(life), errors.Join(append(failures, read)...))
	case !kept && life.Login != "":
		return "the login has no access any more", nil
	case kept && len(failures) > 0:
		return "", fmt.Errorf("the test account %s (%s) is disabled, and is still there: %w", id, known(life), errors.Join(failures...))
	case kept && can.Delete:
		return fmt.Sprintf("the app keeps the test account %s, disabled", id), nil
	case kept:
		return fmt.Sprintf("the app deletes nothing: the test account %s stays, disabled", id), nil
	}
	return "the test account is deleted", nil
}

// known returns how somebody can find the test account in the app.
func known(life Life) string {
	if life.Login != "" {
		return fmt.Sprintf("login %q", life.Login)
	}
	return fmt.Sprintf("username %q, external ID %q", life.Account.Username, life.Account.PersonID)
}

// search returns the IDs of test accounts other than the one with the known ID. It looks
// by every key. If the app may have created an account whose ID is unknown, it also goes
// through the list, and waits until an account shows.
func (t *Trial) search(ctx context.Context, left *leftover) (ids []string, err error) {
	passes := func(err error) bool { return left.doubt && mayPass(err) }
	err = t.await(ctx, passes, func() error {
		var failures []error
		for _, keys := range left.life.keys() {
			matches, err := t.Connector.Find(ctx, keys)
			if err != nil {
				failures = append(failures, err)
				continue
			}
			for _, match := range matches {
				ids = append(ids, left.ours(match.Account)...)
			}
		}
		if len(ids) == 0 && left.doubt {
			listed, err := t.listed(ctx, left)
			ids = append(ids, listed...)
			if err != nil {
				failures = append(failures, err)
			}
		}
		if len(ids) > 0 {
			return nil
		}
		if err := errors.Join(failures...); err != nil {
			return err
		}
		if left.doubt {
			return unlike("the app shows no such account")
		}
		return nil
	})
	slices.Sort(ids)
	ids = slices.Compact(ids)
	if err != nil {
		err = fmt.Errorf("a test account may have been made, ENABLED, and is not found: look in the app for %s, and disable and delete it: %w", known(left.life), err)
	}
	return ids, err
}

// listed returns the IDs of test accounts among all accounts of the app.
func (t *Trial) listed(ctx context.Context, left *leftover) (ids []string, err error) {
	if !t.can().List {
		return nil, nil
	}
	for account, err := range t.Connector.List(ctx) {
		if err != nil {
			return ids, err
		}
		ids = append(ids, left.ours(account)...)
	}
	return ids, nil
}

// keys returns the keys by which the account can be found, one at a time.
func (l Life) keys() []connector.Keys {
	all := []connector.Keys{
		{PersonID: l.Account.PersonID}, {Username: l.Account.Username}, {EmployeeNumber: l.EmployeeNumber}, {Email: l.Email},
	}
	return slices.DeleteFunc(all, func(k connector.Keys) bool { return k == connector.Keys{} })
}

// ours returns the ID of an account that is the trial's own beyond doubt: it has the
// external ID, or the username, which some apps make longer. It returns nothing for the
// account with the known ID.
func (l *leftover) ours(account connector.Account) []string {
	made := l.life.Account
	named := made.Username != "" && strings.Contains(strings.ToLower(account.Username), strings.ToLower(made.Username))
	marked := made.PersonID != "" && account.ExternalID == made.PersonID
	if account.ID == l.id || !named && !marked {
		return nil
	}
	return []string{account.ID}
}
