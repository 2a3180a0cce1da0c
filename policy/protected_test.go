package policy_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/policy"
)

func TestProtected(t *testing.T) {
	p := compile(t, policy.Rules{
		Protected: []string{"10001"},
		Apps:      map[string]policy.AppRules{"wiki": {Protected: []string{"breakglass", "uid-7"}}, "chat": {Protected: []string{"root"}}, "crm": {}},
	})
	assert.True(t, p.ProtectsPerson("10001"))
	assert.False(t, p.ProtectsPerson("10002"))
	assert.False(t, p.ProtectsPerson(""))
	for _, tc := range []struct {
		app   string
		names []string
		want  bool
	}{
		{"wiki", []string{"breakglass"}, true},
		{"wiki", []string{"BreakGlass"}, true},
		{"wiki", []string{"uid-7", "zoe"}, true},
		{"wiki", []string{"zoe", "UID-7"}, true},
		{"wiki", []string{"breakglass2", "", "root"}, false},
		{"wiki", nil, false},
		{"chat", []string{"root"}, true},
		{"crm", []string{"root", ""}, false},
		{"gone", []string{"root"}, false},
	} {
		assert.Equal(t, tc.want, p.ProtectsAccount(tc.app, tc.names...), "%s %v", tc.app, tc.names)
	}
	assert.True(t, p.ProtectsSomething("crm"), "the person's")
	assert.False(t, p.ProtectsAccounts("crm"))
	assert.False(t, compile(t, policy.Rules{Apps: map[string]policy.AppRules{"crm": {}}}).ProtectsSomething("crm"))
}

func TestNobodyIsGivenAProtectedUsername(t *testing.T) {
	p := compile(t, policy.Rules{
		Person: policy.PersonRules{Username: "person.givenName"},
		Apps:   map[string]policy.AppRules{"wiki": {Protected: []string{"Root", "root2"}}, "chat": {Protected: []string{"root3"}}},
	})
	for given, want := range map[string]string{"Root": "root4", "root2": "root22", "Rooter": "rooter"} {
		base, err := p.Username("1", hr.Profile{GivenName: given})
		require.NoError(t, err)
		assert.Equal(t, want, base)
	}
}

func TestWhatProtectsNothingIsRefused(t *testing.T) {
	_, err := policy.Compile(policy.Rules{
		Protected: []string{"1", " 2", "1", ""},
		Apps:      map[string]policy.AppRules{"wiki": {Protected: []string{"root", "ROOT"}}},
	})
	require.Error(t, err)
	for _, want := range []string{
		`protected.persons[1]: " 2" protects nothing`, `protected.persons[2]: "1" is there twice`,
		`protected.persons[3]: "" protects nothing`, `apps.wiki.protected[1]: "ROOT" is there twice`,
	} {
		assert.ErrorContains(t, err, want)
	}
}
