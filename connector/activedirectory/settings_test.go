package activedirectory_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/activedirectory"
	"github.com/tenurehq/tenure/connector/connectortest"
)

func TestSettings(t *testing.T) {
	const ou = "OU=People,DC=corp,DC=example,DC=com"
	good := connector.Settings{"url": "ldaps://dc1.corp.example.com", "bindDN": "tenure@corp.example.com", "password": "s3cret", "people": ou}
	connectortest.Settings(t, activedirectory.Kind, good, map[string]connectortest.Setting{
		"least": {},
		"all": {Change: connector.Settings{
			"url": "ldap://dc1.corp.example.com", "startTLS": true, "createIn": "OU=New," + ou, "leavers": "ou=Leavers," + ou,
			"upnSuffix": "example.com", "externalID": "employeeNumber", "employeeNumber": "employeeID",
			"email": "mail", "groups": "OU=Groups,DC=corp,DC=example,DC=com", "groupName": "cn",
			"attributes": []any{"extensionAttribute1"}, "recycleBin": "4320h",
		}},
		"not encrypted":           {Change: connector.Settings{"url": "ldap://dc1.corp.example.com", "plaintext": true}, Want: `"url" is not encrypted`},
		"not even on loopback":    {Change: connector.Settings{"url": "ldap://127.0.0.1"}, Want: `"url" is not encrypted`},
		"no people":               {Change: connector.Settings{"people": ""}, Want: `"people" is missing`},
		"people is no DN":         {Change: connector.Settings{"people": "people"}, Want: `"people" must be a DN in a domain`},
		"people without a domain": {Change: connector.Settings{"people": "OU=People"}, Want: `"people" must be a DN in a domain`},
		"createIn elsewhere":      {Change: connector.Settings{"createIn": "OU=New,DC=corp,DC=example,DC=com"}, Want: `"createIn" must be people or below it`},
		"leavers elsewhere":       {Change: connector.Settings{"leavers": "OU=Old,DC=corp,DC=example,DC=com"}, Want: `"leavers" must be people or below it`},
		"createIn leavers":        {Change: connector.Settings{"leavers": "OU=Old," + ou, "createIn": "ou=old," + ou}, Want: `"createIn" must not be leavers`},
		"leavers is people":       {Change: connector.Settings{"leavers": ou}, Want: `"createIn" must not be leavers`},
		"groups is no DN":         {Change: connector.Settings{"groups": "groups"}, Want: `"groups" must be a DN`},
		"upnSuffix":               {Change: connector.Settings{"upnSuffix": "@example.com"}, Want: `"upnSuffix" must be a name`},
		"groupName":               {Change: connector.Settings{"groupName": "mail"}, Want: `"groupName" must be one of sAMAccountName, cn`},
		"attributes":              {Change: connector.Settings{"attributes": []any{"UserAccountControl"}}, Want: `"attributes" holds one that Tenure sets itself`},
		"external ID":             {Change: connector.Settings{"externalID": "objectSid"}, Want: `"externalID" must not be`},
		"unknown":                 {Change: connector.Settings{"passwrd": "s3cret"}, Want: `"passwrd" is not known`},
	})
}

func TestPersonIDsThatAreTooLongAreRefused(t *testing.T) {
	c, err := activedirectory.Kind.Open(t.Context(), connector.Env{App: "ad"}, connector.Settings{
		"url": "ldaps://127.0.0.1:1", "bindDN": "tenure@corp.example.com", "password": "s3cret", "people": "OU=People,DC=corp,DC=example,DC=com",
	})
	require.NoError(t, err)
	const long = "person-0123456789"
	_, createErr := c.Create(t.Context(), connector.Spec{PersonID: long, Username: "anna"})
	for op, err := range map[string]error{
		connector.OpCreate: createErr,
		connector.OpAdopt:  c.Adopt(t.Context(), "12345678-9abc-def0-0123-456789abcdef", long),
	} {
		var refused *connector.Error
		require.ErrorAs(t, err, &refused, op)
		assert.Equal(t, connector.KindInvalid, refused.Kind)
		assert.Equal(t, op, refused.Op)
		assert.Contains(t, refused.Message, "set externalID")
		assert.NotContains(t, refused.Error(), long)
	}
}
