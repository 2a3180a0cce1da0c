package connector

import (
	"context"
	"slices"
	"time"
)

// Capabilities holds what an open connector offers. An app may offer less than its kind
// implements: settings such as a SCIM profile exclude something, or the app itself does.
//
// Tenure never makes a call that is not offered. A call that is offered is not answered
// with KindUnsupported.
type Capabilities struct {
	Create, Adopt, Update, Relabel, Disable, Delete, Entitlements, ListEntitlements, Sessions, HandOver, List, Page, Probe bool

	// ResetCredentials may change while the connector is open, if only the app knows: the
	// connector offers it until the app has said that it does not. Everything else is known
	// when the connector is opened, without a call to the app.
	ResetCredentials bool

	Reversible bool          // with Disable: Enable restores the account
	RecycleBin time.Duration // with Delete: how long a deleted account can be brought back
	// Restore, with RecycleBin, means that the connector itself brings accounts back.
	// Without it, the app's administrators do.
	Restore bool

	// HandOverByDelete means that the app hands data over only as it deletes an account:
	// Delete does so, to the account that RecipientOf names. There is no HandOver then.
	HandOverByDelete bool

	// HandOverNeeds lists the entitlements without which an account's data cannot be handed
	// over, by the connector or by a human: they are taken after that. A text that ends in a
	// colon, such as "licence:", stands for all entitlements whose names begin so.
	HandOverNeeds []string

	// MarksLater means that Create sets the external ID by a call of its own, so that a creation
	// that ends half-way leaves an account without one.
	MarksLater bool

	// EnableFirst, with Update, means that the app may refuse to update a disabled account: an
	// account that is to be enabled is enabled first, and updated after that.
	EnableFirst bool
	// Frozen, with EnableFirst, means that it refuses that of every account that it has disabled.
	// Tenure gives such an account nothing as long as it is to stay disabled. Taking
	// entitlements has to work all the same.
	Frozen bool

	// Settling is how long after a change the app may still answer as if there had been
	// none: an account that was just created may not be found, one that was just deleted
	// may still be shown. Zero stands for an app whose answers are always current.
	Settling time.Duration

	// LastUse says what Account.LastUsedAt means, and how late it is.
	LastUse LastUse

	// Directory names the app by which people sign in to this one, if this app creates
	// accounts by itself when they do (SAML, OIDC): then Tenure creates none. While the
	// directory lets somebody in, an account that was ended here may appear again.
	Directory string
}

// capability describes a capability: its name, a function that reports whether it is
// offered, and the operations that it allows.
type capability struct {
	name    string
	offered func(Capabilities) bool
	ops     []string
}

// capabilities lists every capability.
var capabilities = []capability{
	{"create", func(can Capabilities) bool { return can.Create }, []string{OpCreate}},
	{"adopt", func(can Capabilities) bool { return can.Adopt }, []string{OpAdopt}},
	{"update", func(can Capabilities) bool { return can.Update }, []string{OpUpdate}},
	{"relabel", func(can Capabilities) bool { return can.Relabel }, []string{OpRelabel}},
	{"disable", func(can Capabilities) bool { return can.Disable }, []string{OpDisable, OpEnable}},
	{"delete", func(can Capabilities) bool { return can.Delete }, []string{OpDelete}},
	{"restore", func(can Capabilities) bool { return can.Restore }, []string{OpRestore}},
	{"entitlements", func(can Capabilities) bool { return can.Entitlements }, []string{OpGrant, OpRevoke}},
	{"sessions", func(can Capabilities) bool { return can.Sessions }, []string{OpRevokeSessions}},
	{"reset credentials", func(can Capabilities) bool { return can.ResetCredentials }, []string{OpResetCredentials}},
	{"hand over", func(can Capabilities) bool { return can.HandOver }, []string{OpHandOver}},
	{"list", func(can Capabilities) bool { return can.List }, []string{OpList}},
	{"page", func(can Capabilities) bool { return can.Page }, []string{OpPage}},
	{"list entitlements", func(can Capabilities) bool { return can.ListEntitlements }, []string{OpListEntitlements}},
	{"probe", func(can Capabilities) bool { return can.Probe }, []string{OpProbe}},
	{"last use", func(can Capabilities) bool { return can.LastUse.Told() }, nil},
}

// Names returns the names of the capabilities, as `tenure app list` shows them.
func (can Capabilities) Names() []string {
	names := []string{}
	for _, c := range capabilities {
		if c.offered(can) {
			names = append(names, c.name)
		}
	}
	return names
}

// Ops returns the names of the operations that the capabilities allow. OpEnable is among
// them only if it restores a disabled account.
func (can Capabilities) Ops() []string {
	ops := []string{OpFind, OpRead, OpCheck}
	for _, c := range capabilities {
		if c.offered(can) {
			ops = append(ops, c.ops...)
		}
	}
	return slices.DeleteFunc(ops, func(op string) bool { return op == OpEnable && !can.Reversible })
}

// Offers reports whether the operation of this name may be called. A connector that offers
// Disable also takes calls of Enable, since accounts that were created inactive have to be
// enabled.
func (can Capabilities) Offers(op string) bool {
	for _, c := range capabilities {
		if slices.Contains(c.ops, op) {
			return c.offered(can)
		}
	}
	return op == OpFind || op == OpRead || op == OpCheck
}

// The names of the operations, as in Error.Op.
const (
	OpOpen             = "open"
	OpFind             = "find"
	OpRead             = "read"
	OpCheck            = "check"
	OpCreate           = "create"
	OpAdopt            = "adopt"
	OpUpdate           = "update"
	OpRelabel          = "relabel"
	OpDisable          = "disable"
	OpEnable           = "enable"
	OpDelete           = "delete"
	OpRestore          = "restore"
	OpGrant            = "grant"
	OpRevoke           = "revoke"
	OpRevokeSessions   = "revoke_sessions"
	OpResetCredentials = "reset_credentials" //nolint:gosec // the name of an operation
	OpHandOver         = "hand_over"
	OpList             = "list"
	OpPage             = "page"
	OpListEntitlements = "list_entitlements"
	OpProbe            = "probe"
)

// Reset ends the access of everybody who can sign in to an account now: it resets the
// credentials and ends the sessions, as far as the app offers that.
func Reset(ctx context.Context, c Connector, accountID string) error {
	can := c.Capabilities()
	if can.ResetCredentials {
		if err := c.ResetCredentials(ctx, accountID); err != nil && !Is(err, KindUnsupported) {
			return err
		}
	}
	if can.Sessions {
		return c.RevokeSessions(ctx, accountID)
	}
	return nil
}
