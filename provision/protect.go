package provision

import (
	"slices"

	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/plan"
)

// asksAbout reports whether an operator is asked about a step that is withheld because the
// person or the account is protected. For steps that take access they always are. For one
// that gives access they are if only the account is protected, and the person has none.
func (d decision) asksAbout(s plan.Step) bool {
	switch s.Kind {
	case plan.Disable, plan.Delete:
		return true
	case plan.Provision:
		return !d.protected && d.link(s.App).State != ledger.LinkDisabled
	}
	return false
}

// withheldBecause returns the message that says what was not done, why, and what to do.
func (d decision) withheldBecause(s plan.Step) string {
	what := map[plan.Kind]string{
		plan.Disable: "the account would be turned off", plan.Delete: "the account would be deleted", plan.Provision: "there would be an account",
	}[s.Kind] + " (" + s.Why + "), but "
	switch {
	case d.protected:
		what += "the person is protected, so that nothing was done"
	case s.Kind == plan.Provision:
		what += "the account of their username is protected, so that nothing was done"
	default:
		what += "it is protected, so that nothing was done"
	}
	return what + ": do by hand what has to be done, then skip this; or change the configuration (protected), and retry"
}

// withheld returns the audit rows of withheld steps: one when the operator is first asked.
func (d decision) withheld(questions []Attention) []ledger.AuditRow {
	var rows []ledger.AuditRow
	for _, s := range d.Plan.Withheld {
		key := protectedKey + s.Key
		asked := slices.ContainsFunc(questions, func(q Attention) bool { return q.Key == key })
		known := slices.ContainsFunc(d.Person.Steps, func(k ledger.Step) bool { return k.Key == key })
		if asked && !known {
			rows = append(rows, ledger.AuditRow{
				App: s.App, Action: "withheld", Actor: "tenure", Cause: d.cause(s),
				Detail: map[string]any{"step": s.Kind, "protected": map[bool]string{true: "person", false: "account"}[d.protected]},
			})
		}
	}
	return rows
}
