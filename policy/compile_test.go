package policy_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/policy"
)

// wiki returns rules with one app that maps an attribute by the given expression.
func wiki(expression string) policy.Rules {
	return policy.Rules{Apps: map[string]policy.AppRules{
		"wiki": {Attributes: map[string]string{"title": expression}},
	}}
}

func when(expression string) policy.Rules {
	return policy.Rules{Roles: []policy.Role{{Name: "everyone", When: expression}}}
}

func TestCompileRefuses(t *testing.T) {
	two := func(roles ...policy.Role) policy.Rules {
		return policy.Rules{Apps: map[string]policy.AppRules{"wiki": {}, "directory": {}}, Roles: roles}
	}
	tests := []struct {
		name  string
		rules policy.Rules
		want  string
	}{
		{"unknown field", wiki("person.jobTitel"),
			`apps.wiki.attributes.title:1:8: there is no field "jobTitel" here; did you mean person.jobTitle?`},
		{"unknown field of the location", wiki("person.location.contry"),
			`apps.wiki.attributes.title:1:17: there is no field "contry" here; did you mean person.location.country?`},
		{"field looked for in the wrong place", wiki("person.country"),
			`apps.wiki.attributes.title:1:8: there is no field "country" here; did you mean person.location.country?`},
		{"unknown field of the manager", wiki("manager.acount"),
			`apps.wiki.attributes.title:1:9: there is no field "acount" here; did you mean manager.account?`},
		{"field like no other", wiki("person.shoeSize"),
			`apps.wiki.attributes.title:1:8: there is no field "shoeSize" here`},
		{"unknown variable", wiki("persn.givenName"),
			`apps.wiki.attributes.title:1:1: "persn" is not known; did you mean "person"?`},
		{"unknown function", wiki("'a' + lwer(person.givenName)"),
			`apps.wiki.attributes.title:1:7: "lwer" is not known; did you mean "lower"?`},
		{"unknown method", wiki("person.givenName.substrin(1)"),
			`apps.wiki.attributes.title:1:18: "substrin" is not known; did you mean "substring"?`},
		{"operands that do not go together", wiki("person.givenName\n  + 3"),
			`apps.wiki.attributes.title:2:3: "+" cannot be applied to (string, int)`},
		{"unfinished", wiki("person.givenName +"),
			`apps.wiki.attributes.title:1:19: syntax error: the expression ends too soon`},
		{"syntax", wiki("person.givenName )"),
			`apps.wiki.attributes.title:1:18: syntax error: extraneous input ')' expecting <EOF>`},
		{"regular expression", wiki("person.givenName.matches('(') ? 'a' : 'b'"),
			`apps.wiki.attributes.title:1:26: invalid matches argument`},
		{"a double", wiki("1.5"),
			`apps.wiki.attributes.title: the expression gives double, but must give string, bool, int or list(string)`},
		{"a whole person", wiki("person"),
			`apps.wiki.attributes.title: the expression gives tenure.Person, but must give string, bool, int or list(string)`},
		{"a mixed list", wiki("['a', 1]"),
			`apps.wiki.attributes.title:1:7: expected type 'string' but found 'int'`},
		{"whatever", wiki("dyn('a')"),
			`apps.wiki.attributes.title: the expression gives dyn, but must give string, bool, int or list(string)`},
		{"empty", wiki("  "),
			`apps.wiki.attributes.title: an expression is missing`},
		{"attribute without a name", policy.Rules{Apps: map[string]policy.AppRules{"wiki": {Attributes: map[string]string{"": "'a'"}}}},
			`apps.wiki.attributes: an attribute needs a name`},
		{"app without a name", policy.Rules{Apps: map[string]policy.AppRules{"": {}}},
			`apps: an app needs a name`},

		{"condition that is no condition", when("person.department"),
			`roles[0].when: the expression gives string, but must give bool`},
		{"no condition", when(""),
			`roles[0].when: an expression is missing`},
		{"condition on what Tenure gives", when("person.username == 'ada'"),
			`roles[0].when:1:8: person.username is not known here, since Tenure gives it only later`},
		{"condition on the manager's account", when("manager.account != ''"),
			`roles[0].when:1:1: manager is known to the attributes of apps only`},

		{"username that is no string", policy.Rules{Person: policy.PersonRules{Username: "true"}},
			`person.username: the expression gives bool, but must give string`},
		{"username in terms of itself", policy.Rules{Person: policy.PersonRules{Username: "person.username"}},
			`person.username:1:8: person.username is not known here, since Tenure gives it only later`},
		{"email in terms of itself", policy.Rules{Person: policy.PersonRules{Email: "person.email"}},
			`person.email:1:8: person.email is not known here, since Tenure gives it only later`},

		{"role without a name", two(policy.Role{When: "true"}),
			`roles[0].name: a role needs a name`},
		{"roles of one name", two(policy.Role{Name: "a", When: "true"}, policy.Role{Name: "a", When: "true"}),
			`roles[1].name: roles[0] is called "a" too`},
		{"unknown app in a role", two(policy.Role{Name: "a", When: "true", Grants: []policy.Grant{{App: "wiki"}, {App: "wikki"}}}),
			`roles[0].grants[1].app: there is no app "wikki"; did you mean "wiki"?`},
		{"entitlement without a name", two(policy.Role{Name: "a", When: "true", Grants: []policy.Grant{{App: "wiki", Entitlements: []string{"a", ""}}}}),
			`roles[0].grants[0].entitlements[1]: an entitlement needs a name`},

		{"ignoring what is not mapped", policy.Rules{Apps: map[string]policy.AppRules{"wiki": {
			Attributes: map[string]string{"title": "person.jobTitle"}, Ignore: []string{"title", "externalId", "titel", "title"}}}},
			`apps.wiki.ignore[2]: there is no attribute "titel" among those that are mapped for the app; did you mean "title"?` + "\n" +
				`apps.wiki.ignore[3]: "title" is there twice`},

		{"after an unknown app", policy.Rules{Apps: map[string]policy.AppRules{"directory": {}, "wiki": {After: []string{"directory", "directorry"}}}},
			`apps.wiki.after[1]: there is no app "directorry"; did you mean "directory"?`},
		{"after itself", policy.Rules{Apps: map[string]policy.AppRules{"wiki": {After: []string{"wiki"}}}},
			`apps.wiki.after[0]: apps wait for each other: wiki after wiki`},
		{"after each other", policy.Rules{Apps: map[string]policy.AppRules{
			"a": {After: []string{"d"}}, "b": {After: []string{"c"}}, "c": {After: []string{"a", "d"}}, "d": {After: []string{"b"}}}},
			`apps.a.after[0]: apps wait for each other: a after d after b after c after a` + "\n" +
				`apps.b.after[0]: apps wait for each other: b after c after d after b`},

		{"negative lead time", policy.Rules{Joiner: policy.JoinerRules{LeadTime: -time.Hour}},
			`joiner.leadTime: -1h0m0s is negative`},
		{"negative overlap", policy.Rules{Mover: policy.MoverRules{Overlap: -time.Hour}},
			`mover.overlap: -1h0m0s is negative`},
		{"negative retention", policy.Rules{Leaver: policy.LeaverRules{Retain: -time.Hour}},
			`leaver.retain: -1h0m0s is negative`},
		{"negative, for one app", policy.Rules{Apps: map[string]policy.AppRules{"wiki": {
			Joiner: &policy.JoinerRules{LeadTime: -1}, Mover: &policy.MoverRules{Overlap: -1}, Leaver: &policy.LeaverRules{Retain: -1}}}},
			"apps.wiki.joiner.leadTime: -1ns is negative\napps.wiki.mover.overlap: -1ns is negative\napps.wiki.leaver.retain: -1ns is negative"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := policy.Compile(test.rules)
			assert.EqualError(t, err, test.want)
		})
	}
}

func TestCompileReportsEverythingAtOnce(t *testing.T) {
	rules := wiki("person.jobTitel")
	rules.Person.Username = "1"
	rules.Roles = []policy.Role{{Name: "", When: "nonsense", Grants: []policy.Grant{{App: "x"}}}}

	_, err := policy.Compile(rules)
	require.Error(t, err)
	joined, ok := err.(interface{ Unwrap() []error })
	require.True(t, ok)
	var paths []string
	for _, problem := range joined.Unwrap() {
		field := new(policy.FieldError)
		require.ErrorAs(t, problem, &field)
		paths = append(paths, field.Path)
	}
	assert.Equal(t, []string{
		"person.username", "apps.wiki.attributes.title", "roles[0].name", "roles[0].grants[0].app", "roles[0].when",
	}, paths)
}

func TestCompileLocatesWithinTheExpression(t *testing.T) {
	_, err := policy.Compile(wiki("person.givenName +\n  person.jobTitel"))
	field := new(policy.FieldError)
	require.True(t, errors.As(err, &field))
	assert.Equal(t, 2, field.Line)
	assert.Equal(t, 10, field.Column)
}

func TestAppsAreResolvedOverTheDefaults(t *testing.T) {
	p, err := policy.Compile(policy.Rules{
		Apps: map[string]policy.AppRules{
			"wiki": {
				Attributes: map[string]string{"title": "person.jobTitle", "boss": "manager.account"},
				After:      []string{"directory", "chat", "directory"},
				Leaver:     &policy.LeaverRules{Retain: time.Hour},
			},
			"directory": {
				Attributes: map[string]string{"manager": "person.managerId"},
				Joiner:     &policy.JoinerRules{LeadTime: 2 * time.Hour},
				Mover:      &policy.MoverRules{},
			},
			"chat": {},
		},
		Joiner: policy.JoinerRules{LeadTime: time.Minute},
		Mover:  policy.MoverRules{Overlap: time.Minute},
		Leaver: policy.LeaverRules{Retain: time.Minute, Delete: true},
	})
	require.NoError(t, err)
	assert.Equal(t, []string{"chat", "directory", "wiki"}, p.Apps())

	app, ok := p.App("wiki")
	assert.True(t, ok)
	assert.Equal(t, policy.ResolvedApp{
		Adopt: policy.AdoptAsk,
		Name:  "wiki", After: []string{"chat", "directory"}, Attributes: []string{"boss", "title"},
		Joiner: policy.JoinerRules{LeadTime: time.Minute},
		Mover:  policy.MoverRules{Overlap: time.Minute},
		Leaver: policy.LeaverRules{Retain: time.Hour},
	}, app)
	app.After[0] = "changed"
	again, _ := p.App("wiki")
	assert.Equal(t, "chat", again.After[0], "what App returns is the caller's own")

	app, _ = p.App("directory")
	assert.Equal(t, 2*time.Hour, app.Joiner.LeadTime)
	assert.Zero(t, app.Mover.Overlap)
	assert.True(t, app.Leaver.Delete)

	_, ok = p.App("wikki")
	assert.False(t, ok)

	assert.True(t, p.UsesManager("wiki"))
	assert.False(t, p.UsesManager("directory"), "the manager's ID is not the manager's account")
	assert.False(t, p.UsesManager("chat"))
	assert.False(t, p.UsesManager("wikki"))
}
