package policy

import (
	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"

	"github.com/tenurehq/tenure/hr"
)

// RoleAnswer tells whether a role holds for somebody, and if not, why.
type RoleAnswer struct {
	Role string
	When string // the role's condition
	// Requested means that the role has to be requested: somebody for whom the condition
	// holds may have it, and does if a grant gives it.
	Requested bool
	Holds     bool
	Failed    []string // the parts of the condition, joined by &&, that are not true
	Err       error    // the condition cannot be evaluated
	Grants    []Grant
}

// RoleNames lists the names of all roles, as the rules have them.
func (p *Policy) RoleNames() []string {
	names := make([]string, len(p.roles))
	for i := range p.roles {
		names[i] = p.roles[i].name
	}
	return names
}

// Explain returns, for every role, whether it holds for somebody with a profile. The texts of
// conditions come from the rules, and contain no data of the person.
func (p *Policy) Explain(personID string, profile *hr.Profile) []RoleAnswer {
	vars := variablesOf(Identity{PersonID: personID}, profile)
	answers := make([]RoleAnswer, 0, len(p.roles))
	for i := range p.roles {
		role := &p.roles[i]
		answer := RoleAnswer{Role: role.name, Grants: role.grants, Requested: role.request != nil}
		answer.When, _ = cel.AstToString(role.when.ast)
		holds, err := role.when.eval(vars)
		answer.Holds, answer.Err = holds == true, err
		if !answer.Holds {
			answer.Failed = role.when.failing(personID, profile)
		}
		answers = append(answers, answer)
	}
	return answers
}

// failing returns the parts of a condition that are not true, or cannot be evaluated.
func (e *expression) failing(personID string, profile *hr.Profile) []string {
	native := e.ast.NativeRep()
	var failed []string
	for _, part := range conjuncts(native.Expr()) {
		text, err := cel.ExprToString(part, native.SourceInfo())
		if err != nil {
			continue
		}
		condition, err := CompileCondition(e.path, text)
		if err != nil {
			continue
		}
		if holds, err := condition.Holds(personID, profile); err != nil || !holds {
			failed = append(failed, text)
		}
	}
	return failed
}

// conjuncts returns the parts of an expression that && joins.
func conjuncts(e ast.Expr) []ast.Expr {
	if e.Kind() != ast.CallKind || e.AsCall().FunctionName() != operators.LogicalAnd {
		return []ast.Expr{e}
	}
	var parts []ast.Expr
	for _, arg := range e.AsCall().Args() {
		parts = append(parts, conjuncts(arg)...)
	}
	return parts
}
