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

// shown is what an account, read again, shows of the attributes that it is to have.
type shown struct {
	digest  string   // of what it shows, or ledger.AttributesUnknown
	dropped []string // names of those that it does not show as they were set
}

// shownAttributes compares what the account shows with what it is to have. Of attributes that the
// person has no value for, those that were cleared must show none: what the app itself
// puts into a new account is its own affair. Neither those that the app is known not to
// keep count nor, where there is nobody to set them, any.
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
	if len(dropped) > 0 && digest == policy.Digest(wanted) {
		digest = ledger.AttributesUnknown // what is missing is not among the attributes
	}
	return shown{digest, dropped}, nil
}

// confirmAttributes is the digest of what the account shows once its attributes have been set,
// and the error if that is not what was wanted: setting, that of setting them, if there was
// one. What is shown as wanted has been set, whatever the app has answered.
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
	case len(seen.dropped) == 0:
		return seen.digest, nil
	case setting != nil:
		return seen.digest, setting
	}
	return seen.digest, notKept(a.step.App, seen.dropped)
}

// unsureAttributes is the outcome of a failed update of which it is not known what it has set. An
// account that was adopted and is to be brought up to policy still is.
func (a *stepAttempt) unsureAttributes() performed {
	if !a.step.Attributes || a.link.JustAdopted() {
		return performed{}
	}
	unknown := ledger.AttributesUnknown
	return performed{shown: &unknown}
}

// lacksMark reports whether the account does not show that it is the person's, where
// Tenure marks accounts.
func (a *stepAttempt) lacksMark(account connector.Account) bool {
	return a.app.Capabilities().Adopt && account.ExternalID == ""
}

// markAgain marks the account as the person's if it is not, and reads it again. An app that
// will not have that is one that does not keep the mark.
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

// notKept is the failure of an app that takes attributes and does not keep them. It may
// yet show them: not every app does so at once.
func notKept(app string, names []string) *Error {
	return &Error{
		Code: CodeNotKept,
		Message: "the app took them but, read again, does not show these as they were set: " + strings.Join(names, ", ") +
			". Have the app keep them (many want attributes declared first), or name them in apps." + app + ".ignore, then retry",
		Retryable: true,
	}
}
