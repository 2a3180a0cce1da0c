package connector

import (
	"context"
	"time"
)

// Asker is a connector whose steps, or some of them, a human does: Tenure asks for
// them by tasks (see `tenure task`), and takes the human's word for the proof.
type Asker interface {
	// Ask says how a step of this name (plan.Kind: "Provision", "Disable", ...) is
	// asked for, or false if the connector sees to it by itself.
	Ask(step string) (Ask, bool)
}

// Ask is how a human is asked.
type Ask struct {
	Assignee     string        // who is asked, as the company calls them
	Instructions string        // how it is done; may be empty
	Within       time.Duration // how long they have
	Remind       time.Duration // how often they are reminded until then, and after
	EscalateTo   string        // who is told when it is overdue; may be empty
	SecondPerson bool          // a second one has to confirm it
}

// JustInTime is a connector to an app whose accounts appear by themselves when
// people sign in (SAML, OIDC): there is nothing to create. At the end, what is there
// is ended by the inner connector or, without one, by a human (see Asker).
type JustInTime interface {
	// Directory is the app by which people sign in. While it lets somebody in, what
	// was ended here may begin anew.
	Directory() string
	// Inner is the connector to the app's own interface; nil if it has none.
	Inner() Connector
}

// As finds a capability of a connector: its own or, of one that is just in time,
// of the inner one; of a guarded one, guarded.
func As[T any](c Connector) (capability T, ok bool) {
	if g, is := c.(*guarded); is {
		if _, ok = As[T](g.Connector); !ok {
			return capability, false
		}
		capability, ok = any(changes{g}).(T)
		return capability, ok
	}
	if known, is := c.(Announcer); is && !announced[T](known.Capabilities()) {
		return capability, false
	}
	if capability, ok = c.(T); ok {
		return capability, true
	}
	if jit, is := c.(JustInTime); is && jit.Inner() != nil {
		return As[T](jit.Inner())
	}
	return capability, ok
}

// Announcer is a connector that says what it offers, whatever its type implements.
type Announcer interface{ Capabilities() Capabilities }

// announced reports whether can has what the interface T is for.
func announced[T any](can Capabilities) bool {
	switch any((*T)(nil)).(type) {
	case *Creator:
		return can.Create
	case *Adopter:
		return can.Adopt
	case *Updater:
		return can.Update
	case *Relabeler:
		return can.Relabel
	case *Switch:
		return can.Disable
	case *Deleter:
		return can.Delete
	case *Entitler:
		return can.Entitlements
	case *EntitlementLister:
		return can.ListEntitlements
	case *SessionRevoker:
		return can.Sessions
	case *CredentialResetter:
		return can.ResetCredentials
	case *DataMover:
		return can.HandOver
	case *Lister:
		return can.List
	case *Prober:
		return can.Probe
	}
	return true
}

// GivenUp is the error of a call whose caller has gone, or nil: of connectors that
// call nobody.
func GivenUp(ctx context.Context, op string) error {
	if ctx.Err() == nil {
		return nil
	}
	return &Error{Kind: KindUnavailable, Op: op, Message: "the call was given up", Cause: ctx.Err()}
}

// Unseen is the error of looking for an account where nobody but a human can look.
func Unseen(ctx context.Context, op string) error {
	if err := GivenUp(ctx, op); err != nil {
		return err
	}
	return &Error{Kind: KindNotFound, Op: op, Message: "nobody but a human can look into this app"}
}
