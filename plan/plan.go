package plan

import (
	"time"

	"github.com/tenurehq/tenure/policy"
)

// Input holds everything that a plan depends on.
type Input struct {
	Now     time.Time
	Desired policy.Desired
	Links   []Link         // the person's links
	Apps    map[string]App // every configured app, by name
	// Orphan means that the person stands for an account that is nobody's.
	Orphan bool
	// OnlyOff means that it is not known what policy grants: every account must be
	// disabled, and is kept.
	OnlyOff bool
	// MakeNone means that no account may be created, because an operator is asked whether
	// the person has accounts already.
	MakeNone bool
	// Recipients holds the apps in which somebody can be given the person's data.
	Recipients map[string]bool
	// Skipped holds the keys of steps that an operator skipped.
	Skipped map[string]bool
	// Protected holds the apps in which no automation may touch the person's account.
	Protected map[string]bool
	// HeldUntil is the end of the legal hold: until then no account of the person may be
	// deleted. Zero, or in the past, if there is none.
	HeldUntil time.Time
	// EndHeard is when Tenure learned that the employment has ended, which may be long
	// after the end; zero if it has not ended.
	EndHeard time.Time
	// Retentions holds by app how long accounts are kept, where an operator has set
	// another time than policy. The one of "" is for all other apps.
	Retentions map[string]Retention
	// Approvals holds the approvals of deletions that need one, by the key of their
	// step.
	Approvals map[string]Approval
	// Ended holds by app the entitlements that have ended by themselves, because it was said
	// when they were given that they end now.
	Ended map[string][]string
}

// Retention holds how long an account is kept after it was disabled: until Until or, if that
// is zero, for the duration For, counted from the proof that it is disabled. An Until that
// was set (SetAt) and had passed before access ended is ignored: the operator meant an
// earlier end of access.
type Retention struct {
	Until time.Time
	For   time.Duration
	SetAt time.Time
}

// Approval holds whether a deletion is approved.
type Approval struct {
	Given  bool
	LookAt time.Time // if not given: when an operator is reminded
}

// App holds the traits of an app that planning depends on.
type App struct {
	After    []string           // apps whose account is made before this one's
	Leaver   policy.LeaverRules // retention
	Disable  bool               // accounts can be turned off
	Delete   bool               // accounts can be deleted
	HandOver bool               // data are handed over, by Tenure or by a human
	// EndSessions lists the entitlements whose end also ends the sessions of the account. It is
	// empty if the app cannot end sessions.
	EndSessions []string
	// HandOverByDelete means that data is handed over only as an account is deleted.
	HandOverByDelete bool
	// HandOverAsks means that a human is asked to hand data over if Tenure cannot, or if
	// nobody can be given them.
	HandOverAsks bool
	// HandOverNeeds lists the entitlements without which data cannot be handed over. A text
	// that ends in a colon stands for all entitlements whose names begin so.
	HandOverNeeds []string
	Relabel       bool // accounts can be given another username and external ID
	// Destroys means that disabling an account is as good as deleting it.
	Destroys bool
	// Frozen means that a disabled account can be given nothing until it is enabled.
	Frozen bool
	// Behind is the app by which people sign in to this one, if this one creates accounts at
	// sign-in. As long as somebody can sign in there, an account that was ended here may
	// appear again.
	Behind string
	// RecycleBin is how long a deleted account can be brought back, and Restore whether Tenure
	// does that. Otherwise the app's administrators do.
	RecycleBin time.Duration
	Restore    bool
}

// BackUntil returns until when an account that was deleted at an instant can be brought back;
// zero if it cannot.
func (a App) BackUntil(deleted time.Time) time.Time {
	if a.RecycleBin == 0 || deleted.IsZero() {
		return time.Time{}
	}
	return deleted.Add(a.RecycleBin)
}

// LinkState is the state of a link, as the ledger has it.
type LinkState string

// The states of a link. See ledger.LinkState.
const (
	LinkNone     LinkState = ""
	LinkPlanned  LinkState = "planned"
	LinkActive   LinkState = "active"
	LinkDisabled LinkState = "disabled"
	LinkDeleted  LinkState = "deleted"
)

// Link holds the parts of a ledger.Link that planning depends on.
type Link struct {
	App          string
	State        LinkState
	Entitlements []string
	Attributes   string // digest, see policy.Digest
	DisabledAt   time.Time
	StrippedAt   time.Time
	HandedOverAt time.Time
	DoubtUntil   time.Time
	RenameTo     string // see ledger.Link
	OwnerWas     string
	BinnedAt     time.Time // when the account that may be in the recycle bin was deleted

	// UnsureState means that a call without proof may have enabled or disabled the account,
	// and UnsureEntitlements lists what such calls may have granted or revoked.
	UnsureState        bool
	UnsureEntitlements []string
}

// Change is the kind of change that a plan makes.
type Change string

// The kinds of change. They are also the names of the workflow types.
const (
	Joiner Change = "Joiner" // access begins: hire, rehire, return from leave
	Mover  Change = "Mover"  // access changes
	Leaver Change = "Leaver" // access ends: disabled, stripped, deleted
	None   Change = ""       // nothing to do now
)

// Kind names the change that a step makes.
type Kind string

// The kinds of step. They are also the names of the activity types.
const (
	// Provision makes sure that the account exists and is enabled (or, before the start
	// date, disabled), with its attributes and entitlements.
	Provision Kind = "Provision"
	// Update sets attributes, grants and revokes entitlements of an account. It neither
	// enables nor disables the account.
	Update Kind = "Update"
	// Relabel gives the account the username and external ID that the person has now.
	Relabel Kind = "Relabel"
	// Disable turns the account off and ends its sessions.
	Disable Kind = "Disable"
	// Strip takes every entitlement that the account has, given by Tenure or not.
	Strip Kind = "Strip"
	// HandOver gives the account's data to somebody else's account in the same app: the
	// manager's, or that of whoever policy names.
	HandOver Kind = "HandOver"
	// Delete deletes the account. An app with a recycle bin keeps it there for a time.
	Delete Kind = "Delete"
)

// Kinds lists every kind of step.
func Kinds() []Kind { return []Kind{Provision, Update, Relabel, Disable, Strip, HandOver, Delete} }

// Gives reports whether a step of this kind may give access.
func (k Kind) Gives() bool { return k == Provision || k == Update }

// Step is one change of one account. Its JSON is part of workflow histories:
// it holds no personal data, and fields may be added but never renamed.
type Step struct {
	// Key identifies the change by its content. The same change planned again has the same
	// key, and another change of the account has another key.
	Key  string `json:"key"`
	App  string `json:"app"`
	Kind Kind   `json:"kind"`
	// Needs holds the keys of steps of this plan that must be done before this one.
	Needs []string `json:"needs,omitempty"`
	// Follows holds the keys of steps of this plan for which this one waits until they are
	// done or have failed.
	Follows []string `json:"follows,omitempty"`

	Enabled    bool     `json:"enabled,omitempty"`    // Provision: whether the account is to be enabled
	Attributes bool     `json:"attributes,omitempty"` // Update: whether attributes differ
	Grant      []string `json:"grant,omitempty"`
	Revoke     []string `json:"revoke,omitempty"`
	Why        string   `json:"why,omitempty"` // for people: role names, "access ended", "on leave", ...
	// Spare means that Disable must not destroy the account, in an app that cannot disable
	// without destroying: a human has to do it.
	Spare bool `json:"spare,omitempty"`
	// Keep lists what Strip does not take yet, because data are handed over first: see
	// App.HandOverNeeds.
	Keep []string `json:"keep,omitempty"`
	// Restore means that Provision brings the deleted account back from the app's recycle bin,
	// if it is there, and makes another one only if it is not.
	Restore bool `json:"restore,omitempty"`
	// Sessions means that Update also ends the sessions of the account, because it takes what
	// was given for a time.
	Sessions bool `json:"sessions,omitempty"`
	// Only means that Update revokes what it names and leaves all else as it is: see
	// Plan.Ended.
	Only bool `json:"only,omitempty"`
}

// Brief returns what a run needs of a step: which one it is, what comes before it, and what an
// attempt at it may change. The attempt plans it again, and has all else from there.
func (s Step) Brief() Step {
	return Step{
		Key: s.Key, App: s.App, Kind: s.Kind, Needs: s.Needs, Follows: s.Follows,
		Grant: s.Grant, Revoke: s.Revoke, Spare: s.Spare, Restore: s.Restore,
	}
}

// Due holds when the person has to be planned again, and why.
type Due struct {
	At   time.Time `json:"at,omitzero"`
	What DueWhat   `json:"what,omitempty"`
	App  string    `json:"app,omitempty"`
	By   string    `json:"by,omitempty"` // of DueException: the exception's name
	// Local is At by the person's own clock, for display. Assessments fill it in, plans do
	// not.
	Local string `json:"local,omitempty"`
}

// DueWhat names what is due.
type DueWhat string

// What can be due.
const (
	DueStart  DueWhat = "start"  // the first day
	DueEnd    DueWhat = "end"    // access ends
	DueChange DueWhat = "change" // a future-dated change, or the end of an overlap or lead time
	DueDelete DueWhat = "delete" // retention ends
	DueVerify DueWhat = "verify" // a disabled account has to be proven disabled once more
	DueHold   DueWhat = "hold"   // a legal hold ends that keeps an account from being deleted
	// DueApproval means that an operator is reminded of a deletion that needs approval.
	DueApproval DueWhat = "approve"
	// DueException means that an exception to policy begins or ends.
	DueException DueWhat = "exception"
)

// Plan holds the steps that have to be done now, and when to plan again.
type Plan struct {
	Change Change
	Urgent bool
	Steps  []Step // in the order in which they may start
	// Withheld holds the steps that are left out of Steps because their app is protected.
	Withheld []Step
	Due      Due // the next instant that matters once Steps are done; zero if none is known
	// Skipped holds the keys of Input.Skipped that still apply. Any other skip is over: if
	// the same step is planned later, it is a new decision.
	Skipped []string
	// ByDelete holds the hand-overs that no step does, because the app does them as it deletes the
	// account (App.HandOverByDelete). An operator may skip them like steps.
	ByDelete []Step
	// Ended holds, by app, Updates that take only what has ended by itself (Input.Ended). Steps
	// take that too. If those of an app have to wait for something else that they take, the one
	// in Ended does not.
	Ended []Step
	// Deletions lists by app the deletions that are not among Steps because they wait for
	// something.
	Deletions []Deletion
}

// Deletion is a future deletion of an account.
type Deletion struct {
	App   string
	Key   string    // key of the step that will delete
	At    time.Time // when retention ends or has ended
	Waits Wait
	Until time.Time // when that ends; for an approval, when an operator is reminded next
	// Approval means that the deletion needs an approval that nobody has given yet.
	Approval bool
	Why      string
}

// Wait names what a deletion waits for.
type Wait string

// The reasons why a deletion waits. If several hold, the first one counts.
const (
	WaitHold      Wait = "hold"      // the person is held for longer than retention
	WaitRetention Wait = "retention" // the account is kept
	WaitApproval  Wait = "approval"  // an operator has to approve it
)
