package operator

import (
	"context"
	"slices"
	"time"

	"github.com/tenurehq/tenure/ledger"
)

// Retention says how long a person's accounts are kept once they are disabled: until the
// instant Until or, if that is zero, for the duration For.
type Retention struct {
	PersonID string
	App      string // empty: every app without a retention of its own
	Until    time.Time
	For      time.Duration
}

// ChangedRetention describes a retention that was, or would be, set or reset.
type ChangedRetention struct {
	Retention ledger.Retention
	Deletes   []string // apps in which accounts are deleted at once because of it
	Applied   bool
}

// SetRetention sets how long a person's accounts are kept, in place of the
// configuration. If accounts would be deleted at once because of it, it acts only if
// deleteNow is set; otherwise it returns what would be deleted.
func (o *Operator) SetRetention(ctx context.Context, r Request, want Retention, deleteNow bool) (ChangedRetention, error) {
	if err := SetRetention.Check(r); err != nil {
		return ChangedRetention{}, err
	}
	said := ledger.Retention{
		PersonID: want.PersonID, App: want.App, Until: want.Until, For: want.For, SetAt: o.Clock.Now(), Operator: r.Actor, Reason: r.Reason,
	}
	person, err := o.Person(ctx, want.PersonID)
	if err != nil {
		return ChangedRetention{}, err
	}
	if err := o.knownApp(person, want.App); err != nil {
		return ChangedRetention{}, err
	}
	after := person
	after.Retentions = append(without(person.Retentions, want.App), said)
	deletes, err := o.begin(ctx, person, after, said.SetAt)
	if err != nil || len(deletes) > 0 && !deleteNow {
		return ChangedRetention{Retention: said, Deletes: deletes}, err
	}
	set, err := o.ledger.SetRetention(ctx, said)
	if err != nil {
		return ChangedRetention{}, err
	}
	return ChangedRetention{Retention: set, Deletes: deletes, Applied: true}, o.tell(ctx, "retention was set", want.PersonID)
}

// ResetRetention lets the configuration decide again how long a person's accounts are
// kept, in one app or, if app is empty, in all apps without a retention of their own. If
// accounts would be deleted at once because of it, it acts only if deleteNow is set;
// otherwise it returns what would be deleted.
func (o *Operator) ResetRetention(ctx context.Context, r Request, personID, app string, deleteNow bool) (ChangedRetention, error) {
	if err := ResetRetention.Check(r); err != nil {
		return ChangedRetention{}, err
	}
	now := o.Clock.Now()
	person, err := o.Person(ctx, personID)
	if err != nil {
		return ChangedRetention{}, err
	}
	i := slices.IndexFunc(person.Retentions, func(said ledger.Retention) bool { return said.App == app })
	if i < 0 {
		if err := o.knownApp(person, app); err != nil {
			return ChangedRetention{}, err
		}
		return ChangedRetention{}, refuse("no such retention is set", "person show %s", personID)
	}
	after := person
	after.Retentions = without(person.Retentions, app)
	deletes, err := o.begin(ctx, person, after, now)
	if err != nil || len(deletes) > 0 && !deleteNow {
		return ChangedRetention{Retention: person.Retentions[i], Deletes: deletes}, err
	}
	was, err := o.ledger.ResetRetention(ctx, ledger.RetentionReset{PersonID: personID, App: app, Operator: r.Actor, Reason: r.Reason, At: now})
	if err != nil {
		return ChangedRetention{}, err
	}
	return ChangedRetention{Retention: was, Deletes: deletes, Applied: true}, o.tell(ctx, "retention was reset", personID)
}

// without returns all retentions except that of an app.
func without(said []ledger.Retention, app string) []ledger.Retention {
	return slices.DeleteFunc(slices.Clone(said), func(r ledger.Retention) bool { return r.App == app })
}
