package manual_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/connectortest"
	"github.com/tenurehq/tenure/connector/manual"
)

func open(t *testing.T, settings connector.Settings) connector.Connector {
	t.Helper()
	c, err := manual.Kind.Open(t.Context(), connector.Env{App: "keys"}, settings)
	require.NoError(t, err)
	return c
}

// The suite checks that the connector offers nothing. The tests of package workflows
// check that humans are asked and what becomes of their tasks.
func TestConformance(t *testing.T) {
	connectortest.Run(t, connectortest.Target{
		Kind: manual.Kind,
		Open: func(t *testing.T) connector.Connector { return open(t, connector.Settings{"assignee": "it"}) },
	})
}

func TestHowStepsAreAskedFor(t *testing.T) {
	c := open(t, connector.Settings{
		"assignee": "facilities", "instructions": "at the desk", "escalateTo": "it-leads", "due": "72h", "cutOffDue": "2h",
		"secondPerson": []any{"disable", "delete"}, "delete": false,
	})
	got, ok := c.Ask("Provision")
	assert.True(t, ok)
	assert.Equal(t, connector.Ask{
		Assignee: "facilities", Instructions: "at the desk", Within: 72 * time.Hour, Remind: 24 * time.Hour, EscalateTo: "it-leads",
	}, got)
	got, ok = c.Ask("Disable")
	assert.True(t, ok)
	assert.Equal(t, []any{2 * time.Hour, time.Hour, true}, []any{got.Within, got.Remind, got.SecondPerson})
	_, ok = c.Ask("Delete")
	assert.False(t, ok, "accounts stay")
	_, ok = c.Ask("HandOver")
	assert.False(t, ok, "unless it is wanted")
	identity, err := open(t, connector.Settings{"assignee": "facilities"}).Check(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "nobody: facilities is asked by tasks", identity)
}
