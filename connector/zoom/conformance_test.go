package zoom_test

import (
	"context"
	"fmt"
	"maps"
	"net/http/httptest"
	"slices"
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

// licensed gives everybody a licence, whom data can be handed over to then.
type licensed struct {
	connector.Connector
	app *zoomtest.Service
}

func (l licensed) Create(ctx context.Context, spec connector.Spec) (connector.Account, error) {
	made, err := l.Connector.Create(ctx, spec)
	if err == nil {
		l.app.SetField(made.ID, "type", 2)
	}
	return made, err
}

// target returns the suite's target for an account.
func target(app *zoomtest.Service, settings connector.Settings, entitlements ...string) connectortest.Target {
	deviations := map[connectortest.Deviation]string{
		connectortest.PagesShift: "Zoom does not say that a list stays whole when users are deleted: the stand-in assumes the worst",
	}
	if settings["create"] != nil {
		deviations[connectortest.NoInactive] = "whom Zoom invites can accept at any time"
	}
	return connectortest.Target{
		Kind: zoom.Kind,
		Open: func(t *testing.T) connector.Connector {
			c, err := zoom.Kind.Open(t.Context(), connector.Env{App: "zoom"}, settings)
			require.NoError(t, err)
			switch {
			case settings["create"] != nil:
				return accepting{c, app}
			case settings["handOver"] != nil:
				return licensed{c, app}
			}
			return c
		},
		Capabilities: connector.Capabilities{
			Create: true, Adopt: true, Update: true, Relabel: true, Disable: true, Reversible: true, Delete: true,
			HandOverByDelete: true, MarksLater: true, Entitlements: true, ListEntitlements: true, Sessions: true, List: true, Page: true, Probe: true, LastUse: zoom.Kind.LastUse,
		},
		Entitlements: [2]string(entitlements), Attributes: [2]string{"display_name", "dept"}, Wait: time.Second,
		Secrets: []string{clientSecret, settings["url"].(string)}, Deviations: deviations,
		Seed: func(_ *testing.T, account connector.Account) {
			app.AddUser(map[string]any{
				"email":             account.Username + "@" + zoomtest.Domain,
				"custom_attributes": []any{map[string]any{"key": personKey, "name": "Person", "value": account.ExternalID}},
			})
		},
		Rename: func(_ *testing.T, account connector.Account, username string) {
			app.SetField(account.ID, "email", username+"@"+zoomtest.Domain)
		},
		Faults: connectortest.Behind(app.Door(), func(accepts bool) {
			app.SetSecret(map[bool]string{true: clientSecret, false: "another"}[accepts])
		}),
	}
}

// TestConformance runs the suite once for each trap.
func TestConformance(t *testing.T) {
	type (
		on    = zoomtest.Switches
		fails = map[string]connector.ErrorKind
	)
	seats := 10_000
	run := func(switches on, settings connector.Settings, refused fails, entitlements ...string) connectortest.Trapped[on] {
		seats := seats
		return connectortest.Trapped[on]{On: switches, Fails: refused, Start: func(t *testing.T) (connectortest.StandIn[on], connectortest.Target) {
			app, all := serve(t, seats, on{}, settings)
			to := target(app, all, append(entitlements, "staff", "engineers")[:2]...)
			if switches.Daily {
				to.Wait = time.Hour
			}
			return app, to
		}}
	}
	invites, licences := connector.Settings{"create": "create"}, connector.Settings{"roles": true, "licences": true}
	runs := map[string]connectortest.Trapped[on]{
		"as documented": run(on{}, nil, nil),
		"short pages, custom attributes replaced": run(on{PageSize: 41, CustomReplaced: true}, nil, nil),
		"roles and licences":                      run(on{}, licences, nil, "role:Analyst", "licence:Licensed"),
		"invitations":                             run(on{}, invites, nil),
		"invitations, shown by the ID only":       run(on{BarePending: true}, invites, nil),
		"the limit of a day":                      run(on{Daily: true}, nil, nil),
		"the recipient is gone":                   run(on{RecipientGone: true}, connector.Settings{"handOver": []any{"meetings"}}, fails{connectortest.DeleteFor: connector.KindUnavailable}),
		"an invitation that cannot be completed":  run(on{PendingUnset: true}, invites, fails{connector.OpCreate: connector.KindContradictory}),
		"scopes":                                  run(on{Scopes: slices.Concat(zoomtest.Scopes[:5], zoomtest.Scopes[6:])}, nil, fails{connector.OpDisable: connector.KindForbidden, connector.OpEnable: connector.KindForbidden}),
		"leaving already":                         run(on{Leaving: true}, nil, fails{connector.OpDelete: connector.KindUnavailable}),
	}
	seats = 1 // the owner's
	runs["seats that are not given"] = run(on{SilentSeats: true}, licences, fails{}, "licence:Licensed", "staff")
	connectortest.RunTrapped(t, connectortest.Vendor[on]{Kind: "zoom", Runs: runs})
}

func TestAListIsNeverHeldAsAWhole(t *testing.T) {
	app, settings := serve(t, 10_000, zoomtest.Switches{}, nil)
	connectortest.ListMany(t, target(app, settings, "staff", "engineers"), func(number int, text string) {
		app.AddUser(map[string]any{"email": fmt.Sprintf("user%d@%s", number, zoomtest.Domain), "dept": text})
	})
}
