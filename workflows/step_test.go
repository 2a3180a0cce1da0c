package workflows_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
)

// TestACallThatIsRepeatedKnowsItsStep is what idempotency keys are made of.
func TestACallThatIsRepeatedKnowsItsStep(t *testing.T) {
	b := newBiography(t, testRules())
	steps := map[string][]string{} // of the calls that make an account, by app
	for name, app := range b.apps {
		app.OnCall(func(ctx context.Context, op, _ string) error {
			if op != connector.OpCreate {
				return nil
			}
			steps[name] = append(steps[name], connector.StepOf(ctx))
			if len(steps[name]) == 1 {
				return &connector.Error{Kind: connector.KindUnavailable, Op: op, Message: "no answer"}
			}
			return nil
		})
	}
	b.hears(0, hired("Sales"))
	b.live(day)
	require.Len(t, steps["directory"], 2)
	require.Len(t, steps["chat"], 2)
	assert.NotEmpty(t, steps["directory"][0])
	assert.Equal(t, steps["directory"][0], steps["directory"][1], "tried again, it is the same step")
	assert.NotEqual(t, steps["directory"][0], steps["chat"][0], "another step")
}
