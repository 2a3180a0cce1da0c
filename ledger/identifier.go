package ledger

import (
	"context"
	"time"
)

// IdentifierKind names a kind of identifier.
type IdentifierKind string

// The kinds of identifier, the surest first.
const (
	IdentifiesAccount  IdentifierKind = "account"  // an account in an app, by the app's own ID
	IdentifiesPerson   IdentifierKind = "person"   // the person's ID, which accounts carry as their external ID
	IdentifiesEmployee IdentifierKind = "employee" // the employee number
	IdentifiesUsername IdentifierKind = "username" // the username that they hold, or held
	IdentifiesEmail    IdentifierKind = "email"
)

// Identifier is something that one person is called, or was called once. Usernames,
// addresses and employee numbers are in lower case, so that spelling does not matter.
type Identifier struct {
	Kind  IdentifierKind
	App   string // of an account; empty for the other kinds
	Value string
	// PersonID is whose it is. Two people may have the same one: that is what a dispute is
	// about.
	PersonID string
	Since    time.Time // when it was recorded first
}

// Identifiers keeps what people and their accounts are called, and were called once. An
// identifier is never removed: a name that somebody had does not stop to be theirs when
// they get another one, or leave.
//
// The ledger records identifiers by itself: usernames when they are claimed, accounts when
// they are linked, and the others with assessments (Assessment.Identifiers).
type Identifiers interface {
	// NoteIdentifiers records what people are called: Kind, App, Value and PersonID. What is
	// recorded already stays as it is. It changes nothing else about the people.
	NoteIdentifiers(ctx context.Context, at time.Time, ids []Identifier) error
	// Unidentified lists people, by ID, after the given ID, at most limit, of whom no
	// identifier of kind IdentifiesPerson is recorded. They were assessed last by a version
	// of Tenure that did not record any.
	Unidentified(ctx context.Context, after string, limit int) ([]string, error)
	// Identifiers lists what is recorded of one person, by kind, app and value.
	Identifiers(ctx context.Context, personID string) ([]Identifier, error)
}
