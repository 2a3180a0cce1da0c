package operator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/assess/correlation"
	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/policy"
)

// ErrCannotList means that the connector of an app cannot list its accounts.
var ErrCannotList = errors.New("its connector cannot list accounts")

// ErrOnlyHumansSee means that only humans see the accounts of an app.
var ErrOnlyHumansSee = errors.New("only humans see its accounts")

// Accounts holds the accounts in one app, and the people who may own them.
type Accounts struct {
	App      string
	Findings []correlation.Finding

	operator *Operator
	conn     connector.Connector
	seen     func()
	now      time.Time
	byHand   bool // only humans see the accounts: see AccountsByHand
	// wanted says, for everybody without an account in the app, whether policy gives them
	// one now; gets lists its entitlements.
	wanted map[string]bool
	gets   map[string][]string
}

// Accounts asks an app for all its accounts, and finds to whom they belong. It calls seen for
// each account and each person that it has looked at. The caller closes the result.
func (o *Operator) Accounts(ctx context.Context, app string, seen func()) (*Accounts, error) {
	return o.accounts(ctx, app, false, seen)
}

// AccountsByHand is like Accounts, and also takes an app whose accounts only humans see, by
// the operator's word: it finds those that are linked, and Paired adds those that the pairs
// name.
func (o *Operator) AccountsByHand(ctx context.Context, app string, seen func()) (*Accounts, error) {
	return o.accounts(ctx, app, true, seen)
}

func (o *Operator) accounts(ctx context.Context, app string, byWord bool, seen func()) (*Accounts, error) {
	conn, err := o.Apps.OpenPaced(ctx, app)
	if err != nil {
		return nil, err
	}
	a := &Accounts{App: app, operator: o, conn: conn, seen: seen, now: o.Clock.Now(), wanted: map[string]bool{}, gets: map[string][]string{}}
	a.byHand = onlyHumansSee(conn)
	if a.byHand && !byWord {
		return nil, errors.Join(ErrOnlyHumansSee, conn.Close())
	}
	if a.Findings, err = a.find(ctx); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return a, nil
}

// Close closes the connection to the app.
func (a *Accounts) Close() error { return a.conn.Close() }

// LastUse returns what the app tells about when its accounts were last used.
func (a *Accounts) LastUse() connector.LastUse { return a.conn.Capabilities().LastUse }

// ByHand reports whether only humans see the accounts: see AccountsByHand.
func (a *Accounts) ByHand() bool { return a.byHand }

// Protects reports whether no automation touches the account, or any account of its
// owner.
func (a *Accounts) Protects(f correlation.Finding) bool {
	p := a.operator.Policy
	return p.ProtectsAccount(a.App, f.Account.ID, f.Account.Username) ||
		slices.ContainsFunc([]string{f.Link.PersonID, f.Account.ExternalID}, p.ProtectsPerson)
}

func (a *Accounts) find(ctx context.Context) ([]correlation.Finding, error) {
	if !a.conn.Capabilities().List && !a.byHand {
		return nil, ErrCannotList
	}
	links, err := a.operator.Ledger.Links(ctx, ledger.LinkFilter{App: a.App})
	if err != nil {
		return nil, err
	}
	linked := map[string]bool{}
	for _, link := range links {
		linked[link.PersonID] = link.AccountID != ""
	}
	accounts, err := a.list(ctx, links)
	if err != nil {
		return nil, err
	}
	var people []correlation.Person
	for s, err := range ledger.AllPeople(ctx, a.operator.Ledger, "") {
		if err != nil {
			return nil, err
		}
		a.seen()
		if linked[s.PersonID] {
			continue
		}
		p, err := a.correlate(ctx, s.PersonID)
		if err != nil {
			return nil, err
		}
		people = append(people, p)
	}
	return correlation.Find(accounts, links, people), nil
}

// onlyHumansSee reports whether humans make the accounts of an app, and nobody else sees them.
func onlyHumansSee(conn connector.Connector) bool {
	_, asked := conn.Ask(string(plan.Provision))
	can := conn.Capabilities()
	return asked && !can.List && can.Directory == ""
}

// list returns the accounts that the app shows; where only humans see them, those that are
// linked.
func (a *Accounts) list(ctx context.Context, links []ledger.Link) (accounts []connector.Account, err error) {
	if a.byHand {
		for _, l := range links {
			if l.AccountID != "" && l.State != ledger.LinkDeleted {
				accounts = append(accounts, connector.Account{ID: l.AccountID, Username: l.Username, Active: l.State == ledger.LinkActive, Entitlements: l.Entitlements})
			}
		}
		return accounts, nil
	}
	for account, err := range a.conn.List(ctx) {
		if err != nil {
			return nil, fmt.Errorf("app %s: %w", a.App, err)
		}
		a.seen()
		accounts = append(accounts, account)
	}
	return a.unlisted(ctx, accounts, links)
}

// unlisted adds the linked accounts that the list does not show, if the app has them:
// the lists of some apps are incomplete.
func (a *Accounts) unlisted(ctx context.Context, accounts []connector.Account, links []ledger.Link) ([]connector.Account, error) {
	listed := map[string]bool{}
	for _, account := range accounts {
		listed[account.ID] = true
	}
	for _, l := range links {
		if l.AccountID == "" || l.State == ledger.LinkDeleted || listed[l.AccountID] {
			continue
		}
		account, err := a.conn.Read(ctx, l.AccountID)
		switch {
		case err == nil:
			accounts, listed[l.AccountID] = append(accounts, account), true
		case connector.Is(err, connector.KindNotFound):
		default:
			return nil, fmt.Errorf("app %s: %w", a.App, err)
		}
	}
	return accounts, nil
}

// correlate asks the app which accounts match a person.
func (a *Accounts) correlate(ctx context.Context, personID string) (correlation.Person, error) {
	person, err := a.operator.Ledger.Person(ctx, personID)
	if err != nil {
		return correlation.Person{}, err
	}
	rules := a.operator.Policy
	timeline := assess.TimelineOf(person)
	standing := timeline.At(a.now)
	keys := connector.Keys{PersonID: personID, Username: person.Username}
	identity := policy.Identity{PersonID: personID, Username: person.Username}
	if standing.Profile != nil {
		keys.EmployeeNumber = standing.Profile.EmployeeNumber
		if identity.Email, err = rules.Email(identity, *standing.Profile); err != nil {
			return correlation.Person{}, fmt.Errorf("person %s: %w", personID, err)
		}
		keys.Email = identity.Email
	}
	desired, err := rules.Evaluate(timeline, a.now, identity, assess.Exceptions(person, timeline, a.now)...)
	if err != nil {
		return correlation.Person{}, fmt.Errorf("person %s: %w", personID, err)
	}
	a.wanted[personID] = false
	for _, account := range desired.Accounts {
		if account.App == a.App {
			a.wanted[personID] = true
			a.gets[personID] = account.EntitlementNames()
		}
	}
	matches, err := a.conn.Find(ctx, keys)
	if err != nil {
		return correlation.Person{}, fmt.Errorf("app %s: person %s: %w", a.App, personID, err)
	}
	return correlation.Person{ID: personID, Left: standing.Status == hr.StatusEnded, Matches: matches}, nil
}
