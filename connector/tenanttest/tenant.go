package tenanttest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/catalog"
	"github.com/tenurehq/tenure/connector/connectortest"
)

// Prefix begins the environment variables. Each setting of a kind has one: privateKey is read
// from TENURE_TENANT_PRIVATE_KEY.
const Prefix = "TENURE_TENANT_"

// The variables that are no settings.
const (
	varConfirm    = Prefix + "CONFIRM"
	varGroups     = Prefix + "GROUPS"
	varAttributes = Prefix + "ATTRIBUTES"
	varAlways     = Prefix + "ALWAYS"
	varPause      = Prefix + "PAUSE"
	varPart       = Prefix + "PART"
	varDeviations = Prefix + "DEVIATIONS"
)

// Tenant is what the environment says of a tenant.
type Tenant struct {
	Kind     connector.Kind
	Settings connector.Settings
	// Named is the value of the setting that says which tenant it is.
	Named string
	// Groups are two entitlements that the tenant has, and that the accounts are given.
	Groups [2]string
	// Attributes are two attributes that take any text.
	Attributes [2]string
	// Always are the attributes that every account is made with. {mark} stands for a text
	// that no other account has.
	Always map[string]any
	// Pause is how long to wait after a change before the tenant is asked about it.
	Pause time.Duration
	// Part says which part of the kind is tried: "profile slack"; empty for all of it.
	Part string
	// MaxText is how long a text the first of Attributes takes; 0 is the suite's.
	MaxText int
	// Deviations are the known ways in which the service falls short of the contract.
	Deviations map[connectortest.Deviation]string
}

// prepared says of a kind how the suite is run on a tenant.
type prepared struct {
	named      string // the setting that says which tenant it is
	attributes [2]string
	maxText    int // how long a text the first of them takes; 0 is the suite's
	always     map[string]any
	pause      time.Duration
	deviations map[connectortest.Deviation]string
}

// kinds are the kinds that the suite can be run for.
var kinds = map[string]prepared{
	"activedirectory": {
		named: "people", attributes: [2]string{"description", "department"}, maxText: 1000, pause: time.Second,
		deviations: map[connectortest.Deviation]string{
			connectortest.UsernamesRestricted: "sAMAccountName takes no plus and no quotation mark (MS-SAMR section 3.1.1.6)",
		},
	},
	"atlassian": {
		named: "orgID", attributes: [2]string{"title", "department"}, // which the connector never sets
		pause: 20 * time.Second,
		deviations: map[connectortest.Deviation]string{
			connectortest.NoExternalID:   "Atlassian keeps none in its directories",
			connectortest.NoInactive:     "an invitation gives access",
			connectortest.UsernamesPlain: "usernames become addresses",
			connectortest.UsernamesHeld:  "an address belongs to the deleted account for 14 days (ID-7244)",
		},
	},
	"entra": {
		named: "tenant", attributes: [2]string{"streetAddress", "jobTitle"}, maxText: 1024, pause: 20 * time.Second,
		deviations: map[connectortest.Deviation]string{connectortest.UsernamesPlain: "a userPrincipalName holds A to Z, digits and a few signs"},
	},
	"google": {
		named: "domain", attributes: [2]string{"title", "department"}, pause: 20 * time.Second,
		always:     map[string]any{"givenName": "Test", "familyName": "Account"},
		deviations: map[connectortest.Deviation]string{connectortest.UsernamesPlain: "an address holds A to Z, digits and a few signs"},
	},
	"okta": {
		named: "url", attributes: [2]string{"title", "department"}, pause: 2 * time.Second,
		always: map[string]any{"firstName": "Test", "lastName": "Account", "email": "{mark}@example.com"},
	},
	"onelogin": {
		named: "url", attributes: [2]string{"title", "department"}, pause: 2 * time.Second,
		always: map[string]any{"email": "{mark}@example.com"},
	},
	"zoom": {named: "accountID", attributes: [2]string{"display_name", "dept"}, pause: 2 * time.Second},
	"scim": {named: "url", attributes: [2]string{"title", "department"}, pause: time.Second},
}

// refused says why the suite is not run on a tenant of a kind.
var refused = map[string]string{
	"github": "it would invite people of GitHub's whom nobody asked. Configure the app, and run: tenure app test NAME --write, with a login of yours",
	"salesforce": "an org deletes no users, so what the suite makes would stay there for ever, and take licences. " +
		"Configure the app, and run: tenure app test NAME --write, which leaves one frozen user",
}

// FromEnv returns what the environment says of a tenant of a kind. Its error names each
// variable that is missing or wrong, and never a value.
func FromEnv(name string, lookup func(string) (string, bool)) (Tenant, error) {
	if why, ok := refused[name]; ok {
		return Tenant{}, fmt.Errorf("the suite is not run on a tenant of the kind %s: %s", name, why)
	}
	how, ok := kinds[name]
	if !ok {
		return Tenant{}, fmt.Errorf("the suite is prepared for: %s; not for %q", strings.Join(slices.Sorted(maps.Keys(kinds)), ", "), name)
	}
	kind, _ := catalog.Lookup(name)
	r := reader{lookup: lookup}
	t := Tenant{
		Kind: kind, Settings: r.settings(kind), Part: r.text(varPart),
		Groups: r.pair(varGroups, [2]string{}), Attributes: r.pair(varAttributes, how.attributes),
		Pause: r.duration(varPause, how.pause), Always: r.values(varAlways, how.always),
		MaxText: how.maxText, Deviations: maps.Clone(how.deviations),
	}
	for deviation, why := range r.values(varDeviations, nil) {
		if t.Deviations == nil {
			t.Deviations = map[connectortest.Deviation]string{}
		}
		t.Deviations[connectortest.Deviation(deviation)] = fmt.Sprint(why)
	}
	t.Named, _ = t.Settings[how.named].(string)
	switch confirm, _ := lookup(varConfirm); {
	case t.Named == "": // said already, since it is required
	case confirm == "":
		r.reject(varConfirm, "is not set: set it to the same as "+variable(how.named)+", if accounts may be made and deleted in that tenant. Never take one that people work with")
	case confirm != t.Named:
		r.reject(varConfirm, "names another tenant than "+variable(how.named))
	}
	if len(r.problems) > 0 {
		return Tenant{}, fmt.Errorf("the environment does not say what is needed:\n- %s", strings.Join(r.problems, "\n- "))
	}
	return t, nil
}

// variable returns the name of the variable of a setting.
func variable(setting string) string {
	var name strings.Builder
	name.WriteString(Prefix)
	lower := false
	for _, r := range setting {
		if unicode.IsUpper(r) && lower {
			name.WriteByte('_')
		}
		lower = unicode.IsLower(r)
		name.WriteRune(unicode.ToUpper(r))
	}
	return name.String()
}

// reader reads variables, and collects what is wrong with them.
type reader struct {
	lookup   func(string) (string, bool)
	problems []string
}

func (r *reader) reject(name, why string) { r.problems = append(r.problems, name+" "+why) }

func (r *reader) text(name string) string {
	text, _ := r.lookup(name)
	return text
}

func (r *reader) pair(name string, otherwise [2]string) [2]string {
	text := r.text(name)
	if text == "" {
		if otherwise[0] == "" {
			r.reject(name, `is not set: two that the tenant has, as in "staff,engineers"`)
		}
		return otherwise
	}
	pair := strings.Split(text, ",")
	if len(pair) != 2 || pair[0] == "" || pair[1] == "" || pair[0] == pair[1] {
		r.reject(name, "has to name two, with a comma between")
		return otherwise
	}
	return [2]string(pair)
}

func (r *reader) duration(name string, otherwise time.Duration) time.Duration {
	text := r.text(name)
	if text == "" {
		return otherwise
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		r.reject(name, `is no duration such as "20s"`)
	}
	return d
}

func (r *reader) values(name string, otherwise map[string]any) map[string]any {
	text := r.text(name)
	if text == "" {
		return otherwise
	}
	var values map[string]any
	if err := json.Unmarshal([]byte(text), &values); err != nil {
		r.reject(name, `is no JSON object such as {"lastName": "Account"}`)
	}
	return values
}

// settings returns the settings of a kind, as a configuration would have them.
func (r *reader) settings(kind connector.Kind) connector.Settings {
	set := connector.Settings{}
	for _, s := range kind.Settings {
		name := variable(s.Name)
		text := r.text(name)
		if text == "" {
			if s.Required {
				r.reject(name, "is not set: "+s.Text)
			}
			continue
		}
		value, why := parsed(s, text)
		if why != "" {
			r.reject(name, why)
		}
		set[s.Name] = value
	}
	return set
}

// parsed returns a setting of a type, or what is wrong with its text.
func parsed(s connector.Setting, text string) (value any, why string) {
	switch s.Type {
	case connector.TypeBool:
		value, err := strconv.ParseBool(text)
		if err != nil {
			return nil, "is neither true nor false"
		}
		return value, ""
	case connector.TypeInt:
		value, err := strconv.Atoi(text)
		if err != nil {
			return nil, "is no whole number"
		}
		return value, ""
	case connector.TypeTexts:
		var list []any
		for item := range strings.SplitSeq(text, ",") {
			list = append(list, item)
		}
		return list, ""
	case connector.TypeMap, connector.TypeSettings:
		var mapping map[string]any
		if err := json.Unmarshal([]byte(text), &mapping); err != nil {
			return nil, "is no JSON object"
		}
		return mapping, ""
	}
	return text, ""
}
