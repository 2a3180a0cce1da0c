package provision_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/memory"
	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/provision"
)

// An operation needs an operator once it takes longer than its app may, and one that is to cut
// somebody off once a step that fails would.
func TestHowLongAnOperationMayTake(t *testing.T) {
	for name, c := range map[string]struct {
		longest, want time.Duration
		op            string
	}{
		"a day":                   {0, day, connector.OpHandOver},
		"what the app may take":   {3 * day, 3 * day, connector.OpHandOver},
		"less":                    {time.Hour, time.Hour, connector.OpHandOver},
		"never to cut people off": {3 * day, time.Hour, connector.OpDisable},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEstate(t, policy.LeaverRules{}, nil)
			e.engine.AttentionAfter = time.Hour
			e.engine.Apps["mail"].LongestUnderway = c.longest
			e.memory.SetFaults(memory.Faults{Long: map[string]int{c.op: -1}})
			e.leaves("ada")
			began := e.now
			look := func() error {
				for {
					assessment, err := e.engine.Assess(t.Context(), "ada")
					require.NoError(t, err)
					todo := assessment.Todo[0]
					if todo.Waiting != nil {
						assert.Equal(t, began.Add(c.want), todo.Waiting.Due)
						return nil
					}
					_, _, err = e.engine.Apply(t.Context(), provision.Attempt{
						PersonID: "ada", Step: todo.Step, Deadline: time.Now().Add(time.Minute), Token: todo.Key,
					})
					if err != nil {
						return err
					}
				}
			}
			require.NoError(t, look())
			e.now = began.Add(c.want)
			require.NoError(t, look())
			e.now = e.now.Add(time.Hour)
			err := look()
			require.Error(t, err)
			assert.Equal(t, string(connector.KindUnderway), provision.ErrorOf(err).Code)
			assert.True(t, provision.ErrorOf(err).Final)
		})
	}
}
