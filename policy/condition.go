package policy

import (
	"errors"
	"fmt"

	"github.com/tenurehq/tenure/hr"
)

// Condition is a compiled condition over person that is not part of the rules. It can use the
// same names as the conditions of roles. It never changes and is safe for concurrent use.
type Condition struct{ when *expression }

// CompileCondition compiles a condition. The error joins a *FieldError, with the given path,
// for every fault in it.
func CompileCondition(path, source string) (*Condition, error) {
	scopes, err := newScopes()
	if err != nil {
		return nil, fmt.Errorf("policy: preparing CEL: %w", err)
	}
	var found problems
	when := scopes.facts.compile(path, source, boolean, &found)
	if len(found) > 0 {
		return nil, errors.Join(found...)
	}
	return &Condition{when: when}, nil
}

// Holds reports whether the condition holds for somebody. An error is a *FieldError.
func (c *Condition) Holds(personID string, profile *hr.Profile) (bool, error) {
	result, err := c.when.eval(variablesOf(Identity{PersonID: personID}, profile))
	if err != nil {
		return false, err
	}
	return result.(bool), nil
}
