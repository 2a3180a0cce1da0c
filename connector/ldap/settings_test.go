package ldap_test

import (
	"maps"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/ldap"
)

func TestSettings(t *testing.T) {
	good := connector.Settings{"url": "ldaps://ldap.example.com", "bindDN": "cn=tenure", "password": "s3cret", "people": "ou=people,dc=x"}
	for name, test := range map[string]struct {
		change connector.Settings
		want   string // part of the error; empty for none
	}{
		"least":                  {nil, ""},
		"groups":                 {connector.Settings{"groups": "ou=groups,dc=x", "groupClass": "posixGroup"}, ""},
		"leavers below people":   {connector.Settings{"leavers": "ou=leavers,ou=people,dc=x"}, ""},
		"another lock":           {connector.Settings{"disableAttribute": "loginShell", "disabledValue": "/sbin/nologin", "enabledValue": "/bin/sh"}, ""},
		"no people":              {connector.Settings{"people": ""}, `"people" is missing`},
		"no DN":                  {connector.Settings{"people": "people"}, `"people" must be a DN`},
		"no DN of groups":        {connector.Settings{"groups": "groups"}, `"groups" must be a DN`},
		"no filter":              {connector.Settings{"peopleFilter": "(objectClass=person"}, `"peopleFilter" must be a filter`},
		"leavers are people":     {connector.Settings{"leavers": "OU=People, dc=x"}, `"leavers" must not be, or be above, people`},
		"leavers above people":   {connector.Settings{"leavers": "dc=x"}, `"leavers" must not be, or be above, people`},
		"one attribute for both": {connector.Settings{"employeeNumber": "EmployeeNumber"}, `"employeeNumber" must not be the attribute of externalID`},
		"never enabled":          {connector.Settings{"enabledValue": "000001010000z"}, `"enabledValue" must not be disabledValue`},
		"another class":          {connector.Settings{"groupClass": "group"}, `"groupClass" must be one of groupOfNames`},
		"plain":                  {connector.Settings{"url": "ldap://ldap.example.com"}, `"url" would send the password unencrypted`},
	} {
		t.Run(name, func(t *testing.T) {
			settings := maps.Clone(good)
			maps.Copy(settings, test.change)
			c, err := ldap.Kind.Open(t.Context(), connector.Env{App: "directory"}, settings)
			if test.want == "" {
				require.NoError(t, err)
				assert.Equal(t, settings["groups"] != nil, connector.CapabilitiesOf(c).Entitlements)
				assert.NoError(t, c.Close())
				return
			}
			var invalid *connector.Error
			require.ErrorAs(t, err, &invalid)
			assert.Equal(t, connector.KindInvalid, invalid.Kind)
			assert.Contains(t, err.Error(), test.want)
			assert.NotContains(t, err.Error(), "s3cret")
		})
	}
}
