package scim_test

import (
	"testing"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/connectortest"
	"github.com/tenurehq/tenure/connector/scim"
)

func TestSettings(t *testing.T) {
	good := connector.Settings{"url": "https://wiki.example.com/scim/v2/", "token": "abc"}
	connectortest.Settings(t, scim.Kind, good, map[string]connectortest.Setting{
		"least":             {},
		"all":               {Change: connector.Settings{"timeout": "5s", "userAgent": "tenure/1", "createGroups": true}},
		"no url":            {Change: connector.Settings{"url": ""}, Want: `"url" is missing`},
		"relative url":      {Change: connector.Settings{"url": "/scim/v2"}, Want: `"url" must be a whole http or https URL`},
		"no url at all":     {Change: connector.Settings{"url": "wiki.example.com\x7f"}, Want: `"url" must be a whole http or https URL`},
		"other scheme":      {Change: connector.Settings{"url": "ldap://wiki.example.com"}, Want: `"url" must be a whole http or https URL`},
		"password in url":   {Change: connector.Settings{"url": "https://bob:s3cret@wiki.example.com"}, Want: `"url" must hold no password, query or fragment`},
		"query in url":      {Change: connector.Settings{"url": "https://wiki.example.com/?key=s3cret"}, Want: `"url" must hold no password, query or fragment`},
		"no token":          {Change: connector.Settings{"token": ""}, Want: `"token" is missing: give it, or tokenURL`},
		"two ways":          {Change: connector.Settings{"username": "bob", "password": "s3cret"}, Want: `"username" cannot be together with token`},
		"no password":       {Change: connector.Settings{"token": "", "username": "bob"}, Want: `"password" is missing: it goes with username`},
		"no client":         {Change: connector.Settings{"token": "", "tokenURL": "https://id.example.com/token"}, Want: `"clientID" is missing`},
		"colon":             {Change: connector.Settings{"token": "", "username": "b:ob", "password": "s3cret"}, Want: `"username" must have no colon`},
		"relative tokenURL": {Change: connector.Settings{"token": "", "tokenURL": "/token", "clientID": "a", "clientSecret": "s3cret"}, Want: `"tokenURL" must be a whole`},
		"client":            {Change: connector.Settings{"token": "", "tokenURL": "https://id.example.com/token", "clientID": "a", "clientSecret": "s3cret", "scopes": []any{"scim"}}},
		"unknown profile":   {Change: connector.Settings{"profile": "fax"}, Want: `"profile" must be one of generic, atlassian,`},
		"salesforce":        {Change: connector.Settings{"profile": "salesforce"}, Want: `"defaultEntitlement" is missing`},
		"token of lines":    {Change: connector.Settings{"token": "s3cret\n"}, Want: `"token" must be one line`},
		"user agent":        {Change: connector.Settings{"userAgent": "a\r\nX-B: c"}, Want: `"userAgent" must be one line`},
		"negative timeout":  {Change: connector.Settings{"timeout": "-1s"}, Want: `"timeout" must be a duration above zero`},
		"unknown":           {Change: connector.Settings{"tokn": "s3cret"}, Want: `"tokn" is not known (known are changeGroups, changeUsers, clientID,`},
		"createGroups text": {Change: connector.Settings{"createGroups": "yes"}, Want: `"createGroups" must be true or false`},
	})
}
