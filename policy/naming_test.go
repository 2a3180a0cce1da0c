package policy_test

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/policy"
)

func TestUsername(t *testing.T) {
	tests := []struct {
		name       string
		expression string // empty means the default
		id         string
		profile    hr.Profile
		want       string
	}{
		{"default", "", "42", hr.Profile{GivenName: "Ada", FamilyName: "Lovelace"}, "alovelace"},
		{"marks", "", "42", hr.Profile{GivenName: "Émile", FamilyName: "Durand-Gößling"}, "edurand-gossling"},
		{"a ligature comes whole", "", "42", hr.Profile{GivenName: "Ægir", FamilyName: "Þór"}, "aethor"},
		{"apostrophes and spaces", "", "42", hr.Profile{GivenName: "Sean", FamilyName: "O’Brien d'Arcy von Moos"}, "sobriendarcyvonmoos"},
		{"nothing left", "", "E-1042", hr.Profile{GivenName: "小龍", FamilyName: "李"}, "pe-1042"},
		{"nothing left of the ID either", "", "李", hr.Profile{GivenName: "小龍", FamilyName: "李"}, "p"},
		{"separators outside", "'-' + person.givenName + '.' + person.familyName", "42", hr.Profile{GivenName: "Ada"}, "ada"},
		{"separators inside", "person.givenName + '.' + person.familyName", "42", hr.Profile{GivenName: "Ada", FamilyName: "Love_lace"}, "ada.love_lace"},
		{"not lower case", "person.givenName + person.id", "A7", hr.Profile{GivenName: "ADA"}, "adaa7"},
		{"no slashes, wildcards, at signs", "'ad*a/@' + person.id", "7)(", hr.Profile{}, "ada7"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := compile(t, policy.Rules{Person: policy.PersonRules{Username: test.expression}})
			base, err := p.Username(test.id, test.profile)
			require.NoError(t, err)
			assert.Equal(t, test.want, base)
		})
	}
}

func TestUsernameThatFails(t *testing.T) {
	p := compile(t, policy.Rules{Person: policy.PersonRules{Username: "person.familyName + string(1 / size(person.id.substring(0, 1)))"}})
	_, err := p.Username("", hr.Profile{FamilyName: "Lovelace"})
	field := new(policy.FieldError)
	require.ErrorAs(t, err, &field)
	assert.Equal(t, "person.username", field.Path)
	assert.NotContains(t, err.Error(), "Lovelace")
}

func TestUsernamesHoldNothingStrange(t *testing.T) {
	allowed := regexp.MustCompile(`^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$`)
	p := compile(t, policy.Rules{Person: policy.PersonRules{Username: "person.givenName + person.familyName"}})
	rapid.Check(t, func(t *rapid.T) {
		base, err := p.Username(rapid.String().Draw(t, "id"), hr.Profile{
			GivenName: rapid.String().Draw(t, "given name"), FamilyName: rapid.String().Draw(t, "family name")})
		if err != nil || !allowed.MatchString(base) {
			t.Fatalf("%q, %v", base, err)
		}
	})
}

func TestEmail(t *testing.T) {
	p := compile(t, policy.Rules{})
	email, err := p.Email(policy.Identity{}, ada())
	require.NoError(t, err)
	assert.Equal(t, "ada@example.org", email)

	email, err = p.Email(policy.Identity{}, hr.Profile{})
	require.NoError(t, err)
	assert.Empty(t, email)

	p = compile(t, policy.Rules{Person: policy.PersonRules{Email: "person.username + '@' + lower(person.location.country) + '.example.com '"}})
	email, err = p.Email(policy.Identity{Username: "alovelace2"}, ada())
	require.NoError(t, err)
	assert.Equal(t, "alovelace2@gb.example.com", email)

	p = compile(t, policy.Rules{Person: policy.PersonRules{Email: "['a'][size(person.username) - 6]"}})
	_, err = p.Email(policy.Identity{}, ada())
	assert.EqualError(t, err, "person.email:1:6: cannot be evaluated for this person")
}

func TestUsernamesHaveAGreatestLength(t *testing.T) {
	long := hr.Profile{GivenName: "Maximiliane", FamilyName: "Schmidt-Oberhausener-Land"}
	for _, c := range []struct {
		person, app int
		want        string
	}{
		{0, 0, "mschmidt-oberhausener-land"},
		{20, 0, "mschmidt-oberhausene"},
		{0, 20, "mschmidt-oberhausene"},
		{63, 10, "mschmidt-o"},
		{9, 20, "mschmidt"}, // no dash at the end
	} {
		p := compile(t, policy.Rules{
			Person: policy.PersonRules{LongestUsername: c.person},
			Apps:   map[string]policy.AppRules{"directory": {LongestUsername: c.app}, "wiki": {}},
		})
		base, err := p.Username("42", long)
		require.NoError(t, err)
		assert.Equal(t, c.want, base)
	}
	_, err := policy.Compile(policy.Rules{Person: policy.PersonRules{LongestUsername: 3}})
	require.ErrorContains(t, err, "person.usernameMaxLength")
}

func TestAReservedUsernameIsNumberedWithinTheLength(t *testing.T) {
	p := compile(t, policy.Rules{
		Person: policy.PersonRules{Username: "person.familyName", LongestUsername: 6},
		Apps:   map[string]policy.AppRules{"wiki": {Protected: []string{"breakg"}}},
	})
	base, err := p.Username("42", hr.Profile{FamilyName: "breakglass"})
	require.NoError(t, err)
	assert.Equal(t, "break2", base)
}

func TestPartsOfShortNames(t *testing.T) {
	for expression, want := range map[string]string{
		"person.familyName.substring(0, 20)":                                 "o",
		"person.givenName.substring(0, 1) + person.familyName":               "o",
		"person.familyName.substring(2)":                                     "p42",
		"person.familyName.substring(5, 2) + person.id":                      "42",
		"person.familyName.substring(-1, 1)":                                 "o",
		"person.givenName.charAt(3) + person.familyName.charAt(0)":           "o",
		"lower(person.givenName + '.' + person.familyName).substring(0, 20)": "o",
		"person.familyName.charAt(9223372036854775807) + person.id":          "42",
	} {
		p := compile(t, policy.Rules{Person: policy.PersonRules{Username: expression}})
		base, err := p.Username("42", hr.Profile{FamilyName: "O"})
		require.NoError(t, err, expression)
		assert.Equal(t, want, base, expression)
	}
}

func TestAnExpressionThatFailsForSomeNamesIsRefused(t *testing.T) {
	for _, expression := range []string{
		"person.givenName.split(' ')[1]",
		"person.familyName + string(10 / (size(person.givenName) - 1))",
		"string(int(person.familyName))",
	} {
		for path, rules := range map[string]policy.PersonRules{
			"person.username": {Username: expression}, "person.email": {Email: expression},
		} {
			_, err := policy.Compile(policy.Rules{Person: rules})
			require.ErrorContains(t, err, path)
			require.ErrorContains(t, err, "fails for somebody with")
		}
	}
}
