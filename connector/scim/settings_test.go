package scim_test

import (
	"maps"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/scim"
)

func TestSettings(t *testing.T) {
	good := connector.Settings{"url": "https://wiki.example.com/scim/v2/", "token": "abc"}
	for name, test := range map[string]struct {
		change connector.Settings
		want   string // part of the error; empty for none
	}{
		"least":             {nil, ""},
		"all":               {connector.Settings{"timeout": "5s", "userAgent": "tenure/1", "createGroups": true}, ""},
		"no url":            {connector.Settings{"url": ""}, `"url" is missing`},
		"relative url":      {connector.Settings{"url": "/scim/v2"}, `"url" must be a whole http or https URL`},
		"no url at all":     {connector.Settings{"url": "wiki.example.com\x7f"}, `"url" must be a whole http or https URL`},
		"other scheme":      {connector.Settings{"url": "ldap://wiki.example.com"}, `"url" must be a whole http or https URL`},
		"password in url":   {connector.Settings{"url": "https://bob:s3cret@wiki.example.com"}, `"url" must hold no password, query or fragment`},
		"query in url":      {connector.Settings{"url": "https://wiki.example.com/?key=s3cret"}, `"url" must hold no password, query or fragment`},
		"no token":          {connector.Settings{"token": ""}, `"token" is missing: give it, or tokenURL`},
		"two ways":          {connector.Settings{"username": "bob", "password": "s3cret"}, `"username" cannot be together with token`},
		"no password":       {connector.Settings{"token": "", "username": "bob"}, `"password" is missing: it goes with username`},
		"no client":         {connector.Settings{"token": "", "tokenURL": "https://id.example.com/token"}, `"clientID" is missing`},
		"colon":             {connector.Settings{"token": "", "username": "b:ob", "password": "s3cret"}, `"username" must have no colon`},
		"relative tokenURL": {connector.Settings{"token": "", "tokenURL": "/token", "clientID": "a", "clientSecret": "s3cret"}, `"tokenURL" must be a whole`},
		"client":            {connector.Settings{"token": "", "tokenURL": "https://id.example.com/token", "clientID": "a", "clientSecret": "s3cret", "scopes": []any{"scim"}}, ""},
		"unknown profile":   {connector.Settings{"profile": "fax"}, `"profile" must be one of generic, atlassian,`},
		"salesforce":        {connector.Settings{"profile": "salesforce"}, `"defaultEntitlement" is missing`},
		"token of lines":    {connector.Settings{"token": "s3cret\n"}, `"token" must be one line`},
		"user agent":        {connector.Settings{"userAgent": "a\r\nX-B: c"}, `"userAgent" must be one line`},
		"negative timeout":  {connector.Settings{"timeout": "-1s"}, `"timeout" must be a duration above zero`},
		"unknown":           {connector.Settings{"tokn": "s3cret"}, `"tokn" is not known (known are changeUsers, clientID,`},
		"createGroups text": {connector.Settings{"createGroups": "yes"}, `"createGroups" must be true or false`},
	} {
		t.Run(name, func(t *testing.T) {
			settings := maps.Clone(good)
			maps.Copy(settings, test.change)
			c, err := scim.Kind.Open(t.Context(), connector.Env{App: "wiki"}, settings)
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
