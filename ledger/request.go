package ledger

import (
	"context"
	"strconv"
	"strings"
	"time"
)

// Requests keeps who asked for a role or a waiver, who was asked to decide, and what they said. A row is
// never removed. See docs/adr/0049-access-requests.md.
type Requests interface {
	RequestReader
	// AskFor stores a request, whom it asks, and the grant if nobody has to be asked first,
	// all with their audit rows, and in one transaction. It returns ErrNotFound for a person
	// whom the ledger does not know, and ErrStale if it would grant what prolongs a grant that
	// was ended before its time.
	AskFor(ctx context.Context, a Asking) (Request, error)
	// ChangeRequest stores what has become of a request, with what comes of it, in one
	// transaction. It returns ErrStale if the request was changed since it was read (see
	// Request.Revision) or like AskFor, and ErrNotFound if there is none.
	ChangeRequest(ctx context.Context, c RequestChange) (Request, error)
	// LookAgainAt sets when a request has to be looked at again, and changes nothing else. It
	// returns ErrStale like ChangeRequest.
	LookAgainAt(ctx context.Context, requestID, revision int64, at time.Time) error

	// SetStandIn stores a stand-in, with an audit row. It returns ErrNotFound if the ledger
	// does not know one of the two.
	SetStandIn(ctx context.Context, s StandIn) (StandIn, error)
	// EndStandIn ends a stand-in before its time, with an audit row, and returns it. One that
	// has ended stays as it is.
	EndStandIn(ctx context.Context, e StandInEnd) (StandIn, error)
}

// RequestReader is the part of Requests that changes nothing.
type RequestReader interface {
	// Requests lists requests by ID, after the given ID, at most limit.
	Requests(ctx context.Context, f RequestFilter, after int64, limit int) ([]Request, error)
	// Votes lists who was asked about a request, by stage and voter.
	Votes(ctx context.Context, requestID int64) ([]Vote, error)
	// StandIns lists stand-ins by ID, after the given ID, at most limit.
	StandIns(ctx context.Context, f StandInFilter, after int64, limit int) ([]StandIn, error)
}

// Request is what somebody asked for: a role for a person, or that a rule of separation of duties
// is waived for them, for a time.
type Request struct {
	ID        int64 // given by the ledger, ascending, never reused
	PersonID  string
	Role      string        // empty if a waiver is asked for
	Duty      string        // the rule of separation of duties that is to be waived; empty: a role is asked for
	Control   string        // of a waiver: what compensates for the rule
	StartsAt  time.Time     // the later instant at which the grant is to begin; zero: when it is approved
	For       time.Duration // how long the grant is to last
	Reason    string
	Ticket    string
	AskedBy   string // the person who asked, by ID
	Operator  string // who wrote it down
	Login     string // see WithLogin
	AskedAt   time.Time
	Emergency bool
	Extends   int64  // the exception that it prolongs; zero: none
	Terms     string // how it could be requested at that time: policy.RequestRules, as JSON
	Preview   string // digest of what would have been done at that time

	State       RequestState
	Stage       int // from zero: the one that has to answer, or that answered last
	StageAt     time.Time
	ExpiresAt   time.Time // when the time of the stage is over
	EscalatedAt time.Time // when the next ones up were asked in this stage; zero: not yet
	Reminders   int       // of this stage
	LookAt      time.Time // when somebody has to look at it again; zero if nothing is left to do
	Exception   int64     // the grant, or the waiver; zero: none
	DecidedAt   time.Time // when it was approved, denied, cancelled or expired, confirmed or disputed
	Why         string    // why it ended, if nobody's vote says it
	ProvenAt    time.Time // when the access was there, as the apps showed it; zero: not yet
	// Revision counts the changes. ChangeRequest refuses one of a request that has changed.
	Revision int64
}

// RequestState names where a request stands.
type RequestState string

// The states of a request. An emergency is confirming, confirmed or disputed; the others are of
// the requests that are decided first.
const (
	RequestAsked      RequestState = "asked"
	RequestApproved   RequestState = "approved"
	RequestDenied     RequestState = "denied"
	RequestCancelled  RequestState = "cancelled"
	RequestExpired    RequestState = "expired"
	RequestConfirming RequestState = "confirming"
	RequestConfirmed  RequestState = "confirmed"
	RequestDisputed   RequestState = "disputed"
)

// Undecided reports whether somebody has to say something about the request.
func (r Request) Undecided() bool { return r.State == RequestAsked || r.State == RequestConfirming }

const (
	requestPrefix = "r-"
	standInPrefix = "s-"
)

// Name returns the name by which people refer to the request, such as "r-12".
func (r Request) Name() string { return RequestName(r.ID) }

// RequestName returns the name of the request with that number, such as "r-12".
func RequestName(id int64) string { return requestPrefix + strconv.FormatInt(id, 10) }

// RequestID returns the number of the request with a name, and false if the text is no such
// name.
func RequestID(name string) (int64, bool) { return numberIn(name, requestPrefix) }

// numberIn returns the number behind a prefix.
func numberIn(name, prefix string) (int64, bool) {
	number, ok := strings.CutPrefix(name, prefix)
	id, err := strconv.ParseInt(number, 10, 64)
	return id, ok && err == nil && id > 0
}

// Vote is somebody who was asked about a request, and what they said.
type Vote struct {
	RequestID int64
	Stage     int
	Voter     string // a person, by ID
	AskedAt   time.Time
	Reminders int
	MootAt    time.Time // since when they are asked no longer; zero: they are
	Authority string    // why they may decide: "manager of 10004"

	Vote     VoteKind  // empty until they have said something
	Operator string    // who wrote it down
	Login    string    // see WithLogin
	Shown    string    // digest of what would have been done at that time
	Reason   string    // why they said it
	At       time.Time // when they said it
}

// VoteKind names what somebody said about a request.
type VoteKind string

// The votes. About an emergency, they confirm and dispute.
const (
	VoteApprove VoteKind = "approve"
	VoteDeny    VoteKind = "deny"
)

// Asking is a new request, with State, Stage and the times that follow from it.
type Asking struct {
	Request Request
	Asked   []Vote     // Voter and Authority of those who are asked
	Grant   *Exception // if the role is given at once; its origin is the request
	SignIn  string     // how it is known that it is Request.AskedBy who asks, for the audit row
}

// RequestChange says what has become of a request.
type RequestChange struct {
	// Request is the request as it was read, with new values of State, Stage, StageAt,
	// ExpiresAt, EscalatedAt, Reminders, LookAt, DecidedAt, Why and ProvenAt. The other fields
	// do not change.
	Request Request
	At      time.Time
	Asked   []Vote     // Voter and Authority of those who are asked in Request.Stage from now on
	Moot    []string   // voters who are no longer asked
	Remind  bool       // whoever is asked and has said nothing is reminded
	Vote    *Vote      // what somebody has said: Stage, Voter, Authority, Vote, Operator, Shown and Reason
	Grant   *Exception // what is granted; its origin is the request
	End     string     // why the grant ends now; empty: it does not

	// Action, Actor, Cause and Detail are those of the audit row.
	Action, Actor, Cause string
	Detail               map[string]any
}

// RequestFilter selects requests; fields that are zero match all.
type RequestFilter struct {
	ID       int64
	PersonID string
	Role     string
	States   []RequestState
	Voter    string    // only those about which this person is asked, and has said nothing
	DueBy    time.Time // only those that somebody has to look at by then
}

// StandIn decides in somebody's place for a time.
type StandIn struct {
	ID       int64 // given by the ledger, ascending, never reused
	PersonID string
	StandIn  string // the person who decides instead, by ID
	StartsAt time.Time
	EndsAt   time.Time
	Operator string
	Login    string // see WithLogin
	Reason   string
	At       time.Time

	EndedAt    time.Time // zero unless somebody has ended it before its time
	EndedBy    string
	EndedLogin string
	EndReason  string
}

// Name returns the name by which people refer to the stand-in, such as "s-2".
func (s StandIn) Name() string { return standInPrefix + strconv.FormatInt(s.ID, 10) }

// StandInID returns the number of the stand-in with a name, and false if the text is no such
// name.
func StandInID(name string) (int64, bool) { return numberIn(name, standInPrefix) }

// StandInEnd ends a stand-in before its time.
type StandInEnd struct {
	ID               int64
	Operator, Reason string
	At               time.Time
}

// StandInFilter selects stand-ins; fields that are zero match all.
type StandInFilter struct {
	ID       int64
	PersonID string
	At       time.Time // only those in force at that instant
}
