package salesforce_test

import (
	"maps"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/connectortest"
	"github.com/tenurehq/tenure/connector/salesforce"
	"github.com/tenurehq/tenure/connector/salesforce/salesforcetest"
	"github.com/tenurehq/tenure/connector/vendortest"
)

const (
	secret = "s3cret-that-nobody-may-see"
	admin  = "tenure@example.com.crm"
)

// serve starts an org on a port of its own, and returns it with settings for it.
func serve(t *testing.T, change func(*salesforcetest.Options)) (*salesforcetest.Org, connector.Settings) {
	t.Helper()
	options := salesforcetest.Options{
		ClientID: "client", ClientSecret: secret, Username: admin, Key: &vendortest.Key().PublicKey, Audience: "https://login.salesforce.com",
		Groups: []string{"Everybody"}, Sets: []string{"Sales_Cloud", "pkg__Addon"}, SetGroup: []string{"Sellers"},
		Licences: map[string]int{"SalesUser": 100000, "Scarce": 1},
	}
	if change != nil {
		change(&options)
	}
	org := salesforcetest.New(options)
	server := httptest.NewServer(org)
	t.Cleanup(server.Close)
	return org, connector.Settings{
		"url": server.URL, "clientID": "client", "clientSecret": secret, "usernameSuffix": "@example.com.crm", "profile": "Standard User",
	}
}

// with returns settings with changes; a nil value removes one.
func with(settings connector.Settings, changes connector.Settings) connector.Settings {
	all := maps.Clone(settings)
	maps.Copy(all, changes)
	maps.DeleteFunc(all, func(_ string, value any) bool { return value == nil })
	return all
}

func open(t *testing.T, settings connector.Settings) connector.Connector {
	t.Helper()
	c, err := salesforce.Kind.Open(t.Context(), connector.Env{App: "crm"}, settings)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

var all = connector.Capabilities{
	Create: true, Adopt: true, Update: true, Relabel: true, Disable: true, Reversible: true,
	Entitlements: true, ListEntitlements: true, Sessions: true, List: true, Probe: true,
}

func target(org *salesforcetest.Org, settings connector.Settings) connectortest.Target {
	field := "FederationIdentifier"
	keys := map[connector.MatchKey]string{connector.ByEmail: "Email", connector.ByEmployeeNumber: "EmployeeNumber"}
	if name, set := settings["externalID"].(string); set {
		field = name
		delete(keys, connector.ByEmployeeNumber)
	}
	refuse := func(kind connector.ErrorKind, after time.Duration, asDate bool) {
		limited := kind == connector.KindRateLimited
		org.SetFaults(salesforcetest.Faults{Down: !limited, Quota: limited, RetryAfter: int(after / time.Second), RetryAfterDate: asDate})
	}
	seed := func(_ *testing.T, account connector.Account) {
		org.AddUser(account.Username+"@example.com.crm", field, account.ExternalID, account.Active)
	}
	return connectortest.Target{
		Kind: salesforce.Kind,
		Wait: 10 * time.Second,
		Open: func(t *testing.T) connector.Connector {
			c, err := salesforce.Kind.Open(t.Context(), connector.Env{App: "crm"}, settings)
			require.NoError(t, err)
			return c
		},
		Capabilities:  all,
		Entitlements:  [2]string{"Everybody", "role:Sales_Cloud"},
		Attributes:    [2]string{"Title", "Department"},
		MaxText:       80,
		KeyAttributes: keys,
		Secrets:       []string{secret, admin},
		Seed:          seed,
		Rename: func(_ *testing.T, account connector.Account, username string) {
			org.Set(account.ID, map[string]any{"Username": username + "@example.com.crm"})
		},
		Faults: connectortest.Faults{
			Heal: func(*testing.T) {
				org.SetFaults(salesforcetest.Faults{})
				org.SetClientSecret(secret)
			},
			FailAfterApply: func(*testing.T) { org.SetFaults(salesforcetest.Faults{FailAfterApply: true}) },
			Unauthorize:    func(*testing.T) { org.SetClientSecret("another") },
			Refuse: func(_ *testing.T, kind connector.ErrorKind, after time.Duration) {
				refuse(kind, after, false)
			},
			RefuseUntil: func(_ *testing.T, kind connector.ErrorKind, after time.Duration) {
				refuse(kind, after, true)
			},
			Drop:  func(_ *testing.T, names ...string) { org.SetFaults(salesforcetest.Faults{Forget: names}) },
			Stall: func(*testing.T) { org.SetFaults(salesforcetest.Faults{Stall: true}) },
		},
	}
}

func TestConformance(t *testing.T) {
	org, settings := serve(t, nil)
	connectortest.Run(t, target(org, settings))
}

// TestConformanceOtherwise runs the suite with the external ID in a field that is not unique,
// small pages, and licences and permission sets of packages as entitlements.
func TestConformanceOtherwise(t *testing.T) {
	org, settings := serve(t, func(o *salesforcetest.Options) {
		o.PageSize, o.Fields = 3, []string{"Person__c"}
	})
	to := target(org, with(settings, connector.Settings{"externalID": "Person__c"}))
	to.Entitlements = [2]string{"licence:SalesUser", "role:pkg__Addon"}
	connectortest.Run(t, to)
}
