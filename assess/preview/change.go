package preview

import (
	"time"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
)

// Outcome holds what would be done for one person.
type Outcome struct {
	PersonID string    `json:"person"`
	Status   hr.Status `json:"status"` // as things are now
	// Becomes is the status at the end of the rehearsal, if it is another.
	Becomes hr.Status `json:"becomes,omitempty"`
	// Claims is the username that the person would be given, who has none yet.
	Claims  string   `json:"claims,omitempty"`
	Changes []Change `json:"changes"`
	// CalledOff holds what would be done as things are now, and would not be done in the
	// scenario.
	CalledOff []Change `json:"calledOff,omitempty"`
	// Accounts are the person's accounts at the end of the rehearsal.
	Accounts []Account `json:"accounts,omitempty"`
	Problems []Problem `json:"problems,omitempty"`
	Repeated int       `json:"repeated,omitempty"` // events that the ledger has already
}

// settled returns the outcome without a status that it keeps.
func (o Outcome) settled() Outcome {
	if o.Becomes == o.Status {
		o.Becomes = ""
	}
	return o
}

// Nothing reports whether nothing at all would become of the person.
func (o Outcome) Nothing() bool {
	return len(o.Changes) == 0 && len(o.CalledOff) == 0 && len(o.Problems) == 0 && o.Claims == ""
}

// Action names what would be done to an account.
type Action string

// What can be done to an account.
const (
	Create   Action = "create"    // made, or adopted if one is found
	Enable   Action = "enable"    // turned on, with attributes and entitlements
	Update   Action = "update"    // attributes and entitlements
	Relabel  Action = "relabel"   // given another username, or the ID that the person has now
	Disable  Action = "disable"   // turned off, sessions ended
	Strip    Action = "strip"     // every entitlement taken
	HandOver Action = "hand_over" // data given to the manager
	Delete   Action = "delete"    // deleted for good
	Verify   Action = "verify"    // looked at once more, and turned off if it is on
)

// Change is one change of one account.
type Change struct {
	App string    `json:"app"`
	At  time.Time `json:"at"` // the scenario's Now: at once
	// Was is when the same would be done as things are, if at another time.
	Was      time.Time `json:"was,omitzero"`
	Do       Action    `json:"do"`
	Username string    `json:"username,omitempty"` // of an account that is made
	Off      bool      `json:"off,omitempty"`      // Create: made disabled, since the first day is still to come
	Grant    []string  `json:"grant,omitempty"`
	Revoke   []string  `json:"revoke,omitempty"`
	// Attributes are those that would be another. Of an account whose attributes
	// are not known by value (the ledger has a digest only), they are all that are
	// mapped, and Unsure is set.
	Attributes []Attribute `json:"attributes,omitempty"`
	Unsure     bool        `json:"unsure,omitempty"`
	Why        string      `json:"why,omitempty"`
	// Problem is why a human would have to look.
	Problem string `json:"problem,omitempty"`
}

// takes reports whether the change takes something away, and no later than it would be
// taken anyway.
func (c Change) takes() bool { return c.Problem == "" && (c.Was.IsZero() || c.At.Before(c.Was)) }

// Attribute is an attribute that would change. Its values are personal data.
type Attribute struct {
	Name string `json:"name"`
	Was  any    `json:"was,omitempty"`
	Is   any    `json:"is,omitempty"`
}

// Account is an account at the end of a rehearsal.
type Account struct {
	App          string           `json:"app"`
	State        ledger.LinkState `json:"state"`
	Username     string           `json:"username,omitempty"`
	Entitlements []string         `json:"entitlements,omitempty"`
}

// Problem is something that would need a human, about the person as a whole.
type Problem struct {
	Code  string `json:"code"`
	Event string `json:"event,omitempty"` // ID
	Text  string `json:"text"`
}
