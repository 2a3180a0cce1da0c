package provision

import (
	"context"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/tenurehq/tenure/internal/set"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/plan"
)

// Held describes a change that the breaker holds because too many people were to lose
// access, or be given more, at once. Its JSON is part of workflow histories.
type Held struct {
	Cohort string    `json:"cohort"`         // "c-12"
	Kind   string    `json:"kind"`           // ledger.WithdrawalKind
	App    string    `json:"app,omitempty"`  // empty: an end of access that is announced
	Step   plan.Kind `json:"step,omitempty"` // the kind of the step that is held
	Key    string    `json:"key,omitempty"`  // the key of the step
}

// gate holds the steps of a decision that the breaker does not let pass.
type gate struct {
	shut   map[string]bool // the keys of steps that must not be applied now
	held   []Held
	settle time.Duration // product time until something may be admitted; zero if nothing waits
}

// admitAll does what admit does, and tells the ledger which withdrawals are no longer
// asked for.
func (e *Engine) admitAll(ctx context.Context, d decision) (gate, error) {
	asks := d.withdrawals()
	return e.ask(ctx, d, asks, d.lapsed(asks))
}

// admit asks the breaker to let pass what the decision takes or gives. It makes no call if
// all of that was decided before.
func (e *Engine) admit(ctx context.Context, d decision) (gate, error) {
	return e.ask(ctx, d, d.withdrawals(), nil)
}

func (e *Engine) ask(ctx context.Context, d decision, asks []withdrawal, gone []ledger.Withdrawal) (gate, error) {
	known := withdrawalsOf(d.Person)
	now := e.Clock.Now() // it goes on even while notBefore returns a later time
	request := ledger.AdmissionRequest{PersonID: d.Person.PersonID, At: now, Gone: gone}
	if e.Breaker != nil && d.planned() && slices.ContainsFunc(asks, func(ask withdrawal) bool { return undecided(ask, known, now) }) {
		request.Limits = *e.Breaker
		for _, ask := range asks {
			request.Asks = append(request.Asks, ask.Ask)
		}
	}
	settles := map[withdrawalID]time.Time{}
	if len(request.Asks)+len(request.Gone) > 0 {
		answer, err := e.Ledger.Admit(ctx, request)
		if err != nil {
			return gate{}, err
		}
		for i, w := range answer.Withdrawals {
			known[withdrawalID{w.Kind, w.Key}] = w
			settles[withdrawalID{w.Kind, w.Key}] = answer.SettlesAt[i]
		}
		for _, c := range answer.Opened {
			e.Log.Warn("too many at once: a mass change is held, nothing of it was done; release or cancel it",
				zap.String("cohort", c.Name()), zap.String("kind", string(c.Kind)), zap.Int("people", c.Counted), zap.Int("allowed", c.Allowed))
		}
	}
	g := e.gate(d, asks, known)
	for _, at := range settles {
		if wait := at.Sub(now); !at.IsZero() && (g.settle == 0 || wait < g.settle) {
			g.settle = wait
		}
	}
	return g, nil
}

// withdrawalID identifies a withdrawal among those of one person.
type withdrawalID struct {
	kind ledger.WithdrawalKind
	key  string
}

func withdrawalsOf(p ledger.Person) map[withdrawalID]ledger.Withdrawal {
	return set.Index(p.Withdrawals, func(w ledger.Withdrawal) withdrawalID { return withdrawalID{w.Kind, w.Key} })
}

// undecided reports whether the ledger has to be asked about a withdrawal. One that is
// admitted, held or refused stays so; one that is announced is asked for again when it is
// due.
func undecided(ask withdrawal, known map[withdrawalID]ledger.Withdrawal, now time.Time) bool {
	w, ok := known[withdrawalID{ask.Kind, ask.Key}]
	switch {
	case !ok, w.SeenAt.IsZero(), w.State == ledger.WithdrawalWaiting:
		return true
	case w.State == ledger.WithdrawalAnnounced:
		return !ask.DueAt.After(now)
	}
	return false
}

// gate returns the steps of the decision that must not be applied: those of withdrawals
// that are not admitted, and the steps that need them.
func (e *Engine) gate(d decision, asks []withdrawal, known map[withdrawalID]ledger.Withdrawal) gate {
	g := gate{shut: map[string]bool{}}
	cohortOf := map[string]ledger.Withdrawal{} // by step key: the withdrawal that is held
	enough := map[string]bool{}                // by step key: one of its causes is admitted
	for _, ask := range asks {
		for _, key := range ask.either {
			enough[key] = enough[key] || e.letsPass(known[withdrawalID{ask.Kind, ask.Key}])
		}
	}
	for _, ask := range asks {
		w := known[withdrawalID{ask.Kind, ask.Key}]
		if e.letsPass(w) {
			continue
		}
		waits := slices.DeleteFunc(slices.Concat(ask.steps, ask.either), func(key string) bool { return enough[key] })
		for _, key := range waits {
			g.shut[key] = true
			if w.State == ledger.WithdrawalHeld {
				cohortOf[key] = w
			}
		}
		if w.State == ledger.WithdrawalHeld && len(ask.steps)+len(ask.either) == 0 {
			g.held = append(g.held, Held{Cohort: ledger.CohortName(w.Cohort), Kind: string(w.Kind)})
		}
	}
	for _, s := range d.Plan.Steps {
		// The breaker is asked for a deletion once the account is off.
		if e.Breaker != nil && s.Kind == plan.Delete && len(s.Needs) > 0 && d.link(s.App).State == ledger.LinkActive {
			g.shut[s.Key] = true
		}
	}
	for again := true; again; {
		again = false
		for _, s := range d.Plan.Steps {
			for _, need := range s.Needs {
				if g.shut[need] && !g.shut[s.Key] {
					g.shut[s.Key], again = true, true
					if w, ok := cohortOf[need]; ok {
						cohortOf[s.Key] = w
					}
				}
			}
		}
	}
	for _, s := range d.Plan.Steps {
		if w, ok := cohortOf[s.Key]; ok {
			g.held = append(g.held, Held{Cohort: ledger.CohortName(w.Cohort), Kind: string(w.Kind), App: s.App, Step: s.Kind, Key: s.Key})
		}
	}
	return g
}

// letsPass reports whether a withdrawal may be done. One that is held or refused stays so
// when the breaker is turned off.
func (e *Engine) letsPass(w ledger.Withdrawal) bool {
	if e.Breaker == nil {
		return w.State != ledger.WithdrawalHeld && w.State != ledger.WithdrawalRefused
	}
	return w.State == ledger.WithdrawalAdmitted
}

// open returns the steps of a plan that may be applied now. If all of an app's steps have to wait,
// what has ended by itself there does not.
func (g gate) open(p plan.Plan) []plan.Step {
	var open []plan.Step
	for _, s := range p.Steps {
		if !g.shut[s.Key] {
			open = append(open, s)
		}
	}
	for _, s := range p.Ended {
		if !slices.ContainsFunc(open, func(other plan.Step) bool { return other.App == s.App }) {
			open = append(open, s)
		}
	}
	return open
}
