package scim

import (
	"context"
	"sync"
	"time"

	"github.com/tenurehq/tenure/connector"
)

const (
	// lately is how long ago an account may have shown that it is active, to be a reason
	// to believe that the service still shows that of whoever is.
	lately = 10 * time.Minute
	// sampled is how many accounts are looked at to find one that shows that it is active.
	sampled = 10
)

// activity holds what the service was seen to show of who is active, and when. Nothing of
// it is believed for long: services change.
type activity struct {
	mu sync.Mutex
	// shownTrue and shownFalse are when "active" was last shown as true, and as false.
	shownTrue, shownFalse time.Time
	// omitted is when an account last showed nothing after it was disabled, which had
	// shown true before or was disabled where others were seen to do so.
	omitted time.Time
	witness string          // the ID of an account that showed true
	off     map[string]bool // by idKey: disabled and not enabled since, and has not shown false
}

// known reports whether the service was seen not long ago to show who is not active, or to
// leave it out.
func (a *activity) known(now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return now.Sub(a.shownFalse) < trust || now.Sub(a.omitted) < trust
}

// omits reports whether the service was seen not long ago to leave out what is false.
func (a *activity) omits(now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return now.Sub(a.omitted) < trust
}

// sawTrue notes that an account shows that it is active.
func (a *activity) sawTrue(now time.Time, accountID string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.shownTrue = now
	if !a.off[idKey(accountID)] { // else it may just be shown late
		a.witness = accountID
	}
}

// sawFalse notes that an account shows that it is not active.
func (a *activity) sawFalse(now time.Time, accountID string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.shownFalse, a.omitted = now, time.Time{}
	delete(a.off, idKey(accountID))
}

// sawNothing notes that an account shows nothing that was disabled.
func (a *activity) sawNothing(now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.omitted = now
}

// turned notes that an account was disabled, or that it no longer counts as that.
func (a *activity) turned(accountID string, off bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.off == nil {
		a.off = map[string]bool{}
	}
	delete(a.off, idKey(accountID))
	if off {
		a.off[idKey(accountID)] = true
	}
}

// turnedOff reports whether an account was disabled, and not enabled since.
func (a *activity) turnedOff(accountID string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.off[idKey(accountID)]
}

// lastTrue returns when an account last showed that it is active, and which one did.
func (a *activity) lastTrue() (at time.Time, witness string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.shownTrue, a.witness
}

// Disable implements connector.Connector. Where that deletes the account, one that
// is gone is disabled already.
func (c *client) Disable(ctx context.Context, accountID string) error {
	activity := &c.service.learned.activity
	tells := activity.omits(c.now())
	if !c.traits.omitsFalse && !c.traits.destructiveDisable && !activity.known(c.now()) {
		// Whether it shows that it is active, while it is, tells what it means if it
		// shows nothing later. That it cannot be read is no reason not to disable it.
		user, _, err := c.get(ctx, connector.OpDisable, accountID)
		active, shown, unclear := user.active(connector.OpDisable)
		if tells = err == nil && unclear == nil && shown && active; tells {
			activity.sawTrue(c.now(), accountID)
		}
	}
	err := c.change(ctx, request{op: connector.OpDisable, id: accountID}, edit{core("active"), false})
	if err == nil && tells {
		activity.turned(accountID, true)
	}
	if c.traits.destructiveDisable && connector.Is(err, connector.KindNotFound) {
		return nil
	}
	return err
}

// Enable implements connector.Connector.
func (c *client) Enable(ctx context.Context, accountID string) error {
	c.service.learned.activity.turned(accountID, false)
	return c.change(ctx, request{op: connector.OpEnable, id: accountID}, edit{core("active"), true})
}

// active reads the attribute of that name. An account of which the service does not say
// counts as active: nobody's access has ended until that is proven. It is proven by the
// showsInactive setting, and of an account that has been disabled where it had shown
// that it was active, as others still do: some services leave out what is false.
func (c *client) active(ctx context.Context, op string, user resource) (bool, error) {
	activity, id := &c.service.learned.activity, user.text("id")
	active, shown, err := user.active(op)
	switch {
	case err != nil:
		return false, err
	case shown && active:
		activity.sawTrue(c.now(), id)
	case shown:
		activity.sawFalse(c.now(), id)
	case c.traits.omitsFalse:
		return false, nil
	case activity.turnedOff(id):
		shows, err := c.showsActive(ctx, op, id)
		if err != nil {
			return false, err
		}
		if shows {
			activity.sawNothing(c.now())
		}
		return !shows, nil
	}
	return active, nil
}

// showsActive reports whether the service still shows that accounts are active: one did
// lately, or another one than besides does now. Else it may have ceased to show it of
// anybody, and what an account does not show says nothing of it.
func (c *client) showsActive(ctx context.Context, op, besides string) (bool, error) {
	activity := &c.service.learned.activity
	at, witness := activity.lastTrue()
	if c.now().Sub(at) < lately {
		return true, nil
	}
	shows := func(user resource) bool {
		active, shown, err := user.active(op)
		if err != nil || !shown || !active || sameID(user.text("id"), besides) {
			return false
		}
		activity.sawTrue(c.now(), user.text("id"))
		return true
	}
	if witness != "" && !sameID(witness, besides) {
		user, _, err := c.get(ctx, op, witness)
		if connector.Retryable(err) {
			return false, err
		}
		if err == nil && shows(user) {
			return true, nil
		}
	}
	r := request{op: op, collection: users}
	list, err := c.service.page(ctx, r, position{}, sampled)
	if err != nil {
		return false, err
	}
	for _, raw := range list.Resources {
		if user, err := r.decode(raw); err == nil && shows(user) {
			return true, nil
		}
	}
	return false, nil
}
