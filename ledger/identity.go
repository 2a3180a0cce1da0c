package ledger

import (
	"context"
	"fmt"
	"time"
)

// Identities links the IDs that one human has had, and keeps usernames.
type Identities interface {
	// RenamePerson gives a person another username, whatever they have, and notes of
	// the accounts of some apps that they are to get it. It writes an audit row and
	// makes the person due. It returns ErrNotFound, or an *IdentityError.
	RenamePerson(ctx context.Context, r Rename) (Renamed, error)
	// LinkPeople says that two people are one human: accounts, links and the username
	// of the old ID become the new one's, who is who the accounts are of from then on.
	// Both are locked: no step of either may be under way. Open steps and tasks of the
	// old one about what was carried are over. Of an app in which both have an account
	// each keeps theirs. It writes audit rows of both and makes both due. The same link
	// once more changes nothing. It returns ErrNotFound, or an *IdentityError that says
	// what stands against it.
	LinkPeople(ctx context.Context, s SamePerson) (Carried, error)
	// UnlinkPeople undoes a link: what was carried and is still there goes back.
	UnlinkPeople(ctx context.Context, s SamePerson) (Carried, error)
	// Namesakes lists people of a name, whatever its case (in ASCII), by ID.
	Namesakes(ctx context.Context, givenName, familyName string, limit int) ([]string, error)
}

// IdentityError says why two people cannot be linked, or one cannot be renamed.
type IdentityError struct{ Text string }

func (e *IdentityError) Error() string { return e.Text }

// Cannot is an *IdentityError.
func Cannot(format string, args ...any) error { return &IdentityError{fmt.Sprintf(format, args...)} }

// Rename is another username for a person.
type Rename struct {
	PersonID string
	Base     string // as with ClaimUsername
	Longest  int
	Exact    bool     // Base itself or none
	Apps     []string // those in which an account can be renamed
	At       time.Time
	Operator string
	Reason   string
}

// Renamed is the result of a rename.
type Renamed struct {
	Username string
	Apps     []string // in which the account is to be renamed
	Left     []string // in which it keeps the username that it has
}

// SamePerson is a decision that two people are one human, or that they are not.
type SamePerson struct {
	NewID, OldID string
	At           time.Time
	Operator     string
	Reason       string
}

// Carried says which accounts a link of two IDs moved to the new ID, or back.
type Carried struct {
	Apps     []string // whose accounts
	Left     []string // apps in which each has an account, and keeps it
	Username string   // empty if it was not
}

// Earlier is an earlier ID of a person's, and what was said of it.
type Earlier struct {
	PersonID string
	Events   []StoredEvent // by sequence number
}
