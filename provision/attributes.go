package provision

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/set"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/policy"
)

// shown describes how the attributes that an account shows differ from those that it should
// have.
type shown struct {
	digest  string   // of the attributes that it shows, or ledger.AttributesUnknown
	dropped []string // the names of those that it does not show as they were set
}

// shownAttributes compares the attributes that the account shows with those that it should
// have. An attribute that the person has no value for must be empty if it was cleared: the
// app may put values of its own into a new account. Attributes that the configuration
// ignores do not count; in an app that cannot update accounts none do.
func (a *stepAttempt) shownAttributes(account connector.Account, wanted map[string]any, cleared bool) (shown, error) {
	rules, _ := a.engine.Policy.App(a.step.App)
	if !a.app.Capabilities().Update {
		return shown{digest: policy.Digest(wanted)}, nil
	}
	expected := map[string]any{}
	for _, name := range set.Minus(rules.Attributes, rules.Ignore) {
		if value, has := wanted[name]; has {
			expected[name] = value
		} else if cleared {
			expected[name] = ""
		}
	}
	dropped, err := connector.Dropped(a.ctx, a.app, account, expected)
	if err != nil {
		return shown{}, err
	}
	seen := map[string]any{}
	maps.Copy(seen, wanted)
	for _, name := range dropped {
		delete(seen, name)
		if value := account.Attribute(name); value != nil {
			seen[name] = value
		}
	}
	if a.lacksMark(account) && !slices.Contains(rules.Ignore, connector.ExternalID) {
		dropped = append(dropped, connector.ExternalID)
	}
	digest := policy.Digest(seen)
	if len(dropped) > 0 && (a.lags() || digest == policy.Digest(wanted)) {
		// What is missing is not among the attributes, or what is shown is out of date.
		digest = ledger.AttributesUnknown
	}
	return shown{digest, dropped}, nil
}

// confirmAttributes returns the digest of the attributes that the account shows after they
// have been set, and an error if they are not as wanted. That is setting, the error of the
// call that set them, if there was one. If they are as wanted, setting does not matter.
func (a *stepAttempt) confirmAttributes(account connector.Account, wanted map[string]any, setting error) (digest string, err error) {
	seen, err := a.shownAttributes(account, wanted, true)
	if err == nil && slices.Contains(seen.dropped, connector.ExternalID) {
		if account, err = a.markAgain(account); err == nil {
			seen, err = a.shownAttributes(account, wanted, true)
		}
	}
	switch {
	case err != nil:
		return ledger.AttributesUnknown, errors.Join(setting, err)
	case setting != nil && !a.settled():
		return ledger.AttributesUnknown, setting // they may be shown as they were once before
	case len(seen.dropped) == 0:
		return seen.digest, nil
	case setting != nil:
		return seen.digest, setting
	}
	if a.lags() {
		return seen.digest, a.notYet(connector.OpRead, "does not show these as they were set: "+strings.Join(seen.dropped, ", "))
	}
	return seen.digest, notKept(a.step.App, seen.dropped)
}

// unsureAttributes returns the outcome of a failed update that may have set attributes. An
// account that was just adopted stays one that has to be brought up to policy.
func (a *stepAttempt) unsureAttributes() performed {
	if !a.step.Attributes || a.link.JustAdopted() {
		return performed{}
	}
	unknown := ledger.AttributesUnknown
	return performed{shown: &unknown}
}

// lacksMark reports whether the app can keep an external ID and the account has none.
func (a *stepAttempt) lacksMark(account connector.Account) bool {
	return a.app.Capabilities().Adopt && account.ExternalID == ""
}

// markAgain sets the account's external ID to the person ID and reads the account again. If
// the app refuses, it returns the account as it was, without an error.
func (a *stepAttempt) markAgain(account connector.Account) (connector.Account, error) {
	if err := a.adopt(account.ID); err != nil {
		if ErrorOf(err).Retryable {
			return account, err
		}
		return account, nil
	}
	again, found, err := a.read(account.ID)
	if err != nil || !found {
		return account, err
	}
	return again, nil
}

// notKept returns the error for an app that accepts attributes and does not show them. It is
// retryable, because some apps show them late.
func notKept(app string, names []string) *Error {
	return &Error{
		Code: CodeNotKept,
		Message: "the app took them but, read again, does not show these as they were set: " + strings.Join(names, ", ") +
			". Have the app keep them (many want attributes declared first), or name them in apps." + app + ".ignore, then retry",
		Retryable: true,
	}
}
