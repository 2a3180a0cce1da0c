package connector

import "context"

// The interfaces below are parts of Connector, for callers of As.
type (
	// Creator makes accounts.
	Creator interface {
		Create(ctx context.Context, spec Spec) (Account, error)
	}
	// Adopter marks accounts as somebody's.
	Adopter interface {
		Adopt(ctx context.Context, accountID, personID string) error
	}
	// Updater sets attributes.
	Updater interface {
		Update(ctx context.Context, accountID string, attributes map[string]any) error
	}
	// Relabeler gives accounts other names.
	Relabeler interface {
		Relabel(ctx context.Context, accountID string, to Label) error
	}
	// Switch turns accounts off and on.
	Switch interface {
		Disable(ctx context.Context, accountID string) error
		Enable(ctx context.Context, accountID string) error
	}
	// Deleter deletes accounts.
	Deleter interface {
		Delete(ctx context.Context, accountID string) error
	}
	// Entitler gives and takes entitlements.
	Entitler interface {
		Grant(ctx context.Context, accountID string, names []string) error
		Revoke(ctx context.Context, accountID string, names []string) error
	}
	// SessionRevoker ends sessions.
	SessionRevoker interface {
		RevokeSessions(ctx context.Context, accountID string) error
	}
	// DataMover hands data over.
	DataMover interface {
		HandOver(ctx context.Context, fromAccountID, toAccountID string) error
	}
	// Asker has humans do steps.
	Asker interface{ Ask(step string) (Ask, bool) }
)

// As returns the part of a connector that T is, if it is offered.
func As[T any](c Connector) (part T, ok bool) {
	if !offersPart[T](c.Capabilities()) {
		return part, false
	}
	part, ok = c.(T)
	return part, ok
}

func offersPart[T any](can Capabilities) bool {
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
	case *SessionRevoker:
		return can.Sessions
	case *DataMover:
		return can.HandOver
	}
	return true
}
