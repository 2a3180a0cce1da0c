package workflows

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/tenurehq/tenure/hr"
)

func TestWorkflowIDs(t *testing.T) {
	for person, want := range map[string]string{
		"10004":         "person:10004",
		"a/b?c#d'e":     "person:a/b?c#d'e",
		"100%":          "person:100%",
		"5%ab":          "person:5%ab", // this is no escaped byte, whose digits would be capitals
		"M\u00dc-17":    "person:M%C3%9C-17",
		"M%C3%9C-17":    "person:M%25C3%259C-17",
		"%%41":          "person:%%2541",
		"%\u00dc":       "person:%%C3%9C",
		"\u5de5\u53f71": "person:%E5%B7%A5%E5%8F%B71",
	} {
		assert.Equal(t, want, WorkflowID(person))
		back, ok := PersonID(want)
		assert.True(t, ok)
		assert.Equal(t, person, back)
	}
	for _, other := range []string{"", "sweep", "person", "person:", "Person:1"} {
		_, ok := PersonID(other)
		assert.False(t, ok, other)
	}
}

// Every ID that a person can have gives a workflow ID that Temporal accepts, and no two
// people share one.
func TestWorkflowIDsAreReversible(t *testing.T) {
	anything := rapid.OneOf(rapid.String(), rapid.StringMatching(`[%0-9A-Fa-f\x{dc}]{1,20}`))
	rapid.Check(t, func(t *rapid.T) {
		person := anything.Draw(t, "person")
		if person == "" {
			return
		}
		id := WorkflowID(person)
		back, ok := PersonID(id)
		assert.True(t, ok)
		assert.Equal(t, person, back)
		assert.False(t, strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r > '~' }), "%q", id)
		if hr.PersonIDProblem(person) == "" {
			assert.LessOrEqual(t, len(id), 255, "what Temporal keeps in a column")
		}
	})
	assert.LessOrEqual(t, len(WorkflowID(strings.Repeat("\u00dc", hr.LongestForeignID/2))), 255)
	assert.LessOrEqual(t, len(WorkflowID(strings.Repeat("%41", hr.LongestPersonID/3))), 255)
}

func TestRunsOfQuotes(t *testing.T) {
	assert.Equal(t, "WorkflowId = 'person:O''Brien'", RunsOf("O'Brien"))
	assert.Equal(t, `WorkflowId = 'person:a\\b'`, RunsOf(`a\b`))
}
