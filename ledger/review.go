package ledger

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// Reviews keeps who was asked whether people should have what they have, what they said, and
// what came of it. A row is never removed. See docs/adr/0051-access-reviews.md.
type Reviews interface {
	ReviewReader
	// BeginReview stores a review whose population is to be frozen, with an audit row. If there
	// is one with that key, it returns that one.
	BeginReview(ctx context.Context, r Review) (Review, error)
	// FreezeReview stores a page of a review's population, in one transaction. A page that
	// begins elsewhere than at the review's Place is ignored: it was stored before. Items with
	// the same key become one, with the accesses of all. What is in an item already stays there.
	FreezeReview(ctx context.Context, page FrozenPage) (Review, error)
	// OpenReview ends the freezing of a review: it counts the population, and asks the
	// reviewers, with an audit row for each. A review that is open stays as it is.
	OpenReview(ctx context.Context, o ReviewOpening) (Review, error)
	// ChangeReview stores what has become of a review, with audit rows, in one transaction. It
	// returns ErrStale if the review was changed since it was read (see Review.Revision), and
	// ErrNotFound if there is none.
	ChangeReview(ctx context.Context, c ReviewChange) (Review, error)
	// DecideItem stores what somebody says about an item of an open review, with an audit row.
	// It may be said anew until it takes effect. It returns ErrNotFound if there is no such
	// item, and a *DecisionError if the review is not open, or a decision has taken effect.
	DecideItem(ctx context.Context, d ItemDecision) (ReviewItem, error)
	// DecideRest decides about undecided items of a review, as nobody (ReviewNobody), with
	// audit rows, at most limit of them. It returns how many it decided about; nothing is left
	// if these are fewer than limit.
	DecideRest(ctx context.Context, rest RestDecision, limit int) (int, error)
	// AssignItems has others decide about items of which nobody has said anything, with an
	// audit row for each.
	AssignItems(ctx context.Context, reviewID int64, moves []ItemMove) error
	// Revoke lets a decision to revoke something of one person take effect, in one transaction
	// with its audit rows: it places and ends exceptions, and sets links to what a scan has
	// seen. What has taken effect stays as it is, and so does what was set apart since it was
	// read. It returns ErrStale if the item is kept by now.
	Revoke(ctx context.Context, r Revocation) error
	// NoteRevoked stores what has become of accesses that are to be gone, with an audit row for
	// each that is proven to be.
	NoteRevoked(ctx context.Context, reviewID int64, at time.Time, what []RevokedAccess) error
}

// ReviewReader is the part of Reviews that changes nothing.
type ReviewReader interface {
	// Reviews lists reviews by ID, after the given ID, at most limit.
	Reviews(ctx context.Context, f ReviewFilter, after int64, limit int) ([]Review, error)
	// ReviewItems lists items of a review by number, after the given one, at most limit.
	ReviewItems(ctx context.Context, f ItemFilter, after int64, limit int) ([]ReviewItem, error)
	// ReviewAccesses lists what a review is about, by person, app, account and entitlement, after
	// the given place, at most limit.
	ReviewAccesses(ctx context.Context, f AccessFilter, after AccessPlace, limit int) ([]ReviewAccess, error)
	// CountItems counts the items of a review, by who was asked and what was decided.
	CountItems(ctx context.Context, reviewID int64) ([]ItemCount, error)
}

// Review is a campaign in which people say whether others should have what they have.
type Review struct {
	ID        int64 // given by the ledger, ascending, never reused
	Name      string
	Key       string // what the review is known by to whoever starts it
	PersonID  string // the only person whom it is about; empty: everybody
	StartedBy string
	Login     string // see WithLogin
	Reason    string
	StartedAt time.Time
	Terms     string // how the review is held: review.Terms, as JSON

	State    ReviewState
	Place    string // where freezing goes on
	Digest   string // of the population
	Items    int    // questions
	Accesses int    // what they are about: accounts and entitlements of people
	// Scans says how old what was known of each app was when the population was frozen.
	Scans []ReviewScan

	OpenedAt    time.Time
	EndsAt      time.Time // from then on, nobody is asked any more
	ClosedAt    time.Time // when every item was decided
	DoneAt      time.Time // when nothing was left to be proven
	LookAt      time.Time // when somebody has to look at it again; zero if nothing is left to do
	Reminders   int       // how many of the terms' reminders were given
	EscalatedAt time.Time // when the next ones up were asked as well; zero: not yet
	PreviewedAt time.Time // when it was shown what silence would do; zero: not yet
	FollowedAt  time.Time // when it was last compared with who is there
	Revision    int64     // counts the changes
}

// ReviewScan is the last complete scan of an app when a review was frozen.
type ReviewScan struct {
	App   string    `json:"app"`
	Scan  int64     `json:"scan,omitempty"` // zero: there was none
	At    time.Time `json:"at,omitzero"`    // when it began
	Stale bool      `json:"stale,omitempty"`
}

// ReviewState names where a review stands.
type ReviewState string

// The states of a review.
const (
	ReviewFreezing ReviewState = "freezing" // its population is being written down
	ReviewOpen     ReviewState = "open"     // people decide
	ReviewClosing  ReviewState = "closing"  // its time is over, and what is undecided is decided
	ReviewClosed   ReviewState = "closed"   // every item is decided
)

const reviewPrefix = "v-"

// Ref returns the name by which people refer to the review, such as "v-3". Its Name is that of
// the configuration.
func (r Review) Ref() string { return ReviewName(r.ID) }

// ReviewName returns the name of the review with that number, such as "v-3".
func ReviewName(id int64) string { return reviewPrefix + strconv.FormatInt(id, 10) }

// ReviewID returns the number of the review with a name, and false if the text is no such name.
func ReviewID(name string) (int64, bool) { return numberIn(name, reviewPrefix) }

// ItemOrigin returns the origin of exceptions that a decision about an item makes: "v-3/881".
func ItemOrigin(reviewID, item int64) string {
	return ReviewName(reviewID) + "/" + strconv.FormatInt(item, 10)
}

// ItemOf returns the review and the item that have made an exception of that origin, and false if
// none has.
func ItemOf(origin string) (reviewID, item int64, ok bool) {
	review, number, cut := strings.Cut(origin, "/")
	reviewID, ok = ReviewID(review)
	item, err := strconv.ParseInt(number, 10, 64)
	return reviewID, item, ok && cut && err == nil
}

// ReviewItem is one question of a review.
type ReviewItem struct {
	Review int64
	Item   int64  // number within the review, from 1
	Key    string // what it is about, within the review
	Kind   string // see review.Kind
	// PersonID is whom it is about; empty for a role, and for an account that is nobody's.
	PersonID    string
	App         string
	AccountID   string
	Entitlement string // empty: the account, or all that is listed
	Role        string
	Duty        string
	Exception   int64  // the exception that is the reason; zero: none
	Because     string // the reason in words, without personal data
	Facts       json.RawMessage
	People      int // whom it is about
	Accesses    int // what they have

	Reviewer    string // a person, by ID; empty: nobody can be asked
	Authority   string // why they may decide: "manager of 10004"
	Also        string // who may decide as well, since the reviewer had not; empty: nobody
	AssignedAt  time.Time
	AssignedWhy string // why it is with another reviewer than at first

	Decision  ItemVerdict
	DecidedBy string // a person, by ID, or ReviewNobody
	DecidedAs string // why they might: see Authority
	DecidedAt time.Time
	Operator  string        // who wrote it down
	Login     string        // see WithLogin
	Took      time.Duration // since the same person's last decision, or since they were asked
	Reason    string
	EffectAt  time.Time // when the decision took effect; zero: not yet, or there is none
	ProvenAt  time.Time // when all that was to be gone was, as the apps showed it
}

// Name returns the name by which people refer to the item, such as "v-3/881".
func (i ReviewItem) Name() string { return ItemOrigin(i.Review, i.Item) }

// ItemVerdict is what was decided about an item.
type ItemVerdict string

// The verdicts.
const (
	VerdictKeep   ItemVerdict = "keep"   // it is right
	VerdictRevoke ItemVerdict = "revoke" // it is to be gone
	VerdictMoot   ItemVerdict = "moot"   // it was gone before anybody decided
)

// ReviewNobody stands for the silence of those who were asked.
const ReviewNobody = "nobody"

// ReviewAccess is something that somebody has: an entitlement of an app or, if Entitlement is
// empty, an account there.
type ReviewAccess struct {
	Review, Item int64
	AccessPlace

	Effect   string // what was made to take it: "x-12", "f-9"; empty: nothing so far
	EffectAt time.Time
	ProvenAt time.Time // when it was gone, as the app showed it
	Needs    string    // why it does not go by itself
}

// AccessPlace says whose access it is, and where.
type AccessPlace struct {
	PersonID    string // empty: nobody's
	App         string
	AccountID   string // of an account that is nobody's, or of one in which a scan saw more than Tenure gave
	Entitlement string
}

// FrozenPage is a page of a review's population.
type FrozenPage struct {
	Review      int64
	Revision    int64
	Place, Next string // where the page begins and ends: see Review.Place
	Digest      string // of the population up to and including this page
	At          time.Time
	Items       []FrozenItem
}

// FrozenItem is an item with what it is about.
type FrozenItem struct {
	ReviewItem
	Accesses []AccessPlace
}

// ReviewOpening ends the freezing of a review.
type ReviewOpening struct {
	Review int64
	At     time.Time
	Place  string // the place at which freezing has ended
	LookAt time.Time
	// Facts replaces the facts of items, by number: what can be told only of the whole population.
	Facts map[int64]json.RawMessage
}

// ReviewChange says what has become of a review.
type ReviewChange struct {
	// Review is the review as it was read, with new values of State, Scans, EndsAt, ClosedAt,
	// DoneAt, LookAt, Reminders, EscalatedAt, PreviewedAt and FollowedAt. The other fields do
	// not change.
	Review Review
	At     time.Time
	Facts  []ReviewFact
}

// ReviewFact is something about a review that goes on the record, and of which somebody may want
// to be told.
type ReviewFact struct {
	Action   string // one of the actions below
	PersonID string // who is asked, reminded or told; empty: those who run the review
	Actor    string
	Cause    string
	Detail   map[string]any
}

// The actions of audit rows about reviews.
const (
	AuditReviewStarted   = "review_started"
	AuditReviewAsked     = "review_asked"     // a reviewer is asked
	AuditReviewOpened    = "review_opened"    // the population is frozen
	AuditReviewReminded  = "review_reminded"  // a reviewer who has not decided is reminded
	AuditReviewEscalated = "review_escalated" // somebody may decide as well
	AuditReviewPreviewed = "review_silence_previewed"
	AuditReviewExtended  = "review_extended" // it ends later
	AuditReviewEnded     = "review_ended"    // its time is over
	AuditReviewClosed    = "review_closed"   // every item is decided
	AuditReviewDone      = "review_done"     // nothing is left to be proven
	AuditReviewDecided   = "review_decided"
	AuditReviewMoved     = "review_moved"
	AuditReviewRevoked   = "review_revoked" // a decision has taken effect
	AuditReviewProven    = "review_proven"  // what was to be gone is, as the app showed it
	AuditReviewGiven     = "review_given"   // something else gives what was revoked, so it stays
)

// ItemDecision is what somebody says about an item.
type ItemDecision struct {
	Review, Item     int64
	Verdict          ItemVerdict
	By, Authority    string // a person, by ID, and why they may decide
	Operator, Reason string
	At               time.Time
	// Apart lists people whose access becomes an item of its own before anything is decided.
	Apart []ApartItem
	// Only means that nothing is decided about the item itself, but about Apart.
	Only bool
}

// ApartItem is the access of one of the people whom an item is about, which becomes an item of
// its own.
type ApartItem struct {
	PersonID, Reviewer, Authority, Why string
	Verdict                            ItemVerdict // what is decided about it at once; empty: nothing
}

// RestDecision decides about what nobody has said anything of.
type RestDecision struct {
	Review int64
	At     time.Time
	// Verdict returns what silence means for an item.
	Verdict func(ReviewItem) ItemVerdict
	Reason  string
}

// ItemMove has somebody else decide about an item.
type ItemMove struct {
	Item           int64
	Reviewer, Also string // see ReviewItem
	Authority, Why string
	Moot           string // why there is nothing to decide any more; then nobody is asked
	At             time.Time
	Actor          string
	Detail         map[string]any
}

// Revocation lets a decision about an item take effect for one person.
type Revocation struct {
	Review, Item int64
	PersonID     string // who has it now; empty: an account that is nobody's
	At           time.Time
	Actor        string
	Reason       string
	Effects      []RevocationEffect
}

// RevocationEffect is what takes one access.
type RevocationEffect struct {
	AccessPlace
	Withhold *Exception // an exception that is placed
	End      int64      // an exception that is ended; zero: none
	Also     []int64    // exceptions that are ended with it
	Repair   bool       // the link is set to what the last scan saw, so that planning takes it
	Adopt    string     // the person who gets an account that is nobody's, so that planning takes it; empty: see OrphanID
	Finding  int64      // the finding that is repaired, if there is one
	Needs    string     // why it does not go by itself
	Stays    bool       // it is not to go
}

// RevokedAccess is what has become of an access that is to be gone.
type RevokedAccess struct {
	Item int64
	AccessPlace
	Gone  bool
	Given []string // the roles and grants that give it by now, so that it stays
	Needs string   // why it does not go by itself; empty: it is under way
}

// ReviewFilter selects reviews; fields that are zero match all.
type ReviewFilter struct {
	ID       int64
	Name     string
	PersonID string
	States   []ReviewState
	DueBy    time.Time // only those that somebody has to look at by then
	Key      string
}

// ItemFilter selects items of a review; fields that are zero match all.
type ItemFilter struct {
	Review   int64
	Item     int64
	Reviewer string // asked, or asked as well
	PersonID string
	Key      string
	Kind     string
	Open     bool // nothing is decided
	Verdict  ItemVerdict
	// Effectless selects items that are to be revoked, by a decision that was made by then or
	// by nobody, and that has not taken effect.
	Effectless time.Time
}

// AccessFilter selects what a review is about; fields that are zero match all.
type AccessFilter struct {
	Review   int64
	Item     int64
	PersonID string
	Awaited  bool // to be gone, and not proven to be
}

// ItemCount is a number of items of a review.
type ItemCount struct {
	Reviewer string
	Verdict  ItemVerdict
	Nobody   bool // decided by silence
	Items    int
	Accesses int
	Effects  int // items whose decision has taken effect
	Proven   int // items of which all is proven to be gone
}
