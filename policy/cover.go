package policy

import (
	"errors"
	"fmt"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"

	"github.com/tenurehq/tenure/hr"
)

// Covered is something that somebody has, as the condition that selects what a review covers sees
// it.
type Covered struct {
	Because     string // why they have it: see review.Kind
	App         string
	Entitlement string // empty: the account
	Role        string // the role that gives it; empty if none does
	Duty        string
	Risk        Risk
	Flags       []string
}

// Cover is a compiled condition that selects what a review covers. It can use what conditions of
// roles can use, and item. It never changes and is safe for concurrent use.
type Cover struct{ when *expression }

var itemType = cel.ObjectType("tenure.Item")

var itemFields = fields{
	"because":     text(func(c *Covered) string { return c.Because }),
	"app":         text(func(c *Covered) string { return c.App }),
	"entitlement": text(func(c *Covered) string { return c.Entitlement }),
	"role":        text(func(c *Covered) string { return c.Role }),
	"duty":        text(func(c *Covered) string { return c.Duty }),
	"risk":        text(func(c *Covered) string { return string(c.Risk) }),
	"flags": {
		Type:  cel.ListType(cel.StringType),
		IsSet: func(target any) bool { return len(target.(*Covered).Flags) > 0 },
		GetFrom: func(target any) (any, error) {
			return types.NewStringList(types.DefaultTypeAdapter, target.(*Covered).Flags), nil
		},
	},
}

// CompileCover compiles a condition over item and person. The error joins a *FieldError, with
// the given path, for every fault in it.
func CompileCover(path, source string) (*Cover, error) {
	scope, err := newScope(personFields(), cel.Variable("item", itemType))
	if err != nil {
		return nil, fmt.Errorf("policy: preparing CEL: %w", err)
	}
	var found problems
	when := scope.compile(path, source, boolean, &found)
	if len(found) > 0 {
		return nil, errors.Join(found...)
	}
	return &Cover{when: when}, nil
}

// Holds reports whether the condition holds for something that somebody has. The profile is nil
// if it is nobody's. An error is a *FieldError.
func (c *Cover) Holds(item Covered, personID string, profile *hr.Profile) (bool, error) {
	if profile == nil {
		profile = &hr.Profile{}
	}
	vars := variablesOf(Identity{PersonID: personID}, profile)
	vars.item = object{itemType, &item}
	result, err := c.when.eval(vars)
	if err != nil {
		return false, err
	}
	return result.(bool), nil
}

// AppOwner returns the IDs of the people who answer for an app.
func (p *Policy) AppOwner(name string) []string {
	if app, ok := p.apps[name]; ok && len(app.Owner) > 0 {
		return app.Owner
	}
	return p.Fallback()
}

// DutyOwner returns the IDs of the people who answer for a rule of separation of duties.
func (p *Policy) DutyOwner(name string) []string {
	if duty, ok := p.Duty(name); ok && len(duty.Owner) > 0 {
		return duty.Owner
	}
	return p.Fallback()
}

// Condition returns the condition of a role, as an expression; empty if there is no such role.
func (p *Policy) Condition(name string) string {
	role := p.role(name)
	if role == nil {
		return ""
	}
	text, _ := cel.AstToString(role.when.ast)
	return text
}
