// Package trial tries an app's connector from end to end: as whom it signs in and
// what it may do, and, with an account of its own that it deletes in the end,
// whether creating, granting, disabling, enabling and deleting really have the
// effect that they should. It imports the connector contract only.
package trial

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tenurehq/tenure/connector"
)

// Step is one thing that was tried.
type Step struct {
	What string        // "create the account"
	Note string        // what was seen; may be empty
	Err  error         // nil: it did what it should
	Took time.Duration // of the app's calls
}

// Trial is a connector being tried. Say is told of each step when it is over.
type Trial struct {
	Connector connector.Connector
	Say       func(Step)

	failed bool
}

// ErrFailed says that a step failed; Say was told which and why.
var ErrFailed = errors.New("the app did not do what it should")

// do tries one step and says how it went.
func (t *Trial) do(what string, try func() (note string, err error)) bool {
	began := time.Now()
	note, err := try()
	t.failed = t.failed || err != nil
	t.Say(Step{What: what, Note: note, Err: err, Took: time.Since(began)})
	return err == nil
}

func (t *Trial) result() error {
	if t.failed {
		return ErrFailed
	}
	return nil
}

// Look makes calls that change nothing: it signs in, looks whether the rights are
// there that the connector needs, and looks for an account that nobody has.
func (t *Trial) Look(ctx context.Context) error {
	signedIn := t.do("sign in", func() (string, error) {
		identity, err := t.Connector.Check(ctx)
		return "as " + identity, err
	})
	if !signedIn {
		return t.result()
	}
	if prober, ok := connector.As[connector.Prober](t.Connector); ok {
		for _, finding := range prober.Probe(ctx) {
			t.do(finding.What, func() (string, error) {
				if finding.Problem != "" {
					return "", errors.New(finding.Problem)
				}
				return "", nil
			})
		}
	}
	t.do("look for an account", func() (string, error) {
		matches, err := t.Connector.Find(ctx, connector.Keys{PersonID: "tenure-test-nobody", Username: "tenure-test-nobody"})
		if err == nil && len(matches) > 0 {
			err = fmt.Errorf("found %d accounts that match nobody: the app ignores what is asked for", len(matches))
		}
		return "none, as it should be", err
	})
	if lister, ok := connector.As[connector.Lister](t.Connector); ok {
		t.do("list accounts", func() (string, error) {
			for _, err := range lister.List(ctx) {
				return "the first came", err
			}
			return "there are none", nil
		})
	}
	return t.result()
}

// Live plays an account's life: it is made, given an entitlement each, disabled,
// enabled, stripped and deleted, and read back after each. What is left of it if
// a step fails is disabled and deleted, as far as the app lets us.
func (t *Trial) Live(ctx context.Context, spec connector.Spec, entitlements []string) error {
	creator, ok := connector.As[connector.Creator](t.Connector)
	if !ok || !connector.CapabilitiesOf(t.Connector).Create {
		return errors.New("the connector makes no accounts, so there is nothing to try with")
	}
	var account connector.Account
	made := t.do("create the account", func() (_ string, err error) {
		account, err = creator.Create(ctx, spec)
		if err != nil {
			return "", err
		}
		return "", t.expect(ctx, account.ID, spec.Active, nil)
	})
	if account.ID == "" {
		return t.result()
	}
	gone := false
	// Whatever happens, no test account is left enabled: not even if ctx is done.
	defer func() {
		if !gone {
			t.cleanUp(context.WithoutCancel(ctx), account.ID)
		}
	}()
	if made {
		t.change(ctx, account.ID, entitlements)
	}
	if deleter, ok := connector.As[connector.Deleter](t.Connector); ok && !t.failed {
		gone = t.do("delete the account", func() (string, error) {
			if err := deleter.Delete(ctx, account.ID); err != nil {
				return "", err
			}
			if _, err := t.Connector.Read(ctx, account.ID); !isKind(err, connector.KindNotFound) {
				return "", errors.Join(errors.New("read again, the account is still there"), err)
			}
			return deletion(deleter.Deletion()), nil
		})
	}
	return t.result()
}

func deletion(d connector.Deletion) string {
	if d.RecycleBin == 0 {
		return "gone for good"
	}
	return fmt.Sprintf("gone; the app keeps it for %d days", int(d.RecycleBin.Hours()/24))
}

// change tries all that can be done with an account that is there, until
// something fails.
func (t *Trial) change(ctx context.Context, id string, entitlements []string) {
	if entitler, ok := connector.As[connector.Entitler](t.Connector); ok && len(entitlements) > 0 {
		granted := t.do("grant", func() (string, error) {
			if err := entitler.Grant(ctx, id, entitlements); err != nil {
				return "", err
			}
			return fmt.Sprint(entitlements), t.expect(ctx, id, true, entitlements)
		})
		if !granted {
			return
		}
	}
	if !t.toggle(ctx, id) {
		return
	}
	if entitler, ok := connector.As[connector.Entitler](t.Connector); ok && len(entitlements) > 0 {
		t.do("revoke", func() (string, error) {
			if err := entitler.Revoke(ctx, id, entitlements); err != nil {
				return "", err
			}
			account, err := t.Connector.Read(ctx, id)
			if err == nil && slices.ContainsFunc(account.Entitlements, func(n string) bool { return slices.Contains(entitlements, n) }) {
				err = errors.New("read again, the account still has it")
			}
			return "", err
		})
	}
}

// toggle disables the account and, where that can be undone, enables it again.
func (t *Trial) toggle(ctx context.Context, id string) bool {
	toggle, ok := connector.As[connector.Switch](t.Connector)
	if !ok {
		return true
	}
	disabled := t.do("disable the account", func() (string, error) {
		if err := toggle.Disable(ctx, id); err != nil {
			return "", err
		}
		if !toggle.Reversible() {
			return "destructive: the app forgets what is disabled", nil
		}
		return "", t.expect(ctx, id, false, nil)
	})
	if revoker, ok := connector.As[connector.SessionRevoker](t.Connector); ok && disabled {
		disabled = t.do("end its sessions", func() (string, error) { return "", revoker.RevokeSessions(ctx, id) })
	}
	if !disabled || !toggle.Reversible() {
		return false
	}
	return t.do("enable it again", func() (string, error) {
		if err := toggle.Enable(ctx, id); err != nil {
			return "", err
		}
		return "", t.expect(ctx, id, true, nil)
	})
}

// expect reads the account back.
func (t *Trial) expect(ctx context.Context, id string, active bool, entitlements []string) error {
	account, err := t.Connector.Read(ctx, id)
	if err != nil {
		return err
	}
	if account.Active != active {
		return fmt.Errorf("read again, the account's being enabled is %v", account.Active)
	}
	for _, name := range entitlements {
		if !slices.Contains(account.Entitlements, name) {
			return fmt.Errorf("read again, the account does not have %q", name)
		}
	}
	return nil
}

func (t *Trial) cleanUp(ctx context.Context, id string) {
	const patience = 30 * time.Second
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	t.do("clean up", func() (string, error) {
		if toggle, ok := connector.As[connector.Switch](t.Connector); ok {
			err := toggle.Disable(ctx, id)
			if err == nil {
				err = t.expect(ctx, id, false, nil)
			}
			if err != nil && !isKind(err, connector.KindNotFound) {
				return "", fmt.Errorf("the test account %s may still be enabled: %w", id, err)
			}
		}
		deleter, ok := connector.As[connector.Deleter](t.Connector)
		if !ok {
			return fmt.Sprintf("the app deletes nothing: the test account %s stays, disabled", id), nil
		}
		if err := deleter.Delete(ctx, id); err != nil {
			return "", fmt.Errorf("the test account %s is still there: %w", id, err)
		}
		return "the test account is deleted", nil
	})
}

func isKind(err error, kind connector.ErrorKind) bool {
	var e *connector.Error
	return errors.As(err, &e) && e.Kind == kind
}
