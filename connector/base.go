package connector

import (
	"context"
	"iter"
)

// Base answers every call that a connector may leave out: calls that change the app or list
// its contents with an error of KindUnsupported, the others with nothing. A kind embeds it,
// implements what its app supports, and announces that by Capabilities.
type Base struct{}

// Create answers KindUnsupported.
func (Base) Create(context.Context, Spec) (Account, error) { return Account{}, Unsupported(OpCreate) }

// Adopt answers KindUnsupported.
func (Base) Adopt(context.Context, string, string) error { return Unsupported(OpAdopt) }

// Update answers KindUnsupported.
func (Base) Update(context.Context, string, map[string]any) error { return Unsupported(OpUpdate) }

// Relabel answers KindUnsupported.
func (Base) Relabel(context.Context, string, Label) error { return Unsupported(OpRelabel) }

// Disable answers KindUnsupported.
func (Base) Disable(context.Context, string) error { return Unsupported(OpDisable) }

// Enable answers KindUnsupported.
func (Base) Enable(context.Context, string) error { return Unsupported(OpEnable) }

// Delete answers KindUnsupported.
func (Base) Delete(context.Context, string) error { return Unsupported(OpDelete) }

// Restore answers KindUnsupported.
func (Base) Restore(context.Context, string) error { return Unsupported(OpRestore) }

// Grant answers KindUnsupported.
func (Base) Grant(context.Context, string, []string) error { return Unsupported(OpGrant) }

// Revoke answers KindUnsupported.
func (Base) Revoke(context.Context, string, []string) error { return Unsupported(OpRevoke) }

// Entitlements yields one error, of KindUnsupported.
func (Base) Entitlements(context.Context) iter.Seq2[Entitlement, error] {
	return unsupportedList[Entitlement](OpListEntitlements)
}

// RevokeSessions answers KindUnsupported.
func (Base) RevokeSessions(context.Context, string) error { return Unsupported(OpRevokeSessions) }

// ResetCredentials answers KindUnsupported.
func (Base) ResetCredentials(context.Context, string) error { return Unsupported(OpResetCredentials) }

// HandOver answers KindUnsupported.
func (Base) HandOver(context.Context, string, string) error { return Unsupported(OpHandOver) }

// List yields one error, of KindUnsupported.
func (Base) List(context.Context) iter.Seq2[Account, error] { return unsupportedList[Account](OpList) }

// Page answers KindUnsupported.
func (Base) Page(context.Context, string) (Page, error) { return Page{}, Unsupported(OpPage) }

func unsupportedList[T any](op string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		yield(none, Unsupported(op))
	}
}

// Probe finds nothing.
func (Base) Probe(context.Context) []Finding { return nil }

// Learned returns nothing.
func (Base) Learned() []string { return nil }

// Keeps compares what account shows of the attribute with what was set: see SameValue.
func (Base) Keeps(_ context.Context, account Account, name string, set any) (bool, error) {
	return account.Shows(set, account.Attribute(name)), nil
}

// Ask reports that no human is asked.
func (Base) Ask(string) (Ask, bool) { return Ask{}, false }
