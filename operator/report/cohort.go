package report

import (
	"cmp"
	"context"
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

// ReadCohort reads everything that is known about a cohort.
func ReadCohort(ctx context.Context, o *operator.Viewer, cohort ledger.Cohort) (CohortScreen, error) {
	v := CohortScreen{
		CohortSummary: CohortSummaryOf(cohort), People: []Held{},
		ByApp: map[string]int{}, BySource: map[string]int{}, ByCause: map[string]int{},
	}
	seen := map[string]bool{}
	countOnce := func(counts map[string]int, what, person, name string) {
		if key := what + "\x00" + person + "\x00" + name; name != "" && !seen[key] {
			seen[key] = true
			counts[name]++
		}
	}
	err := o.EachWithdrawal(ctx, cohort.ID, func(w ledger.Withdrawal) error {
		person, err := o.Ledger.Person(ctx, w.PersonID)
		if err != nil {
			return err
		}
		apps := w.Apps
		if len(apps) == 0 { // no assessment has seen it yet
			for _, link := range person.Links {
				apps = append(apps, link.App)
			}
		}
		who := SummaryOf(person.Summary)
		v.People = append(v.People, Held{
			Person: w.PersonID, Name: who.Name(), Department: who.Department, State: w.State, Why: cmp.Or(w.Why, unseen[w.Kind]), Apps: apps,
			Source: w.Event.Source, Event: w.Event.ID, Received: w.SaidAt, Due: w.DueAt,
		})
		for _, app := range apps {
			countOnce(v.ByApp, "app", w.PersonID, app)
		}
		countOnce(v.BySource, "source", w.PersonID, w.Event.Source)
		countOnce(v.ByCause, "cause", w.PersonID, cmp.Or(w.Why, unseen[w.Kind]))
		return nil
	})
	return v, err
}
