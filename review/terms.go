package review

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/policy"
)

// Terms say how a review is held, as the configuration has it. They are kept with each review,
// as JSON.
type Terms struct {
	Name  string `json:"name"`
	On    []Day  `json:"on,omitempty"`   // the days of the year on which it begins
	After After  `json:"after,omitzero"` // what happens to a person after which one of them alone begins
	Days  int    `json:"days"`           // how long it lasts, to the end of the last day
	// Covers is a condition over item and person (see policy.CompileCover); empty: everything.
	Covers  string  `json:"covers,omitempty"`
	Explain Explain `json:"explain,omitempty"` // empty means ExplainRole
	// Reviewers lists whom to ask, by kind; the first who can decide is asked. A kind without
	// an entry means that of the table of kinds.
	Reviewers map[Kind][]string `json:"reviewers,omitempty"`
	Remind    []time.Duration   `json:"remind,omitempty"`   // before the end
	Escalate  time.Duration     `json:"escalate,omitempty"` // after the beginning the next ones up are asked as well; zero: never
	Undecided Silence           `json:"undecided,omitempty"`
	Settle    time.Duration     `json:"settle,omitempty"` // how long after it was made a decision to revoke takes effect
	// KeepReason and RevokeReason say when a reason is needed.
	KeepReason   Reason        `json:"keepReason,omitempty"`
	RevokeReason Reason        `json:"revokeReason,omitempty"`
	UnusedAfter  time.Duration `json:"unusedAfter,omitempty"` // what was not used for longer is shown as such; zero: nothing is
}

// Day is a day of the year.
type Day struct {
	Month time.Month `json:"month"`
	Day   int        `json:"day"`
}

// ParseDay reads a day of the year: "01-15".
func ParseDay(text string) (Day, error) {
	at, err := time.Parse("01-02", text)
	if err != nil {
		return Day{}, fmt.Errorf("must be a day of the year, such as 01-15")
	}
	return Day{Month: at.Month(), Day: at.Day()}, nil
}

func (d Day) String() string { return fmt.Sprintf("%02d-%02d", int(d.Month), d.Day) }

// Explain says what a review asks about access that a role or a grant explains.
type Explain string

// The ways to ask.
const (
	ExplainRole Explain = "role" // about the role, or the grant, once
	ExplainEach Explain = "each" // about every account and entitlement of everybody
)

// Explains lists every way to ask.
func Explains() []Explain { return []Explain{ExplainRole, ExplainEach} }

// Silence says what it means if nobody decides about an item.
type Silence string

// The meanings of silence.
const (
	SilencePrivileged Silence = "privileged" // what is privileged is revoked, and everything else kept
	SilenceRevokes    Silence = "revoke"
	SilenceKeeps      Silence = "keep"
)

// Silences lists every meaning of silence; the first is the default.
func Silences() []Silence { return []Silence{SilencePrivileged, SilenceRevokes, SilenceKeeps} }

// Reason says when a decision needs a reason.
type Reason string

// When a reason is needed.
const (
	ReasonUnexplained Reason = "unexplained" // if neither a role nor a grant explains what it is about
	ReasonAlways      Reason = "always"
	ReasonNever       Reason = "never"
)

// Reasons lists every Reason.
func Reasons() []Reason { return []Reason{ReasonUnexplained, ReasonAlways, ReasonNever} }

// Needed reports whether a decision about an item of a kind needs a reason.
func (r Reason) Needed(k Kind) bool {
	return r == ReasonAlways || r == ReasonUnexplained && !k.Explained()
}

// TermsOf returns how a review was to be held when it was started.
func TermsOf(r ledger.Review) (Terms, error) {
	var terms Terms
	if err := json.Unmarshal([]byte(r.Terms), &terms); err != nil {
		return terms, fmt.Errorf("review: the terms of %s: %w", r.Ref(), err)
	}
	return terms, nil
}

// WriteTerms returns terms as a review keeps them.
func WriteTerms(terms Terms) (string, error) {
	text, err := json.Marshal(terms)
	return string(text), err
}

// Asks returns whom to ask about items of a kind.
func (t Terms) Asks(k Kind) []string {
	if names := t.Reviewers[k]; len(names) > 0 {
		return names
	}
	return kinds[k].asks
}

// Ends returns when a review ends that is started at an instant: at the end of its last day.
func (t Terms) Ends(started time.Time, zone *time.Location) time.Time {
	year, month, day := started.In(zone).Date()
	return time.Date(year, month, day+max(t.Days, 1), 0, 0, 0, 0, zone).UTC()
}

// RemindersBefore returns how many reminders of a review that ends at an instant lie at or before
// another one.
func (t Terms) RemindersBefore(at, ends time.Time) int {
	n := 0
	for _, before := range t.Remind {
		if !ends.Add(-before).After(at) {
			n++
		}
	}
	return n
}

// startsWithin is how late after its day a review is still started: nobody was there to start it.
const startsWithin = 3 * 24 * time.Hour

// Due returns the day on which the review is to begin now or was to begin lately, and false if
// there is none.
func (t Terms) Due(now time.Time, zone *time.Location) (time.Time, bool) {
	var due time.Time
	local := now.In(zone)
	for _, year := range []int{local.Year() - 1, local.Year()} {
		for _, d := range t.On {
			at := time.Date(year, d.Month, d.Day, 0, 0, 0, 0, zone)
			if !at.After(now) && at.After(due) {
				due = at
			}
		}
	}
	return due, !due.IsZero() && now.Before(due.Add(startsWithin))
}

// Silent returns what silence means for an item.
func (t Terms) Silent(i ledger.ReviewItem) ledger.ItemVerdict {
	switch {
	case Kind(i.Kind) == Withheld: // silence gives nothing back
		return ledger.VerdictRevoke
	case t.Undecided == SilenceKeeps:
		return ledger.VerdictKeep
	case t.Undecided == SilenceRevokes, slices.Contains(FactsOf(i).Flags, FlagPrivileged):
		return ledger.VerdictRevoke
	}
	return ledger.VerdictKeep
}

// Kind says why somebody has what an item is about.
type Kind string

// The kinds of items.
const (
	ByRole   Kind = "role"     // a role gives it to everybody for whom its condition holds
	ByGrant  Kind = "grant"    // it was granted for a time
	Kept     Kind = "kept"     // it is kept for a time after a move
	Accepted Kind = "accepted" // nothing gives it, and somebody has accepted that for a time
	Stray    Kind = "stray"    // nothing gives it
	Unlinked Kind = "unlinked" // the account is nobody's, and matches people
	Orphan   Kind = "orphan"   // the account is nobody's, and matches nobody who works here
	Service  Kind = "service"  // it belongs to a service, and not to a human
	Duty     Kind = "duty"     // the person has what a rule keeps apart
	Withheld Kind = "withheld" // an earlier review of that name has taken it
)

// kinds says what there is to know of each kind.
var kinds = map[Kind]struct {
	asks      []string // whom, by default
	explained bool     // policy, or a request that was approved, explains it
}{
	ByRole:   {[]string{policy.DecideOwner}, true},
	ByGrant:  {[]string{policy.DecideManager, policy.DecideOwner}, true},
	Kept:     {[]string{policy.DecideManager}, false},
	Accepted: {[]string{policy.DecideOwner}, false},
	Stray:    {[]string{policy.DecideOwner}, false},
	Unlinked: {[]string{policy.DecideOwner}, false},
	Orphan:   {[]string{policy.DecideOwner}, false},
	Service:  {[]string{policy.DecideManager, policy.DecideOwner}, false},
	Duty:     {[]string{policy.DecideOwner}, false},
	Withheld: {[]string{policy.DecideManager, policy.DecideOwner}, true},
}

// Kinds lists every kind.
func Kinds() []Kind {
	return []Kind{ByRole, ByGrant, Kept, Accepted, Stray, Unlinked, Orphan, Service, Duty, Withheld}
}

// Explained reports whether policy, or a request that was approved, explains what somebody has.
func (k Kind) Explained() bool { return kinds[k].explained }
