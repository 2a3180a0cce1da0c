package policy

import (
	"maps"
	"slices"
)

// ASCII is ascii.
var ASCII = ascii

// PersonFields and LocationFields return the names of the fields that conditions can use.
func PersonFields() []string   { return slices.Sorted(maps.Keys(personFields())) }
func LocationFields() []string { return slices.Sorted(maps.Keys(locationFields)) }
