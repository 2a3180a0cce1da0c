package connector

import (
	"context"
	"errors"
	"fmt"
	"iter"
)

// Protection says what may not be changed in an app.
type Protection struct {
	App     string
	Person  func(personID string) bool // whose accounts are left alone
	Account func(Account) bool         // what is left alone
	For     string                     // the person whose account the calls are about; empty: anybody's
	// Looks says that whether an account is protected is seen only by looking at it:
	// it is read before each change. Else it is enough to know whose it is.
	Looks bool
}

// ProtectedError is the error of a call that would change what is protected. The app
// was not asked to.
type ProtectedError struct {
	App, Op string
	Person  bool // it is the person who is protected, else the account
}

func (e *ProtectedError) Error() string {
	if e.Person {
		return fmt.Sprintf("%s in %s was not done: the person is protected (protected.persons in the configuration): do by hand what has to be done",
			e.Op, e.App)
	}
	return fmt.Sprintf("%s in %s was not done: the account that is there is protected (apps.%[2]s.protected in the configuration): do by hand what has to be done",
		e.Op, e.App)
}

// Guard lets calls through that read, and such that change what p does not protect.
// What is protected correlates with nobody. All others fail with a *ProtectedError.
//
// Of a guarded connector a capability is had by As only, and is a guarded one: a new
// capability is not let through before it is added here.
func Guard(c Connector, p Protection) Connector { return &guarded{Connector: c, Protection: p} }

type guarded struct {
	Connector
	Protection
}

// Find finds no protected account. That one is marked as the person's own is said
// all the same: making another one would be no answer to that.
func (g *guarded) Find(ctx context.Context, keys Keys) ([]Match, error) {
	matches, err := g.Connector.Find(ctx, keys)
	var open []Match
	for _, m := range matches {
		switch {
		case !g.Account(m.Account):
			open = append(open, m)
		case m.By == ByExternalID && g.For != "":
			return nil, &ProtectedError{App: g.App, Op: OpFind}
		}
	}
	return open, err
}

// changes are the capabilities of a guarded connector.
type changes struct{ *guarded }

// refused is the error for a change of these accounts, or nil.
func (g *guarded) refused(ctx context.Context, op string, accountIDs ...string) error {
	if g.For != "" && g.Person(g.For) {
		return &ProtectedError{App: g.App, Op: op, Person: true}
	}
	for _, id := range accountIDs {
		account := Account{ID: id}
		if g.Looks {
			seen, err := g.Read(ctx, id)
			var absent *Error
			if errors.As(err, &absent) && absent.Kind == KindNotFound {
				continue // there is nothing to protect: what the app says to that counts
			}
			if err != nil {
				return Unfinished(err) // the call that it is for was not made
			}
			account = seen
			account.ID = id
		}
		if g.Account(account) {
			return &ProtectedError{App: g.App, Op: op}
		}
	}
	return nil
}

// guard makes a call unless it would change what is protected.
func guard[T any](ctx context.Context, g *guarded, op string, accountIDs []string, call func(T) error) error {
	if err := g.refused(ctx, op, accountIDs...); err != nil {
		return err
	}
	return call(inside[T](g))
}

// inside is a capability of the connector that is guarded: whoever has the guarded one
// knows that it is there.
func inside[T any](g *guarded) T {
	capability, _ := As[T](g.Connector)
	return capability
}

func (c changes) Create(ctx context.Context, spec Spec) (account Account, err error) {
	if c.Person(spec.PersonID) {
		return Account{}, &ProtectedError{App: c.App, Op: OpCreate, Person: true}
	}
	if c.Account(Account{Username: spec.Username}) {
		return Account{}, &ProtectedError{App: c.App, Op: OpCreate}
	}
	err = guard(ctx, c.guarded, OpCreate, nil, func(app Creator) error {
		account, err = app.Create(ctx, spec)
		return err
	})
	return account, err
}

func (c changes) Adopt(ctx context.Context, accountID, personID string) error {
	if c.Person(personID) {
		return &ProtectedError{App: c.App, Op: OpAdopt, Person: true}
	}
	return guard(ctx, c.guarded, OpAdopt, []string{accountID}, func(app Adopter) error { return app.Adopt(ctx, accountID, personID) })
}

func (c changes) Update(ctx context.Context, accountID string, attributes map[string]any) error {
	return guard(ctx, c.guarded, OpUpdate, []string{accountID}, func(app Updater) error { return app.Update(ctx, accountID, attributes) })
}

func (c changes) Relabel(ctx context.Context, accountID string, to Label) error {
	if to.PersonID != "" && c.Person(to.PersonID) {
		return &ProtectedError{App: c.App, Op: OpRelabel, Person: true}
	}
	if to.Username != "" && c.Account(Account{Username: to.Username}) {
		return &ProtectedError{App: c.App, Op: OpRelabel}
	}
	return guard(ctx, c.guarded, OpRelabel, []string{accountID}, func(app Relabeler) error { return app.Relabel(ctx, accountID, to) })
}

func (c changes) Disable(ctx context.Context, accountID string) error {
	return guard(ctx, c.guarded, OpDisable, []string{accountID}, func(app Switch) error { return app.Disable(ctx, accountID) })
}

func (c changes) Enable(ctx context.Context, accountID string) error {
	return guard(ctx, c.guarded, OpEnable, []string{accountID}, func(app Switch) error { return app.Enable(ctx, accountID) })
}

func (c changes) Reversible() bool { return inside[Switch](c.guarded).Reversible() }

func (c changes) Delete(ctx context.Context, accountID string) error {
	return guard(ctx, c.guarded, OpDelete, []string{accountID}, func(app Deleter) error { return app.Delete(ctx, accountID) })
}

func (c changes) Deletion() Deletion { return inside[Deleter](c.guarded).Deletion() }

func (c changes) Grant(ctx context.Context, accountID string, names []string) error {
	return guard(ctx, c.guarded, OpGrant, []string{accountID}, func(app Entitler) error { return app.Grant(ctx, accountID, names) })
}

func (c changes) Revoke(ctx context.Context, accountID string, names []string) error {
	return guard(ctx, c.guarded, OpRevoke, []string{accountID}, func(app Entitler) error { return app.Revoke(ctx, accountID, names) })
}

func (c changes) RevokeSessions(ctx context.Context, accountID string) error {
	return guard(ctx, c.guarded, OpRevokeSessions, []string{accountID}, func(app SessionRevoker) error { return app.RevokeSessions(ctx, accountID) })
}

func (c changes) HandOver(ctx context.Context, fromAccountID, toAccountID string) error {
	return guard(ctx, c.guarded, OpHandOver, []string{fromAccountID, toAccountID}, func(app DataMover) error {
		return app.HandOver(ctx, fromAccountID, toAccountID)
	})
}

func (c changes) List(ctx context.Context) iter.Seq2[Account, error] {
	return inside[Lister](c.guarded).List(ctx)
}

func (c changes) ResetCredentials(ctx context.Context, accountID string) error {
	return guard(ctx, c.guarded, OpResetCredentials, []string{accountID}, func(app CredentialResetter) error { return app.ResetCredentials(ctx, accountID) })
}

func (c changes) Keeps(ctx context.Context, account Account, name string, set any) (bool, error) {
	return inside[AttributeProver](c.guarded).Keeps(ctx, account, name, set)
}

func (c changes) Entitlements(ctx context.Context) iter.Seq2[Entitlement, error] {
	return inside[EntitlementLister](c.guarded).Entitlements(ctx)
}

func (c changes) Probe(ctx context.Context) []Finding { return inside[Prober](c.guarded).Probe(ctx) }

func (c changes) Ask(step string) (Ask, bool) { return inside[Asker](c.guarded).Ask(step) }

func (c changes) Directory() string { return inside[JustInTime](c.guarded).Directory() }

// Inner is guarded too.
func (c changes) Inner() Connector {
	inner := inside[JustInTime](c.guarded).Inner()
	if inner == nil {
		return nil
	}
	return Guard(inner, c.Protection)
}
