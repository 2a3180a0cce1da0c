package report

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/policy"
)

// Evidence holds what HR said about a person, and what was done because of it.
type Evidence struct {
	Person string    `json:"person"`
	Name   string    `json:"name,omitempty"`
	Status hr.Status `json:"status,omitempty"`
	At     time.Time `json:"at"` // when this was put together
	// Unfinished counts the steps and questions of all apps that are not done.
	Unfinished int               `json:"unfinished"`
	Said       []Event           `json:"events"`   // HR's events, as received
	Timeline   []Entry           `json:"timeline"` // the events, merged
	Letters    []Letter          `json:"deadLetters,omitempty"`
	Apps       []AppEvidence     `json:"apps"`
	General    []EvidenceStep    `json:"steps,omitempty"`  // questions, which are about no app
	Record     []ledger.AuditRow `json:"record,omitempty"` // what was done in no app
	CarriedTo  string            `json:"carriedTo,omitempty"`
	Earlier    []string          `json:"earlier,omitempty"`
	Held       []HeldChange      `json:"held,omitempty"`
}

// HeldChange describes a mass change that holds something of the person.
type HeldChange struct {
	Cohort string                `json:"cohort"`
	Kind   ledger.WithdrawalKind `json:"kind"`
	Why    string                `json:"why"`
	Apps   []string              `json:"apps,omitempty"`
}

// AppEvidence holds what had to be done in one app, and what was done.
type AppEvidence struct {
	App     string            `json:"app"`
	Account *Link             `json:"account,omitempty"` // none if Tenure never knew of one
	Off     *operator.Off     `json:"off,omitempty"`     // of people whose employment is over
	Steps   []EvidenceStep    `json:"steps"`
	Record  []ledger.AuditRow `json:"record"`
}

// EvidenceStep describes a step, whatever became of it.
type EvidenceStep struct {
	ledger.Step
	FinishedAt time.Time `json:"finishedAt,omitzero"`
}

// EvidenceOf collects what the ledger knows of a person.
func EvidenceOf(ctx context.Context, l ledger.Reader, rules *policy.Policy, id string, now time.Time) (Evidence, error) {
	person, err := operator.FindPerson(ctx, l, id)
	if err != nil {
		return Evidence{}, err
	}
	operators, err := operator.SecuredBy(ctx, l, person)
	if err != nil {
		return Evidence{}, err
	}
	steps, err := ledger.Collect(ledger.AllSteps(ctx, l, ledger.StepFilter{PersonID: id}))
	if err != nil {
		return Evidence{}, err
	}
	record, err := ledger.Collect(ledger.AllAudit(ctx, l, id, 0))
	if err != nil {
		return Evidence{}, err
	}
	timeline := TimelineOf(person, operators, now)
	v := Evidence{
		Person: id, Name: SummaryOf(person.Summary).Name(), Status: timeline.Status, At: now,
		Said: timeline.Events, Timeline: timeline.Entries, Apps: []AppEvidence{}, CarriedTo: person.CarriedTo,
	}
	for _, e := range person.Earlier {
		v.Earlier = append(v.Earlier, e.PersonID)
	}
	for _, letter := range person.Letters {
		v.Letters = append(v.Letters, LetterOf(letter))
	}
	for _, w := range person.Withdrawals {
		if w.State == ledger.WithdrawalHeld {
			v.Held = append(v.Held, HeldChange{ledger.CohortName(w.Cohort), w.Kind, w.Why, w.Apps})
		}
	}
	apps := map[string]*AppEvidence{}
	of := func(app string) *AppEvidence {
		if apps[app] == nil {
			apps[app] = &AppEvidence{App: app, Steps: []EvidenceStep{}, Record: []ledger.AuditRow{}}
		}
		return apps[app]
	}
	due := operator.EndedAt(person, now)
	for _, link := range person.Links {
		account := LinkOf(link)
		account.Protected = rules.ProtectsPerson(id) || rules.ProtectsAccount(link.App, link.AccountID, link.Username)
		of(link.App).Account = &account
		if !due.IsZero() {
			of(link.App).Off = operator.OffOf(link, due)
		}
	}
	slices.SortStableFunc(steps, func(a, b ledger.Step) int { return a.PlannedAt.Compare(b.PlannedAt) })
	for _, s := range steps {
		step := EvidenceStep{s, s.FinishedAt}
		if s.State == ledger.StepOpen || s.State == ledger.StepAttention {
			v.Unfinished++
		}
		if s.App == "" {
			v.General = append(v.General, step)
			continue
		}
		of(s.App).Steps = append(of(s.App).Steps, step)
	}
	for _, row := range record {
		if row.App == "" {
			v.Record = append(v.Record, row)
			continue
		}
		of(row.App).Record = append(of(row.App).Record, row)
	}
	for _, app := range apps {
		v.Apps = append(v.Apps, *app)
	}
	slices.SortFunc(v.Apps, func(a, b AppEvidence) int { return cmp.Compare(a.App, b.App) })
	return v, nil
}
