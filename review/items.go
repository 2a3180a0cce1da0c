package review

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/internal/set"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/policy"
)

// Flag is something about an item that a reviewer should know.
type Flag string

// The flags. Each is a fact that the ledger holds.
const (
	FlagUnused      Flag = "unused"       // the app tells when it was used last, and that is long ago
	FlagPrivileged  Flag = "privileged"   // a role that gives it is privileged
	FlagCreep       Flag = "creep"        // none of the person's roles gives it
	FlagPeers       Flag = "peers"        // few who have the same department and title have it
	FlagNew         Flag = "new"          // it was not there at the last review of that name
	FlagConflict    Flag = "conflict"     // a rule keeps it apart from something that the person has
	FlagNeverProven Flag = "never proven" // no app has shown it so far
	FlagExtended    Flag = "extended"     // the grant was prolonged
	FlagOff         Flag = "off"          // the account is off at the moment
	FlagProtected   Flag = "protected"    // no automation touches it
)

// Facts holds what a reviewer is shown of an item, as it was when the population was frozen.
type Facts struct {
	Title    string    `json:"title,omitempty"`    // of the role
	When     string    `json:"when,omitempty"`     // the role's condition
	Since    time.Time `json:"since,omitzero"`     // since when the account is there
	Proven   time.Time `json:"proven,omitzero"`    // when the app showed it last
	LastUsed time.Time `json:"lastUsed,omitzero"`  // zero: the app does not say
	Ends     time.Time `json:"ends,omitzero"`      // when it ends by itself
	Peers    *int      `json:"peers,omitempty"`    // percent of those with the same department and title who have it
	Extended int       `json:"extended,omitempty"` // how often the grant was prolonged
	Flags    []Flag    `json:"flags,omitempty"`
	// Members says, of a role, who came and went, and who differs from their peers.
	Members *Membership `json:"members,omitempty"`
}

// FactsOf returns the facts of an item.
func FactsOf(i ledger.ReviewItem) Facts {
	var f Facts
	_ = json.Unmarshal(i.Facts, &f) // what cannot be read is not shown
	return f
}

// Snapshot is what is known of one person when a population is frozen.
type Snapshot struct {
	Decision assess.Decision
	Policy   *policy.Policy
	// Seen holds the person's accounts as the last complete scan saw them, by app.
	Seen map[string]ledger.Observed
	// Withheld lists what earlier reviews of the same name keep from the person.
	Withheld []ledger.Exception
	// Before tells what the person had at the last review of that name; nil: there was none.
	Before map[ledger.AccessPlace]bool
	// Extended counts how often a grant was prolonged.
	Extended map[int64]int
	// Peers returns how many percent of those with the same department and title have
	// something; below zero if there are too few of them to tell.
	Peers func(app, entitlement string) int
}

// Has is something that a person has, and why.
type Has struct {
	ledger.AccessPlace
	Kind      Kind
	Role      string           // of ByRole and ByGrant
	Exception ledger.Exception // the grant, or by what it is accepted
	Until     time.Time        // when it ends by itself
	Because   string
	Link      ledger.Link
	LastUsed  time.Time
}

// All lists everything that a person has: accounts and entitlements, by what Tenure has given
// and proven and by what the last complete scans have seen. Each thing is listed once, by app
// and entitlement.
func (s Snapshot) All() []Has {
	d := s.Decision
	var all []Has
	for _, l := range d.Person.Links {
		if l.State != ledger.LinkActive && (l.State != ledger.LinkDisabled || !s.belongs()) {
			continue
		}
		seen, scanned := s.Seen[l.App]
		scanned = scanned && seen.AccountID == l.AccountID && seen.At.After(l.ProvenAt)
		place := ledger.AccessPlace{PersonID: d.Person.PersonID, App: l.App}
		for _, name := range append([]string{""}, set.Sorted(l.Entitlements)...) {
			place.Entitlement = name
			all = append(all, s.explain(place, l, seen))
		}
		if !scanned {
			continue
		}
		for _, name := range set.Sorted(set.Minus(seen.Entitlements, l.Entitlements)) {
			place.Entitlement, place.AccountID = name, l.AccountID
			all = append(all, s.explain(place, l, seen))
		}
	}
	return all
}

// belongs reports whether the person is employed, or is about to be: what is off for them now
// is still theirs.
func (s Snapshot) belongs() bool {
	status := s.Decision.Desired.Standing.Status
	return status != hr.StatusEnded && status != hr.StatusUnknown
}

// explain says why somebody has something.
func (s Snapshot) explain(place ledger.AccessPlace, l ledger.Link, seen ledger.Observed) Has {
	h := Has{AccessPlace: place, Link: l, LastUsed: seen.LastUsedAt, Kind: Stray, Because: "nothing gives it"}
	if profile := s.Decision.Desired.Standing.Profile; profile != nil && profile.Type == hr.TypeService {
		h.Kind, h.Because = Service, "it belongs to a service"
		return h
	}
	by, until := s.givenBy(place)
	if len(by) > 0 && !until.IsZero() {
		h.Kind, h.Until, h.Because = Kept, until, "kept after a move, by "+strings.Join(by, " and ")
		return h
	}
	names := s.Policy.RoleNames()
	for _, name := range by {
		if _, requested := s.Policy.Requestable(name); slices.Contains(names, name) && !requested {
			h.Kind, h.Role, h.Because = ByRole, name, "role "+name
			return h
		}
	}
	for _, x := range s.Decision.Person.Exceptions {
		if x.Kind == string(policy.ExceptGrant) && slices.Contains(by, (policy.Exception{Name: x.Name(), Role: x.Role}).Reason()) {
			h.Kind, h.Role, h.Exception, h.Until = ByGrant, x.Role, x, x.EndsAt
			h.Because = fmt.Sprintf("role %s, granted by %s", x.Role, x.Name())
			return h
		}
	}
	for _, x := range s.Decision.Person.Exceptions {
		if x.Kind == string(policy.ExceptAccept) && x.InForce(s.Decision.Now) && x.App == place.App && (x.Entitlement == "" || x.Entitlement == place.Entitlement) {
			h.Kind, h.Exception, h.Until, h.Because = Accepted, x, x.EndsAt, "accepted by "+x.Name()
			return h
		}
	}
	return h
}

// gives returns the roles and grants by which policy gives something without an end that is known;
// nothing if policy does not give it, or lets it go after a move.
func (s Snapshot) gives(place ledger.AccessPlace) []string {
	by, until := s.givenBy(place)
	if !until.IsZero() {
		return nil
	}
	return by
}

// givenBy returns the roles and grants by which policy gives something, and until when it is
// kept after a move; nothing if policy does not give it.
func (s Snapshot) givenBy(place ledger.AccessPlace) (by []string, until time.Time) {
	i := slices.IndexFunc(s.Decision.Desired.Accounts, func(a policy.Account) bool { return a.App == place.App })
	if i < 0 {
		return nil, until
	}
	account := s.Decision.Desired.Accounts[i]
	if place.Entitlement != "" {
		for _, e := range account.Entitlements {
			if e.Name == place.Entitlement {
				return e.Roles, e.Until
			}
		}
		return nil, until
	}
	by, kept := slices.Clone(account.Roles), true
	for _, e := range account.Entitlements {
		if e.Until.IsZero() {
			by, kept = append(by, e.Roles...), false
		}
	}
	if len(account.Roles) > 0 || !kept || len(account.Entitlements) == 0 {
		return set.Sorted(by), until
	}
	for _, e := range account.Entitlements {
		by = append(by, e.Roles...)
		if e.Until.After(until) {
			until = e.Until
		}
	}
	return set.Sorted(by), until
}

// Items lists the questions about one person, with what each is about, by key. Everything that
// they have is in exactly one of those that the terms cover, and so is each rule that keeps apart
// what they have. It depends on nothing but its arguments.
func Items(s Snapshot, terms Terms, cover *policy.Cover) ([]ledger.FrozenItem, error) {
	c := collector{Snapshot: s, terms: terms, cover: cover, items: map[string]*ledger.FrozenItem{}}
	all := s.All()
	for _, h := range all {
		c.access(h)
	}
	for _, conflict := range s.Decision.Conflicts {
		c.conflict(conflict)
	}
	for _, x := range s.Withheld {
		c.withheld(x, all)
	}
	if c.err != nil {
		return nil, c.err
	}
	items := make([]ledger.FrozenItem, 0, len(c.items))
	for _, i := range c.items {
		var err error
		if i.Facts, err = json.Marshal(c.facts[i.Key]); err != nil {
			return nil, err
		}
		items = append(items, *i)
	}
	slices.SortFunc(items, func(a, b ledger.FrozenItem) int { return cmp.Compare(a.Key, b.Key) })
	return items, nil
}

// collector collects the items about one person.
type collector struct {
	Snapshot
	terms Terms
	cover *policy.Cover
	items map[string]*ledger.FrozenItem
	facts map[string]Facts
	err   error
}

// covers reports whether the terms cover something.
func (c *collector) covers(what policy.Covered) bool {
	if c.cover == nil {
		return true
	}
	holds, err := c.cover.Holds(what, c.Decision.Person.PersonID, c.Decision.Desired.Standing.Profile)
	c.err = cmp.Or(c.err, err)
	return holds
}

// put adds to the item with a key.
func (c *collector) put(i ledger.ReviewItem, f Facts, access ...ledger.AccessPlace) {
	if c.facts == nil {
		c.facts = map[string]Facts{}
	}
	item, ok := c.items[i.Key]
	if !ok {
		item = &ledger.FrozenItem{ReviewItem: i}
		c.items[i.Key], c.facts[i.Key] = item, f
	} else {
		c.facts[i.Key] = c.facts[i.Key].with(f)
	}
	item.Accesses = append(item.Accesses, access...)
}

// with returns the facts of an item that is about more: the least good of each.
func (f Facts) with(more Facts) Facts {
	f.Flags = set.Sorted(append(f.Flags, more.Flags...))
	f.Since, f.Proven = earlier(f.Since, more.Since), earlier(f.Proven, more.Proven)
	if more.LastUsed.After(f.LastUsed) {
		f.LastUsed = more.LastUsed
	}
	if f.Peers == nil || more.Peers != nil && *more.Peers < *f.Peers {
		f.Peers = more.Peers
	}
	return f
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// access adds something that the person has.
func (c *collector) access(h Has) {
	risk := c.risk(h)
	f := c.factsOf(h, risk)
	flags := make([]string, len(f.Flags))
	for i, flag := range f.Flags {
		flags[i] = string(flag)
	}
	if !c.covers(policy.Covered{Because: string(h.Kind), App: h.App, Entitlement: h.Entitlement, Role: h.Role, Risk: risk, Flags: flags}) {
		return
	}
	i := ledger.ReviewItem{Kind: string(h.Kind), PersonID: h.PersonID, Role: h.Role, Exception: h.Exception.ID, Because: h.Because}
	switch each := c.terms.Explain == ExplainEach; {
	case h.Kind == ByRole && !each:
		about, _ := c.Policy.Facts(h.Role)
		i.Key, i.PersonID = "role:"+h.Role, ""
		f = Facts{Title: about.Title, When: c.Policy.Condition(h.Role), Flags: set.Intersect(f.Flags, []Flag{FlagPrivileged})}
	case h.Kind == ByGrant && !each:
		i.Key = "grant:" + h.Exception.Name()
	case h.Kind == Service && !each:
		i.Key, i.App, i.AccountID = "service:"+h.PersonID+":"+h.App, h.App, h.Link.AccountID
	default:
		i.Key, i.App, i.Entitlement = "access:"+h.PersonID+":"+h.App+":"+h.Entitlement, h.App, h.Entitlement
		if h.Kind == Stray || h.Kind == Accepted {
			i.AccountID = h.Link.AccountID
		}
	}
	c.put(i, f, h.AccessPlace)
}

// risk returns how much harm can be done with something, by the roles that give it to anybody.
func (c *collector) risk(h Has) policy.Risk {
	if h.Role != "" {
		about, _ := c.Policy.Facts(h.Role)
		return about.Risk
	}
	for _, name := range c.Policy.RoleNames() {
		about, _ := c.Policy.Facts(name)
		gives := func(g policy.Grant) bool {
			return g.App == h.App && (h.Entitlement != "" && slices.Contains(g.Entitlements, h.Entitlement) || h.Entitlement == "" && len(g.Entitlements) == 0)
		}
		if about.Risk == policy.RiskPrivileged && slices.ContainsFunc(c.Policy.RoleGrants(name), gives) {
			return policy.RiskPrivileged
		}
	}
	return policy.RiskStandard
}

// factsOf returns what is known of something that the person has.
func (c *collector) factsOf(h Has, risk policy.Risk) Facts {
	f := Facts{Since: h.Link.CreatedAt, Proven: h.Link.ProvenAt, LastUsed: h.LastUsed, Ends: h.Until, Extended: c.Extended[h.Exception.ID]}
	peers := -1
	if c.Peers != nil {
		if peers = c.Peers(h.App, h.Entitlement); peers >= 0 {
			f.Peers = &peers
		}
	}
	now, id := c.Decision.Now, c.Decision.Person.PersonID
	plain := h.AccessPlace
	plain.AccountID = ""
	for flag, holds := range map[Flag]bool{
		FlagUnused:      c.terms.UnusedAfter > 0 && !h.LastUsed.IsZero() && h.LastUsed.Before(now.Add(-c.terms.UnusedAfter)),
		FlagPrivileged:  risk == policy.RiskPrivileged,
		FlagCreep:       h.Kind == Kept || h.Kind == Accepted || h.Kind == Stray,
		FlagPeers:       peers >= 0 && peers < fewPeers,
		FlagNew:         c.Before != nil && !c.Before[h.AccessPlace] && !c.Before[plain],
		FlagConflict:    slices.ContainsFunc(c.Decision.Conflicts, func(x policy.Conflict) bool { return concerns(x, h.AccessPlace) }),
		FlagNeverProven: h.Link.ProvenAt.IsZero(),
		FlagExtended:    f.Extended > 0,
		FlagOff:         h.Link.State != ledger.LinkActive,
		FlagProtected:   c.Policy.ProtectsPerson(id) || c.Policy.ProtectsAccount(h.App, h.Link.AccountID, h.Link.Username),
	} {
		if holds {
			f.Flags = append(f.Flags, flag)
		}
	}
	slices.Sort(f.Flags)
	return f
}

// fewPeers is the percentage of peers below which something is flagged.
const fewPeers = 10

// concerns reports whether something is on a side of a conflict.
func concerns(c policy.Conflict, place ledger.AccessPlace) bool {
	is := func(h policy.Held) bool { return h.App == place.App && h.Entitlement == place.Entitlement }
	return slices.ContainsFunc(c.One, is) || slices.ContainsFunc(c.Other, is)
}

// conflict adds a rule that keeps apart what the person has.
func (c *collector) conflict(conflict policy.Conflict) {
	id := c.Decision.Person.PersonID
	i := ledger.ReviewItem{
		Key: "duty:" + id + ":" + conflict.Duty, Kind: string(Duty), PersonID: id, Duty: conflict.Duty,
		Because: policy.Things(conflict.One) + " together with " + policy.Things(conflict.Other),
	}
	f := Facts{Flags: []Flag{FlagConflict}}
	if conflict.Waiver != "" {
		i.Exception, _ = ledger.ExceptionID(conflict.Waiver)
		i.Because += ", waived by " + conflict.Waiver
		for _, x := range c.Decision.Person.Exceptions {
			if x.ID == i.Exception {
				f.Ends = x.EndsAt
			}
		}
	}
	if c.covers(policy.Covered{Because: i.Kind, Duty: conflict.Duty, Flags: []string{string(FlagConflict)}}) {
		c.put(i, f)
	}
}

// withheld adds what an earlier review has taken, and still keeps from the person.
func (c *collector) withheld(x ledger.Exception, all []Has) {
	place := ledger.AccessPlace{PersonID: c.Decision.Person.PersonID, App: x.App, Entitlement: x.Entitlement}
	if slices.ContainsFunc(all, func(h Has) bool { return h.AccessPlace == place }) || !c.covers(policy.Covered{Because: string(Withheld), App: x.App, Entitlement: x.Entitlement}) {
		return
	}
	c.put(ledger.ReviewItem{
		Key: "withheld:" + x.Name(), Kind: string(Withheld), PersonID: place.PersonID, App: x.App, Entitlement: x.Entitlement, Exception: x.ID,
		Because: "withheld by " + x.Origin,
	}, Facts{Since: x.StartsAt})
}

// Lines describes each thing that items are about in a line, sorted, for the digest of a
// population. It depends on what people have and why, and not on who is asked about it.
func Lines(items []ledger.FrozenItem) []string {
	var lines []string
	for _, i := range items {
		for _, a := range i.Accesses {
			lines = append(lines, strings.Join([]string{a.PersonID, a.App, a.AccountID, a.Entitlement, i.Because}, "\x1f"))
		}
		if len(i.Accesses) == 0 {
			lines = append(lines, strings.Join([]string{i.PersonID, i.Key, i.Because}, "\x1f"))
		}
	}
	slices.Sort(lines)
	return lines
}
