package workflows_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/hr"
)

// Idempotency keys are made from the step that a call belongs to.
func TestACallThatIsRepeatedKnowsItsStep(t *testing.T) {
	b := newBiography(t, testRules())
	steps := map[string][]string{} // by app: the steps of the calls that create an account
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

// cutOffInChat lets somebody be hired and leave, checks that they are off in chat, and
// returns how often chat was told to disable them.
func (b *biography) cutOffInChat() (disables int) {
	b.t.Helper()
	b.hears(0, hired("Sales"))
	b.hears(time.Hour, terminated(hr.Date{Year: 2026, Month: 11, Day: 1}))
	b.live(2 * time.Hour)
	assert.Equal(b.t, "off []", b.state("chat"))
	return b.apps["chat"].Calls(connector.OpDisable)
}

// Only the account counts, as it is when it is read again, and not the answer of the app.
// A lost answer does not cost another attempt, which would come after a pause.
func TestAnAppThatDoesNotSaySoHasCutOffAllTheSame(t *testing.T) {
	b := newBiography(t, testRules())
	chat := b.apps["chat"]
	chat.AfterCall(func(_ context.Context, op, _ string) error {
		if op == connector.OpDisable {
			return errors.New("the answer is lost, each time")
		}
		return nil
	})
	assert.Equal(t, 1, b.cutOffInChat())
	assert.Empty(t, b.inAttention())
}

// If there is no answer and the account is unchanged, the step is tried again.
func TestAnAppThatRefusesIsAskedAgain(t *testing.T) {
	b := newBiography(t, testRules())
	chat := b.apps["chat"]
	chat.OnCall(func(_ context.Context, op, _ string) error {
		if op == connector.OpDisable && chat.Calls(op) < 3 {
			return errors.New("it does not hear")
		}
		return nil
	})
	assert.Equal(t, 3, b.cutOffInChat())
}

// An account that is off does not prove that all is done, if the connector has more to
// do, such as moving an entry and its memberships.
func TestWhatBrokeOffInTheMiddleIsFinished(t *testing.T) {
	b := newBiography(t, testRules())
	chat := b.apps["chat"]
	chat.AfterCall(func(_ context.Context, op, _ string) error {
		if op == connector.OpDisable && chat.Calls(op) == 1 {
			return connector.Unfinished(&connector.Error{Kind: connector.KindUnavailable, Op: op, Message: "it broke off after the lock"})
		}
		return nil
	})
	assert.Equal(t, 2, b.cutOffInChat())
	assert.Empty(t, b.inAttention())
}
