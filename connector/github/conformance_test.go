package github_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/connectortest"
	"github.com/tenurehq/tenure/connector/github"
	"github.com/tenurehq/tenure/connector/github/githubtest"
	"github.com/tenurehq/tenure/connector/vendortest"
)

const token = "ghp_that-nobody-may-see"

// serve starts a GitHub on a port of its own, behind what wraps it, and returns it with
// settings for it.
func serve(t *testing.T, change func(*githubtest.Options), wrap ...func(http.Handler) http.Handler) (*githubtest.GitHub, connector.Settings) {
	t.Helper()
	options := githubtest.Options{
		Org: "acme", Token: token, Teams: []string{"staff", "engineers"}, Anybody: true, AppID: "Iv23acme", Key: &vendortest.Key().PublicKey,
	}
	if change != nil {
		change(&options)
	}
	app := githubtest.New(options)
	var handler http.Handler = app
	for _, w := range wrap {
		handler = w(handler)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return app, connector.Settings{"url": server.URL, "org": "acme", "token": token, "loginSuffix": "-acme", "saml": true}
}

func open(t *testing.T, settings connector.Settings) connector.Connector {
	t.Helper()
	c, err := github.Kind.Open(t.Context(), connector.Env{App: "code"}, settings)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

func target(app *githubtest.GitHub, settings connector.Settings) connectortest.Target {
	return connectortest.Target{
		Kind: github.Kind,
		Open: func(t *testing.T) connector.Connector {
			c, err := github.Kind.Open(t.Context(), connector.Env{App: "code"}, settings)
			require.NoError(t, err)
			return c
		},
		Capabilities: connector.Capabilities{
			Create: true, Disable: true, Entitlements: true, ListEntitlements: true, Sessions: true, List: true, Page: true, Probe: true, LastUse: github.Kind.LastUse,
		},
		Entitlements: [2]string{"staff", "role:owner"},
		Names:        "zoe-",
		Wait:         time.Minute,
		Secrets:      []string{token},
		Deviations: map[connectortest.Deviation]string{
			connectortest.PagesShift:        "GitHub numbers its pages",
			connectortest.NoExternalID:      "GitHub keeps none: the configuration says whose a login is",
			connectortest.NoInactive:        "a membership is there or not",
			connectortest.UsernamesOfLogins: "usernames become logins of GitHub",
		},
		Faults: connectortest.Behind(app.Door(), func(accepts bool) {
			app.SetToken(map[bool]string{true: token, false: "another"}[accepts])
		}),
	}
}

// TestConformance runs the suite once for each trap.
func TestConformance(t *testing.T) {
	type (
		on    = githubtest.Switches
		fails = map[string]connector.ErrorKind
	)
	run := func(switches on, refused fails, entitlements ...string) connectortest.Trapped[on] {
		return connectortest.Trapped[on]{On: switches, Fails: refused, Start: func(t *testing.T) (connectortest.StandIn[on], connectortest.Target) {
			app, settings := serve(t, nil)
			to := target(app, settings)
			if switches.Primary {
				to.Wait = 0 // it says so
			}
			to.Entitlements = [2]string(append(entitlements, "staff", "role:owner")[:2])
			return app, to
		}}
	}
	const limited, forbidden = connector.KindRateLimited, connector.KindForbidden
	connectortest.RunTrapped(t, connectortest.Vendor[on]{Kind: "github", Runs: map[string]connectortest.Trapped[on]{
		"as documented":         run(on{}, nil),
		"nobody accepts":        run(on{Pending: true}, nil, "engineers", "staff"),
		"the limit of the hour": run(on{Primary: true}, nil),
		"limits as 429":         run(on{As: 429}, nil),
		"short pages":           run(on{PageSize: 7}, nil),
		"the last owner":        run(on{LastOwner: true}, fails{connector.OpDisable: forbidden}),
		"no more invitations":   run(on{Invitations: true}, fails{connector.OpCreate: limited}),
		"no seat":               run(on{NoSeat: true}, fails{connector.OpCreate: connector.KindInvalid}),
		"pages elsewhere":       run(on{Elsewhere: true, PageSize: 1}, fails{connector.OpList: connector.KindContradictory}),
		"points used up": run(on{QueryLimit: true}, fails{
			connector.OpRead: limited, connector.OpRevoke: limited, connector.OpGrant: limited, connectortest.FindByID: limited,
			connector.OpFind: limited,
		}),
		"hidden": run(on{Hidden: true}, fails{
			connector.OpRead: forbidden, connector.OpRevokeSessions: forbidden, connector.OpDisable: forbidden,
			connector.OpRevoke: forbidden, connector.OpGrant: forbidden, connector.OpCreate: forbidden, connector.OpList: forbidden,
			connector.OpCheck: forbidden, connectortest.FindByID: forbidden, connector.OpFind: forbidden,
		}),
	}})
}
