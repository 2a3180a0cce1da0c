package ledger

import (
	"fmt"
	"time"
)

// Position is a record's place in Kafka. The zero Position means none.
type Position struct {
	Topic     string
	Partition int
	Offset    int64
}

// String returns the position for people: "topic/partition/offset", or nothing for none.
func (p Position) String() string {
	if p.Topic == "" {
		return ""
	}
	return fmt.Sprintf("%s/%d/%d", p.Topic, p.Partition, p.Offset)
}

// LetterState is the state of a dead letter.
type LetterState string

// The states of a dead letter. It is pending while it is open or redriven: nobody knows yet
// what its record would have changed.
const (
	LetterOpen      LetterState = "open"      // no operator has done anything about it
	LetterRedriven  LetterState = "redriven"  // its record was sent again, and the result is not known yet
	LetterApplied   LetterState = "applied"   // the record that was sent again is in the ledger
	LetterFailed    LetterState = "failed"    // the record that was sent again became a dead letter of its own
	LetterDiscarded LetterState = "discarded" // an operator decided that it is not needed
)

// DeadLetter describes a record that went to the dead-letter topic. The record itself is in
// Kafka, at At. The only personal data here is the person's ID.
type DeadLetter struct {
	ID         int64     // given by the ledger, ascending, never reused
	At         Position  // in the topic of dead letters
	Origin     Position  // where the record was
	Digest     string    // of the record's value: see RecordDeadLetter
	Format     string    // name of the decoder
	ReceivedAt time.Time // when it was refused

	Reason string // source.Error's
	Field  string
	Text   string

	// These are as far as the record could be read; otherwise empty.
	PersonID    string // known to the ledger or not
	EventType   string // the sender's name for it
	EventSource string
	EventID     string
	// Urgent means that the record was to end the person's access, so that an operator is
	// needed at once.
	Urgent bool

	RedriveOf Position // the dead letter from which the record had been sent again
	// RedriveDigest is the digest of the record with its key and headers: see
	// LetterAction.Sending. It is not kept.
	RedriveDigest string

	State    LetterState
	ActedAt  time.Time // when the operator last acted
	Operator string
	Login    string    // see WithLogin
	Why      string    // the operator's reason
	EndedAt  time.Time // when it became applied, failed or discarded
}

// Pending reports whether the letter is open or redriven.
func (l DeadLetter) Pending() bool { return l.State == LetterOpen || l.State == LetterRedriven }

// LetterReceipt is the ledger's answer to a dead letter.
type LetterReceipt struct {
	ID        int64
	Duplicate bool // the record's dead letter was already there
	Pending   bool // see DeadLetter.Pending
	Urgent    bool // the letter, or the one from which its record was sent again, is urgent
	// PersonID is the person whom the letter, or the one from which its record was sent
	// again, is about. It is empty if the ledger does not know that person.
	PersonID string
}

// LetterVerb names an operator's action on a dead letter.
type LetterVerb string

// The operator's verbs for dead letters.
const (
	// VerbAnnounce comes before the record is sent again: only an announced record counts
	// as this letter's when it arrives.
	VerbAnnounce LetterVerb = "announce"
	VerbRedrive  LetterVerb = "redrive" // the record was sent again
	VerbDiscard  LetterVerb = "discard" // the record is not needed
)

// LetterAction is an operator's action on a dead letter, and writes an audit row.
// VerbRedrive makes an open or discarded letter LetterRedriven. It does not change a letter
// in any other state, since the record that was sent may have arrived already. VerbDiscard
// makes a pending letter LetterDiscarded. VerbAnnounce changes no state and writes no audit
// row; VerbRedrive does, after the record was sent.
type LetterAction struct {
	Verb     LetterVerb
	ID       int64
	Operator string
	Reason   string
	At       time.Time
	Detail   map[string]any // for the audit row; no personal data
	Sending  string         // for VerbAnnounce: the digest of the record that will be sent, with its key and headers
}

// LetterFilter selects dead letters; fields that are zero match all.
type LetterFilter struct {
	ID          int64
	PersonID    string
	Reason      string
	Topic       string        // of the origin
	States      []LetterState // any of these
	From, Until time.Time     // received at or after, and before
	Urgent      bool          // only urgent ones
}
