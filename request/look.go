package request

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/tenurehq/tenure/assess"
	"github.com/tenurehq/tenure/internal/set"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/policy"
)

// State says where a request stands, and when to look at it again. It is written into workflow
// histories, and holds no personal data.
type State struct {
	Phase Phase     `json:"phase,omitempty"`
	Next  string    `json:"next,omitempty"` // what is awaited: "vote r-12", "confirm r-12", "grant x-12"
	Due   time.Time `json:"due,omitzero"`   // until when, or from when on
	// Wait is the real time after which to look again.
	Wait time.Duration `json:"wait,omitempty"`
	Over bool          `json:"over,omitempty"` // nothing is left to do
}

// Phase says what a request waits for.
type Phase string

// The phases.
const (
	Waiting   Phase = "waiting"   // somebody is asked, and has time to answer
	Attention Phase = "attention" // nobody can decide, or what was granted does not come about
	Scheduled Phase = "scheduled" // the grant begins later
	Applying  Phase = "applying"  // what was granted is not there yet
)

const (
	// atMost is the time after which a request is looked at again, whatever it waits for: who
	// decides may have changed.
	atMost = 6 * time.Hour
	// leastWait is the shortest time (real time) after which a request is looked at again.
	leastWait = time.Second
	// firstWait is how long (real time) the access that was granted has to come about before
	// it is looked for. Then it is looked for after half of the time that it is late.
	firstWait = 2 * time.Second
)

// Keeper is the part of the ledger by which a request is kept up to date.
type Keeper interface {
	ChangeRequest(ctx context.Context, c ledger.RequestChange) (ledger.Request, error)
	LookAgainAt(ctx context.Context, requestID, revision int64, at time.Time) error
}

// tries is how often a request is read again because it was changed meanwhile.
const tries = 10

// Look finds out what has become of a request, and stores it: it may have expired, others may
// have to be asked, or what was granted may be there. It is told the time by the Desk's clock
// only, so that it does not matter when, or how often, it is called.
func (d Desk) Look(ctx context.Context, keeper Keeper, id int64) (State, error) {
	for range tries {
		state, err := d.look(ctx, keeper, id)
		if !errors.Is(err, ledger.ErrStale) {
			return state, err
		}
	}
	return State{}, ledger.ErrStale
}

// look is Look, if nobody changes the request meanwhile.
func (d Desk) look(ctx context.Context, keeper Keeper, id int64) (State, error) {
	found, err := d.Registry.Requests(ctx, ledger.RequestFilter{ID: id}, 0, 1)
	if err != nil {
		return State{}, err
	}
	if len(found) == 0 || found[0].LookAt.IsZero() {
		return State{Over: true}, nil
	}
	l := &looking{desk: d, now: d.Clock.Now(), was: found[0], is: found[0]}
	if l.terms, err = Terms(l.was); err != nil {
		return State{}, err
	}
	if l.person, err = d.person(ctx, l.was.PersonID); err != nil {
		return State{}, err
	}
	l.is.LookAt = time.Time{}
	if l.was.Undecided() {
		if err := l.undecided(ctx); err != nil {
			return State{}, err
		}
	}
	if err := l.granted(ctx); err != nil {
		return State{}, err
	}
	return l.state, l.save(ctx, keeper)
}

// looking holds the state of one look at a request.
type looking struct {
	desk   Desk
	now    time.Time
	terms  policy.RequestRules
	person ledger.Person
	was    ledger.Request
	is     ledger.Request
	change ledger.RequestChange // Action is empty if nothing has changed but the time of the next look
	state  State
}

// again sets the next look to an instant, unless there is an earlier one.
func (l *looking) again(at time.Time) {
	if least := l.now.Add(l.desk.Clock.Span(leastWait)); at.Before(least) {
		at = least
	}
	if l.is.LookAt.IsZero() || at.Before(l.is.LookAt) {
		l.is.LookAt = at
	}
}

// changed notes what has become of the request. What is noted first is what the record says.
func (l *looking) changed(action, cause string) {
	if l.change.Action == "" {
		l.change.Action, l.change.Cause = action, cause
	}
}

// ended notes that the request has ended by itself.
func (l *looking) ended(state ledger.RequestState, why string) {
	l.is.State, l.is.Why, l.is.DecidedAt = state, why, l.now
	l.changed("request_"+string(state), why)
}

// Why a request ends by itself.
const (
	whyExpired    = "nobody answered in time"
	whyEmployment = "the employment has ended"
)

// undecided looks at a request about which somebody has to say something.
func (l *looking) undecided(ctx context.Context) error {
	if l.is.State == ledger.RequestAsked {
		_, employed := assess.Employment(assess.TimelineOf(l.person), l.now)
		switch {
		case !employed:
			l.ended(ledger.RequestCancelled, whyEmployment)
			return nil
		case !l.is.ExpiresAt.After(l.now):
			l.ended(ledger.RequestExpired, whyExpired)
			return nil
		}
	}
	l.remind()
	deciders, err := l.desk.Deciders(ctx, l.is)
	if err != nil {
		return err
	}
	if err := l.ask(ctx, deciders); err != nil {
		return err
	}
	l.again(l.now.Add(atMost))
	late := !l.is.ExpiresAt.After(l.now)
	if !late {
		l.again(l.is.ExpiresAt)
	}
	l.state.Phase, l.state.Next, l.state.Due = Waiting, "vote "+l.is.Name(), l.is.ExpiresAt
	if l.is.State == ledger.RequestConfirming {
		l.state.Next = "confirm " + l.is.Name()
	}
	if late || len(deciders) == 0 {
		l.state.Phase = Attention
	}
	return nil
}

// remind reminds those who are asked if it is time to, and the first time escalates. The time
// between two reminders doubles. An emergency escalates when it should have been confirmed.
func (l *looking) remind() {
	every, from := l.terms.Escalate, l.is.StageAt
	if l.is.Emergency {
		every, from = atMost, l.is.ExpiresAt.Add(-atMost)
	}
	if every <= 0 {
		return
	}
	at := func(n int) time.Time { return from.Add(every << min(n, 10)) }
	if next := at(l.is.Reminders); next.After(l.now) {
		l.again(next)
		return
	}
	for !at(l.is.Reminders).After(l.now) {
		l.is.Reminders++
	}
	l.change.Remind = true
	if l.is.EscalatedAt.IsZero() {
		l.is.EscalatedAt = l.now
		l.changed("request_escalated", "nobody has answered so far")
	} else {
		l.changed("request_reminded", "nobody has answered so far")
	}
	l.again(at(l.is.Reminders))
}

// ask notes who is to be asked, and who no longer is.
func (l *looking) ask(ctx context.Context, deciders []Decider) error {
	votes, err := l.desk.Registry.Votes(ctx, l.is.ID)
	if err != nil {
		return err
	}
	said, err := l.desk.Said(ctx, l.is)
	if err != nil {
		return err
	}
	asked := map[string]ledger.Vote{}
	for _, v := range votes {
		if v.Stage == l.is.Stage {
			asked[v.Voter] = v
		}
	}
	for _, d := range deciders {
		if slices.ContainsFunc(said, func(v ledger.Vote) bool { return v.Voter == d.PersonID }) {
			continue // they have answered, perhaps under another ID
		}
		if v, ok := asked[d.PersonID]; !ok || !v.MootAt.IsZero() || v.Authority != d.Authority {
			l.change.Asked = append(l.change.Asked, ledger.Vote{Voter: d.PersonID, Authority: d.Authority})
		}
		delete(asked, d.PersonID)
	}
	for voter, v := range asked {
		if v.Vote == "" && v.MootAt.IsZero() {
			l.change.Moot = append(l.change.Moot, voter)
		}
	}
	if slices.Sort(l.change.Moot); len(l.change.Asked)+len(l.change.Moot) > 0 {
		l.changed("request_reassigned", "others decide now")
	}
	return nil
}

// granted looks for what the request has given. Until it is there, or over, the request is not.
func (l *looking) granted(ctx context.Context) error {
	if l.is.Exception == 0 || !l.is.ProvenAt.IsZero() {
		return nil
	}
	found, err := l.desk.Registry.Exceptions(ctx, ledger.ExceptionFilter{ID: l.is.Exception}, 0, 1)
	if err != nil || len(found) == 0 {
		return err
	}
	x := found[0]
	if x.Kind == string(policy.ExceptWaive) {
		return nil // it gives nothing by itself
	}
	over := !x.EndedAt.IsZero() || !x.EndsAt.After(l.now)
	switch {
	case over:
	case x.StartsAt.After(l.now):
		l.again(x.StartsAt.Add(l.desk.Clock.Span(firstWait)))
		l.shows(Scheduled, x, x.StartsAt)
	case Proven(l.person.Links, l.desk.Policy.RoleGrants(x.Role)):
		l.is.ProvenAt = l.now
		l.changed("request_proven", x.Name())
	default:
		late := l.now.Sub(x.StartsAt)
		l.again(l.now.Add(min(max(l.desk.Clock.Span(firstWait), late/2), atMost)))
		l.again(x.EndsAt)
		phase := Applying
		if l.hindered(x) {
			phase = Attention
		}
		l.shows(phase, x, x.EndsAt)
	}
	return nil
}

// shows shows that a grant is awaited, unless somebody's word is awaited too.
func (l *looking) shows(phase Phase, x ledger.Exception, due time.Time) {
	if l.state.Phase == "" {
		l.state.Phase, l.state.Next, l.state.Due = phase, "grant "+x.Name(), due
	}
}

// hindered reports whether a grant does not come about by itself: a step in one of its apps
// needs attention, or the role's condition does not hold any more.
func (l *looking) hindered(x ledger.Exception) bool {
	for _, s := range l.person.Steps {
		if s.State == ledger.StepAttention && slices.ContainsFunc(l.desk.Policy.RoleGrants(x.Role), func(g policy.Grant) bool { return g.App == s.App }) {
			return true
		}
	}
	identity := policy.Identity{PersonID: l.person.PersonID, Username: l.person.Username}
	return !l.desk.Policy.Eligible(x.Role, assess.TimelineOf(l.person), l.now, identity)
}

// Proven reports whether accounts have, as their apps have shown, all that a role gives.
func Proven(links []ledger.Link, grants []policy.Grant) bool {
	for _, g := range grants {
		i := slices.IndexFunc(links, func(l ledger.Link) bool { return l.App == g.App })
		if i < 0 || links[i].State != ledger.LinkActive || len(set.Minus(g.Entitlements, links[i].Entitlements)) > 0 {
			return false
		}
	}
	return len(grants) > 0
}

// save stores what has changed.
func (l *looking) save(ctx context.Context, keeper Keeper) error {
	l.state.Over = l.is.LookAt.IsZero()
	if !l.state.Over {
		l.state.Wait = l.desk.Clock.Wait(l.is.LookAt.Sub(l.now))
	}
	if l.change.Action != "" {
		l.change.Request, l.change.At, l.change.Actor = l.is, l.now, ledger.ActorTenure
		_, err := keeper.ChangeRequest(ctx, l.change)
		return err
	}
	return keeper.LookAgainAt(ctx, l.is.ID, l.is.Revision, l.is.LookAt)
}
