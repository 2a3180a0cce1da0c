package policy

import (
	"maps"
	"slices"
)

// ASCII is ascii.
var ASCII = ascii

// PersonFields and LocationFields name what conditions see.
func PersonFields() []string   { return slices.Sorted(maps.Keys(personFields())) }
func LocationFields() []string { return slices.Sorted(maps.Keys(locationFields)) }
