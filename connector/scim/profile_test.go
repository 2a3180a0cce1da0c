package scim_test

import (
	"context"
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/connectortest"
	"github.com/tenurehq/tenure/connector/scim"
	"github.com/tenurehq/tenure/connector/scim/scimtest"
)

// without returns all capabilities except those that take removes.
func without(take func(*connector.Capabilities)) connector.Capabilities {
	can := all
	take(&can)
	return can
}

// vendors holds the profiles of services that cannot run here: the capabilities of each, and
// two entitlements that it has.
var vendors = map[string]struct {
	can          connector.Capabilities
	settings     connector.Settings
	entitlements []string // empty if the service has none
	deviations   map[connectortest.Deviation]string
	attributes   []string       // two that the service has; empty for those of every other target
	needs        map[string]any // attributes without which it creates no user
}{
	"salesforce": {
		can:          without(func(can *connector.Capabilities) { can.Delete = false }),
		settings:     connector.Settings{"defaultEntitlement": "00e-standard"},
		entitlements: []string{"staff", "entitlement:0PS-reports"},
	},
	"slack": {
		can:          without(func(can *connector.Capabilities) { can.Delete = false }),
		entitlements: []string{"staff", "engineers"},
	},
	"github-org": {
		can: without(func(can *connector.Capabilities) {
			can.Reversible, can.Entitlements, can.ListEntitlements = false, false, false
		}),
		deviations: map[connectortest.Deviation]string{connectortest.NoInactive: "a member who is inactive is removed"},
		attributes: []string{"displayName", "name.formatted"},
		needs:      map[string]any{"emails": "z@example.com", "name.givenName": "Z", "name.familyName": "Y"},
	},
	"github-emu": {
		can: all, entitlements: []string{"staff", "engineers"},
		attributes: []string{"name.formatted", "name.middleName"},
		needs:      map[string]any{"emails": "z@example.com", "name.givenName": "Z", "name.familyName": "Y"},
	},
	"aws-identity-center": {can: all, entitlements: []string{"staff", "engineers"}},
	"atlassian": {
		can: all, entitlements: []string{"staff", "engineers"},
		deviations: map[connectortest.Deviation]string{connectortest.InactiveUnlisted: "lists leave inactive users out"},
	},
	"pagerduty": {
		can:          without(func(can *connector.Capabilities) { can.Reversible, can.ListEntitlements = false, false }),
		entitlements: []string{"role:observer", "entitlement:LICENCE1"},
		deviations:   map[connectortest.Deviation]string{connectortest.NoInactive: "a user who is inactive is deleted"},
	},
	"superoffice": {
		can:          without(func(can *connector.Capabilities) { can.Delete = false }),
		entitlements: []string{"staff", "engineers"},
	},
	"zendesk-like": {
		can:          without(func(can *connector.Capabilities) { can.Delete, can.ListEntitlements = false, false }),
		entitlements: []string{"role:agent", "entitlement:SUITE"},
	},
}

// deviationsOf returns how a vendor's service deviates, with the values of its own that tests
// need.
func deviationsOf(vendor string) scimtest.Deviations {
	deviations := scimtest.Vendors[vendor]
	if deviations.ValueLists {
		deviations.Entitlement = []string{"00e-standard", "0PS-reports"}
	}
	if vendor == "pagerduty" || vendor == "zendesk-like" {
		deviations.Entitlement = []string{"LICENCE1", "SUITE"}
		if deviations.Roles == nil {
			deviations.Roles = []string{"agent"}
		}
	}
	return deviations
}

// standIn starts a service that deviates as a vendor's service does. It is served
// through what around returns.
func standIn(t *testing.T, vendor string, around ...func(http.Handler) http.Handler) (*scimtest.Service, string) {
	t.Helper()
	require.Contains(t, scimtest.Vendors, vendor)
	app, err := scimtest.New(scimtest.Options{
		Name: vendor, Token: token, Groups: []string{"staff", "engineers"}, Deviations: deviationsOf(vendor),
	})
	require.NoError(t, err)
	var handler http.Handler = app
	for _, wrap := range around {
		handler = wrap(handler)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return app, server.URL + scimtest.BasePath
}

// completing is a connector that adds to each new account the attributes that the service
// needs, as a policy that maps them would.
type completing struct {
	connector.Connector
	needs map[string]any
}

func (c completing) Create(ctx context.Context, spec connector.Spec) (connector.Account, error) {
	all := maps.Clone(c.needs)
	maps.Copy(all, spec.Attributes)
	spec.Attributes = all
	return c.Connector.Create(ctx, spec)
}

// vendorTarget returns the suite's target for a vendor's stand-in, which is served by what
// around returns.
func vendorTarget(t *testing.T, name string, around ...func(http.Handler) http.Handler) (*scimtest.Service, connectortest.Target) {
	t.Helper()
	vendor := vendors[name]
	app, url := standIn(t, name, around...)
	settings := connector.Settings{"url": url, "token": token, "profile": name}
	maps.Copy(settings, vendor.settings)
	entitlements := vendor.entitlements
	if entitlements == nil {
		entitlements = []string{"", ""}
	}
	tried := target(app, settings, vendor.can, entitlements...)
	maps.Copy(tried.Deviations, vendor.deviations)
	if scimtest.Vendors[name].Filters != nil { // none of them can look addresses up
		tried.KeyAttributes = nil
	}
	if vendor.attributes != nil {
		tried.Attributes = [2]string(vendor.attributes)
	}
	if vendor.needs != nil {
		open := tried.Open
		tried.Open = func(t *testing.T) connector.Connector { return completing{open(t), vendor.needs} }
		tried.Seed = func(_ *testing.T, account connector.Account) {
			app.AddUser(scimtest.User{
				UserName: account.Username, ExternalID: account.ExternalID, Active: account.Active,
				DisplayName: account.Username, Email: "z@example.com", GivenName: "Z", FamilyName: "Y",
			})
		}
	}
	return app, tried
}

// Every profile has a stand-in, and every stand-in a profile.
func TestEveryProfileIsTried(t *testing.T) {
	var choices []string
	for _, setting := range scim.Kind.Settings {
		if setting.Name == "profile" {
			choices = setting.Choices
		}
	}
	require.Equal(t, "generic", choices[0])
	for _, name := range choices[1:] {
		assert.Contains(t, vendors, name)
		assert.Contains(t, scimtest.Vendors, name)
	}
	assert.Len(t, vendors, len(choices)-1)
	assert.Len(t, scimtest.Vendors, len(choices)-1)
}

// The stand-ins are strict: on each, the generic profile fails in the way that its vendor's
// profile avoids.
func TestGenericProfileFailsOnStandIns(t *testing.T) {
	spec := connector.Spec{PersonID: "1", Username: "anna", Active: true, Attributes: map[string]any{
		"displayName": "Anna", "name.givenName": "Anna", "name.familyName": "Arendt", "emails": "anna@example.com",
	}}
	create := func(t *testing.T, c connector.Connector) string {
		t.Helper()
		account, err := c.Create(t.Context(), spec)
		require.NoError(t, err)
		return account.ID
	}
	deleteFails := func(t *testing.T, c connector.Connector) {
		err := c.Delete(t.Context(), create(t, c))
		assert.Equal(t, connector.KindUnsupported, failure(t, err).Kind)
	}
	disableDeletes := func(t *testing.T, c connector.Connector) {
		assert.True(t, c.Capabilities().Reversible, "so it believes")
		id := create(t, c)
		require.NoError(t, c.Disable(t.Context(), id))
		err := c.Enable(t.Context(), id)
		assert.Equal(t, connector.KindNotFound, failure(t, err).Kind)
	}
	grantFails := func(name string) func(*testing.T, connector.Connector) {
		return func(t *testing.T, c connector.Connector) {
			err := c.Grant(t.Context(), create(t, c), []string{name})
			assert.Equal(t, connector.KindInvalid, failure(t, err).Kind)
		}
	}
	for name, fails := range map[string]func(*testing.T, connector.Connector){
		"salesforce": func(t *testing.T, c connector.Connector) {
			_, err := c.Create(t.Context(), spec)
			assert.Equal(t, connector.KindInvalid, failure(t, err).Kind)
		},
		"slack": func(t *testing.T, c connector.Connector) {
			id := create(t, c)
			require.NoError(t, c.Delete(t.Context(), id))
			account, err := c.Read(t.Context(), id)
			require.NoError(t, err, "deleted, so it believes")
			assert.False(t, account.Active)
		},
		"github-org": disableDeletes,
		"github-emu": func(t *testing.T, c connector.Connector) {
			id := create(t, c)
			require.NoError(t, c.Grant(t.Context(), id, []string{"staff"}))
			err := c.Revoke(t.Context(), id, []string{"staff"})
			assert.Equal(t, connector.KindInvalid, failure(t, err).Kind)
		},
		// The generic profile finds out that excludedAttributes is refused.
		"aws-identity-center": func(t *testing.T, c connector.Connector) {
			require.NoError(t, c.Grant(t.Context(), create(t, c), []string{"staff"}))
			findings := c.Probe(t.Context())
			assert.Contains(t, findings, connector.Finding{What: "refuses excludedAttributes: groups come with all their members"})
		},
		"atlassian":    grantFails("role:admin"),
		"pagerduty":    disableDeletes,
		"superoffice":  deleteFails,
		"zendesk-like": deleteFails,
	} {
		t.Run(name, func(t *testing.T) {
			_, url := standIn(t, name)
			// Say whether there are groups, so that only the other deviations can make this fail.
			hasGroups := !scimtest.Vendors[name].NoGroups
			fails(t, open(t, connector.Settings{"url": url, "token": token, "groups": hasGroups}))
		})
	}
}

// The username stands in for a displayName without which there is no user, in a new account and in
// one that has lost its own.
func TestTheUsernameStandsInForANeededDisplayName(t *testing.T) {
	for _, name := range []string{"github-emu", "pagerduty"} {
		_, url := standIn(t, name)
		c := open(t, connector.Settings{"url": url, "token": token, "profile": name})
		account, err := c.Create(t.Context(), connector.Spec{
			Username: "zoe", PersonID: "p-1", Active: true, Attributes: map[string]any{"displayName": "Zoë", "emails": "zoe@example.com"},
		})
		require.NoError(t, err)
		empty := map[string]any{"displayName": "", "emails": "zoe@example.com"}
		require.NoError(t, c.Update(t.Context(), account.ID, empty), name)
		account, err = c.Read(t.Context(), account.ID)
		require.NoError(t, err)
		assert.Equal(t, "zoe", account.Attributes["displayName"])
		dropped, err := connector.Dropped(t.Context(), c, account, empty)
		require.NoError(t, err)
		assert.Empty(t, dropped)
	}
}

// GitHub's attributes, and those without which it makes no user, are known before it is asked.
func TestWhatGitHubNeedsIsForeseen(t *testing.T) {
	for profile, required := range map[string][]string{
		"github-org": {"emails", "name.familyName", "name.givenName"},
		"github-emu": {"emails"},
	} {
		f := scim.Kind.Foresees(connector.Settings{"url": "https://api.github.com/scim/v2/x", "token": token, "profile": profile})
		assert.Equal(t, required, f.Required)
		assert.Empty(t, f.Doubt("name.formatted"))
		assert.Contains(t, f.Doubt("title"), "no attribute that the service has")
	}
	f := scim.Kind.Foresees(connector.Settings{"url": "https://scim.example.com", "token": token})
	assert.Empty(t, f.Required)
	assert.Empty(t, f.Doubt("title"))
}

// GitHub makes no user without a displayName, and no group without an externalId.
func TestWhatGitHubNeedsIsSent(t *testing.T) {
	app, url := standIn(t, "github-emu")
	c := open(t, connector.Settings{"url": url, "token": token, "profile": "github-emu", "createGroups": true})
	made, err := c.Create(t.Context(), connector.Spec{PersonID: "1", Username: "anna", Active: true, Attributes: map[string]any{"emails": "anna@example.com"}})
	require.NoError(t, err)
	require.NoError(t, c.Grant(t.Context(), made.ID, []string{"new"}))
	require.Len(t, app.Users(), 1)
	assert.Equal(t, "anna", app.Users()[0].DisplayName)
	assert.Equal(t, []string{"new"}, app.Users()[0].Groups)

	_, err = c.Create(t.Context(), connector.Spec{PersonID: "2", Username: "bob", Active: true})
	assert.ErrorContains(t, err, `the app requires the attribute "emails"`)
}
