package reconcile

import "time"

// Kind names a kind of difference between an app and the ledger.
type Kind string

// The kinds of difference. They are those of ledger.FindingKind.
const (
	State      Kind = "state"      // an account is on that was turned off or deleted
	Off        Kind = "off"        // an account is off that was on
	Missing    Kind = "missing"    // a linked account is not there
	Attributes Kind = "attributes" // an attribute is not as it was at the last proof
	Lacking    Kind = "lacking"    // an entitlement is not there that Tenure gave
	Stray      Kind = "stray"      // an entitlement is there that Tenure did not give
	Unlinked   Kind = "unlinked"   // nobody's account, which matches one person
	Disputed   Kind = "disputed"   // nobody's account, which matches several people
	Orphan     Kind = "orphan"     // nobody's account, which matches nobody, or only who has left
	Duty       Kind = "duty"       // what is there conflicts with a rule of separation of duties, and what Tenure gave does not
)

// Kinds lists every kind, in the order in which they are shown.
func Kinds() []Kind {
	return []Kind{State, Off, Missing, Attributes, Lacking, Stray, Unlinked, Disputed, Orphan, Duty}
}

// Reaction names what is done about a difference.
type Reaction string

// The reactions.
const (
	// Repair sets the link to what the app shows, and has the person planned anew.
	Repair Reaction = "repair"
	// Adopt links the account to the person whose ID it carries as its external ID.
	Adopt Reaction = "adopt"
	// End links the account to the one person whom it matches, who has left, or to a person of
	// its own who never was employed: planning turns it off, and keeps and deletes it like
	// every leaver's.
	End Reaction = "end"
	// Ask asks an operator.
	Ask Reaction = "ask"
	// Report only counts it.
	Report Reaction = "report"
)

// choices lists the reactions that a kind may have, its default first.
var choices = map[Kind][]Reaction{
	State:      {Repair, Ask, Report},
	Off:        {Ask, Repair, Report},
	Missing:    {Repair, Ask, Report},
	Attributes: {Repair, Ask, Report},
	Lacking:    {Repair, Ask, Report},
	Stray:      {Ask, Repair, Report},
	Unlinked:   {Adopt, Ask, Report},
	Disputed:   {Ask, Report},
	Orphan:     {Ask, End, Report},
	Duty:       {Ask, Report},
}

// Choices lists the reactions that a kind of difference may have, its default first.
func Choices(kind Kind) []Reaction { return choices[kind] }

// Terms says how an app is reconciled.
type Terms struct {
	// Every is how often the app is scanned; zero: never.
	Every time.Duration
	// Share is the share of the app's rate that a scan uses, above 0 and at most 1.
	Share float64
	// Shrink is the share of accounts, from 0 to 1, that may be fewer than in the scan before
	// until the list is doubted.
	Shrink float64
	// Grace is how many scans in a row have to show no linked account before it counts as
	// missing.
	Grace int
	// Flapping is how often in FlapsWithin the same difference is repaired before an operator
	// is asked; zero: without limit.
	Flapping  int
	Reactions map[Kind]Reaction
}

// FlapsWithin is the time in which repairs of the same difference are counted.
const FlapsWithin = 7 * 24 * time.Hour

// Reaction returns what is done about a kind of difference.
func (t Terms) Reaction(kind Kind) Reaction {
	if r, ok := t.Reactions[kind]; ok {
		return r
	}
	return choices[kind][0]
}

// tolerated is how many accounts may be fewer in an app of any size before its list is
// doubted.
const tolerated = 20

// Count holds the numbers of one scan.
type Count struct {
	Accounts int
	Reported int // the number that the app itself gave; below zero if it gave none
}

// The reasons why a list is doubted.
const (
	Contradicts = "contradicts" // the app says that there are more accounts than it listed
	Shrank      = "shrank"      // there are fewer accounts than in the scan before
)

// Doubts returns why a list is not to be believed; empty if it is. before holds the numbers
// of the last scan that was; nil if there was none.
func (t Terms) Doubts(now Count, before *Count) string {
	unlisted := 0 // what the app says that it has and does not list, in every scan
	if before != nil {
		unlisted = max(0, before.Reported-before.Accounts)
	}
	if now.Reported-now.Accounts > unlisted {
		return Contradicts
	}
	if before == nil {
		return ""
	}
	lost := before.Accounts - now.Accounts
	// Fewer than tolerated may leave at once in any app, but not all of its accounts.
	if lost > 0 && (now.Accounts == 0 || lost > tolerated && float64(lost) > t.Shrink*float64(before.Accounts)) {
		return Shrank
	}
	return ""
}
