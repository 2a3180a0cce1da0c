package report

import (
	"cmp"
	"context"
	"iter"
	"time"

	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
)

// CohortSummary describes a cohort for people and programs.
type CohortSummary struct {
	Cohort   string                `json:"cohort"`
	Kind     ledger.WithdrawalKind `json:"kind"`
	State    ledger.CohortState    `json:"state"`
	Held     int                   `json:"held"`
	People   int                   `json:"total"` // those held and those decided about
	Counted  int                   `json:"counted"`
	Allowed  int                   `json:"allowed"`
	OpenedAt time.Time             `json:"openedAt"`
	ClosedAt time.Time             `json:"closedAt,omitzero"`
	Operator string                `json:"operator,omitempty"`
	Login    string                `json:"login,omitempty"`
	Reason   string                `json:"reason,omitempty"`
}

// CohortSummaryOf describes a cohort of the ledger.
func CohortSummaryOf(c ledger.Cohort) CohortSummary {
	return CohortSummary{
		Cohort: c.Name(), Kind: c.Kind, State: c.State, Held: c.Held, People: c.People, Counted: c.Counted, Allowed: c.Allowed,
		OpenedAt: c.OpenedAt, ClosedAt: c.ClosedAt, Operator: c.Operator, Login: c.Login, Reason: c.Reason,
	}
}

// CohortScreen holds everything that is known about a cohort.
type CohortScreen struct {
	CohortSummary
	ByApp    map[string]int `json:"byApp"` // people
	BySource map[string]int `json:"bySource"`
	ByCause  map[string]int `json:"byCause"`
	People   []Held         `json:"people"`
}

// Held describes one withdrawal of a cohort.
type Held struct {
	Person     string                 `json:"person"`
	Name       string                 `json:"name,omitempty"`
	Department string                 `json:"department,omitempty"`
	State      ledger.WithdrawalState `json:"state"`
	Why        string                 `json:"why"`
	Apps       []string               `json:"apps"`
	Source     string                 `json:"source,omitempty"`
	Event      string                 `json:"event,omitempty"`
	Received   time.Time              `json:"receivedAt,omitzero"`
	Due        time.Time              `json:"dueAt,omitzero"`
}

// unseen describes, by kind, a withdrawal that no assessment has seen yet.
var unseen = map[ledger.WithdrawalKind]string{ledger.Leavers: "access ends", ledger.Suspensions: "suspended"}

// CountCohort reads a cohort, and counts its people by app, source and cause. It leaves People empty:
// see HeldBy. It holds what it knows of one person at a time, and reports its progress in people.
func CountCohort(ctx context.Context, l ledger.Reader, cohort ledger.Cohort, progress operator.Progress) (CohortScreen, error) {
	v := CohortScreen{
		CohortSummary: CohortSummaryOf(cohort), People: []Held{},
		ByApp: map[string]int{}, BySource: map[string]int{}, ByCause: map[string]int{},
	}
	person, seen := "", map[[2]string]bool{}
	countOnce := func(counts map[string]int, what, name string) {
		if key := [2]string{what, name}; name != "" && !seen[key] {
			seen[key] = true
			counts[name]++
		}
	}
	for w, err := range ledger.AllWithdrawals(ctx, l, cohort.ID) {
		if err != nil {
			return v, err
		}
		if w.PersonID != person {
			person = w.PersonID
			clear(seen)
			if progress != nil {
				progress(1)
			}
		}
		apps := w.Apps
		if len(apps) == 0 {
			of, err := l.Person(ctx, w.PersonID)
			if err != nil {
				return v, err
			}
			apps = appsOf(of)
		}
		for _, app := range apps {
			countOnce(v.ByApp, "app", app)
		}
		countOnce(v.BySource, "source", w.Event.Source)
		countOnce(v.ByCause, "cause", cmp.Or(w.Why, unseen[w.Kind]))
	}
	return v, nil
}

// appsOf lists the apps that a withdrawal may concern if no assessment has seen it yet.
func appsOf(person ledger.Person) (apps []string) {
	for _, link := range person.Links {
		apps = append(apps, link.App)
	}
	return apps
}

// HeldBy yields what a cohort holds or has held, by person.
func HeldBy(ctx context.Context, l ledger.Reader, cohort ledger.Cohort) iter.Seq2[Held, error] {
	return func(yield func(Held, error) bool) {
		for w, err := range ledger.AllWithdrawals(ctx, l, cohort.ID) {
			var h Held
			if err == nil {
				h, err = heldOf(ctx, l, w)
			}
			if !yield(h, err) || err != nil {
				return
			}
		}
	}
}

func heldOf(ctx context.Context, l ledger.Reader, w ledger.Withdrawal) (Held, error) {
	person, err := l.Person(ctx, w.PersonID)
	if err != nil {
		return Held{}, err
	}
	apps := w.Apps
	if len(apps) == 0 {
		apps = appsOf(person)
	}
	who := SummaryOf(person.Summary)
	return Held{
		Person: w.PersonID, Name: who.Name(), Department: who.Department, State: w.State, Why: cmp.Or(w.Why, unseen[w.Kind]), Apps: apps,
		Source: w.Event.Source, Event: w.Event.ID, Received: w.SaidAt, Due: w.DueAt,
	}, nil
}
