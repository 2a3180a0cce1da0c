package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/internal/nearest"
)

// Duty is a rule of separation of duties: nobody is to hold something of One and something of
// Other. An item of a side names entitlements of an app or, without any, an account there.
type Duty struct {
	Name  string
	About string // for people
	One   []Grant
	Other []Grant
	Owner []string // IDs of the people who answer for the rule
	Mode  DutyMode
	// Since is the instant from which on grants that are decided obey the rule, if its mode is
	// DutyPrevent. What was granted before is not taken by it.
	Since time.Time
	Waive *WaiveRules // nil: the rule cannot be waived
}

// DutyMode names what a rule of separation of duties does.
type DutyMode string

// The modes.
const (
	DutyPrevent DutyMode = "prevent" // no grant is given that conflicts, and an operator is asked about other conflicts
	DutyDetect  DutyMode = "detect"  // conflicts are shown
)

// DutyModes lists every mode.
func DutyModes() []DutyMode { return []DutyMode{DutyPrevent, DutyDetect} }

// WaiveRules say how a rule of separation of duties can be waived for somebody.
type WaiveRules struct {
	Most time.Duration // the longest time for which it is waived
	// Approve, Answer and Escalate say who decides about a request for a waiver, as those of
	// RequestRules do. DecideOwner stands for the owner of the rule; without stages, it decides.
	Approve          [][]string
	Answer, Escalate time.Duration
}

// answerWaiver is the time in which a stage has to answer if the rules do not say it.
const answerWaiver = 3 * 24 * time.Hour

// Terms returns how a waiver can be requested.
func (w WaiveRules) Terms() RequestRules {
	r := RequestRules{Most: w.Most, Approve: w.Approve, Answer: cmp.Or(w.Answer, answerWaiver), Escalate: w.Escalate}
	if len(r.Approve) == 0 {
		r.Approve = [][]string{{DecideOwner}}
	}
	return r
}

// Held is something that somebody has: an entitlement of an app or, if Entitlement is empty, an
// account there.
type Held struct {
	App         string
	Entitlement string
	By          []string // the roles and grants that give it; empty if none does
}

// String names what is held: "bank:signer", or "bank" for the account.
func (h Held) String() string { return strings.TrimSuffix(h.App+":"+h.Entitlement, ":") }

// Reasons names what is held and what gives it: "bank:signer by treasurer".
func Reasons(held []Held) string {
	texts := make([]string, len(held))
	for i, h := range held {
		texts[i] = h.String() + " by " + cmp.Or(strings.Join(h.By, " and "), "no role")
	}
	return strings.Join(texts, ", ")
}

// Things names what is held: "bank:signer, erp:approver".
func Things(held []Held) string {
	texts := make([]string, len(held))
	for i, h := range held {
		texts[i] = h.String()
	}
	return strings.Join(texts, ", ")
}

// is reports whether two are the same thing, whatever gives it.
func (h Held) is(other Held) bool { return h.App == other.App && h.Entitlement == other.Entitlement }

// Conflict is what somebody has of both sides of a rule of separation of duties.
type Conflict struct {
	Duty       string
	Mode       DutyMode
	One, Other []Held // sorted
	// Waiver names the exception that allows it now; empty if none does.
	Waiver   string
	Waivable bool // the rule can be waived
}

// Refusal says that a grant is not given, because what it gives conflicts with what the person
// has.
type Refusal struct {
	Exception string // the grant
	Role      string
	Duty      string
	Gives     []Held // what the grant would give
	Against   []Held // what it must not be held with
	Waivable  bool   // the rule can be waived
}

// KeepsApart reports whether there are rules of separation of duties.
func (p *Policy) KeepsApart() bool { return len(p.duties) > 0 }

// Duties returns the rules of separation of duties, as the rules have them.
func (p *Policy) Duties() []Duty { return slices.Clone(p.duties) }

// Duty returns the rule of separation of duties of a name, and false if there is none.
func (p *Policy) Duty(name string) (Duty, bool) {
	i := slices.IndexFunc(p.duties, func(d Duty) bool { return d.Name == name })
	if i < 0 {
		return Duty{}, false
	}
	return p.duties[i], true
}

// Conflicts returns where somebody who has these things has something of both sides of a rule,
// with the waiver that is in force for it.
func (p *Policy) Conflicts(held []Held, now time.Time, exceptions ...Exception) []Conflict {
	var all []Conflict
	for i := range p.duties {
		d := &p.duties[i]
		one, other := among(held, d.One), among(held, d.Other)
		if len(one) > 0 && len(other) > 0 {
			all = append(all, Conflict{Duty: d.Name, Mode: d.Mode, One: one, Other: other, Waiver: waiver(d.Name, now, exceptions), Waivable: d.Waive != nil})
		}
	}
	return all
}

// waiver returns the name of an exception that waives a rule now; empty if there is none.
func waiver(duty string, now time.Time, exceptions []Exception) string {
	for _, x := range exceptions {
		if x.Kind == ExceptWaive && x.Duty == duty && x.InForce(now) {
			return x.Name
		}
	}
	return ""
}

// among returns what is held that belongs to a side of a rule, sorted, each thing once.
func among(held []Held, side []Grant) []Held {
	var found []Held
	for _, h := range held {
		if onSide(h, side) && !slices.ContainsFunc(found, h.is) {
			found = append(found, h)
		}
	}
	slices.SortFunc(found, func(a, b Held) int {
		return cmp.Or(cmp.Compare(a.App, b.App), cmp.Compare(a.Entitlement, b.Entitlement))
	})
	return found
}

func onSide(h Held, side []Grant) bool {
	return slices.ContainsFunc(side, func(g Grant) bool {
		return g.App == h.App && (len(g.Entitlements) == 0 && h.Entitlement == "" || slices.Contains(g.Entitlements, h.Entitlement))
	})
}

// Holds returns what somebody has who has the desired access, also while their accounts are off
// because they are away. Accounts that wait for the first day of a further position do not
// count before that day.
func (d Desired) Holds() []Held {
	var all []Held
	for _, account := range d.Accounts {
		if !account.Enabled && d.Standing.Status == hr.StatusActive {
			continue
		}
		by := slices.Clone(account.Roles)
		for _, e := range account.Entitlements {
			by = append(by, e.Roles...)
			all = append(all, Held{App: account.App, Entitlement: e.Name, By: e.Roles})
		}
		slices.Sort(by)
		all = append(all, Held{App: account.App, By: slices.Compact(by)})
	}
	return all
}

// holds returns what granted access consists of.
func (a access) holds() []Held {
	var all []Held
	for app, entitlements := range a {
		account := Held{App: app}
		for _, e := range entitlements.sorted() {
			all = append(all, Held{App: app, Entitlement: e.Name, By: e.Roles})
			account.By = append(account.By, e.Roles...)
		}
		slices.Sort(account.By)
		account.By = slices.Compact(account.By)
		all = append(all, account)
	}
	return all
}

// Refused returns the grants that are not given to somebody now, as Evaluate does.
func (p *Policy) Refused(t hr.Timeline, now time.Time, id Identity, exceptions ...Exception) []Refusal {
	e := evaluation{policy: p, now: now, identity: id, exceptions: exceptions}
	if standing := t.At(now); periodAt(t.Periods, now) != nil {
		e.refuse(positionsOf(t), standing.Status == hr.StatusActive)
	}
	return e.refused
}

// refuse decides which grants are not given now, because they would bring together what a rule
// keeps apart. Of two grants that conflict, the one that was decided later is not given. A
// grant that gives nothing new is not refused, and neither is one that is older than the rule.
func (e *evaluation) refuse(positions []hr.Position, active bool) {
	if !e.policy.prevents {
		return
	}
	grants := e.inForce(ExceptGrant)
	if len(grants) == 0 {
		return
	}
	slices.SortStableFunc(grants, func(a, b Exception) int { return a.Decided.Compare(b.Decided) })
	has := e.alone().held(positions, active)
	e.withhold(has)
	for _, x := range grants {
		gives := e.alone(x).grantedIn(positions)
		e.withhold(gives)
		if refusals := e.refusals(x, has.holds(), gives.holds()); len(refusals) > 0 {
			e.refused = append(e.refused, refusals...)
			continue
		}
		has.with(gives)
	}
}

// alone returns an evaluation of the same moment with these exceptions only.
func (e *evaluation) alone(exceptions ...Exception) *evaluation {
	return &evaluation{policy: e.policy, now: e.now, identity: e.identity, exceptions: exceptions}
}

// grantedIn returns what grants give in the positions that are held now.
func (e *evaluation) grantedIn(positions []hr.Position) access {
	all := access{}
	for _, position := range positions {
		if held := periodAt(position.Periods, e.now); held != nil {
			e.requested(&held.Profiles[snapshotAt(held, e.now)].Profile, all)
		}
	}
	return all
}

// refusals returns the rules by which a grant is not given to somebody.
func (e *evaluation) refusals(x Exception, has, gives []Held) []Refusal {
	gained := slices.DeleteFunc(slices.Clone(gives), func(h Held) bool { return slices.ContainsFunc(has, h.is) })
	if len(gained) == 0 {
		return nil
	}
	together := append(slices.Clone(has), gained...)
	var all []Refusal
	for i := range e.policy.duties {
		d := &e.policy.duties[i]
		if d.Mode != DutyPrevent || x.Decided.Before(d.Since) || waiver(d.Name, e.now, e.exceptions) != "" {
			continue
		}
		for _, sides := range [][2][]Grant{{d.One, d.Other}, {d.Other, d.One}} {
			mine, theirs := among(gained, sides[0]), among(together, sides[1])
			if len(mine) > 0 && len(theirs) > 0 {
				all = append(all, Refusal{Exception: x.Name, Role: x.Role, Duty: d.Name, Gives: mine, Against: theirs, Waivable: d.Waive != nil})
				break
			}
		}
	}
	return all
}

// isRefused reports whether a grant is not given.
func (e *evaluation) isRefused(x Exception) bool {
	return slices.ContainsFunc(e.refused, func(r Refusal) bool { return r.Exception == x.Name })
}

// duties checks the rules of separation of duties.
func (c *compiler) duties() []Duty {
	first := make(map[string]int, len(c.rules.Duties))
	for i, d := range c.rules.Duties {
		path := fmt.Sprintf("duties[%d]", i)
		if strings.TrimSpace(d.Name) == "" {
			c.problems.add(path+".name", "a rule needs a name")
		} else if earlier, ok := first[d.Name]; ok {
			c.problems.add(path+".name", "duties[%d] is called %q too", earlier, d.Name)
		} else {
			first[d.Name] = i
		}
		c.side(path+".one", d.One)
		c.side(path+".other", d.Other)
		c.apart(path+".other", d)
		for j, owner := range d.Owner {
			if strings.TrimSpace(owner) != owner || owner == "" {
				c.problems.add(fmt.Sprintf("%s.owner[%d]", path, j), "%q is nobody: it is empty, or has blanks around it", owner)
			}
		}
		switch {
		case !slices.Contains(DutyModes(), d.Mode):
			c.problems.add(path+".mode", "must be prevent or detect, not %q%s", d.Mode, nearest.Hint(string(d.Mode), []string{string(DutyPrevent), string(DutyDetect)}))
		case d.Mode == DutyPrevent && d.Since.IsZero():
			c.problems.add(path+".since", "is missing: say from when on grants obey the rule, such as 2026-12-01T00:00:00Z; what was granted before is not taken by it")
		}
		if d.Waive != nil {
			terms := d.Waive.Terms()
			c.stages(path+".waive", &terms)
		}
		if d.Waive != nil && d.Waive.Most <= 0 {
			c.problems.add(path+".waive.most", "must be longer than nothing: the longest time for which the rule is waived, such as 90d")
		}
	}
	return slices.Clone(c.rules.Duties)
}

// side checks one side of a rule of separation of duties.
func (c *compiler) side(path string, side []Grant) {
	if len(side) == 0 {
		c.problems.add(path, "must name something to keep apart: apps, and entitlements there")
	}
	for i, item := range side {
		c.grant(fmt.Sprintf("%s[%d]", path, i), item)
	}
}

// apart reports what is on both sides of a rule, so that everybody who has it would be in
// conflict.
func (c *compiler) apart(path string, d Duty) {
	for i, item := range d.Other {
		at := fmt.Sprintf("%s[%d]", path, i)
		if len(item.Entitlements) == 0 && slices.ContainsFunc(d.One, func(g Grant) bool { return g.App == item.App }) {
			c.problems.add(at, "whoever is in conflict by an account in %q has it on the other side too: name entitlements on both sides", item.App)
			continue
		}
		for j, name := range item.Entitlements {
			switch held := (Held{App: item.App, Entitlement: name}); {
			case name == "": // reported
			case onSide(held, d.One):
				c.problems.add(fmt.Sprintf("%s.entitlements[%d]", at, j), "%s is on both sides of the rule", held)
			case onSide(Held{App: item.App}, d.One):
				c.problems.add(fmt.Sprintf("%s.entitlements[%d]", at, j), "whoever has %s has an account in %q, which is on the other side: name entitlements on both sides", held, item.App)
			}
		}
	}
}
