package toy_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/connectortest"
	toy "github.com/tenurehq/tenure/examples/connector-toy"
)

func TestConformance(t *testing.T) {
	path := filepath.Join(t.TempDir(), "accounts.csv")
	require.NoError(t, os.WriteFile(path, []byte("id,username,person,active,name,shelf\n"), 0o600))
	connectortest.Run(t, connectortest.Target{
		Kind: toy.Kind,
		Open: func(t *testing.T) connector.Connector {
			c, err := toy.Kind.Open(t.Context(), connector.Env{App: "library"}, connector.Settings{"file": path})
			require.NoError(t, err)
			return c
		},
		Capabilities: connector.Capabilities{
			Create: true, Adopt: true, Update: true, Disable: true, Reversible: true, Delete: true, List: true,
		},
		Attributes: [2]string{"name", "shelf"},
		Secrets:    []string{path},
		// The app's own administrator edits the file.
		Seed: func(t *testing.T, account connector.Account) {
			f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
			require.NoError(t, err)
			_, err = f.WriteString("by-hand-" + account.Username + "," + account.Username + "," + account.ExternalID + ",true,,\n")
			require.NoError(t, err)
			require.NoError(t, f.Close())
		},
	})
}
