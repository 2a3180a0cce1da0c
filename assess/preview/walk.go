package preview

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/internal/set"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/policy"
)

// maxTurns bounds how often one person is decided about. It is more than any life needs, and
// ends a rehearsal by rules that always have something more to do.
const maxTurns = 10_000

// walk is the life of one person from now on, as if all that is decided were done.
type walk struct {
	*Rehearsal
	rules  assess.Rules
	names  *names
	person ledger.Person
	known  *knownAttributes
	out    Outcome
}

// live returns the outcome of a person's life under the given rules.
func (r *Rehearsal) live(ctx context.Context, person ledger.Person, rules assess.Rules, names *names, known *knownAttributes) (Outcome, error) {
	person.Links, person.Steps = slices.Clone(person.Links), slices.Clone(person.Steps)
	w := &walk{Rehearsal: r, rules: rules, names: names, person: person, known: known.clone()}
	w.out = Outcome{PersonID: person.PersonID, Changes: []Change{}}
	if err := w.live(ctx); err != nil {
		return Outcome{}, err
	}
	for _, l := range w.person.Links {
		w.out.Accounts = append(w.out.Accounts, Account{App: l.App, State: l.State, Username: l.Username, Entitlements: l.Entitlements})
	}
	return w.out, nil
}

// live continues from one date that matters to the next, until none is left.
func (w *walk) live(ctx context.Context) error {
	at := w.Now
	for turn := range maxTurns {
		had := w.person.Username
		d, err := w.rules.For(ctx, w.person, at, w.names)
		if err != nil {
			return err
		}
		if w.out.Becomes = d.Desired.Standing.Status; turn == 0 {
			w.out.Status = w.out.Becomes
			w.conflicts(d)
		}
		w.person.Steps = slices.DeleteFunc(w.person.Steps, func(s ledger.Step) bool { return slices.Contains(d.LapsedSkips, s.Key) })
		if w.person.Username = d.Person.Username; had != w.person.Username {
			w.out.Claims = w.person.Username
		}
		if d.PolicyErr != nil {
			w.out.Problems = append(w.out.Problems, Problem{Code: "policy", Text: d.PolicyErr.Error()})
			return nil //nolint:nilerr // that error is a finding
		}
		w.duties(d, at)
		if profile := d.Desired.Standing.Profile; profile != nil && profile.ManagerID != w.person.ManagerID {
			w.person.ManagerID = profile.ManagerID
			if w.person.ManagerAccounts, err = assess.ManagerAccounts(ctx, profile.ManagerID, w.names); err != nil {
				return err
			}
			continue
		}
		if w.awaits(d, at) {
			continue
		}
		if len(d.Plan.Steps)+len(d.Plan.Withheld) == 0 {
			due := d.Plan.Due.At
			if !due.After(at) || !w.Until.IsZero() && due.After(w.Until) {
				return nil
			}
			at = due
			continue
		}
		for _, step := range d.Plan.Steps {
			w.do(d, step, at, w.problem(d, step))
		}
		for _, step := range d.Plan.Withheld {
			w.do(d, step, at, "protected, no automation touches it")
		}
	}
	w.out.Problems = append(w.out.Problems, Problem{Code: "restless", Text: fmt.Sprintf("after %d turns there is still something to do", maxTurns)})
	return nil
}

// conflicts notes what HR has said and only an operator can settle.
func (w *walk) conflicts(d assess.Decision) {
	for _, s := range d.SameHumans {
		w.out.Problems = append(w.out.Problems, Problem{
			Code: "same_human", Event: s.Event, Text: "no account would be made: is this " + s.OldID + " under another ID? (tenure person link, or skip)",
		})
	}
	for _, c := range d.Timeline.Conflicts {
		if !slices.Contains(w.person.Waivers, "conflict/"+string(c.Code)+"/"+c.Event.ID) {
			w.out.Problems = append(w.out.Problems, Problem{
				Code: string(c.Code), Event: c.Event.ID, Text: "would not be applied: a human must say what HR meant",
			})
		}
	}
}

// awaits notes the deletions that an operator would have to approve, and treats them as
// skipped. It reports whether there are any.
func (w *walk) awaits(d assess.Decision, at time.Time) (any bool) {
	for _, x := range d.Plan.Deletions {
		if x.Waits == plan.WaitApproval {
			w.out.Changes = append(w.out.Changes, Change{App: x.App, At: at, Do: Delete, Why: x.Why, Problem: "an operator has to approve it (tenure deletion approve)"})
			w.person.Steps = append(w.person.Steps, ledger.Step{Key: x.Key, App: x.App, State: ledger.StepSkipped})
			any = true
		}
	}
	return any
}

// do notes a step and what it makes of the link. A step that needs an operator is treated as
// skipped, so that what would come after it is shown too.
func (w *walk) do(d assess.Decision, step plan.Step, at time.Time, problem string) {
	i := slices.IndexFunc(w.person.Links, func(l ledger.Link) bool { return l.App == step.App })
	if i < 0 {
		i = len(w.person.Links)
		w.person.Links = append(w.person.Links, ledger.Link{PersonID: w.person.PersonID, App: step.App})
	}
	link := &w.person.Links[i]
	var want policy.Account
	if k := slices.IndexFunc(d.Desired.Accounts, func(a policy.Account) bool { return a.App == step.App }); k >= 0 {
		want = d.Desired.Accounts[k]
	}
	c := Change{App: step.App, At: at, Why: step.Why, Problem: problem}
	w.describe(&c, step, *link, want)
	if step.Kind == plan.HandOver {
		h := d.HandOvers[step.App]
		c.To, c.By, c.Could = h.To.PersonID, h.To.By, h.Could
	}
	w.out.Changes = append(w.out.Changes, c)
	if c.Problem != "" {
		w.person.Steps = append(w.person.Steps, ledger.Step{Key: step.Key, App: step.App, State: ledger.StepSkipped})
		return
	}
	if step.Kind == plan.Provision || step.Attributes {
		w.known.set(step.App, want.Attributes)
	}
	*link = assess.After(*link, step, want, w.expected(*link, step, want, at))
}

// expected returns the proof of a step that succeeds.
func (w *walk) expected(link ledger.Link, step plan.Step, want policy.Account, at time.Time) assess.Proof {
	proof := assess.Proof{At: at}
	switch step.Kind {
	case plan.Provision:
		if proof.New = !link.State.HasAccount(); proof.New {
			proof.Username = w.person.Username
		}
	case plan.Update:
		if w.rules.Apps[step.App].Frozen && !want.Enabled {
			proof.Lacks = set.Minus(want.EntitlementNames(), link.Entitlements)
		}
	case plan.Relabel:
		proof.Username = link.RenameTo
	case plan.Strip:
		proof.Kept = step.Kept(link.Entitlements)
	case plan.Disable:
		proof.Missing = link.State == ledger.LinkPlanned // no account is found
	}
	return proof
}

// problem returns why a step would need an operator, as far as that is known without calling
// an app; empty if it would not.
func (w *walk) problem(d assess.Decision, step plan.Step) string {
	app, ok := w.rules.Apps[step.App]
	switch {
	case !ok:
		return "the app is not in the configuration"
	case step.Spare:
		return "taking access would delete the account, which is not to be done"
	case step.Kind == plan.Disable && !app.Disable:
		return "the connector cannot disable"
	case step.Kind == plan.HandOver && d.HandOvers[step.App].To.PersonID == "" && !app.HandOverAsks:
		return "nobody can be given the data: " + d.HandOvers[step.App].Why
	}
	return ""
}

// describe sets what a step does to the account.
func (w *walk) describe(c *Change, step plan.Step, link ledger.Link, want policy.Account) {
	switch step.Kind {
	case plan.Provision:
		c.Do, c.Grant = Create, step.Grant
		if link.State.HasAccount() {
			c.Do = Enable
			c.Grant, c.Revoke = set.Minus(step.Grant, link.Entitlements), set.Minus(link.Entitlements, step.Grant)
			c.Attributes, c.Unsure = w.known.differences(link, want.Attributes)
			return
		}
		if step.Restore {
			c.Do = Restore
		}
		c.Username, c.Off = w.person.Username, !step.Enabled
		c.Attributes = differences(nil, want.Attributes)
	case plan.Update:
		c.Do, c.Grant, c.Revoke, c.Sessions = Update, step.Grant, step.Revoke, step.Sessions
		if step.Attributes {
			c.Attributes, c.Unsure = w.known.differences(link, want.Attributes)
		}
	case plan.Relabel:
		c.Do, c.Username = Relabel, link.RenameTo
	case plan.Disable:
		if c.Do = Disable; link.State != ledger.LinkActive {
			c.Do = Verify
		}
	case plan.Strip:
		c.Do, c.Revoke = Strip, set.Minus(link.Entitlements, step.Kept(link.Entitlements))
	case plan.HandOver:
		c.Do = HandOver
	case plan.Delete:
		c.Do = Delete
	}
}
