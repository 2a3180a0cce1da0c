package ledger

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// AuditErased is the action of the audit row of an erasure. Its detail counts what was erased.
const AuditErased = "erased"

// ErrPepper is wrapped by the error of a call that needs the key of the digests by which names
// of erased people are reserved, when the ledger was opened without it or with another one.
var ErrPepper = errors.New("the names of erased people are reserved by digests, which cannot be told from free ones without the key that they were made with (privacy.pepper)")

// Privacy shows what is held of people, and erases it.
type Privacy interface {
	// Erase empties what the ledger holds of a person, in one transaction, if nothing stands
	// against it: otherwise it returns a *StandsAgainstError. It returns ErrStale if anything
	// was recorded of the person since they had the revision that the erasure names, and
	// ErrPepper without the key of the digests.
	//
	// The person stays, with their ID and the keys of their events, so that nothing comes
	// back when HR's events are read again: an event whose key is there is a duplicate. What
	// they were called is never given to anybody else. The audit record keeps its rows; of
	// those in which a human wrote about the person, and of those that name them, the text is
	// erased: see Log.Redact. A new event about the person begins a new life.
	//
	// Other people's rows lose the words that tell who the person is: see package privacy.
	Erase(ctx context.Context, e Erasure) (Erased, error)
	// Scrub makes sure that nothing of what was erased is left in the ledger's files, if that
	// is in its hands. It may take long.
	Scrub(ctx context.Context) error

	PrivacyReader
}

// PrivacyReader is the part of Privacy that changes nothing.
type PrivacyReader interface {
	// StandsAgainst lists what stands against erasing a person at an instant, but for what HR
	// says. It returns ErrNotFound if the ledger does not know them.
	StandsAgainst(ctx context.Context, e Erasure) ([]Obstacle, error)
	// Data returns what the ledger holds of a person, by table.
	Data(ctx context.Context, personID string) ([]TableData, error)
	// Reserved reports whether an identifier was that of somebody who was erased.
	Reserved(ctx context.Context, kind IdentifierKind, app, value string) (bool, error)
}

// Erasure is the decision to erase what is held of a person.
type Erasure struct {
	PersonID string
	Revision int64 // of the person, when it was decided
	Operator string
	Reason   string
	At       time.Time
	// KeptAccounts lists the apps in which an account that is off does not stand against it,
	// since policy never deletes it. Which account it is stays known.
	KeptAccounts []string
}

// Erased describes an erasure.
type Erased struct {
	// Seq is the number of the row of the audit record that says it.
	Seq int64
	At  time.Time
	// Rows counts by table the rows that were emptied or removed.
	Rows map[string]int64
	// Redacted counts the rows of the audit record whose text was erased.
	Redacted int64
	// Elsewhere counts the rows of other people in which the person was named.
	Elsewhere int64
	// Again means that the person had been erased before, and nothing was changed.
	Again bool
}

// ObstacleKind names a kind of thing that stands against erasing somebody.
type ObstacleKind string

// What stands against erasing somebody.
const (
	ObstacleEmployed  ObstacleKind = "employed"   // HR does not say that they have left
	ObstacleKept      ObstacleKind = "kept"       // they left less than privacy.keep ago
	ObstacleHold      ObstacleKind = "hold"       // a legal hold
	ObstacleHuman     ObstacleKind = "same_human" // another ID of the same human has their accounts
	ObstacleAccount   ObstacleKind = "account"    // an account that is not deleted
	ObstacleCall      ObstacleKind = "call"       // a call that may still be under way
	ObstacleStep      ObstacleKind = "step"       // a step that is not done
	ObstacleDue       ObstacleKind = "due"        // something is due for them
	ObstacleTask      ObstacleKind = "task"       // a human was asked to do something
	ObstacleRequest   ObstacleKind = "request"    // a request by, for or before them is open
	ObstacleReview    ObstacleKind = "review"     // a review asks about them, or asks them
	ObstacleFinding   ObstacleKind = "finding"    // a finding about them is open
	ObstacleException ObstacleKind = "exception"  // an exception of theirs has not ended
	ObstacleLetter    ObstacleKind = "letter"     // a record of HR about them could not be read
	ObstacleBreaker   ObstacleKind = "breaker"    // the breaker counts or holds a change of theirs
	ObstacleRecord    ObstacleKind = "record"     // a row of the record has no leaf yet
)

// Obstacle is one thing that stands against erasing somebody.
type Obstacle struct {
	What  ObstacleKind `json:"what"`
	Name  string       `json:"name,omitempty"` // of the hold, task, request, ..., or the other ID
	App   string       `json:"app,omitempty"`
	State string       `json:"state,omitempty"`
	Until time.Time    `json:"until,omitzero"` // when it ends by itself
}

// StandsAgainstError lists what stands against an erasure. Nothing was changed.
type StandsAgainstError struct{ Obstacles []Obstacle }

func (e *StandsAgainstError) Error() string {
	kinds := make([]string, len(e.Obstacles))
	for i, o := range e.Obstacles {
		kinds[i] = strings.TrimSpace(string(o.What) + " " + o.Name)
	}
	return fmt.Sprintf("it cannot be erased now: %s", strings.Join(kinds, ", "))
}

// TableData is what one table holds of a person.
type TableData struct {
	Table string `json:"table"`
	// Rows holds each row's columns by name. Times are instants, and JSON is decoded. Columns
	// that are empty are left out.
	Rows []map[string]any `json:"rows"`
}
