package operator

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/internal/visible"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/policy"
)

// Ending says what becomes of an account that is nobody's and is ended.
type Ending struct {
	Finding ledger.Finding
	// PersonID is as whose account it ends: somebody who has left, or the person that stands
	// for the account (ledger.OrphanID).
	PersonID string
	Steps    []plan.Step // what is done at once, if nothing holds it
	// Deletion is when the account is deleted, if all of that is done now; zero if it is kept,
	// or is deleted at once. Waits is what the deletion waits for.
	Deletion time.Time
	Waits    plan.Wait
}

// EndFinding ends an account that is nobody's like that of a person who has left. It is the
// account of the person who is named, or of the one who has left and whom it matches; or, if
// there is nobody or they have another account in the app, that of a person who stands for it
// alone. It changes no app: planning turns the account off, strips it, keeps it and deletes it.
func (o *Operator) EndFinding(ctx context.Context, r Request, name, personID string) (Ending, error) {
	f, err := o.finding(ctx, EndFinding, r, name, RemedyEnd)
	if err != nil {
		return Ending{}, err
	}
	e, err := o.ending(ctx, f, personID)
	if err != nil {
		return e, err
	}
	e.Finding, err = o.decideFinding(ctx, r, f, e.PersonID, "ended")
	return e, err
}

// Ending says what would become of an account if EndFinding ended it.
func (v *Viewer) Ending(ctx context.Context, name, personID string) (Ending, error) {
	f, err := v.Finding(ctx, name)
	if err == nil {
		err = may(f, RemedyEnd)
	}
	if err != nil {
		return Ending{}, err
	}
	return v.ending(ctx, f, personID)
}

// ending says what would become of an account that is ended.
func (v *Viewer) ending(ctx context.Context, f ledger.Finding, personID string) (Ending, error) {
	seen, known, err := v.Ledger.Seen(ctx, f.App, f.AccountID)
	switch {
	case err != nil:
		return Ending{}, err
	case !known:
		return Ending{}, refuse("no scan has seen the account", "finding show %s", ledger.FindingName(f.ID))
	case v.Policy.ProtectsAccount(f.App, f.AccountID, seen.Username):
		return Ending{}, ErrProtected
	}
	person, err := v.endsAs(ctx, f, personID)
	if err != nil {
		return Ending{}, err
	}
	now := v.Clock.Now()
	link := ledger.Link{
		PersonID: person.PersonID, App: f.App, AccountID: f.AccountID, Username: seen.Username, State: ledger.LinkActive, Adopted: true, CreatedAt: now, ProvenAt: now,
	}
	if !seen.Active {
		link.State, link.DisabledAt = ledger.LinkDisabled, now
	}
	e := Ending{Finding: f, PersonID: person.PersonID}
	rules, err := v.Apps.Rules(ctx)
	if err != nil {
		return Ending{}, err
	}
	others := slices.DeleteFunc(slices.Clone(person.Links), func(l ledger.Link) bool { return l.App == f.App })
	decide := func() (assess.Decision, error) {
		person.Links = append(slices.Clone(others), link)
		return rules.For(ctx, person, now, assess.Onlooker{Reader: v.Ledger})
	}
	d, err := decide()
	if err != nil {
		return Ending{}, err
	}
	for _, s := range d.Plan.Steps {
		if s.App == f.App {
			e.Steps = append(e.Steps, s)
			link = assess.After(link, s, policy.Account{}, assess.Proof{At: now})
		}
	}
	if d, err = decide(); err != nil {
		return Ending{}, err
	}
	for _, deletion := range d.Plan.Deletions {
		if deletion.App == f.App {
			e.Deletion, e.Waits = deletion.At, deletion.Waits
		}
	}
	return e, nil
}

// endsAs returns the person as whose account an orphan ends.
func (v *Viewer) endsAs(ctx context.Context, f ledger.Finding, personID string) (ledger.Person, error) {
	named := personID != ""
	if !named {
		personID = f.PersonID
	}
	nobody := ledger.Person{Summary: ledger.Summary{PersonID: ledger.OrphanID(f.ID), Status: hr.StatusUnknown}}
	if personID == "" {
		return nobody, nil
	}
	person, err := v.Person(ctx, personID)
	if err != nil {
		return ledger.Person{}, err
	}
	has := slices.ContainsFunc(person.Links, func(l ledger.Link) bool { return l.App == f.App && (l.State.HasAccount() || l.AccountID != "") })
	switch {
	case person.Status != hr.StatusEnded:
		return person, refuse(fmt.Sprintf("person %s has not left, so the account would not be ended: adopt it", visible.Line(personID)), "person show %s", personID)
	case v.Policy.ProtectsPerson(personID):
		return person, ErrProtected
	case has && named:
		return person, refuse(fmt.Sprintf("person %s has another account in %s: leave the person out, and the account ends by itself", visible.Line(personID), f.App), "person show %s", personID)
	case has:
		return nobody, nil
	}
	return person, nil
}
