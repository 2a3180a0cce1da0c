package cloudevents

import (
	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/internal/settings"
)

// Kind is the catalog's entry. Senders of CloudEvents set the key themselves: the
// format says that it is the worker ID. It has no settings.
var Kind = source.Kind{
	Name:    "cloudevents",
	Summary: "Tenure's own event format: CloudEvents 1.0 over Kafka",
	Connect: func(*settings.Values) (source.Source, error) {
		return source.Source{Decode: Decode, Identify: Identify}, nil
	},
}
