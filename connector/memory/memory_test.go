package memory_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/connectortest"
	"github.com/tenurehq/tenure/connector/memory"
)

func open(t *testing.T, name string) connector.Connector {
	t.Helper()
	c, err := memory.Kind.Open(t.Context(), connector.Env{App: "app"}, connector.Settings{"name": name})
	require.NoError(t, err)
	return c
}

func TestConformance(t *testing.T) {
	conforms(t, connector.Settings{"name": "TestConformance", "settling": "1h"}, 0)
}

func TestConformanceWithARecycleBin(t *testing.T) {
	conforms(t, connector.Settings{"name": "TestConformanceWithARecycleBin", "recycleBin": "720h"}, 30*24*time.Hour)
}

func conforms(t *testing.T, settings connector.Settings, bin time.Duration) {
	t.Helper()
	app := memory.Shared(t.Name())
	t.Cleanup(app.Reset)
	settling := time.Duration(0)
	if settings["settling"] != nil {
		settling = time.Hour
	}
	fail := func(f memory.Faults) { app.SetFaults(f) }
	connectortest.Run(t, connectortest.Target{
		Kind: memory.Kind,
		Open: func(t *testing.T) connector.Connector {
			c, err := memory.Kind.Open(t.Context(), connector.Env{App: "app"}, settings)
			require.NoError(t, err)
			return c
		},
		Capabilities: connector.Capabilities{
			Create: true, Adopt: true, Update: true, Relabel: true, Disable: true, Reversible: true, Delete: true,
			Entitlements: true, Sessions: true, ResetCredentials: true, HandOver: true, List: true, Page: true, LastUse: memory.Kind.LastUse,
			RecycleBin: bin, Restore: bin > 0, Settling: settling,
		},
		Entitlements:   [2]string{"staff", "engineers"},
		AnyEntitlement: true,
		Attributes:     [2]string{"title", "team"},
		KeyAttributes:  map[connector.MatchKey]string{connector.ByEmail: "email"},
		Seed:           func(_ *testing.T, account connector.Account) { app.Put(account) },
		Faults: connectortest.Faults{
			Heal:           func(*testing.T) { fail(memory.Faults{}) },
			FailAfterApply: func(*testing.T) { fail(memory.Faults{FailAfterApply: 1}) },
			Unauthorize:    func(*testing.T) { fail(memory.Faults{Kind: connector.KindUnauthorized}) },
			Refuse: func(_ *testing.T, kind connector.ErrorKind, after time.Duration) {
				fail(memory.Faults{Kind: kind, RetryAfter: after})
			},
			Stall: func(*testing.T) { fail(memory.Faults{Slow: time.Hour}) },
			Drop:  func(_ *testing.T, names ...string) { fail(memory.Faults{Drop: names}) },
			Lag:   lagging(app, settling),
			TakeLong: func(*testing.T) (end func()) {
				fail(memory.Faults{Long: map[string]int{connector.OpHandOver: -1}})
				return func() { fail(memory.Faults{}) }
			},
		},
	})
}

// lagging returns a fault that makes the app answer with pictures of an earlier time; nil if it
// never does.
func lagging(app *memory.App, settling time.Duration) func(*testing.T) {
	if settling == 0 {
		return nil
	}
	return func(*testing.T) {
		app.SetFaults(memory.Faults{Lag: memory.Lag{Now: time.Now, Age: func() time.Duration { return settling }, Changes: true}})
	}
}

func TestOperationsThatTakeLong(t *testing.T) {
	app := memory.Shared(t.Name())
	t.Cleanup(app.Reset)
	c, err := memory.Kind.Open(t.Context(), connector.Env{App: t.Name()}, connector.Settings{"long": []any{"hand_over=2"}})
	require.NoError(t, err)
	from, to := app.Put(connector.Account{Username: "zoe"}), app.Put(connector.Account{Username: "boss"})
	operation := ""
	for range 2 {
		var failed *connector.Error
		require.ErrorAs(t, c.HandOver(connector.WithOperation(t.Context(), operation), from, to), &failed)
		require.Equal(t, connector.KindUnderway, failed.Kind)
		operation = failed.Operation
	}
	require.NoError(t, c.HandOver(connector.WithOperation(t.Context(), operation), from, to))
	require.Equal(t, 1, app.Begun())

	for _, wrong := range []string{"hand_over", "hand_over=0", "find=2"} {
		_, err := memory.Kind.Open(t.Context(), connector.Env{App: t.Name()}, connector.Settings{"long": []any{wrong}})
		require.ErrorContains(t, err, wrong)
	}
}
