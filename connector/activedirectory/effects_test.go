//go:build real

package activedirectory_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/go-ldap/ldap/v3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
)

// These tests check from outside what the connector does: they sign in as the person, and
// look as the domain's administrator.

const persons = "Pass-w0rd of the person"

// setPassword sets a person's password as the domain's administrator.
func (d domain) setPassword(t *testing.T, id string) {
	t.Helper()
	var raw []byte
	for _, unit := range utf16.Encode([]rune(`"` + persons + `"`)) {
		raw = append(raw, byte(unit), byte(unit>>8))
	}
	d.modify(t, id, "unicodePwd", string(raw))
}

// modify sets an attribute as the domain's administrator.
func (d domain) modify(t *testing.T, id, attribute string, values ...string) {
	t.Helper()
	request := ldap.NewModifyRequest("<GUID="+id+">", nil)
	request.Replace(attribute, values)
	require.NoError(t, d.asAdmin(t).Modify(request))
}

// see returns an account's entry as the domain's administrator sees it.
func (d domain) see(t *testing.T, id string) *ldap.Entry {
	t.Helper()
	found, err := d.asAdmin(t).Search(ldap.NewSearchRequest("<GUID="+id+">", ldap.ScopeBaseObject, ldap.NeverDerefAliases, 0, 0, false, "(objectClass=*)", nil, nil))
	require.NoError(t, err)
	require.Len(t, found.Entries, 1)
	return found.Entries[0]
}

// signIn tries to sign in. It returns "" or the server's code for the reason that it failed.
func (d domain) signIn(t *testing.T, username, password string) string {
	t.Helper()
	_, err := d.bind(t, username+"@corp.example.test", password)
	if err == nil {
		return ""
	}
	_, code, found := strings.Cut(err.Error(), ", data ")
	require.True(t, found, err.Error())
	code, _, _ = strings.Cut(code, ",")
	return code
}

func (d domain) newAccount(t *testing.T, c connector.Connector, active bool) connector.Account {
	t.Helper()
	name := strings.ToLower(mark())
	account, err := c.Create(t.Context(), connector.Spec{
		PersonID: "p-" + name, Username: "zoë.o'b-" + name, Active: active, Attributes: map[string]any{"sn": "O’Brien, Zoë"},
	})
	require.NoError(t, err)
	return account
}

func TestWhoIsDisabledCannotSignIn(t *testing.T) {
	d := realDomain(t)
	c := d.open(t, d.settings(d.newOU(t, "Signing in", d.root)))
	toggle := c
	made := d.newAccount(t, c, true)
	assert.Equal(t, "52e", d.signIn(t, made.Username, persons), "nobody knows the first password")
	d.setPassword(t, made.ID)
	assert.Empty(t, d.signIn(t, made.Username, persons))

	require.NoError(t, toggle.Disable(t.Context(), made.ID))
	assert.Equal(t, "533", d.signIn(t, made.Username, persons), "ERROR_ACCOUNT_DISABLED")
	require.NoError(t, toggle.Enable(t.Context(), made.ID))
	assert.Empty(t, d.signIn(t, made.Username, persons), "with the password from before")

	d.modify(t, made.ID, "pwdLastSet", "0")
	assert.Equal(t, "773", d.signIn(t, made.Username, persons), "ERROR_PASSWORD_MUST_CHANGE")
	d.modify(t, made.ID, "pwdLastSet", "-1")

	updater := c
	require.NoError(t, updater.Update(t.Context(), made.ID, map[string]any{"accountExpires": "2020-02-29"}))
	assert.Equal(t, "701", d.signIn(t, made.Username, persons), "ERROR_ACCOUNT_EXPIRED")
	require.NoError(t, updater.Update(t.Context(), made.ID, map[string]any{"accountExpires": ""}))
	assert.Empty(t, d.signIn(t, made.Username, persons))

	early := d.newAccount(t, c, false)
	d.setPassword(t, early.ID)
	assert.Equal(t, "533", d.signIn(t, early.Username, persons), "made before the first day")
}

func TestOnlyOneBitOfUserAccountControlChanges(t *testing.T) {
	d := realDomain(t)
	c := d.open(t, d.settings(d.newOU(t, "Bits", d.root)))
	toggle := c
	made := d.newAccount(t, c, true)
	assert.Equal(t, "512", d.see(t, made.ID).GetAttributeValue("userAccountControl"))
	const neverExpires, notDelegated = 0x10000, 0x100000
	d.modify(t, made.ID, "userAccountControl", fmt.Sprint(512|neverExpires|notDelegated))
	require.NoError(t, toggle.Disable(t.Context(), made.ID))
	assert.Equal(t, fmt.Sprint(512|neverExpires|notDelegated|2), d.see(t, made.ID).GetAttributeValue("userAccountControl"))
	require.NoError(t, toggle.Enable(t.Context(), made.ID))
	assert.Equal(t, fmt.Sprint(512|neverExpires|notDelegated), d.see(t, made.ID).GetAttributeValue("userAccountControl"))
}

// Enable finishes an account that was added and has no password yet. Before that nobody can
// use it.
func TestWhatIsLeftOfACreationIsFinished(t *testing.T) {
	d := realDomain(t)
	ou := d.newOU(t, "Half made", d.root)
	c := d.open(t, d.settings(ou))
	spec := connector.Spec{PersonID: "p-" + mark(), Username: "half." + strings.ToLower(mark()), Active: true}
	request := ldap.NewAddRequest("CN="+spec.Username+","+ou, nil)
	for name, value := range map[string]string{
		"objectClass": "user", "sAMAccountName": spec.Username, "userPrincipalName": spec.Username + "@corp.example.test",
		"employeeID": spec.PersonID, "userAccountControl": "546",
	} {
		request.Attribute(name, []string{value})
	}
	require.NoError(t, d.asAdmin(t).Add(request))

	_, err := c.Create(t.Context(), spec)
	var exists *connector.Error
	require.ErrorAs(t, err, &exists)
	assert.Equal(t, connector.KindExists, exists.Kind)
	matches, err := c.Find(t.Context(), connector.Keys{PersonID: spec.PersonID, Username: spec.Username})
	require.NoError(t, err)
	require.Len(t, matches, 1)
	assert.Equal(t, connector.ByExternalID, matches[0].By)
	assert.False(t, matches[0].Account.Active)

	id := matches[0].Account.ID
	require.NoError(t, c.Enable(t.Context(), id))
	assert.Equal(t, "512", d.see(t, id).GetAttributeValue("userAccountControl"), "a password is required")
	assert.NotEqual(t, "0", d.see(t, id).GetAttributeValue("pwdLastSet"), "and is there")
	assert.Equal(t, "52e", d.signIn(t, spec.Username, persons))
}

func TestLeaversAreMovedAndComeBack(t *testing.T) {
	d := realDomain(t)
	ou := d.newOU(t, "Movers, Ünïcode", d.root)
	settings := d.settings(ou)
	createIn, leavers := d.newOU(t, "Here", ou), d.newOU(t, "Leavers", ou)
	settings["createIn"], settings["leavers"] = createIn, leavers
	c := d.open(t, settings)
	toggle := c
	made := d.newAccount(t, c, true)
	assert.Equal(t, "CN="+made.Username+","+createIn, d.see(t, made.ID).DN)
	for range 2 {
		require.NoError(t, toggle.Disable(t.Context(), made.ID))
		assert.Equal(t, "CN="+made.Username+","+leavers, d.see(t, made.ID).DN)
	}
	for range 2 {
		require.NoError(t, toggle.Enable(t.Context(), made.ID))
		assert.Equal(t, "CN="+made.Username+","+createIn, d.see(t, made.ID).DN)
	}

	inTheWay := ldap.NewAddRequest("CN="+made.Username+","+leavers, nil)
	inTheWay.Attribute("objectClass", []string{"contact"})
	require.NoError(t, d.asAdmin(t).Add(inTheWay))
	require.NoError(t, toggle.Disable(t.Context(), made.ID))
	assert.Equal(t, "CN="+made.Username+" "+made.ID+","+leavers, d.see(t, made.ID).DN, "where the name is taken")
	now, err := c.Read(t.Context(), made.ID)
	require.NoError(t, err)
	assert.False(t, now.Active)
	assert.Equal(t, made.Username, now.Username)

	settings["leavers"] = "OU=Nowhere," + ou
	made = d.newAccount(t, c, true)
	err = d.open(t, settings).Disable(t.Context(), made.ID)
	var failed *connector.Error
	require.ErrorAs(t, err, &failed)
	assert.Equal(t, connector.KindInvalid, failed.Kind, "an OU that is not there is no account that is not there")
	assert.Contains(t, failed.Message, "leavers")
	assert.Equal(t, "514", d.see(t, made.ID).GetAttributeValue("userAccountControl"), "disabled all the same")
}

func TestProtectedAccountsAreNeitherMatchedNorChanged(t *testing.T) {
	d := realDomain(t)
	settings := d.settings(d.root)
	settings["createIn"] = d.newOU(t, "Protected", d.root)
	c := d.open(t, settings)
	admin := d.newAccount(t, c, true)
	require.NoError(t, c.Grant(t.Context(), admin.ID, nil))
	d.modify(t, admin.ID, "adminCount", "1")

	for _, keys := range []connector.Keys{{Username: "Administrator"}, {Username: "krbtgt"}, {Username: "Guest"}, {Username: "DC1$"}, {Username: admin.Username}, {PersonID: admin.ExternalID}} {
		matches, err := c.Find(t.Context(), keys)
		require.NoError(t, err)
		assert.Empty(t, matches)
	}
	for account, err := range c.List(t.Context()) {
		require.NoError(t, err)
		assert.NotContains(t, []string{"Administrator", "krbtgt", "Guest", "DC1$", admin.Username}, account.Username)
	}
	linked, err := c.Read(t.Context(), admin.ID)
	require.NoError(t, err, "one that is linked is not gone")
	assert.True(t, linked.Active)

	for _, id := range []string{admin.ID, d.idOf(t, "Administrator"), d.idOf(t, "krbtgt"), d.idOf(t, "DC1$")} {
		before := d.see(t, id)
		for op, change := range map[string]func() error{
			connector.OpAdopt:   func() error { return c.Adopt(t.Context(), id, "p-1") },
			connector.OpUpdate:  func() error { return c.Update(t.Context(), id, map[string]any{"title": "x"}) },
			connector.OpGrant:   func() error { return c.Grant(t.Context(), id, []string{"x"}) },
			connector.OpRevoke:  func() error { return c.Revoke(t.Context(), id, []string{"x"}) },
			connector.OpDisable: func() error { return c.Disable(t.Context(), id) },
			connector.OpEnable:  func() error { return c.Enable(t.Context(), id) },
			connector.OpDelete:  func() error { return c.Delete(t.Context(), id) },
		} {
			var refused *connector.Error
			require.ErrorAs(t, change(), &refused, op)
			assert.Equal(t, connector.KindForbidden, refused.Kind, op)
			assert.Equal(t, op, refused.Op)
		}
		assert.Equal(t, before.GetAttributeValue("uSNChanged"), d.see(t, id).GetAttributeValue("uSNChanged"), "nothing was changed")
	}
}

func (d domain) idOf(t *testing.T, username string) string {
	t.Helper()
	found, err := d.asAdmin(t).Search(ldap.NewSearchRequest(d.root, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false,
		"(sAMAccountName="+username+")", []string{"objectGUID"}, nil))
	require.NoError(t, err)
	require.Len(t, found.Entries, 1)
	b := found.Entries[0].GetRawAttributeValue("objectGUID")
	slices.Reverse(b[:4])
	slices.Reverse(b[4:6])
	slices.Reverse(b[6:8])
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func TestGroupsThatAreNoEntitlements(t *testing.T) {
	d := realDomain(t)
	ou := d.newOU(t, "Groups", d.root)
	settings := d.settings(ou)
	delete(settings, "groups") // the whole domain
	c := d.open(t, settings)
	made := d.newAccount(t, c, true)
	secret := "Keepers " + mark()
	request := ldap.NewModifyRequest(d.newGroup(t, secret, ou), nil)
	request.Replace("adminCount", []string{"1"})
	require.NoError(t, d.asAdmin(t).Modify(request))

	assert.Empty(t, made.Entitlements, "Domain Users is everybody's")
	for entitlement, err := range c.Entitlements(t.Context()) {
		require.NoError(t, err)
		assert.NotContains(t, []string{"Domain Users", "Domain Admins", "Administrators", secret}, entitlement.Name)
	}
	for name, why := range map[string]string{"Domain Admins": "is not there", secret: "AdminSDHolder"} {
		err := c.Grant(t.Context(), made.ID, []string{name})
		var refused *connector.Error
		require.ErrorAs(t, err, &refused)
		assert.Equal(t, connector.KindInvalid, refused.Kind)
		assert.Contains(t, refused.Message, why)
	}
	assert.Empty(t, d.see(t, made.ID).GetAttributeValues("memberOf"))
}

// Active Directory sends 1,500 values of an attribute at most, and so does Samba.
func TestLargeGroups(t *testing.T) {
	const many = 1600
	d := realDomain(t)
	ou := d.newOU(t, "Large", d.root)
	c := d.open(t, d.settings(ou))
	name := "Everybody " + mark()
	group := d.newGroup(t, name, ou)
	admin := d.asAdmin(t)
	request := ldap.NewModifyRequest(group, nil)
	var members []string
	for i := range many {
		dn := fmt.Sprintf("CN=contact %d,%s", i, ou)
		add := ldap.NewAddRequest(dn, nil)
		add.Attribute("objectClass", []string{"contact"})
		require.NoError(t, admin.Add(add))
		members = append(members, dn)
	}
	request.Add("member", members)
	require.NoError(t, admin.Modify(request))
	made := d.newAccount(t, c, true)
	for range 2 {
		require.NoError(t, c.Grant(t.Context(), made.ID, []string{name}))
	}
	has, err := c.Read(t.Context(), made.ID)
	require.NoError(t, err)
	assert.Equal(t, []string{name}, has.Entitlements)
	for range 2 {
		require.NoError(t, c.Revoke(t.Context(), made.ID, []string{name}))
	}
	has, err = c.Read(t.Context(), made.ID)
	require.NoError(t, err)
	assert.Empty(t, has.Entitlements)
}

func TestManagersAreGivenByAccountID(t *testing.T) {
	d := realDomain(t)
	c := d.open(t, d.settings(d.newOU(t, "Managers", d.root)))
	boss, made := d.newAccount(t, c, true), d.newAccount(t, c, true)
	updater := c
	require.NoError(t, updater.Update(t.Context(), made.ID, map[string]any{"manager": boss.ID}))
	assert.Equal(t, d.see(t, boss.ID).DN, d.see(t, made.ID).GetAttributeValue("manager"))
	account, err := c.Read(t.Context(), made.ID)
	require.NoError(t, err)
	for id, want := range map[string][]string{boss.ID: nil, made.ID: {"manager"}, "00000000-0000-4000-8000-000000000000": {"manager"}} {
		dropped, err := connector.Dropped(t.Context(), c, account, map[string]any{"manager": id})
		require.NoError(t, err)
		assert.Equal(t, want, dropped, "what is shown is a DN")
	}

	err = updater.Update(t.Context(), made.ID, map[string]any{"manager": "00000000-0000-4000-8000-000000000000"})
	var failed *connector.Error
	require.ErrorAs(t, err, &failed)
	assert.Equal(t, connector.KindInvalid, failed.Kind, "the manager is not there: the account is")
	require.NoError(t, updater.Update(t.Context(), made.ID, map[string]any{"manager": ""}))
	assert.Empty(t, d.see(t, made.ID).GetAttributeValue("manager"))
}
