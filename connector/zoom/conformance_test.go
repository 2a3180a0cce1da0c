package zoom_test

import (
	"context"
	"maps"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/connectortest"
	"github.com/tenurehq/tenure/connector/zoom"
	"github.com/tenurehq/tenure/connector/zoom/zoomtest"
	"github.com/tenurehq/tenure/secret"
)

const (
	clientSecret = "s3cret-that-nobody-may-see"
	personKey    = "cbf_person"
)

// serve starts a stand-in and returns it with settings that lead to it.
func serve(t *testing.T, seats int, switches zoomtest.Switches, change connector.Settings) (*zoomtest.Service, connector.Settings) {
	t.Helper()
	app := zoomtest.New(clientSecret, seats, switches, "staff", "engineers")
	server := httptest.NewServer(app)
	t.Cleanup(server.Close)
	settings := connector.Settings{
		"url": server.URL + "/v2", "tokenURL": server.URL + "/oauth/token", "accountID": zoomtest.AccountID, "clientID": zoomtest.ClientID,
		"clientSecret": secret.Of(clientSecret), "domain": zoomtest.Domain, "personAttribute": personKey,
	}
	maps.Copy(settings, change)
	return app, settings
}

func open(t *testing.T, settings connector.Settings) connector.Connector {
	t.Helper()
	c, err := zoom.Kind.Open(t.Context(), connector.Env{App: "zoom"}, settings)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

// accepting has whoever is invited accept at once.
type accepting struct {
	connector.Connector
	app *zoomtest.Service
}

func (a accepting) Create(ctx context.Context, spec connector.Spec) (connector.Account, error) {
	made, err := a.Connector.Create(ctx, spec)
	a.app.Accept()
	if err != nil {
		return made, err
	}
	return a.Read(ctx, made.ID)
}

// TestConformance runs the suite once for each trap.
func TestConformance(t *testing.T) {
	const many = 10_000
	for name, test := range map[string]struct {
		switches     zoomtest.Switches
		settings     connector.Settings
		entitlements [2]string
		deviations   map[connectortest.Deviation]string
	}{
		"as documented": {zoomtest.Switches{}, nil, [2]string{"staff", "engineers"}, map[connectortest.Deviation]string{}},
		"short pages, custom attributes replaced": {zoomtest.Switches{PageSize: 41, CustomReplaced: true, GroupTwice: true}, nil, [2]string{"staff", "engineers"}, map[connectortest.Deviation]string{}},
		"roles and licences":                      {zoomtest.Switches{}, connector.Settings{"roles": true, "licences": true}, [2]string{"role:Analyst", "licence:Licensed"}, map[connectortest.Deviation]string{}},
		"invitations": {
			zoomtest.Switches{}, connector.Settings{"create": "create"}, [2]string{"staff", "engineers"},
			map[connectortest.Deviation]string{connectortest.NoInactive: "whom Zoom invites can accept at any time"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app, settings := serve(t, many, test.switches, test.settings)
			refuse := func(_ *testing.T, kind connector.ErrorKind, after time.Duration) {
				app.SetFaults(zoomtest.Faults{Down: kind == connector.KindUnavailable, Limited: kind == connector.KindRateLimited, Wait: after})
			}
			connectortest.Run(t, connectortest.Target{
				Kind: zoom.Kind,
				Open: func(t *testing.T) connector.Connector {
					c, err := zoom.Kind.Open(t.Context(), connector.Env{App: "zoom"}, settings)
					require.NoError(t, err)
					if test.settings["create"] != nil {
						c = accepting{c, app}
					}
					return c
				},
				Capabilities: connector.Capabilities{
					Create: true, Adopt: true, Update: true, Relabel: true, Disable: true, Reversible: true, Delete: true,
					HandOverByDelete: true, MarksLater: true, Entitlements: true, ListEntitlements: true, Sessions: true, List: true, Probe: true,
				},
				Entitlements: test.entitlements, Attributes: [2]string{"display_name", "dept"}, Wait: time.Second,
				Secrets: []string{clientSecret, settings["url"].(string)}, Deviations: test.deviations,
				Seed: func(_ *testing.T, account connector.Account) {
					app.AddUser(map[string]any{
						"email":             account.Username + "@" + zoomtest.Domain,
						"custom_attributes": []any{map[string]any{"key": personKey, "name": "Person", "value": account.ExternalID}},
					})
				},
				Rename: func(_ *testing.T, account connector.Account, username string) {
					app.SetField(account.ID, "email", username+"@"+zoomtest.Domain)
				},
				Faults: connectortest.Faults{
					Heal: func(*testing.T) {
						app.SetFaults(zoomtest.Faults{})
						app.SetSecret(clientSecret)
					},
					FailAfterApply: func(*testing.T) { app.SetFaults(zoomtest.Faults{FailAfterApply: 1}) },
					Unauthorize:    func(*testing.T) { app.SetSecret("another") },
					Refuse:         refuse,
					RefuseUntil:    refuse,
					Stall:          func(*testing.T) { app.SetFaults(zoomtest.Faults{Stall: true}) },
					Drop:           func(_ *testing.T, names ...string) { app.SetFaults(zoomtest.Faults{Forget: names}) },
				},
			})
		})
	}
}
