package webhook

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
)

func TestAConnectorCanWhatItsSettingsSay(t *testing.T) {
	least := connector.Capabilities{Adopt: true, Disable: true, List: true, Page: true, LastUse: Kind.LastUse}
	grants := least
	grants.Entitlements, grants.ListEntitlements, grants.Reversible = true, true, true
	for name, test := range map[string]struct {
		operations []any
		want       connector.Capabilities
	}{
		"nothing more": {[]any{}, least},
		"some":         {[]any{"grant", "enable"}, grants},
		"all": {nil, connector.Capabilities{
			Create: true, Adopt: true, Update: true, Disable: true, Reversible: true, Delete: true, Entitlements: true,
			ListEntitlements: true, Sessions: true, HandOver: true, List: true, Page: true, LastUse: Kind.LastUse,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			settings := connector.Settings{"url": "https://hooks.example.com/tenure", "secret": "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"}
			if test.operations != nil {
				settings["operations"] = test.operations
			}
			c, err := Kind.Open(t.Context(), connector.Env{App: "door"}, settings)
			require.NoError(t, err)
			assert.Equal(t, test.want, c.Capabilities())
			assert.NoError(t, c.Close())
		})
	}
}
