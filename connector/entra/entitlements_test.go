package entra_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/entra/entratest"
)

func TestGroupsThatGraphDoesNotChange(t *testing.T) {
	tenant := start(t)
	c := open(t, tenant, nil)
	made := create(t, c, nil)
	for name, test := range map[string]struct {
		group entratest.Object
		says  string
	}{
		"Everybody": {entratest.Object{"groupTypes": []any{"DynamicMembership"}}, "by a rule"},
		"Teams":     {entratest.Object{"groupTypes": []any{"Unified", "DynamicMembership"}, "mailEnabled": true}, "by a rule"},
		"News":      {entratest.Object{"mailEnabled": true, "securityEnabled": false}, "Exchange"},
		"Guards":    {entratest.Object{"mailEnabled": true}, "Exchange"},
		"Old":       {entratest.Object{"onPremisesSyncEnabled": true}, "Active Directory"},
	} {
		id := tenant.AddGroup(name, test.group)
		fails(t, c.Grant(t.Context(), made.ID, []string{name}), connector.KindInvalid, test.says)
		tenant.SetMember(id, made.ID, true)
		fails(t, c.Revoke(t.Context(), made.ID, []string{name}), connector.KindInvalid, test.says)
	}
	tenant.AddGroup("Twice", nil)
	tenant.AddGroup("twice", nil)
	fails(t, c.Grant(t.Context(), made.ID, []string{"Twice"}), connector.KindInvalid, "2 groups")

	tenant.AddGroup("Admins", entratest.Object{"isAssignableToRole": true})
	tenant.SetRight("RoleManagement.ReadWrite.Directory", false)
	fails(t, c.Grant(t.Context(), made.ID, []string{"Admins"}), connector.KindForbidden, "RoleManagement.ReadWrite.Directory")

	var names []string
	for e, err := range c.Entitlements(t.Context()) {
		require.NoError(t, err)
		names = append(names, e.Name)
	}
	assert.Equal(t, []string{"Admins", "licence:SPE_E3", "licence:EMS"}, names)
}

func TestAGroupThatWasMadeAnewIsLookedUpAgain(t *testing.T) {
	tenant := start(t)
	c := open(t, tenant, nil)
	made := create(t, c, nil)
	old := tenant.AddGroup("staff", nil)
	require.NoError(t, c.Grant(t.Context(), made.ID, []string{"staff"}))
	tenant.DeleteGroup(old)
	anew := tenant.AddGroup("staff", nil)
	fails(t, c.Grant(t.Context(), made.ID, []string{"staff"}), connector.KindUnavailable, "staff")
	require.NoError(t, c.Grant(t.Context(), made.ID, []string{"staff"}))
	assert.True(t, tenant.IsMember(anew, made.ID))
}

func TestAMembershipThatIsNotShownYetIsTaken(t *testing.T) {
	tenant := start(t)
	group := tenant.AddGroup("staff", nil)
	c := open(t, tenant, nil)
	made := create(t, c, nil)
	require.NoError(t, c.Grant(t.Context(), made.ID, []string{"staff"}))
	tenant.SetSwitches(entratest.Switches{MembersUnseen: true})
	require.NoError(t, c.Revoke(t.Context(), made.ID, []string{"staff"}))
	assert.False(t, tenant.IsMember(group, made.ID))
}

func TestGroupsWithoutNamesAreNoGroups(t *testing.T) {
	tenant := start(t)
	c := open(t, tenant, nil)
	made := create(t, c, nil)
	tenant.SetMember(tenant.AddGroup("staff", nil), made.ID, true)
	tenant.SetRight("GroupMember.Read.All", false)
	_, err := c.Read(t.Context(), made.ID)
	fails(t, err, connector.KindForbidden, "GroupMember.Read.All")
	_, err = c.Read(connector.SparingEntitlements(t.Context()), made.ID)
	require.NoError(t, err)
}

func TestRolesHaveScopes(t *testing.T) {
	tenant := start(t)
	c := open(t, tenant, connector.Settings{"roles": true})
	made := create(t, c, nil)
	roles := []string{"role:User Administrator", "role:User Administrator@/administrativeUnits/7"}
	require.NoError(t, c.Grant(t.Context(), made.ID, roles))
	require.NoError(t, c.Grant(t.Context(), made.ID, roles), "again")
	assert.Equal(t, roles, read(t, c, made.ID).Entitlements)
	require.NoError(t, c.Revoke(t.Context(), made.ID, roles[:1]))
	assert.Equal(t, roles[1:], read(t, c, made.ID).Entitlements)

	without := open(t, tenant, nil)
	fails(t, without.Grant(t.Context(), made.ID, roles), connector.KindInvalid, "set roles to true")
	assert.Empty(t, read(t, without, made.ID).Entitlements)
}

func TestLicences(t *testing.T) {
	tenant := start(t)
	small := tenant.AddSKU("SMALL", 1)
	c := open(t, tenant, connector.Settings{"withoutPlans": map[string]any{"SPE_E3": "SWAY"}})
	made, second := create(t, c, map[string]any{"usageLocation": "DE"}), create(t, c, map[string]any{"usageLocation": "DE"})
	nowhere := create(t, c, nil)

	fails(t, c.Grant(t.Context(), nowhere.ID, []string{"licence:EMS"}), connector.KindInvalid, "usageLocation")
	require.NoError(t, c.Grant(t.Context(), made.ID, []string{"licence:SMALL", "licence:SPE_E3"}))
	fails(t, c.Grant(t.Context(), second.ID, []string{"licence:SMALL"}), connector.KindInvalid, "no seat")
	states := tenant.User(made.ID)["licenseAssignmentStates"].([]any)
	plans := states[1].(entratest.Object)["disabledPlans"].([]any)
	assert.Len(t, plans, 1, "a service plan is left out")

	for e, err := range c.Entitlements(t.Context()) {
		require.NoError(t, err)
		if e.Name == "licence:SMALL" {
			assert.Equal(t, connector.Seats{Total: 1, Used: 1}, e.Seats)
		}
	}

	group := tenant.AddGroup("staff", nil)
	tenant.SetMember(group, second.ID, true)
	tenant.SetLicences(second.ID, entratest.Object{"skuId": small, "assignedByGroup": group, "state": "Active", "error": "None"})
	assert.Equal(t, []string{"licence:SMALL (by staff)", "staff"}, read(t, c, second.ID).Entitlements)
	fails(t, c.Revoke(t.Context(), second.ID, []string{"licence:SMALL"}), connector.KindInvalid, "group")
	fails(t, c.Revoke(t.Context(), second.ID, []string{"licence:SMALL (by staff)"}), connector.KindInvalid, "comes from staff")
}

func TestALicenceThatFailsLaterIsNotGranted(t *testing.T) {
	tenant := start(t)
	c := open(t, tenant, nil)
	made := create(t, c, map[string]any{"usageLocation": "DE"})
	tenant.SetSwitches(entratest.Switches{LicenceError: "MutuallyExclusiveViolation"})
	require.NoError(t, c.Grant(t.Context(), made.ID, []string{"licence:EMS"}), "Graph accepts it")
	assert.Equal(t, []string{"licence:EMS (not given: MutuallyExclusiveViolation)"}, read(t, c, made.ID).Entitlements)
	fails(t, c.Grant(t.Context(), made.ID, []string{"licence:EMS"}), connector.KindInvalid, "excludes")
	tenant.SetSwitches(entratest.Switches{})
	fails(t, c.Grant(t.Context(), made.ID, []string{"licence:EMS"}), connector.KindInvalid, "asked for again")
	require.NoError(t, c.Grant(t.Context(), made.ID, []string{"licence:EMS"}))
	assert.Equal(t, []string{"licence:EMS"}, read(t, c, made.ID).Entitlements)
}

// A licence for which there was no seat is asked for again once there is one, and not before.
func TestALicenceWithoutASeatIsAskedForOnceThereIsOne(t *testing.T) {
	for name, seats := range map[string]int{"none is free": 1, "one is free": 2} {
		t.Run(name, func(t *testing.T) {
			tenant := start(t)
			sku := tenant.AddSKU("F1", seats)
			c := open(t, tenant, nil)
			holder := tenant.AddUser(entratest.Object{"userPrincipalName": "holder@" + entratest.Domain})
			tenant.SetLicences(holder, entratest.Object{"skuId": sku, "state": "Active", "error": "None"})
			made := create(t, c, map[string]any{"usageLocation": "DE"})
			tenant.SetLicences(made.ID, entratest.Object{"skuId": sku, "state": "Error", "error": "CountViolation"})
			tenant.Calls()
			fails(t, c.Grant(t.Context(), made.ID, []string{"licence:F1"}), connector.KindInvalid, "asked for again")
			assert.Equal(t, seats == 2, slices.Contains(tenant.Calls(), "POST /users/{id}/assignLicense"))
		})
	}
}

func TestLicencesThatAreNotTenuresAreLeftAlone(t *testing.T) {
	tenant := start(t)
	sku := tenant.AddSKU("F1", 5)
	c := open(t, tenant, connector.Settings{"withoutPlans": map[string]any{"F1": ""}})
	made := create(t, c, map[string]any{"usageLocation": "DE"})
	chosen := []any{"a-plan-that-somebody-chose-to-leave-out"}
	tenant.SetLicences(made.ID, entratest.Object{"skuId": sku, "disabledPlans": chosen, "state": "Active", "error": "None"})
	tenant.Calls()
	require.NoError(t, c.Grant(t.Context(), made.ID, []string{"licence:F1"}))
	assert.NotContains(t, tenant.Calls(), "POST /users/{id}/assignLicense")

	without := open(t, tenant, connector.Settings{"licences": false})
	fails(t, without.Grant(t.Context(), made.ID, []string{"licence:F1"}), connector.KindInvalid, "set licences to true")
	assert.Empty(t, read(t, without, made.ID).Entitlements)
}
