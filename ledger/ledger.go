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

// ErrStale is returned by SaveAssessment if another assessment of the person was saved after
// this one read the ledger. The caller has to read and assess the person again.
var ErrStale = errors.New("ledger: the person was assessed by another meanwhile: read them again and assess again")

// ErrUnreachable is wrapped by the error of a store that does not answer. The caller should
// wait for the store and repeat the call. If the connection broke during a write, it is not
// known whether the write was done.
var ErrUnreachable = errors.New("the database cannot be reached")

// ErrRefused is wrapped by the error of a store that answers and can never keep what it was
// given, such as a text that it cannot store or index, or an event without a person. A call
// with other data may succeed.
var ErrRefused = errors.New("the ledger cannot keep this")

// Ledger is one store. All methods are safe for concurrent use, also by several processes,
// and may be repeated: a second call with the same arguments changes nothing. If a method
// fails, it has changed nothing (but see ErrUnreachable). Any error other than ErrNotFound
// and ErrStale means that the store could not be reached, failed, or was given invalid
// arguments. If a method returns without error, its changes survive a crash of the process
// and of the machine.
//
// Times are instants. They are kept to the microsecond, without rounding, and returned in
// UTC. Lists sorted by a text are sorted by its bytes.
type Ledger interface {
	Intake
	Turns
	Work
	Query
	Steps
	Census
	Tasks
	Pacer
	Leases
	Licences
	Mover
	Breaker
	Holds
	Retentions
	Approvals
	Exceptions
	Requests
	Reviews
	Identities
	Identifiers
	Scans
	Log
	Notices
	Privacy

	// Ping reports whether the store answers.
	Ping(ctx context.Context) error
	Close() error
}

// Intake stores HR events for their consumer.
type Intake interface {
	// Record stores events in one transaction, in order, and makes the people whom they
	// concern due at once, unless the event waits for the person's turn. If the ledger has an event with the same key already, Record
	// does not store the new one. It reports a duplicate, with the first one's sequence
	// number, or a conflict if the new one has other content: see Receipt.
	Record(ctx context.Context, events []Received) ([]Receipt, error)
	// Known returns, in order, what is recorded under these keys, and changes nothing. It
	// sees everything that was recorded and marked before the call.
	Known(ctx context.Context, keys []hr.EventKey) ([]Known, error)
	// MarkDelivered notes that Temporal has taken the signals for these events.
	MarkDelivered(ctx context.Context, seqs []int64) error
	// RecordDeadLetter records that a record became a dead letter, as an open one. Origin
	// and digest identify a record, since a topic may be created again and count from zero.
	// If its letter is there already, nothing changes.
	//
	// A letter whose record was sent again from another letter (RedriveOf, if an operator
	// announced it: see Received) makes that letter LetterFailed. It becomes urgent if that
	// letter was, and takes over that letter's person if it has none itself.
	//
	// An urgent letter makes its person due at ReceivedAt, with DueWhat "letter". It does
	// not make a person known whom the ledger did not know.
	RecordDeadLetter(ctx context.Context, l DeadLetter) (LetterReceipt, error)
}

// Received is an event, with when and from where it was received.
type Received struct {
	Event     hr.Event
	At        time.Time // when Tenure received it (product time)
	Topic     string    // empty if it did not come from Kafka
	Partition int
	Offset    int64
	// RedriveOf is the dead letter from which the record was sent again, as the record's
	// headers claim. If an operator announced a record with this digest (VerbAnnounce), that
	// letter becomes LetterApplied, even if the event is a duplicate, and an urgent letter
	// makes its person due. Without an announcement no letter changes.
	RedriveOf     Position
	RedriveDigest string
	// Snapshot means that the data are the person's state at the time at which the record
	// was made or read, so that a repetition may hold other data. An event with the same
	// key, person and type is then a duplicate.
	Snapshot bool
	// Waits means that Temporal is told of the event only when it is the person's turn: see
	// Turns. A duplicate does not wait.
	Waits bool
	// WaitsIfNew means that the event waits if the person waits already and was never assessed:
	// nothing can be taken from them yet.
	WaitsIfNew bool
	// Audit is the audit row of an event that an operator recorded; nil for HR's events. The
	// ledger fills in Seq, PersonID and, if it is zero, At. Such an event makes its person
	// due with DueWhat "operator", because nobody else signals their run.
	Audit *AuditRow
}

// Receipt is the ledger's answer to one received event.
type Receipt struct {
	Seq       int64 // sequence number, ascending, never reused
	Duplicate bool  // an event with that key was already there
	Delivered bool  // Temporal has taken the signal of the event that was there, or will when it is the person's turn
	Waits     bool  // the event was recorded, and waits for the person's turn
	// Conflict means that another event with that key, number Seq, was already there: of
	// another person, or with other content. Nothing was recorded.
	Conflict bool
}

// Known describes the event that the ledger has under a key; it is zero if there is
// none.
type Known struct {
	Seq       int64
	Delivered bool   // Temporal has taken the event's signal, or will when it is the person's turn
	Topic     string // as in Received
	Partition int
	Offset    int64
}

// Work serves the planning and applying of steps.
type Work interface {
	// Person returns everything known about one person, in one consistent read.
	Person(ctx context.Context, personID string) (Person, error)
	// ClaimUsername returns the username that the person holds. If there is none, it gives
	// them the first free one of base, base2, base3, ..., with at most longest bytes, the
	// number included. Zero means no limit.
	//
	// The person holds a username as long as they are in the ledger, and nobody else ever
	// gets it. There is one exception. If the username is not made of base and no account
	// can have it, because every attempt to make one was refused, the person gets another
	// one, and steps that the app refused as invalid are superseded.
	//
	// Usernames that differ only in case are the same, as they are for many apps.
	ClaimUsername(ctx context.Context, personID, base string, longest int) (string, error)
	// SaveAssessment stores the result of an assessment in one transaction. If something
	// made the person due after the assessment read them, they stay due.
	SaveAssessment(ctx context.Context, a Assessment) error
	// BeginStep records the intent to call an app. It must be called before the first call of
	// every attempt that may have an effect. See Attempt and Begun.
	BeginStep(ctx context.Context, a Attempt) (Begun, error)
	// NoteCreation stores what is known about a call that creates the person's account in
	// an app: before it is sent, if the intent has not said so (Ahead), and after it has failed.
	// It makes the link if it is missing, and does not change a link that has an account.
	NoteCreation(ctx context.Context, personID, app string, c Creation) error
	// NoteReceiver stores who is given a person's data in an app, with an audit row
	// (AuditHandOverBegun), before the call that hands them over. It changes nothing if the
	// link has that receiver, but for the time, or has no account.
	NoteReceiver(ctx context.Context, personID, app string, r Receiver) error
	// FinishStep stores a step's outcome, the link's new state and the audit row in one
	// transaction. The row's detail gets the state and the entitlements of that link
	// (DetailState, DetailHas), so that the record alone tells what somebody had at any time.
	// If the plan no longer wants the step, or an operator skipped it
	// meanwhile, the step stays as it is. Link and audit row are stored all the same,
	// because the app was changed. FinishStep refuses a link to an account that another
	// person's link names, unless that link is deleted: it returns a *TakenError and stores
	// nothing. If the step was open and needs attention now, it writes an audit row
	// (AuditNeedsAttention).
	FinishStep(ctx context.Context, o Outcome) error
	// Act records an operator's action, with the operator and the reason, and applies it.
	Act(ctx context.Context, a Action) error
	// ActOnLetter records an operator's action on a dead letter. It returns ErrNotFound if
	// there is no such letter. An urgent letter that is no longer pending makes its person
	// due.
	ActOnLetter(ctx context.Context, a LetterAction) error
	// Due lists people whose due time is at or before the given instant,
	// earliest first (then by ID), at most limit.
	Due(ctx context.Context, at time.Time, limit int) ([]DuePerson, error)
}

// Query reads lists, for operators.
type Query interface {
	// People lists person summaries by ID, after the given ID, at most limit.
	People(ctx context.Context, after string, limit int) ([]Summary, error)
	// Events lists events by sequence number, after the given one, at most limit. While
	// several processes write, an event may become visible after one with a higher number.
	// Events of people who were erased are not listed.
	Events(ctx context.Context, f EventFilter, after int64, limit int) ([]StoredEvent, error)
	// Repetitions lists records that said again what another record had said, received at or
	// after from and before until, by ID, after the given ID, at most limit.
	Repetitions(ctx context.Context, from, until time.Time, after int64, limit int) ([]Repetition, error)
	// Links lists links by person and app; filter fields that are empty match all.
	Links(ctx context.Context, f LinkFilter) ([]Link, error)
	// Granted lists the IDs of people who have an enabled account in an app and, unless it is
	// empty, an entitlement there, sorted. Of more than limit people it lists any.
	Granted(ctx context.Context, app, entitlement string, limit int) ([]string, error)
	// Audit lists audit rows of one person, or of everybody if personID is empty, oldest
	// first, after the given sequence number, at most limit. While several processes write,
	// a row may become visible after a row of another person with a higher number.
	Audit(ctx context.Context, personID string, after int64, limit int) ([]AuditRow, error)
	// AuditSince lists audit rows of everybody by time and then by number, after the given
	// place, at most limit.
	AuditSince(ctx context.Context, after AuditPlace, limit int) ([]AuditRow, error)
	// AuditBefore lists audit rows of everybody from before an instant, the latest first, at
	// most limit.
	AuditBefore(ctx context.Context, at time.Time, limit int) ([]AuditRow, error)
	// DeadLetters lists dead letters by ID, after the given ID, at most limit.
	DeadLetters(ctx context.Context, f LetterFilter, after int64, limit int) ([]DeadLetter, error)
}

// Person holds everything that the ledger knows about one person.
type Person struct {
	Summary
	Events  []StoredEvent // by sequence number
	Links   []Link        // by app
	Steps   []Step        // open, in attention or skipped, by app and key
	Waivers []string      // keys of conflicts that an operator has skipped, sorted
	Letters []DeadLetter  // pending, by ID
	Tasks   []Task        // unfinished, by ID
	// Withdrawals lists those that are neither over nor gone, by kind and key.
	Withdrawals []Withdrawal
	Holds       []Hold      // not released, by ID; their time may be over
	Retentions  []Retention // in force, by app
	Approvals   []Approval  // asked or approved, by key
	// Exceptions lists those that have not ended, by ID; the time of some may be over. It
	// includes those of Earlier.
	Exceptions []Exception
	// CarriedTo is the ID that has this person's accounts now, if the two are one human: see
	// Identities. Nothing more is provisioned for this ID.
	CarriedTo string
	// Earlier lists the other IDs of the same human whose accounts this person has, directly
	// or through another ID, by ID. Holds includes their holds.
	Earlier []Earlier
	// ManagerAccounts holds, by app, the account ID of the manager whom the last assessment
	// found, from the manager's links that are active or disabled.
	ManagerAccounts map[string]string
}

// StoredEvent is an event in the ledger.
type StoredEvent struct {
	Seq   int64
	Event hr.Event
	At    time.Time
	From  Position // the first record in Kafka that said so; zero if it did not come from there
}

// Repetition is a record in Kafka that said again what another record had said.
type Repetition struct {
	ID       int64 // given by the ledger, ascending
	At       Position
	Event    int64 // the event's sequence number
	Received time.Time
}

// Summary is one person as the last assessment left them.
type Summary struct {
	PersonID string
	Username string // empty until claimed
	// GivenName and FamilyName are cut if they are long: at least 500 bytes are kept.
	GivenName  string
	FamilyName string
	Status     hr.Status
	Department string
	JobTitle   string
	ManagerID  string
	DueAt      time.Time // when somebody has to look at the person again; zero if nothing is pending
	DueWhat    string    // what is due then: one of the reasons below, or what the assessment found
	AssessedAt time.Time
	LastSeq    int64 // their last event in the ledger; for SaveAssessment, the last one that the assessment saw
	// Revision counts saved assessments, and everything from outside that made the person
	// due, such as events. An assessment returns the revision that it read, so that
	// SaveAssessment knows what the assessment could not have seen.
	Revision int64
	// Seen is the last event that the last assessment saw; zero if that is not known. Saving an
	// assessment sets it to the LastSeq that it saw.
	Seen int64
	// Waits holds by app since when the person waits for their account to be turned on or off,
	// as the last assessment found it; nil if they wait for nothing.
	Waits map[string]Wait
	// ErasedAt is when what was known of the person was erased; zero if it was not, and if HR
	// has said something of them since.
	ErasedAt time.Time
}

// Wait says since when a person waits for an account of theirs to be turned on or off.
type Wait struct {
	Off   bool      `json:"off,omitempty"` // to be turned off
	Since time.Time `json:"since"`
}

// The reasons why people are due besides those that planning finds.
const (
	DueWorking = "working" // their run is at work, and the sweeper leaves it alone until then
	DueEvent   = "event"   // an event that no assessment has seen
	DueManager = "manager" // the manager's account in some app is new
	DueLetter  = "letter"  // an urgent dead letter about them is new, or no longer pending
	DueTask    = "task"    // a task of theirs is done or refused
	// DueSamePerson is an event about one of their earlier IDs: see Identities.
	DueSamePerson = "same_person"
	// DueOperator is an event that an operator recorded and no assessment has seen.
	DueOperator = "operator"
)

// Assessment holds the result of one assessment: the person's summary, the links and steps
// that the plan wants, and when to assess the person again.
type Assessment struct {
	// Summary is the person's new summary, made from the one that Person returned. LastSeq
	// and Revision tell what the assessment saw. Username is not stored; ClaimUsername does
	// that.
	Summary Summary
	// Period is the employment that the summary's status is of; nil if there is none. It is
	// not stored: notices are made from it.
	Period *hr.Period
	// AtWork means that the run has something to do at once: see Told.
	AtWork bool
	// Planned lists the links that have to exist: PersonID, App, Username. A missing link is
	// made, and a deleted one reset, with the state LinkPlanned. A link in any other state
	// is not changed.
	Planned []Link
	// Steps lists every step that the plan has now. A step that is new, done or superseded
	// becomes open with no attempts, or in attention, with Code and Message, if that is its
	// State here. A step that is open, in attention or skipped stays as it is. Steps that
	// were open or in attention and are not in the list become superseded. Unfinished tasks
	// for steps that are not in the list are withdrawn.
	Steps []Step
	// Audit holds the audit rows, at most one for each app and action. The ledger fills in
	// Seq, PersonID and, if it is zero, At.
	Audit []AuditRow
	// Approvals lists the deletions that wait for an approval: App, Key and LookAt. A new
	// one, or one that was over, becomes asked for, with an audit row. If one was asked for
	// before and has another LookAt now, that is recorded as a reminder, with an audit row.
	// An approved one stays approved.
	Approvals []Approval
	// Lapsed lists the keys of deletions that are no longer planned: their approvals are
	// over. LapsedRetentions lists the IDs of retentions that another employment has ended:
	// each is ended, with an audit row.
	Lapsed           []string
	LapsedRetentions []int64
	// Identifiers lists what the person is called: Kind and Value. See Identifiers.
	Identifiers []Identifier
	// LapsedExceptions lists exceptions that are over by themselves: each is ended, with an
	// audit row.
	LapsedExceptions []LapsedException
	// LapsedSkips lists the keys of skipped steps that no plan asks for any more. They become
	// superseded, so that the same step is open if it is planned later.
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
	From, To time.Time // received at or after From, and before To
}

// AuditHandOverBegun is the action of the audit row that names who is given a leaver's data.
const AuditHandOverBegun = "hand_over_begun"

// AuditNeedsAttention is the action of the audit row of a step that came to need an operator.
const AuditNeedsAttention = "needs_attention"

// What FinishStep adds to the detail of an audit row that comes with a link: the state and the
// entitlements that the link has from then on.
const (
	DetailState = "state"
	DetailHas   = "has"
)

// What the details of audit rows about steps tell for figures: since when the person had waited
// for what turned the account on or off, the mass change that had held it back, and their
// department at that time.
const (
	DetailSince      = "since"
	DetailCohort     = "cohort"
	DetailDepartment = "department"
)

// AuditPlace is a row's place in the audit record by time. The zero value is before all.
type AuditPlace struct {
	At  time.Time
	Seq int64
}

// ActorTenure is the actor of everything that Tenure did by itself.
const ActorTenure = "tenure"

// AuditRow is one row of the audit record, to which rows are only added. It holds person
// IDs, names of apps and codes, and neither names nor addresses of people. Commands print
// it as JSON.
type AuditRow struct {
	Seq      int64          `json:"seq"`
	At       time.Time      `json:"at"`
	PersonID string         `json:"person,omitempty"`
	App      string         `json:"app,omitempty"`
	Action   string         `json:"action"`           // "created", "adopted", "enabled", "updated", "disabled", "stripped", "handed_over", "deleted", "retry", "skip", ...
	Actor    string         `json:"actor"`            // ActorTenure or the operator
	Login    string         `json:"login,omitempty"`  // of the operator; the ledger fills it in, see WithLogin
	Cause    string         `json:"cause,omitempty"`  // event key, names of roles, or reason
	Detail   map[string]any `json:"detail,omitempty"` // as JSON: numbers come back as float64
}
