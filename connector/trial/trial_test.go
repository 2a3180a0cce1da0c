package trial_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/memory"
	"github.com/tenurehq/tenure/connector/trial"
)

var spec = connector.Spec{PersonID: "tenure-test-1", Username: "tenure-test-1", Active: true}

// try tries an app of this test's own.
func try(t *testing.T) (app *memory.App, tried *trial.Trial, steps *[]trial.Step) {
	t.Helper()
	app = memory.Shared(t.Name())
	c, err := memory.Kind.Open(t.Context(), connector.Env{App: t.Name()}, nil)
	require.NoError(t, err)
	steps = &[]trial.Step{}
	return app, &trial.Trial{Connector: c, Say: func(s trial.Step) { *steps = append(*steps, s) }}, steps
}

func whats(steps []trial.Step) []string {
	var all []string
	for _, s := range steps {
		all = append(all, s.What)
	}
	return all
}

func TestLookChangesNothing(t *testing.T) {
	app, tried, steps := try(t)
	require.NoError(t, tried.Look(t.Context()))
	assert.Equal(t, []string{"sign in", "look for an account", "list accounts"}, whats(*steps))
	for _, op := range []string{connector.OpCreate, connector.OpUpdate, connector.OpGrant, connector.OpDisable, connector.OpDelete} {
		assert.Zero(t, app.Calls(op), op)
	}
}

func TestLookEndsWhereNobodyCanSignIn(t *testing.T) {
	app, tried, steps := try(t)
	app.SetFaults(memory.Faults{Kind: connector.KindUnauthorized})
	require.ErrorIs(t, tried.Look(t.Context()), trial.ErrFailed)
	assert.Equal(t, []string{"sign in"}, whats(*steps))
}

func TestAWholeLife(t *testing.T) {
	app, tried, steps := try(t)
	require.NoError(t, tried.Live(t.Context(), spec, []string{"staff"}))
	assert.Equal(t, []string{
		"create the account", "grant", "disable the account", "end its sessions", "enable it again", "revoke", "delete the account",
	}, whats(*steps))
	assert.Empty(t, app.Accounts())
}

// An app that fails at some step, or says that it did what it did not do, is
// found out, and the test account does not outlive the trial.
func TestWhateverFailsNoTestAccountIsLeft(t *testing.T) {
	for _, op := range []string{
		connector.OpGrant, connector.OpDisable, connector.OpRevokeSessions, connector.OpEnable, connector.OpRevoke, connector.OpDelete,
	} {
		t.Run(op, func(t *testing.T) {
			app, tried, steps := try(t)
			failed := false
			app.OnCall(func(_ context.Context, called, _ string) error {
				if called != op || failed {
					return nil
				}
				failed = true // once: cleaning up may do the same
				return errors.New("no")
			})
			require.ErrorIs(t, tried.Live(t.Context(), spec, []string{"staff"}), trial.ErrFailed)
			last := (*steps)[len(*steps)-1]
			assert.Equal(t, "clean up", last.What)
			require.NoError(t, last.Err)
			assert.Empty(t, app.Accounts())
		})
	}
}

func TestAnInterruptedTrialCleansUp(t *testing.T) {
	app, tried, _ := try(t)
	ctx, cancel := context.WithCancel(t.Context())
	app.AfterCall(func(_ context.Context, op, _ string) error {
		if op == connector.OpGrant {
			cancel()
		}
		return nil
	})
	require.ErrorIs(t, tried.Live(ctx, spec, []string{"staff"}), trial.ErrFailed)
	assert.Empty(t, app.Accounts())
}

// liar says that it did what it was asked for, and did not.
type liar struct{ connector.Connector }

func (liar) Create(context.Context, connector.Spec) (connector.Account, error) {
	return connector.Account{ID: "1", Active: true}, nil
}
func (liar) Read(context.Context, string) (connector.Account, error) {
	return connector.Account{ID: "1", Active: true}, nil
}
func (liar) Disable(context.Context, string) error { return nil }
func (liar) Enable(context.Context, string) error  { return nil }
func (liar) Reversible() bool                      { return true }

func TestAnAppThatLies(t *testing.T) {
	var steps []trial.Step
	tried := &trial.Trial{Connector: liar{}, Say: func(s trial.Step) { steps = append(steps, s) }}
	require.ErrorIs(t, tried.Live(t.Context(), spec, nil), trial.ErrFailed)
	require.Len(t, steps, 3)
	assert.Equal(t, "disable the account", steps[1].What)
	assert.EqualError(t, steps[1].Err, "read again, the account's being enabled is true")
	assert.ErrorContains(t, steps[2].Err, "the test account 1 may still be enabled")
}
