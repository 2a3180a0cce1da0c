// Package catalog lists the kinds of HR system that Tenure can listen to. A new
// one is one folder beside this one and one line here.
package catalog

import (
	"slices"
	"strings"

	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/hr/source/bamboohr"
	"github.com/tenurehq/tenure/hr/source/cloudevents"
	"github.com/tenurehq/tenure/hr/source/rippling"
	"github.com/tenurehq/tenure/hr/source/workday"
)

// Default is the kind of a topic for which the configuration names no kind.
const Default = "cloudevents"

var kinds = []source.Kind{
	bamboohr.Kind,
	cloudevents.Kind,
	rippling.Kind,
	workday.Kind,
}

// Kinds returns every kind, sorted by name.
func Kinds() []source.Kind {
	return slices.SortedFunc(slices.Values(kinds), func(a, b source.Kind) int {
		return strings.Compare(a.Name, b.Name)
	})
}

// Lookup returns the kind with a name, as the configuration spells it.
func Lookup(name string) (source.Kind, bool) {
	i := slices.IndexFunc(kinds, func(k source.Kind) bool { return k.Name == name })
	if i < 0 {
		return source.Kind{}, false
	}
	return kinds[i], true
}

// Names returns the names of all kinds, sorted.
func Names() []string {
	names := make([]string, 0, len(kinds))
	for _, k := range Kinds() {
		names = append(names, k.Name)
	}
	return names
}
