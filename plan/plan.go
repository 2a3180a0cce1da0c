package plan

import (
	"time"

	"github.com/tenurehq/tenure/policy"
)

// Input is all that a plan depends on.
type Input struct {
	Now     time.Time
	Desired policy.Desired
	Links   []Link         // the person's links
	Apps    map[string]App // every configured app, by name
	// OnlyOff says that it is not known what policy grants: whatever there is must be
	// turned off, and is kept.
	OnlyOff bool
	// MakeNone says that no account is to be made: it is asked whether the person has
	// some already.
	MakeNone bool
	// Recipients are the apps in which there is an account that data can be handed
	// over to: the manager's.
	Recipients map[string]bool
	// Skipped are the keys of steps that an operator decided not to do.
	Skipped map[string]bool
	// Protected are the apps in which nothing of the person's may be touched.
	Protected map[string]bool
	// HeldUntil is until when nothing of the person may be deleted for good, whatever
	// timers say; zero, or in the past: the person is not held.
	HeldUntil time.Time
	// EndHeard is when it was heard that the employment ends, if it has ended: HR may
	// have said so long afterwards.
	EndHeard time.Time
	// Retentions are how long accounts are kept, by app, where an operator has said
	// something else than policy. That of "" is of all apps that are not there.
	Retentions map[string]Retention
	// Approvals holds the approvals of deletions that need one, by the key of their
	// step.
	Approvals map[string]Approval
}

// Retention says how long an account is kept after it was disabled: until Until or, if
// that is zero, for the duration For, counted from the proof that it is disabled. An
// Until that was set (SetAt) and had passed before access ended is ignored: the operator
// meant an earlier end of access.
type Retention struct {
	Until time.Time
	For   time.Duration
	SetAt time.Time
}

// Approval says whether a deletion is approved.
type Approval struct {
	Given  bool
	LookAt time.Time // else: when somebody is reminded
}

// App holds the traits of an app that planning depends on.
type App struct {
	After    []string           // apps whose account is made before this one's
	Leaver   policy.LeaverRules // retention
	Disable  bool               // accounts can be turned off
	Delete   bool               // accounts can be deleted
	HandOver bool               // data can be handed over
	Relabel  bool               // accounts can be given another username and external ID
	// Destroys says that what is disabled is as good as deleted.
	Destroys bool
	// Behind is the app by which people sign in to this one, if it is one whose
	// accounts appear by themselves: until that one lets nobody in any more, an end
	// here may not last.
	Behind string
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

// Kind names what a step does.
type Kind string

// The kinds of step. They are also the names of the activity types.
const (
	// Provision makes sure that the account is there and enabled (or, before the
	// start date, there and disabled), with its attributes and entitlements.
	Provision Kind = "Provision"
	// Update sets attributes, grants and revokes entitlements of an account
	// without touching whether it is enabled.
	Update Kind = "Update"
	// Relabel gives the account the username and external ID that the person has now.
	Relabel Kind = "Relabel"
	// Disable turns the account off and ends its sessions.
	Disable Kind = "Disable"
	// Strip takes every entitlement that the account has, given by Tenure or not.
	Strip Kind = "Strip"
	// HandOver gives the account's data to the manager's account in the same app.
	HandOver Kind = "HandOver"
	// Delete deletes the account for good.
	Delete Kind = "Delete"
)

// Kinds lists every kind of step.
func Kinds() []Kind { return []Kind{Provision, Update, Relabel, Disable, Strip, HandOver, Delete} }

// Gives reports whether a step of this kind may give access.
func (k Kind) Gives() bool { return k == Provision || k == Update }

// Step is one change of one account. Its JSON is part of workflow histories:
// it holds no personal data, and fields may be added but never renamed.
type Step struct {
	// Key identifies the change by its content: the same change planned again has
	// the same key, another change of the same account another one.
	Key  string `json:"key"`
	App  string `json:"app"`
	Kind Kind   `json:"kind"`
	// Needs are the keys of steps of this plan that must be done before this one.
	Needs []string `json:"needs,omitempty"`
	// Follows are the keys of steps of this plan that this one waits for, but
	// only until they are done or have failed.
	Follows []string `json:"follows,omitempty"`

	Enabled    bool     `json:"enabled,omitempty"`    // Provision: whether the account is to be enabled
	Attributes bool     `json:"attributes,omitempty"` // Update: whether attributes differ
	Grant      []string `json:"grant,omitempty"`
	Revoke     []string `json:"revoke,omitempty"`
	Why        string   `json:"why,omitempty"` // for people: role names, "access ended", "on leave", ...
	// Spare is a Disable of an account that is not to be destroyed by it, in an app
	// that can do no other: a human has to see to it.
	Spare bool `json:"spare,omitempty"`
}

// Due says what has to be looked at next and when.
type Due struct {
	At   time.Time `json:"at,omitzero"`
	What DueWhat   `json:"what,omitempty"`
	App  string    `json:"app,omitempty"`
	// Local is At as the person's own clock shows it, for people who look. Assessments
	// have it, plans do not.
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
	DueHold   DueWhat = "hold"   // a legal hold ends, for which something is not deleted
	// DueApproval is that somebody is reminded of a deletion that has to be approved.
	DueApproval DueWhat = "approve"
)

// Plan holds the steps that have to be done now, and when to plan again.
type Plan struct {
	Change Change
	Urgent bool
	Steps  []Step // in the order in which they may start
	// Withheld are the steps that would be among Steps if no app were protected.
	Withheld []Step
	Due      Due // the next instant that matters once Steps are done; zero if none is known
	// Skipped are the keys of Input.Skipped that are still about what is asked for.
	// Any other skip is over: the same step planned later has not been decided about.
	Skipped []string
	// Deletions are those that are not among Steps because something stands against
	// them, by app.
	Deletions []Deletion
}

// Deletion is the deletion of an account that is to come.
type Deletion struct {
	App   string
	Key   string    // of the step that will delete
	At    time.Time // when retention ends or has ended
	Waits Wait
	Until time.Time // when that ends; for an approval, when somebody is reminded next
	// Approval says that it needs one which is not given.
	Approval bool
	Why      string
}

// Wait names what a deletion waits for.
type Wait string

// What a deletion waits for, the first that holds.
const (
	WaitHold      Wait = "hold"      // the person is held for longer than retention
	WaitRetention Wait = "retention" // the account is kept
	WaitApproval  Wait = "approval"  // an operator has to approve it
)
