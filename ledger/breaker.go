package ledger

import (
	"cmp"
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/tenurehq/tenure/hr"
)

// Breaker holds back mass changes: what nobody but HR, a security system, a date or
// policy asks for, and takes access or gives more of it, has to be admitted, and is held
// with all that wait like it as soon as there are too many of its kind. All of these are
// called withdrawals, as most of them are. See docs/adr/0020-mass-changes-are-held.md and
// docs/adr/0028-what-the-breaker-counts.md.
type Breaker interface {
	// Admit asks for withdrawals of one person, and says what became of each, in
	// the order of the request. Whatever several callers ask for at once is counted
	// one after the other.
	//
	// What was admitted once stays so, what is held stays held, and what is refused
	// stays refused. What is new joins the open cohort of its kind. If there is none
	// but more people are counted than the limit allows, one is opened, and takes
	// all of its kind that was counted in the window and is not admitted yet; those
	// people are made due, with DueWhat "breaker". Else it is admitted as soon as it
	// falls due and has settled.
	//
	// What is announced is also counted together with what is announced for the same
	// time, whenever it was said: half a window before it to half a window after it.
	//
	// Suspensions are counted by the source that suspends, and are held only while that
	// source is above its limit, whatever is open: that one source floods holds up no
	// other, and one that comes later, by itself, passes.
	//
	// A person is counted once, when Tenure heard of the withdrawal and again when
	// it falls due. What an operator released is not counted, nor what was counted
	// before they released the last cohort of that kind as a whole.
	Admit(ctx context.Context, r AdmissionRequest) (Admission, error)
	// Cohorts lists cohorts by ID; with a zero filter, all.
	Cohorts(ctx context.Context, f CohortFilter) ([]Cohort, error)
	// Withdrawals lists what a cohort has held, by person and key, after the given
	// person, at most limit people.
	Withdrawals(ctx context.Context, cohort int64, after string, limit int) ([]Withdrawal, error)
	// DecideCohort releases or cancels what a cohort holds, of the people named, and
	// makes them due, with DueWhat "breaker". It skips people for whom the cohort holds
	// nothing, and returns for how many people something was decided. The last
	// one closes the cohort. Each person gets an audit row. A cohort that is not
	// there is ErrNotFound.
	//
	// What is released is admitted. What is cancelled and Voids is as if HR had
	// rescinded the event: Tenure records a rescind of it, with the operator's name
	// on it in the audit. Anything else that is cancelled is refused, until the plan
	// does not ask for it any more.
	DecideCohort(ctx context.Context, d CohortDecision) (int, error)
}

// DueBreaker is the reason why people are due after their cohort was opened or decided.
const DueBreaker = "breaker"

// WithdrawalKind says which changes the breaker counts together.
type WithdrawalKind string

// The kinds of withdrawal.
const (
	Leavers     WithdrawalKind = "leavers"     // an employment ends, and access with it
	Disables    WithdrawalKind = "disables"    // an account of somebody who stays is turned off
	Deletions   WithdrawalKind = "deletions"   // an account is deleted for good
	Suspensions WithdrawalKind = "suspensions" // a security system cuts somebody off
	Losses      WithdrawalKind = "losses"      // somebody who stays loses entitlements of an account that they keep
	Grants      WithdrawalKind = "grants"      // somebody who has access is given more
)

// WithdrawalKinds lists every kind.
func WithdrawalKinds() []WithdrawalKind {
	return []WithdrawalKind{Leavers, Disables, Deletions, Suspensions, Losses, Grants}
}

// Settles reports whether what is of this kind waits before it is admitted, so that a flood
// is seen before the first of it is done. Suspensions wait as what is immediate does.
func (k WithdrawalKind) Settles() bool { return k != Deletions }

// WithdrawalState is the state of a withdrawal.
type WithdrawalState string

// The life of a withdrawal.
const (
	WithdrawalNoticed   WithdrawalState = "noticed"   // HR said so; no assessment has seen it
	WithdrawalAnnounced WithdrawalState = "announced" // it is known, and falls due later
	WithdrawalWaiting   WithdrawalState = "waiting"   // it is due, and settles
	WithdrawalHeld      WithdrawalState = "held"      // a cohort holds it
	WithdrawalAdmitted  WithdrawalState = "admitted"  // it may be done
	WithdrawalRefused   WithdrawalState = "refused"   // an operator cancelled it
	WithdrawalOver      WithdrawalState = "over"      // it was admitted, and is not asked for any more
	WithdrawalGone      WithdrawalState = "gone"      // it was never admitted, and is not asked for any more
)

// Withdrawal is access of one person that is to be taken for one cause.
type Withdrawal struct {
	PersonID string
	Kind     WithdrawalKind
	Key      string // identifies the cause among the person's of that kind
	State    WithdrawalState
	Cohort   int64       // the last one that held it; zero if none did
	Event    hr.EventKey // what HR said, if that is the cause
	Voids    bool        // cancelling it makes Event void
	Apps     []string    // where, sorted; nil until an assessment has seen it
	Why      string      // for people, never personal data
	SaidAt   time.Time   // when Tenure received the event, or first planned it
	DueAt    time.Time   // when access ends
	// CountedAt is the last time that the breaker counted it.
	CountedAt time.Time
	// SeenAt is the last time that Admit was asked for it; zero if never.
	SeenAt time.Time
}

// Settled reports whether the withdrawal may be done, as far as anybody has decided.
func (w Withdrawal) Settled() bool { return w.State == WithdrawalAdmitted }

// EventWithdrawal is the key of a withdrawal whose cause is an event.
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
	DueAt     time.Time // when access ends; zero: it is due
	Immediate bool      // it does not wait as others do
}

// AdmissionRequest asks for withdrawals of one person.
type AdmissionRequest struct {
	PersonID string
	At       time.Time
	Asks     []Ask
	// Gone are those that Person gave and that are not asked for any more.
	Gone   []Withdrawal
	Limits Limits
}

// Admission is the answer.
type Admission struct {
	Withdrawals []Withdrawal // one for each Ask
	SettlesAt   []time.Time  // until when each that is waiting settles; zero for others
	Opened      []Cohort     // cohorts that this request opened
}

// Limits say how much is too much.
type Limits struct {
	Window time.Duration // in which withdrawals are counted together
	// Settle is how long a withdrawal waits after HR said so, or after it was first
	// planned, so that a flood is seen before the first one is done. SettleImmediate is
	// that of immediate ones.
	Settle, SettleImmediate time.Duration
	Of                      map[WithdrawalKind]Limit // a kind that is not there has no limit
}

// Limit is how many people of a kind may be concerned in a window: a share of the
// people employed, or so many if that is more, and never more than Most.
type Limit struct {
	Share float64 // 0.1 is a tenth
	Count int
	Most  int // zero: however many the share comes to
	// Window is that of this kind; zero: Limits.Window.
	Window time.Duration
}

// WindowOf returns the time in which withdrawals of a kind are counted together.
func (l Limits) WindowOf(kind WithdrawalKind) time.Duration {
	return cmp.Or(l.Of[kind].Window, l.Window)
}

// Allowed returns how many people may be concerned if so many are employed.
func (l Limit) Allowed(employed int) int {
	allowed := max(l.Count, int(l.Share*float64(employed)))
	if l.Most > 0 {
		allowed = min(allowed, l.Most)
	}
	return allowed
}

// CohortState is the state of a cohort.
type CohortState string

// The life of a cohort.
const (
	CohortOpen      CohortState = "open"      // it holds what is in it, and takes in what comes
	CohortReleased  CohortState = "released"  // an operator let the last of it go
	CohortCancelled CohortState = "cancelled" // an operator cancelled the last of it
	CohortEnded     CohortState = "ended"     // nobody asks any more for the last of it
)

// Cohort is the withdrawals that are held together.
type Cohort struct {
	ID                 int64
	Kind               WithdrawalKind
	State              CohortState
	Counted            int // people counted when it was opened ...
	Allowed            int // ... of so many allowed
	OpenedAt, ClosedAt time.Time
	Operator, Reason   string // of who closed it
	Login              string // see WithLogin
	// People counts the people whom it has held, Held those for whom it still holds something.
	People, Held int
}

const cohortPrefix = "c-"

// Name returns the name by which people refer to the cohort, such as "c-12".
func (c Cohort) Name() string { return CohortName(c.ID) }

// CohortName returns the name of the cohort with that number, such as "c-12".
func CohortName(id int64) string { return cohortPrefix + strconv.FormatInt(id, 10) }

// CohortID returns the number of the cohort of that name, and false if it is no such name.
func CohortID(name string) (int64, bool) {
	id, err := strconv.ParseInt(strings.TrimPrefix(name, cohortPrefix), 10, 64)
	return id, err == nil && id > 0
}

// CohortFilter selects cohorts. Zero fields match all.
type CohortFilter struct {
	ID   int64
	Open bool
}

// The operator's verbs for what a cohort holds.
const (
	VerbRelease Verb = "release" // it is right: let it be done
	VerbCancel  Verb = "cancel"  // it is a mistake: let nothing come of it
)

// CohortDecision is an operator's about what a cohort holds.
type CohortDecision struct {
	Cohort           int64
	Verb             Verb
	People           []string
	Operator, Reason string
	At               time.Time
}
