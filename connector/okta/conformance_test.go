package okta_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/connectortest"
	"github.com/tenurehq/tenure/connector/okta"
	"github.com/tenurehq/tenure/connector/okta/oktatest"
)

const token = "t0ken-that-nobody-may-see"

// serve starts an org on a port of its own.
func serve(t *testing.T, switches oktatest.Switches, groups ...string) (org *oktatest.Service, url string) {
	t.Helper()
	org = oktatest.New(oktatest.Options{Token: token, Groups: groups}, switches)
	server := httptest.NewServer(org)
	t.Cleanup(server.Close)
	return org, server.URL
}

func open(t *testing.T, settings connector.Settings) connector.Connector {
	t.Helper()
	c, err := okta.Kind.Open(t.Context(), connector.Env{App: "okta"}, settings)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

// named maps what Okta requires of every user, as policy does, where a test does not.
type named struct{ connector.Connector }

func (n named) Create(ctx context.Context, spec connector.Spec) (connector.Account, error) {
	sum := sha256.Sum256([]byte(spec.Username))
	attributes := map[string]any{"firstName": "Zoë", "lastName": "Example", "email": hex.EncodeToString(sum[:8]) + "@example.com"}
	maps.Copy(attributes, spec.Attributes)
	spec.Attributes = attributes
	return n.Connector.Create(ctx, spec)
}

var can = connector.Capabilities{
	Create: true, Adopt: true, Update: true, Relabel: true, Disable: true, Reversible: true, Delete: true,
	Entitlements: true, ListEntitlements: true, Sessions: true, ResetCredentials: true, List: true, Probe: true,
	EnableFirst: true,
}

// canWith returns what is offered with the settings.
func canWith(settings connector.Settings) connector.Capabilities {
	all := can
	all.Frozen = settings["disable"] == "deactivate"
	return all
}

// TestConformance runs the suite once for each trap.
func TestConformance(t *testing.T) {
	for name, test := range map[string]struct {
		switches oktatest.Switches
		settings connector.Settings
		groups   []string
	}{
		"as documented":             {},
		"search that lags":          {switches: oktatest.Switches{SearchLag: time.Minute}},
		"slow transitions":          {switches: oktatest.Switches{Slow: 1}},
		"passwordless":              {switches: oktatest.Switches{Passwordless: true}},
		"other answers by status":   {switches: oktatest.Switches{InvalidStatus: true, Passwordless: true}},
		"deactivates, empty":        {switches: oktatest.Switches{EmptyDeactivate: true}, settings: connector.Settings{"disable": "deactivate"}},
		"deactivates, slow":         {switches: oktatest.Switches{Slow: 1, Passwordless: true}, settings: connector.Settings{"disable": "deactivate"}},
		"clock ahead":               {switches: oktatest.Switches{Skew: 3 * time.Hour, SearchLag: time.Minute}},
		"clock behind, short pages": {switches: oktatest.Switches{Skew: -3 * time.Hour, SearchLag: time.Minute, PageSize: 40}},
		"custom external ID":        {settings: connector.Settings{"externalID": "personID", "employeeNumber": "employeeNumber"}},
		"logins with a suffix":      {settings: connector.Settings{"usernameSuffix": "@Example.com"}},
		"admin roles":               {settings: connector.Settings{"adminRoles": true}, groups: []string{"staff", "role:HELP_DESK_ADMIN"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			org, url := serve(t, test.switches, "staff", "engineers")
			settings := connector.Settings{"url": url, "token": token}
			maps.Copy(settings, test.settings)
			entitlements := [2]string{"staff", "engineers"}
			if test.groups != nil {
				entitlements = [2]string(test.groups)
			}
			connectortest.Run(t, target(org, settings, entitlements))
		})
	}
}

// target returns the suite's target for an org, with the org's fault switches.
func target(org *oktatest.Service, settings connector.Settings, entitlements [2]string) connectortest.Target {
	keys := map[connector.MatchKey]string{connector.ByEmail: "email"}
	externalID := "employeeNumber"
	if custom, ok := settings["externalID"].(string); ok {
		externalID, keys[connector.ByEmployeeNumber] = custom, "employeeNumber"
	}
	suffix, _ := settings["usernameSuffix"].(string)
	refuse := func(_ *testing.T, kind connector.ErrorKind, after time.Duration) {
		org.SetFaults(oktatest.Faults{Down: kind == connector.KindUnavailable, Limited: kind == connector.KindRateLimited, Wait: after})
	}
	return connectortest.Target{
		Kind: okta.Kind,
		Open: func(t *testing.T) connector.Connector {
			c, err := okta.Kind.Open(t.Context(), connector.Env{App: "okta"}, settings)
			require.NoError(t, err)
			return named{c}
		},
		Capabilities:  canWith(settings),
		Entitlements:  entitlements,
		Attributes:    [2]string{"title", "department"},
		KeyAttributes: keys,
		Secrets:       []string{token, settings["url"].(string)},
		Seed: func(_ *testing.T, account connector.Account) {
			org.AddUser(oktatest.Seed{Login: account.Username + suffix, Profile: map[string]any{externalID: account.ExternalID}})
		},
		Rename: func(_ *testing.T, account connector.Account, username string) {
			org.SetLogin(account.ID, username+suffix)
		},
		Faults: connectortest.Faults{
			Heal: func(*testing.T) {
				org.SetFaults(oktatest.Faults{})
				org.SetToken(token)
			},
			FailAfterApply: func(*testing.T) { org.SetFaults(oktatest.Faults{FailAfterApply: 1}) },
			Unauthorize:    func(*testing.T) { org.SetToken("another") },
			Refuse:         refuse,
			RefuseUntil:    refuse,
			Stall:          func(*testing.T) { org.SetFaults(oktatest.Faults{Stall: true}) },
			Drop:           func(_ *testing.T, names ...string) { org.SetFaults(oktatest.Faults{Forget: names}) },
		},
	}
}
