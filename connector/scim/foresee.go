package scim

import (
	"maps"
	"slices"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/nearest"
)

func attributeNames() []string { return slices.Sorted(maps.Keys(attributes)) }

// required are the attributes without which a vendor's service makes no user, as its
// reference says, by profile. What the username stands in for is not among them.
var required = map[string][]string{
	"salesforce":          {"emails", "name.familyName"},
	"slack":               {"emails"},
	"github-org":          {"emails", "name.familyName", "name.givenName"},
	"github-emu":          {"emails"},
	"aws-identity-center": {"name.familyName", "name.givenName"},
}

func foresee(settings *connector.Values) connector.Foresight {
	f := connector.Foresight{
		Attribute: func(name string) string {
			if _, err := lookup(connector.OpCreate, name); err == nil {
				return ""
			}
			return "is no attribute that SCIM has" + hint(name)
		},
	}
	if !settings.Withholds("profile") {
		t := traitsIn(settings)
		f.Required = required[settings.Text("profile")]
		f.Entitlement = func(name string) string {
			switch _, _, valued := valuedOf(name); {
			case valued && t.noValues:
				return "cannot be granted: with this profile, users have neither roles nor entitlements of their own"
			case !valued && t.noGroups:
				return "cannot be granted: with this profile or these settings, there are no groups"
			default:
				return ""
			}
		}
	}
	return f
}

// hint says what an unknown attribute may have been meant to be.
func hint(name string) string {
	if near := nearest.Hint(name, attributeNames()); near != "" {
		return near
	}
	return "; an extension's goes by its full name (urn:...:name)"
}
