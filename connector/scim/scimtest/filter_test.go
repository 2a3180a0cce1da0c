package scimtest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func anna() map[string]any {
	return map[string]any{
		"id": "7f3a", "userName": "Anna.Smith", "externalId": "E1", "active": true, "displayName": `Anna "Annie" Smith`,
		"name": map[string]any{"familyName": "Smith"},
		"emails": []any{
			map[string]any{"value": "anna@example.com", "type": "work", "primary": true},
			map[string]any{"value": "anna@example.org", "type": "home"},
		},
		enterpriseSchema: map[string]any{"department": "Development"},
		"meta":           map[string]any{"lastModified": "2026-11-19T10:00:00Z"},
	}
}

func TestFilters(t *testing.T) {
	for filter, want := range map[string]bool{
		`userName eq "anna.smith"`:           true, // caseExact false
		`USERNAME EQ "anna.smith"`:           true,
		`userName eq "anna"`:                 false,
		`userName ne "anna"`:                 true,
		`externalId eq "E1"`:                 true,
		`externalId eq "e1"`:                 false, // caseExact true
		`id eq "7f3a"`:                       true,
		`active eq true`:                     true,
		`active eq false`:                    false,
		`active ne false`:                    true,
		`title pr`:                           false,
		`emails pr`:                          true,
		`title eq "x"`:                       false,
		`title ne "x"`:                       true,
		`not (title pr)`:                     true,
		`not(title pr)`:                      true,
		`userName co "SMI"`:                  true,
		`userName sw "anna"`:                 true,
		`userName sw "smith"`:                false,
		`userName ew "smith"`:                true,
		`userName gt "anna"`:                 true,
		`userName ge "anna.smith"`:           true,
		`userName lt "anna.smith"`:           false,
		`userName le "anna.smith"`:           true,
		`name.familyName eq "smith"`:         true,
		`emails.value eq "anna@example.org"`: true,
		`emails eq "anna@example.org"`:       true,
		`emails[type eq "work"]`:             true,
		`emails[type eq "work" and value ew "example.org"]`:          false, // one value has to match both
		`emails.type eq "work" and emails.value ew "example.org"`:    true,
		`emails[not (type eq "work") and value co "org"]`:            true,
		`urn:ietf:params:scim:schemas:core:2.0:User:active eq true`:  true,
		enterpriseSchema + `:department eq "development"`:            true,
		enterpriseSchema + `:manager.value eq "x"`:                   false,
		`meta.lastModified gt "2026-01-01T00:00:00Z"`:                true,
		`displayName eq "Anna \"Annie\" Smith"`:                      true,
		`displayName co "\u0041nnie"`:                                true,
		`title pr or active eq true`:                                 true,
		`title pr and active eq true`:                                false,
		`active eq true or title pr and title pr`:                    true, // "and" binds closer
		`(active eq true or title pr) and title pr`:                  false,
		`((active eq true) and (((userName pr))))`:                   true,
		`not (active eq true) or not (title pr) and not (id eq "x")`: true,
	} {
		e, err := parseFilter(filter, userType)
		if assert.NoError(t, err, filter) {
			assert.Equal(t, want, e.matches(anna()), filter)
		}
	}
}

func TestFiltersThatAreNone(t *testing.T) {
	for _, filter := range []string{
		``, ` `, `userName`, `userName eq`, `userName eq anna`, `userName eq "anna`, `userName eq "\x"`, `userName is "anna"`,
		`userName eq "a" and`, `and userName pr`, `userName eq "a" "b"`, `(userName pr`, `userName pr)`, `()`, `not userName pr`,
		`nickname.x eq "a"`, `nothing eq "a"`, `urn:x:nothing eq "a"`, `name.familyName.x pr`, `emails[`, `emails[type eq "work"`,
		`emails[nothing pr]`, `active eq "true"`, `active co true`, `userName eq true`, `userName eq null`, `name eq "x"`,
		`groups[display eq "staff"`, strings.Repeat("(", 100) + "userName pr" + strings.Repeat(")", 100),
	} {
		_, err := parseFilter(filter, userType)
		var f *failure
		if assert.ErrorAs(t, err, &f, filter) {
			assert.Equal(t, 400, f.status, filter)
			assert.Equal(t, "invalidFilter", f.scimType, filter)
		}
	}
}

// Whatever a client sends, the parser returns an expression or an error.
func TestTheParserTakesAnything(t *testing.T) {
	pieces := []string{"userName", "emails", "active", "eq", "pr", "and", "or", "not", "(", ")", "[", "]", `"a"`, `"`, `\`, "true", ".", ":", " ", "é"}
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOf(rapid.SampledFrom(pieces)).Draw(t, "pieces"), "")
		if e, err := parseFilter(text, userType); err == nil {
			e.matches(anna())
		}
		_, _ = parseTarget(text, userType)
	})
}

func TestSearchUsesIndexes(t *testing.T) {
	s, err := New(Options{})
	require.NoError(t, err)
	const many = 10_000
	for i := range many {
		name := strings.Repeat("x", i%7) + string(rune('a'+i%26))
		s.AddUser(User{UserName: name, ExternalID: name, Active: i%2 == 0})
	}
	id := s.AddUser(User{UserName: "Anna", ExternalID: "E1", Active: true, Groups: []string{"Staff"}})
	group := s.AddGroup("staff2")
	for filter, want := range map[string][]string{
		`id eq "` + id + `"`:                        {id},
		`userName eq "ANNA"`:                        {id},
		`externalId eq "E1"`:                        {id},
		`externalId eq "e1"`:                        nil,
		`active eq true and userName eq "anna"`:     {id},
		`userName eq "anna" and active eq false`:    nil,
		`(userName eq "anna") and (active eq true)`: {id},
	} {
		e, err := parseFilter(filter, userType)
		require.NoError(t, err)
		candidates, indexed, _ := s.store.candidates(s.store.users, e)
		assert.True(t, indexed, filter)
		assert.LessOrEqual(t, len(candidates), 1, filter)
		assert.Equal(t, want, ids(s.store.search(s.store.users, e)), filter)
	}
	for filter, want := range map[string][]string{
		`displayName eq "STAFF2"`:          {group},
		`members.value eq "` + id + `"`:    {s.AddGroup("Staff")},
		`members eq "` + id + `"`:          {s.AddGroup("Staff")},
		`members.value eq "` + group + `"`: nil,
	} {
		e, err := parseFilter(filter, groupType)
		require.NoError(t, err)
		_, indexed, _ := s.store.candidates(s.store.groups, e)
		assert.True(t, indexed, filter)
		assert.Equal(t, want, ids(s.store.search(s.store.groups, e)), filter)
	}
	var twins []string
	for range 20 {
		twins = append(twins, s.AddUser(User{UserName: "twin"}))
	}
	e, err := parseFilter(`userName eq "twin"`, userType)
	require.NoError(t, err)
	assert.Equal(t, twins, ids(s.store.search(s.store.users, e)), "in order of creation")
	for _, filter := range []string{`userName co "anna"`, `userName eq "anna" or externalId eq "E1"`, `not (userName ne "anna")`} {
		e, err := parseFilter(filter, userType)
		require.NoError(t, err)
		_, indexed, _ := s.store.candidates(s.store.users, e)
		assert.False(t, indexed, filter)
		assert.Equal(t, []string{id}, ids(s.store.search(s.store.users, e)), filter)
	}
}

func ids(records []*record) []string {
	var list []string
	for _, r := range records {
		list = append(list, r.id)
	}
	return list
}
