package operator

import (
	"context"
	"fmt"
	"iter"
	"maps"
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

// Deletions yields the deletions to come for one person, or (empty) for everybody, by person, as
// the worker would decide now. It calls no app and changes nothing.
func (v *Viewer) Deletions(ctx context.Context, personID string) iter.Seq2[Deletion, error] {
	return func(yield func(Deletion, error) bool) {
		rules, err := v.Apps.Rules(ctx)
		if err != nil {
			yield(Deletion{}, err)
			return
		}
		people := only(personID)
		if personID == "" {
			people = v.maybeDeleted(ctx, rules)
		}
		now := v.Clock.Now()
		for id, err := range people {
			var deletions []Deletion
			if err == nil {
				deletions, err = v.deletionsNow(ctx, rules, id, now)
			}
			if err != nil {
				yield(Deletion{}, err)
				return
			}
			for _, d := range deletions {
				if !yield(d, nil) {
					return
				}
			}
		}
	}
}

// only yields one ID.
func only(personID string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) { yield(personID, nil) }
}

func (v *Viewer) deletionsNow(ctx context.Context, rules assess.Rules, personID string, now time.Time) ([]Deletion, error) {
	person, err := v.Person(ctx, personID)
	if err != nil {
		return nil, err
	}
	return v.deletionsOf(ctx, rules, person, now)
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

// maybeDeleted yields the IDs of the people whose accounts may be about to be deleted, in order.
func (v *Viewer) maybeDeleted(ctx context.Context, rules assess.Rules) iter.Seq2[string, error] {
	// An active account is deleted only where deleting is the only way to disable.
	onlyDeletes := func(app string) bool { return !rules.Apps[app].Disable && rules.Apps[app].Delete }
	f := ledger.LinkFilter{State: ledger.LinkDisabled}
	if slices.ContainsFunc(slices.Collect(maps.Keys(rules.Apps)), onlyDeletes) {
		f.State = ""
	}
	return func(yield func(string, error) bool) {
		last := ""
		for link, err := range ledger.AllLinks(ctx, v.Ledger, f) {
			if err != nil {
				yield("", err)
				return
			}
			may := link.State == ledger.LinkDisabled || link.State == ledger.LinkActive && onlyDeletes(link.App)
			if !may || link.PersonID == last {
				continue
			}
			if last = link.PersonID; !yield(last, nil) {
				return
			}
		}
	}
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
	all, err := ledger.Collect(v.Deletions(ctx, personID))
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
