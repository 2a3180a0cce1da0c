package provision_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/provision"
)

// changed counts the calls that change the account, by operation.
func (o *office) changed() map[string]int {
	calls := map[string]int{}
	for _, op := range []string{connector.OpCreate, connector.OpUpdate, connector.OpGrant, connector.OpRevoke, connector.OpEnable, connector.OpDisable, connector.OpDelete} {
		calls[op] = o.memory.Calls(op)
	}
	return calls
}

// A run that is reset, or a second worker, makes attempts at steps that are done. What such an
// attempt might change is no reason to do them again.
func TestAStepThatIsDoneIsNotDoneAgain(t *testing.T) {
	o := newOffice(t)
	for at, said := range []hr.EventType{hr.EventHired, hr.EventUpdated, hr.EventTerminated, ""} {
		if o.now = o.now.Add(10 * day); said != "" {
			o.hear(said)
		}
		assessment, err := o.engine.Assess(t.Context(), "ada")
		require.NoError(t, err)
		require.NotEmpty(t, assessment.Todo, at)
		require.NoError(t, o.settle())
		link, changes := o.link(), o.changed()
		o.now = o.now.Add(time.Minute)
		for _, todo := range assessment.Todo {
			result, _, err := o.engine.Apply(t.Context(), provision.Attempt{
				PersonID: "ada", Step: todo.Step, Deadline: time.Now().Add(time.Minute), Token: todo.Key,
			})
			require.NoError(t, err)
			assert.Equal(t, provision.ResultSuperseded, result, todo.Key)
		}
		assert.Equal(t, link, o.link(), at)
		assert.Equal(t, changes, o.changed(), at)
		assessment, err = o.engine.Assess(t.Context(), "ada")
		require.NoError(t, err)
		assert.Empty(t, assessment.Todo, at)
	}
}
