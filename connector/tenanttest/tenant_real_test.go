//go:build real

package tenanttest_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/connectortest"
	"github.com/tenurehq/tenure/connector/tenanttest"
)

// tenant returns the tenant that scripts/real-tenant names, a connector to it, and the file
// of its journal.
func tenant(t *testing.T) (at tenanttest.Tenant, open func() connector.Connector, journal string) {
	t.Helper()
	endWithScript()
	kind, journal := os.Getenv("TENURE_TENANT_KIND"), os.Getenv("TENURE_TENANT_JOURNAL")
	require.NotEmpty(t, kind, "run scripts/real-tenant: it sets what this test needs, and cleans up after it")
	at, err := tenanttest.FromEnv(kind, os.LookupEnv)
	require.NoError(t, err)
	return at, func() connector.Connector {
		c, err := at.Kind.Open(t.Context(), connector.Env{App: "tenant"}, at.Settings)
		require.NoError(t, err)
		return c
	}, journal
}

// endWithScript ends this program as soon as scripts/real-tenant is gone, however that ended:
// nobody would clean up after it.
func endWithScript() {
	script := os.Getppid()
	go func() {
		for range time.Tick(50 * time.Millisecond) {
			if os.Getppid() != script {
				os.Exit(1)
			}
		}
	}()
}

// TestEnvironment says on the standard error, for whoever runs scripts/real-tenant, what is
// wrong with the environment.
func TestEnvironment(t *testing.T) {
	at, err := tenanttest.FromEnv(os.Getenv("TENURE_TENANT_KIND"), os.LookupEnv)
	if err == nil {
		var c connector.Connector
		if c, err = at.Kind.Open(t.Context(), connector.Env{App: "tenant"}, at.Settings); err == nil {
			err = c.Close()
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "real-tenant:", err)
		t.FailNow()
	}
}

// TestTenant runs the suite on the tenant.
func TestTenant(t *testing.T) {
	at, open, journal := tenant(t)
	c := open()
	who, err := c.Check(t.Context())
	require.NoError(t, err)
	t.Logf("signed in as %s", who)
	var secrets []string
	for _, s := range at.Kind.Settings {
		if text, ok := at.Settings[s.Name].(string); ok && s.Type == connector.TypeSecret {
			secrets = append(secrets, text)
		}
	}
	connectortest.Run(t, connectortest.Target{
		Kind: at.Kind,
		Proof: connector.Proof{
			Level: connector.ServerNotOurs, On: "a tenant of the vendor's, " + time.Now().UTC().Format("January 2006"), Part: at.Part, Attested: true,
		},
		Open:         func(*testing.T) connector.Connector { return tenanttest.Keep(open(), at, journal) },
		Capabilities: c.Capabilities(),
		Entitlements: at.Groups,
		Attributes:   at.Attributes,
		MaxText:      at.MaxText,
		Names:        tenanttest.Marker + strings.ToLower(rand.Text()[:4]) + "-",
		Secrets:      secrets,
		Deviations:   at.Deviations,
	})
	require.NoError(t, c.Close())
}

// TestSweep deletes what TestTenant, or one that was killed, has left.
func TestSweep(t *testing.T) {
	at, open, journal := tenant(t)
	c := open()
	defer func() { require.NoError(t, c.Close()) }()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Minute)
	defer cancel()
	deleted, err := tenanttest.Sweep(ctx, c, journal, at.Pause, 5*time.Minute)
	t.Logf("deleted %d accounts", deleted)
	require.NoError(t, err)
}
