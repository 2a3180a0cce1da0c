package preview

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
)

// Ledger is the part of the ledger that a rehearsal reads. It has no method that writes.
type Ledger interface {
	Person(ctx context.Context, personID string) (ledger.Person, error)
	People(ctx context.Context, after string, limit int) ([]ledger.Summary, error)
	Links(ctx context.Context, f ledger.LinkFilter) ([]ledger.Link, error)
	Namesakes(ctx context.Context, givenName, familyName string, limit int) ([]string, error)
	Granted(ctx context.Context, app, entitlement string, limit int) ([]string, error)
	Reserved(ctx context.Context, kind ledger.IdentifierKind, app, value string) (bool, error)
}

// Scenario describes what to rehearse.
type Scenario struct {
	Now   time.Time
	Until time.Time    // changes that are due later are left out; zero: none are
	Rules assess.Rules // the rules in force
	// With holds the rules to rehearse; nil: the rules in force.
	With *assess.Rules
	// Events holds what HR would say, in the order in which it would be received; nil if no
	// events are rehearsed.
	Events []hr.Event
}

// Rehearsal rehearses one scenario, person by person. It is not safe for concurrent use: the
// first person gets a username that several could have.
type Rehearsal struct {
	Scenario
	ledger Ledger
	events map[string][]hr.Event
	people []string // the people whom Events are about, in order
	taken  *taken

	before, after *names
}

// New prepares a rehearsal.
func New(l Ledger, s Scenario) *Rehearsal {
	r := &Rehearsal{Scenario: s, ledger: l, events: map[string][]hr.Event{}, taken: &taken{ledger: l}}
	r.before, r.after = newNames(l, r.taken), newNames(l, r.taken)
	seen := map[hr.EventKey]bool{}
	for _, e := range s.Events {
		if seen[e.EventKey] {
			continue
		}
		seen[e.EventKey] = true
		if len(r.events[e.PersonID]) == 0 {
			r.people = append(r.people, e.PersonID)
		}
		r.events[e.PersonID] = append(r.events[e.PersonID], e)
	}
	return r
}

// Whom yields the people to rehearse for: those who are named. If nobody is named and only
// events are rehearsed, it yields those whom the events concern; otherwise everybody.
func (r *Rehearsal) Whom(ctx context.Context, named ...string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if len(named) == 0 && r.With == nil {
			named = r.people
		}
		if len(named) > 0 || r.Events != nil && r.With == nil {
			for _, id := range named {
				if !yield(id, nil) {
					return
				}
			}
			return
		}
		known := map[string]bool{}
		for _, all := range []iter.Seq2[ledger.Summary, error]{ledger.AllPeople(ctx, r.ledger, ""), ledger.AllOrphans(ctx, r.ledger)} {
			for s, err := range all {
				known[s.PersonID] = true
				if !yield(s.PersonID, cmp.Or(err, ctx.Err())) || err != nil {
					return
				}
			}
		}
		for _, id := range r.people {
			if !known[id] && !yield(id, nil) {
				return
			}
		}
	}
}

// compares reports whether the scenario has other rules or events. Then outcomes hold only the
// difference that these make; otherwise they hold all that has to be done.
func (r *Rehearsal) compares() bool { return r.With != nil || len(r.Events) > 0 }

// Person rehearses for one person. It returns ledger.ErrNotFound for somebody about whom
// neither the ledger nor the scenario has an event.
func (r *Rehearsal) Person(ctx context.Context, personID string) (Outcome, error) {
	person, err := r.ledger.Person(ctx, personID)
	if errors.Is(err, ledger.ErrNotFound) && len(r.events[personID]) > 0 {
		person, err = ledger.Person{Summary: ledger.Summary{PersonID: personID}}, nil
	}
	if err != nil {
		return Outcome{}, err
	}
	known := remember(person, r.Rules.Policy)
	first, err := r.live(ctx, person, r.Rules, r.before, known)
	if err != nil || !r.compares() {
		return first.settled(), err
	}
	rules := r.Rules
	if r.With != nil {
		rules = *r.With
	}
	person, repeated := r.hears(person)
	second, err := r.live(ctx, person, rules, r.after, known)
	if err != nil {
		return Outcome{}, err
	}
	out := second
	out.Status = first.Status
	out.Changes, out.CalledOff = compare(first.Changes, second.Changes)
	out.Problems = slices.DeleteFunc(second.Problems, func(p Problem) bool { return slices.Contains(first.Problems, p) })
	out.Conflicts = slices.DeleteFunc(second.Conflicts, func(c Conflict) bool { return among(first.Conflicts, c) })
	out.Repeated = repeated
	if first.Claims == second.Claims {
		out.Claims = ""
	}
	return out.settled(), nil
}

// hears returns the person with the events of the scenario, and how many of these the ledger
// has already.
func (r *Rehearsal) hears(person ledger.Person) (ledger.Person, int) {
	has := map[hr.EventKey]bool{}
	for _, e := range person.Events {
		has[e.Event.EventKey] = true
	}
	person.Events = slices.Clone(person.Events)
	repeated := 0
	for _, e := range r.events[person.PersonID] {
		if has[e.EventKey] {
			repeated++
			continue
		}
		person.Events = append(person.Events, ledger.StoredEvent{Event: e, At: r.Now})
	}
	return person, repeated
}
