package google_test

import (
	"maps"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/connectortest"
	"github.com/tenurehq/tenure/connector/google"
	"github.com/tenurehq/tenure/connector/google/googletest"
)

// all is what the kind offers with its default settings.
var all = connector.Capabilities{
	Create: true, Adopt: true, Update: true, Relabel: true, Disable: true, Reversible: true, Delete: true,
	Entitlements: true, ListEntitlements: true, Sessions: true, ResetCredentials: true, HandOver: true, List: true, Probe: true,
	RecycleBin: 20 * 24 * time.Hour, Restore: true, Settling: 15 * time.Minute,
}

const (
	starter = "Google-Apps/1010020027"
	plus    = "Google-Apps/1010020025"
)

// serve starts a stand-in and returns it with settings that lead to it.
func serve(t *testing.T, change connector.Settings) (*googletest.Service, connector.Settings) {
	t.Helper()
	app, err := googletest.New("staff@example.com", "engineers@example.com")
	require.NoError(t, err)
	app.AddLicence(starter, 5000)
	app.AddLicence(plus, 1)
	server := httptest.NewServer(app)
	t.Cleanup(server.Close)
	settings := connector.Settings{
		"key": app.Key(), "admin": googletest.Admin, "domain": googletest.Domain, "url": server.URL, "licensingURL": server.URL,
		"tokenURL": server.URL + "/token", "licensingInterval": "1us",
	}
	maps.Copy(settings, change)
	return app, settings
}

func open(t *testing.T, settings connector.Settings) connector.Connector {
	t.Helper()
	c, err := google.Kind.Open(t.Context(), connector.Env{App: "workspace"}, settings)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

// target returns the suite's target for a stand-in.
func target(app *googletest.Service, settings connector.Settings, entitlements [2]string) connectortest.Target {
	refuse := func(kind connector.ErrorKind, after time.Duration, asDate bool) {
		app.SetFaults(googletest.Faults{
			Down: kind == connector.KindUnavailable, Throttled: kind == connector.KindRateLimited, RetryAfter: after, AsDate: asDate,
		})
	}
	offered := all
	if _, licensed := settings["licences"]; licensed {
		offered.HandOverNeeds = []string{"licence:"}
	}
	return connectortest.Target{
		Kind: google.Kind,
		Open: func(t *testing.T) connector.Connector {
			c, err := google.Kind.Open(t.Context(), connector.Env{App: "workspace"}, settings)
			require.NoError(t, err)
			return c
		},
		Capabilities: offered, Entitlements: entitlements, Attributes: [2]string{"title", "department"},
		Secrets: []string{settings["key"].(string), settings["url"].(string), "ya29."},
		Wait:    10 * time.Second,
		Deviations: map[connectortest.Deviation]string{
			connectortest.UsernamesPlain: "an address has only ASCII letters, digits, dashes, underscores, apostrophes and dots (Name and password guidelines)",
		},
		Seed: func(_ *testing.T, account connector.Account) {
			app.AddUser(map[string]any{
				"primaryEmail": account.Username + "@" + googletest.Domain, "suspended": !account.Active,
				"externalIds": []any{map[string]any{"type": "organization", "value": account.ExternalID}},
			})
		},
		Rename: func(_ *testing.T, account connector.Account, username string) {
			app.Change(account.ID, map[string]any{"primaryEmail": username + "@" + googletest.Domain})
		},
		Faults: connectortest.Faults{
			Heal:           func(*testing.T) { app.SetFaults(googletest.Faults{}) },
			FailAfterApply: func(*testing.T) { app.SetFaults(googletest.Faults{FailAfterApply: 1}) },
			Unauthorize:    func(*testing.T) { app.SetFaults(googletest.Faults{Unauthorized: true}) },
			Refuse: func(_ *testing.T, kind connector.ErrorKind, after time.Duration) {
				refuse(kind, after, false)
			},
			RefuseUntil: func(_ *testing.T, kind connector.ErrorKind, after time.Duration) {
				refuse(kind, after, true)
			},
			Drop:  func(_ *testing.T, names ...string) { app.SetFaults(googletest.Faults{Forget: names}) },
			Stall: func(*testing.T) { app.SetFaults(googletest.Faults{Stall: true}) },
			TakeLong: func(*testing.T) (end func()) {
				traps := app.Traps()
				long := traps
				long.TransferPolls = 1000
				app.Spring(long)
				return func() {
					app.Spring(traps)
					app.EndTransfers()
				}
			},
		},
	}
}

func TestConformance(t *testing.T) {
	app, settings := serve(t, nil)
	connectortest.Run(t, target(app, settings, [2]string{"engineers@example.com", "staff@example.com"}))
}
