package operator

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tenurehq/tenure/ledger"
)

// decisionBatch is about how many people one transaction decides.
const decisionBatch = 100

// Cohort returns the cohort of a name (c-12). If there is none, the error lists those
// that are open.
func (v *Viewer) Cohort(ctx context.Context, name string) (ledger.Cohort, error) {
	if id, ok := ledger.CohortID(name); ok {
		found, err := v.Ledger.Cohorts(ctx, ledger.CohortFilter{ID: id})
		if err != nil {
			return ledger.Cohort{}, err
		}
		if len(found) == 1 {
			return found[0], nil
		}
	}
	open, err := v.Ledger.Cohorts(ctx, ledger.CohortFilter{Open: true})
	if err != nil {
		return ledger.Cohort{}, err
	}
	if len(open) == 0 {
		return ledger.Cohort{}, refuse(fmt.Sprintf("there is no cohort %q; nothing is held now (tenure breaker list --all)", name), "")
	}
	names := make([]string, len(open))
	for i, cohort := range open {
		names[i] = cohort.Name()
	}
	return ledger.Cohort{}, refuse(fmt.Sprintf("there is no cohort %q; held now: %s", name, strings.Join(names, ", ")), "")
}

// Held lists the people for whom a cohort holds something, sorted by ID: all of them, or
// those who are named. It refuses the name of a person for whom the cohort holds nothing.
func (v *Viewer) Held(ctx context.Context, cohort ledger.Cohort, people ...string) ([]string, error) {
	var held []string
	for w, err := range ledger.AllWithdrawals(ctx, v.Ledger, cohort.ID) {
		if err != nil {
			return nil, err
		}
		if w.State == ledger.WithdrawalHeld && !slices.Contains(held[max(0, len(held)-1):], w.PersonID) {
			held = append(held, w.PersonID)
		}
	}
	if len(people) == 0 {
		return held, nil
	}
	for _, id := range people {
		if !slices.Contains(held, id) {
			return nil, refuse(fmt.Sprintf("cohort %s holds nothing of person %q (tenure breaker show %[1]s)", cohort.Name(), id), "")
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(people))), nil
}

// DecideCohort decides what becomes of the changes of people that a cohort holds: they
// take effect (Release), or are discarded (Cancel). It returns the number of people for
// whom it has decided; after a failure it can be called again for the others. It reports
// its progress to deciding, and then to telling.
func (o *Operator) DecideCohort(ctx context.Context, v Verb, r Request, cohort ledger.Cohort, people []string, deciding, telling Progress) (int, error) {
	if err := v.Check(r); err != nil {
		return 0, err
	}
	d := ledger.CohortDecision{Cohort: cohort.ID, Verb: ledger.VerbRelease, Operator: r.Actor, Reason: r.Reason}
	was := "released"
	if v == Cancel {
		d.Verb, was = ledger.VerbCancel, "cancelled"
	}
	done := 0
	for batch := range slices.Chunk(people, decisionBatch) {
		d.People, d.At = batch, o.Clock.Now()
		if _, err := o.ledger.DecideCohort(ctx, d); err != nil {
			return done, err
		}
		done += len(batch)
		deciding.add(len(batch))
	}
	return done, o.tellKnown(ctx, was+" of "+cohort.Name(), people, telling)
}
