package salesforce_test

import (
	"fmt"
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
	Entitlements: true, ListEntitlements: true, Sessions: true, List: true, Page: true, Probe: true, LastUse: salesforce.Kind.LastUse,
}

func target(org *salesforcetest.Org, settings connector.Settings) connectortest.Target {
	field := "FederationIdentifier"
	keys := map[connector.MatchKey]string{connector.ByEmail: "Email", connector.ByEmployeeNumber: "EmployeeNumber"}
	if name, set := settings["externalID"].(string); set {
		field = name
		delete(keys, connector.ByEmployeeNumber)
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
		Faults: connectortest.Behind(org.Door(), func(accepts bool) {
			org.SetClientSecret(map[bool]string{true: secret, false: "another"}[accepts])
		}),
	}
}

// TestConformance runs the suite once for each trap. One run has the external ID in a field that
// is not unique, and licences and permission sets of packages as entitlements.
func TestConformance(t *testing.T) {
	type (
		on    = salesforcetest.Switches
		fails = map[string]connector.ErrorKind
	)
	run := func(switches on, refused fails) connectortest.Trapped[on] {
		return connectortest.Trapped[on]{On: switches, Fails: refused, Start: func(t *testing.T) (connectortest.StandIn[on], connectortest.Target) {
			org, settings := serve(t, nil)
			return org, target(org, settings)
		}}
	}
	otherwise := connectortest.Trapped[on]{On: on{PageSize: 3}, Start: func(t *testing.T) (connectortest.StandIn[on], connectortest.Target) {
		org, settings := serve(t, func(o *salesforcetest.Options) { o.Fields = []string{"Person__c"} })
		to := target(org, with(settings, connector.Settings{"externalID": "Person__c"}))
		to.Entitlements = [2]string{"licence:SalesUser", "role:pkg__Addon"}
		return org, to
	}}
	const invalid, astray, locked = connector.KindInvalid, connector.KindContradictory, connector.KindUnavailable
	connectortest.RunTrapped(t, connectortest.Vendor[on]{Kind: "salesforce", Runs: map[string]connectortest.Trapped[on]{
		"as documented":              run(on{}, nil),
		"otherwise":                  otherwise,
		"no right to freeze":         run(on{NoFreeze: true}, nil),
		"a blocker":                  run(on{Blocker: salesforcetest.Blockers["case owner"]}, fails{connector.OpDisable: invalid}),
		"a blocker, and no freezing": run(on{Blocker: salesforcetest.Blockers["hierarchy field"], NoFreeze: true}, fails{connector.OpDisable: invalid, connector.OpEnable: connector.KindForbidden}),
		"locked rows": run(on{Locked: true}, fails{
			connector.OpCreate: locked, connector.OpUpdate: locked, connector.OpRevokeSessions: locked, connector.OpEnable: locked,
			connectortest.UpdateDisabled: locked, connector.OpDisable: locked, connector.OpRevoke: locked, connector.OpGrant: locked,
			connector.OpRelabel: locked,
		}),
		"pages elsewhere": run(on{Elsewhere: true, PageSize: 1}, fails{connector.OpList: astray}),
		"rows left out": run(on{Short: true}, fails{
			connector.OpFind: astray, connector.OpRevokeSessions: astray, connector.OpEnable: astray, connector.OpDisable: astray,
			connector.OpRevoke: astray, connector.OpGrant: astray, connector.OpRelabel: astray, connector.OpAdopt: astray,
			connector.OpCreate: astray, connector.OpList: astray, connector.OpCheck: astray, connector.OpRead: astray,
			connectortest.FindByID: astray,
		}),
		"sessions that go on": run(on{Undead: true}, fails{connector.OpRevokeSessions: astray}),
	}})
}

func TestAListIsNeverHeldAsAWhole(t *testing.T) {
	org, settings := serve(t, nil)
	connectortest.ListMany(t, target(org, settings), func(number int, text string) {
		org.AddUser(fmt.Sprintf("user%d@example.com.crm", number), "Title", text, true)
	})
}
