package operator

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/internal/visible"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/plan"
)

// WaitsForNothing is the wait of a deletion that may be done now.
const WaitsForNothing plan.Wait = "nothing"

// Approved says whether a deletion needs an operator's approval; it is empty if it needs
// none.
type Approved string

// The values of Approved for deletions that need an approval.
const (
	ApprovalNeeded Approved = "needed"
	ApprovalGiven  Approved = "given"
)

// Deletion describes the deletion of an account that is to come.
type Deletion struct {
	Person   ledger.Summary
	App      string
	Key      string    // the step's key
	Waits    plan.Wait // what it waits for
	Until    time.Time // when the hold or retention ends, or when somebody is reminded
	Retained time.Time // the end of the retention
	// GoneAfter is when the account is gone for good: Retained, or the end of the time that the
	// app keeps deleted accounts in its recycle bin. Nothing is gone before that, unless
	// somebody empties the bin.
	GoneAfter time.Time
	Approval  Approved
	Why       string
}

// Deletions lists the deletions to come for one person, or (empty) for everybody, as the
// worker would decide now. It calls no app and changes nothing.
func (v *Viewer) Deletions(ctx context.Context, personID string) ([]Deletion, error) {
	rules, err := v.Apps.Rules(ctx)
	if err != nil {
		return nil, err
	}
	people := []string{personID}
	if personID == "" {
		if people, err = v.maybeDeleted(ctx, rules); err != nil {
			return nil, err
		}
	}
	now := v.Clock.Now()
	var all []Deletion
	for _, id := range people {
		person, err := v.Person(ctx, id)
		if err != nil {
			return nil, err
		}
		deletions, err := v.deletionsOf(ctx, rules, person, now)
		if err != nil {
			return nil, err
		}
		all = append(all, deletions...)
	}
	return all, nil
}

func (v *Viewer) deletionsOf(ctx context.Context, rules assess.Rules, person ledger.Person, now time.Time) ([]Deletion, error) {
	d, err := rules.For(ctx, person, now, assess.Onlooker{Reader: v.Ledger})
	if err != nil {
		return nil, err
	}
	approved := map[string]bool{}
	for _, a := range person.Approvals {
		approved[a.Key] = a.State == ledger.ApprovalApproved
	}
	approval := func(app, key string) Approved {
		switch {
		case approved[key]:
			return ApprovalGiven
		case rules.Apps[app].Leaver.Approval:
			return ApprovalNeeded
		}
		return ""
	}
	gone := func(app string, deleted time.Time) time.Time {
		if deleted.Before(now) {
			deleted = now
		}
		return deleted.Add(rules.Apps[app].RecycleBin)
	}
	var deletions []Deletion
	for _, x := range d.Plan.Deletions {
		at := x.At
		if x.Waits == plan.WaitHold {
			at = x.Until
		}
		deletions = append(deletions, Deletion{
			Person: person.Summary, App: x.App, Key: x.Key, Waits: x.Waits, Until: x.Until, Retained: x.At,
			GoneAfter: gone(x.App, at), Approval: approval(x.App, x.Key), Why: x.Why,
		})
	}
	for _, s := range d.Plan.Steps {
		if s.Kind == plan.Delete {
			deletions = append(deletions, Deletion{
				Person: person.Summary, App: s.App, Key: s.Key, Waits: WaitsForNothing, GoneAfter: gone(s.App, now),
				Approval: approval(s.App, s.Key), Why: s.Why,
			})
		}
	}
	return deletions, nil
}

// maybeDeleted lists the people whose accounts may be about to be deleted.
func (v *Viewer) maybeDeleted(ctx context.Context, rules assess.Rules) ([]string, error) {
	links, err := v.Ledger.Links(ctx, ledger.LinkFilter{State: ledger.LinkDisabled})
	if err != nil {
		return nil, err
	}
	for name, app := range rules.Apps {
		if app.Disable || !app.Delete {
			continue // an active account is deleted only where deleting is the only way to disable
		}
		active, err := v.Ledger.Links(ctx, ledger.LinkFilter{App: name, State: ledger.LinkActive})
		if err != nil {
			return nil, err
		}
		links = append(links, active...)
	}
	var people []string
	for _, link := range links {
		people = append(people, link.PersonID)
	}
	slices.Sort(people)
	return slices.Compact(people), nil
}

// AwaitApproval lists the deletions of a person, in one app or (empty) in all, that need
// an approval. It refuses if there are none.
func (v *Viewer) AwaitApproval(ctx context.Context, personID, app string) ([]Deletion, error) {
	person, err := v.Person(ctx, personID)
	if err != nil {
		return nil, err
	}
	if err := v.knownApp(person, app); err != nil {
		return nil, err
	}
	all, err := v.Deletions(ctx, personID)
	if err != nil {
		return nil, err
	}
	needed := slices.DeleteFunc(all, func(d Deletion) bool { return d.Approval != ApprovalNeeded || app != "" && d.App != app })
	if len(needed) == 0 {
		return nil, refuse(fmt.Sprintf("no deletion of %s needs an approval", visible.Line(personID)), "deletion list --person %s", personID)
	}
	return needed, nil
}

// ApproveDeletions approves the deletions that AwaitApproval lists, and returns those
// that were approved.
func (o *Operator) ApproveDeletions(ctx context.Context, r Request, personID, app string) ([]Deletion, error) {
	if err := ApproveDeletion.Check(r); err != nil {
		return nil, err
	}
	needed, err := o.AwaitApproval(ctx, personID, app)
	if err != nil {
		return nil, err
	}
	for i, d := range needed {
		_, err := o.ledger.ApproveDeletion(ctx, ledger.DeletionApproval{
			PersonID: personID, App: d.App, Key: d.Key, Operator: r.Actor, Reason: r.Reason, At: o.Clock.Now(),
		})
		if err != nil {
			return needed[:i], err
		}
	}
	return needed, o.tell(ctx, "a deletion was approved", personID)
}

// begin lists the apps in which a decision would have a person's accounts deleted at
// once, without those in which they are deleted anyway.
func (v *Viewer) begin(ctx context.Context, before, after ledger.Person, now time.Time) ([]string, error) {
	rules, err := v.Apps.Rules(ctx)
	if err != nil {
		return nil, err
	}
	was, err := v.deletionsOf(ctx, rules, before, now)
	if err != nil {
		return nil, err
	}
	is, err := v.deletionsOf(ctx, rules, after, now)
	if err != nil {
		return nil, err
	}
	deleting := map[string]bool{}
	for _, d := range was {
		deleting[d.App] = d.Waits == WaitsForNothing
	}
	var apps []string
	for _, d := range is {
		if d.Waits == WaitsForNothing && !deleting[d.App] {
			apps = append(apps, d.App)
		}
	}
	return apps, nil
}

// knownApp returns an error unless the person has, or may get, an account in the app.
// An empty app stands for all.
func (v *Viewer) knownApp(person ledger.Person, app string) error {
	if app == "" || slices.ContainsFunc(person.Links, func(l ledger.Link) bool { return l.App == app }) {
		return nil
	}
	return v.Apps.Find(app)
}
