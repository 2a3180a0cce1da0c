package ledger

import (
	"context"
	"fmt"
	"time"
)

// Identities links the IDs that one human has had, and keeps usernames.
type Identities interface {
	// RenamePerson gives a person another username, and notes for their accounts in
	// Rename.Apps that these are to get it. It writes an audit row and makes the person
	// due. It fails with ErrNotFound or an *IdentityError.
	RenamePerson(ctx context.Context, r Rename) (Renamed, error)
	// LinkPeople records that two people are one human: the links and the username of the
	// old ID move to the new ID. No step of either person may be under way. Open steps and
	// tasks of the old ID about the moved accounts end. If both have an account in an app,
	// each keeps its own. LinkPeople writes audit rows for both and makes both due.
	// Repeating it changes nothing. It fails with ErrNotFound, or with an *IdentityError
	// that gives the reason.
	LinkPeople(ctx context.Context, s SamePerson) (Carried, error)
	// UnlinkPeople undoes LinkPeople: the moved accounts that still exist go back.
	UnlinkPeople(ctx context.Context, s SamePerson) (Carried, error)
	// Namesakes lists the IDs of people with a name, sorted. The case of ASCII letters
	// makes no difference.
	Namesakes(ctx context.Context, givenName, familyName string, limit int) ([]string, error)
}

// IdentityError gives the reason why two people cannot be linked, or one cannot be renamed.
type IdentityError struct{ Text string }

func (e *IdentityError) Error() string { return e.Text }

// Cannot returns an *IdentityError with a formatted text.
func Cannot(format string, args ...any) error { return &IdentityError{fmt.Sprintf(format, args...)} }

// Rename asks for another username for a person.
type Rename struct {
	PersonID string
	Base     string // as with ClaimUsername
	Longest  int
	Exact    bool     // only Base itself, without a number
	Apps     []string // apps in which an account can be renamed
	At       time.Time
	Operator string
	Reason   string
}

// Renamed is the result of a rename.
type Renamed struct {
	Username string
	Apps     []string // apps in which the account will be renamed
	Left     []string // apps in which the account keeps its username
}

// SamePerson is a decision that two people are one human, or that they are not.
type SamePerson struct {
	NewID, OldID string
	At           time.Time
	Operator     string
	Reason       string
}

// Carried lists the accounts that LinkPeople moved to the new ID, or UnlinkPeople back.
type Carried struct {
	Apps     []string // apps whose accounts were moved
	Left     []string // apps in which each ID has an account and keeps it
	Username string   // the username that was moved; empty if none was
}

// Earlier is an earlier ID of a person, with its events.
type Earlier struct {
	PersonID string
	Events   []StoredEvent // by sequence number
}
