package nearest_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tenurehq/tenure/internal/nearest"
)

func TestOf(t *testing.T) {
	apps := []string{"wiki", "directory", "crm", "crn", "b"}
	tests := []struct{ given, want string }{
		{"wikki", "wiki"},
		{"WIKI", "wiki"},
		{"wkii", "wiki"},
		{"directorry", "directory"},
		{"crx", "crm"}, // crm and crn are as near
		{"payroll", ""},
		{"x", ""}, // one letter could be anything
		{"", ""},
	}
	for _, test := range tests {
		assert.Equal(t, test.want, nearest.Of(test.given, apps), test.given)
	}
}

func TestHint(t *testing.T) {
	assert.Equal(t, `; did you mean "wiki"?`, nearest.Hint("wikki", []string{"wiki"}))
	assert.Empty(t, nearest.Hint("payroll", []string{"wiki"}))
}
