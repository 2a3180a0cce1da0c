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
	t.Cleanup(func() { app.Door().SetFaults(vendortest.Faults{}) })
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
		Create: true, Disable: true, Reversible: true, Entitlements: true, ListEntitlements: true, List: true, Page: true, LastUse: atlassian.Kind.LastUse, Probe: true, Settling: time.Minute,
	}
	managed = func() connector.Capabilities {
		can := unmanaged
		can.Sessions, can.Delete, can.RecycleBin, can.Restore = true, true, 14*24*time.Hour, true
		return can
	}()
)

// target returns the suite's target for a stand-in.
func target(app *atlassiantest.Service, settings connector.Settings, can connector.Capabilities, entitlements [2]string) connectortest.Target {
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
		Faults: connectortest.Behind(app.Door(), func(accepts bool) {
			app.SetKey(map[bool]string{true: key, false: "another"}[accepts])
		}),
	}
}

// TestConformance runs the suite once for each trap.
func TestConformance(t *testing.T) {
	type (
		on    = atlassiantest.Switches
		fails = map[string]connector.ErrorKind
	)
	with := func(switches on, change connector.Settings, can connector.Capabilities, entitlements ...string) connectortest.Trapped[on] {
		return connectortest.Trapped[on]{On: switches, Start: func(t *testing.T) (connectortest.StandIn[on], connectortest.Target) {
			app, settings := serve(t, on{}, change)
			return app, target(app, settings, can, [2]string(append(entitlements, "jira-users", "confluence-users")[:2]))
		}}
	}
	run := func(switches on, refused fails) connectortest.Trapped[on] {
		run := with(switches, nil, managed)
		run.Fails = refused
		return run
	}
	const astray, forbidden, misled = connector.KindContradictory, connector.KindForbidden, connector.KindUnavailable
	connectortest.RunTrapped(t, connectortest.Vendor[on]{Kind: "atlassian", Lags: on{Lags: true}, Runs: map[string]connectortest.Trapped[on]{
		"managed": run(on{}, nil),
		"roles":   with(on{}, nil, managed, "jira-users", "role:user-access-admin"),
		"invited again": run(on{InvitesAgain: true, Lags: true}, fails{
			connectortest.CreateAgain: "", connector.OpDelete: astray, connector.OpRestore: astray,
			connector.OpRevokeSessions: astray, connector.OpEnable: astray, connector.OpDisable: astray, connector.OpRead: astray,
			connectortest.FindByID: astray,
		}),
		"short pages":     with(on{PageSize: 7, NullLinks: true}, connector.Settings{"invitation": "Welcome", "directory": "d-1"}, managed),
		"unmanaged":       with(on{}, connector.Settings{"managed": false, "domain": "elsewhere.org"}, unmanaged),
		"a search of old": run(on{Stale: true}, fails{}),
		"sites elsewhere": run(on{Blocked: true}, fails{connector.OpDisable: connector.KindInvalid}),
		"provisioned": run(on{Provisioned: true}, fails{
			connector.OpDisable: forbidden, connector.OpDelete: forbidden, connector.OpRevokeSessions: forbidden,
			connector.OpEnable: forbidden,
		}),
		"scopes": run(on{Scoped: true}, fails{
			connector.OpRevokeSessions: forbidden, connector.OpDelete: forbidden, connector.OpEnable: forbidden,
			connector.OpDisable: forbidden,
		}),
		"synchronised groups": run(on{Synced: true}, fails{connector.OpGrant: connector.KindInvalid, connector.OpRevoke: connector.KindInvalid}),
		"no seats":            run(on{NoSeats: true}, fails{connector.OpGrant: connector.KindConflict, connector.OpCreate: astray}),
		"two directories":     run(on{SecondOne: true}, fails{connector.OpFind: connector.KindInvalid, connectortest.CreateAgain: connector.KindInvalid}),
		"no lists": run(on{Mute: true}, fails{
			connector.OpFind: astray, connector.OpDelete: astray, connector.OpRestore: astray, connector.OpRevokeSessions: astray,
			connector.OpEnable: astray, connector.OpDisable: astray, connector.OpRevoke: astray, connector.OpGrant: astray,
			connector.OpList: astray, connector.OpRead: astray, connectortest.FindByID: astray, connector.OpCreate: astray,
		}),
		"pages in a circle": run(on{Circle: true}, fails{
			connector.OpList: astray, connector.OpRevoke: astray, connector.OpGrant: astray, connector.OpCreate: astray,
			connector.OpFind: astray,
		}),
		"a gateway": run(on{Misrouted: true}, fails{
			connector.OpFind: misled, connector.OpDelete: misled, connector.OpRestore: misled, connector.OpRevokeSessions: misled,
			connector.OpEnable: misled, connector.OpDisable: misled, connector.OpRevoke: misled, connector.OpGrant: misled,
			connector.OpList: misled, connector.OpCheck: misled, connector.OpRead: misled, connectortest.FindByID: misled,
			connector.OpCreate: misled,
		}),
	}})
}
