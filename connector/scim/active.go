package scim

import (
	"context"

	"github.com/tenurehq/tenure/connector"
)

// Disable implements connector.Connector. Where that deletes the account, one that
// is gone is disabled already.
func (c *client) Disable(ctx context.Context, accountID string) error {
	tells := c.service.learned.omitsFalse.Load()
	if c.unseen() {
		// Whether it shows that it is active, while it is, tells what it means if it
		// shows nothing later. That it cannot be read is no reason not to disable it.
		user, _, err := c.get(ctx, connector.OpDisable, accountID)
		active, shown, unclear := user.active(connector.OpDisable)
		tells = err == nil && unclear == nil && shown && active
	}
	err := c.change(ctx, request{op: connector.OpDisable, id: accountID}, edit{core("active"), false})
	if err == nil && tells {
		c.service.learned.disabled.Store(idKey(accountID), true)
	}
	if c.traits.destructiveDisable && connector.Is(err, connector.KindNotFound) {
		return nil
	}
	return err
}

// Enable implements connector.Connector.
func (c *client) Enable(ctx context.Context, accountID string) error {
	c.service.learned.disabled.Delete(idKey(accountID))
	return c.change(ctx, request{op: connector.OpEnable, id: accountID}, edit{core("active"), true})
}

// unseen reports whether it is not known how the service shows an account that is not
// active.
func (c *client) unseen() bool {
	l := &c.service.learned
	return !c.traits.omitsFalse && !c.traits.destructiveDisable && !l.showsFalse.Load() && !l.omitsFalse.Load()
}

// active reads the attribute of that name. An account of which the service does not say
// counts as active: nobody's access has ended until that is proven. It is proven by the
// showsInactive setting, and of an account that has been disabled where it had shown
// that it was active: some services leave out what is false.
func (c *client) active(op string, user resource) (bool, error) {
	l := &c.service.learned
	active, shown, err := user.active(op)
	id := idKey(user.text("id"))
	_, disabled := l.disabled.Load(id)
	switch {
	case err != nil:
		return false, err
	case shown && !active:
		l.showsFalse.Store(true)
		l.omitsFalse.Store(false)
		l.disabled.Delete(id)
	case shown:
		// still, or again: what was disabled may be shown late
	case c.traits.omitsFalse:
		return false, nil
	case disabled:
		l.omitsFalse.Store(true)
		return false, nil
	}
	return active, nil
}
