package rippling

import (
	"time"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/internal/remote"
	"github.com/tenurehq/tenure/internal/settings"
)

// Kind is the catalog's entry.
var Kind = source.Kind{
	Name:    "rippling",
	Summary: "Rippling's webhooks for partner applications",
	Key:     key,
	Settings: append(source.MappingSettings("/rippling"),
		settings.Setting{Name: "token", Type: settings.TypeSecret, Text: "API key or access token that may read employees. Required to use webhooks, because they only name employees."},
		settings.Setting{Name: "url", Type: settings.TypeText, Default: "https://api.rippling.com", Text: "Base URL of the API."},
		remote.Plaintext,
		settings.Setting{Name: "timeout", Type: settings.TypeDuration, Default: 15 * time.Second, Text: "How long one call of the API may take."},
		settings.Setting{Name: "attributes", Type: settings.TypeMap, Text: "More fields to keep: maps an attribute to a field, with dots for inner fields (customFields.Shirt). Policy sees them as person.attributes."},
	),
	Connect: connect,
}

// words maps Rippling's employment types to person types.
var words = map[string]hr.PersonType{
	"CONTRACTOR": hr.TypeContractor, "TEMP": hr.TypeTemporary, "INTERN": hr.TypeIntern,
	"SALARIED_FT": hr.TypeEmployee, "SALARIED_PT": hr.TypeEmployee, "HOURLY_FT": hr.TypeEmployee, "HOURLY_PT": hr.TypeEmployee,
}

// system is one configured Rippling company.
type system struct {
	mapping    source.Mapping
	attributes map[string]string // attribute -> field
	fetches    bool
}

func connect(set *settings.Values) (source.Source, error) {
	sys := &system{mapping: source.ReadMapping(set, words), attributes: set.Map("attributes"), fetches: set.Has("token")}
	base := remote.BaseURL(set, "url")
	opened := source.Source{Decode: sys.decode, Snapshot: true}
	if sys.fetches {
		opened.Fetch = (&fetcher{http: remote.NewHTTPClient(set.Duration("timeout")), answers: remote.NewAnswersOfHR(), base: base, token: set.Secret("token")}).fetch
	}
	return opened, nil
}
