package connector

import (
	"context"
	"fmt"
	"slices"
)

// Protection says which persons and accounts of an app must not be changed.
type Protection struct {
	App     string
	Person  func(personID string) bool // reports whether a person is protected
	Account func(Account) bool         // reports whether an account is protected
	For     string                     // the person whose account the calls are about; empty if it may be anybody's
	// Looks means that only the account itself shows whether it is protected: the guard
	// reads it before each change.
	Looks bool
}

// ProtectedError is the error of a call that would change a protected account, or an account
// of a protected person. The app was not called.
type ProtectedError struct {
	App, Op string
	Person  bool // the person is protected; else the account is
}

func (e *ProtectedError) Error() string {
	if e.Person {
		return fmt.Sprintf("%s in %s was not done: the person is protected (protected.persons in the configuration): do by hand what has to be done",
			e.Op, e.App)
	}
	return fmt.Sprintf("%s in %s was not done: the account that is there is protected (apps.%[2]s.protected in the configuration): do by hand what has to be done",
		e.Op, e.App)
}

// Guard returns a connector that passes on calls that only read, and calls that change what
// p does not protect. Any other call fails with a *ProtectedError. Find returns no protected
// account. Every operation that is not listed as reading counts as a change.
//
// A call that c does not offer fails with KindUnsupported.
func Guard(c Connector, p Protection) Connector {
	before := func(ctx context.Context, next call) error {
		if err := offers(c, next); err != nil {
			return err
		}
		return p.refuses(ctx, c, next)
	}
	return guarded{checked: checked{c, before, &paging{}}, Protection: p}
}

// reading lists the operations that change nothing.
var reading = []string{OpFind, OpRead, OpCheck, OpProbe, OpList, OpPage, OpListEntitlements}

type guarded struct {
	checked
	Protection
}

// Find returns no protected account. If a protected account is marked as the person's own,
// it fails: Tenure must not create another one.
func (g guarded) Find(ctx context.Context, keys Keys) ([]Match, error) {
	matches, err := g.checked.Find(ctx, keys)
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

// refuses returns the error for a call that would change what is protected, or nil.
func (p Protection) refuses(ctx context.Context, app Connector, next call) error {
	if slices.Contains(reading, next.op) {
		return nil
	}
	for _, person := range []string{next.personID, p.For} {
		if person != "" && p.Person(person) {
			return &ProtectedError{App: p.App, Op: next.op, Person: true}
		}
	}
	if next.username != "" && p.Account(Account{Username: next.username}) {
		return &ProtectedError{App: p.App, Op: next.op}
	}
	for _, id := range next.accounts {
		account := Account{ID: id}
		if p.Looks {
			seen, err := app.Read(ctx, id)
			switch {
			case Is(err, KindNotFound):
				if next.op == OpRestore {
					account.Username = formerUsername(ctx) // else there is nothing to protect but the ID
				}
			case err != nil:
				return Unfinished(err) // the guarded call was not made
			default:
				account = seen
				account.ID = id
			}
		}
		if p.Account(account) {
			return &ProtectedError{App: p.App, Op: next.op}
		}
	}
	return nil
}
