package entra_test

import (
	"context"
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/connectortest"
	"github.com/tenurehq/tenure/connector/entra"
	"github.com/tenurehq/tenure/connector/entra/entratest"
	"github.com/tenurehq/tenure/connector/rest"
	"github.com/tenurehq/tenure/secret"
)

// start starts a tenant.
func start(t *testing.T) *entratest.Tenant {
	t.Helper()
	tenant, stop := entratest.New()
	t.Cleanup(stop)
	return tenant
}

// open opens a connector to a tenant, with changed settings.
func open(t *testing.T, tenant *entratest.Tenant, change connector.Settings) connector.Connector {
	t.Helper()
	settings := connector.Settings(tenant.Settings())
	settings["clientSecret"] = secret.Of(entratest.ClientSecret)
	maps.Copy(settings, change)
	c, err := entra.Kind.Open(t.Context(), connector.Env{App: "entra"}, settings)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

var all = connector.Capabilities{
	Create: true, Adopt: true, Update: true, Relabel: true, Disable: true, Reversible: true, Delete: true,
	RecycleBin: 30 * 24 * time.Hour, Restore: true, Entitlements: true, ListEntitlements: true, Sessions: true,
	ResetCredentials: true, List: true, Probe: true, Settling: 15 * time.Minute, HandOverNeeds: []string{"licence:"},
}

// target returns the suite's target for a tenant. base holds the faults that are on throughout.
func target(t *testing.T, tenant *entratest.Tenant, base entratest.Faults, entitlements ...string) connectortest.Target {
	tenant.SetFaults(base)
	refuse := func(kind connector.ErrorKind, after time.Duration, asDate bool) {
		status := 503
		if kind == connector.KindRateLimited {
			status = 429
		}
		tenant.SetFaults(entratest.Faults{Status: status, RetryAfter: after, AsDate: asDate})
	}
	with := func(change func(*entratest.Faults)) {
		f := base
		change(&f)
		tenant.SetFaults(f)
	}
	return connectortest.Target{
		Kind: entra.Kind,
		Open: func(t *testing.T) connector.Connector {
			c := open(t, tenant, connector.Settings{"roles": true, "usageLocation": "DE"})
			if base.NotFoundReads+base.StaleReads+base.MemberAdded > 0 {
				return patient{c}
			}
			return c
		},
		Capabilities:  all,
		Entitlements:  [2]string(entitlements),
		Attributes:    [2]string{"streetAddress", "jobTitle"},
		MaxText:       1024,
		KeyAttributes: map[connector.MatchKey]string{connector.ByEmail: "mail"},
		Secrets:       []string{entratest.ClientSecret, "graph-token", tenant.URL()},
		Seed: func(_ *testing.T, account connector.Account) {
			tenant.AddUser(entratest.Object{
				"userPrincipalName": account.Username + "@" + entratest.Domain, "employeeId": account.ExternalID, "accountEnabled": account.Active,
			})
		},
		Rename: func(_ *testing.T, account connector.Account, username string) {
			tenant.SetUser(account.ID, entratest.Object{"userPrincipalName": username + "@" + entratest.Domain})
		},
		Deviations: map[connectortest.Deviation]string{
			connectortest.UsernamesPlain: "a userPrincipalName holds A to Z, digits and a few signs",
		},
		Faults: connectortest.Faults{
			Heal: func(*testing.T) {
				tenant.SetFaults(base)
				tenant.SetSecret(entratest.ClientSecret)
			},
			FailAfterApply: func(*testing.T) { with(func(f *entratest.Faults) { f.ApplyFail = 1 }) },
			Unauthorize:    func(*testing.T) { tenant.SetSecret("another") },
			Refuse: func(_ *testing.T, kind connector.ErrorKind, after time.Duration) {
				refuse(kind, after, false)
			},
			RefuseUntil: func(_ *testing.T, kind connector.ErrorKind, after time.Duration) { refuse(kind, after, true) },
			Stall:       func(*testing.T) { tenant.SetFaults(entratest.Faults{Stall: true}) },
			Drop:        func(_ *testing.T, names ...string) { with(func(f *entratest.Faults) { f.Forget = names }) },
		},
	}
}

func TestConformance(t *testing.T) {
	for name, entitlements := range map[string][]string{
		"groups":               {"staff", "engineers"},
		"a group and a role":   {"staff", "role:User Administrator"},
		"a group and licences": {"licence:EMS", "staff"},
	} {
		t.Run(name, func(t *testing.T) {
			tenant := start(t)
			tenant.AddGroup("staff", nil)
			tenant.AddGroup("engineers", entratest.Object{"groupTypes": []any{"Unified"}, "mailEnabled": true})
			connectortest.Run(t, target(t, tenant, entratest.Faults{}, entitlements...))
		})
	}
}

// The suite holds with each of Graph's lags on, if its calls are made as the engine makes them.
func TestConformanceWhileGraphLags(t *testing.T) {
	for name, faults := range map[string]entratest.Faults{
		"404 after creation":            {NotFoundReads: 1},
		"reads that show what was":      {StaleReads: 1},
		"members added and called lost": {MemberAdded: 1_000_000},
	} {
		t.Run(name, func(t *testing.T) {
			tenant := start(t)
			tenant.AddGroup("staff", nil)
			tenant.AddGroup("engineers", nil)
			connectortest.Run(t, target(t, tenant, faults, "staff", "engineers"))
		})
	}
}

// patient calls as the engine does within the settling time: it asks again while an answer
// may be late.
type patient struct{ connector.Connector }

// late is more than the number of late answers in a test.
const late = 2

func (p patient) Read(ctx context.Context, id string) (a connector.Account, err error) {
	for range late {
		a, err = p.Connector.Read(ctx, id)
	}
	return a, err
}

func (p patient) Find(ctx context.Context, keys connector.Keys) (matches []connector.Match, err error) {
	for range late {
		matches, err = p.Connector.Find(ctx, keys)
	}
	return matches, err
}

func (p patient) Create(ctx context.Context, spec connector.Spec) (connector.Account, error) {
	made, err := p.Connector.Create(ctx, spec)
	if err != nil {
		return made, err
	}
	return p.Read(ctx, made.ID)
}

// Grant asks again, once for each name, if Graph says that the user or the group is missing.
func (p patient) Grant(ctx context.Context, id string, names []string) (err error) {
	for range late + len(names) {
		err = p.Connector.Grant(ctx, id, names)
		if !connector.Is(err, connector.KindUnavailable) || rest.FailureOf(err) != nil || ctx.Err() != nil {
			return err
		}
	}
	return err
}
