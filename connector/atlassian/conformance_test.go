package atlassian_test

import (
	"maps"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/atlassian"
	"github.com/tenurehq/tenure/connector/atlassian/atlassiantest"
	"github.com/tenurehq/tenure/connector/connectortest"
	"github.com/tenurehq/tenure/connector/vendortest"
	"github.com/tenurehq/tenure/secret"
)

const (
	key = "ATCTT3x-that-nobody-may-see"
	org = "0a1b2c3d-0000-0000-0000-000000000000"
)

// serve starts an organisation on a port of its own, and returns it with settings for it.
func serve(t *testing.T, switches atlassiantest.Switches, change connector.Settings) (*atlassiantest.Service, connector.Settings) {
	t.Helper()
	app := atlassiantest.New(atlassiantest.Options{
		Org: org, Key: key, Directory: "d-1", Domain: "example.com", Groups: []string{"everybody", "jira-users", "confluence-users"},
	}, switches)
	server := httptest.NewServer(app)
	t.Cleanup(server.Close)
	t.Cleanup(func() { app.SetFaults(vendortest.Faults{}) })
	settings := connector.Settings{
		"url": server.URL, "orgID": org, "token": secret.Of(key), "domain": "example.com", "invitedTo": []any{"everybody"},
	}
	maps.Copy(settings, change)
	return app, settings
}

func open(t *testing.T, settings connector.Settings) connector.Connector {
	t.Helper()
	c, err := atlassian.Kind.Open(t.Context(), connector.Env{App: "atlassian"}, settings)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

var (
	unmanaged = connector.Capabilities{
		Create: true, Disable: true, Reversible: true, Entitlements: true, ListEntitlements: true, List: true, Probe: true, Settling: time.Minute,
	}
	managed = func() connector.Capabilities {
		can := unmanaged
		can.Sessions, can.Delete, can.RecycleBin, can.Restore = true, true, 14*24*time.Hour, true
		return can
	}()
)

// target returns the suite's target for a stand-in.
func target(app *atlassiantest.Service, settings connector.Settings, can connector.Capabilities, entitlements [2]string) connectortest.Target {
	refuse := func(kind connector.ErrorKind, after time.Duration, asDate bool) {
		app.SetFaults(vendortest.Faults{Down: kind == connector.KindUnavailable, Limited: kind == connector.KindRateLimited, Wait: after, AsDate: asDate})
	}
	deviations := map[connectortest.Deviation]string{
		connectortest.NoExternalID:   "Atlassian keeps none in its directories",
		connectortest.NoInactive:     "an invitation gives access",
		connectortest.UsernamesPlain: "usernames become addresses",
	}
	if can.Delete {
		deviations[connectortest.UsernamesHeld] = "an address belongs to the deleted account for 14 days (ID-7244)"
	}
	return connectortest.Target{
		Kind: atlassian.Kind,
		Open: func(t *testing.T) connector.Connector {
			c, err := atlassian.Kind.Open(t.Context(), connector.Env{App: "atlassian"}, settings)
			require.NoError(t, err)
			return c
		},
		Capabilities: can,
		Entitlements: entitlements,
		Secrets:      []string{key, settings["url"].(string)},
		Deviations:   deviations,
		Faults: connectortest.Faults{
			Heal: func(*testing.T) {
				app.SetFaults(vendortest.Faults{})
				app.SetKey(key)
			},
			FailAfterApply: func(*testing.T) { app.SetFaults(vendortest.Faults{FailAfterApply: 1}) },
			Unauthorize:    func(*testing.T) { app.SetKey("another") },
			Refuse: func(_ *testing.T, kind connector.ErrorKind, after time.Duration) {
				refuse(kind, after, false)
			},
			RefuseUntil: func(_ *testing.T, kind connector.ErrorKind, after time.Duration) {
				refuse(kind, after, true)
			},
			Stall: func(*testing.T) { app.SetFaults(vendortest.Faults{Stall: true}) },
		},
	}
}

// TestConformance runs the suite once for each trap that leaves the app whole.
func TestConformance(t *testing.T) {
	groups := [2]string{"jira-users", "confluence-users"}
	for name, test := range map[string]struct {
		switches     atlassiantest.Switches
		change       connector.Settings
		can          connector.Capabilities
		entitlements [2]string
	}{
		"managed":       {can: managed, entitlements: groups},
		"roles":         {can: managed, entitlements: [2]string{"jira-users", "role:user-access-admin"}},
		"invited again": {can: managed, entitlements: groups, switches: atlassiantest.Switches{InvitesAgain: true}},
		"short pages":   {can: managed, entitlements: groups, switches: atlassiantest.Switches{PageSize: 7, NullLinks: true}, change: connector.Settings{"invitation": "Welcome", "directory": "d-1"}},
		"unmanaged":     {can: unmanaged, entitlements: groups, change: connector.Settings{"managed": false, "domain": "elsewhere.org"}, switches: atlassiantest.Switches{Scoped: true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app, settings := serve(t, test.switches, test.change)
			connectortest.Run(t, target(app, settings, test.can, test.entitlements))
		})
	}
}
