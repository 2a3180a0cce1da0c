package policy

import "time"

// Rules is a policy as written in the configuration, before compilation.
// Expressions are CEL; the package comment says what they can see.
type Rules struct {
	Person PersonRules
	Apps   map[string]AppRules
	Roles  []Role
	Joiner JoinerRules
	Mover  MoverRules
	Leaver LeaverRules
	// Protected are the people, by ID, whose accounts no automation touches.
	Protected []string
}

// PersonRules names people: both expressions give a string.
// Username sees person; collisions get 2, 3, ... appended. Email also sees
// person.username.
type PersonRules struct {
	Username string // default: DefaultUsername
	Email    string // default: DefaultEmail
	// LongestUsername is how many characters a username may have, the number
	// included; default: DefaultLongestUsername.
	LongestUsername int
}

// AppRules holds the rules of one app. A nil override means the default of Rules.
type AppRules struct {
	Attributes map[string]string // target attribute -> CEL giving string, bool, int or list of strings
	// Ignore names attributes that the app is known not to keep, which are not proven:
	// mapped ones, or connector.ExternalID.
	Ignore    []string
	After     []string // apps whose account must be there before this one's is made
	Joiner    *JoinerRules
	Mover     *MoverRules
	Leaver    *LeaverRules
	Protected []string // usernames and IDs of accounts that no automation touches
	// LongestUsername is how many characters the app takes; zero: any number. The
	// least of all apps holds for everybody, since people have one username.
	LongestUsername int
	// Adopt says what becomes of an account that is there already and matches a
	// person by something that others can guess; empty: AdoptAsk.
	Adopt Adoption
}

// Adoption is what Tenure does about an account that it did not create and that matches a
// person by anything but the external ID.
type Adoption string

// The adoptions.
const (
	AdoptAsk   Adoption = "ask"   // an operator decides whose it is
	AdoptAuto  Adoption = "auto"  // it is the person's
	AdoptNever Adoption = "never" // it is nobody's, whatever an operator says
)

// Adoptions lists every adoption.
func Adoptions() []Adoption { return []Adoption{AdoptAsk, AdoptAuto, AdoptNever} }

// Role grants entitlements to everyone for whom When (CEL, bool) holds.
type Role struct {
	Name   string
	When   string
	Grants []Grant
}

// Grant is an account in App with these entitlements (possibly none).
type Grant struct {
	App          string
	Entitlements []string
}

// JoinerRules say how things begin: LeadTime is how long before the start date
// accounts are made. They stay disabled until the start date.
type JoinerRules struct{ LeadTime time.Duration }

// MoverRules say how things change: Overlap is how long access that policy no
// longer grants is kept after a move.
type MoverRules struct{ Overlap time.Duration }

// LeaverRules say how things end. Retain is how long a disabled account is kept; with
// Delete it is deleted then, else it stays disabled. With Approval an operator has to
// approve each deletion, and is reminded every Remind.
type LeaverRules struct {
	Retain   time.Duration
	Delete   bool
	Approval bool
	Remind   time.Duration
}
