package operator

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tenurehq/tenure/assess/correlation"
	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/visible"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/policy"
)

// Finding finds a finding by its name (f-9), and refuses a name that is not there.
func (v *Viewer) Finding(ctx context.Context, name string) (ledger.Finding, error) {
	if id, ok := ledger.FindingID(name); ok {
		found, err := v.Ledger.Findings(ctx, ledger.FindingFilter{ID: id, Ended: true}, 0, 1)
		if err != nil || len(found) == 1 {
			return append(found, ledger.Finding{})[0], err
		}
	}
	return ledger.Finding{}, refuse("there is no finding "+visible.Line(name), "finding list --all")
}

// Remedy names what an operator may have done about a finding.
type Remedy string

// The remedies.
const (
	RemedyRepair Remedy = "repair" // the ledger learns what the app shows, and planning does the rest
	RemedyAdopt  Remedy = "adopt"  // the account is somebody's
	RemedyAccept Remedy = "accept" // an entitlement stays for a time
	RemedyEnd    Remedy = "end"    // the account is ended like a leaver's
)

// Remedies lists what may be done about a finding. An account that ends as nobody's may be
// found to be somebody's until it is deleted.
func Remedies(f ledger.Finding) []Remedy {
	switch {
	case ledger.IsOrphan(f.PersonID) && f.Kind == ledger.FindingOrphan && f.State != ledger.FindingGone:
		return []Remedy{RemedyAdopt}
	case !f.EndedAt.IsZero() || f.State == ledger.FindingRepairing:
		return nil
	case f.Kind == ledger.FindingDuty:
		return nil
	case f.Kind == ledger.FindingStray:
		return []Remedy{RemedyRepair, RemedyAccept}
	case f.Kind == ledger.FindingOrphan:
		return []Remedy{RemedyAdopt, RemedyEnd}
	case f.Kind.Nobodys():
		return []Remedy{RemedyAdopt}
	}
	return []Remedy{RemedyRepair}
}

// may refuses a remedy that there is not for a finding.
func may(f ledger.Finding, remedy Remedy) error {
	var words []string
	for _, r := range Remedies(f) {
		if r == remedy {
			return nil
		}
		words = append(words, string(r))
	}
	name := ledger.FindingName(f.ID)
	switch {
	case !f.EndedAt.IsZero():
		return refuse(name+" has ended", "finding show %s", name)
	case f.State == ledger.FindingRepairing:
		return refuse(name+" is being repaired: what is left to do is a step of person "+visible.Line(f.PersonID), "person show %s", f.PersonID)
	}
	if f.Kind == ledger.FindingDuty {
		return refuse(name+" is a conflict with rule "+visible.Line(f.What)+": repair what is beyond the rule (finding list --person "+visible.Quoted(f.PersonID)+"), or waive the rule (exception waive)",
			"duty check --person %s", f.PersonID)
	}
	return refuse(fmt.Sprintf("%s is of the kind %s, for which there is no %s; there is: %s", name, f.Kind, remedy, strings.Join(words, ", ")), "finding show %s", name)
}

// RepairFinding has a difference repaired: the link says what the app shows, and planning does
// what has to be done. It changes no app.
func (o *Operator) RepairFinding(ctx context.Context, r Request, name string) (ledger.Finding, error) {
	f, err := o.finding(ctx, RepairFinding, r, name, RemedyRepair)
	if err != nil {
		return f, err
	}
	return o.decideFinding(ctx, r, f, "", "repaired")
}

// whose returns the person who is named, or else the one whom the account matches.
func whose(f ledger.Finding, personID string) (string, error) {
	switch {
	case ledger.IsOrphan(personID):
		return "", refuse(visible.Line(personID)+" is nobody: it stands for an account that ends", "finding list --all --kind orphan")
	case personID != "":
		return personID, nil
	case f.PersonID != "" && !ledger.IsOrphan(f.PersonID):
		return f.PersonID, nil
	}
	return "", refuse("the account matches nobody, or several people: say whose it is (person). If it is that of a service, add it to protected in the app's configuration; if it is nobody's, end it",
		"finding show %s", ledger.FindingName(f.ID))
}

// AcceptFinding leaves somebody an entitlement that no role gives, until an instant.
func (o *Operator) AcceptFinding(ctx context.Context, r Request, name string, until time.Time) (ledger.Exception, error) {
	f, err := o.finding(ctx, AcceptFinding, r, name, RemedyAccept)
	if err != nil {
		return ledger.Exception{}, err
	}
	now := o.Clock.Now()
	if !until.After(now) {
		return ledger.Exception{}, refuse("what is accepted has to end in the future", "")
	}
	x := ledger.Exception{
		Kind: string(policy.ExceptAccept), App: f.App, Entitlement: f.What, StartsAt: now, EndsAt: until,
		Origin: name, DecidedAt: now, DecidedBy: r.Actor, Reason: r.Reason,
	}
	if _, _, err := o.exceptional(ctx, f.PersonID, now, &x); err != nil {
		return ledger.Exception{}, err
	}
	if x, err = o.ledger.PlaceException(ctx, x); err != nil {
		return ledger.Exception{}, err
	}
	return x, o.tell(ctx, "an exception was made: "+x.Name(), x.PersonID)
}

// AdoptFinding links an account that is nobody's to the person whom it matches, or who is
// named, as Accounts.Adopt does. The next scan ends the finding. An account that is being ended
// as nobody's is taken from there first.
func (o *Operator) AdoptFinding(ctx context.Context, r Request, name, personID string, opts AdoptOptions) (_ ledger.Finding, err error) {
	f, err := o.finding(ctx, Adopt, r, name, RemedyAdopt)
	if err != nil {
		return f, err
	}
	if personID, err = whose(f, personID); err != nil {
		return f, err
	}
	person, err := o.Person(ctx, personID)
	if err != nil {
		return f, err
	}
	conn, err := o.Apps.OpenPaced(ctx, f.App)
	if err != nil {
		return f, err
	}
	a := &Accounts{App: f.App, operator: o, conn: conn, now: o.Clock.Now(), wanted: map[string]bool{}, gets: map[string][]string{}}
	defer func() { err = errors.Join(err, a.Close()) }()
	account, err := conn.Read(ctx, f.AccountID)
	if err != nil {
		return f, err
	}
	if account.ExternalID != "" && account.ExternalID != personID {
		return f, refuse("the account carries another person's external ID: remove it in the app if it is wrong", "")
	}
	if _, err := a.correlate(ctx, person.PersonID); err != nil {
		return f, err
	}
	found := correlation.Finding{Account: account, State: correlation.Unlinked, People: []string{personID}, By: byOperator}
	if ledger.IsOrphan(f.PersonID) {
		found.Link = ledger.Link{PersonID: f.PersonID, App: f.App, AccountID: f.AccountID}
	}
	if account.ExternalID == personID {
		found.By = connector.ByExternalID
	}
	if a.Protects(found) {
		return f, ErrProtected
	}
	if err := a.Adopt(ctx, r, a.Adoption(found), opts); err != nil {
		return f, err
	}
	return f, o.TellAdopted(ctx, []string{personID})
}

// finding finds a finding about which something is to be done.
func (o *Operator) finding(ctx context.Context, verb Verb, r Request, name string, remedy Remedy) (ledger.Finding, error) {
	if err := verb.Check(r); err != nil {
		return ledger.Finding{}, err
	}
	f, err := o.Finding(ctx, name)
	if err != nil {
		return f, err
	}
	return f, may(f, remedy)
}

// decideFinding records an operator's decision, and tells the person's run.
func (o *Operator) decideFinding(ctx context.Context, r Request, f ledger.Finding, personID, what string) (ledger.Finding, error) {
	d := ledger.FindingDecision{ID: f.ID, PersonID: personID, Operator: r.Actor, Reason: r.Reason, At: o.Clock.Now()}
	if d.Orphan = ledger.IsOrphan(personID); d.Orphan {
		d.PersonID = ""
	}
	decided, err := o.ledger.RepairFinding(ctx, d)
	if err := refusedBy(err, f.ID); err != nil {
		return f, err
	}
	return decided, o.tellKnown(ctx, "a finding is "+what+": "+ledger.FindingName(f.ID), []string{decided.PersonID}, nil)
}

// refusedBy returns the error of a decision about a finding, as a refusal if the ledger refused
// it.
func refusedBy(err error, finding int64) error {
	var refused *ledger.DecisionError
	if errors.As(err, &refused) {
		return refuse(refused.Text, "finding show %s", ledger.FindingName(finding))
	}
	return err
}

// BelieveScan records that the last list of an app is right, although it was doubted: the
// next one may differ from those before it in the same way.
func (o *Operator) BelieveScan(ctx context.Context, r Request, app string) error {
	if err := BelieveScan.Check(r); err != nil {
		return err
	}
	if err := o.Apps.Find(app); err != nil {
		return err
	}
	err := o.ledger.Believe(ctx, ledger.Belief{App: app, Operator: r.Actor, Reason: r.Reason, At: o.Clock.Now()})
	var refused *ledger.DecisionError
	if errors.As(err, &refused) {
		return refuse(refused.Text, "")
	}
	return err
}

// Scan has an app scanned now, and returns the number of the last scan that had ended before;
// zero if there was none.
func (o *Operator) Scan(ctx context.Context, app string) (before int64, err error) {
	if err := o.Apps.Find(app); err != nil {
		return 0, err
	}
	scans, err := o.Ledger.Scans(ctx, app, 1)
	if err != nil {
		return 0, err
	}
	if len(scans) > 0 {
		if before = scans[0].ID; scans[0].State.Unfinished() {
			before-- // it is the one to wait for, unless another takes its place
		}
	}
	return before, o.runs.Scan(ctx, app)
}

// Scanned returns the scan of an app that began after the one with that number, and whether
// it has ended.
func (v *Viewer) Scanned(ctx context.Context, app string, after int64) (ledger.Scan, bool, error) {
	scans, err := v.Ledger.Scans(ctx, app, 1)
	if err != nil || len(scans) == 0 || scans[0].ID <= after {
		return ledger.Scan{}, false, err
	}
	return scans[0], !scans[0].State.Unfinished(), nil
}
