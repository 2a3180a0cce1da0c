package operator_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/policy"
)

// The test account gets other values for mapped attributes, and loses the values that it
// can lose.
func TestTheTestAccountsLife(t *testing.T) {
	p, err := policy.Compile(policy.Rules{
		Person: policy.PersonRules{Email: "person.givenName + '.' + person.familyName + '@corp.example'"},
		Apps: map[string]policy.AppRules{"wiki": {Attributes: map[string]string{
			"emails": "person.email", "title": "has(person.jobTitle) ? person.jobTitle : ''", "department": "person.department",
			"userType": "'employee'", "country": "person.location.country", "manager": "''",
		}}},
	})
	require.NoError(t, err)
	life, err := operator.TestLife(p, "wiki")
	require.NoError(t, err)
	assert.Regexp(t, "^tenure-test-[0-9a-f]{8}$", life.Account.Username)
	assert.Equal(t, life.Account.Attributes["emails"], life.Email)
	for _, name := range []string{"emails", "title", "department", "country"} {
		assert.NotEmpty(t, life.Changed[name], name)
		assert.NotEqual(t, life.Account.Attributes[name], life.Changed[name], name)
	}
	assert.Equal(t, "employee", life.Changed["userType"])
	assert.Empty(t, life.Changed["manager"])
	assert.Contains(t, life.Changed, "manager", "as Tenure sends it")
	assert.Empty(t, life.Cleared["title"])
	assert.Equal(t, life.Changed["emails"], life.Cleared["emails"])
}
