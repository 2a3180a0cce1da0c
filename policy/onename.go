package policy

import (
	"strings"

	"github.com/tenurehq/tenure/hr"
)

// oneName reports whether somebody has one name only, a given or a family name.
func oneName(p *hr.Profile) bool { return (p.GivenName == "") != (p.FamilyName == "") }

// named evaluates an expression that names somebody. For a person with only one name, it tries
// the name as family name and as given name, and takes the longer result. So no expression
// returns just an initial.
func (p *Policy) named(is *expression, id Identity, profile hr.Profile) (string, error) {
	value, err := is.eval(variablesOf(id, &profile))
	if !oneName(&profile) {
		if err != nil {
			return "", err
		}
		return value.(string), nil
	}
	profile.GivenName, profile.FamilyName = profile.FamilyName, profile.GivenName
	other, otherErr := is.eval(variablesOf(id, &profile))
	if err != nil && otherErr != nil {
		return "", err
	}
	name, _ := value.(string) // empty if the evaluation failed
	longer, _ := other.(string)
	if name, longer = without(name), without(longer); len(longer) > len(name) {
		return longer, nil
	}
	return name, nil
}

// without removes the separators from a text for a person with one name, which an expression
// made for a given and a family name: "Suharti " and ", Suharti" become Suharti, and
// .suharti@example.com becomes suharti@example.com.
func without(text string) string {
	text = strings.Trim(text, " ,;")
	local, domain, isAddress := strings.Cut(text, "@")
	if !isAddress || strings.ContainsAny(text, " \t/:") || strings.Contains(domain, "@") {
		return text
	}
	local = strings.Trim(local, "._-")
	for strings.Contains(local, "..") {
		local = strings.ReplaceAll(local, "..", ".")
	}
	return local + "@" + domain
}
