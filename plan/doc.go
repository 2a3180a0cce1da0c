// Package plan compares the access that policy wants with the accounts that are
// linked, and gives the ordered steps that make the one into the other.
//
// Make is a pure function: same input, same plan, to the byte. Applying a plan
// and planning again gives nothing.
//
// It may import hr, policy and the standard library.
package plan
