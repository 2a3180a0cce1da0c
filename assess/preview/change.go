package preview

import (
	"time"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
)

// Outcome holds what would be done for one person.
type Outcome struct {
	PersonID string    `json:"person"`
	Status   hr.Status `json:"status"` // the present status
	// Becomes is the status at the end of the rehearsal, if it is different.
	Becomes hr.Status `json:"becomes,omitempty"`
	// Claims is the username that the person would be given, if they have none yet.
	Claims  string   `json:"claims,omitempty"`
	Changes []Change `json:"changes"`
	// CalledOff holds the changes that would be made without the scenario, and not with it.
	CalledOff []Change `json:"calledOff,omitempty"`
	// Accounts are the person's accounts at the end of the rehearsal.
	Accounts []Account `json:"accounts,omitempty"`
	Problems []Problem `json:"problems,omitempty"`
	// Conflicts lists what would be held that a rule of separation of duties keeps apart. If a
	// scenario is compared, those that are there without it are left out.
	Conflicts []Conflict `json:"conflicts,omitempty"`
	Repeated  int        `json:"repeated,omitempty"` // events that the ledger has already
}

// settled returns the outcome without Becomes if the status stays the same.
func (o Outcome) settled() Outcome {
	if o.Becomes == o.Status {
		o.Becomes = ""
	}
	return o
}

// Nothing reports whether nothing would be done for the person, and nothing asked.
func (o Outcome) Nothing() bool {
	return len(o.Changes) == 0 && len(o.CalledOff) == 0 && len(o.Problems) == 0 && len(o.Conflicts) == 0 && o.Claims == ""
}

// Action names what would be done to an account.
type Action string

// The changes of an account.
const (
	Create   Action = "create"    // made, or adopted if one is found
	Restore  Action = "restore"   // brought back from the app's recycle bin
	Enable   Action = "enable"    // turned on, with attributes and entitlements
	Update   Action = "update"    // attributes and entitlements
	Relabel  Action = "relabel"   // given another username, or the ID that the person has now
	Disable  Action = "disable"   // turned off, sessions ended
	Strip    Action = "strip"     // every entitlement taken
	HandOver Action = "hand_over" // data given to somebody else
	Delete   Action = "delete"    // deleted for good
	Verify   Action = "verify"    // looked at once more, and turned off if it is on
)

// Change is one change of one account.
type Change struct {
	App string    `json:"app"`
	At  time.Time `json:"at"` // the scenario's Now means at once
	// Was is when the same change would be made without the scenario, if at another time.
	Was      time.Time `json:"was,omitzero"`
	Do       Action    `json:"do"`
	Username string    `json:"username,omitempty"` // of an account that is made
	Off      bool      `json:"off,omitempty"`      // Create: made disabled, before the first day
	Grant    []string  `json:"grant,omitempty"`
	Revoke   []string  `json:"revoke,omitempty"`
	Sessions bool      `json:"sessions,omitempty"` // Update: the sessions end too
	// Attributes lists the attributes that would change. If the present values are unknown
	// (the ledger has only a digest), it lists all mapped ones, and Unsure is set.
	Attributes []Attribute `json:"attributes,omitempty"`
	Unsure     bool        `json:"unsure,omitempty"`
	Why        string      `json:"why,omitempty"`
	// To is the ID of the person who would be given the data, and By why. If it is empty, a
	// human decides: Could lists those who could be.
	To    string   `json:"to,omitempty"`
	By    string   `json:"by,omitempty"`
	Could []string `json:"could,omitempty"`
	// Problem says why an operator would have to look.
	Problem string `json:"problem,omitempty"`
}

// takes reports whether a change that takes access is free of problems, and comes earlier
// than it would without the scenario.
func (c Change) takes() bool { return c.Problem == "" && (c.Was.IsZero() || c.At.Before(c.Was)) }

// Attribute is an attribute that would change. Its values are personal data.
type Attribute struct {
	Name string `json:"name"`
	Was  any    `json:"was,omitempty"`
	Is   any    `json:"is,omitempty"`
}

// Account is the state of an account at the end of a rehearsal.
type Account struct {
	App          string           `json:"app"`
	State        ledger.LinkState `json:"state"`
	Username     string           `json:"username,omitempty"`
	Entitlements []string         `json:"entitlements,omitempty"`
}

// Problem is something about the person as a whole that would need an operator.
type Problem struct {
	Code  string `json:"code"`
	Event string `json:"event,omitempty"` // ID
	Text  string `json:"text"`
}
