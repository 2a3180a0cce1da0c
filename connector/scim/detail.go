package scim

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// attributeWords are the names of attributes that an error's detail may name, by their
// lower case. No other word of a detail is ever repeated: it may be somebody's name.
var attributeWords = func() map[string]string {
	words := map[string]string{}
	for _, name := range slices.Concat(slices.Collect(maps.Keys(attributes)), []string{
		"userName", "externalId", "active", "name", "password", "addresses", "ims", "photos", "roles", "entitlements",
		"x509Certificates", "familyName", "givenName", "formatted", "middleName", "honorificPrefix", "honorificSuffix",
		"schemas", "members", "groups",
	}) {
		words[strings.ToLower(name)] = name
	}
	return words
}()

var (
	detailWord = regexp.MustCompile(`[A-Za-z][A-Za-z0-9]*(\.[A-Za-z][A-Za-z0-9]*)?`)
	aboutOne   = regexp.MustCompile(`(?i)\b(attributes?|fields?|property|properties|parameters?|required|mandatory|missing|must|cannot be (empty|blank|null))\b`)
	saysAbsent = regexp.MustCompile(`(?i)\b(required|mandatory|missing|must be (present|provided|given|set|specified)|cannot be (empty|blank|null)|not (provided|present|specified))\b`)
)

// namedIn returns the attribute that an error's detail names, and whether it says that
// it has to be there. A word such as "name" or "title" counts only where the detail tells
// of an attribute.
func namedIn(detail string) (name string, missing bool) {
	plain := ""
	for _, word := range detailWord.FindAllString(detail, -1) {
		known, ok := attributeWords[strings.ToLower(word)]
		if !ok {
			// "emails.value", and "User.emails"
			first, last, _ := strings.Cut(word, ".")
			if known, ok = attributeWords[strings.ToLower(first)]; !ok {
				if known, ok = attributeWords[strings.ToLower(last)]; !ok {
					continue
				}
			}
		}
		if strings.ToLower(known) != known {
			name = known // "userName" is no word of a sentence
			break
		}
		if plain == "" {
			plain = known
		}
	}
	if name == "" && aboutOne.MatchString(detail) {
		name = plain
	}
	return name, name != "" && saysAbsent.MatchString(detail)
}
