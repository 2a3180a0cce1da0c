package operator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"golang.org/x/time/rate"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/provision"
)

// ErrNothingToRepair means that nothing that was selected needs attention (any more).
var ErrNothingToRepair = errors.New("nothing of this person needs attention")

// errPolicy refuses to skip the evaluation of policy.
var errPolicy = errors.New("policy cannot be evaluated for this person, which cannot be skipped: " +
	"mend the rule and restart the workers, or have HR mend the profile; then retry")

// Attention selects the steps and questions of one person that need attention. Empty
// fields match all.
type Attention struct {
	PersonID string
	App      string
	Key      string
	Keys     []string // any of these
}

// Retry has the person's run try again what needs attention, and returns the keys of
// these steps and questions. It decides nothing while runs cannot be told.
func (o *Operator) Retry(ctx context.Context, r Request, a Attention) ([]string, error) {
	return o.repair(ctx, Retry, r, a)
}

// Skip decides that what needs attention is not to be done, and returns the keys of
// these steps and questions. It decides nothing while runs cannot be told.
func (o *Operator) Skip(ctx context.Context, r Request, a Attention) ([]string, error) {
	return o.repair(ctx, Skip, r, a)
}

func (o *Operator) repair(ctx context.Context, v Verb, r Request, a Attention) ([]string, error) {
	if err := v.Check(r); err != nil {
		return nil, err
	}
	if err := o.Ready(ctx); err != nil {
		return nil, err
	}
	person, err := o.Ledger.Person(ctx, a.PersonID)
	if errors.Is(err, ledger.ErrNotFound) {
		return nil, ErrNothingToRepair
	}
	if err != nil {
		return nil, err
	}
	steps, err := a.in(person.Steps, v)
	if err != nil {
		return nil, err
	}
	var keys []string
	for _, step := range steps {
		if err := o.ledger.Act(ctx, o.action(v, r, a.PersonID, step.Key)); err != nil {
			return keys, err
		}
		keys = append(keys, step.Key)
	}
	return keys, o.tellKnown(ctx, "repaired by an operator", []string{a.PersonID}, nil)
}

// in lists the steps and questions that are selected.
func (a Attention) in(steps []ledger.Step, v Verb) ([]ledger.Step, error) {
	var open, selected []ledger.Step
	for _, s := range steps {
		if s.State != ledger.StepAttention {
			continue
		}
		open = append(open, s)
		if (a.App == "" || a.App == s.App) && (a.Key == "" || a.Key == s.Key) &&
			(len(a.Keys) == 0 || slices.Contains(a.Keys, s.Key)) {
			selected = append(selected, s)
		}
	}
	switch {
	case len(open) == 0:
		return nil, ErrNothingToRepair
	case len(selected) == 0:
		keys := make([]string, len(open))
		for i, s := range open {
			keys[i] = s.Key
		}
		return nil, fmt.Errorf("%w like that; what does: %s", ErrNothingToRepair, strings.Join(keys, ", "))
	}
	if v == Skip {
		if selected = Skippable(selected); len(selected) == 0 {
			return nil, errPolicy
		}
	}
	return selected, nil
}

// Skippable returns the steps and questions that may be skipped. An operator cannot skip
// the evaluation of policy: nothing is done for somebody until it succeeds.
func Skippable(steps []ledger.Step) []ledger.Step {
	return slices.DeleteFunc(slices.Clone(steps), func(s ledger.Step) bool { return s.Code == provision.CodePolicy })
}

// action returns the decision about one key, as the ledger records it.
func (o *Operator) action(v Verb, r Request, personID, key string) ledger.Action {
	verb := ledger.VerbRetry
	if v == Skip {
		verb = ledger.VerbSkip
	}
	app, _, isStep := strings.Cut(key, "/")
	conflict := provision.Waivable(key)
	if conflict || !isStep {
		app = ""
	}
	return ledger.Action{
		Verb: verb, PersonID: personID, Key: key, App: app, Conflict: conflict,
		Operator: r.Actor, Reason: r.Reason, At: o.Clock.Now(),
	}
}

// leaving lists the statuses of people whose access ends, and staying those of the
// others.
var (
	leaving = []hr.Status{hr.StatusEnded, hr.StatusSuspended, hr.StatusUnknown}
	staying = []hr.Status{hr.StatusUpcoming, hr.StatusActive, hr.StatusOnLeave}
)

// InAttention lists the steps and questions of everybody that need attention, match the
// filter (whose States and Statuses are set here) and belong to a change; plan.None
// matches every change.
func (v *Viewer) InAttention(ctx context.Context, f ledger.StepFilter, change plan.Change) ([]ledger.Step, error) {
	f.States = []ledger.StepState{ledger.StepAttention}
	wanted := func(ledger.Step) bool { return true }
	isJoiners := func(s ledger.Step) bool { return s.Kind == string(plan.Provision) }
	switch change {
	case plan.Leaver:
		f.Statuses = leaving
	case plan.Joiner:
		f.Statuses, wanted = staying, isJoiners
	case plan.Mover:
		f.Statuses, wanted = staying, func(s ledger.Step) bool { return !isJoiners(s) }
	}
	all, err := ledger.Collect(ledger.AllSteps(ctx, v.Ledger, f))
	return slices.DeleteFunc(all, func(s ledger.Step) bool { return !wanted(s) }), err
}

// repairers is how many people are repaired at the same time.
const repairers = 16

// Repaired counts what a repair of many people has done.
type Repaired struct {
	Steps   int `json:"steps"`   // steps that were repaired
	Settled int `json:"settled"` // people for whom nothing needed attention any more
	People  int `json:"people"`  // people that were processed
}

// RepairAll retries or skips (v) steps of many people, at most perSecond people a
// second. After an interruption it can be called again: what was repaired does not need
// attention any more.
func (o *Operator) RepairAll(ctx context.Context, v Verb, r Request, steps []ledger.Step, perSecond rate.Limit, p Progress) (Repaired, error) {
	if err := v.Check(r); err != nil {
		return Repaired{}, err
	}
	if err := o.Ready(ctx); err != nil {
		return Repaired{}, err
	}
	keys := map[string][]string{}
	var ids []string
	for _, s := range steps {
		if keys[s.PersonID] == nil {
			ids = append(ids, s.PersonID)
		}
		keys[s.PersonID] = append(keys[s.PersonID], s.Key)
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var (
		mu    sync.Mutex
		total Repaired
		all   sync.WaitGroup
	)
	work := make(chan string)
	for range min(repairers, len(ids)) {
		all.Go(func() {
			for id := range work {
				done, err := o.repair(ctx, v, r, Attention{PersonID: id, Keys: keys[id]})
				if err != nil && !errors.Is(err, ErrNothingToRepair) {
					stop(fmt.Errorf("person %s: %w", id, err))
					continue
				}
				mu.Lock()
				total.People++
				total.Steps += len(done)
				if len(done) == 0 {
					total.Settled++
				}
				p.add(1)
				mu.Unlock()
			}
		})
	}
	limit := rate.NewLimiter(perSecond, 1)
	for _, id := range ids {
		if limit.Wait(ctx) != nil {
			break
		}
		work <- id
	}
	close(work)
	all.Wait()
	return total, context.Cause(ctx)
}
