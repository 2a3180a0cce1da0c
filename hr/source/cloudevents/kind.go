package cloudevents

import (
	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/internal/settings"
)

// Kind is the catalog's entry. It has no settings.
var Kind = source.Kind{
	Name:    "cloudevents",
	Summary: "Tenure's own event format: CloudEvents 1.0 over Kafka",
	Key:     key,
	Connect: func(*settings.Values) (source.Source, error) {
		return source.Source{Decode: Decode, Identify: Identify}, nil
	},
}

// key returns the subject, which is the person's ID. A producer that writes to Kafka sets
// the key itself; a webhook has none.
func key(r source.Record) string {
	doc, refusal := envelope(r)
	if refusal != nil {
		return ""
	}
	fields, _ := doc.(map[string]any)
	subject, _ := fields["subject"].(string)
	return subject
}
