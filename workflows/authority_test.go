package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"github.com/tenurehq/tenure/activities"
	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/memory"
	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/plan"
	"github.com/tenurehq/tenure/provision"
	"github.com/tenurehq/tenure/workflows"
)

// forged returns an environment that executes activities as the workflow of a stranger can.
func forged(a *activities.Activities) *testsuite.TestActivityEnvironment {
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	env.RegisterActivity(a.Repair)
	env.RegisterActivity(a.Apply)
	return env
}

// known returns what the ledger has about the person.
func (b *biography) known() ledger.Person {
	b.t.Helper()
	person, err := b.ledger.Person(b.t.Context(), b.person)
	require.NoError(b.t, err)
	return person
}

// asked holds the result of an Update.
type asked struct{ rejected error }

func (a *asked) Accept()             {}
func (a *asked) Reject(err error)    { a.rejected = err }
func (a *asked) Complete(any, error) {}

// Somebody who may write to Temporal, and to nothing else, cannot skip or retry a step in
// an operator's name.
func TestTemporalIsNoOperator(t *testing.T) {
	b := newBiography(t, testRules())
	b.hears(0, hired("Development"))
	b.on(time.Hour, func() { b.apps["wiki"].SetFaults(memory.Faults{Kind: connector.KindForbidden}) })
	b.hears(day, terminated(hr.DateOf(epoch)))
	b.on(day+time.Minute, func() { assert.Equal(t, map[string]string{"wiki": "forbidden"}, b.inAttention()) })

	var updates []*asked
	for i, name := range []string{"skip", "retry"} {
		a := &asked{}
		updates = append(updates, a)
		b.on(day+time.Duration(2+i)*time.Minute, func() {
			b.env.UpdateWorkflow(name, name, a, map[string]any{"app": "wiki", "operator": "ciso@example.com", "reason": "approved in person"})
		})
	}
	b.on(day+5*time.Minute, func() {
		env := forged(b.acts)
		for _, step := range b.known().Steps {
			_, err := env.ExecuteActivity(b.acts.Repair, activities.RepairRequest{
				PersonID: b.person, Keys: []string{step.Key}, Skip: true, Operator: "ciso@example.com", Reason: "approved in person",
			})
			assert.ErrorContains(t, err, "decided in the ledger")
		}
	})
	b.on(day+10*time.Minute, func() {
		assert.Equal(t, map[string]string{"wiki": "forbidden"}, b.inAttention())
		b.apps["wiki"].SetFaults(memory.Faults{})
	})
	b.live(day + 3*time.Hour)
	for _, a := range updates {
		require.ErrorContains(t, a.rejected, "decided in the ledger")
	}
	assert.NotContains(t, b.actions(), "wiki:skip")
	assert.NotContains(t, b.actions(), "wiki:retry")
	assert.Equal(t, "off []", b.state("wiki"), "and it is tried again by itself")
}

// A step that was never planned is not applied, and neither is the step of one app in
// another app.
func TestTemporalCannotMakeUpSteps(t *testing.T) {
	b := newBiography(t, testRules())
	b.hears(0, hired("Development"))
	b.on(time.Hour, func() { b.apps["wiki"].SetFaults(memory.Faults{Kind: connector.KindForbidden}) })
	b.hears(day, terminated(hr.DateOf(epoch)))
	b.on(day+time.Minute, func() {
		steps := b.known().Steps
		i := 0
		for steps[i].Kind != string(plan.Disable) {
			i++
		}
		before := b.known().Links
		for name, step := range map[string]plan.Step{
			"another app":  {Key: steps[i].Key, App: "chat", Kind: plan.Disable},
			"another kind": {Key: steps[i].Key, App: "wiki", Kind: plan.Delete},
			"no key":       {App: "wiki", Kind: plan.Delete},
		} {
			_, err := forged(b.acts).ExecuteActivity(b.acts.Apply, activities.StepRequest{PersonID: b.person, Step: step})
			assert.ErrorContains(t, err, "no plan has it", name)
		}
		result, err := forged(b.acts).ExecuteActivity(b.acts.Apply, activities.StepRequest{
			PersonID: b.person, Step: plan.Step{Key: "wiki/Delete/0123456789ab", App: "wiki", Kind: plan.Delete},
		})
		require.NoError(t, err)
		var done activities.StepResult
		require.NoError(t, result.Get(&done))
		assert.Equal(t, provision.ResultSuperseded, done.Result)
		assert.Equal(t, before, b.known().Links)
	})
	b.live(day + 2*time.Minute)
}

// A run that has one person's ID and another person as its input ends.
func TestARunIsForThePersonWhoseIDItHas(t *testing.T) {
	b := newBiography(t, testRules())
	for id, fails := range map[string]bool{workflows.WorkflowID("10007"): true, workflows.WorkflowID(b.person): false, "of-my-own": false} {
		for _, run := range []any{workflows.Joiner, workflows.Mover, workflows.Leaver, workflows.Scheduled} {
			var suite testsuite.WorkflowTestSuite
			env := suite.NewTestWorkflowEnvironment()
			env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: id})
			workflows.Register(env, b.acts)
			env.ExecuteWorkflow(run, workflows.Input{PersonID: b.person})
			require.True(t, env.IsWorkflowCompleted())
			if !fails {
				require.NoError(t, env.GetWorkflowError(), id)
				continue
			}
			var app *temporal.ApplicationError
			require.ErrorAs(t, env.GetWorkflowError(), &app)
			assert.True(t, app.NonRetryable())
		}
	}
}
