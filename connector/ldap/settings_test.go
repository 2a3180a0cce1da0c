package ldap_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/connectortest"
	"github.com/tenurehq/tenure/connector/ldap"
)

func TestSettings(t *testing.T) {
	good := connector.Settings{"url": "ldaps://ldap.example.com", "bindDN": "cn=tenure", "password": "s3cret", "people": "ou=people,dc=x"}
	entitlements := func(want bool) func(*testing.T, connector.Connector) {
		return func(t *testing.T, c connector.Connector) {
			assert.Equal(t, want, c.Capabilities().Entitlements, "groups are there if they are configured")
		}
	}
	connectortest.Settings(t, ldap.Kind, good, map[string]connectortest.Setting{
		"least":                  {Check: entitlements(false)},
		"groups":                 {Change: connector.Settings{"groups": "ou=groups,dc=x", "groupClass": "posixGroup"}, Check: entitlements(true)},
		"leavers below people":   {Change: connector.Settings{"leavers": "ou=leavers,ou=people,dc=x"}, Check: entitlements(false)},
		"another lock":           {Change: connector.Settings{"disableAttribute": "loginShell", "disabledValue": "/sbin/nologin", "enabledValue": "/bin/sh"}, Check: entitlements(false)},
		"no people":              {Change: connector.Settings{"people": ""}, Want: `"people" is missing`},
		"no DN":                  {Change: connector.Settings{"people": "people"}, Want: `"people" must be a DN`},
		"no DN of groups":        {Change: connector.Settings{"groups": "groups"}, Want: `"groups" must be a DN`},
		"no filter":              {Change: connector.Settings{"peopleFilter": "(objectClass=person"}, Want: `"peopleFilter" must be a filter`},
		"leavers are people":     {Change: connector.Settings{"leavers": "OU=People, dc=x"}, Want: `"leavers" must not be, or be above, people`},
		"leavers above people":   {Change: connector.Settings{"leavers": "dc=x"}, Want: `"leavers" must not be, or be above, people`},
		"one attribute for both": {Change: connector.Settings{"employeeNumber": "EmployeeNumber"}, Want: `"employeeNumber" must not be the attribute of externalID`},
		"never enabled":          {Change: connector.Settings{"enabledValue": "000001010000z"}, Want: `"enabledValue" must not be disabledValue`},
		"another class":          {Change: connector.Settings{"groupClass": "group"}, Want: `"groupClass" must be one of groupOfNames`},
		"plain":                  {Change: connector.Settings{"url": "ldap://ldap.example.com"}, Want: `"url" would send the password unencrypted`},
	})
}
