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

// Life is what is tried with an account of the trial's own.
type Life struct {
	// Account is made. Its username and its person ID are nobody else's.
	Account connector.Spec
	// Email and EmployeeNumber are what else it may be found by; may be empty.
	Email, EmployeeNumber string
	// Changed are its attributes with other values, all of them, as an Updater takes them.
	Changed map[string]any
	// Cleared are they with none where there may be none.
	Cleared map[string]any
	// Entitlements are granted and revoked.
	Entitlements []string
}

// Live plays an account's life: it is made, its attributes are changed, it is granted an
// entitlement each, disabled, enabled, stripped and deleted, and read back after each. What an app
// shows late is waited for. Whatever fails, and if ctx is done meanwhile, what there is
// of the account is disabled and deleted, as far as the app lets us, and what is left
// is named.
func (t *Trial) Live(ctx context.Context, life Life) error {
	if !t.can().Create {
		return errors.New("the connector makes no accounts, so there is nothing to try with")
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	left := &leftover{life: life, doubt: true}
	// Whatever happens, no test account is left enabled: not even if ctx is done.
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

func rateLimited(err error) bool { return connector.Is(err, connector.KindRateLimited) }

// refused reports whether an error of a creation says that nothing was made: see
// connector.Connector.
func refused(err error) bool {
	return slices.ContainsFunc([]connector.ErrorKind{
		connector.KindInvalid, connector.KindForbidden, connector.KindUnauthorized, connector.KindUnsupported, connector.KindRateLimited,
	}, func(kind connector.ErrorKind) bool { return connector.Is(err, kind) })
}

// deleted waits until a deleted account is gone, or is kept disabled.
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

// play tries all that can be done with an account that is there, until something
// fails.
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

// set sets attributes and looks whether those show that are others than before. An
// attribute that the app does not show, neither before nor after, is named in the note:
// what comes of it cannot be told.
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

// oneByOne finds out which of the attributes it is that the app refuses to change, and
// names them. together is how it refused all of them.
func (t *Trial) oneByOne(ctx context.Context, id string, to map[string]any, together error) error {
	if !connector.Is(together, connector.KindInvalid) && !connector.Is(together, connector.KindUnsupported) {
		return together
	}
	var failures []error
	for _, name := range slices.Sorted(maps.Keys(to)) {
		if err := t.Connector.Update(ctx, id, map[string]any{name: to[name]}); err != nil {
			if !strings.Contains(err.Error(), strconv.Quote(name)) { // else it names it itself
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

// unset names the attributes that show as they did before they were set, which they
// should not, sorted.
func unset(before, now connector.Account, to map[string]any) (names []string) {
	for _, name := range slices.Sorted(maps.Keys(to)) {
		was, is := before.Attributes[name], now.Attributes[name]
		if !empty(was) && reflect.DeepEqual(was, is) && !reflect.DeepEqual(is, to[name]) {
			names = append(names, name)
		}
	}
	return names
}

// hidden names the attributes that should have a value and have none, sorted.
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

// toggle disables the account and, where that can be undone, enables it again.
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

// expect reads the account back, until it is as it should be.
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
