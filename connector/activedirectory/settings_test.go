package activedirectory_test

import (
	"maps"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/activedirectory"
)

func TestSettings(t *testing.T) {
	const ou = "OU=People,DC=corp,DC=example,DC=com"
	good := connector.Settings{"url": "ldaps://dc1.corp.example.com", "bindDN": "tenure@corp.example.com", "password": "s3cret", "people": ou}
	for name, test := range map[string]struct {
		change connector.Settings
		want   string // part of the error; empty for none
	}{
		"least": {nil, ""},
		"all": {connector.Settings{
			"url": "ldap://dc1.corp.example.com", "startTLS": true, "createIn": "OU=New," + ou, "leavers": "ou=Leavers," + ou,
			"upnSuffix": "example.com", "externalID": "employeeNumber", "employeeNumber": "employeeID",
			"email": "mail", "groups": "OU=Groups,DC=corp,DC=example,DC=com", "groupName": "cn",
			"attributes": []any{"extensionAttribute1"}, "recycleBin": "4320h",
		}, ""},
		"not encrypted":           {connector.Settings{"url": "ldap://dc1.corp.example.com", "plaintext": true}, `"url" is not encrypted`},
		"not even on loopback":    {connector.Settings{"url": "ldap://127.0.0.1"}, `"url" is not encrypted`},
		"no people":               {connector.Settings{"people": ""}, `"people" is missing`},
		"people is no DN":         {connector.Settings{"people": "people"}, `"people" must be a DN in a domain`},
		"people without a domain": {connector.Settings{"people": "OU=People"}, `"people" must be a DN in a domain`},
		"createIn elsewhere":      {connector.Settings{"createIn": "OU=New,DC=corp,DC=example,DC=com"}, `"createIn" must be people or below it`},
		"leavers elsewhere":       {connector.Settings{"leavers": "OU=Old,DC=corp,DC=example,DC=com"}, `"leavers" must be people or below it`},
		"createIn leavers":        {connector.Settings{"leavers": "OU=Old," + ou, "createIn": "ou=old," + ou}, `"createIn" must not be leavers`},
		"leavers is people":       {connector.Settings{"leavers": ou}, `"createIn" must not be leavers`},
		"groups is no DN":         {connector.Settings{"groups": "groups"}, `"groups" must be a DN`},
		"upnSuffix":               {connector.Settings{"upnSuffix": "@example.com"}, `"upnSuffix" must be a name`},
		"groupName":               {connector.Settings{"groupName": "mail"}, `"groupName" must be one of sAMAccountName, cn`},
		"attributes":              {connector.Settings{"attributes": []any{"UserAccountControl"}}, `"attributes" holds one that Tenure sets itself`},
		"external ID":             {connector.Settings{"externalID": "objectSid"}, `"externalID" must not be`},
		"unknown":                 {connector.Settings{"passwrd": "s3cret"}, `"passwrd" is not known`},
	} {
		t.Run(name, func(t *testing.T) {
			settings := maps.Clone(good)
			maps.Copy(settings, test.change)
			c, err := activedirectory.Kind.Open(t.Context(), connector.Env{App: "ad"}, settings)
			if test.want == "" {
				require.NoError(t, err)
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

func TestPersonIDsThatAreTooLongAreRefused(t *testing.T) {
	c, err := activedirectory.Kind.Open(t.Context(), connector.Env{App: "ad"}, connector.Settings{
		"url": "ldaps://127.0.0.1:1", "bindDN": "tenure@corp.example.com", "password": "s3cret", "people": "OU=People,DC=corp,DC=example,DC=com",
	})
	require.NoError(t, err)
	const long = "person-0123456789"
	_, createErr := c.(connector.Creator).Create(t.Context(), connector.Spec{PersonID: long, Username: "anna"})
	for op, err := range map[string]error{
		connector.OpCreate: createErr,
		connector.OpAdopt:  c.(connector.Adopter).Adopt(t.Context(), "12345678-9abc-def0-0123-456789abcdef", long),
	} {
		var refused *connector.Error
		require.ErrorAs(t, err, &refused, op)
		assert.Equal(t, connector.KindInvalid, refused.Kind)
		assert.Equal(t, op, refused.Op)
		assert.Contains(t, refused.Message, "set externalID")
		assert.NotContains(t, refused.Error(), long)
	}
}
