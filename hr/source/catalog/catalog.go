// Package catalog lists the HR systems that Tenure can listen to. A new one is
// one folder beside this one and one line here.
package catalog

import (
	"maps"
	"slices"

	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/hr/source/cloudevents"
)

// Default is the decoder of topics whose configuration names none.
const Default = "cloudevents"

var decoders = map[string]source.Decoder{
	"cloudevents": cloudevents.Decode,
}

// Lookup returns the decoder of that name, as the configuration spells it.
func Lookup(name string) (source.Decoder, bool) {
	d, ok := decoders[name]
	return d, ok
}

// Names are the names of all decoders, sorted.
func Names() []string { return slices.Sorted(maps.Keys(decoders)) }
