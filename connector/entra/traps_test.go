package entra_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/connectortest"
	"github.com/tenurehq/tenure/connector/entra"
	"github.com/tenurehq/tenure/connector/entra/entratest"
	"github.com/tenurehq/tenure/connector/trial"
	"github.com/tenurehq/tenure/connector/vendortest"
	"github.com/tenurehq/tenure/secret"
)

// create creates an account.
func create(t *testing.T, c connector.Connector, attributes map[string]any) connector.Account {
	t.Helper()
	mark := rand.Text()[:8]
	account, err := c.Create(t.Context(), connector.Spec{PersonID: "p-" + mark, Username: "kim." + mark, Active: true, Attributes: attributes})
	require.NoError(t, err)
	return account
}

func read(t *testing.T, c connector.Connector, id string) connector.Account {
	t.Helper()
	account, err := c.Read(t.Context(), id)
	require.NoError(t, err)
	return account
}

// fails asserts the kind of an error and what its message says.
func fails(t *testing.T, err error, kind connector.ErrorKind, says string) {
	t.Helper()
	require.Error(t, err)
	assert.True(t, connector.Is(err, kind), "%s: %v", kind, err)
	assert.ErrorContains(t, err, says)
}

// Entra ID refuses to clear some properties. What stands in for them in a new account does in one
// that is updated.
func TestWhatNobodyMayLackIsNotCleared(t *testing.T) {
	for location, settings := range map[string]connector.Settings{"DE": nil, "FR": {"usageLocation": "FR"}} {
		c := open(t, start(t), settings)
		made := create(t, c, map[string]any{"displayName": "Kim", "mailNickname": "kim", "usageLocation": "DE", "jobTitle": "CTO"})
		empty := map[string]any{"displayName": "", "mailNickname": "", "usageLocation": "", "jobTitle": ""}
		require.NoError(t, c.Update(t.Context(), made.ID, empty))
		account := read(t, c, made.ID)
		dropped, err := connector.Dropped(t.Context(), c, account, empty)
		require.NoError(t, err)
		assert.Empty(t, dropped)
		assert.Equal(t, account.Username, account.Attributes["displayName"])
		assert.Equal(t, account.Username, account.Attributes["mailNickname"])
		assert.Equal(t, location, account.Attributes["usageLocation"])
		assert.Nil(t, account.Attributes["jobTitle"])
		account.Attributes["mailNickname"] = "another"
		kept, err := c.Keeps(t.Context(), account, "mailNickname", "")
		require.NoError(t, err)
		assert.False(t, kept)
	}
}

// Users who are known to be other people's are no matches, however many have somebody's address.
func TestManyUsersWithOneAddressHideNobody(t *testing.T) {
	const shared = "nobody@example.com"
	tenant := start(t)
	c := open(t, tenant, nil)
	for i := range 30 {
		name := fmt.Sprint("other", i, "@example.com")
		tenant.AddUser(entratest.Object{"userPrincipalName": name, "mail": shared, "employeeId": fmt.Sprint("p-", i)})
	}
	found, err := c.Find(t.Context(), connector.Keys{PersonID: "p-new", Username: "new", Email: shared})
	require.NoError(t, err)
	assert.Empty(t, found)
	hers := tenant.AddUser(entratest.Object{"userPrincipalName": "jane@example.com", "mail": shared})
	found, err = c.Find(t.Context(), connector.Keys{PersonID: "p-new", Username: "new", Email: shared})
	require.NoError(t, err)
	require.Len(t, found, 1)
	assert.Equal(t, hers, found[0].Account.ID)
	for i := range 30 {
		tenant.AddUser(entratest.Object{"userPrincipalName": fmt.Sprint("unmarked", i, "@example.com"), "mail": shared})
	}
	_, err = c.Find(t.Context(), connector.Keys{PersonID: "p-new", Username: "new", Email: shared})
	fails(t, err, connector.KindInvalid, "more than 20 users")
}

func TestALifeIsTriedFromEndToEnd(t *testing.T) {
	tenant := start(t)
	tenant.AddGroup("staff", nil)
	c := open(t, tenant, nil)
	var steps []string
	tried := &trial.Trial{Connector: c, Say: func(s trial.Step) {
		steps = append(steps, s.What)
		assert.NoError(t, s.Err, s.What)
	}}
	require.NoError(t, tried.Look(t.Context()))
	tenant.SetSwitches(entratest.Switches{NotFoundReads: 2, StaleReads: 2})
	require.NoError(t, tried.Live(t.Context(), trial.Life{
		Account:      connector.Spec{PersonID: "trial-1", Username: "tenure.trial", Active: true, Attributes: map[string]any{"jobTitle": "Cook", "usageLocation": "DE"}},
		Changed:      map[string]any{"jobTitle": "Chef", "usageLocation": "FR"},
		Cleared:      map[string]any{"jobTitle": "", "usageLocation": "FR"},
		Entitlements: []string{"staff", "licence:EMS"},
	}))
	assert.NotEmpty(t, steps)
}

func TestAFilterThatGraphIgnoresFindsNobody(t *testing.T) {
	tenant := start(t)
	tenant.AddGroup("staff", nil)
	c := open(t, tenant, connector.Settings{"roles": true})
	made := create(t, c, nil)
	tenant.Assign(tenant.AddUser(entratest.Object{"userPrincipalName": "boss@" + entratest.Domain}), "Global Administrator", "/")
	tenant.SetSwitches(entratest.Switches{SilentFilter: true})
	for _, keys := range []connector.Keys{{PersonID: "p-1"}, {Username: "nobody"}, {Email: "nobody@example.com"}} {
		_, err := c.Find(t.Context(), keys)
		fails(t, err, connector.KindContradictory, "ignored a filter")
	}
	fails(t, c.Grant(t.Context(), made.ID, []string{"engineers"}), connector.KindContradictory, "ignored a filter")
	_, err := c.Read(t.Context(), made.ID)
	fails(t, err, connector.KindContradictory, "role assignments")
}

func TestAPersonIDIsComparedByCase(t *testing.T) {
	tenant := start(t)
	c := open(t, tenant, nil)
	tenant.AddUser(entratest.Object{"userPrincipalName": "a@" + entratest.Domain, "employeeId": "AB1"})
	matches, err := c.Find(t.Context(), connector.Keys{PersonID: "ab1"})
	require.NoError(t, err)
	assert.Empty(t, matches)
}

func TestTheNextPageStaysOnTheHost(t *testing.T) {
	tenant := start(t)
	c := open(t, tenant, nil)
	for range 1000 {
		tenant.AddUser(entratest.Object{"userPrincipalName": rand.Text() + "@" + entratest.Domain})
	}
	elsewhere := start(t)
	tenant.SetSwitches(entratest.Switches{ForeignNextLink: elsewhere.URL()})
	var last error
	for _, err := range c.List(t.Context()) {
		last = err
	}
	fails(t, last, connector.KindContradictory, "another host")
	assert.Empty(t, elsewhere.Calls())
}

func TestACreationIsProvenByItsAnswer(t *testing.T) {
	tenant := start(t)
	c := open(t, tenant, nil)
	tenant.SetSwitches(entratest.Switches{NotFoundReads: 5})
	made, err := c.Create(t.Context(), connector.Spec{PersonID: "p-1", Username: "kim", Active: true, Attributes: map[string]any{"jobTitle": "Cook"}})
	require.NoError(t, err)
	assert.NotEmpty(t, made.ID)
	assert.Equal(t, "kim", made.Username)
	assert.Equal(t, "p-1", made.ExternalID)
	assert.True(t, made.Active)
	assert.Equal(t, "Cook", made.Attributes["jobTitle"])
	_, err = c.Read(t.Context(), made.ID)
	fails(t, err, connector.KindNotFound, "no such object") // within the settling time, the engine takes this for late
}

func TestWhatANewUserGets(t *testing.T) {
	tenant := start(t)
	c := open(t, tenant, connector.Settings{"usageLocation": "DE"})
	boss := create(t, c, nil)
	made := create(t, c, map[string]any{
		"manager": boss.ID, "businessPhones": "+49 30 1", "otherMails": []string{"kim@example.org"}, "employeeHireDate": "2026-11-30",
		"employeeOrgData.costCenter": "42", "employeeOrgData.division": "North", "onPremisesExtensionAttributes.extensionAttribute2": "x",
	})
	assert.Equal(t, map[string]any{
		"manager": boss.ID, "businessPhones": []string{"+49 30 1"}, "otherMails": []string{"kim@example.org"},
		"employeeHireDate": "2026-11-30T00:00:00Z", "employeeOrgData.costCenter": "42", "employeeOrgData.division": "North",
		"onPremisesExtensionAttributes.extensionAttribute2": "x", "usageLocation": "DE", "displayName": made.Username, "mailNickname": made.Username,
	}, made.Attributes)
	assert.False(t, made.CreatedAt.IsZero())
	profile, _ := tenant.User(made.ID)["passwordProfile"].(entratest.Object)
	assert.Equal(t, true, profile["forceChangePasswordNextSignIn"])

	change := map[string]any{"manager": "", "employeeOrgData.division": "", "usageLocation": "FR", "otherMails": ""}
	require.NoError(t, c.Update(t.Context(), made.ID, change))
	require.NoError(t, c.Update(t.Context(), made.ID, change), "again")
	now := read(t, c, made.ID)
	assert.NotContains(t, now.Attributes, "manager")
	assert.NotContains(t, now.Attributes, "otherMails")
	assert.Equal(t, "42", now.Attributes["employeeOrgData.costCenter"], "the other part of a nested property stays")
	dropped, err := connector.Dropped(t.Context(), c, now, change)
	require.NoError(t, err)
	assert.Empty(t, dropped)
	require.NoError(t, c.Update(t.Context(), made.ID, map[string]any{"manager": boss.ID}))
	assert.Equal(t, boss.ID, read(t, c, made.ID).Attributes["manager"])

	const gone = "99999999-0000-4000-8000-000000000000"
	fails(t, c.Update(t.Context(), made.ID, map[string]any{"manager": gone}), connector.KindInvalid, "manager")
	_, err = c.Create(t.Context(), connector.Spec{Username: "lee", Attributes: map[string]any{"manager": gone}})
	fails(t, err, connector.KindInvalid, "manager")
}

func TestDisablingSendsNothingElse(t *testing.T) {
	tenant := start(t)
	c := open(t, tenant, nil)
	made := create(t, c, nil)
	tenant.SetRight("User-PasswordProfile.ReadWrite.All", false)
	tenant.Calls()
	require.NoError(t, c.Disable(t.Context(), made.ID))
	assert.Equal(t, []string{"PATCH /users/{id}"}, tenant.Calls())
	assert.False(t, read(t, c, made.ID).Active)
	fails(t, c.ResetCredentials(t.Context(), made.ID), connector.KindForbidden, "right")
}

func TestAdministratorsNeedARoleOfTheApp(t *testing.T) {
	tenant := start(t)
	c := open(t, tenant, nil)
	made := create(t, c, nil)
	tenant.Assign(made.ID, "Global Administrator", "/")
	tenant.SetRight("role:Privileged", false)
	for _, do := range []func(context.Context, string) error{c.Disable, c.Delete, c.ResetCredentials} {
		fails(t, do(t.Context(), made.ID), connector.KindForbidden, "administrator")
	}
	assert.True(t, read(t, c, made.ID).Active)
}

func TestCredentialsAreReset(t *testing.T) {
	tenant := start(t)
	c := open(t, tenant, nil)
	made := create(t, c, nil)
	tenant.AddMethod(made.ID, "phone", true)
	for _, kind := range []string{"microsoftAuthenticator", "fido2", "softwareOath", "email", "temporaryAccessPass", "windowsHelloForBusiness"} {
		tenant.AddMethod(made.ID, kind, false)
	}
	was := tenant.User(made.ID)["passwordProfile"]
	require.NoError(t, c.ResetCredentials(t.Context(), made.ID))
	assert.Zero(t, tenant.Methods(made.ID), "also the default one, which Graph keeps until it is the last")
	assert.NotEqual(t, was, tenant.User(made.ID)["passwordProfile"])

	tenant.AddMethod(made.ID, "brainwave", false)
	tenant.AddMethod(made.ID, "phone", false)
	fails(t, c.ResetCredentials(t.Context(), made.ID), connector.KindInvalid, "not known")
	assert.Equal(t, 1, tenant.Methods(made.ID), "the others are removed")
	assert.False(t, open(t, tenant, connector.Settings{"resetCredentials": false}).Capabilities().ResetCredentials)
}

func TestDevicesAreDisabledWithTheSessions(t *testing.T) {
	tenant := start(t)
	c := open(t, tenant, connector.Settings{"disableDevices": true})
	made, other := create(t, c, nil), create(t, c, nil)
	devices := []string{tenant.AddDevice(made.ID), tenant.AddDevice(made.ID)}
	kept := tenant.AddDevice(other.ID)
	tenant.SetRight("role:Cloud Device Administrator", false)
	fails(t, c.RevokeSessions(t.Context(), made.ID), connector.KindForbidden, "Cloud Device Administrator")
	assert.NotNil(t, tenant.User(made.ID)["signInSessionsValidFromDateTime"], "the sessions are revoked all the same")
	tenant.SetRight("role:Cloud Device Administrator", true)
	require.NoError(t, c.RevokeSessions(t.Context(), made.ID))
	for _, device := range devices {
		assert.False(t, tenant.DeviceEnabled(device))
	}
	assert.True(t, tenant.DeviceEnabled(kept))
}

func TestAppsAreTakenBeforeTheDeletion(t *testing.T) {
	tenant := start(t)
	c := open(t, tenant, connector.Settings{"takeAppRoles": true})
	made := create(t, c, nil)
	tenant.AddAppRole(made.ID, "")
	tenant.AddAppRole(made.ID, "a-group")
	require.NoError(t, c.Delete(t.Context(), made.ID))
	assert.Equal(t, 1, tenant.AppRoles(made.ID), "the one by a group is the group's")
}

func TestAccountsFromActiveDirectory(t *testing.T) {
	tenant := start(t)
	tenant.AddGroup("staff", nil)
	alone, together := open(t, tenant, nil), open(t, tenant, connector.Settings{"syncedFrom": "ad"})
	id := tenant.AddUser(entratest.Object{
		"userPrincipalName": "kim@" + entratest.Domain, "employeeId": "p-1", "onPremisesSyncEnabled": true, "jobTitle": "Cook", "usageLocation": "DE",
	})
	assert.Equal(t, true, read(t, alone, id).Attributes["onPremisesSyncEnabled"])
	changes := map[string]func(c connector.Connector) error{
		"disable": func(c connector.Connector) error { return c.Disable(t.Context(), id) },
		"update": func(c connector.Connector) error {
			return c.Update(t.Context(), id, map[string]any{"jobTitle": "Chef"})
		},
		"relabel": func(c connector.Connector) error {
			return c.Relabel(t.Context(), id, connector.Label{Username: "kim2"})
		},
		"delete": func(c connector.Connector) error { return c.Delete(t.Context(), id) },
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			fails(t, change(alone), connector.KindConflict, "syncedFrom")
			err := change(together)
			fails(t, err, connector.KindUnavailable, "in the app ad")
			var waits *connector.Error
			require.ErrorAs(t, err, &waits)
			assert.Equal(t, 10*time.Minute, waits.RetryAfter)
		})
	}
	fails(t, alone.ResetCredentials(t.Context(), id), connector.KindUnsupported, "Active Directory")

	// What is Entra ID's own changes here.
	require.NoError(t, alone.RevokeSessions(t.Context(), id))
	require.NoError(t, alone.Update(t.Context(), id, map[string]any{"usageLocation": "FR"}))
	require.NoError(t, alone.Grant(t.Context(), id, []string{"staff", "licence:EMS"}))

	// When the change has arrived, there is nothing left to do.
	tenant.SetUser(id, entratest.Object{"accountEnabled": false, "jobTitle": "Chef"})
	for _, name := range []string{"disable", "update"} {
		require.NoError(t, changes[name](alone), name)
		require.NoError(t, changes[name](together), name)
	}
}

func TestTheLastSignIn(t *testing.T) {
	tenant := start(t)
	id := tenant.AddUser(entratest.Object{
		"userPrincipalName": "kim@" + entratest.Domain,
		"signInActivity":    entratest.Object{"lastSignInDateTime": "2026-11-01T08:00:00Z", "lastNonInteractiveSignInDateTime": "2026-11-02T08:00:00Z"},
	})
	assert.True(t, read(t, open(t, tenant, nil), id).LastUsedAt.IsZero())
	c := open(t, tenant, connector.Settings{"lastSignIn": true})
	assert.Equal(t, time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC), read(t, c, id).LastUsedAt)
	tenant.SetUser(id, entratest.Object{"signInActivity": entratest.Object{"lastSignInDateTime": "2026-11-03T08:00:00Z", "lastSuccessfulSignInDateTime": "2026-10-01T08:00:00Z"}})
	assert.Equal(t, time.Date(2026, 10, 1, 8, 0, 0, 0, time.UTC), read(t, c, id).LastUsedAt, "one that succeeded")
	tenant.SetRight("AuditLog.Read.All", false)
	_, err := c.Read(t.Context(), id)
	fails(t, err, connector.KindForbidden, "P1")
}

func TestTheProbeNamesMissingRights(t *testing.T) {
	everything := connector.Settings{"roles": true, "disableDevices": true, "takeAppRoles": true, "lastSignIn": true}
	for _, right := range entratest.Rights {
		if right == "role:Privileged" {
			continue
		}
		t.Run(right, func(t *testing.T) {
			tenant := start(t)
			c := open(t, tenant, everything)
			for _, finding := range c.Probe(t.Context()) {
				assert.Empty(t, finding.Problem, finding.What)
			}
			tenant.SetRight(right, false)
			assert.True(t, slices.ContainsFunc(c.Probe(t.Context()), func(f connector.Finding) bool { return f.Problem != "" }))
		})
	}
}

func TestDataIsHandedOverByHumans(t *testing.T) {
	tenant := start(t)
	_, asked := open(t, tenant, nil).Ask("HandOver")
	assert.False(t, asked)
	c := open(t, tenant, connector.Settings{"assignee": "messaging"})
	ask, asked := c.Ask("HandOver")
	require.True(t, asked)
	assert.Equal(t, "messaging", ask.Assignee)
	_, asked = c.Ask("Disable")
	assert.False(t, asked, "Graph does that")
	assert.False(t, c.Capabilities().HandOver)
}

func TestThePersonIDInADirectoryExtension(t *testing.T) {
	const property = "extension_0123456789abcdef0123456789abcdef_personId"
	tenant := start(t)
	c := open(t, tenant, connector.Settings{"externalID": property, "employeeNumber": "employeeId"})
	spec := connector.Spec{PersonID: "a person ID that is longer than 16", Username: "kim", Active: true, Attributes: map[string]any{"employeeId": "77"}}
	made, err := c.Create(t.Context(), spec)
	require.NoError(t, err)
	assert.Equal(t, spec.PersonID, made.ExternalID)
	matches, err := c.Find(t.Context(), connector.Keys{PersonID: spec.PersonID})
	require.NoError(t, err)
	require.Len(t, matches, 1)
	matches, err = c.Find(t.Context(), connector.Keys{EmployeeNumber: "77"})
	require.NoError(t, err)
	require.Len(t, matches, 1)
	assert.Equal(t, connector.ByEmployeeNumber, matches[0].By)

	_, err = open(t, tenant, nil).Create(t.Context(), spec)
	fails(t, err, connector.KindInvalid, "cannot be mapped")
	spec.Attributes = nil
	_, err = open(t, tenant, nil).Create(t.Context(), spec)
	fails(t, err, connector.KindInvalid, "16 characters")
}

// certificate returns a certificate and both it and its key in PEM.
func certificate(t *testing.T) (der []byte, text string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "tenure"}}
	der, err = x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	return der, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})) + vendortest.PEM(key)
}

func TestACertificateProvesTheApp(t *testing.T) {
	tenant := start(t)
	der, text := certificate(t)
	_, another := certificate(t)
	tenant.Certificate = der
	with := func(text string) connector.Connector {
		settings := connector.Settings(tenant.Settings())
		delete(settings, "clientSecret")
		settings["certificate"] = secret.Of(text)
		c, err := entra.Kind.Open(t.Context(), connector.Env{App: "entra"}, settings)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, c.Close()) })
		return c
	}
	who, err := with(text).Check(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "OAuth client "+entratest.ClientID+" of tenant "+entratest.TenantID, who)
	_, err = with(another).Check(t.Context())
	fails(t, err, connector.KindUnauthorized, "certificate")
}

func TestSettings(t *testing.T) {
	_, text := certificate(t)
	key := text[len(text)/3:]
	good := connector.Settings{"tenant": "contoso.example", "clientID": "a", "clientSecret": secret.Of("b")}
	connectortest.Settings(t, entra.Kind, good, map[string]connectortest.Setting{
		"good":                  {Change: nil},
		"both proofs":           {Change: connector.Settings{"certificate": secret.Of(text)}, Want: `"clientSecret"`},
		"tenant":                {Change: connector.Settings{"tenant": "contoso/../x"}, Want: `"tenant"`},
		"domain":                {Change: connector.Settings{"domain": "@contoso.example"}, Want: `"domain"`},
		"country":               {Change: connector.Settings{"usageLocation": "Germany"}, Want: `"usageLocation"`},
		"a property that lags":  {Change: connector.Settings{"externalID": "onPremisesExtensionAttributes/extensionAttribute1"}, Want: `"externalID"`},
		"one for both":          {Change: connector.Settings{"employeeNumber": "employeeId"}, Want: `"employeeNumber"`},
		"synced from itself":    {Change: connector.Settings{"syncedFrom": "app"}, Want: `"syncedFrom"`},
		"national cloud":        {Change: connector.Settings{"url": "https://graph.microsoft.us", "loginURL": "https://login.microsoftonline.us"}},
		"unencrypted":           {Change: connector.Settings{"url": "http://graph.example.com"}, Want: "encrypted"},
		"key without its proof": {Change: connector.Settings{"clientSecret": nil, "certificate": secret.Of(key)}, Want: `"certificate"`},
	})
	assert.NotEmpty(t, entra.Kind.Foresees(good).Attribute("employeeId"))
	assert.NotEmpty(t, entra.Kind.Foresees(good).Attribute("userType"))
	assert.Empty(t, entra.Kind.Foresees(good).Attribute("jobTitle"))
	assert.NotEmpty(t, entra.Kind.Foresees(good).Entitlement("role:Global Administrator"))
	assert.NotEmpty(t, entra.Kind.Foresees(good).Entitlement("licence:SMALL (by staff)"))
	assert.Empty(t, entra.Kind.Foresees(good).Entitlement("licence:SMALL"))
}

// The numbers of docs/apps/entra.md.
func TestNoRequestIsForNothing(t *testing.T) {
	tenant := start(t)
	tenant.AddGroup("staff", nil)
	c := open(t, tenant, connector.Settings{"usageLocation": "DE"})
	sends := func(want ...string) {
		t.Helper()
		assert.Equal(t, want, tenant.Calls())
	}
	found, err := c.Find(t.Context(), connector.Keys{PersonID: "p-1", Username: "kim"})
	require.NoError(t, err)
	require.Empty(t, found)
	sends("GET /users", "GET /users")
	made, err := c.Create(t.Context(), connector.Spec{PersonID: "p-1", Username: "kim", Active: true})
	require.NoError(t, err)
	sends("POST /users", "GET /users/{id}")
	entitlements := []string{"staff", "licence:EMS"}
	require.NoError(t, c.Grant(t.Context(), made.ID, entitlements))
	sends("GET /groups", "POST /groups/{id}/members/$ref", "GET /subscribedSkus", "GET /users/{id}", "POST /users/{id}/assignLicense")
	assert.Equal(t, []string{"licence:EMS", "staff"}, read(t, c, made.ID).Entitlements)
	sends("GET /users/{id}", "GET /users/{id}/memberOf")

	require.NoError(t, c.Disable(t.Context(), made.ID))
	require.NoError(t, c.RevokeSessions(t.Context(), made.ID))
	require.NoError(t, c.Revoke(t.Context(), made.ID, entitlements))
	require.NoError(t, c.Delete(t.Context(), made.ID))
	sends("PATCH /users/{id}", "POST /users/{id}/revokeSignInSessions", "POST /users/{id}/assignLicense",
		"GET /users/{id}/memberOf", "DELETE /groups/{id}/members/{id}/$ref", "GET /users/{id}", "DELETE /users/{id}")
	require.NoError(t, c.Restore(t.Context(), made.ID))
	sends("POST /directory/deletedItems/{id}/restore")
}
