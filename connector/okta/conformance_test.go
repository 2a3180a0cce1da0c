package okta_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
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
	Entitlements: true, ListEntitlements: true, Sessions: true, ResetCredentials: true, List: true, Page: true, Probe: true, LastUse: okta.Kind.LastUse,
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
	deactivates := connector.Settings{"disable": "deactivate"}
	type (
		on    = oktatest.Switches
		fails = map[string]connector.ErrorKind
	)
	run := func(switches on, settings connector.Settings, refused fails, groups ...string) connectortest.Trapped[on] {
		if refused != nil {
			switches.Passwordless = true // who is active is suspended, and not deactivated
		}
		return connectortest.Trapped[on]{On: switches, Base: on{Passwordless: true}, Fails: refused, Start: func(t *testing.T) (connectortest.StandIn[on], connectortest.Target) {
			org, url := serve(t, on{}, "staff", "engineers", "ruled")
			all := connector.Settings{"url": url, "token": token}
			maps.Copy(all, settings)
			return org, target(org, all, [2]string(append(groups, "staff", "engineers")[:2]))
		}}
	}
	forbidden, astray := connector.KindForbidden, connector.KindContradictory
	connectortest.RunTrapped(t, connectortest.Vendor[on]{Kind: "okta", Lags: on{SearchLag: time.Minute}, Runs: map[string]connectortest.Trapped[on]{
		"as documented":             run(on{}, nil, nil),
		"search that lags":          run(on{SearchLag: time.Minute}, nil, nil),
		"slow transitions":          run(on{Slow: 1}, nil, nil),
		"passwordless":              run(on{Passwordless: true}, nil, nil),
		"other answers by status":   run(on{InvalidStatus: true, Passwordless: true}, nil, nil),
		"deactivates, empty":        run(on{EmptyDeactivate: true}, deactivates, nil),
		"deactivates, slow":         run(on{Slow: 1, Passwordless: true}, deactivates, nil),
		"clock ahead":               run(on{Skew: 3 * time.Hour, SearchLag: time.Minute}, nil, nil),
		"clock behind, short pages": run(on{Skew: -3 * time.Hour, SearchLag: time.Minute, PageSize: 40}, nil, nil),
		"a rule":                    run(on{Rule: "ruled"}, nil, fails{}, "ruled"),
		"custom external ID":        run(on{}, connector.Settings{"externalID": "personID", "employeeNumber": "employeeNumber"}, nil),
		"logins with a suffix":      run(on{}, connector.Settings{"usernameSuffix": "@Example.com"}, nil),
		"admin roles":               run(on{}, connector.Settings{"adminRoles": true}, nil, "staff", "role:HELP_DESK_ADMIN"),
		"deactivated, and changed":  run(on{UpdateDeactivated: true}, deactivates, fails{connectortest.UpdateDisabled: ""}),
		"no reset while suspended":  run(on{NoSuspendedReset: true}, nil, fails{connectortest.ResetDisabled: connector.KindInvalid}),
		"pages elsewhere":           run(on{ForeignLink: true, PageSize: 1}, nil, fails{connector.OpList: astray, connector.OpFind: astray}),
		"without a right": run(on{WithoutRight: "POST /users"}, nil, fails{
			connector.OpCreate: forbidden, connector.OpUpdate: forbidden, connector.OpRelabel: forbidden,
			connector.OpDisable: forbidden, connector.OpEnable: forbidden, connector.OpResetCredentials: forbidden,
			connectortest.UpdateDisabled: forbidden, connectortest.ResetDisabled: forbidden,
		}),
	}})
}

// target returns the suite's target for an org, with the org's fault switches.
func target(org *oktatest.Service, settings connector.Settings, entitlements [2]string) connectortest.Target {
	keys := map[connector.MatchKey]string{connector.ByEmail: "email"}
	externalID := "employeeNumber"
	if custom, ok := settings["externalID"].(string); ok {
		externalID, keys[connector.ByEmployeeNumber] = custom, "employeeNumber"
	}
	suffix, _ := settings["usernameSuffix"].(string)
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
		Faults: connectortest.Behind(org.Door(), func(accepts bool) {
			org.SetToken(map[bool]string{true: token, false: "another"}[accepts])
		}),
	}
}

func TestAListIsNeverHeldAsAWhole(t *testing.T) {
	org, url := serve(t, oktatest.Switches{})
	settings := connector.Settings{"url": url, "token": token}
	connectortest.ListMany(t, target(org, settings, [2]string{}), func(number int, text string) {
		org.AddUser(oktatest.Seed{Login: fmt.Sprintf("user%d@example.com", number), Profile: map[string]any{"title": text}})
	})
}
