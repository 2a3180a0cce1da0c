package operator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/assess/correlation"
	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/internal/set"
	"github.com/tenurehq/tenure/internal/visible"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/provision"
)

// MatchKeys lists the keys by which accounts match people, the surest first.
func MatchKeys() []connector.MatchKey {
	return []connector.MatchKey{connector.ByExternalID, connector.ByEmployeeNumber, connector.ByEmail, connector.ByUsername}
}

// byOperator is the key of an account that an operator gives to somebody by name.
const byOperator connector.MatchKey = "operator"

// Pair gives an account to a person, as an operator has decided.
type Pair struct {
	PersonID string
	Account  string // the app's ID of it, or its username; what humans call it where only they see it
	// Has lists the entitlements that the account has, where only humans see it. Nil: those
	// that policy gives.
	Has  []string
	Line int // where it was written, for errors
}

// Unlinked lists the accounts that match one person each, the surest first. It selects
// by people and keys, if any are given.
func (a *Accounts) Unlinked(people []string, by []connector.MatchKey) []correlation.Finding {
	chosen := slices.DeleteFunc(slices.Clone(a.Findings), func(f correlation.Finding) bool {
		return f.State != correlation.Unlinked || len(people) > 0 && !slices.Contains(people, f.People[0]) ||
			len(by) > 0 && !slices.Contains(by, f.By)
	})
	keys := MatchKeys()
	slices.SortStableFunc(chosen, func(x, y correlation.Finding) int { return slices.Index(keys, x.By) - slices.Index(keys, y.By) })
	return chosen
}

// Disputed counts the accounts that are disputed.
func (a *Accounts) Disputed() (n int) {
	for _, f := range a.Findings {
		if f.State == correlation.Disputed {
			n++
		}
	}
	return n
}

// Paired lists the accounts of the pairs, without those that are linked already. It
// refuses all of them if one cannot be linked.
func (a *Accounts) Paired(pairs []Pair) ([]correlation.Finding, error) {
	byName := map[string]correlation.Finding{}
	for _, f := range a.Findings {
		byName[strings.ToLower(f.Account.Username)] = f
	}
	for _, f := range a.Findings { // an ID takes precedence over another account's username
		byName[strings.ToLower(f.Account.ID)] = f
	}
	var chosen []correlation.Finding
	accounts, people := map[string]int{}, map[string]int{}
	for _, p := range pairs {
		f, there := byName[strings.ToLower(p.Account)]
		if !there && a.byHand {
			f, there = a.onWord(p), true
			byName[strings.ToLower(p.Account)] = f
		}
		_, known := a.wanted[p.PersonID]
		wrong := ""
		switch {
		case p.Account == "":
			wrong = "it names no account"
		case p.Has != nil && !a.byHand:
			wrong = "the app itself shows which entitlements the account has: leave them out"
		case a.byHand && a.operator.Policy.ProtectsAccount(a.App, f.Account.ID, f.Account.Username):
			wrong = "the account is protected"
		case !there:
			wrong = "the app shows no such account"
		case f.Link.PersonID == p.PersonID:
			continue // the link is there already
		case f.Link.PersonID != "" && !ledger.IsOrphan(f.Link.PersonID):
			wrong = fmt.Sprintf("the account is linked to %s already", f.Link.PersonID)
		case f.Account.ExternalID != "" && f.Account.ExternalID != p.PersonID:
			wrong = "the account carries another person's external ID: remove it in the app if it is wrong"
		case !known:
			wrong = "nobody of that ID is without an account in this app"
		case accounts[f.Account.ID] > 0:
			wrong = fmt.Sprintf("the account is in line %d already", accounts[f.Account.ID])
		case people[p.PersonID] > 0:
			wrong = fmt.Sprintf("the person is in line %d already", people[p.PersonID])
		}
		if wrong != "" {
			return nil, refuse(fmt.Sprintf("line %d: %s; nothing was changed", p.Line, wrong), "")
		}
		accounts[f.Account.ID], people[p.PersonID] = p.Line, p.Line
		f.State, f.People, f.By = correlation.Unlinked, []string{p.PersonID}, byOperator
		if f.Account.ExternalID == p.PersonID {
			f.By = connector.ByExternalID
		}
		chosen = append(chosen, f)
	}
	return chosen, nil
}

// onWord returns the account that a pair says is there.
func (a *Accounts) onWord(p Pair) correlation.Finding {
	has := p.Has
	if has == nil {
		has = a.gets[p.PersonID]
	}
	return correlation.Finding{Account: connector.Account{ID: p.Account, Username: p.Account, Active: true, Entitlements: has}}
}

// Adoption describes what it means to link an account to the person whom it matches.
type Adoption struct {
	Person  string
	Finding correlation.Finding
	Beyond  []string // entitlements that the account has and policy does not give
	Gets    []string // entitlements that policy gives and the account does not have
	// Against says why the account may not be linked; nil if it may.
	Against error
}

// The reasons for which an account is not linked.
var (
	ErrPersonProtected = errors.New("the person is protected")
	ErrAdoptNever      = errors.New("the app adopts by external ID only (adopt: never)")
	ErrNoAccess        = errors.New("no role gives this person access")
)

// Adoption returns what it would mean to link an account that Unlinked or Paired
// returned.
func (a *Accounts) Adoption(f correlation.Finding) Adoption {
	person := f.People[0]
	out := Adoption{
		Person: person, Finding: f,
		Beyond: set.Minus(f.Account.Entitlements, a.gets[person]), Gets: set.Minus(a.gets[person], f.Account.Entitlements),
	}
	rules, _ := a.operator.Policy.App(a.App)
	switch {
	case a.operator.Policy.ProtectsPerson(person):
		out.Against = ErrPersonProtected
	case !a.wanted[person]:
		// Tenure would disable a linked account right away.
		out.Against = ErrNoAccess
	case rules.Adopt == policy.AdoptNever && f.By != connector.ByExternalID:
		out.Against = ErrAdoptNever
	}
	return out
}

// AdoptOptions says how accounts are adopted.
type AdoptOptions struct {
	Take            bool // revoke what the account has and policy does not give
	KeepCredentials bool // neither end sessions nor reset credentials
}

// linkTimeout bounds how long linking or unlinking one account may take.
const linkTimeout = time.Minute

// Adopt links an account to the person whom it matches. It sets the external ID in the
// app first, so that an adoption that was interrupted is found by the surest key the
// next time. Where only humans see the accounts, no app is called, and the operator's word
// counts. It does not tell the person's run: see TellAdopted.
func (a *Accounts) Adopt(ctx context.Context, r Request, adoption Adoption, opts AdoptOptions) error {
	if err := Adopt.Check(r); err != nil {
		return err
	}
	if adoption.Against != nil {
		return adoption.Against
	}
	ctx, cancel := context.WithTimeout(ctx, linkTimeout)
	defer cancel()
	o, f, personID := a.operator, adoption.Finding, adoption.Person
	// What is refused must not have taken the account from the orphan that keeps it.
	if err := errors.Join(o.without(ctx, a.App, personID), o.unowned(ctx, a.App, f.Account.ID, personID, f.Link.PersonID)); err != nil {
		return err
	}
	if err := o.free(ctx, r, f.Link.PersonID); err != nil {
		return err
	}
	key, now := "adopt/"+a.App+"/"+f.Account.ID, o.Clock.Now()
	begun, err := o.ledger.BeginStep(ctx, ledger.Attempt{
		PersonID: personID, App: a.App, Key: key, Kind: "Adopt", At: now, Deadline: now.Add(linkTimeout),
	})
	if err != nil {
		return err
	}
	outcome := ledger.Outcome{
		PersonID: personID, App: a.App, Key: key, Kind: "Adopt", Attempt: begun.Attempt, State: ledger.StepSuperseded,
	}
	link, detail := begun.Link, map[string]any(nil)
	if link.AccountID != "" {
		err = errors.New("somebody has linked this person to another account meanwhile")
	} else if err = o.unowned(ctx, a.App, f.Account.ID, personID, ""); err == nil {
		link, detail, err = a.take(ctx, adoption, begun.Link, opts)
	}
	outcome.At = o.Clock.Now()
	if err == nil {
		outcome.State, outcome.Link = ledger.StepDone, &link
		outcome.Audit = &ledger.AuditRow{At: outcome.At, Action: "adopted", Actor: r.Actor, Cause: "matches by " + string(f.By), Detail: detail}
	}
	if err := errors.Join(err, o.ledger.FinishStep(ctx, outcome)); err != nil {
		return err
	}
	return o.retryOwnership(ctx, r, a.App, personID)
}

// free takes an account from whoever stands for it as nobody's, so that it can become somebody's.
// If that fails later, the finding is open.
func (o *Operator) free(ctx context.Context, r Request, orphanID string) error {
	id, ok := ledger.FindingID(strings.TrimPrefix(orphanID, hr.OrphanPrefix))
	if !ledger.IsOrphan(orphanID) || !ok {
		return nil
	}
	reason := cmp.Or(r.Reason, "it is somebody's")
	_, err := o.ledger.FreeOrphan(ctx, ledger.FindingDecision{ID: id, Operator: r.Actor, Reason: reason, At: o.Clock.Now()})
	return refusedBy(err, id)
}

// take gives the account to the person, and returns the link to it and what goes on record
// besides. was is the link as it was before.
func (a *Accounts) take(ctx context.Context, adoption Adoption, was ledger.Link, opts AdoptOptions) (link ledger.Link, detail map[string]any, err error) {
	if a.byHand {
		return a.takeOnWord(ctx, adoption, was, opts)
	}
	account, taken, err := a.claim(ctx, adoption.Finding, opts)
	if len(taken) > 0 {
		detail = map[string]any{"revoked": taken}
	}
	return adopted(account, a.operator.Clock.Now()), detail, err
}

// takeOnWord returns the link to an account that only humans see. The account counts as it
// was said to be, so that nobody is asked for what it has. With opts.Take, a human is asked
// to take what it has beyond policy.
func (a *Accounts) takeOnWord(ctx context.Context, adoption Adoption, was ledger.Link, opts AdoptOptions) (ledger.Link, map[string]any, error) {
	o, account := a.operator, adoption.Finding.Account
	rules, err := o.Apps.Rules(ctx)
	if err != nil {
		return was, nil, err
	}
	person, err := o.Ledger.Person(ctx, adoption.Person)
	if err != nil {
		return was, nil, err
	}
	now := o.Clock.Now()
	d, err := rules.For(ctx, person, now, o.ledger)
	if err := errors.Join(err, d.PolicyErr); err != nil {
		return was, nil, err
	}
	at := slices.IndexFunc(d.Desired.Accounts, func(want policy.Account) bool { return want.App == a.App })
	if at < 0 {
		return was, nil, ErrNoAccess
	}
	want := d.Desired.Accounts[at]
	link := assess.After(was, plan.Step{Kind: plan.Provision, Enabled: true}, want, assess.Proof{
		At: now, AccountID: account.ID, Username: account.Username, New: true, Adopted: true,
		Lacks: set.Minus(want.EntitlementNames(), account.Entitlements),
	})
	if opts.Take {
		link.Entitlements = set.Sorted(append(link.Entitlements, adoption.Beyond...))
	}
	return link, map[string]any{"has": account.Entitlements}, nil
}

// without returns a refusal if a person is linked to an account of an app.
func (v *Viewer) without(ctx context.Context, app, personID string) error {
	links, err := v.Ledger.Links(ctx, ledger.LinkFilter{App: app, PersonID: personID})
	if err != nil {
		return err
	}
	for _, l := range links {
		if l.AccountID != "" {
			return refuse(fmt.Sprintf("person %s has an account in %s already: %s", visible.Line(personID), app, visible.Line(cmp.Or(l.Username, l.AccountID))), "person show %s", personID)
		}
	}
	return nil
}

// unowned returns an error if an account is linked to somebody else than a person, and the
// orphan that stands for it, if there is one.
func (v *Viewer) unowned(ctx context.Context, app, accountID, personID, orphanID string) error {
	owners, err := v.Ledger.Links(ctx, ledger.LinkFilter{App: app, AccountID: accountID})
	if err != nil {
		return err
	}
	for _, l := range owners {
		if l.PersonID != personID && (orphanID == "" || l.PersonID != orphanID) && l.State != ledger.LinkDeleted {
			return errors.New("somebody has linked this account to another person meanwhile")
		}
	}
	return nil
}

// TellAdopted tells the runs of people whose accounts were adopted. The runs bring the
// accounts in line with policy.
func (o *Operator) TellAdopted(ctx context.Context, people []string) error {
	return o.tellKnown(ctx, "adopted", people, nil)
}

// claim gives the account to the person in the app: it ends the access of everybody who
// may have used it, revokes what opts says, and reads the account back.
func (a *Accounts) claim(ctx context.Context, f correlation.Finding, opts AdoptOptions) (account connector.Account, taken []string, err error) {
	id, person := f.Account.ID, f.People[0]
	can := a.conn.Capabilities()
	if can.Adopt {
		if err := a.conn.Adopt(ctx, id, person); err != nil {
			return account, nil, err
		}
	}
	if f.By != connector.ByExternalID && !opts.KeepCredentials {
		if err := connector.Reset(ctx, a.conn, id); err != nil {
			return account, nil, err
		}
	}
	if account, err = a.conn.Read(ctx, id); err != nil || !opts.Take {
		return account, nil, err
	}
	taken = set.Minus(account.Entitlements, a.gets[person])
	if !can.Entitlements || len(taken) == 0 {
		return account, nil, nil
	}
	if err := a.conn.Revoke(ctx, id, taken); err != nil {
		return account, nil, err
	}
	account, err = a.conn.Read(ctx, id)
	return account, taken, err
}

// adopted returns the link to an existing account. It lists no entitlements, since
// Tenure granted none.
func adopted(account connector.Account, now time.Time) ledger.Link {
	link := ledger.Link{
		AccountID: account.ID, Username: account.Username, State: ledger.LinkActive, Adopted: true,
		CreatedAt: now, ProvenAt: now,
	}
	if !account.Active {
		link.State, link.DisabledAt = ledger.LinkDisabled, now
	}
	return link
}

// ownershipCodes lists the codes of steps that wait for an operator to say to whom an
// account belongs, or whether there is one.
var ownershipCodes = []string{provision.CodeWhose, provision.CodeNotTheirs, provision.CodeUnproven}

// retryOwnership opens again the steps that asked to whom the account belongs.
func (o *Operator) retryOwnership(ctx context.Context, r Request, app, personID string) error {
	person, err := o.Ledger.Person(ctx, personID)
	if err != nil {
		return err
	}
	for _, s := range person.Steps {
		if s.App != app || s.State != ledger.StepAttention || !slices.Contains(ownershipCodes, s.Code) {
			continue
		}
		err := o.ledger.Act(ctx, ledger.Action{
			Verb: ledger.VerbRetry, PersonID: personID, Key: s.Key, App: s.App, Operator: r.Actor,
			Reason: "whose the account is was decided", At: o.Clock.Now(),
		})
		if err != nil {
			return err
		}
	}
	return nil
}
