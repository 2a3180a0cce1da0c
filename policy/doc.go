// Package policy says what access a person should have: birthright roles,
// attribute mappings and naming, as CEL expressions over the person, with
// retention, lead time and overlap per app.
//
// All expressions are compiled and type-checked by Compile; evaluating them has
// no side effects and needs no clock but the instant it is given. Policy knows
// nothing of what accounts exist: comparing is the plan package's job.
//
// It may import hr, CEL and the standard library.
package policy
