package cloudevents

import "github.com/tenurehq/tenure/hr/source"

// Kind is the catalog's entry. Senders of CloudEvents set the key themselves: the
// format says that it is the worker ID.
var Kind = source.Kind{
	Name:    "cloudevents",
	Summary: "Tenure's own event format: CloudEvents 1.0 over Kafka",
	Open:    open,
}

// open knows no settings.
func open(settings source.Settings) (source.Source, error) {
	if err := source.ReadSettings(settings).Err(); err != nil {
		return source.Source{}, err
	}
	return source.Source{Decode: Decode}, nil
}
