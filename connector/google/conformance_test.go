package google_test

import (
	"fmt"
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
	Entitlements: true, ListEntitlements: true, Sessions: true, ResetCredentials: true, HandOver: true, List: true, Page: true, Probe: true, LastUse: google.Kind.LastUse,
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
	offered := all
	if _, licensed := settings["licences"]; licensed {
		offered.HandOverNeeds = []string{"licence:"}
	}
	faults := connectortest.Behind(app.Door(), func(accepts bool) { app.RefuseTokens(!accepts) })
	faults.TakeLong = func(*testing.T) (end func()) {
		switches := app.Switches()
		long := switches
		long.TransferPolls = 1000
		app.SetSwitches(long)
		return func() {
			app.SetSwitches(switches)
			app.EndTransfers()
		}
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
			connectortest.PagesShift:     "Google does not say that a list stays whole when users are deleted: the stand-in assumes the worst",
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
		Faults: faults,
	}
}

// TestConformance runs the suite once for each trap.
func TestConformance(t *testing.T) {
	type (
		on    = googletest.Switches
		fails = map[string]connector.ErrorKind
	)
	groups := [2]string{"engineers@example.com", staff}
	run := func(switches on) connectortest.Trapped[on] {
		return connectortest.Trapped[on]{On: switches, Start: func(t *testing.T) (connectortest.StandIn[on], connectortest.Target) {
			app, settings := serve(t, nil)
			return app, target(app, settings, groups)
		}}
	}
	patiently := func(switches on) connectortest.Trapped[on] {
		patient := run(switches)
		patient.Patient = true
		return patient
	}
	failing := func(switches on, refused fails) connectortest.Trapped[on] {
		failing := run(switches)
		failing.Fails = refused
		return failing
	}
	const many, astray = 1000, connector.KindContradictory
	connectortest.RunTrapped(t, connectortest.Vendor[on]{
		Kind: "google", Lags: on{NotFoundAfterCreate: many, NamelessReads: many, CreationIncomplete: many, SearchesLag: many, MembershipsLag: many},
		Runs: map[string]connectortest.Trapped[on]{
			"as documented": run(on{}),
			"all entitlements": {Start: func(t *testing.T) (connectortest.StandIn[on], connectortest.Target) {
				app, settings := serve(t, connector.Settings{"groupRoles": true, "roles": true, "licences": []any{starter}})
				return app, target(app, settings, [2]string{"engineers@example.com:OWNER", "role:Helpdesk"})
			}},
			"not found after create":        patiently(on{NotFoundAfterCreate: 2}),
			"names missing at first":        patiently(on{NamelessReads: 1}),
			"creation is not complete":      patiently(on{CreationIncomplete: 2}),
			"searches lag":                  patiently(on{SearchesLag: 1}),
			"memberships lag":               patiently(on{MembershipsLag: 2}),
			"member added but 404":          run(on{MemberAddedBut404: true}),
			"quota as 403":                  patiently(on{QuotaEvery: 41}),
			"concurrent quota as 403":       patiently(on{QuotaEvery: 37, QuotaReason: "quotaExceeded"}),
			"transfers take several looks":  patiently(on{TransferPolls: 3}),
			"all that can be had at a time": patiently(on{NotFoundAfterCreate: 1, CreationIncomplete: 1, SearchesLag: 1, MembershipsLag: 1, MemberAddedBut404: true, TransferPolls: 2}),
			"a transfer that fails":         failing(on{TransferFails: []string{"55656082996"}}, fails{connector.OpHandOver: connector.KindInvalid}),
			"codes that stay":               failing(on{CodesFail: true}, fails{connector.OpDisable: connector.KindUnavailable, connector.OpResetCredentials: connector.KindUnavailable}),
			"empty answers": failing(on{Empty: true}, fails{
				connector.OpFind: astray, connectortest.FindByID: astray, connector.OpRead: astray, connector.OpList: astray,
				connector.OpCreate: astray, connector.OpAdopt: astray, connector.OpRelabel: astray, connector.OpUpdate: astray,
				connector.OpGrant: astray, connector.OpResetCredentials: astray, connector.OpDisable: astray,
				connectortest.ResetDisabled: astray, connectortest.UpdateDisabled: astray, connector.OpRestore: astray,
				connector.OpHandOver: astray, connector.OpRevokeSessions: astray, connector.OpEnable: astray,
			}),
		},
	})
}

func TestAListIsNeverHeldAsAWhole(t *testing.T) {
	app, settings := serve(t, nil)
	connectortest.ListMany(t, target(app, settings, [2]string{}), func(number int, text string) {
		app.AddUser(map[string]any{
			"primaryEmail":  fmt.Sprintf("user%d@%s", number, googletest.Domain),
			"organizations": []any{map[string]any{"primary": true, "title": text}},
		})
	})
}
