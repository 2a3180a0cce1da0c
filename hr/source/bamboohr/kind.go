package bamboohr

import (
	"net/url"
	"regexp"
	"time"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/internal/remote"
	"github.com/tenurehq/tenure/internal/settings"
)

// Kind is the catalog's entry.
var Kind = source.Kind{
	Name:    "bamboohr",
	Summary: "BambooHR's webhooks, event-based or field-based, as JSON",
	Key:     key,
	Settings: append(source.MappingSettings("/bamboohr"),
		settings.Setting{Name: "companyDomain", Type: settings.TypeText, Text: "COMPANY of COMPANY.bamboohr.com, to fetch employees whom a webhook only names."},
		settings.Setting{Name: "url", Type: settings.TypeText, Text: "Base URL of the API, instead of the one of companyDomain."},
		remote.Plaintext,
		settings.Setting{Name: "apiKey", Type: settings.TypeSecret, Text: "API key of a user who may see the employees and fields. Without it Tenure fetches nothing: webhooks must be field-based and post all that is needed."},
		settings.Setting{Name: "timeout", Type: settings.TypeDuration, Default: defaultTimeout, Text: "How long one call of the API may take."},
		settings.Setting{Name: "fields", Type: settings.TypeMap, Text: "Fields that the webhook or the account names differently: maps BambooHR's API name to that name."},
		settings.Setting{Name: "attributes", Type: settings.TypeMap, Text: "More fields to keep: maps an attribute to a field, as the webhook or the API names it. Policy sees them as person.attributes."},
	),
	Connect: connect,
}

const defaultTimeout = 15 * time.Second

// words maps the employment statuses of a new BambooHR account, and other common ones, to
// person types.
var words = map[string]hr.PersonType{
	"Full-Time": hr.TypeEmployee, "Part-Time": hr.TypeEmployee, "Employee": hr.TypeEmployee,
	"Contractor": hr.TypeContractor, "Intern": hr.TypeIntern, "Internship": hr.TypeIntern,
	"Temporary": hr.TypeTemporary, "Seasonal": hr.TypeTemporary,
	"Furloughed": hr.TypeEmployee, "Leave": hr.TypeEmployee,
}

// system is one configured BambooHR account.
type system struct {
	mapping    source.Mapping
	names      map[string]string // API name of a field -> what the webhook or account calls it
	attributes map[string]string // attribute -> API name of a field
	fetches    bool
}

func connect(set *settings.Values) (source.Source, error) {
	sys := &system{
		mapping:    source.ReadMapping(set, words),
		names:      fieldNames(set),
		attributes: set.Map("attributes"),
	}
	base := baseURL(set)
	switch {
	case !set.Has("apiKey") && set.Has("companyDomain"):
		set.Reject("apiKey", "is missing: companyDomain alone fetches nothing")
	case set.Has("apiKey") && base == nil && !set.Has("url"):
		set.Reject("companyDomain", "is missing: apiKey alone fetches nothing")
	}
	opened := source.Source{Decode: sys.decode, Snapshot: true}
	if set.Has("apiKey") {
		sys.fetches = true
		opened.Fetch = (&fetcher{
			http: remote.NewHTTPClient(set.Duration("timeout")), answers: remote.NewAnswersOfHR(), base: base, apiKey: set.Secret("apiKey"), fields: sys.wanted(),
			startsLater: func(answer []byte) bool { return sys.startsLater(answer, hr.DateOf(time.Now().UTC())) },
		}).fetch
	}
	return opened, nil
}

var domainForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,62}$`)

// baseURL returns the address of the account's API: the setting url, else
// https://COMPANY.bamboohr.com. It returns nil if neither is set.
func baseURL(set *settings.Values) *url.URL {
	text, domain := set.Text("url"), set.Text("companyDomain")
	switch {
	case domain != "" && !domainForm.MatchString(domain):
		set.Reject("companyDomain", "must be the first part of the account's host name: COMPANY of COMPANY.bamboohr.com")
		return nil
	case text == "" && domain == "":
		return nil
	case text == "":
		return &url.URL{Scheme: "https", Host: domain + ".bamboohr.com"}
	}
	return remote.BaseURL(set, "url")
}
