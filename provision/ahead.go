package provision

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/plan"
)

// outset is what an attempt goes by: what was decided, and the step that the plan has.
type outset struct {
	d      decision
	step   plan.Step
	search *search // made before the intent; nil if none was
}

// search is a search for the person's account.
type search struct {
	at      time.Time // when it began
	keys    connector.Keys
	matches []connector.Match
	err     error
}

// outsetOf returns nil if what is decided does not have the step, or the breaker does not let it
// pass.
func (e *Engine) outsetOf(ctx context.Context, d decision, req Attempt) (*outset, error) {
	gate, err := e.admit(ctx, d)
	if err != nil {
		return nil, err
	}
	open := gate.open(d.Plan)
	i := slices.IndexFunc(open, func(s plan.Step) bool { return s.Key == req.Step.Key })
	if i < 0 {
		return nil, nil //nolint:nilnil // nothing is to be done, and nothing is wrong
	}
	return &outset{d: d, step: open[i]}, nil
}

// foreseen decides as if the intent were there already, for a step that gives somebody their first
// account in an app. It reports false if it cannot: then the attempt has to find out by itself. It
// returns nil and true if the step is not to be done any more.
func (e *Engine) foreseen(call context.Context, req Attempt) (*outset, bool) {
	person, err := e.reads.person(call, e.Ledger, req.PersonID)
	if err != nil || !untried(person, req.Step.App) {
		return nil, false
	}
	for i, s := range person.Steps {
		if s.Key == req.Step.Key {
			person.Steps[i].Attempts = 1 // as the intent will show it: what is decided is the same
		}
	}
	d, err := e.decideOn(call, person)
	if err != nil || d.Person.Username == "" {
		return nil, false
	}
	from, err := e.outsetOf(call, d, req)
	return from, err == nil
}

// lookAhead decides and searches before the intent, for a step that gives somebody their first
// account in an app: what only reads has no effect there. If all of it still holds when the intent
// is written, the attempt goes by it, and the intent notes the creation too (docs/adr/0067). If only
// the person has changed, the search still counts. It returns nil for any other step, and if anything
// fails before the search: the attempt then finds the failure by itself. It reports true if the step
// is not to be done any more, so that there is nothing to attempt.
func (e *Engine) lookAhead(call context.Context, req Attempt) (from *outset, superseded bool) {
	first := req.Step.Kind == plan.Provision && !req.Step.Restore && !req.Again && req.Done == 0
	app := e.Apps[req.Step.App]
	if !first || app == nil || app.Unopened != nil || !makes(app.Connector) {
		return nil, false
	}
	if app.Soon(call, time.Now().Add(aheadWait)) != nil {
		return nil, false // by the time of the search, what was decided may not hold any more
	}
	from, known := e.foreseen(call, req)
	if from == nil {
		return nil, known
	}
	keys := from.d.Keys
	if from.search = e.kept.take(req, keys, e.oldest()); from.search != nil {
		return from, false
	}
	calls, cancel := context.WithDeadline(connector.WithStep(call, req.Token), req.Deadline)
	defer cancel()
	from.search = &search{keys: keys, at: e.Clock.Now()}
	guarded := assess.Guard(app.Connector, e.Policy, req.Step.App, req.PersonID)
	from.search.matches, from.search.err = guarded.Find(calls, keys)
	return from, false
}

// lookAgain decides anew if the person has changed since lookAhead, and nothing was tried in the
// app. The search counts still, for the same keys: the app has what it had.
func (e *Engine) lookAgain(call context.Context, req Attempt, before *outset) (from *outset, superseded bool) {
	from, known := e.foreseen(call, req)
	switch {
	case from == nil && known:
		e.kept.keep(req, before.search, e.oldest())
	case from != nil && from.d.Keys == before.search.keys:
		from.search = before.search
	default:
		return nil, false
	}
	return from, from == nil
}

// aheadWait is how long a search before the intent may have to wait, as far as is known: an app
// that has asked for a pause is searched after the intent.
const aheadWait = time.Second

// makes reports whether a step makes an account by calls to the app, rather than by a human or
// when the person signs in.
func makes(app connector.Connector) bool {
	can := app.Capabilities()
	_, asks := app.Ask(string(plan.Provision))
	return can.Create && can.Directory == "" && !asks
}

// untried reports whether nothing is known to have been tried for a person in an app.
func untried(person ledger.Person, app string) bool {
	tried := func(s ledger.Step) bool { return s.App == app && s.Attempts > 0 }
	planned := func(l ledger.Link) bool { return l.App == app && l.Untouched() }
	return slices.ContainsFunc(person.Links, planned) && !slices.ContainsFunc(person.Steps, tried)
}

// ahead returns what the intent has to find unchanged; nil if nothing was found out before it, or
// if time alone has changed since what is to be done.
func (o *outset) ahead(now time.Time, orNone bool) *ledger.Ahead {
	if o == nil {
		return nil
	}
	if due := o.d.Plan.Due.At; !due.IsZero() && !now.Before(due) {
		return nil
	}
	person := o.d.Person
	ahead := &ledger.Ahead{Revision: person.Revision, Username: person.Username, OrNone: orNone}
	if o.search.err == nil && len(o.search.matches) == 0 {
		ahead.Creating = ledger.Creation{At: now, Username: person.Username, State: ledger.CreationSent}
	}
	return ahead
}

// keptSearches keeps searches whose step was given up for another one, before anything was tried in the app:
// whoever joins while their manager does is given an account by one step, and by another one as soon as
// the manager's account is there to be named. Whether anything was tried since, the ledger says. What
// others do in the app in the meantime is not seen, so that a search is kept for no longer than keptFor.
type keptSearches struct {
	mu       sync.Mutex
	searches map[account]*search
}

// account says whose account in which app is meant.
type account struct{ personID, app string }

// keptFor is how long (real time) a search counts for another step: longer than it takes to assess
// somebody again and to begin.
const keptFor = 15 * time.Second

// oldest returns since when a search must have been begun that is still kept.
func (e *Engine) oldest() time.Time { return e.Clock.Now().Add(-e.Clock.Span(keptFor)) }

// keep keeps a search that has found nothing, and drops those that began before oldest.
func (s *keptSearches) keep(req Attempt, found *search, oldest time.Time) {
	if found.err != nil || len(found.matches) > 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.searches, func(_ account, old *search) bool { return old.at.Before(oldest) })
	if s.searches == nil {
		s.searches = map[account]*search{}
	}
	s.searches[account{req.PersonID, req.Step.App}] = found
}

// take returns the search that is kept for the same keys and not older, once; nil if there is none.
func (s *keptSearches) take(req Attempt, keys connector.Keys, oldest time.Time) *search {
	of := account{req.PersonID, req.Step.App}
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.searches[of]
	delete(s.searches, of)
	if found == nil || found.keys != keys || found.at.Before(oldest) {
		return nil
	}
	return found
}

// searches searches the app, unless that was done before the intent. Such a search counts once.
func (a *stepAttempt) searches(ctx context.Context, app connector.Connector, keys connector.Keys) ([]connector.Match, error) {
	before := a.search
	if a.search = nil; before != nil && keys == before.keys {
		return before.matches, before.err
	}
	return app.Find(ctx, keys)
}
