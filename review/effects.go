package review

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/policy"
)

// Effects returns what takes something from one person because of a decision about an item. All is
// what the item is about of theirs, S what is known of whoever has it now, and findings are those
// about their accounts that have not ended. It depends on nothing but its arguments.
//
//   - A grant is ended, if the item is about all that it gives, and so is every other one of the role
//     that was made before the decision: they give the same, and nobody was asked about them.
//   - What roles give is withheld. An account stays if the item is about entitlements in it too:
//     it is withheld only if the role gives the account alone.
//   - An account that is nobody's and matches nobody who works here ends like a leaver's: as that of
//     the one person who has left and whom it matches or, if there is none or they have another
//     account in the app, as that of a person who stands for it alone. Then S is what is known of
//     the one whom it matches.
//   - What nothing gives is set in the link as a scan has seen it, so that planning takes it; if it
//     was accepted, that is ended first.
//   - A waiver of a rule is ended. Which side has to go cannot be told.
//   - What an earlier review has withheld stays so, unless it was decided that the person should
//     have it: then that is ended.
func Effects(i ledger.ReviewItem, s Snapshot, all []ledger.AccessPlace, findings []ledger.Finding) []ledger.RevocationEffect {
	effect, ok := effects[Kind(i.Kind)]
	if !ok {
		effect = withholds
	}
	e := effector{item: i, snapshot: s, all: all, findings: findings}
	if i.Kind == string(Duty) || i.Kind == string(Withheld) {
		return effect(e, ledger.AccessPlace{PersonID: i.PersonID, Entitlement: i.Key})
	}
	var out []ledger.RevocationEffect
	for _, a := range all {
		out = append(out, effect(e, a)...)
	}
	return out
}

// effector holds what effects are made of.
type effector struct {
	item     ledger.ReviewItem
	snapshot Snapshot
	all      []ledger.AccessPlace
	findings []ledger.Finding
}

// effects says what takes something of a kind; what is not here is withheld.
var effects = map[Kind]func(effector, ledger.AccessPlace) []ledger.RevocationEffect{
	ByGrant:  endsGrant,
	Accepted: endsAcceptance,
	Stray:    repairs,
	Unlinked: endsNobodys,
	Orphan:   endsNobodys,
	Duty:     endsWaiver,
	Withheld: givesBack,
}

// Why something does not go by itself.
const (
	needsProtected = "the person or the account is protected: take it in the app"
	needsByHand    = "the account may be somebody's: end it in the app, or say whose it is"
	needsOwner     = "whom the account matches works here: say whose it is"
	needsSide      = "one side of the rule has to go: say which"
)

// protected reports whether no automation touches the person's account in an app.
func (e effector) protected(app string) bool {
	rules, link := e.snapshot.Policy, linkIn(e.snapshot.Decision.Person, app)
	return rules.ProtectsPerson(e.snapshot.Decision.Person.PersonID) || rules.ProtectsAccount(app, link.AccountID, link.Username)
}

func linkIn(p ledger.Person, app string) ledger.Link {
	i := slices.IndexFunc(p.Links, func(l ledger.Link) bool { return l.App == app })
	if i < 0 {
		return ledger.Link{}
	}
	return p.Links[i]
}

func withholds(e effector, a ledger.AccessPlace) []ledger.RevocationEffect {
	out := ledger.RevocationEffect{AccessPlace: a}
	others := func(other ledger.AccessPlace) bool { return other.App == a.App && other.Entitlement != "" }
	d := e.snapshot.Decision
	employment, employed := assess.Employment(d.Timeline, d.Now)
	switch {
	case a.Entitlement == "" && slices.ContainsFunc(e.all, others):
		out.Stays = true
	case e.protected(a.App):
		out.Needs = needsProtected
	case employed:
		out.Withhold = &ledger.Exception{
			PersonID: d.Person.PersonID, Kind: string(policy.ExceptWithhold), App: a.App, Entitlement: a.Entitlement, Employment: employment, StartsAt: d.Now,
		}
	} // who has left loses it anyway
	return []ledger.RevocationEffect{out}
}

func endsGrant(e effector, a ledger.AccessPlace) []ledger.RevocationEffect {
	if e.item.App != "" { // it is about one thing that the grant gives
		return withholds(e, a)
	}
	out := ledger.RevocationEffect{AccessPlace: a, End: e.item.Exception}
	for _, x := range e.snapshot.Decision.Person.Exceptions {
		since := !e.item.DecidedAt.IsZero() && x.DecidedAt.After(e.item.DecidedAt)
		if x.Kind == string(policy.ExceptGrant) && x.Role == e.item.Role && x.ID != e.item.Exception && !since {
			out.Also = append(out.Also, x.ID)
		}
	}
	return []ledger.RevocationEffect{out}
}

func repairs(e effector, a ledger.AccessPlace) []ledger.RevocationEffect {
	out := ledger.RevocationEffect{AccessPlace: a}
	link := linkIn(e.snapshot.Decision.Person, a.App)
	switch {
	case e.protected(a.App):
		out.Needs = needsProtected
	case a.Entitlement == "", slices.Contains(link.Entitlements, a.Entitlement): // planning takes it already
	default:
		out.Repair = true
		for _, f := range e.findings {
			if f.App == a.App && f.AccountID == a.AccountID && f.Kind == ledger.FindingStray && f.What == a.Entitlement {
				out.Finding = f.ID
			}
		}
	}
	return []ledger.RevocationEffect{out}
}

func endsAcceptance(e effector, a ledger.AccessPlace) []ledger.RevocationEffect {
	out := repairs(e, a)
	if out[0].Needs == "" {
		out[0].End = e.item.Exception
	}
	return out
}

func endsNobodys(e effector, a ledger.AccessPlace) []ledger.RevocationEffect {
	out := ledger.RevocationEffect{AccessPlace: a}
	if a.Entitlement != "" { // it goes with the account
		out.Stays = true
		return []ledger.RevocationEffect{out}
	}
	n := slices.IndexFunc(e.findings, func(f ledger.Finding) bool { return f.Kind == ledger.FindingOrphan })
	person := e.snapshot.Decision.Person
	link := linkIn(person, a.App)
	switch {
	case n < 0:
		out.Needs = needsByHand
	case e.snapshot.Policy.ProtectsAccount(a.App, a.AccountID, e.snapshot.Seen[a.App].Username), e.snapshot.Policy.ProtectsPerson(person.PersonID):
		out.Needs = needsProtected
	case person.PersonID != "" && e.snapshot.belongs():
		out.Needs = needsOwner
	default:
		out.Repair, out.Finding = true, e.findings[n].ID
		if !link.State.HasAccount() && link.AccountID == "" {
			out.Adopt = person.PersonID
		}
	}
	return []ledger.RevocationEffect{out}
}

func endsWaiver(e effector, a ledger.AccessPlace) []ledger.RevocationEffect {
	if e.item.Exception == 0 {
		return []ledger.RevocationEffect{{AccessPlace: a, Needs: needsSide}}
	}
	return []ledger.RevocationEffect{{AccessPlace: a, End: e.item.Exception}}
}

func givesBack(e effector, a ledger.AccessPlace) []ledger.RevocationEffect {
	if e.item.Decision != ledger.VerdictKeep {
		return nil // it stays withheld
	}
	return []ledger.RevocationEffect{{AccessPlace: a, End: e.item.Exception, Stays: true}}
}

// Gone reports whether something that a person had is gone, as the app has shown it since an
// instant: what was asked for then is to be read from the app, and not from before. The zero
// instant asks whether it is gone at all.
func Gone(s Snapshot, i ledger.ReviewItem, a ledger.AccessPlace, since time.Time) bool {
	if i.Kind == string(Duty) {
		return !slices.ContainsFunc(s.Decision.Conflicts, func(c policy.Conflict) bool { return c.Duty == i.Duty })
	}
	link := linkIn(s.Decision.Person, a.App)
	if link.State == "" || link.State == ledger.LinkPlanned {
		return true
	}
	proven := link.ProvenAt
	if link.DeletedAt.After(proven) {
		proven = link.DeletedAt
	}
	if proven.Before(since) {
		return false
	}
	switch {
	case link.State != ledger.LinkActive:
		return true
	case a.Entitlement == "", slices.Contains(link.Entitlements, a.Entitlement):
		return false
	}
	seen, ok := s.Seen[a.App]
	return !ok || !seen.At.After(link.ProvenAt) || !slices.Contains(seen.Entitlements, a.Entitlement)
}

// Hindered says why what is to be gone does not go by itself; empty if nothing is known to be in
// the way.
func Hindered(p ledger.Person, app string) string {
	for _, s := range p.Steps {
		if s.App != app || s.Kind == string(plan.Provision) {
			continue
		}
		switch s.State {
		case ledger.StepAttention:
			return "a step in " + app + " needs attention: " + s.Code
		case ledger.StepSkipped:
			return "an operator has skipped a step in " + app
		}
	}
	for _, w := range p.Withdrawals {
		if w.State == ledger.WithdrawalHeld && slices.Contains(w.Apps, app) {
			return "the breaker holds it: " + ledger.CohortName(w.Cohort)
		}
	}
	return ""
}

// Summary says how a review went.
type Summary struct {
	Items     int `json:"items"`
	Moot      int `json:"moot"`
	Open      int `json:"open"`
	Human     int `json:"human"`   // decided by people
	Silence   int `json:"silence"` // decided because nobody had
	Kept      int `json:"kept"`
	Revoked   int `json:"revoked"`
	Effective int `json:"effective"` // revocations that have taken effect
	Proven    int `json:"proven"`    // revocations of which all is gone, as the apps showed it
	// Completion is the share of the items that are not moot about which people have decided.
	// Silence is not completion.
	Completion float64 `json:"completion"`
}

// Outcome sums up the items of a review.
func Outcome(counts []ledger.ItemCount) Summary {
	var s Summary
	for _, c := range counts {
		s.Items += c.Items
		switch {
		case c.Verdict == ledger.VerdictMoot:
			s.Moot += c.Items
		case c.Verdict == "":
			s.Open += c.Items
		case c.Nobody:
			s.Silence += c.Items
		default:
			s.Human += c.Items
		}
		switch c.Verdict {
		case ledger.VerdictKeep:
			s.Kept += c.Items
		case ledger.VerdictRevoke:
			s.Revoked, s.Effective, s.Proven = s.Revoked+c.Items, s.Effective+c.Effects, s.Proven+c.Proven
		case ledger.VerdictMoot:
		}
	}
	s.Completion = 1
	if asked := s.Items - s.Moot; asked > 0 {
		s.Completion = float64(s.Human) / float64(asked)
	}
	return s
}

// Title describes what an item is about in a few words: "wiki:admins of 10004".
func Title(i ledger.ReviewItem) string {
	of := ""
	if i.PersonID != "" {
		of = " of " + i.PersonID
	}
	switch {
	case i.Duty != "":
		return "rule " + i.Duty + of
	case i.App != "" && i.AccountID != "" && i.PersonID == "":
		return fmt.Sprintf("account %s in %s", i.AccountID, i.App)
	case i.App != "":
		return strings.TrimSuffix(i.App+":"+i.Entitlement, ":") + of
	}
	return "role " + i.Role + of
}
