package policy_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/policy"
)

func TestExplainNamesThePartThatFails(t *testing.T) {
	p, err := policy.Compile(policy.Rules{
		Person: policy.PersonRules{Username: "person.id", Email: "person.id"},
		Apps:   map[string]policy.AppRules{"wiki": {}},
		Roles: []policy.Role{
			{Name: "all", When: "true", Grants: []policy.Grant{{App: "wiki"}}},
			{Name: "berlin", When: "person.department == 'Sales' && person.workerType == 'employee' && person.jobTitle.startsWith('Head')"},
			{Name: "either", When: "person.department == 'Sales' || person.department == 'Legal'"},
		},
	})
	require.NoError(t, err)
	answers := p.Explain("1", &hr.Profile{Type: "employee", Department: "Research", JobTitle: "Clerk"})
	require.Len(t, answers, 3)
	assert.True(t, answers[0].Holds)
	assert.Empty(t, answers[0].Failed)
	assert.False(t, answers[1].Holds)
	assert.Len(t, answers[1].Failed, 2, "what is true is not named")
	assert.Contains(t, answers[1].Failed[0], "person.department")
	assert.Contains(t, answers[1].Failed[1], "startsWith")
	assert.Len(t, answers[2].Failed, 1, "an alternative fails as a whole")
	assert.Equal(t, []string{"all", "berlin", "either"}, p.RoleNames())
}
