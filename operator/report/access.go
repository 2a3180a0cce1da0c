package report

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/internal/nearest"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/policy"
)

// Why says why somebody has access, or has none.
type Why struct {
	Person string    `json:"person"`
	Name   string    `json:"name,omitempty"`
	Status hr.Status `json:"status,omitempty"`
	// Positions lists the positions of somebody who holds several at once.
	Positions []Position    `json:"positions,omitempty"`
	Roles     []Role        `json:"roles"` // none if nothing that HR has said is in force
	Links     []Link        `json:"accounts"`
	Waiting   []ledger.Step `json:"steps"` // not done: under way, in attention, skipped
	Held      []string      `json:"held,omitempty"`
}

// Role says whether a role holds for somebody, and what it gives.
type Role struct {
	Role  string `json:"role"`
	Holds bool   `json:"holds"`
	// By names the exception that gives a role which has to be requested.
	By string `json:"by,omitempty"`
	// Request names the request from which that exception comes.
	Request string   `json:"request,omitempty"`
	When    string   `json:"when"`
	For     []string `json:"positions,omitempty"` // the positions that it holds for, if the person holds several
	Failed  []string `json:"failed,omitempty"`    // parts of the condition that are not true
	Error   string   `json:"error,omitempty"`
	Grants  []string `json:"grants"`
}

// grants reports whether a role gives an account in an app, or an entitlement there. An
// empty app stands for any.
func grants(answer policy.RoleAnswer, app, entitlement string) bool {
	return slices.ContainsFunc(answer.Grants, func(g policy.Grant) bool {
		return (app == "" || g.App == app) && (entitlement == "" || slices.Contains(g.Entitlements, entitlement))
	})
}

// checkEntitlement returns a *WrongError for an entitlement that no role gives and nobody has.
func checkEntitlement(rules *policy.Policy, app, entitlement string, links []ledger.Link) error {
	known := rules.Grants(app)
	for _, link := range links {
		known = append(known, link.Entitlements...)
	}
	if entitlement == "" || slices.Contains(known, entitlement) {
		return nil
	}
	text := fmt.Sprintf("no role gives an entitlement %q in %s, and nobody has it%s", entitlement, app, nearest.Hint(entitlement, known))
	return &WrongError{Field: "entitlement", Value: entitlement, Text: text}
}

// WhyOf says why a person has access now, or has none. With app, it says only what concerns
// that app; with entitlement too, it names only the roles that give it. It returns a
// *WrongError if no role gives the entitlement and the person does not have it.
func WhyOf(rules *policy.Policy, person ledger.Person, now time.Time, app, entitlement string) (Why, error) {
	if err := checkEntitlement(rules, app, entitlement, person.Links); err != nil {
		return Why{}, err
	}
	v := Why{
		Person: person.PersonID, Name: SummaryOf(person.Summary).Name(), Status: person.Status,
		Positions: PositionsOf(person, now),
		Roles:     []Role{}, Links: []Link{}, Waiting: []ledger.Step{},
	}
	for _, answer := range operator.Explain(rules, person, now) {
		if app != "" && !grants(answer.RoleAnswer, app, entitlement) {
			continue
		}
		role := Role{Role: answer.Role, Holds: answer.Holds, When: answer.When, By: answer.By, Request: answer.Request, For: answer.Positions, Failed: answer.Failed, Grants: []string{}}
		if answer.Err != nil {
			role.Error = answer.Err.Error()
		}
		for _, g := range answer.Grants {
			if app == "" || g.App == app {
				role.Grants = append(role.Grants, strings.TrimSuffix(fmt.Sprintf("%s:%s", g.App, strings.Join(g.Entitlements, ",")), ":"))
			}
		}
		v.Roles = append(v.Roles, role)
	}
	for _, link := range person.Links {
		if app == "" || link.App == app {
			v.Links = append(v.Links, LinkOf(link))
		}
	}
	for _, step := range person.Steps {
		if app == "" || step.App == "" || step.App == app {
			v.Waiting = append(v.Waiting, step)
		}
	}
	for _, w := range person.Withdrawals {
		if w.State == ledger.WithdrawalHeld && (app == "" || w.Apps == nil || slices.Contains(w.Apps, app)) {
			v.Held = append(v.Held, ledger.CohortName(w.Cohort))
		}
	}
	return v, nil
}

// Holder describes somebody who has access.
type Holder struct {
	Person       string           `json:"person"`
	Name         string           `json:"name,omitempty"`
	App          string           `json:"app"`
	Username     string           `json:"username,omitempty"`
	State        ledger.LinkState `json:"state"`
	Entitlements []string         `json:"entitlements,omitempty"`
	Roles        []string         `json:"roles"` // roles that grant it now; none if the access is kept, or about to be taken
	ProvenAt     time.Time        `json:"provenAt,omitzero"`
}

// Who yields everybody who has an enabled account in an app or, with entitlement, has that
// entitlement there, by ID. It yields a *WrongError if no role gives the entitlement and nobody
// has it.
func Who(ctx context.Context, l ledger.Reader, rules *policy.Policy, now time.Time, app, entitlement string) iter.Seq2[Holder, error] {
	return func(yield func(Holder, error) bool) {
		nobody, had := true, map[string]bool{}
		for link, err := range ledger.AllLinks(ctx, l, ledger.LinkFilter{App: app, State: ledger.LinkActive}) {
			if err == nil && entitlement != "" && !slices.Contains(link.Entitlements, entitlement) {
				for _, name := range link.Entitlements {
					had[name] = true
				}
				continue
			}
			nobody = false
			var h Holder
			if err == nil {
				h, err = holderOf(ctx, l, rules, now, link, entitlement)
			}
			if !yield(h, err) || err != nil {
				return
			}
		}
		if !nobody {
			return
		}
		if err := checkEntitlement(rules, app, entitlement, []ledger.Link{{Entitlements: slices.Sorted(maps.Keys(had))}}); err != nil {
			yield(Holder{}, err)
		}
	}
}

func holderOf(ctx context.Context, l ledger.Reader, rules *policy.Policy, now time.Time, link ledger.Link, entitlement string) (Holder, error) {
	person, err := l.Person(ctx, link.PersonID)
	if err != nil {
		return Holder{}, err
	}
	v := Holder{
		Person: link.PersonID, Name: SummaryOf(person.Summary).Name(), App: link.App, Username: link.Username,
		State: link.State, Entitlements: link.Entitlements, Roles: []string{}, ProvenAt: link.ProvenAt,
	}
	for _, answer := range operator.Explain(rules, person, now) {
		if answer.Holds && grants(answer.RoleAnswer, link.App, entitlement) {
			role := answer.Role
			if answer.By != "" {
				role += " (" + answer.By + ")"
			}
			v.Roles = append(v.Roles, role)
		}
	}
	return v, nil
}
