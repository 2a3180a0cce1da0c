package connectortest

import (
	"maps"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
)

// SettingsSecret is a text that settings under test may hold anywhere. No error may
// repeat it.
const SettingsSecret = "s3cret"

// Setting is a change of good settings, and the result that a test expects of it.
type Setting struct {
	Change connector.Settings
	Want   string // part of the error; empty if the settings are good
	// Check, if set, checks the connector that these settings open.
	Check func(t *testing.T, c connector.Connector)
}

// Settings opens a kind with each change of the good settings, and checks the result.
func Settings(t *testing.T, kind connector.Kind, good connector.Settings, tests map[string]Setting) {
	t.Helper()
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			settings := maps.Clone(good)
			maps.Copy(settings, test.Change)
			c, err := kind.Open(t.Context(), connector.Env{App: "app"}, settings)
			if test.Want == "" {
				require.NoError(t, err)
				if test.Check != nil {
					test.Check(t, c)
				}
				assert.NoError(t, c.Close())
				return
			}
			var invalid *connector.Error
			require.ErrorAs(t, err, &invalid)
			assert.Equal(t, connector.KindInvalid, invalid.Kind)
			assert.Contains(t, err.Error(), test.Want)
			assert.NotContains(t, err.Error(), SettingsSecret)
		})
	}
}
