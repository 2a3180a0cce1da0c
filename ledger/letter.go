package ledger

import (
	"fmt"
	"time"
)

// Position is a record's place in Kafka. The zero Position is none.
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

// The life of a dead letter. It is pending while it is open or redriven: nobody
// knows yet what its record would have changed.
const (
	LetterOpen      LetterState = "open"      // nobody has done anything about it
	LetterRedriven  LetterState = "redriven"  // it was sent again, and nothing is known of that record yet
	LetterApplied   LetterState = "applied"   // the record that was sent again is in the ledger
	LetterFailed    LetterState = "failed"    // ... could not be read either, and is a dead letter of its own
	LetterDiscarded LetterState = "discarded" // a human decided that nothing has to come of it
)

// DeadLetter describes a record that went to the dead-letter topic.
// The record itself is in Kafka, at At. Nothing here is personal data beside the
// person's ID.
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

	// What could be told of the record; empty if it could not.
	PersonID    string // known to the ledger or not
	EventType   string // the sender's name for it
	EventSource string
	EventID     string
	// Urgent says that the record was to end the person's access: it needs a human
	// at once.
	Urgent bool

	RedriveOf Position // the dead letter that the record had been sent again from
	// RedriveDigest is that of the record with its key and headers: see
	// LetterAction.Sending. It is not kept.
	RedriveDigest string

	State    LetterState
	ActedAt  time.Time // the operator's last doing
	Operator string
	Login    string    // see WithLogin
	Why      string    // the operator's reason
	EndedAt  time.Time // when it became applied, failed or discarded
}

// Pending reports whether it is not known yet what the record would have changed.
func (l DeadLetter) Pending() bool { return l.State == LetterOpen || l.State == LetterRedriven }

// LetterReceipt is the ledger's answer to a dead letter.
type LetterReceipt struct {
	ID        int64
	Duplicate bool // the record's dead letter was already there
	Pending   bool // see DeadLetter.Pending
	Urgent    bool // as it was given, or as the letter was that it descends from
	// PersonID is whom it is about, as given or as the letter that it descends
	// from says, if the ledger knows that person; else empty.
	PersonID string
}

// LetterVerb names what an operator did about a dead letter.
type LetterVerb string

// The operator's verbs for dead letters.
const (
	// VerbAnnounce is for before the record is sent again: only what was announced
	// counts as this letter's record when it arrives.
	VerbAnnounce LetterVerb = "announce"
	VerbRedrive  LetterVerb = "redrive" // sent it again
	VerbDiscard  LetterVerb = "discard" // nothing has to come of it
)

// LetterAction is an operator's action on a dead letter, and writes an audit
// row. VerbRedrive makes an open or discarded letter LetterRedriven; one in any
// other state stays as it is, since the record that was sent may have arrived
// already. VerbDiscard makes a pending letter LetterDiscarded. VerbAnnounce changes no
// state and writes no audit row: VerbRedrive does, when the record was sent.
type LetterAction struct {
	Verb     LetterVerb
	ID       int64
	Operator string
	Reason   string
	At       time.Time
	Detail   map[string]any // for the audit row; no personal data
	Sending  string         // of VerbAnnounce: the digest of the record that is going to be sent, with its key and headers
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
