package provision

import (
	"context"
	"maps"
	"slices"

	"github.com/tenurehq/tenure/connector"
)

// The methods below are the connector's, as a task uses them.

func (t *task) find(keys connector.Keys) ([]connector.Match, error) {
	return t.app.Find(t.ctx, keys)
}

// read gives the account as it is, or false if it is not there.
func (t *task) read(id string) (connector.Account, bool, error) { return t.readIn(t.ctx, id) }

// readState gives the account without its entitlements, where those would have to be
// asked for.
func (t *task) readState(id string) (connector.Account, bool, error) {
	return t.readIn(connector.SparingEntitlements(t.ctx), id)
}

func (t *task) readIn(ctx context.Context, id string) (connector.Account, bool, error) {
	account, err := t.app.Read(ctx, id)
	if connector.Is(err, connector.KindNotFound) {
		return connector.Account{}, false, nil
	}
	return account, err == nil, err
}

func (t *task) setActive(id string, active bool) error {
	if active {
		return t.app.Enable(t.ctx, id)
	}
	return t.app.Disable(t.ctx, id)
}

// setAttributes sets every mapped attribute of an account that was there before:
// those that the person has no value for (any more) are cleared.
func (t *task) setAttributes(id string, wanted map[string]any) error {
	all := t.mapped(wanted)
	if len(all) == 0 {
		return nil
	}
	return t.app.Update(t.ctx, id, all)
}

// setMissing sets the attributes unless the account shows all of them as they are to be.
// Under a quota, an attempt that sends again what an earlier one has done may never get
// to what is left.
func (t *task) setMissing(account connector.Account, wanted map[string]any) error {
	missing, err := connector.Dropped(t.ctx, t.app, account, t.mapped(wanted))
	if err == nil && len(missing) == 0 {
		return nil
	}
	return t.setAttributes(account.ID, wanted) // which says of an attribute what is wrong with it
}

// mapped returns a value for every mapped attribute: an empty one clears it. It is nil
// where no attribute is mapped, or the app cannot set any.
func (t *task) mapped(wanted map[string]any) map[string]any {
	rules, _ := t.a.Policy.App(t.step.App)
	if !t.app.Capabilities().Update || len(rules.Attributes) == 0 {
		return nil
	}
	all := make(map[string]any, len(rules.Attributes))
	for _, name := range rules.Attributes {
		all[name] = ""
	}
	maps.Copy(all, wanted)
	return all
}

func (t *task) grant(id string, names []string) error {
	if len(names) == 0 {
		return nil
	}
	return t.app.Grant(t.ctx, id, names)
}

// revoke takes entitlements that the account shows, or that Tenure gave it or may have
// given it.
func (t *task) revoke(id string, names []string) error {
	if len(names) == 0 {
		return nil
	}
	return t.app.Revoke(connector.WithGiven(t.ctx), id, names)
}

func (t *task) revokeSessions(id string) error {
	if !t.app.Capabilities().Sessions {
		return nil // disabling is all that this app offers
	}
	return t.app.RevokeSessions(t.ctx, id)
}

// notYet is the error for an app whose answer, read back, does not show what was
// asked for: perhaps it needs a moment.
func notYet(op, what string) error {
	return &connector.Error{Kind: connector.KindUnavailable, Op: op, Message: "the app accepted the call but, read again, " + what}
}

// without lists what is in all but not in some.
func without(all, some []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return slices.Contains(some, s) })
}
