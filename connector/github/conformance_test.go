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
	refuse := func(kind connector.ErrorKind, after time.Duration, asDate bool) {
		limited := kind == connector.KindRateLimited
		app.SetFaults(githubtest.Faults{Down: !limited, Secondary: limited, RetryAfter: int(after / time.Second), RetryAfterDate: asDate})
	}
	return connectortest.Target{
		Kind: github.Kind,
		Open: func(t *testing.T) connector.Connector {
			c, err := github.Kind.Open(t.Context(), connector.Env{App: "code"}, settings)
			require.NoError(t, err)
			return c
		},
		Capabilities: connector.Capabilities{
			Create: true, Disable: true, Entitlements: true, ListEntitlements: true, Sessions: true, List: true, Probe: true,
		},
		Entitlements: [2]string{"staff", "role:owner"},
		Names:        "zoe-",
		Wait:         time.Minute,
		Secrets:      []string{token},
		Deviations: map[connectortest.Deviation]string{
			connectortest.NoExternalID:      "GitHub keeps none: the configuration says whose a login is",
			connectortest.NoInactive:        "a membership is there or not",
			connectortest.UsernamesOfLogins: "usernames become logins of GitHub",
		},
		Faults: connectortest.Faults{
			Heal: func(*testing.T) {
				app.SetFaults(githubtest.Faults{})
				app.SetToken(token)
			},
			FailAfterApply: func(*testing.T) { app.SetFaults(githubtest.Faults{FailAfterApply: true}) },
			Unauthorize:    func(*testing.T) { app.SetToken("another") },
			Refuse: func(_ *testing.T, kind connector.ErrorKind, after time.Duration) {
				refuse(kind, after, false)
			},
			RefuseUntil: func(_ *testing.T, kind connector.ErrorKind, after time.Duration) {
				refuse(kind, after, true)
			},
			Stall: func(*testing.T) { app.SetFaults(githubtest.Faults{Stall: true}) },
		},
	}
}

func TestConformance(t *testing.T) {
	app, settings := serve(t, nil)
	connectortest.Run(t, target(app, settings))
}

// TestConformanceOfInvitations runs the suite while nobody accepts an invitation.
func TestConformanceOfInvitations(t *testing.T) {
	app, settings := serve(t, func(o *githubtest.Options) { o.Wait = true })
	to := target(app, settings)
	to.Entitlements = [2]string{"engineers", "staff"}
	connectortest.Run(t, to)
}
