package connector

import (
	"context"
	"iter"
	"strings"
	"time"
)

// Account is one account as the app itself shows it.
type Account struct {
	ID           string // the app's own, immutable identifier
	Username     string
	ExternalID   string // the person ID that Tenure put there; empty if unknown
	Active       bool
	Attributes   map[string]any // by the app's own names
	Entitlements []string       // names, sorted; all that the account has, also those that Tenure did not grant
	CreatedAt    time.Time      // by the app's clock; zero if the app does not say
	LastUsedAt   time.Time      // as Capabilities.LastUse says; zero if unknown, which is not the same as unused
}

// Keys holds the keys by which an account can be found. Find ignores empty ones.
type Keys struct {
	AccountID      string // of a linked account; if set, Find ignores the others
	PersonID       string // the external ID
	EmployeeNumber string // only for kinds whose settings say where the app has it
	Username       string
	Email          string // only for kinds that know where the app has it, or whose settings say so
}

// Match is an account that Find found, and the key by which it did.
type Match struct {
	Account Account
	By      MatchKey
}

// Page is a page of a list of accounts.
type Page struct {
	Accounts []Account
	Next     string // the token of the next page; empty if this is the last one
	Total    int    // how many accounts the app says that there are; below zero if it does not
}

// FoundByID turns the result of reading an account into the result of finding it by its ID:
// an account that does not exist is no match, and no error.
func FoundByID(account Account, err error) ([]Match, error) {
	switch {
	case Is(err, KindNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return []Match{{Account: account, By: ByAccountID}}, nil
}

// MatchKey names the key by which an account was found.
type MatchKey string

// The match keys. An account that carries another person's external ID is never
// a match, whatever its username.
const (
	ByAccountID      MatchKey = "account_id"
	ByExternalID     MatchKey = "external_id"
	ByEmployeeNumber MatchKey = "employee_number"
	ByUsername       MatchKey = "username"
	ByEmail          MatchKey = "email"
)

// Spec describes an account to create.
type Spec struct {
	PersonID   string
	Username   string
	Active     bool
	Attributes map[string]any // target attribute -> string, bool, int64 or []string
}

// Connector is an open app. Every kind implements Find, Read, Check and Close. Capabilities
// says which of the other methods the app offers; Base answers those that a kind leaves out.
type Connector interface {
	// Capabilities returns what the connector offers. It makes no call to the app.
	Capabilities() Capabilities

	// Find returns the accounts that match the keys: none, one or many. It returns the
	// matches of the strongest key that has any: account ID, external ID, employee
	// number, username, email. It returns none only if the app said so in an answer that
	// was complete and consistent. Any other answer is an *Error, of KindContradictory if
	// its status was a success.
	Find(ctx context.Context, keys Keys) ([]Match, error)
	// Read returns the account as it is now, or an *Error of KindNotFound. Its
	// entitlements may be missing if nobody needs them: see SparingEntitlements.
	Read(ctx context.Context, accountID string) (Account, error)
	// Check connects and authenticates without changing anything, and returns as whom.
	Check(ctx context.Context) (identity string, err error)
	// Probe finds out, by calls that change nothing, whether the credentials have
	// the rights that the connector needs.
	Probe(ctx context.Context) []Finding
	// Learned lists how the app deviates from its protocol, as far as its answers have
	// shown since the connector was opened.
	Learned() []string
	// Close releases connections. No other method is called after it.
	Close() error

	// List lists every account.
	List(ctx context.Context) iter.Seq2[Account, error]
	// Page lists a page of accounts, each as List lists it. The empty token is that of the
	// first page. A token is good on other connections too, so that a list can go on where it
	// was. An account that was there all the time is listed once; where an app counts the accounts
	// before a page, it may be missing if one of those was deleted meanwhile. A token that is none
	// of the app's, or that it does not know any more, is an error of KindInvalid. Between two pages of one connection nothing is read
	// again that was read for the first one, such as who is in which group.
	Page(ctx context.Context, token string) (Page, error)
	// Entitlements lists the entitlements that the app can grant.
	Entitlements(ctx context.Context) iter.Seq2[Entitlement, error]
	// Keeps reports whether account, as returned by Read, shows an attribute with the
	// value that was set. An empty text or list means that the attribute was cleared.
	Keeps(ctx context.Context, account Account, name string, set any) (bool, error)

	// Create creates an account. If the app says that such an account exists, the error
	// is of KindExists, and the caller looks for it. If the app accepted the call and its
	// answer does not show the account, the error is of KindContradictory: the account may
	// have been made, and the returned one has its ID if that is known. With KindInvalid,
	// KindForbidden, KindUnauthorized, KindUnsupported and KindRateLimited, no account was
	// made.
	Create(ctx context.Context, spec Spec) (Account, error)
	// Adopt marks an existing account as the person's (sets the external ID).
	Adopt(ctx context.Context, accountID, personID string) error
	// Update sets the given attributes (and only those). An empty string or list
	// clears one.
	Update(ctx context.Context, accountID string, attributes map[string]any) error
	// Relabel gives an account another username and external ID; the account stays the
	// same one. A username that another account has is an error of KindExists, an external
	// ID of somebody else one of KindConflict.
	Relabel(ctx context.Context, accountID string, to Label) error

	// Grant and Revoke grant and revoke entitlements by name. A name without a prefix is a
	// group's. Prefixes such as "role:" and "licence:" stand for the app's other kinds. Callers
	// grant licences last and revoke them first, each by a call of their own. If a licence has
	// no seat left, the error is not retryable (KindConflict).
	Grant(ctx context.Context, accountID string, names []string) error
	Revoke(ctx context.Context, accountID string, names []string) error

	// Disable turns the account off. If no answer came (KindUnavailable), callers read
	// the account, and if it is off, they count it as disabled. Where disabling does more
	// than that (the account is moved, its memberships follow), every error that may have
	// left some of it undone is Unfinished. That includes errors before the first change,
	// since an earlier call may have got further. Callers then call again until there is
	// no error.
	Disable(ctx context.Context, accountID string) error
	// Enable turns the account on. Where disabling is not reversible (the app deletes or
	// forgets disabled accounts), it enables accounts that were created inactive.
	Enable(ctx context.Context, accountID string) error
	// RevokeSessions ends the sessions and tokens of an account.
	RevokeSessions(ctx context.Context, accountID string) error
	// ResetCredentials invalidates all credentials of an account that somebody may know:
	// it sets a random password, and removes recovery addresses and second factors, as far
	// as the app has them. The owner then signs in as new people do. The error is of
	// KindUnsupported if the credentials are kept elsewhere or may not be written, or if
	// the app turns out not to offer this.
	ResetCredentials(ctx context.Context, accountID string) error
	// HandOver hands an account's data over to another account of the same app. An app that
	// takes long over it is asked to begin, and the error is of KindUnderway; a later call
	// with WithOperation looks how far it is. If the recipient is another one by then, it lets
	// the operation end before it begins one for them.
	HandOver(ctx context.Context, fromAccountID, toAccountID string) error
	// Delete deletes the account, and hands its data over to the account in the context if
	// the app does both at once (see Capabilities.HandOverByDelete). If there is no such account, it succeeds. An app that
	// cannot delete accounts does not offer it, and they stay disabled.
	Delete(ctx context.Context, accountID string) error
	// Restore brings a deleted account back from the app's recycle bin, with its ID. It comes
	// back disabled where the app can do that. If it is not in the bin any more, the error is
	// of KindNotFound. An account that was not deleted stays as it is.
	Restore(ctx context.Context, accountID string) error

	// Ask returns how a human is asked to do a step of this name (plan.Kind: "Provision",
	// "Disable", ...), by a task (see `tenure task`) whose answer counts as the proof. It
	// reports false if the connector does such steps itself.
	Ask(step string) (Ask, bool)
}

// Label holds the names by which an account is known besides its own ID. A field that is
// empty stays as it is.
type Label struct {
	Username string
	PersonID string // the external ID
	// WasPersonID is the external ID that PersonID replaces. An account that carries a
	// third one is somebody else's.
	WasPersonID string
}

// ExternalID returns the external ID that an account gets in place of now. It fails with an
// error of KindConflict if the account is somebody else's.
func (l Label) ExternalID(now string) (string, error) {
	switch {
	case l.PersonID == "":
		return now, nil
	case now == "" || now == l.PersonID || now == l.WasPersonID:
		return l.PersonID, nil
	}
	return "", &Error{
		Kind: KindConflict, Op: OpRelabel,
		Message: "the account carries the ID of a third person: find out in the app whose account it is",
	}
}

// Entitlement is something that an account can have in an app.
type Entitlement struct {
	Name  string // as Grant takes it
	Kind  EntitlementKind
	Seats Seats // of a licence
}

// EntitlementKind names a kind of entitlement.
type EntitlementKind string

// The kinds of entitlement.
const (
	Group   EntitlementKind = "group"
	Role    EntitlementKind = "role"
	Licence EntitlementKind = "licence"
)

// KindOf returns the kind of the entitlement that a name stands for, by its prefix.
func KindOf(name string) EntitlementKind {
	prefix, _, has := strings.Cut(name, ":")
	if kind := EntitlementKind(prefix); has && (kind == Role || kind == Licence) {
		return kind
	}
	return Group
}

// Seats holds how often a licence may be granted, and how often it has been. A Total of
// zero means that the app does not say.
type Seats struct{ Total, Used int }

// Finding is one thing that Probe looked at.
type Finding struct {
	What    string // "may read users"; no personal data, no secret
	Problem string // what is missing and what to do; empty if nothing is
}
