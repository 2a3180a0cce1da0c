package policy_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/policy"
)

// The username and address of somebody with one name, given or family, have just that name,
// without separators.
func TestPeopleWithOneName(t *testing.T) {
	for expression, want := range map[string]string{
		"": "suharti",
		"person.givenName + '.' + person.familyName":                                   "suharti",
		"person.familyName + '.' + person.givenName":                                   "suharti",
		"person.givenName":                                                             "suharti",
		"person.familyName.substring(0, 1) + person.givenName":                         "suharti",
		"person.givenName.substring(0, 3) + person.familyName.substring(0, 3)":         "suh",
		"person.givenName + '.' + person.familyName + '.ext'":                          "suharti.ext",
		"'ext.' + person.givenName + '.' + person.familyName + '.x'":                   "ext.suharti.x",
		"size(person.familyName) > 0 ? person.familyName : person.givenName":           "suharti",
		"person.givenName.substring(0, 1) + '_' + person.familyName + '-' + person.id": "suharti-42",
	} {
		p := compile(t, policy.Rules{
			Person: policy.PersonRules{
				Username: expression,
				Email:    "ascii(lower(person.givenName + '.' + person.familyName)) + '@example.com'",
			},
			Apps: map[string]policy.AppRules{"wiki": {Attributes: map[string]string{
				"displayName": "person.givenName + ' ' + person.familyName", "sorted": "person.familyName + ', ' + person.givenName",
				"familyName": "person.familyName", "given": "person.givenName", "url": "'https://wiki/' + person.givenName + person.familyName + '/'",
				"other": "lower(person.familyName + '.' + person.givenName) + '@example.org'",
			}}},
		})
		for _, profile := range []hr.Profile{{GivenName: "Suharti"}, {FamilyName: "Suharti"}} {
			name, err := p.Username("42", profile)
			require.NoError(t, err)
			assert.Equal(t, want, name, "%q %+v", expression, profile)
			email, err := p.Email(policy.Identity{PersonID: "42"}, profile)
			require.NoError(t, err)
			assert.Equal(t, "suharti@example.com", email)
			attributes, err := p.Attributes("wiki", policy.Identity{PersonID: "42"}, profile)
			require.NoError(t, err)
			same := map[string]any{"displayName": "Suharti", "sorted": "Suharti", "url": "https://wiki/Suharti/", "other": "suharti@example.org"}
			if profile.GivenName != "" {
				same["given"] = "Suharti"
			} else {
				same["familyName"] = "Suharti"
			}
			assert.Equal(t, same, attributes)
		}
	}
}
