package apps_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/ledger/pace"
	"github.com/tenurehq/tenure/service/apps"
)

func load(t *testing.T, defined string) *config.Config {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tenure.yaml")
	content := `
kafka: {brokers: [localhost:9092], topics: [{name: hr.events, source: cloudevents}]}
ledger: {url: "sqlite:ledger.db"}
person: {username: "lower(person.givenName)"}
apps:
` + defined
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(path), "token"), []byte("0123456789abcdef"), 0o600))
	cfg, err := config.LoadFor(path, config.PartLedger)
	require.NoError(t, err)
	return cfg
}

// A worker that cannot open an app marks it, and opens the others.
func TestAnAppThatCannotBeOpenedHoldsUpNoOther(t *testing.T) {
	const wiki = `  wiki: {connector: scim, settings: {url: "https://wiki.test", token: "${file:token}"}}
`
	for name, c := range map[string]struct{ app, why string }{
		"secret":          {`  crm: {connector: scim, settings: {url: "https://crm.test", token: "${file:gone}"}}`, "${file:gone} is missing"},
		"variable":        {`  crm: {connector: scim, settings: {url: "https://crm.test", token: "${env:TENURE_NO_SUCH}"}}`, "TENURE_NO_SUCH"},
		"of another kind": {`  crm: {connector: webhook, settings: {url: "https://crm.test", secret: "${file:gone}"}}`, "${file:gone} is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			opened, err := apps.Of(load(t, wiki+c.app), nil).OpenAll(t.Context(), pace.NewMetrics(prometheus.NewRegistry()))
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, apps.Close(opened)) })
			require.Len(t, opened, 2)
			require.NoError(t, opened["wiki"].Unopened)
			require.ErrorContains(t, opened["crm"].Unopened, c.why)
			assert.NotNil(t, opened["crm"].Connector, "what it can do is known")

			_, err = apps.Of(load(t, c.app), nil).OpenAll(t.Context(), pace.NewMetrics(prometheus.NewRegistry()))
			require.ErrorContains(t, err, c.why, "if no app can be opened, it is an error")
		})
	}
}
