package ledger

import (
	"cmp"
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/tenurehq/tenure/hr"
)

// Breaker holds back mass changes. A change that takes access or gives more of it has to be
// admitted if HR, a security system, a date or policy asks for it, and not an operator. As
// soon as there are too many changes of a kind, all waiting ones of that kind are held
// together. All of these changes are called withdrawals, since most of them are. See
// docs/adr/0020-mass-changes-are-held.md and docs/adr/0028-what-the-breaker-counts.md.
type Breaker interface {
	// Admit asks for withdrawals of one person, and returns the state of each, in the order
	// of the request. Requests of several callers are counted one after the other.
	//
	// An admitted withdrawal stays admitted, a held one stays held, and a refused one stays
	// refused. A new one joins the open cohort of its kind. If there is no open cohort and
	// more people are counted than the limit allows, Admit opens one. It takes all
	// withdrawals of its kind that were counted in the window and are not admitted yet, and
	// makes those people due, with DueWhat "breaker". Otherwise the new withdrawal is
	// admitted as soon as it is due and has settled.
	//
	// An announced withdrawal is also counted together with all that are announced for
	// about the same time, from half a window before it to half a window after it, no matter
	// when they were said.
	//
	// Suspensions are counted separately for each source, and are held only while their
	// source is above its limit, even if a cohort is open. So a flood from one source holds
	// up no other source, and a later single suspension passes.
	//
	// Each person is counted once when Tenure hears of the withdrawal, and once more when
	// it falls due. Withdrawals that an operator released are not counted, nor are those
	// that were counted before an operator released the last cohort of the kind as a whole.
	Admit(ctx context.Context, r AdmissionRequest) (Admission, error)
	// Cohorts lists cohorts by ID. With a zero filter it lists all.
	Cohorts(ctx context.Context, f CohortFilter) ([]Cohort, error)
	// Withdrawals lists the withdrawals that a cohort has held, by person and key, after
	// the given person, of at most limit people.
	Withdrawals(ctx context.Context, cohort int64, after string, limit int) ([]Withdrawal, error)
	// DecideCohort releases or cancels the withdrawals that a cohort holds of the named
	// people, and makes those people due, with DueWhat "breaker". It skips people for whom
	// the cohort holds nothing, and returns the number of people for whom it decided
	// something. Deciding about the last one closes the cohort. Each person gets an audit
	// row. It returns ErrNotFound if the cohort does not exist.
	//
	// A released withdrawal is admitted. If a cancelled one has Voids set, Tenure records a
	// rescind of the event, as if HR had rescinded it, with the operator's name in the
	// audit record. Any other cancelled withdrawal is refused until the plan no longer asks
	// for it.
	DecideCohort(ctx context.Context, d CohortDecision) (int, error)
}

// DueBreaker is the reason why people are due after their cohort was opened or decided.
const DueBreaker = "breaker"

// WithdrawalKind groups the changes that the breaker counts together.
type WithdrawalKind string

// The kinds of withdrawal.
const (
	Leavers     WithdrawalKind = "leavers"     // an employment ends, and access ends with it
	Disables    WithdrawalKind = "disables"    // an account of somebody who stays is disabled
	Deletions   WithdrawalKind = "deletions"   // an account is deleted for good
	Suspensions WithdrawalKind = "suspensions" // a security system cuts somebody off
	Losses      WithdrawalKind = "losses"      // somebody who stays loses entitlements of an account that they keep
	Grants      WithdrawalKind = "grants"      // somebody who has access is given more
	Orphans     WithdrawalKind = "orphans"     // an account that is nobody's ends: see OrphanID
)

// WithdrawalKinds lists every kind.
func WithdrawalKinds() []WithdrawalKind {
	return []WithdrawalKind{Leavers, Disables, Deletions, Suspensions, Losses, Grants, Orphans}
}

// Settles reports whether withdrawals of this kind wait before they are admitted, so that a
// flood is seen before any of it is done. Suspensions wait for Limits.SettleImmediate.
func (k WithdrawalKind) Settles() bool { return k != Deletions }

// WithdrawalState is the state of a withdrawal.
type WithdrawalState string

// The states of a withdrawal.
const (
	WithdrawalNoticed   WithdrawalState = "noticed"   // its event is recorded, and no assessment has seen it
	WithdrawalAnnounced WithdrawalState = "announced" // it is known, and will be due later
	WithdrawalWaiting   WithdrawalState = "waiting"   // it is due, and settling
	WithdrawalHeld      WithdrawalState = "held"      // a cohort holds it
	WithdrawalAdmitted  WithdrawalState = "admitted"  // it may be done
	WithdrawalRefused   WithdrawalState = "refused"   // an operator cancelled it
	WithdrawalOver      WithdrawalState = "over"      // it was admitted, and the plan no longer asks for it
	WithdrawalGone      WithdrawalState = "gone"      // it was never admitted, and the plan no longer asks for it
)

// Withdrawal is one change of one person's access, for one cause, that the breaker counts.
type Withdrawal struct {
	PersonID string
	Kind     WithdrawalKind
	Key      string // identifies the cause among the person's withdrawals of that kind
	State    WithdrawalState
	Cohort   int64       // the last cohort that held it; zero if none did
	Event    hr.EventKey // the event that is the cause, if one is
	Voids    bool        // cancelling it rescinds Event
	Apps     []string    // the apps concerned, sorted; nil until an assessment has seen it
	Why      string      // for people, never personal data
	SaidAt   time.Time   // when Tenure received the event, or first planned it
	DueAt    time.Time   // when access changes
	// CountedAt is when the breaker last counted it.
	CountedAt time.Time
	// SeenAt is when Admit was last asked for it; zero if never.
	SeenAt time.Time
}

// Settled reports whether the withdrawal is admitted.
func (w Withdrawal) Settled() bool { return w.State == WithdrawalAdmitted }

// EventWithdrawal returns the key of a withdrawal whose cause is an event.
func EventWithdrawal(e hr.EventKey) string { return e.Source + "\x1f" + e.ID }

// Ask is one withdrawal that a plan asks for.
type Ask struct {
	Kind      WithdrawalKind
	Key       string
	Event     hr.EventKey
	Voids     bool
	Apps      []string
	Why       string
	SaidAt    time.Time // when Tenure received Event; zero if no event is the cause
	DueAt     time.Time // when access changes; zero if it is due now
	Immediate bool      // it waits for SettleImmediate only
}

// AdmissionRequest asks for withdrawals of one person.
type AdmissionRequest struct {
	PersonID string
	At       time.Time
	Asks     []Ask
	// Gone lists the withdrawals that Person returned and the plan no longer asks for.
	Gone   []Withdrawal
	Limits Limits
}

// Admission is the answer to an AdmissionRequest.
type Admission struct {
	Withdrawals []Withdrawal // one for each Ask
	SettlesAt   []time.Time  // for each withdrawal, when it will have settled; zero if it is not waiting
	Opened      []Cohort     // cohorts that this request opened
}

// Limits holds how many withdrawals are allowed, and how long they settle.
type Limits struct {
	Window time.Duration // the time in which withdrawals are counted together
	// Settle is how long a withdrawal waits after its event was received, or after it was
	// first planned, so that a flood is seen before any of it is done. SettleImmediate is
	// the same for immediate withdrawals.
	Settle, SettleImmediate time.Duration
	Of                      map[WithdrawalKind]Limit // a kind without an entry has no limit
}

// Limit bounds the people whom withdrawals of a kind may concern in a window: Share of the
// people employed, or Count if that is more, and never more than Most. Accounts that are
// nobody's (OrphanID) are concerned like people, and are not among the people employed.
type Limit struct {
	Share float64 // 0.1 is a tenth
	Count int
	Most  int // zero means no such bound
	// Window is the window of this kind; zero means Limits.Window.
	Window time.Duration
}

// WindowOf returns the time in which withdrawals of a kind are counted together.
func (l Limits) WindowOf(kind WithdrawalKind) time.Duration {
	return cmp.Or(l.Of[kind].Window, l.Window)
}

// Employed returns how many people have to be employed so that as many as the given number may be
// concerned. It is false if no number of them would do.
func (l Limit) Employed(concerned int) (employed int, ok bool) {
	const everybody = 1e10
	if l.Share*everybody < float64(concerned) || l.Most > 0 && concerned > l.Most {
		return 0, false
	}
	for employed = int(float64(concerned) / l.Share); l.Allowed(employed) < concerned; employed++ {
	}
	return employed, true
}

// Allowed returns how many people may be concerned, given the number of people employed.
func (l Limit) Allowed(employed int) int {
	allowed := max(l.Count, int(l.Share*float64(employed)))
	if l.Most > 0 {
		allowed = min(allowed, l.Most)
	}
	return allowed
}

// CohortState is the state of a cohort.
type CohortState string

// The states of a cohort.
const (
	CohortOpen      CohortState = "open"      // it holds withdrawals, and takes in new ones
	CohortReleased  CohortState = "released"  // an operator released the last withdrawal in it
	CohortCancelled CohortState = "cancelled" // an operator cancelled the last withdrawal in it
	CohortEnded     CohortState = "ended"     // no plan asks any more for the last withdrawal in it
)

// Cohort is a group of withdrawals that are held together.
type Cohort struct {
	ID                 int64
	Kind               WithdrawalKind
	State              CohortState
	Counted            int // people counted when it was opened
	Allowed            int // people allowed when it was opened
	OpenedAt, ClosedAt time.Time
	Operator, Reason   string // of the operator who closed it
	Login              string // see WithLogin
	// People counts the people whom it has held, Held those for whom it still holds something.
	People, Held int
}

const cohortPrefix = "c-"

// Name returns the name by which people refer to the cohort, such as "c-12".
func (c Cohort) Name() string { return CohortName(c.ID) }

// CohortName returns the name of the cohort with that number, such as "c-12".
func CohortName(id int64) string { return cohortPrefix + strconv.FormatInt(id, 10) }

// CohortID returns the number of the cohort with a name, and false if the text is no such
// name.
func CohortID(name string) (int64, bool) {
	id, err := strconv.ParseInt(strings.TrimPrefix(name, cohortPrefix), 10, 64)
	return id, err == nil && id > 0
}

// CohortFilter selects cohorts. Zero fields match all.
type CohortFilter struct {
	ID    int64
	Open  bool
	After int64 // only those behind it, by ID
	Limit int   // the most cohorts, the first by ID; 0: all
}

// The operator's verbs for cohorts.
const (
	VerbRelease Verb = "release" // the withdrawals are right, and may be done
	VerbCancel  Verb = "cancel"  // the withdrawals are a mistake, and are not done
)

// CohortDecision is an operator's decision about withdrawals that a cohort holds.
type CohortDecision struct {
	Cohort           int64
	Verb             Verb
	People           []string
	Operator, Reason string
	At               time.Time
}
