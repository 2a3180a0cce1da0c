package provision

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/policy"
)

// shown is what an account, read again, shows of the attributes that it is to have.
type shown struct {
	digest  string   // of what it shows, or ledger.AttributesUnknown
	dropped []string // names of those that it does not show as they were set
}

// shows compares what the account shows with what it is to have. Of attributes that the
// person has no value for, those that were cleared must show none: what the app itself
// puts into a new account is its own affair. Neither those that the app is known not to
// keep count nor, where there is nobody to set them, any.
func (t *task) shows(account connector.Account, wanted map[string]any, cleared bool) (shown, error) {
	rules, _ := t.a.Policy.App(t.step.App)
	if !t.app.Capabilities().Update {
		return shown{digest: policy.Digest(wanted)}, nil
	}
	set := map[string]any{}
	for _, name := range without(rules.Attributes, rules.Ignore) {
		if value, has := wanted[name]; has {
			set[name] = value
		} else if cleared {
			set[name] = ""
		}
	}
	dropped, err := connector.Dropped(t.ctx, t.app, account, set)
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
	if t.unmarked(account) && !slices.Contains(rules.Ignore, connector.ExternalID) {
		dropped = append(dropped, connector.ExternalID)
	}
	digest := policy.Digest(seen)
	if len(dropped) > 0 && digest == policy.Digest(wanted) {
		digest = ledger.AttributesUnknown // what is missing is not among the attributes
	}
	return shown{digest, dropped}, nil
}

// attributesOf is the digest of what the account shows once its attributes have been set,
// and the error if that is not what was wanted: set, that of setting them, if there was
// one. What is shown as wanted has been set, whatever the app has answered.
func (t *task) attributesOf(account connector.Account, wanted map[string]any, set error) (digest string, err error) {
	seen, err := t.shows(account, wanted, true)
	if err == nil && slices.Contains(seen.dropped, connector.ExternalID) {
		if account, err = t.remark(account); err == nil {
			seen, err = t.shows(account, wanted, true)
		}
	}
	switch {
	case err != nil:
		return ledger.AttributesUnknown, errors.Join(set, err)
	case len(seen.dropped) == 0:
		return seen.digest, nil
	case set != nil:
		return seen.digest, set
	}
	return seen.digest, notKept(t.step.App, seen.dropped)
}

// unsure is the outcome of a failed update of which it is not known what it has set. An
// account that was adopted and is to be brought up to policy still is.
func (t *task) unsure() done {
	if !t.step.Attributes || t.link.JustAdopted() {
		return done{}
	}
	unknown := ledger.AttributesUnknown
	return done{shown: &unknown}
}

// unmarked reports whether the account does not show that it is the person's, where
// Tenure marks accounts.
func (t *task) unmarked(account connector.Account) bool {
	return t.app.Capabilities().Adopt && account.ExternalID == ""
}

// remark marks the account as the person's if it is not, and reads it again. An app that
// will not have that is one that does not keep the mark.
func (t *task) remark(account connector.Account) (connector.Account, error) {
	if err := t.adopt(account.ID); err != nil {
		if ErrorOf(err).Retryable {
			return account, err
		}
		return account, nil
	}
	again, found, err := t.read(account.ID)
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
