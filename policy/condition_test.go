package policy_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/policy"
)

func TestCondition(t *testing.T) {
	c, err := policy.CompileCondition("snapshot.covers", "person.workerType == 'employee' && person.id != '7'")
	require.NoError(t, err)
	for _, test := range []struct {
		id   string
		kind hr.PersonType
		want bool
	}{{"1", hr.TypeEmployee, true}, {"1", hr.TypeContractor, false}, {"7", hr.TypeEmployee, false}} {
		got, err := c.Holds(test.id, &hr.Profile{Type: test.kind})
		require.NoError(t, err)
		assert.Equal(t, test.want, got)
	}

	c, err = policy.CompileCondition("snapshot.covers", "int(person.id) > 3")
	require.NoError(t, err)
	_, err = c.Holds("x", &hr.Profile{})
	assert.ErrorContains(t, err, "snapshot.covers")

	for _, wrong := range []string{"person.kind == 'x'", "person.id", ""} {
		_, err := policy.CompileCondition("snapshot.covers", wrong)
		var field *policy.FieldError
		require.ErrorAs(t, err, &field, wrong)
		assert.Equal(t, "snapshot.covers", field.Path)
	}
}
