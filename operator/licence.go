package operator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/policy"
)

// Licence describes the seats of one licence of an app: how many there are, who has them, and
// who is to get one.
type Licence struct {
	App     string
	Name    string          // the entitlement
	Seats   connector.Seats // as the app says it; a Total of zero if it does not
	Holders []string        // people to whom Tenure has given it, by ID
	Freed   int             // seats that Tenure has freed since the month began
	// Awaited lists the people who are to get one and have none, by the day from which they
	// need it.
	Awaited []AwaitedSeat
	// Soon counts those of them who need it within ledger.EnoughSeats.Ahead.
	Soon int
	// Low means that more seats should be got: see ledger.Licence.Low.
	Low bool
}

// Counted returns what the ledger keeps of the licence.
func (l Licence) Counted() ledger.Licence {
	return ledger.Licence{App: l.App, Name: l.Name, Seats: max(l.Seats.Total, 0), Used: max(l.Seats.Used, 0), Awaited: l.Soon}
}

// AwaitedSeat is a seat that somebody needs.
type AwaitedSeat struct {
	PersonID string
	From     time.Time
	// Short means that no seat will be left for them, as the seats are now. It is false where
	// the app does not say how many there are.
	Short bool
}

// Short counts the people for whom no seat will be left.
func (l Licence) Short() (n int) {
	for _, a := range l.Awaited {
		if a.Short {
			n++
		}
	}
	return n
}

// Licences describes the licences of one app or (empty) of every app, by app and name: those
// that the app lists, that Tenure has given, and that policy is to give. It asks the apps that
// list their entitlements.
func (v *Viewer) Licences(ctx context.Context, app string) ([]Licence, error) {
	rules, err := v.Apps.Rules(ctx)
	if err != nil {
		return nil, err
	}
	names := []string{app}
	if app == "" {
		names = names[:0]
		for name := range rules.Apps {
			names = append(names, name)
		}
	} else if err := v.Apps.Find(app); err != nil {
		return nil, err
	}
	b := licenceBook{licences: map[string]*Licence{}, apps: map[string]bool{}}
	for _, name := range names {
		b.apps[name] = true
		if err := b.seats(ctx, v.Apps, name); err != nil {
			return nil, err
		}
	}
	if err := b.people(ctx, v.Ledger, rules.Policy, v.Clock.Now()); err != nil {
		return nil, err
	}
	if err := b.freed(ctx, v.Ledger, v.Clock.Now()); err != nil {
		return nil, err
	}
	return b.list(v.Apps.EnoughSeats, v.Clock.Now()), nil
}

// licenceBook collects licences.
type licenceBook struct {
	licences map[string]*Licence // by app and name
	apps     map[string]bool
}

// of returns a licence of the app, and adds it if it is missing.
func (b *licenceBook) of(app, name string) *Licence {
	key := app + "\x00" + name
	if b.licences[key] == nil {
		b.licences[key] = &Licence{App: app, Name: name}
	}
	return b.licences[key]
}

// seats asks an app for its licences, if it lists its entitlements.
func (b *licenceBook) seats(ctx context.Context, apps Apps, app string) error {
	conn, err := apps.OpenPaced(ctx, app)
	if err != nil {
		return err
	}
	err = b.listed(ctx, conn, app)
	return errors.Join(err, conn.Close())
}

func (b *licenceBook) listed(ctx context.Context, conn connector.Connector, app string) error {
	if !conn.Capabilities().ListEntitlements {
		return nil
	}
	for e, err := range conn.Entitlements(ctx) {
		if err != nil {
			return fmt.Errorf("app %s: %w", app, err)
		}
		if e.Kind == connector.Licence {
			b.of(app, e.Name).Seats = e.Seats
		}
	}
	return nil
}

// people finds out who has the licences, and who is to get them: now, or from their first day.
func (b *licenceBook) people(ctx context.Context, l ledger.Reader, rules *policy.Policy, now time.Time) error {
	for s, err := range ledger.AllPeople(ctx, l, "") {
		if err != nil {
			return err
		}
		person, err := l.Person(ctx, s.PersonID)
		if err != nil {
			return err
		}
		b.person(person, rules, now)
	}
	return nil
}

func (b *licenceBook) person(person ledger.Person, rules *policy.Policy, now time.Time) {
	has := map[string]bool{}
	for _, link := range person.Links {
		if !b.apps[link.App] || !link.State.HasAccount() {
			continue
		}
		for _, name := range licencesAmong(link.Entitlements) {
			holder := b.of(link.App, name)
			holder.Holders = append(holder.Holders, person.PersonID)
			has[link.App+"\x00"+name] = true
		}
	}
	if person.CarriedTo != "" {
		return
	}
	timeline := assess.TimelineOf(person)
	from, standing := now, timeline.At(now)
	if assess.CutsOff(standing.Status) {
		return // they are given nothing now
	}
	if standing.Status == hr.StatusUpcoming && standing.Period != nil {
		from = standing.Period.Starts
	}
	desired, err := rules.Evaluate(timeline, from, policy.Identity{PersonID: person.PersonID, Username: person.Username},
		assess.Exceptions(person, timeline, now)...)
	if err != nil {
		return // their policy is a question of its own
	}
	for _, account := range desired.Accounts {
		for _, name := range licencesAmong(account.EntitlementNames()) {
			if b.apps[account.App] && !has[account.App+"\x00"+name] {
				wanted := b.of(account.App, name)
				wanted.Awaited = append(wanted.Awaited, AwaitedSeat{PersonID: person.PersonID, From: from})
			}
		}
	}
}

// freed counts the seats that were freed since the month began, from the audit record.
func (b *licenceBook) freed(ctx context.Context, l ledger.Reader, now time.Time) error {
	if len(b.licences) == 0 {
		return nil
	}
	now = now.UTC()
	month := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
	before, err := auditBefore(ctx, l, month)
	if err != nil {
		return err
	}
	for row, err := range ledger.AllAudit(ctx, l, "", before) {
		if err != nil {
			return err
		}
		revoked, _ := row.Detail["revoked"].([]any)
		if !b.apps[row.App] || row.At.Before(month) {
			continue
		}
		for _, name := range revoked {
			if text, ok := name.(string); ok && connector.KindOf(text) == connector.Licence {
				b.of(row.App, text).Freed++
			}
		}
	}
	return nil
}

// list returns the licences, by app and name, and finds out for whom no seat will be left and
// of which more seats should be got.
func (b *licenceBook) list(enough func(app string) ledger.EnoughSeats, now time.Time) []Licence {
	all := []Licence{}
	for _, l := range b.licences {
		slices.SortStableFunc(l.Awaited, func(x, y AwaitedSeat) int { return x.From.Compare(y.From) })
		free := l.Seats.Total - l.Seats.Used
		for i := range l.Awaited {
			l.Awaited[i].Short = l.Seats.Total > 0 && i >= free
			if !l.Awaited[i].From.After(now.Add(enough(l.App).Ahead)) {
				l.Soon++
			}
		}
		l.Low = l.Counted().Low(enough(l.App))
		all = append(all, *l)
	}
	slices.SortFunc(all, func(x, y Licence) int { return strings.Compare(x.App+"\x00"+x.Name, y.App+"\x00"+y.Name) })
	return all
}

// licencesAmong returns the licences among entitlements.
func licencesAmong(names []string) (licences []string) {
	for _, name := range names {
		if connector.KindOf(name) == connector.Licence {
			licences = append(licences, name)
		}
	}
	return licences
}
