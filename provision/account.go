package provision

import (
	"context"
	"maps"
	"slices"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/set"
)

// The methods below call the connector for the account of the step.

func (a *stepAttempt) find(keys connector.Keys) ([]connector.Match, error) {
	return a.app.Find(a.ctx, keys)
}

// read returns the account as the app shows it, or false if it is not there.
func (a *stepAttempt) read(id string) (connector.Account, bool, error) { return a.readIn(a.ctx, id) }

// readState reads the account without the calls that only its entitlements need, so these
// may be missing.
func (a *stepAttempt) readState(id string) (connector.Account, bool, error) {
	return a.readIn(connector.SparingEntitlements(a.ctx), id)
}

// prove reads the account as proof that it has these entitlements. The error is Lacking's if the
// app does not show one of them, and the connector has looked no further.
func (a *stepAttempt) prove(id string, entitlements []string) (connector.Account, bool, error) {
	if len(entitlements) == 0 {
		return a.read(id)
	}
	return a.readIn(connector.Expecting(a.ctx, entitlements), id)
}

func (a *stepAttempt) readIn(ctx context.Context, id string) (connector.Account, bool, error) {
	account, err := a.app.Read(ctx, id)
	if connector.Is(err, connector.KindNotFound) {
		return connector.Account{}, false, nil
	}
	return account, err == nil, err
}

func (a *stepAttempt) setActive(id string, active bool) error {
	if active {
		return a.app.Enable(a.ctx, id)
	}
	return a.app.Disable(a.ctx, id)
}

// setAttributes sets every mapped attribute of an account that was there before. It clears
// those that the person has no value for.
func (a *stepAttempt) setAttributes(id string, wanted map[string]any) error {
	all := a.mapped(wanted)
	if len(all) == 0 {
		return nil
	}
	return a.app.Update(a.ctx, id, all)
}

// setMissing sets the attributes unless the account is known to have all of them as wanted.
// Under a quota, an attempt that sends again what an earlier one has done may never get
// to what is left.
func (a *stepAttempt) setMissing(account connector.Account, wanted map[string]any) error {
	missing, err := connector.Dropped(a.ctx, a.app, account, a.mapped(wanted))
	if err == nil && len(missing) == 0 && a.settled() {
		return nil
	}
	return a.setAttributes(account.ID, wanted) // its error says what is wrong with an attribute
}

// mapped returns a value for every mapped attribute: an empty one clears it. It is nil
// where no attribute is mapped, or the app cannot set any.
func (a *stepAttempt) mapped(wanted map[string]any) map[string]any {
	rules, _ := a.engine.Policy.App(a.step.App)
	if !a.app.Capabilities().Update || len(rules.Attributes) == 0 {
		return nil
	}
	all := make(map[string]any, len(rules.Attributes))
	for _, name := range rules.Attributes {
		all[name] = ""
	}
	maps.Copy(all, wanted)
	return all
}

// given returns the entitlements that Tenure gave the account, or may have given it.
func (a *stepAttempt) given() []string {
	return slices.Concat(a.link.Entitlements, set.Minus(a.link.Unsure.Entitlements, a.link.Entitlements))
}

func (a *stepAttempt) revokeSessions(id string) error {
	if !a.app.Capabilities().Sessions {
		return nil // the app offers no more than disabling
	}
	return a.app.RevokeSessions(a.ctx, id)
}
