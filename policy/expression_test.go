package policy_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/policy"
)

// epoch is the time at which everybody in these tests starts.
var epoch = time.Date(2026, time.March, 2, 0, 0, 0, 0, time.UTC)

func ada() hr.Profile {
	return hr.Profile{
		Type: hr.TypeEmployee, GivenName: "Ada", FamilyName: "Lovelace", WorkEmail: "ada@example.org",
		JobTitle: "Engineer", Department: "Development", ManagerID: "77",
		Location:   hr.Location{Country: "GB", TimeZone: "Europe/London"},
		StartDate:  hr.Date{Year: 2026, Month: time.March, Day: 2},
		Attributes: map[string]string{"badge": "B-17", "floor": "3", "desk": ""},
	}
}

// employed returns the timeline of somebody who has started and has no end.
func employed(profile hr.Profile) hr.Timeline {
	return hr.Timeline{PersonID: "42", Periods: []hr.Period{{
		Starts: epoch, Profiles: []hr.EffectiveProfile{{From: epoch, Profile: profile}},
	}}}
}

func compile(t testing.TB, rules policy.Rules) *policy.Policy {
	t.Helper()
	p, err := policy.Compile(rules)
	require.NoError(t, err)
	return p
}

func TestAttributeExpressions(t *testing.T) {
	identity := policy.Identity{PersonID: "42", Username: "alovelace", Email: "ada@corp.example",
		ManagerAccounts: map[string]string{"wiki": "acc-77", "directory": "cn=77"}}
	tests := []struct {
		expression string
		want       any // nil if the attribute is left out
	}{
		{"person.id", "42"},
		{"person.username + ' ' + person.email", "alovelace ada@corp.example"},
		{"manager.account", "acc-77"},
		{"has(manager.account)", true},
		{"person.givenName + ' ' + person.familyName", "Ada Lovelace"},
		{"person.location.country", "GB"},
		{"person.workerType == 'employee'", true},
		{"person.workerType == 'contractor'", false},
		{"person.startDate", "2026-03-02"},
		{"person.startDate < '2026-04-01'", true},
		{"person.endDate", nil},
		{"person.preferredName", nil},
		{"has(person.preferredName) ? person.preferredName : person.givenName", "Ada"},
		{"has(person.location)", true},
		{"has(person.location.site)", false},
		{"person.attributes['badge']", "B-17"},
		{"person.attributes.badge", "B-17"},
		{"person.attributes['parking']", nil},
		{"person.attributes[person.jobTitle]", nil},
		{"has(person.attributes)", true},
		{"has(person.attributes.badge)", true},
		{"has(person.attributes.desk)", false},
		{"has(person.attributes.parking)", false},
		{"'badge' in person.attributes", true},
		{"'desk' in person.attributes", false},
		{"size(person.attributes)", int64(2)},
		{"person.attributes.map(k, k + '=' + person.attributes[k])", []string{"badge=B-17", "floor=3"}},
		{"person.attributes.exists(k, person.attributes[k] == '3')", true},
		{"person.attributes == {'badge': 'B-17', 'floor': '3'}", true},
		{"int(person.attributes['floor']) * 2", int64(6)},
		{"0", int64(0)},
		{"''", nil},
		{"['a', 'b'] + (person.department == 'Development' ? ['c'] : [])", []string{"a", "b", "c"}},
		{"['a'].filter(x, false)", nil},
		{"person.department in ['Sales', 'Development']", true},
		{"person == person", true},
		{"type(person) == type(person.location)", false},
		{"lower('ÀÉ') + ascii('Łukasz Gößling')", "àéLukasz Gossling"},
		{"person.familyName.substring(0, 4).lowerAscii()", "love"},
		{"person.familyName.matches('^Love')", true},
		{"'%s-%d'.format([person.givenName, 7])", "Ada-7"},
	}
	for _, test := range tests {
		t.Run(test.expression, func(t *testing.T) {
			rules := wiki(test.expression)
			rules.Roles = []policy.Role{{Name: "everyone", When: "true", Grants: []policy.Grant{{App: "wiki"}}}}
			desired, err := compile(t, rules).Evaluate(employed(ada()), epoch, identity)
			require.NoError(t, err)
			require.Len(t, desired.Accounts, 1)
			want := map[string]any{}
			if test.want != nil {
				want["title"] = test.want
			}
			assert.Equal(t, want, desired.Accounts[0].Attributes)
		})
	}
}

func TestConditionsSeeEverythingThatHRSays(t *testing.T) {
	jsonNames := func(of reflect.Type) []string {
		var names []string
		for _, field := range reflect.VisibleFields(of) {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			names = append(names, name)
		}
		return slices.Sorted(slices.Values(names))
	}
	fields := slices.DeleteFunc(policy.PersonFields(), func(name string) bool { return name == "id" })
	assert.Equal(t, jsonNames(reflect.TypeFor[hr.Profile]()), fields)
	assert.Equal(t, jsonNames(reflect.TypeFor[hr.Location]()), policy.LocationFields())
}

// Every field must read the profile's field of the same name. The test uses a profile whose
// fields hold their own JSON names.
func TestFieldsReadWhatTheyAreCalled(t *testing.T) {
	profile := hr.Profile{Location: hr.Location{Site: "site", Country: "country", TimeZone: "timeZone"}}
	v := reflect.ValueOf(&profile).Elem()
	checks := []string{"person.location.site == 'site'", "person.location.country == 'country'", "person.location.timeZone == 'timeZone'"}
	for _, field := range reflect.VisibleFields(v.Type()) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if field.Type.Kind() == reflect.String {
			v.FieldByIndex(field.Index).SetString(name)
			checks = append(checks, "person."+name+" == '"+name+"'")
		}
	}
	profile.StartDate = hr.Date{Year: 2026, Month: 1, Day: 2}
	profile.EndDate = hr.Date{Year: 2027, Month: 3, Day: 4}
	checks = append(checks, "person.startDate == '2026-01-02'", "person.endDate == '2027-03-04'")
	require.Greater(t, len(checks), 15)

	for _, check := range checks {
		rules := when(check)
		rules.Apps = map[string]policy.AppRules{"wiki": {}}
		rules.Roles[0].Grants = []policy.Grant{{App: "wiki"}}
		desired, err := compile(t, rules).Evaluate(employed(profile), epoch, policy.Identity{})
		require.NoError(t, err)
		assert.Len(t, desired.Accounts, 1, check)
	}
}

// The error of a failing expression names the field and the place in it, and contains no data
// of the person.
func TestEvaluationErrorsNameTheFieldAndNoPersonalData(t *testing.T) {
	tests := []struct{ expression, want string }{
		{"person.givenName.split('x')[9]",
			"apps.wiki.attributes.title:1:28: cannot be evaluated for this person"},
		{"string(1 / size(person.preferredName))",
			"apps.wiki.attributes.title:1:10: cannot be evaluated for this person: division by zero"},
		{"{'a': 'b'}[person.givenName]",
			"apps.wiki.attributes.title:1:11: cannot be evaluated for this person: no such key"},
		{"['a'][size(person.givenName)]",
			"apps.wiki.attributes.title:1:6: cannot be evaluated for this person"},
		{"int(person.givenName)",
			"apps.wiki.attributes.title:1:4: cannot be evaluated for this person"},
		{"string(timestamp(person.givenName))",
			"apps.wiki.attributes.title:1:17: cannot be evaluated for this person"},
		{"'abc'.matches(person.givenName + '(')",
			"apps.wiki.attributes.title:1:14: cannot be evaluated for this person"},
		{"'%d'.format([dyn(person.givenName)])",
			"apps.wiki.attributes.title:1:12: cannot be evaluated for this person"},
		{"string(dyn(person.givenName).x)",
			"apps.wiki.attributes.title:1:29: cannot be evaluated for this person: no such key"},
		{"string(dyn(person))",
			"apps.wiki.attributes.title:1:7: cannot be evaluated for this person: no such overload"},
		{"string(tenure.Person{id: person.givenName}.id)",
			"apps.wiki.attributes.title:1:21: cannot be evaluated for this person"},
	}
	for _, test := range tests {
		t.Run(test.expression, func(t *testing.T) {
			rules := wiki(test.expression)
			rules.Roles = []policy.Role{{Name: "everyone", When: "true", Grants: []policy.Grant{{App: "wiki"}}}}
			_, err := compile(t, rules).Evaluate(employed(ada()), epoch, policy.Identity{PersonID: "42"})
			field := new(policy.FieldError)
			require.ErrorAs(t, err, &field)
			assert.Equal(t, test.want, err.Error())
			assert.NotContains(t, err.Error(), "Ada")
		})
	}
}

func TestEvaluationReportsEveryFailureOnce(t *testing.T) {
	p := compile(t, policy.Rules{
		Apps: map[string]policy.AppRules{
			"wiki":      {Attributes: map[string]string{"a": "person.givenName.split('x')[9]", "b": "int(person.givenName)"}},
			"directory": {Attributes: map[string]string{"c": "int(person.givenName)"}},
		},
		Roles: []policy.Role{
			{Name: "everyone", When: "true", Grants: []policy.Grant{{App: "wiki"}, {App: "directory"}}},
			{Name: "broken", When: "int(person.familyName) > 1"},
		},
		Mover: policy.MoverRules{Overlap: time.Hour},
	})
	timeline := employed(ada())
	timeline.Periods[0].Profiles = append(timeline.Periods[0].Profiles, hr.EffectiveProfile{From: epoch.Add(time.Minute), Profile: ada()})

	_, err := p.Evaluate(timeline, epoch.Add(2*time.Minute), policy.Identity{})
	require.Error(t, err)
	assert.Equal(t, strings.Join([]string{
		"roles[1].when:1:4: cannot be evaluated for this person",
		"apps.directory.attributes.c:1:4: cannot be evaluated for this person",
		"apps.wiki.attributes.a:1:28: cannot be evaluated for this person",
		"apps.wiki.attributes.b:1:4: cannot be evaluated for this person",
	}, "\n"), err.Error())
}
