package github_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/trial"
)

// TestTrial plays what `tenure app test --write` does.
func TestTrial(t *testing.T) {
	_, settings := serve(t, nil)
	tried := &trial.Trial{Connector: open(t, settings), Say: func(s trial.Step) { t.Log(s.What, s.Note, s.Err) }}
	require.NoError(t, tried.Look(t.Context()))
	require.NoError(t, tried.Live(t.Context(), trial.Life{
		Account:      connector.Spec{PersonID: "test-1", Username: "tenure-test-1", Active: true},
		Entitlements: []string{"staff", "role:owner"},
	}))
}
