package scim

import (
	"context"
	"sync"
	"time"

	"github.com/tenurehq/tenure/connector"
)

const (
	// lately is how long after an account showed "active": true Tenure believes that the
	// service still shows that of every active account.
	lately = 10 * time.Minute
	// sampled is how many accounts Tenure reads to find one that shows "active": true.
	sampled = 10
)

// activity holds how the service showed whether accounts are active, and when. Tenure
// believes none of it for long, since services change.
type activity struct {
	mu sync.Mutex
	// shownTrue and shownFalse are when "active" was last shown as true, and as false.
	shownTrue, shownFalse time.Time
	// omitted is when a disabled account last came without "active", in a service that
	// showed true of it or of others.
	omitted time.Time
	witness string          // the ID of an account that showed true
	off     map[string]bool // by idKey: disabled and not enabled since, and has not shown false
}

// known reports whether the service has shown lately what disabled accounts look like.
func (a *activity) known(now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return now.Sub(a.shownFalse) < trust || now.Sub(a.omitted) < trust
}

// omits reports whether the service has lately left out "active" of disabled accounts.
func (a *activity) omits(now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return now.Sub(a.omitted) < trust
}

// sawTrue notes that an account shows "active": true.
func (a *activity) sawTrue(now time.Time, accountID string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.shownTrue = now
	if !a.off[idKey(accountID)] { // a disabled account may show true late: it is no witness
		a.witness = accountID
	}
}

// sawFalse notes that an account shows "active": false.
func (a *activity) sawFalse(now time.Time, accountID string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.shownFalse, a.omitted = now, time.Time{}
	delete(a.off, idKey(accountID))
}

// sawNothing notes that a disabled account comes without "active".
func (a *activity) sawNothing(now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.omitted = now
}

// turned notes that an account was disabled, or, unless off, that it no longer counts as
// disabled.
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

// Disable implements connector.Connector. Where disabling deletes the account, an account
// that is gone is disabled already.
func (c *client) Disable(ctx context.Context, accountID string) error {
	activity := &c.service.learned.activity
	tells := activity.omits(c.now())
	if !c.traits.omitsFalse && !c.traits.destructiveDisable && !activity.known(c.now()) {
		// Only if the account shows now that it is active does it prove something when it
		// comes without the attribute later. A failed read is no reason not to disable it.
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

// active reads the attribute of that name. An account without it counts as active, since
// access has not ended until that is proven. There are two proofs: the showsInactive
// setting; and a service that shows "active": true of other accounts, but nothing of one
// that Tenure has disabled and that showed true before. Some services leave out false.
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

// showsActive reports whether the service still shows "active": true: an account showed it
// lately, or one other than besides shows it now. If not, the service may have stopped
// sending the attribute, and an account without it proves nothing.
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
