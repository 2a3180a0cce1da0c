package ledger

import (
	"context"
	"time"

	"github.com/tenurehq/tenure/hr"
)

// ScanState is the state of a scan.
type ScanState string

// The states of a scan.
const (
	ScanListing    ScanState = "listing"    // accounts are being listed
	ScanComparing  ScanState = "comparing"  // all are listed, and are being compared with the ledger
	ScanDone       ScanState = "done"       // all are compared
	ScanSuspicious ScanState = "suspicious" // the list is not to be believed, and nothing was concluded
	ScanFailed     ScanState = "failed"     // the app could not be listed to the end
	ScanAbandoned  ScanState = "abandoned"  // a later scan of the app began before this one ended
)

// Unfinished reports whether a scan in this state is under way.
func (s ScanState) Unfinished() bool { return s == ScanListing || s == ScanComparing }

// Scan is one look at all accounts of an app.
type Scan struct {
	ID        int64
	App       string
	Key       string // what the scan is known by to whoever makes it
	State     ScanState
	StartedAt time.Time
	ListedAt  time.Time // when all accounts were listed; zero before
	EndedAt   time.Time
	// Accounts and Enabled count the accounts that were listed, and Reported is the number
	// that the app itself gave; it is below zero if the app gave none.
	Accounts, Enabled, Reported int
	Pages                       int // in which they were listed
	// Token is where listing goes on, and Place the ID of the account after which comparing
	// goes on.
	Token, Place string
	Why          string // why nothing was concluded: a code and numbers, without personal data
	// BelievedAt is when an operator decided that a suspicious list was right: the scan
	// after it may differ from the one before in the same way.
	BelievedAt                       time.Time
	BelievedBy, BelieveReason, Login string
}

// Observed is one account as a scan saw it last.
type Observed struct {
	App, AccountID string
	Scan           int64     // the last scan that saw it
	At             time.Time // when the app was asked
	Username       string
	ExternalID     string
	Addresses      []string // that may be e-mail addresses, in lower case
	Employee       string   // the employee number, in lower case; empty if the account shows none
	Active         bool
	Entitlements   []string
	LastUsedAt     time.Time // zero if never, or if the app does not say
	// Seen holds a digest of each managed attribute as the app showed it. Baseline is what
	// Seen was at BaselineAt, in the first scan after the account's last proof: what differs
	// from it was changed by somebody else since.
	Seen, Baseline map[string]string
	BaselineAt     time.Time
	FirstAt        time.Time // when a scan saw it first
}

// Listed is a page of a scan's list.
type Listed struct {
	Scan     int64
	Token    string // where the page begins: the scan's Token. A page that begins elsewhere is ignored
	Next     string // where the next page begins
	Accounts []Observed
}

// FindingKind names a kind of difference between an app and the ledger.
type FindingKind string

// The kinds of finding.
const (
	FindingState      FindingKind = "state"      // an account is on that was turned off or deleted
	FindingOff        FindingKind = "off"        // an account is off that was on
	FindingMissing    FindingKind = "missing"    // a linked account is not there
	FindingAttributes FindingKind = "attributes" // an attribute is not as it was at the last proof
	FindingLacking    FindingKind = "lacking"    // an entitlement is not there that Tenure gave
	FindingStray      FindingKind = "stray"      // an entitlement is there that Tenure did not give
	FindingUnlinked   FindingKind = "unlinked"   // nobody's account, which matches one person
	FindingDisputed   FindingKind = "disputed"   // nobody's account, which matches several people
	FindingOrphan     FindingKind = "orphan"     // nobody's account, which matches nobody, or only who has left
	FindingDuty       FindingKind = "duty"       // what is there conflicts with a rule of separation of duties, and what Tenure gave does not
)

// Nobodys reports whether findings of this kind are about accounts that are nobody's.
func (k FindingKind) Nobodys() bool {
	return k == FindingUnlinked || k == FindingDisputed || k == FindingOrphan
}

// FindingKinds lists every kind of finding.
func FindingKinds() []FindingKind {
	return []FindingKind{
		FindingState, FindingOff, FindingMissing, FindingAttributes, FindingLacking, FindingStray,
		FindingUnlinked, FindingDisputed, FindingOrphan, FindingDuty,
	}
}

// FindingStatus is the state of a finding.
type FindingStatus string

// The states of a finding.
const (
	FindingPending   FindingStatus = "pending"   // too few scans have shown it yet
	FindingOpen      FindingStatus = "open"      // an operator is asked
	FindingReported  FindingStatus = "reported"  // it is only counted
	FindingRepairing FindingStatus = "repairing" // the ledger knows what the app shows, and planning does the rest
	FindingGone      FindingStatus = "gone"      // it ended by itself
	FindingRepaired  FindingStatus = "repaired"  // it ended after it was repaired
)

// Finding is one difference between an app and the ledger. "f-9" is finding 9.
type Finding struct {
	ID        int64
	App       string
	AccountID string
	Kind      FindingKind
	What      string // the entitlement, the attribute or the rule; empty for other kinds
	// PersonID is whose account it is, or whom alone it matches; empty if that is not known.
	// Once an orphan is to go that was nobody's, it is the person that stands for it (OrphanID).
	PersonID   string
	Candidates []string // the people whom a disputed account, or an orphan, matches
	By         string   // by what kind of identifier it matches
	Enabled    bool     // the app shows the account as enabled
	State      FindingStatus
	Why        string // why an operator is asked although it should be repaired: a code
	Scans      int    // how many scans have shown it
	FirstScan  int64
	LastScan   int64
	FoundAt    time.Time
	// DecidedAt is when it was decided to repair it, by DecidedBy: an operator with a
	// reason, or ActorTenure.
	DecidedAt                time.Time
	DecidedBy, Reason, Login string
	EndedAt                  time.Time
}

// Sighting is what is known of one account of an app: what the last scan saw, and what the
// ledger says.
type Sighting struct {
	AccountID string
	Observed  *Observed // as a scan saw it last; nil if none ever did
	Links     []Link    // to the account, or (LinkDeleted) to the one that it was, by person
	Findings  []Finding // those that have not ended, by ID
	// Candidates lists the people whom the account matches, if nobody's link names it, by
	// the surest kind of identifier that matches anybody. An account with an external ID
	// that is nobody's matches nobody.
	Candidates []Candidate
	// Busy means that an attempt at a step of the linked person in this app may be under
	// way, and Working that steps of theirs in this app, or mass changes about them, are
	// not finished.
	Busy, Working bool
	// AssessedAt is when the linked person was last assessed.
	AssessedAt time.Time
}

// Candidate is somebody whom an account matches.
type Candidate struct {
	PersonID string
	By       IdentifierKind
	Status   hr.Status
	Link     Link // theirs in this app; zero if there is none
	Busy     bool // an attempt at a step of theirs in this app may be under way
}

// Verdict is what a comparison says about one account.
type Verdict struct {
	AccountID string
	// Unjudged means that nothing can be said now: findings of the account stay as they are.
	Unjudged bool
	// Read is the account as the app showed it when it was asked for this account alone,
	// because the list did not have it; nil if it was not, or does not have it either.
	Read     *Observed
	Baseline bool // the attributes that were seen become the baseline
	// Findings lists every difference that there is: App, AccountID, Kind, What, PersonID,
	// Candidates, By, Enabled, State and Why. State is FindingPending, FindingOpen,
	// FindingReported or FindingRepairing. A finding that is being repaired stays so. One that
	// was repaired too often becomes FindingOpen instead, and one about which the ledger knows
	// something newer FindingPending; Why says so.
	Findings []Finding
	// Proven lists the IDs of findings whose repair was proven: they end, even if the same
	// difference shows again. Keep lists those that do not show any more, and whose repair is
	// not proven yet.
	Proven, Keep []int64
}

// Compared is a page of a comparison.
type Compared struct {
	Scan     int64
	At       time.Time
	After    string    // where the page begins: the scan's Place. A page that begins elsewhere is ignored
	Verdicts []Verdict // in the order of account IDs
	// Flapping and FlapsSince bound repairs: a finding that was repaired Flapping times since
	// then becomes FindingOpen.
	Flapping   int
	FlapsSince time.Time
}

// ScanEnd ends a scan.
type ScanEnd struct {
	Scan  int64
	At    time.Time
	State ScanState // ScanDone, ScanSuspicious or ScanFailed
	Why   string
}

// Belief is an operator's decision that a suspicious list was right.
type Belief struct {
	App              string
	Operator, Reason string
	At               time.Time
}

// FindingDecision is an operator's decision to repair a finding, or to link the account to
// the person whom it matches.
type FindingDecision struct {
	ID       int64
	PersonID string // to whom an account is linked that nobody has; empty for other kinds
	// Orphan links an orphan to the person that stands for it (OrphanID), whom the ledger
	// makes. PersonID is empty then.
	Orphan           bool
	Operator, Reason string
	At               time.Time
}

// DecisionError says why a decision about a finding or a scan was refused. Nothing was
// changed.
type DecisionError struct{ Text string }

func (e *DecisionError) Error() string { return e.Text }

// FindingFilter selects findings; fields that are zero match all.
type FindingFilter struct {
	ID        int64
	App       string
	AccountID string
	PersonID  string
	Kind      FindingKind
	States    []FindingStatus // any of these
	Ended     bool            // also those that have ended
}

// FindingCount is a number of findings that have not ended.
type FindingCount struct {
	App     string
	Kind    FindingKind
	State   FindingStatus
	Enabled bool
	N       int
	// Oldest is when the oldest of them was found.
	Oldest time.Time
}

// OrphanRate says how many accounts of an app are nobody's, by its last complete scan.
type OrphanRate struct {
	App      string
	At       time.Time // when that scan ended
	Accounts int       // enabled accounts
	Orphans  int       // enabled orphans among them, also those that are to end
	Off      int       // disabled orphans, also those that are kept until they are deleted
}

// Share returns the orphaned-account rate: the enabled orphans among the enabled accounts.
func (r OrphanRate) Share() float64 {
	if r.Accounts == 0 {
		return 0
	}
	return float64(r.Orphans) / float64(r.Accounts)
}

// The actions of audit rows about what scans found.
const (
	AuditDriftSeen    = "drift_seen"    // the link was set to what the app shows
	AuditScanBelieved = "scan_believed" // an operator decided that a suspicious list was right
	AuditFreed        = "freed"         // an account that was to end as nobody's is to become somebody's
)

// DueDrift is the reason why a person is due whose link was set to what a scan saw.
const DueDrift = "drift"

// Scans keeps what apps show, and what of it differs from the ledger.
//
// A repair changes the ledger only: the link says what the app shows, and the person is due
// (DueDrift), so that planning finds what has to be done. It never overwrites what is newer
// than the scan: if an attempt at a step of the person in this app may be under way, or the
// account was proven since, the finding waits for the next scan.
type Scans interface {
	// BeginScan begins a scan of an app. If there is a scan with that key, it returns that
	// one. Other scans of the app that are under way are abandoned.
	BeginScan(ctx context.Context, app, key string, at time.Time) (Scan, error)
	// Observe stores a page of accounts.
	Observe(ctx context.Context, page Listed) error
	// EndListing notes that all accounts were listed, and counts them. Reported is the number
	// that the app gave; below zero if it gave none.
	EndListing(ctx context.Context, scan int64, at time.Time, reported int) (Scan, error)
	// Sightings lists accounts of the scan's app, in the order of their IDs, after the given
	// one, at most limit: those that a scan saw, that are linked, or that have findings.
	Sightings(ctx context.Context, scan int64, after string, at time.Time, limit int) ([]Sighting, error)
	// SaveVerdicts stores a page of a comparison in one transaction: baselines, findings, what
	// repairs change of links, with audit rows (AuditDriftSeen), and Place. An orphan that is
	// to be repaired and names nobody is linked to the person that stands for it (OrphanID). Findings of an
	// account that are not among its verdict's end. It returns the people whom it made due.
	SaveVerdicts(ctx context.Context, page Compared) ([]string, error)
	// EndScan ends a scan that is under way.
	EndScan(ctx context.Context, end ScanEnd) error
	// Believe notes a belief at the last scan of the app, if that one is suspicious, with an
	// audit row (AuditScanBelieved); else it returns a *DecisionError.
	Believe(ctx context.Context, b Belief) error
	// RepairFinding repairs a finding as an operator decided: see FindingDecision. It returns
	// ErrNotFound if there is none, and a *DecisionError if it has ended, is of a kind that
	// cannot be repaired so, or the ledger knows something newer. It returns the finding.
	RepairFinding(ctx context.Context, d FindingDecision) (Finding, error)
	// FreeOrphan takes an account from the person that stands for it (OrphanID), so that it
	// can become somebody's: it is nobody's from then on, with an audit row (AuditFreed), and
	// the finding is open again. It returns the finding, ErrNotFound if there is none, and a
	// *DecisionError if nobody stands for the account, it is deleted, or a step of it may be
	// under way.
	FreeOrphan(ctx context.Context, d FindingDecision) (Finding, error)

	ScanReader
}

// ScanReader is the part of Scans that changes nothing.
type ScanReader interface {
	// Scans lists scans, the last one first, at most limit; of one app, if it is named.
	Scans(ctx context.Context, app string, limit int) ([]Scan, error)
	// LastScans returns the last scan of each app that is done.
	LastScans(ctx context.Context) ([]Scan, error)
	// Findings lists findings by ID, after the given ID, at most limit.
	Findings(ctx context.Context, f FindingFilter, after int64, limit int) ([]Finding, error)
	// CountFindings counts the findings that have not ended.
	CountFindings(ctx context.Context) ([]FindingCount, error)
	// OrphanRates returns the orphaned-account rate of each app that was scanned, by app.
	OrphanRates(ctx context.Context) ([]OrphanRate, error)
	// OrphanHistory returns the orphaned-account rate by each complete scan that ended at or
	// after from and before until, by app and scan.
	OrphanHistory(ctx context.Context, from, until time.Time) ([]OrphanRate, error)
	// Seen returns an account as a scan saw it last; false if none did.
	Seen(ctx context.Context, app, accountID string) (Observed, bool, error)
	// Listing lists the accounts of an app that the scan with that ID, or a later one, has
	// seen, as they were seen last, by account ID, after the given one, at most limit.
	Listing(ctx context.Context, app string, scan int64, after string, limit int) ([]Observed, error)
}
