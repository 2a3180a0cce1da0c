package operator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/visible"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/policy"
)

// Bin says what can be brought back of an account that was deleted.
type Bin struct {
	App       string
	AccountID string
	DeletedAt time.Time
	Until     time.Time // when the app forgets the account; then it is gone for good
	Restores  bool      // Tenure brings it back; otherwise the app's administrators do
}

// BinOf returns what can be brought back of a link's account at an instant, or false if that
// is nothing.
func BinOf(app plan.App, link ledger.Link, now time.Time) (Bin, bool) {
	until := app.BackUntil(link.Binned.At)
	if link.State.HasAccount() || link.Binned.AccountID == "" || !until.After(now) {
		return Bin{}, false
	}
	return Bin{App: link.App, AccountID: link.Binned.AccountID, DeletedAt: link.Binned.At, Until: until, Restores: app.Restore}, true
}

// Bins lists, by app, what can be brought back of a person's deleted accounts. It leaves out
// apps that are no longer configured, or cannot be opened.
func (v *Viewer) Bins(ctx context.Context, person ledger.Person) map[string]Bin {
	bins := map[string]Bin{}
	for _, link := range person.Links {
		if link.Binned.AccountID == "" || v.Apps.Find(link.App) != nil {
			continue
		}
		traits, err := v.Apps.Traits(ctx, link.App)
		if err != nil {
			continue
		}
		if bin, ok := BinOf(traits, link, v.Clock.Now()); ok {
			bins[link.App] = bin
		}
	}
	return bins
}

// RestoredAccount describes an account that was, or would be, brought back.
type RestoredAccount struct {
	Person ledger.Summary
	Bin    Bin
	// Wanted means that policy gives the person the account: their run brings it up to policy
	// and turns it on when it is time. Otherwise it stays off, and KeptUntil says until when,
	// if it is deleted at all: its retention counts anew.
	Wanted    bool
	KeptUntil time.Time
	Link      ledger.Link // as it is now
}

// MayRestore returns what RestoreAccount would bring back. It refuses if that is nothing. It
// changes nothing and does not call the app.
func (v *Viewer) MayRestore(ctx context.Context, personID, app string) (RestoredAccount, error) {
	person, err := v.Person(ctx, personID)
	if err != nil {
		return RestoredAccount{}, err
	}
	if err := v.knownApp(person, app); err != nil {
		return RestoredAccount{}, err
	}
	if v.Policy.ProtectsPerson(personID) {
		return RestoredAccount{}, ErrProtected
	}
	out := RestoredAccount{Person: person.Summary}
	i := slices.IndexFunc(person.Links, func(l ledger.Link) bool { return l.App == app })
	if i < 0 {
		return out, refuse(fmt.Sprintf("the ledger knows of no account of %s in %s that was deleted", visible.Line(personID), app), "person show %s", personID)
	}
	out.Link = person.Links[i]
	if err := v.Apps.Find(app); err != nil {
		return out, err
	}
	rules, err := v.Apps.Rules(ctx)
	if err != nil {
		return out, err
	}
	if out.Bin, err = inBin(rules.Apps[app], out.Link, v.Clock.Now()); err != nil {
		return out, err
	}
	back := restored(out.Link, connector.Account{ID: out.Bin.AccountID}, v.Clock.Now())
	back.StrippedAt = back.DisabledAt // as it will be soon
	person.Links = slices.Clone(person.Links)
	person.Links[i] = back
	d, err := rules.For(ctx, person, v.Clock.Now(), assess.Onlooker{Reader: v.Ledger})
	if err != nil {
		return out, err
	}
	out.Wanted = slices.ContainsFunc(d.Desired.Accounts, func(a policy.Account) bool { return a.App == app })
	for _, x := range d.Plan.Deletions {
		if x.App == app {
			out.KeptUntil = x.At
		}
	}
	return out, nil
}

// inBin returns what can be brought back of a link's account, or a refusal that says why
// nothing can.
func inBin(app plan.App, link ledger.Link, now time.Time) (Bin, error) {
	bin, ok := BinOf(app, link, now)
	person := visible.Line(link.PersonID)
	switch {
	case link.State.HasAccount():
		return bin, refuse(fmt.Sprintf("the account of %s in %s was not deleted: it is %s", person, link.App, link.State), "person show %s", link.PersonID)
	case link.Binned.AccountID == "":
		return bin, refuse(fmt.Sprintf("the ledger knows of no account of %s in %s that was deleted and can be brought back", person, link.App), "person show %s", link.PersonID)
	case app.RecycleBin == 0:
		return bin, refuse(link.App+" has no recycle bin: what was deleted there is gone for good", "")
	case !ok:
		return bin, refuse(fmt.Sprintf("the account of %s in %s could be brought back until %s, and is gone for good",
			person, link.App, app.BackUntil(link.Binned.At).UTC().Format(time.RFC3339)), "")
	case !app.Restore:
		return bin, refuse(fmt.Sprintf("Tenure cannot bring accounts back in %s. Its administrators can, until %s: account %s",
			link.App, bin.Until.UTC().Format(time.RFC3339), visible.Line(bin.AccountID)), "")
	}
	return bin, nil
}

// RestoreAccount brings a person's deleted account back from the app's recycle bin, disabled,
// and tells their run, which decides what becomes of it. If the app has forgotten the account,
// that is recorded, and refused.
func (o *Operator) RestoreAccount(ctx context.Context, r Request, personID, app string) (RestoredAccount, error) {
	if err := RestoreAccount.Check(r); err != nil {
		return RestoredAccount{}, err
	}
	out, err := o.MayRestore(ctx, personID, app)
	if err != nil {
		return out, err
	}
	ctx, cancel := context.WithTimeout(ctx, linkTimeout)
	defer cancel()
	conn, err := o.Apps.Open(ctx, app)
	if err != nil {
		return out, err
	}
	out, err = o.restore(ctx, r, conn, out)
	if err = errors.Join(err, conn.Close()); err != nil {
		return out, err
	}
	return out, o.tellKnown(ctx, "an account was brought back", []string{personID}, nil)
}

func (o *Operator) restore(ctx context.Context, r Request, conn connector.Connector, out RestoredAccount) (RestoredAccount, error) {
	personID, app, now := out.Person.PersonID, out.Bin.App, o.Clock.Now()
	outcome := ledger.Outcome{PersonID: personID, App: app, Key: "restore/" + app, Kind: "Restore"}
	if err := o.unowned(ctx, app, out.Bin.AccountID, personID, ""); err != nil {
		return out, err
	}
	begun, err := o.ledger.BeginStep(ctx, ledger.Attempt{
		PersonID: personID, App: app, Key: outcome.Key, Kind: outcome.Kind, At: now, Deadline: now.Add(linkTimeout), Gives: true,
	})
	if err != nil {
		return out, err
	}
	if begun.Link.Binned != out.Link.Binned || begun.Link.State != out.Link.State {
		return out, errors.New("the account was changed meanwhile: ask again")
	}
	if err := o.expect(ctx, r, outcome, begun); err != nil {
		return out, err
	}
	account, err := comeBack(connector.WithFormerUsername(ctx, begun.Link.Username), conn, out.Bin.AccountID)
	outcome.Attempt, outcome.At, outcome.State = begun.Attempt, o.Clock.Now(), ledger.StepDone
	switch {
	case connector.Is(err, connector.KindNotFound):
		gone := begun.Link
		gone.State, gone.Binned = ledger.LinkDeleted, ledger.Binned{}
		if gone.DeletedAt.IsZero() {
			gone.DeletedAt = out.Bin.DeletedAt
		}
		outcome.Link = &gone
		refused := refuse(fmt.Sprintf("the account of %s in %s is not in the recycle bin any more: it is gone for good", visible.Line(personID), app), "")
		return out, errors.Join(refused, o.ledger.FinishStep(ctx, outcome))
	case err != nil:
		return out, err // their run finds out what came of it
	}
	link := restored(begun.Link, account, outcome.At)
	outcome.Link = &link
	outcome.Audit = &ledger.AuditRow{
		At: outcome.At, Action: "restored", Actor: r.Actor, Cause: r.Reason,
		Detail: map[string]any{"account": account.ID, "deletedAt": out.Bin.DeletedAt.UTC().Format(time.RFC3339), "active": account.Active},
	}
	out.Link = link
	return out, o.ledger.FinishStep(ctx, outcome)
}

// expect records, before the app is called, that the account may be there again, and makes the
// person due: whatever becomes of this process, their run looks for the account and turns it
// off if they must not have it.
func (o *Operator) expect(ctx context.Context, r Request, outcome ledger.Outcome, begun ledger.Begun) error {
	err := o.ledger.Act(ctx, ledger.Action{
		Verb: ledger.VerbRetry, PersonID: outcome.PersonID, Key: outcome.Key, App: outcome.App, Operator: r.Actor, Reason: r.Reason, At: o.Clock.Now(),
	})
	if err != nil {
		return err
	}
	link := begun.Link
	link.State, link.DoubtUntil = ledger.LinkPlanned, o.Clock.Now().Add(linkTimeout)
	outcome.Attempt, outcome.At, outcome.State, outcome.Link, outcome.InDoubt = begun.Attempt, o.Clock.Now(), ledger.StepOpen, &link, true
	return o.ledger.FinishStep(ctx, outcome)
}

// comeBack brings an account back, and turns it off if it came back on.
func comeBack(ctx context.Context, conn connector.Connector, id string) (connector.Account, error) {
	if err := conn.Restore(ctx, id); err != nil {
		return connector.Account{}, err
	}
	account, err := conn.Read(ctx, id)
	if connector.Is(err, connector.KindNotFound) {
		return account, &connector.Error{
			Kind: connector.KindUnavailable, Op: connector.OpRestore, Message: "the app took the call and does not show the account yet: look again in some minutes (tenure person show)",
		}
	}
	if err != nil || !account.Active || !conn.Capabilities().Disable {
		return account, err
	}
	if err := conn.Disable(ctx, id); err != nil {
		return account, err
	}
	return conn.Read(ctx, id)
}

// restored returns the link of an account that came back. Its retention counts from now.
func restored(link ledger.Link, account connector.Account, now time.Time) ledger.Link {
	link.AccountID, link.State, link.Binned = account.ID, ledger.LinkDisabled, ledger.Binned{}
	if account.Username != "" {
		link.Username = account.Username
	}
	link.DisabledAt, link.ProvenAt = now, now
	link.StrippedAt, link.HandedOverAt, link.DeletedAt, link.DoubtUntil = time.Time{}, time.Time{}, time.Time{}, time.Time{}
	if link.CreatedAt.IsZero() {
		link.CreatedAt = now
	}
	if account.Active {
		link.State, link.DisabledAt = ledger.LinkActive, time.Time{} // their run turns it off
	}
	return link
}
