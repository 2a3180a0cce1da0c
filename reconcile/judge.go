package reconcile

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/internal/set"
)

// Account is an account as a scan saw it.
type Account struct {
	At           time.Time // when the app was asked
	Active       bool
	Entitlements []string
	// Seen holds a digest of each managed attribute, and Baseline what it was at BaselineAt,
	// in the first scan after the last proof.
	Seen, Baseline map[string]string
	BaselineAt     time.Time
}

// LinkState is the state of a link: see ledger.LinkState.
type LinkState string

// The states of a link.
const (
	LinkPlanned  LinkState = "planned"
	LinkActive   LinkState = "active"
	LinkDisabled LinkState = "disabled"
	LinkDeleted  LinkState = "deleted"
)

// Link is what the ledger says about an account that is somebody's.
type Link struct {
	PersonID     string
	State        LinkState
	Entitlements []string
	// Quiet is the instant since which nothing of Tenure's can have changed what the app
	// shows: the last proof, and the end of the last call, with the time that the app takes
	// to show changes.
	Quiet time.Time
	// Unsure means that an attempt may be under way, or that it is not known what calls have
	// done.
	Unsure bool
	// Accepted lists entitlements that somebody decided to leave the person, although no role
	// gives them.
	Accepted []string
	// Just means that the account was adopted and not brought up to policy yet: what it has
	// beyond policy is the next plan's business, and its attributes are as they were.
	Just bool
	// Stripped means that all that the account had was taken, also if it was not Tenure's.
	Stripped bool
}

// Match is somebody whom an account matches that is nobody's.
type Match struct {
	PersonID   string
	ByExternal bool // the account carries the person's ID
	Left       bool // their employment has ended, or never was
	Linked     bool // they have another account in this app
	Wanted     bool // policy gives them an account in this app
	Unsure     bool // an attempt of theirs in this app may be under way
}

// Known is a finding that has not ended.
type Known struct {
	ID        int64
	Kind      Kind
	What      string
	Repairing bool
	DecidedAt time.Time
	Scans     int
}

// Sighting is all that is known of one account.
type Sighting struct {
	Account   *Account // nil if no scan ever saw it
	Present   bool     // this scan saw it
	Gone      bool     // the app was asked for it, and does not have it
	Protected bool     // no automation touches it
	Links     []Link   // several if it is contested
	Matches   []Match  // whom it matches, if it has no link
	Known     []Known
	ProvenAt  time.Time // the last proof of the link
	// Duties names the rules of separation of duties with which what the linked person really
	// has conflicts because of this account, and what Tenure gave them does not.
	Duties []string
	// Settled means that nothing is left to do in this app for the linked person, as far as
	// the last assessment, at AssessedAt, says.
	Settled    bool
	AssessedAt time.Time
}

// Status says what becomes of a finding.
type Status string

// The states of a finding: see ledger.FindingStatus.
const (
	Pending   Status = "pending"
	Open      Status = "open"
	Reported  Status = "reported"
	Repairing Status = "repairing"
)

// Finding is one difference.
type Finding struct {
	Kind     Kind
	What     string   // the entitlement, the attribute's name, or the rule's
	PersonID string   // whose account it is, or whom alone it matches; empty for an orphan that ends as nobody's
	People   []string // whom a disputed account, or an orphan, matches
	Enabled  bool     // the account is on
	Status   Status
}

// Judgement is what can be said about one account.
type Judgement struct {
	// Unjudged means that nothing can be said now.
	Unjudged bool
	Baseline bool // what was seen of the attributes is the baseline from now on
	Findings []Finding
	// Proven lists findings whose repair was proven, and Keep those that do not show any more
	// and whose repair is not proven yet.
	Proven, Keep []int64
}

// Judge says how an account differs from the ledger, and what becomes of it by the terms.
//
// It judges nothing that may be older than a proof or a call of Tenure's, and no protected
// account.
func Judge(s Sighting, terms Terms) Judgement {
	switch {
	case s.Protected:
		return Judgement{}
	case len(s.Links) > 1:
		return Judgement{Unjudged: true} // whose it is, is a question already
	case len(s.Links) == 1:
		return judgeLinked(s, s.Links[0], terms)
	case s.Account == nil || !s.Present:
		return Judgement{} // it is nobody's, and gone
	}
	return judgeNobodys(s, terms)
}

func judgeLinked(s Sighting, link Link, terms Terms) Judgement {
	if link.Unsure || link.State == LinkPlanned {
		return Judgement{Unjudged: true}
	}
	var j Judgement
	if s.Present {
		if !s.Account.At.After(link.Quiet) {
			return Judgement{Unjudged: true}
		}
		j = compare(s, link)
	} else if link.State != LinkDeleted {
		if !s.Gone {
			return Judgement{Unjudged: true}
		}
		j.Findings = []Finding{{Kind: Missing, Enabled: link.State == LinkActive}}
	}
	for i := range j.Findings {
		f := &j.Findings[i]
		f.PersonID = link.PersonID
		f.Status = statusOf(terms.Reaction(f.Kind))
		if f.Kind == Missing && terms.Grace > 1+scansOf(s.Known, f.Kind, f.What) {
			f.Status = Pending
		}
	}
	for _, k := range s.Known {
		if !k.Repairing {
			continue
		}
		shows := slices.ContainsFunc(j.Findings, func(f Finding) bool { return f.Kind == k.Kind && f.What == k.What })
		switch {
		case s.ProvenAt.After(k.DecidedAt):
			j.Proven = append(j.Proven, k.ID)
		case !shows && (!s.Settled || !s.AssessedAt.After(k.DecidedAt)):
			j.Keep = append(j.Keep, k.ID)
		}
	}
	return j
}

// scansOf returns how many scans have shown a difference already.
func scansOf(known []Known, kind Kind, what string) int {
	for _, k := range known {
		if k.Kind == kind && k.What == what {
			return k.Scans
		}
	}
	return 0
}

// compare returns how an account that is there differs from its link.
func compare(s Sighting, link Link) (j Judgement) {
	account := s.Account
	add := func(kind Kind, what string) {
		j.Findings = append(j.Findings, Finding{Kind: kind, What: what, Enabled: account.Active})
	}
	switch {
	case account.Active && (link.State == LinkDisabled || link.State == LinkDeleted):
		add(State, "")
	case !account.Active && link.State == LinkActive:
		add(Off, "")
	}
	for _, name := range slices.Sorted(slices.Values(s.Duties)) {
		add(Duty, name)
	}
	if link.State == LinkDeleted {
		return j // nothing else is known of it
	}
	for _, name := range slices.Sorted(slices.Values(set.Minus(link.Entitlements, account.Entitlements))) {
		add(Lacking, name)
	}
	if !link.Just || link.Stripped {
		for _, name := range slices.Sorted(slices.Values(set.Minus(account.Entitlements, slices.Concat(link.Entitlements, link.Accepted)))) {
			add(Stray, name)
		}
	}
	if account.BaselineAt.IsZero() || !account.BaselineAt.After(link.Quiet) {
		j.Baseline = true
		return j
	}
	if link.Just {
		return j // nobody has set its attributes
	}
	for _, name := range slices.Sorted(maps.Keys(account.Seen)) {
		if was, known := account.Baseline[name]; known && was != account.Seen[name] {
			add(Attributes, name)
		}
	}
	return j
}

// judgeNobodys judges an account that no link names.
func judgeNobodys(s Sighting, terms Terms) Judgement {
	f := Finding{Enabled: s.Account.Active}
	var present []Match
	for _, m := range s.Matches {
		if m.Unsure {
			return Judgement{Unjudged: true} // it may just be made for them
		}
		f.People = append(f.People, m.PersonID)
		if !m.Left {
			present = append(present, m)
		}
	}
	slices.SortFunc(f.People, strings.Compare)
	switch {
	case len(present) == 0:
		f.Kind = Orphan
	case len(s.Matches) > 1 || present[0].Linked:
		f.Kind = Disputed
	default:
		f.Kind = Unlinked
	}
	f.Status = statusOf(terms.Reaction(f.Kind))
	if len(s.Matches) == 1 {
		f.PersonID = s.Matches[0].PersonID
	}
	if f.Kind == Orphan {
		return Judgement{Findings: []Finding{orphaned(f, s.Matches, terms)}}
	}
	if f.Status == Repairing && !mayLink(s.Matches) {
		f.Status = Open
	}
	return Judgement{Findings: []Finding{f}}
}

// orphaned says what becomes of an orphan. One that is to go is linked to the one person who has
// left and whom it matches or, if there is nobody or they have another account, is nobody's.
func orphaned(f Finding, matches []Match, terms Terms) Finding {
	// An account that carries the ID of somebody who has left is theirs: it was made by hand,
	// or by another system.
	if len(matches) == 1 && matches[0].ByExternal && terms.Reaction(Unlinked) == Adopt {
		f.Status = Repairing
	}
	if f.Status == Repairing && (len(matches) != 1 || matches[0].Linked) {
		f.PersonID = ""
	}
	return f
}

// mayLink reports whether an account may be linked to whom it matches without a question.
func mayLink(matches []Match) bool {
	// If policy gives them no account, it would be turned off as soon as it is linked.
	return len(matches) == 1 && !matches[0].Linked && matches[0].ByExternal && matches[0].Wanted
}

// statusOf returns what a reaction makes of a finding.
func statusOf(r Reaction) Status {
	switch r {
	case Repair, Adopt, End:
		return Repairing
	case Report:
		return Reported
	case Ask:
	}
	return Open
}
