package trial

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/set"
)

// Life describes the account that a trial creates, and what it does with it.
type Life struct {
	// Account is the account to create. Nobody else has its username and its person ID.
	Account connector.Spec
	// Login is the login of somebody who exists and lends it to the trial: their access is
	// given and taken. Empty if the app makes accounts.
	Login string
	// Email and EmployeeNumber are further keys of the account; may be empty.
	Email, EmployeeNumber string
	// Changed holds all of its attributes, with other values, in the form that
	// connector.Connector's Update takes.
	Changed map[string]any
	// Cleared is like Changed, and has empty values for those that may be empty.
	Cleared map[string]any
	// Entitlements are granted one by one, and revoked.
	Entitlements []string
}

// Live plays an account's life: it creates the account, changes its attributes, grants
// each entitlement, and disables, enables, strips and deletes the account. After each
// change it reads the account, and waits for what the app shows late. If something fails
// or ctx is done, it disables and deletes the account as far as the app allows, and a
// step names what is left.
func (t *Trial) Live(ctx context.Context, life Life) error {
	if !t.can().Create {
		return errors.New("the connector makes no accounts, so there is nothing to try with")
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if life.Login != "" && !t.unused(ctx, life) {
		return t.result()
	}
	left := &leftover{life: life, doubt: true}
	// No test account may stay enabled, not even if ctx is done.
	defer func() {
		if !left.gone {
			t.cleanUp(context.WithoutCancel(ctx), left)
		}
	}()
	var account connector.Account
	made := t.do("create the account", func() (string, error) {
		err := t.await(ctx, rateLimited, func() (err error) {
			account, err = t.Connector.Create(ctx, life.Account)
			return err
		})
		left.id, left.doubt = account.ID, account.ID == "" && !refused(err)
		left.gone = life.Login != "" && connector.Is(err, connector.KindExists) // somebody else gave the access
		if err != nil {
			return "", err
		}
		return "", t.expect(ctx, account.ID, life.Account.Active, nil)
	})
	if made {
		t.play(ctx, account.ID, life)
	}
	for _, deviation := range t.Connector.Learned() {
		t.do("found out: the app "+deviation, func() (string, error) { return "", nil })
	}
	if t.can().Delete && !t.failed {
		left.gone = t.do("delete the account", func() (string, error) {
			if err := t.change(ctx, func() error { return t.Connector.Delete(ctx, account.ID) }); err != nil {
				return "", err
			}
			return t.deleted(ctx, account.ID)
		})
	}
	return t.result()
}

// unused checks that the login has no access to the app, since the trial takes what it has
// in the end.
func (t *Trial) unused(ctx context.Context, life Life) bool {
	return t.do("see that the login has no access", func() (string, error) {
		for _, keys := range life.keys() {
			matches, err := t.Connector.Find(ctx, keys)
			if err != nil {
				return "", err
			}
			if len(matches) > 0 {
				return "", errors.New("it has access, or is invited, already, and the trial would take that. Nothing was changed: name another login, or take the access first")
			}
		}
		return "", nil
	})
}

func rateLimited(err error) bool { return connector.Is(err, connector.KindRateLimited) }

// refused reports whether an error of Create means that the app created nothing: see
// connector.Connector.
func refused(err error) bool {
	return slices.ContainsFunc([]connector.ErrorKind{
		connector.KindInvalid, connector.KindForbidden, connector.KindUnauthorized, connector.KindUnsupported, connector.KindRateLimited,
	}, func(kind connector.ErrorKind) bool { return connector.Is(err, kind) })
}

// deleted waits until a deleted account is gone, or the app shows it as disabled.
func (t *Trial) deleted(ctx context.Context, id string) (note string, err error) {
	err = t.await(ctx, mayPass, func() error {
		account, err := t.Connector.Read(ctx, id)
		switch {
		case connector.Is(err, connector.KindNotFound):
			note = "gone for good"
			if bin := t.can().RecycleBin; bin > 0 {
				note = fmt.Sprintf("gone; the app keeps it for %d days", int(bin/(24*time.Hour)))
			}
			return nil
		case err != nil:
			return err
		case account.Active:
			return unlike("the account is still there, and enabled")
		}
		note = "the app keeps it, disabled, which proves no deletion: say leaver: {delete: false} for it"
		return nil
	})
	return note, err
}

// play tries everything that can be done with an existing account, until something fails.
func (t *Trial) play(ctx context.Context, id string, life Life) {
	t.keep(ctx, id, life.Account)
	if !t.attributes(ctx, id, life) {
		return
	}
	names := life.Entitlements
	entitled := t.can().Entitlements && len(names) > 0
	if entitled && !t.do("grant", func() (string, error) {
		if err := t.change(ctx, func() error { return t.Connector.Grant(ctx, id, names) }); err != nil {
			return "", err
		}
		return fmt.Sprint(names), t.expect(ctx, id, life.Account.Active, names)
	}) {
		return
	}
	if !t.toggle(ctx, id) || !entitled {
		return
	}
	t.do("revoke", func() (string, error) {
		if err := t.change(ctx, func() error { return t.Connector.Revoke(ctx, id, names) }); err != nil {
			return "", err
		}
		return "", t.shows(ctx, id, func(account connector.Account) error {
			if has := set.Intersect(names, account.Entitlements); len(has) > 0 {
				return unlike("the account still has %q", has)
			}
			return nil
		})
	})
}

// attributes changes the account's attributes and clears those that can be empty.
func (t *Trial) attributes(ctx context.Context, id string, life Life) bool {
	if !t.can().Update {
		return true
	}
	return t.set(ctx, "change attributes", id, life.Account.Attributes, life.Changed) &&
		t.set(ctx, "clear attributes", id, life.Changed, life.Cleared)
}

// set sets attributes, and checks that the app shows the new values. The step's note names
// attributes that the app shows neither before nor after: their values cannot be checked.
func (t *Trial) set(ctx context.Context, what string, id string, from, to map[string]any) bool {
	others := maps.Clone(to)
	maps.DeleteFunc(others, func(name string, value any) bool {
		return slices.Contains(t.Ignore, name) || reflect.DeepEqual(value, from[name]) || empty(value) && empty(from[name])
	})
	if len(others) == 0 {
		return true
	}
	return t.do(what, func() (string, error) {
		before, err := t.Connector.Read(ctx, id)
		if err != nil {
			return "", err
		}
		if err := t.change(ctx, func() error { return t.Connector.Update(ctx, id, to) }); err != nil {
			return "", t.oneByOne(ctx, id, to, err)
		}
		var account connector.Account
		err = t.shows(ctx, id, func(now connector.Account) error {
			account = now
			if same := unset(before, now, others); len(same) > 0 {
				return unlike("the account has as before: %s", strings.Join(same, ", "))
			}
			return nil
		})
		note := strings.Join(slices.Sorted(maps.Keys(others)), ", ")
		if hidden := hidden(before, account, others); len(hidden) > 0 && err == nil {
			note += "; not shown by the app: " + strings.Join(hidden, ", ")
		}
		return note, err
	})
}

// oneByOne changes each attribute by itself, and returns an error that names those that the
// app refuses. together is its error for all of them at once.
func (t *Trial) oneByOne(ctx context.Context, id string, to map[string]any, together error) error {
	if !connector.Is(together, connector.KindInvalid) && !connector.Is(together, connector.KindUnsupported) {
		return together
	}
	var failures []error
	for _, name := range slices.Sorted(maps.Keys(to)) {
		if err := t.Connector.Update(ctx, id, map[string]any{name: to[name]}); err != nil {
			if !strings.Contains(err.Error(), strconv.Quote(name)) { // the error does not name it already
				err = fmt.Errorf("attribute %q: %w", name, err)
			}
			failures = append(failures, err)
		}
	}
	if len(failures) == 0 {
		return fmt.Errorf("%w (each attribute alone is taken)", together)
	}
	return errors.Join(failures...)
}

// unset returns the names, sorted, of the attributes that still show their old value and
// should not.
func unset(before, now connector.Account, to map[string]any) (names []string) {
	for _, name := range slices.Sorted(maps.Keys(to)) {
		was, is := before.Attributes[name], now.Attributes[name]
		if !empty(was) && reflect.DeepEqual(was, is) && !reflect.DeepEqual(is, to[name]) {
			names = append(names, name)
		}
	}
	return names
}

// hidden returns the names, sorted, of the attributes that should have a value and show
// none, neither before nor now.
func hidden(before, now connector.Account, to map[string]any) (names []string) {
	for _, name := range slices.Sorted(maps.Keys(to)) {
		if !empty(to[name]) && empty(before.Attributes[name]) && empty(now.Attributes[name]) {
			names = append(names, name)
		}
	}
	return names
}

func empty(value any) bool {
	list, isList := value.([]string)
	return value == nil || value == "" || isList && len(list) == 0
}

// toggle disables the account and, if that can be undone, enables it again.
func (t *Trial) toggle(ctx context.Context, id string) bool {
	can := t.can()
	if !can.Disable {
		return true
	}
	disabled := t.do("disable the account", func() (string, error) {
		if err := t.change(ctx, func() error { return t.Connector.Disable(ctx, id) }); err != nil {
			return "", err
		}
		if !can.Reversible {
			return "destructive: the app forgets what is disabled", nil
		}
		return "", t.expect(ctx, id, false, nil)
	})
	if disabled && can.Sessions {
		disabled = t.do("end its sessions", func() (string, error) {
			return "", t.change(ctx, func() error { return t.Connector.RevokeSessions(ctx, id) })
		})
	}
	if !disabled || !can.Reversible {
		return false
	}
	return t.do("enable it again", func() (string, error) {
		if err := t.change(ctx, func() error { return t.Connector.Enable(ctx, id) }); err != nil {
			return "", err
		}
		return "", t.expect(ctx, id, true, nil)
	})
}

// expect reads the account until it is as it should be.
func (t *Trial) expect(ctx context.Context, id string, active bool, entitlements []string) error {
	return t.shows(ctx, id, func(account connector.Account) error {
		if account.Active != active {
			return unlike("the account is %s", enabled(account.Active))
		}
		for _, name := range entitlements {
			if !slices.Contains(account.Entitlements, name) {
				return unlike("the account does not have %q", name)
			}
		}
		return nil
	})
}

func enabled(active bool) string {
	if active {
		return "enabled"
	}
	return "disabled"
}
