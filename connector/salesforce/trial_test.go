package salesforce_test

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
		Account:      connector.Spec{PersonID: "test-1", Username: "tenure-test-1", Active: true, Attributes: map[string]any{"LastName": "Test", "Email": "x@example.com", "Title": "a"}},
		Changed:      map[string]any{"LastName": "Other", "Email": "y@example.com", "Title": "b"},
		Cleared:      map[string]any{"LastName": "Other", "Email": "y@example.com", "Title": ""},
		Entitlements: []string{"Everybody", "role:Sales_Cloud", "licence:SalesUser"},
	}))
}
