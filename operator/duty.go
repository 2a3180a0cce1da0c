package operator

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/internal/nearest"
	"github.com/tenurehq/tenure/internal/visible"
	"github.com/tenurehq/tenure/internal/words"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/policy"
)

// DutyWaiver asks that a rule of separation of duties does not hold for a person until an
// instant.
type DutyWaiver struct {
	PersonID, Duty string
	Until          time.Time
	Control        string // what compensates for it
}

// ErrNoControl means that the request does not say what compensates for a rule that is waived.
var ErrNoControl = fmt.Errorf("say what compensates for the rule (control): it goes on the record")

// WaiveDuty waives a rule of separation of duties for a person, for a time. With apply it does
// so; otherwise it returns what would be done. It refuses a rule that cannot be waived, and more
// time than the rule allows.
func (o *Operator) WaiveDuty(ctx context.Context, r Request, want DutyWaiver, apply bool) (ChangedException, error) {
	if err := WaiveDuty.Check(r); err != nil {
		return ChangedException{}, err
	}
	now := o.Clock.Now()
	if err := o.canWaive(want, now); err != nil {
		return ChangedException{}, err
	}
	x := ledger.Exception{Kind: string(policy.ExceptWaive), Duty: want.Duty, Control: want.Control, StartsAt: now, EndsAt: want.Until}
	person, _, err := o.exceptional(ctx, want.PersonID, now, &x)
	if err != nil {
		return ChangedException{}, err
	}
	return o.except(ctx, r, person, x, now, apply)
}

// canWaive returns an error unless a rule can be waived as somebody wants it.
func (v *Viewer) canWaive(want DutyWaiver, now time.Time) error {
	duty, err := v.Duty(want.Duty)
	switch {
	case err != nil:
		return err
	case duty.Waive == nil:
		return refuse(fmt.Sprintf("rule %q cannot be waived: the configuration has no waive for it", duty.Name), "duty show %s", duty.Name)
	case strings.TrimSpace(want.Control) == "":
		return ErrNoControl
	case !want.Until.After(now):
		return refuse("a waiver has to end in the future", "")
	case want.Until.Sub(now) > duty.Waive.Most:
		return refuse(fmt.Sprintf("rule %q is waived for %s at most", duty.Name, words.Span(duty.Waive.Most)), "duty show %s", duty.Name)
	}
	return nil
}

// Duty finds a rule of separation of duties by its name, and refuses a name that is not there.
func (v *Viewer) Duty(name string) (policy.Duty, error) {
	duty, ok := v.Policy.Duty(name)
	if ok {
		return duty, nil
	}
	var known []string
	for _, d := range v.Policy.Duties() {
		known = append(known, d.Name)
	}
	return duty, refuse(fmt.Sprintf("there is no rule of separation of duties %q%s", name, nearest.Hint(name, known)), "duty list")
}

// KeptApart is what a grant would bring together although a rule of separation of duties keeps it
// apart.
type KeptApart struct {
	Duty       string
	Mode       policy.DutyMode
	One, Other []policy.Held // sides of the rule; if it forbids the grant, One is what that gives
	Waiver     string        // the exception that allows it; empty: none does
	Waivable   bool          // the rule can be waived
	Forbids    bool          // the grant is not made because of it
}

// bringsTogether returns what an exception would newly bring together, by what is decided without
// and with it.
func bringsTogether(x ledger.Exception, was, is assess.Decision) []KeptApart {
	var all []KeptApart
	for _, r := range is.Desired.Refused {
		if x.Kind == string(policy.ExceptGrant) && r.Exception == x.Name() {
			all = append(all, KeptApart{Duty: r.Duty, Mode: policy.DutyPrevent, One: r.Gives, Other: r.Against, Waivable: r.Waivable, Forbids: true})
		}
	}
	known := map[string]bool{}
	for _, c := range was.Conflicts {
		known[assess.ConflictKey(c)] = true
	}
	for _, c := range is.Conflicts {
		if !known[assess.ConflictKey(c)] {
			all = append(all, KeptApart{
				Duty: c.Duty, Mode: c.Mode, One: c.One, Other: c.Other, Waiver: c.Waiver, Waivable: c.Waivable,
				Forbids: c.Mode == policy.DutyPrevent && c.Waiver == "",
			})
		}
	}
	return all
}

// keptApart returns an error if a grant brings together what a rule keeps apart.
func (v *Viewer) keptApart(x ledger.Exception, together []KeptApart) error {
	for _, k := range together {
		if x.Kind == string(policy.ExceptGrant) && k.Forbids {
			return v.forbidden(x.PersonID, k)
		}
	}
	return nil
}

// forbidden says which rule keeps things apart, and how it is waived.
func (v *Viewer) forbidden(personID string, k KeptApart) error {
	text := fmt.Sprintf("by rule %q nobody has %s together with %s", k.Duty, policy.Things(k.One), policy.Reasons(k.Other))
	if !k.Waivable {
		return refuse(text+", and it cannot be waived", "duty show %s", k.Duty)
	}
	rule, _ := v.Policy.Duty(k.Duty)
	return refuse(fmt.Sprintf("%s. To have the rule waived for them first, for %s at most: tenure request new %s --duty %s --for TIME --control \"what compensates for it\" --reason WHY "+
		"(whoever answers for the rule decides), or tenure exception waive %[3]s %[4]s --until DAY --control ... --reason WHY",
		text, words.Span(rule.Waive.Most), visible.Quoted(personID), visible.Quoted(k.Duty)), "")
}

// DutyFinding is a conflict of one person with a rule of separation of duties.
type DutyFinding struct {
	Person ledger.Summary
	policy.Conflict
	Waived  ledger.Exception // the waiver in force, if there is one
	Skipped bool             // an operator was asked, and left it as it is
	// Found is what a scan has found, if what Tenure gave does not conflict with the rule, and
	// what the accounts really show does.
	Found ledger.Finding
	// PolicyErr says that policy cannot be evaluated for the person, so that it is not known
	// whether they are in conflict.
	PolicyErr error
}

// DutyFindings yields who is in conflict with a rule of separation of duties now, person by
// person: one person, or everybody if none is named. It reads one person at a time.
func (v *Viewer) DutyFindings(ctx context.Context, personID string) iter.Seq2[DutyFinding, error] {
	return func(yield func(DutyFinding, error) bool) {
		rules, err := v.Apps.Rules(ctx)
		if err != nil {
			yield(DutyFinding{}, err)
			return
		}
		if personID != "" {
			person, err := v.Person(ctx, personID)
			if err != nil {
				yield(DutyFinding{}, err)
				return
			}
			v.dutyFindings(ctx, rules, person, yield)
			return
		}
		for s, err := range ledger.AllPeople(ctx, v.Ledger, "") {
			if err != nil {
				yield(DutyFinding{}, err)
				return
			}
			person, err := v.Ledger.Person(ctx, s.PersonID)
			if err != nil {
				yield(DutyFinding{}, err)
				return
			}
			if !v.dutyFindings(ctx, rules, person, yield) {
				return
			}
		}
	}
}

// dutyFindings yields the conflicts of one person, and reports whether to go on.
func (v *Viewer) dutyFindings(ctx context.Context, rules assess.Rules, person ledger.Person, yield func(DutyFinding, error) bool) bool {
	d, err := rules.For(ctx, person, v.Clock.Now(), assess.Onlooker{Reader: v.Ledger})
	if err != nil {
		return yield(DutyFinding{}, err)
	}
	if d.PolicyErr != nil {
		return yield(DutyFinding{Person: person.Summary, PolicyErr: d.PolicyErr}, nil)
	}
	for _, c := range d.Conflicts {
		found := DutyFinding{Person: person.Summary, Conflict: c, Skipped: slices.Contains(person.Waivers, assess.ConflictKey(c))}
		for _, x := range person.Exceptions {
			if c.Waiver == x.Name() {
				found.Waived = x
			}
		}
		if !yield(found, nil) {
			return false
		}
	}
	return v.shownConflicts(ctx, person, d, yield)
}

// shownConflicts yields the conflicts of one person that scans have found, and reports whether to
// go on.
func (v *Viewer) shownConflicts(ctx context.Context, person ledger.Person, d assess.Decision, yield func(DutyFinding, error) bool) bool {
	var shown []policy.Held
	read := false
	for f, err := range ledger.AllFindings(ctx, v.Ledger, ledger.FindingFilter{PersonID: person.PersonID, Kind: ledger.FindingDuty}) {
		if err == nil && !read {
			read = true
			shown, err = assess.Shown(ctx, v.Ledger, person.Links)
		}
		if err != nil {
			return yield(DutyFinding{}, err)
		}
		same := func(c policy.Conflict) bool { return c.Duty == f.What }
		if slices.ContainsFunc(d.Conflicts, same) {
			continue
		}
		all := v.Policy.Conflicts(shown, d.Now)
		if i := slices.IndexFunc(all, same); i >= 0 && !yield(DutyFinding{Person: person.Summary, Conflict: all[i], Found: f}, nil) {
			return false
		}
	}
	return true
}
