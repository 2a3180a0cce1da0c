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
	// Username is what new accounts are to be called.
	Username string
	// Skipped are the keys of steps that an operator decided not to do.
	Skipped map[string]bool
}

// App is what planning has to know of an app.
type App struct {
	After        []string
	Leaver       policy.LeaverRules
	Entitlements bool // the connector can give and take them
	Sessions     bool
	HandOver     bool
	Disable      bool
	Delete       bool
}

// LinkState is the state of a link, as the ledger has it.
type LinkState string

// The states of a link. See ledger.LinkState.
const (
	LinkPlanned  LinkState = "planned"
	LinkActive   LinkState = "active"
	LinkDisabled LinkState = "disabled"
	LinkDeleted  LinkState = "deleted"
)

// Link is what planning has to know of a link. See ledger.Link.
type Link struct {
	App          string
	State        LinkState
	Entitlements []string
	Attributes   string // digest, see Digest
	DisabledAt   time.Time
	StrippedAt   time.Time
	HandedOverAt time.Time
	DoubtUntil   time.Time
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

// Kind is what one step does.
type Kind string

// The kinds of step. They are also the names of the activity types.
const (
	// Provision makes sure that the account is there and enabled (or, before the
	// start date, there and disabled), with its attributes and entitlements.
	Provision Kind = "Provision"
	// Update sets attributes, grants and revokes entitlements of an account
	// without touching whether it is enabled.
	Update Kind = "Update"
	// Disable turns the account off and ends its sessions.
	Disable Kind = "Disable"
	// Strip takes every entitlement the account has, given by Tenure or not.
	Strip Kind = "Strip"
	// HandOver gives the account's data to the manager's account in the same app.
	HandOver Kind = "HandOver"
	// Delete deletes the account for good.
	Delete Kind = "Delete"
)

// Gives says whether a step of this kind may give access.
func (k Kind) Gives() bool { return k == Provision || k == Update }

// Step is one change of one account. Its JSON is part of workflow histories:
// it holds no personal data, and fields may be added but never renamed.
type Step struct {
	// Key identifies the change by its content: the same change planned again has
	// the same key, another change of the same account another one.
	Key   string   `json:"key"`
	App   string   `json:"app"`
	Kind  Kind     `json:"kind"`
	Needs []string `json:"needs,omitempty"` // keys of steps that must be done first

	Enabled    bool     `json:"enabled,omitempty"`    // Provision: whether the account is to be enabled
	Attributes string   `json:"attributes,omitempty"` // Provision, Update: digest of the attributes wanted
	Grant      []string `json:"grant,omitempty"`
	Revoke     []string `json:"revoke,omitempty"`
	Why        string   `json:"why,omitempty"` // role names, "end", "leave", "suspended", "retention over", ...
}

// Due says what has to be looked at next and when.
type Due struct {
	At   time.Time `json:"at,omitzero"`
	What string    `json:"what,omitempty"` // "start", "end", "delete", "overlap", "verify"
	App  string    `json:"app,omitempty"`
}

// Plan is what has to be done now, and when to look again.
type Plan struct {
	Change Change `json:"change,omitempty"`
	Urgent bool   `json:"urgent,omitempty"`
	Steps  []Step `json:"steps,omitempty"` // in the order in which they may start
	Due    Due    `json:"due,omitzero"`    // valid once Steps are done
}
