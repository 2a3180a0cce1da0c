package ledger

import "time"

// LinkState is the state of a link.
type LinkState string

// The life of a link. A deleted one goes back to planned if the person returns.
const (
	LinkPlanned  LinkState = "planned"  // an account is going to be made or adopted; a call may have been made
	LinkActive   LinkState = "active"   // the app confirmed an enabled account
	LinkDisabled LinkState = "disabled" // the app confirmed a disabled account
	LinkDeleted  LinkState = "deleted"  // the app confirmed that there is no account
)

// HasAccount reports whether a link in this state has an account: an enabled or a disabled
// one.
func (s LinkState) HasAccount() bool { return s == LinkActive || s == LinkDisabled }

// Link is the tie between a person and their account in one app.
type Link struct {
	PersonID  string
	App       string
	AccountID string // the app's own identifier; empty while planned
	Username  string // login name in the app
	State     LinkState
	Adopted   bool // the account was there before Tenure

	Entitlements []string // those that Tenure granted and the app confirmed, sorted
	// Attributes is the digest of the attributes last confirmed, or AttributesUnknown. It
	// is empty as long as none ever were: see JustAdopted.
	Attributes string

	CreatedAt    time.Time // the first confirmation that it exists
	DisabledAt   time.Time // proof of the present disabled state; zero while active
	StrippedAt   time.Time // proof that no entitlement is left since then; zero while active
	HandedOverAt time.Time // data handed over since then; zero while active
	DeletedAt    time.Time // proof that it is gone; zero unless deleted
	ProvenAt     time.Time // the last time the app was read and agreed
	// DoubtUntil is set when access was taken while an earlier call that gives
	// access might still have been under way somewhere: the state must be proven
	// once more after that instant.
	DoubtUntil time.Time
	// RenameTo is the username that the account is to get, if it is to get another.
	RenameTo string
	// OwnerWas is the ID that the account carries, as far as is known, of another
	// person who is the same human.
	OwnerWas string
	// Creating is the creation whose outcome is not known; zero if there
	// is none.
	Creating Creation
	// Contested says that the account is another person's too. It is set by the ledger.
	Contested bool
}

// AttributesUnknown stands for a digest where an account that was brought up to policy does
// not show its attributes as they were set, and what it shows has no digest.
const AttributesUnknown = "unknown"

// JustAdopted reports whether the account was adopted, and has not been brought up to policy
// since.
func (l Link) JustAdopted() bool { return l.Adopted && l.Attributes == "" }

// Creation is a call that was to make an account, and that may have made it. While a
// link has one, that a look-up shows no account is no proof that there is none.
type Creation struct {
	At       time.Time // when the first such call was sent
	Username string    // as it was sent
	State    CreationState
}

// CreationState says what the app answered to a creation.
type CreationState string

// The states of a creation that is in doubt.
const (
	CreationSent         CreationState = "sent"         // no answer is known
	CreationAcknowledged CreationState = "acknowledged" // the app took the call, in an answer that shows no account
	CreationTaken        CreationState = "taken"        // the app says that such an account was there already
)

// Pending reports whether there may be an account that no look-up has shown.
func (c Creation) Pending() bool { return c.State != "" }

// TakenError is returned for a link to an account that is linked to somebody else.
type TakenError struct {
	App   string
	Owner string // the person whose it is
}

func (e *TakenError) Error() string {
	return "ledger: the account in " + e.App + " is linked to another person"
}

// LinkFilter selects links.
type LinkFilter struct {
	PersonID  string
	App       string
	State     LinkState
	AccountID string
}
