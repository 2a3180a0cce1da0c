package connector

import (
	"context"
	"iter"

	"github.com/tenurehq/tenure/internal/remote"
)

// Account is one account as the app itself shows it.
type Account struct {
	ID           string // the app's own, immutable identifier
	Username     string
	ExternalID   string // the person ID that Tenure put there; empty if unknown
	Active       bool
	Attributes   map[string]any // those that were asked to be managed, in the app's names
	Entitlements []string       // names, sorted; every one the account has, also those not given by Tenure
}

// Keys are what an account can be found by. Empty fields are not looked for.
type Keys struct {
	AccountID string // of a linked account; when set, the others are not looked for
	PersonID  string // the external ID
	Username  string
}

// Match is an account found, and by what.
type Match struct {
	Account Account
	By      MatchKey
}

// MatchKey names the key by which an account was found.
type MatchKey string

// The match keys. An account that carries another person's external ID is never
// a match, whatever its username.
const (
	ByAccountID  MatchKey = "account_id"
	ByExternalID MatchKey = "external_id"
	ByUsername   MatchKey = "username"
)

// Spec is an account to be made.
type Spec struct {
	PersonID   string
	Username   string
	Active     bool
	Attributes map[string]any // target attribute -> string, bool, int64 or []string
}

// Connector is what every kind can do.
type Connector interface {
	// Find returns the accounts that match the keys: none, one or many. Strongest
	// key first: account ID, else external ID, else username.
	Find(ctx context.Context, keys Keys) ([]Match, error)
	// Read returns the account as it is now, or an *Error of KindNotFound.
	Read(ctx context.Context, accountID string) (Account, error)
	// Check connects and authenticates without changing anything, and says as whom.
	Check(ctx context.Context) (identity string, err error)
	// Close releases connections. No other method is called after it.
	Close() error
}

// Creator makes accounts. If the app says that such an account exists, the error
// is of KindExists: the caller finds and adopts it.
type Creator interface {
	Create(ctx context.Context, spec Spec) (Account, error)
}

// Adopter marks an existing account as the person's (sets the external ID).
type Adopter interface {
	Adopt(ctx context.Context, accountID, personID string) error
}

// Updater sets the given attributes (and only those). An empty string or list
// clears one.
type Updater interface {
	Update(ctx context.Context, accountID string, attributes map[string]any) error
}

// Switch turns an account off and on.
type Switch interface {
	Disable(ctx context.Context, accountID string) error
	Enable(ctx context.Context, accountID string) error
	// Reversible says whether Enable restores a disabled account. If not (the
	// app deletes or forgets what is disabled), disabling is as good as deleting.
	Reversible() bool
}

// Deleter deletes accounts for good. One that is not there is success.
type Deleter interface {
	Delete(ctx context.Context, accountID string) error
}

// Entitler gives and takes entitlements by name.
type Entitler interface {
	Grant(ctx context.Context, accountID string, names []string) error
	Revoke(ctx context.Context, accountID string, names []string) error
}

// SessionRevoker ends the sessions and tokens of an account.
type SessionRevoker interface {
	RevokeSessions(ctx context.Context, accountID string) error
}

// DataMover hands an account's data over to another account of the same app.
type DataMover interface {
	HandOver(ctx context.Context, fromAccountID, toAccountID string) error
}

// Lister lists every account.
type Lister interface {
	List(ctx context.Context) iter.Seq2[Account, error]
}

// ErrorKind says what an error means for the caller.
type ErrorKind = remote.Kind

// The error kinds; package remote says what each means.
const (
	KindUnavailable  = remote.Unavailable
	KindRateLimited  = remote.RateLimited
	KindUnauthorized = remote.Unauthorized
	KindForbidden    = remote.Forbidden
	KindNotFound     = remote.NotFound
	KindExists       = remote.Exists
	KindConflict     = remote.Conflict
	KindInvalid      = remote.Invalid
	KindUnsupported  = remote.Unsupported
)

// Error is the only error type that connectors return.
type Error = remote.Error

// Capabilities is what an open connector can do.
type Capabilities struct {
	Create, Adopt, Update, Disable, Delete, Entitlements, Sessions, HandOver, List bool
	Reversible                                                                     bool // meaningful with Disable
}

// CapabilitiesOf finds out what c implements.
func CapabilitiesOf(c Connector) Capabilities {
	var caps Capabilities
	_, caps.Create = c.(Creator)
	_, caps.Adopt = c.(Adopter)
	_, caps.Update = c.(Updater)
	_, caps.Delete = c.(Deleter)
	_, caps.Entitlements = c.(Entitler)
	_, caps.Sessions = c.(SessionRevoker)
	_, caps.HandOver = c.(DataMover)
	_, caps.List = c.(Lister)
	if s, ok := c.(Switch); ok {
		caps.Disable, caps.Reversible = true, s.Reversible()
	}
	return caps
}
