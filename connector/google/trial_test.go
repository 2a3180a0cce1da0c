package google_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/trial"
)

// TestTrial does what `tenure app test NAME --write` does.
func TestTrial(t *testing.T) {
	_, settings := serve(t, nil)
	tried := &trial.Trial{Connector: open(t, settings), Say: func(s trial.Step) { assert.NoError(t, s.Err, s.What) }}
	require.NoError(t, tried.Look(t.Context()))
	require.NoError(t, tried.Live(t.Context(), trial.Life{
		Account:      connector.Spec{PersonID: "tenure-test-1", Username: "tenure.test", Active: true, Attributes: map[string]any{"givenName": "Test", "familyName": "Tenure", "title": "Engineer", "orgUnitPath": "/Staff"}},
		Changed:      map[string]any{"givenName": "Other", "familyName": "Changed", "title": "Manager", "orgUnitPath": "/Leavers"},
		Cleared:      map[string]any{"title": ""},
		Entitlements: []string{staff},
	}))
}
