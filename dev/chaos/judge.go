package chaos

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"go.temporal.io/api/workflowservice/v1"

	"github.com/tenurehq/tenure/dev/topology"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/open"
)

// verdict lists what is wrong when everything has come to rest.
type verdict struct {
	accounts                int // enabled ones, and right
	admitted                int // leavers whom the breaker counted and let through
	granted                 int // requests whose access was proven
	scans                   int // that came to their end
	reviews                 int // likewise
	revoked                 int // items of reviews that were revoked, and are proven to be gone
	wrong, lost, duplicates []string
}

func (v *verdict) clean() bool { return len(v.wrong)+len(v.lost)+len(v.duplicates) == 0 }

func (v *verdict) wrongly(format string, args ...any) {
	v.wrong = append(v.wrong, fmt.Sprintf(format, args...))
}

func (v *verdict) lose(format string, args ...any) {
	v.lost = append(v.lost, fmt.Sprintf(format, args...))
}

func (v *verdict) twice(format string, args ...any) {
	v.duplicates = append(v.duplicates, fmt.Sprintf(format, args...))
}

var apps = []string{topology.AppDirectory, topology.AppWiki, topology.AppDatabase}

// judge compares everything with a history. An error means that something could
// not be looked at.
func judge(ctx context.Context, t *topology.Topology, h *history) (*verdict, error) {
	v := &verdict{}
	for _, app := range apps {
		accounts, err := t.Accounts(ctx, app)
		if err != nil {
			return nil, fmt.Errorf("look at %s: %w", app, err)
		}
		v.judgeApp(h, app, accounts)
	}
	if !v.clean() {
		return v, nil // the rest has not come to rest either
	}
	return v, errors.Join(v.judgeKafka(ctx, t), v.judgeLedger(ctx, t, h), v.judgeRuns(ctx, t))
}

// judgeApp compares the accounts of an app with what everybody must have.
func (v *verdict) judgeApp(h *history, app string, accounts []topology.Account) {
	mine := map[string][]topology.Account{}
	for _, a := range accounts {
		if _, known := h.people[a.Person]; !known {
			v.twice("%s: the account %s is nobody's (%q)", app, a.Username, a.Person)
			continue
		}
		mine[a.Person] = append(mine[a.Person], a)
	}
	for person, s := range h.people {
		if len(mine[person]) > 1 {
			v.twice("%s: person %s has %d accounts", app, person, len(mine[person]))
		}
		granted := s.granted(app)
		if granted == nil {
			for _, a := range mine[person] {
				if a.Enabled {
					v.wrongly("%s: person %s has access", app, person)
				}
				if app == topology.AppWiki && s.Ended {
					v.wrongly("%s: person %s has left, and has an account", app, person)
				}
			}
			continue
		}
		if len(mine[person]) == 0 {
			v.lose("%s: person %s has no account", app, person)
			continue
		}
		before := len(v.wrong)
		v.judgeAccount(h, app, person, granted, mine[person][0])
		if len(v.wrong) == before {
			v.accounts++
		}
	}
}

func (v *verdict) judgeAccount(h *history, app, person string, granted []string, a topology.Account) {
	s := h.people[person]
	switch {
	case !a.Enabled:
		v.wrongly("%s: the account of person %s is disabled", app, person)
	case !slices.Equal(granted, a.Groups):
		v.wrongly("%s: person %s has %v and not %v", app, person, a.Groups, granted)
	case app != topology.AppDatabase && a.Title != s.Title:
		v.wrongly("%s: person %s is %q and not %q", app, person, a.Title, s.Title)
	case app == topology.AppWiki && h.people[s.Manager].Active && a.Manager != s.Manager:
		v.wrongly("%s: the manager of person %s is %q and not %q", app, person, a.Manager, s.Manager)
	}
}

// judgeKafka checks that every record was consumed.
func (v *verdict) judgeKafka(ctx context.Context, t *topology.Topology) error {
	ends, endsErr := t.Ends(ctx, topology.TopicEvents)
	committed, committedErr := t.Committed(ctx)
	if err := errors.Join(endsErr, committedErr); err != nil {
		return err
	}
	if !maps.Equal(ends, committed) {
		v.lose("kafka: not consumed: the ends are %v, and committed is %v", ends, committed)
	}
	return nil
}

// judgeLedger checks that the ledger has every event, once, that nothing is left to
// do, and that it agrees on who has an account.
func (v *verdict) judgeLedger(ctx context.Context, t *topology.Topology, h *history) error {
	store, err := open.Open(ctx, t.LedgerURL())
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }()
	if err := errors.Join(v.judgeLetters(ctx, store, h), v.judgeGovernance(ctx, store)); err != nil {
		return err
	}
	left := 0
	for person, sent := range h.events {
		p, err := store.Person(ctx, person)
		if errors.Is(err, ledger.ErrNotFound) {
			v.lose("ledger: nothing of person %s", person)
			continue
		}
		if err != nil {
			return err
		}
		seen := map[any]bool{}
		for _, e := range p.Events {
			if seen[e.Event.EventKey] {
				v.twice("ledger: event %v", e.Event.EventKey)
			}
			seen[e.Event.EventKey] = true
		}
		for key := range sent {
			if !seen[key] {
				v.lose("ledger: event %v of person %s", key, person)
			}
		}
		for _, s := range p.Steps {
			v.wrongly("ledger: person %s has a step that is not done: %s in %s is %s %s", person, s.Kind, s.App, s.State, s.Code)
		}
		if h.people[person].Ended {
			left++
		}
		v.judgeWithdrawals(p)
	}
	if left > 0 && v.admitted == 0 {
		v.wrongly("ledger: %d people have left, and the breaker has admitted none", left)
	}
	return nil
}

// judgeLetters checks that the hostile records were put aside, and no others. A kill
// may have one put aside twice: it counts by where it was.
func (v *verdict) judgeLetters(ctx context.Context, store ledger.Ledger, h *history) error {
	letters, err := store.DeadLetters(ctx, ledger.LetterFilter{}, 0, 10_000)
	if err != nil {
		return err
	}
	refused := map[ledger.Position]bool{}
	for _, l := range letters {
		refused[l.Origin] = true
	}
	if len(refused) != h.refused {
		v.lose("kafka: %d records are dead letters, and %d should be", len(refused), h.refused)
	}
	return nil
}

// judgeWithdrawals counts who left and was let through: in the end nobody is held.
func (v *verdict) judgeWithdrawals(p ledger.Person) {
	for _, w := range p.Withdrawals {
		switch {
		case w.State == ledger.WithdrawalHeld:
			v.wrongly("ledger: person %s is held in cohort %d", p.PersonID, w.Cohort)
		case w.Kind == ledger.Leavers && (w.State == ledger.WithdrawalAdmitted || w.State == ledger.WithdrawalOver):
			v.admitted++
		}
	}
}

// judgeRuns checks that no run has failed.
func (v *verdict) judgeRuns(ctx context.Context, t *topology.Topology) error {
	c, err := t.Temporal(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	answer, err := c.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
		PageSize: 10,
		Query:    "ExecutionStatus IN ('Failed', 'TimedOut', 'Terminated', 'Canceled')",
	})
	if err != nil {
		return err
	}
	for _, run := range answer.GetExecutions() {
		v.wrongly("temporal: the run %s has ended as %s", run.GetExecution().GetWorkflowId(), run.GetStatus())
	}
	return nil
}
