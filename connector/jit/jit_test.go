package jit_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/catalog"
	"github.com/tenurehq/tenure/connector/connectortest"
	"github.com/tenurehq/tenure/connector/memory"
)

func open(t *testing.T, settings connector.Settings) connector.Connector {
	t.Helper()
	kind, ok := catalog.Lookup("jit")
	require.True(t, ok)
	c, err := kind.Open(t.Context(), connector.Env{App: "wiki"}, settings)
	require.NoError(t, err)
	return c
}

func inner(name string) connector.Settings {
	return connector.Settings{
		"directory": "directory",
		"inner":     map[string]any{"connector": "memory", "settings": map[string]any{"name": name}},
	}
}

// A jit app offers what the inner connector offers, except Create. The inner connector
// passes the whole suite by itself.
func TestConformance(t *testing.T) {
	kind, _ := catalog.Lookup("jit")
	kind.Operations = append(kind.Operations, memory.Kind.Operations...)
	connectortest.Run(t, connectortest.Target{
		Kind: kind,
		Open: func(t *testing.T) connector.Connector { return open(t, inner("TestConformance")) },
		Capabilities: connector.Capabilities{
			Adopt: true, Update: true, Relabel: true, Disable: true, Reversible: true, Delete: true,
			Entitlements: true, Sessions: true, ResetCredentials: true, HandOver: true, List: true, Page: true, LastUse: memory.Kind.LastUse,
			Directory: "directory",
		},
	})
	t.Run("without inner", func(t *testing.T) {
		kind, _ := catalog.Lookup("jit")
		connectortest.Run(t, connectortest.Target{
			Kind: kind,
			Open: func(t *testing.T) connector.Connector {
				return open(t, connector.Settings{"directory": "directory", "assignee": "it"})
			},
			Capabilities: connector.Capabilities{Directory: "directory"},
		})
	})
}

func TestAHumanIsAskedOnlyWhereThereIsNoInterface(t *testing.T) {
	_, asked := open(t, inner(t.Name())).Ask("Disable")
	assert.False(t, asked)
	alone := open(t, connector.Settings{"directory": "directory", "assignee": "it"})
	for step, want := range map[string]bool{"Disable": true, "Provision": true, "Update": false, "Strip": false, "Delete": false} {
		_, asked := alone.Ask(step)
		assert.Equal(t, want, asked, step)
	}
}

func TestItFindsWhatTheInnerConnectorFinds(t *testing.T) {
	app := memory.Shared(t.Name())
	t.Cleanup(app.Reset)
	id := app.Put(connector.Account{Username: "ada", Active: true})
	c := open(t, inner(t.Name()))
	matches, err := c.Find(t.Context(), connector.Keys{Username: "ada"})
	require.NoError(t, err)
	require.Len(t, matches, 1)
	assert.Equal(t, id, matches[0].Account.ID)
	assert.False(t, c.Capabilities().Create)
	_, err = c.Create(t.Context(), connector.Spec{PersonID: "7", Username: "zoe", Active: true})
	var failed *connector.Error
	require.ErrorAs(t, err, &failed, "the inner one could, but must not")
	assert.Equal(t, connector.KindUnsupported, failed.Kind)
	assert.Zero(t, app.Calls(connector.OpCreate))
}
