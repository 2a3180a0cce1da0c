package scim_test

import (
	"fmt"
	"maps"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/connectortest"
	"github.com/tenurehq/tenure/connector/scim"
	"github.com/tenurehq/tenure/connector/scim/scimtest"
)

const token = "t0ken-that-nobody-may-see"

// serve starts an app on a port of its own.
func serve(t *testing.T, groups ...string) (app *scimtest.Service, url string) {
	t.Helper()
	app, err := scimtest.New(scimtest.Options{Name: "wiki", Token: token, Groups: groups})
	require.NoError(t, err)
	server := httptest.NewServer(app)
	t.Cleanup(server.Close)
	return app, server.URL + scimtest.BasePath
}

func open(t *testing.T, settings connector.Settings) connector.Connector {
	t.Helper()
	c, err := scim.Connect(t.Context(), connector.Env{App: "wiki"}, settings)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

// generic holds the capabilities of the generic profile before the service is asked.
var generic = func() connector.Capabilities {
	can := all
	can.ResetCredentials = true
	return can
}()

// all holds the most that a vendor's profile can do.
var all = connector.Capabilities{
	Create: true, Adopt: true, Update: true, Relabel: true, Disable: true, Reversible: true,
	Delete: true, Entitlements: true, ListEntitlements: true, List: true, Page: true, Probe: true, LastUse: scim.Kind.LastUse,
}

// switched is a stand-in whose switches are its deviations.
type switched struct{ *scimtest.Service }

func (d switched) SetSwitches(to scimtest.Deviations) { d.SetDeviations(to) }

// TestConformance runs the suite once for each profile, and with each further way in which
// services deviate.
func TestConformance(t *testing.T) {
	type on = scimtest.Deviations
	runs := map[string]connectortest.Trapped[on]{}
	for name := range vendors {
		runs[name] = connectortest.Trapped[on]{On: deviationsOf(name), Start: func(t *testing.T) (connectortest.StandIn[on], connectortest.Target) {
			app, target := vendorTarget(t, name)
			return switched{app}, target
		}}
	}
	for name, odd := range map[string]struct {
		deviations on
		settings   connector.Settings
	}{
		"as the RFC says":                       {},
		"PUT, and cursors":                      {deviations: on{NoPatch: true, CursorPaging: true, PageMax: 70}},
		"no PATCH of groups":                    {deviations: on{PatchNotAllowed: true}, settings: connector.Settings{"changeGroups": "put"}},
		"members shown one by one":              {deviations: on{MembersAlone: true}},
		"members shown on request":              {deviations: on{MembersOnRequest: true}},
		"empty lists of groups":                 {deviations: on{EmptyGroups: true}},
		"no totals":                             {deviations: on{NoTotals: true}},
		"no resource types":                     {deviations: on{NoResourceTypes: true}},
		"operations in capitals":                {deviations: on{CapitalOps: true}},
		"truth values as text":                  {deviations: on{TextBooleans: true}},
		"conflicts without a reason":            {deviations: on{BareConflicts: true}},
		"a filter by name finds nothing":        {deviations: on{DeafFilters: []string{"displayName"}}},
		"a filter by externalId finds everyone": {deviations: on{OpenFilters: []string{"externalId"}}},
	} {
		runs[name] = connectortest.Trapped[on]{On: odd.deviations, Start: func(t *testing.T) (connectortest.StandIn[on], connectortest.Target) {
			app, url := deviating(t, odd.deviations)
			settings := connector.Settings{"url": url, "token": token}
			maps.Copy(settings, odd.settings)
			return switched{app}, target(app, settings, generic, "staff", "engineers")
		}}
	}
	connectortest.RunTrapped(t, connectortest.Vendor[on]{
		Kind: "scim", Listed: 220, // a page has 200 at most
		Runs: runs})
}

// byIndex says why accounts may be missing from a list.
const byIndex = "pages begin at an index (RFC 7644 section 3.4.2.4)"

// target returns the suite's target for an app, with the app's fault switches.
func target(app *scimtest.Service, settings connector.Settings, can connector.Capabilities, entitlements ...string) connectortest.Target {
	refuse := func(kind connector.ErrorKind, after time.Duration, asDate bool) {
		seconds := int(after / time.Second)
		faults := scimtest.Faults{Down: true, DownRetryAfter: seconds, RetryAfterDate: asDate}
		if kind == connector.KindRateLimited {
			faults = scimtest.Faults{RateLimit: scimtest.RateLimit{Every: 1, RetryAfter: seconds}, RetryAfterDate: asDate}
		}
		app.SetFaults(faults)
	}
	return connectortest.Target{
		Kind: scim.Kind,
		Open: func(t *testing.T) connector.Connector {
			c, err := scim.Kind.Open(t.Context(), connector.Env{App: "wiki"}, settings)
			require.NoError(t, err)
			return c
		},
		Capabilities:  can,
		Entitlements:  [2]string(entitlements),
		Attributes:    [2]string{"title", "userType"},
		KeyAttributes: map[connector.MatchKey]string{connector.ByEmail: "emails"},
		Secrets:       []string{token, settings["url"].(string)},
		Deviations:    map[connectortest.Deviation]string{connectortest.PagesShift: byIndex},
		Seed: func(_ *testing.T, account connector.Account) {
			app.AddUser(scimtest.User{UserName: account.Username, ExternalID: account.ExternalID, Active: account.Active})
		},
		Faults: connectortest.Faults{
			Heal: func(*testing.T) {
				app.SetFaults(scimtest.Faults{})
				app.SetToken(token)
			},
			FailAfterApply: func(*testing.T) { app.SetFaults(scimtest.Faults{FailAfterApply: 1}) },
			Unauthorize:    func(*testing.T) { app.SetToken("another") },
			Refuse: func(_ *testing.T, kind connector.ErrorKind, after time.Duration) {
				refuse(kind, after, false)
			},
			RefuseUntil: func(_ *testing.T, kind connector.ErrorKind, after time.Duration) {
				refuse(kind, after, true)
			},
			Stall: func(*testing.T) { app.SetFaults(scimtest.Faults{SlowMillis: 3_600_000}) },
			Stray: func(*testing.T) { app.SetFaults(scimtest.Faults{Astray: scimtest.Astray{Next: 1_000_000}}) },
			Drop:  func(_ *testing.T, names ...string) { app.SetFaults(scimtest.Faults{Forget: names}) },
		},
	}
}

func TestAListIsNeverHeldAsAWhole(t *testing.T) {
	app, url := serve(t)
	settings := connector.Settings{"url": url, "token": token}
	connectortest.ListMany(t, target(app, settings, generic, "", ""), func(number int, text string) {
		app.AddUser(scimtest.User{UserName: fmt.Sprintf("user%d", number), Title: text, Active: true})
	})
}
