package ledger

import "time"

// LinkState is the state of a link.
type LinkState string

// The states of a link. A deleted link becomes planned again if the person returns.
const (
	LinkPlanned  LinkState = "planned"  // an account is going to be made or adopted; a call may have been made
	LinkActive   LinkState = "active"   // the app confirmed an enabled account
	LinkDisabled LinkState = "disabled" // the app confirmed a disabled account
	LinkDeleted  LinkState = "deleted"  // the app confirmed that there is no account
)

// HasAccount reports whether a link in this state has an account: an enabled or a disabled
// one.
func (s LinkState) HasAccount() bool { return s == LinkActive || s == LinkDisabled }

// Link is the record that an account in an app belongs to a person.
type Link struct {
	PersonID  string
	App       string
	AccountID string // the app's own identifier; empty while planned
	Username  string // login name in the app
	State     LinkState
	Adopted   bool // the account was there before Tenure

	Entitlements []string // entitlements that Tenure granted and the app confirmed, sorted
	// Attributes is the digest of the attributes that the app last confirmed, or
	// AttributesUnknown. It is empty until they are first confirmed: see JustAdopted.
	Attributes string

	CreatedAt    time.Time // the first proof that the account exists
	DisabledAt   time.Time // proof of the present disabled state; zero while active
	StrippedAt   time.Time // proof, since then, that no entitlement is left; zero while active
	HandedOverAt time.Time // when its data were handed over, since then; zero while active
	DeletedAt    time.Time // proof that the account is gone; zero unless deleted
	ProvenAt     time.Time // the last proof: the app was read and showed this state
	// ChangedAt is the latest instant at which a call of Tenure's may have changed the
	// account, and GaveAt that of a call that gives access; zero if none is known. An app
	// whose answers lag may show the account as it was before.
	ChangedAt, GaveAt time.Time
	// Unsure is what calls may have changed since the link was proven.
	Unsure Unsure
	// DoubtUntil is set if access was taken while an earlier call that gives access might
	// still have been under way. The state must be proven once more after that instant.
	DoubtUntil time.Time
	// RenameTo is the new username that the account is to get; empty if it keeps its own.
	RenameTo string
	// OwnerWas is another ID of the same human, which the account still carries as its
	// external ID as far as is known.
	OwnerWas string
	// Creating is a creation whose outcome is not known; zero if there is none.
	Creating Creation
	// Binned is the account that was deleted last, for as long as no other one has taken its
	// place; zero if there is none. An app with a recycle bin may bring it back.
	Binned Binned
	// Receiver is who is given the account's data since the account was disabled; zero until
	// that has begun, and while active.
	Receiver Receiver
	// Contested means that another person's link names the same account. The ledger sets it.
	Contested bool
}

// AttributesUnknown takes the place of a digest if an account was brought up to policy and
// does not show its attributes as they were set, so that there is no digest of them.
const AttributesUnknown = "unknown"

// JustAdopted reports whether the account was adopted and has not been brought up to policy
// since.
func (l Link) JustAdopted() bool { return l.Adopted && l.Attributes == "" }

// Untouched reports whether the link is only planned: no account of it is known, and no call that
// may have made or changed one.
func (l Link) Untouched() bool {
	proven := !l.CreatedAt.IsZero() || !l.ProvenAt.IsZero() || !l.DoubtUntil.IsZero()
	changed := !l.ChangedAt.IsZero() || !l.GaveAt.IsZero() || l.Unsure.State || len(l.Unsure.Entitlements) > 0
	return l.State == LinkPlanned && l.AccountID == "" && l.Binned.AccountID == "" && !l.Creating.Pending() && !proven && !changed
}

// Creation is a call that was to create an account, and may have done so. While a link has
// one, a look-up that finds no account does not prove that there is none.
type Creation struct {
	At       time.Time // when the first such call was sent
	Username string    // as it was sent
	State    CreationState
	// AccountID is the ID of the account that the app made, if its answer said so.
	AccountID string
}

// Binned is an account that was deleted, and which an app with a recycle bin may bring back.
type Binned struct {
	AccountID string
	At        time.Time // when it was deleted, or found to be gone
}

// Unsure is what calls that came to no proof may have changed of an account.
type Unsure struct {
	State        bool     // whether it is enabled
	Entitlements []string // these may have been granted or revoked; sorted
}

// Changes is what calls may have changed of an account, and until when: see Link.
type Changes struct {
	ChangedAt, GaveAt time.Time
	Unsure            Unsure
}

// Changes returns what may have changed of the account.
func (l Link) Changes() Changes { return Changes{l.ChangedAt, l.GaveAt, l.Unsure} }

// Receiver is who is given a leaver's data, decided when that begins.
type Receiver struct {
	PersonID  string    `json:"person"`
	AccountID string    `json:"accountId"` // theirs, in the same app
	By        string    `json:"by"`        // why: "manager", "manager's manager" or "role NAME"
	At        time.Time `json:"at"`        // when it was decided
}

// CreationState tells how the app answered a creation.
type CreationState string

// The states of a creation that is in doubt.
const (
	CreationSent         CreationState = "sent"         // no answer is known
	CreationAcknowledged CreationState = "acknowledged" // the app accepted the call, in an answer that shows no account
	CreationTaken        CreationState = "taken"        // the app says that such an account was there already
)

// Pending reports whether there may be an account that no look-up has found yet.
func (c Creation) Pending() bool { return c.State != "" }

// TakenError is returned for a link to an account that is linked to somebody else.
type TakenError struct {
	App   string
	Owner string // the person to whom it is linked
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
	After     LinkPlace // only those behind it, by person and app
	Limit     int       // the most links, the first by person and app; 0: all
}

// LinkPlace is the last entry of a page of links: the next page begins after it.
type LinkPlace struct{ PersonID, App string }
