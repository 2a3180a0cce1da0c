package ledger

import (
	"context"
	"errors"
	"time"

	"github.com/tenurehq/tenure/hr"
)

// ErrNotFound is returned for a person about whom nothing was ever recorded, and for a
// dead letter that does not exist.
var ErrNotFound = errors.New("ledger: nothing of the kind is recorded")

// ErrStale is returned by SaveAssessment when another assessment of the person
// was saved after this one read the ledger: read the person again and assess
// again.
var ErrStale = errors.New("ledger: the person was assessed by another meanwhile: read them again and assess again")

// ErrUnreachable is in the error of a store that does not answer: it is to be
// waited for. If it went away while it was writing, it is not known whether that was
// done: the call may be repeated.
var ErrUnreachable = errors.New("the database cannot be reached")

// ErrRefused is in the error of a store that was reached and cannot keep what it was
// given, however often: a text that it cannot store or index, an event of nobody. The
// same call for something else may succeed.
var ErrRefused = errors.New("the ledger cannot keep this")

// Ledger is one store. All methods are safe for concurrent use, by several
// processes too, and may be repeated: a second call with the same arguments
// changes nothing. An error means that nothing was changed (but see
// ErrUnreachable); one other than ErrNotFound and ErrStale, that the store could not
// be reached, failed or was given nonsense. When a method returns without one, what it wrote survives a
// crash of the process and of the machine.
//
// Times are instants: kept to the microsecond (what is finer is cut off), and
// given back in UTC. Lists sorted by a text are sorted by its bytes.
type Ledger interface {
	Intake
	Work
	Query
	Steps
	Census
	Tasks
	Pacer
	Mover
	Breaker
	Holds
	Retentions
	Approvals
	Identities

	// Ping reports whether the store answers.
	Ping(ctx context.Context) error
	Close() error
}

// Intake stores HR events for their consumer.
type Intake interface {
	// Record stores events in one transaction, in order, and makes the people
	// they concern due at once. An event whose key is already there is left as
	// it is and reported as a duplicate, with the first one's sequence number; one
	// that says something else under that key is reported as a conflict, and
	// nothing comes of it: see Receipt.
	Record(ctx context.Context, events []Received) ([]Receipt, error)
	// Known says, in order, what is recorded under these keys, and changes nothing.
	// It sees all that was recorded and marked before it was called.
	Known(ctx context.Context, keys []hr.EventKey) ([]Known, error)
	// MarkDelivered notes that Temporal has taken the signals for these events.
	MarkDelivered(ctx context.Context, seqs []int64) error
	// RecordDeadLetter notes that a record became a dead letter, as an open one.
	// A record is known by its origin and digest (a topic may be made anew, and
	// count from zero again): if its letter is there already nothing changes.
	// A letter that descends from another (RedriveOf, and announced: see Received)
	// makes that one LetterFailed, and is urgent and about the same person if that
	// one was; one that nobody announced descends from none.
	// An urgent letter makes its person due at ReceivedAt, with DueWhat "letter";
	// it makes nobody known whom the ledger did not know.
	RecordDeadLetter(ctx context.Context, l DeadLetter) (LetterReceipt, error)
}

// Received is an event and where and when it came from.
type Received struct {
	Event     hr.Event
	At        time.Time // when Tenure received it (product time)
	Topic     string    // empty if it did not come from Kafka
	Partition int
	Offset    int64
	// RedriveOf is the dead letter that the record says it was sent again from, if
	// it does: if an operator announced a record of this digest (VerbAnnounce), that
	// letter becomes LetterApplied (even if the event is a duplicate), and its person
	// due if the letter is urgent. What nobody announced changes no letter.
	RedriveOf     Position
	RedriveDigest string
	// Snapshot says that the data are the person's state as it was when the record
	// was made or read, so that a repetition may hold other data: the same person and
	// type make it a duplicate.
	Snapshot bool
	// Audit says who said so, if it was an operator and not HR; nil writes none.
	// Seq, PersonID and (if zero) At are filled in. Such an event makes its person
	// due with DueWhat "operator": nobody else will tell their run of it.
	Audit *AuditRow
}

// Receipt is the ledger's answer to one received event.
type Receipt struct {
	Seq       int64 // position in the ledger, ascending, never reused
	Duplicate bool  // an event of that key was already there
	Delivered bool  // ... and Temporal has taken its signal
	// Conflict says that an event of that key was already there, number Seq, and is
	// another one: of another person, or with other content. Nothing was recorded.
	Conflict bool
}

// Known describes the event that the ledger has under a key; it is zero if there is
// none.
type Known struct {
	Seq       int64
	Delivered bool   // Temporal has taken the event's signal
	Topic     string // as in Received
	Partition int
	Offset    int64
}

// Work reads and writes what planning and applying steps need.
type Work interface {
	// Person reads everything known of one person in one consistent read.
	Person(ctx context.Context, personID string) (Person, error)
	// ClaimUsername returns the username that the person holds, or else gives
	// them the first free one of base, base2, base3, ..., of longest bytes at most,
	// the number included (zero: any number of them). A username is held, and
	// never given to anybody else, for as long as the person is in the ledger, with
	// one exception: as long as no account can have it (none was ever made or asked
	// for, but in vain), and if it is not made of base, another is given in its place,
	// and steps that the app refused as invalid are superseded.
	// Usernames that differ only in case are the same: many apps think so.
	ClaimUsername(ctx context.Context, personID, base string, longest int) (string, error)
	// SaveAssessment stores what an assessment found, in one transaction. What
	// made the person due after the assessment read them keeps them due.
	SaveAssessment(ctx context.Context, a Assessment) error
	// BeginStep notes the intent to call an app: it must be called before every
	// attempt. See Attempt and Begun.
	BeginStep(ctx context.Context, a Attempt) (Begun, error)
	// NoteCreation stores what is known of a call that makes the person's account in
	// an app: before it is sent, and when it has failed. It makes a link that is
	// missing, and leaves one alone that has an account.
	NoteCreation(ctx context.Context, personID, app string, c Creation) error
	// FinishStep stores a step's outcome, the link's new state and the audit row
	// in one transaction. Of a step that the plan does not want any more, or that
	// an operator skipped meanwhile, link and audit row are stored all the same
	// (the app was changed in truth), and the step stays as it is. A link to an account
	// that another person's link names, unless that one is deleted, is refused with a
	// *TakenError, and nothing is stored.
	FinishStep(ctx context.Context, o Outcome) error
	// Act records an operator's action (and what it changes) with who and why.
	Act(ctx context.Context, a Action) error
	// ActOnLetter records what an operator did about a dead letter, or returns
	// ErrNotFound. An urgent letter that is not pending any more makes its person
	// due.
	ActOnLetter(ctx context.Context, a LetterAction) error
	// Due lists people whose due time is at or before the given instant,
	// earliest first (then by ID), at most limit.
	Due(ctx context.Context, at time.Time, limit int) ([]DuePerson, error)
}

// Query answers questions of people.
type Query interface {
	// People lists person summaries by ID, after the given ID, at most limit.
	People(ctx context.Context, after string, limit int) ([]Summary, error)
	// Events lists events by sequence number, after the given one, at most limit.
	// While several write at once, an event may come to light after one that has a
	// higher number.
	Events(ctx context.Context, f EventFilter, after int64, limit int) ([]StoredEvent, error)
	// Links lists links by person and app; filter fields that are empty match all.
	Links(ctx context.Context, f LinkFilter) ([]Link, error)
	// Audit lists audit rows, oldest first, after the given sequence number, of
	// one person or (empty) of everybody, at most limit. While several write at
	// once, a row may come to light after one of somebody else's that has a higher
	// number.
	Audit(ctx context.Context, personID string, after int64, limit int) ([]AuditRow, error)
	// DeadLetters lists dead letters by ID, after the given ID, at most limit.
	DeadLetters(ctx context.Context, f LetterFilter, after int64, limit int) ([]DeadLetter, error)
}

// Person is everything the ledger knows of one person.
type Person struct {
	Summary
	Events  []StoredEvent // by sequence number
	Links   []Link        // by app
	Steps   []Step        // not done: open, attention or skipped, by app and key
	Waivers []string      // keys of conflicts that an operator has skipped, sorted
	Letters []DeadLetter  // pending, by ID
	Tasks   []Task        // unfinished, by ID
	// Withdrawals are those that are neither over nor gone, by kind and key.
	Withdrawals []Withdrawal
	Holds       []Hold      // not released, by ID; their time may be over
	Retentions  []Retention // in force, by app
	Approvals   []Approval  // asked or approved, by key
	// CarriedTo is the ID that has this person's accounts now, if the two are one human:
	// see Identities. Of this person nothing more is made.
	CarriedTo string
	// Earlier are the other IDs of the same human whose accounts this person has, by
	// ID, also those of which these had them. Holds are theirs too.
	Earlier []Earlier
	// ManagerAccounts is the account ID, per app, of the manager that the last
	// assessment found, from the manager's links that are active or disabled.
	// Zero entries if there is no manager or no such link.
	ManagerAccounts map[string]string
}

// StoredEvent is an event in the ledger.
type StoredEvent struct {
	Seq   int64
	Event hr.Event
	At    time.Time
}

// Summary is one person as the last assessment left them.
type Summary struct {
	PersonID string
	Username string // empty until claimed
	// GivenName and FamilyName are their beginnings, of at least 500 bytes, if they are longer.
	GivenName  string
	FamilyName string
	Status     hr.Status
	Department string
	JobTitle   string
	ManagerID  string
	DueAt      time.Time // when somebody must look again; zero if nothing is pending
	DueWhat    string    // what is due then: DueEvent, DueManager, or what the assessment said
	AssessedAt time.Time
	LastSeq    int64 // last event of theirs in the ledger; given to SaveAssessment, the last one it saw
	// Revision counts what made the person due from outside and the assessments
	// saved. An assessment hands back the one it read: it is how SaveAssessment
	// knows what the assessment could not have seen.
	Revision int64
}

// What people are due for beside what planning finds.
const (
	DueWorking = "working" // their run is at work, and is left alone until then
	DueEvent   = "event"   // an event that no assessment has seen
	DueManager = "manager" // the manager's account in some app is new
	DueLetter  = "letter"  // an urgent dead letter of theirs is new, or is settled
	DueTask    = "task"    // a human has done, or refused, what they were asked for
	// DueSamePerson is an event of an earlier ID of theirs: see Identities.
	DueSamePerson = "same_person"
	// DueOperator is an event that an operator recorded and no assessment has seen.
	DueOperator = "operator"
)

// Assessment holds what one assessment stores: the person's summary, the intents,
// and when to look again.
type Assessment struct {
	// Summary is the person's new summary, made from the one that Person gave:
	// LastSeq and Revision say what the assessment saw. Username is not stored;
	// ClaimUsername does that.
	Summary Summary
	// Planned are the links that have to be there: PersonID, App, Username. One
	// that is missing is made, and a deleted one set back, to LinkPlanned; one in
	// any other state is left as it is.
	Planned []Link
	// Steps is every step that the plan has now: their intents. A step that is
	// new, done or superseded becomes open with no attempts (or, if that is its
	// State here, in attention, with Code and Message); one that is open, in
	// attention or skipped stays as it is. Steps that were open or in attention
	// and are not among them are closed as superseded, and unfinished tasks for any
	// but these are withdrawn.
	Steps []Step
	// Audit holds the rows for the record, at most one for each app and action. The
	// ledger fills in Seq, PersonID and, if it is zero, At.
	Audit []AuditRow
	// Approvals are the deletions that wait for an approval: App, Key and LookAt. One
	// that is new, or over, is asked for, with an audit row; of one that is asked for
	// already and has another LookAt, somebody is reminded, with one more. What is
	// approved stays so.
	Approvals []Approval
	// Lapsed are the keys of deletions that are not asked for any more: their approvals
	// are over. LapsedRetentions are the IDs of those that hold no more since another
	// employment has begun: each is ended, with an audit row.
	Lapsed           []string
	LapsedRetentions []int64
	// LapsedSkips are the keys of skipped steps that are about nothing that is asked
	// for any more: they are closed as superseded, so that the same step planned later
	// is open.
	LapsedSkips []string
}

// DuePerson is a person who is due.
type DuePerson struct {
	PersonID string
	At       time.Time
	What     string
	LastSeq  int64
}

// EventFilter selects events; fields that are empty match all.
type EventFilter struct {
	PersonID string
	Source   string    // the HR system
	From, To time.Time // received at or after the one, and before the other
}

// ActorTenure is the actor of what Tenure did by itself.
const ActorTenure = "tenure"

// AuditRow is one line of the append-only record. It holds no names or
// addresses: person IDs, app names, codes.
type AuditRow struct {
	Seq      int64
	At       time.Time
	PersonID string
	App      string
	Action   string         // "created", "adopted", "enabled", "updated", "disabled", "stripped", "handed_over", "deleted", "retry", "skip", ...
	Actor    string         // ActorTenure or the operator
	Login    string         // of the operator: given by the ledger, see WithLogin
	Cause    string         // why: event key, role names, reason
	Detail   map[string]any // as JSON: numbers come back as float64
}
