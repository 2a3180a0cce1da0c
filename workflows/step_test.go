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

// cutOffInChat lets somebody be hired and leave, sees that they are off in chat, and says
// how often it was told so.
func (b *biography) cutOffInChat() (disables int) {
	b.t.Helper()
	b.hears(0, hired("Sales"))
	b.hears(time.Hour, terminated(hr.Date{Year: 2026, Month: 11, Day: 1}))
	b.live(2 * time.Hour)
	assert.Equal(b.t, "off []", b.state("chat"))
	return b.apps["chat"].Calls(connector.OpDisable)
}

// TestAnAppThatDoesNotSaySoHasCutOffAllTheSame: what counts is the account, read
// again, and not the answer. A lost one costs no other attempt, which would come
// after a pause.
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

// TestAnAppThatRefusesIsAskedAgain: no answer, and an account that is as it was,
// mean that nothing was done.
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

// TestWhatBrokeOffInTheMiddleIsFinished: that the account is off does not say that
// all is done where the connector knows of more (an entry to be moved, memberships to
// follow it).
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
