package policy

import "time"

// Rules is a policy as written in the configuration, before compilation. Its expressions are
// CEL; the package comment lists the names that they can use.
type Rules struct {
	Person PersonRules
	Apps   map[string]AppRules
	Roles  []Role
	Joiner JoinerRules
	Mover  MoverRules
	Leaver LeaverRules
	// Protected lists the IDs of the people whose accounts no automation touches.
	Protected []string
	// Deciders names groups of people, by ID, who decide about requests.
	Deciders map[string][]string
	// Fallback lists the IDs of the people who decide where nobody else can.
	Fallback []string
	// Duties lists the rules of separation of duties.
	Duties []Duty
}

// PersonRules holds how people are named. Both expressions return a string. Username sees
// person; if several people would get the same one, 2, 3, ... are appended. Email also sees
// person.username.
type PersonRules struct {
	Username string // default: DefaultUsername
	Email    string // default: DefaultEmail
	// LongestUsername is the greatest length of a username, the number included; default:
	// DefaultLongestUsername.
	LongestUsername int
}

// AppRules holds the rules of one app. A nil override means the default of Rules.
type AppRules struct {
	Attributes map[string]string // target attribute -> CEL giving string, bool, int or list of strings
	// Ignore names attributes that the app does not keep, so that they are not proven:
	// mapped ones, or connector.ExternalID.
	Ignore    []string
	After     []string // apps whose account must exist before this one's is created
	Joiner    *JoinerRules
	Mover     *MoverRules
	Leaver    *LeaverRules
	Protected []string // usernames and IDs of accounts that no automation touches
	// LongestUsername is the greatest length that the app takes; zero means any length. The
	// smallest value of all apps holds for everybody, since a person has one username.
	LongestUsername int
	// Owner lists the IDs of the people who answer for the app; empty: those of Rules.Fallback.
	Owner []string
	// Adopt decides about an account that exists already and matches a person by anything
	// but the external ID; empty means AdoptAsk.
	Adopt Adoption
}

// Adoption names what Tenure does about an account that it did not create and that matches a
// person by anything but the external ID.
type Adoption string

// The adoptions.
const (
	AdoptAsk   Adoption = "ask"   // an operator decides whose it is
	AdoptAuto  Adoption = "auto"  // Tenure adopts it for the person
	AdoptNever Adoption = "never" // it is never adopted, not even if an operator asks for it
)

// Adoptions lists every adoption.
func Adoptions() []Adoption { return []Adoption{AdoptAsk, AdoptAuto, AdoptNever} }

// Role grants entitlements to everyone for whom When (CEL, bool) holds. A role with Request is
// given to whoever has been granted it, for a time, and only as long as When holds for them.
type Role struct {
	Name    string
	When    string
	Grants  []Grant
	About   RoleFacts
	Request *RequestRules
}

// RoleFacts holds what people have to know of a role.
type RoleFacts struct {
	Title string   // what people call it; empty: its name
	About string   // what it is for
	Owner []string // IDs of the people who answer for it; empty: those of Rules.Fallback
	Risk  Risk     // empty means RiskStandard
}

// Risk says how much harm can be done with a role.
type Risk string

// The risks.
const (
	RiskStandard   Risk = "standard"
	RiskPrivileged Risk = "privileged"
)

// RequestRules say how a role can be requested. They are kept with each request, as JSON.
type RequestRules struct {
	Most  time.Duration `json:"most"`            // the longest time for which it is granted
	Usual time.Duration `json:"usual,omitempty"` // the time for which it is granted if nobody says another; zero: Most
	Ahead time.Duration `json:"ahead,omitempty"` // how far ahead it may begin
	// Approve lists stages, one after the other. Each names who is asked: DecideManager,
	// DecideOwner, or a name of Rules.Deciders. Without stages nobody has to approve.
	Approve [][]string `json:"approve,omitempty"`
	Needed  int        `json:"needed,omitempty"` // how many of each stage have to approve; zero means one
	// Answer is how long each stage has; then the request expires. After Escalate, if that is
	// not zero, the next ones up are asked as well.
	Answer    time.Duration   `json:"answer,omitempty"`
	Escalate  time.Duration   `json:"escalate,omitempty"`
	Ticket    string          `json:"ticket,omitempty"` // regular expression (RE2) that all of a ticket has to match; empty: none is needed
	Extend    Extension       `json:"extend,omitempty"` // empty means ExtendOnce
	Sessions  SessionRule     `json:"sessions,omitempty"`
	Emergency *EmergencyRules `json:"emergency,omitempty"`
}

// EmergencyRules say how a role is given at once, before anybody has approved it.
type EmergencyRules struct {
	Most    time.Duration `json:"most"`    // the longest time for which it is given
	Confirm time.Duration `json:"confirm"` // the time in which an owner of the role has to say what they think of it
}

// SessionRule says what becomes of open sessions when what a role gave is taken, in apps that can
// end sessions. Empty means SessionsEnd for a role of RiskPrivileged, and SessionsKeep for others.
type SessionRule string

// The session rules.
const (
	SessionsKeep SessionRule = "keep"
	SessionsEnd  SessionRule = "end"
)

// SessionRules lists every session rule.
func SessionRules() []SessionRule { return []SessionRule{SessionsKeep, SessionsEnd} }

// Extension says whether a grant can be prolonged by another request.
type Extension string

// The extensions.
const (
	ExtendNo    Extension = "no"
	ExtendOnce  Extension = "once"
	ExtendAgain Extension = "again"
)

// Extensions lists every extension.
func Extensions() []Extension { return []Extension{ExtendNo, ExtendOnce, ExtendAgain} }

// Who is asked in a stage, besides the groups of Rules.Deciders.
const (
	DecideManager = "manager" // of the person for whom the role is requested
	DecideOwner   = "owner"   // of the role
)

// Grant is an account in App with these entitlements (possibly none).
type Grant struct {
	App          string
	Entitlements []string
}

// JoinerRules holds the rules for joiners. LeadTime is how long before the start date accounts
// are created. They stay disabled until the start date.
type JoinerRules struct{ LeadTime time.Duration }

// MoverRules holds the rules for movers. Overlap is how long access that policy no longer
// grants is kept after a move.
type MoverRules struct{ Overlap time.Duration }

// LeaverRules holds the rules for leavers. Retain is how long a disabled account is kept. With
// Delete it is deleted then, else it stays disabled. With Approval an operator has to approve
// each deletion, and is reminded every Remind.
//
// HandOver says to whom a leaver's data go: HandOverManager, HandOverNone, or the name of a
// role; empty means HandOverManager. HandOverBy is who is asked to move data that Tenure
// cannot; empty means nobody. HandOverNeeds lists the entitlements that an account keeps until
// its data are handed over; empty means those that the app's kind names.
type LeaverRules struct {
	Retain        time.Duration
	Delete        bool
	Approval      bool
	Remind        time.Duration
	HandOver      string
	HandOverBy    string
	HandOverNeeds []string
}

// To whom data go, if not to whoever holds a role.
const (
	HandOverManager = "manager"
	HandOverNone    = "none"
)
