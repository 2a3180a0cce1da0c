// Package plan compares the access that policy wants with the accounts that are
// linked, and returns the ordered steps that make the accounts match the policy.
//
// Make is a pure function: the same input gives the same plan, to the byte. Once a plan
// is applied, planning again gives no steps.
//
// It may import hr, policy and the standard library.
package plan
