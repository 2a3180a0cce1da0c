//go:build real

package activedirectory_test

import (
	"context"
	"testing"

	"github.com/go-ldap/ldap/v3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/activedirectory"
)

// interfering returns a connector, and a function that sets what somebody else does before
// the connector's nth request from then on.
func (d domain) interfering(t *testing.T, settings connector.Settings) (c connector.Connector, before func(n int, do func())) {
	t.Helper()
	left, do := 0, func() {}
	c, err := activedirectory.Kind.Open(t.Context(), connector.Env{App: "ad", Pace: func(context.Context) error {
		if left--; left == 0 {
			do()
		}
		return nil
	}}, settings)
	require.NoError(t, err)
	return c, func(n int, that func()) { left, do = n, that }
}

func TestWhatAnotherChangesMeanwhileIsKept(t *testing.T) {
	d := realDomain(t)
	c, before := d.interfering(t, d.settings(d.newOU(t, "Races", d.root)))
	made := d.newAccount(t, c, true)
	const neverExpires = "66048" // 512 + 0x10000
	before(2, func() { d.modify(t, made.ID, "userAccountControl", neverExpires) })
	err := c.Disable(t.Context(), made.ID)
	var failed *connector.Error
	require.ErrorAs(t, err, &failed)
	assert.Equal(t, connector.KindUnavailable, failed.Kind, "worth trying again at once")
	assert.Contains(t, failed.Message, "at the same time")
	assert.Equal(t, neverExpires, d.see(t, made.ID).GetAttributeValue("userAccountControl"))
	require.NoError(t, c.Disable(t.Context(), made.ID))
	assert.Equal(t, "66050", d.see(t, made.ID).GetAttributeValue("userAccountControl"))
}

func TestOfTwoPersonsOnlyOneGetsAnAccount(t *testing.T) {
	d := realDomain(t)
	c, before := d.interfering(t, d.settings(d.newOU(t, "Owners", d.root)))
	made, err := c.Create(t.Context(), connector.Spec{Username: "of." + mark()})
	require.NoError(t, err)
	before(2, func() { d.modify(t, made.ID, "employeeID", "p-first") })
	err = c.Adopt(t.Context(), made.ID, "p-second")
	var failed *connector.Error
	require.ErrorAs(t, err, &failed)
	assert.Equal(t, connector.KindConflict, failed.Kind)
	assert.Equal(t, []string{"p-first"}, d.see(t, made.ID).GetAttributeValues("employeeID"))
}

// An account that is renamed between two requests does not count as gone: otherwise a leaver
// would count as cut off.
func TestAnAccountThatIsRenamedMeanwhileIsNotGone(t *testing.T) {
	d := realDomain(t)
	ou := d.newOU(t, "Renamed", d.root)
	settings := d.settings(ou)
	settings["createIn"], settings["leavers"] = d.newOU(t, "Here", ou), d.newOU(t, "Leavers", ou)
	c, before := d.interfering(t, settings)
	toggle := c
	made := d.newAccount(t, c, true)
	rename := func() {
		require.NoError(t, d.asAdmin(t).ModifyDN(ldap.NewModifyDNRequest(d.see(t, made.ID).DN, "CN="+mark(), true, "")))
	}
	before(2, rename) // between reading and disabling
	err := toggle.Disable(t.Context(), made.ID)
	var failed *connector.Error
	require.ErrorAs(t, err, &failed)
	assert.Equal(t, connector.KindUnavailable, failed.Kind)
	assert.True(t, failed.Unfinished, "that it is disabled is not all")
	assert.Equal(t, "514", d.see(t, made.ID).GetAttributeValue("userAccountControl"), "disabled, and not moved yet")
	require.NoError(t, toggle.Disable(t.Context(), made.ID))

	before(2, rename)
	require.NoError(t, c.Update(t.Context(), made.ID, map[string]any{"title": "x"}))
	before(2, rename)
	require.NoError(t, c.Delete(t.Context(), made.ID))
	_, err = c.Read(t.Context(), made.ID)
	require.ErrorAs(t, err, &failed)
	assert.Equal(t, connector.KindNotFound, failed.Kind)
}

func TestWhyTheBindFailsIsTold(t *testing.T) {
	d := realDomain(t)
	ou := d.newOU(t, "Services", d.root)
	service := d.newAccount(t, d.open(t, d.settings(ou)), true)
	d.setPassword(t, service.ID)
	settings := d.settings(ou)
	settings["bindDN"], settings["password"] = d.see(t, service.ID).DN, persons
	check := func() error {
		c := d.open(t, settings)
		defer c.Close()
		_, err := c.Check(t.Context())
		return err
	}
	require.NoError(t, check())
	for _, test := range []struct{ attribute, bad, good, want string }{
		{"userAccountControl", "514", "512", "it is disabled"},
		{"pwdLastSet", "0", "-1", "has to change its password"},
		{"accountExpires", "116445600000000000", "0", "it has expired"},
	} {
		d.modify(t, service.ID, test.attribute, test.bad)
		var failed *connector.Error
		require.ErrorAs(t, check(), &failed, test.attribute)
		assert.Equal(t, connector.KindUnauthorized, failed.Kind)
		assert.Contains(t, failed.Message, test.want)
		d.modify(t, service.ID, test.attribute, test.good)
	}

	// An account without rights of its own can read, as anybody can, and nothing else.
	c := d.open(t, settings)
	defer c.Close()
	another := d.newAccount(t, d.open(t, d.settings(ou)), true)
	var failed *connector.Error
	require.ErrorAs(t, c.Disable(t.Context(), another.ID), &failed)
	assert.Equal(t, connector.KindForbidden, failed.Kind)
	problems := 0
	for _, finding := range c.Probe(t.Context()) {
		if finding.Problem != "" {
			problems++
			assert.Contains(t, finding.Problem, "delegate")
		}
	}
	assert.Equal(t, 3, problems, "making accounts, disabling them, marking them")
}

func TestAGroupThatIsDeletedMeanwhileIsNoMissingAccount(t *testing.T) {
	d := realDomain(t)
	ou := d.newOU(t, "Deleted", d.root)
	c, before := d.interfering(t, d.settings(ou))
	made := d.newAccount(t, c, true)
	name := "Short-lived " + mark()
	group := d.newGroup(t, name, ou)
	before(3, func() { require.NoError(t, d.asAdmin(t).Del(ldap.NewDelRequest(group, nil))) })
	err := c.Grant(t.Context(), made.ID, []string{name})
	var failed *connector.Error
	require.ErrorAs(t, err, &failed)
	assert.Equal(t, connector.KindInvalid, failed.Kind)

	d.newGroup(t, name, ou)
	before(3, func() { require.NoError(t, d.asAdmin(t).Del(ldap.NewDelRequest(d.see(t, made.ID).DN, nil))) })
	require.ErrorAs(t, c.Grant(t.Context(), made.ID, []string{name}), &failed)
	assert.Equal(t, connector.KindNotFound, failed.Kind)
}
