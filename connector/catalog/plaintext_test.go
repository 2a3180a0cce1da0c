package catalog_test

import (
	"encoding/base64"
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/catalog"
	"github.com/tenurehq/tenure/secret"
)

// google has the settings that every app of this kind has. Its key is not known here.
var google = connector.Settings{
	"key": secret.New(func() (string, error) { return "", errors.New("no such file") }), "admin": "admin@example.com", "domain": "example.com",
}

// zoom has the settings that every app of this kind has.
var zoom = connector.Settings{"accountID": "a", "clientID": "b", "clientSecret": "c", "domain": "example.com"}

// secure holds, for each setting that is a URL (KIND.SETTING), settings with which the kind
// opens, and an unencrypted URL that the kind must reject.
var secure = map[string]struct {
	settings connector.Settings
	exposed  string
	never    bool // the kind rejects it even with "plaintext: true"
}{
	"scim.url": {connector.Settings{"url": "https://app.example.com", "token": "abc"}, "http://app.example.com", false},
	"scim.tokenURL": {
		connector.Settings{"url": "https://app.example.com", "tokenURL": "https://id.example.com", "clientID": "a", "clientSecret": "b"},
		"http://id.example.com/token", false,
	},
	"scim.sessionsURL": {
		connector.Settings{"url": "https://app.example.com", "token": "abc", "profile": "slack", "sessionsURL": "https://slack.com/api/admin.users.session.reset"},
		"http://slack.com/api/admin.users.session.reset", false,
	},
	"google.url":          {google, "http://admin.example.com", false},
	"google.licensingURL": {google, "http://licensing.example.com", false},
	"google.tokenURL":     {google, "http://oauth2.example.com/token", false},
	"github.url":          {connector.Settings{"org": "acme", "token": "abc"}, "http://api.acme.ghe.com", false},
	"salesforce.url": {
		connector.Settings{"url": "https://acme.my.salesforce.com", "clientID": "a", "clientSecret": "b"},
		"http://acme.my.salesforce.com", false,
	},
	"onelogin.url": {
		connector.Settings{"url": "https://example.onelogin.com", "clientID": "a", "clientSecret": "b"},
		"http://example.onelogin.com", false,
	},
	"atlassian.url": {connector.Settings{"orgID": "1", "token": "abc", "domain": "example.com"}, "http://api.example.com", false},
	"okta.url":      {connector.Settings{"url": "https://example.okta.com", "token": "abc"}, "http://example.okta.com", false},
	"zoom.url":      {zoom, "http://api.example.com/v2", false},
	"zoom.tokenURL": {zoom, "http://zoom.example.com/oauth/token", false},
	"webhook.url": {
		connector.Settings{"url": "https://app.example.com", "secret": "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 32))},
		"http://app.example.com", false,
	},
	"ldap.url": {
		connector.Settings{"url": "ldaps://ldap.example.com", "bindDN": "cn=tenure,dc=example", "password": "abc", "people": "ou=people,dc=example"},
		"ldap://ldap.example.com", false,
	},
	"activedirectory.url": {
		connector.Settings{"url": "ldaps://dc.example.com", "bindDN": "cn=tenure,dc=example", "password": "abc", "people": "OU=People,DC=corp,DC=example"},
		"ldap://dc.example.com", true,
	},
	"entra.url": {
		connector.Settings{"tenant": "example.com", "clientID": "a", "clientSecret": "b"}, "http://graph.example.com", false,
	},
	"entra.loginURL": {
		connector.Settings{"tenant": "example.com", "clientID": "a", "clientSecret": "b"}, "http://login.example.com", false,
	},
	"postgres.url": {
		connector.Settings{"url": "postgres://tenure@db.example.com/postgres", "password": "abc"},
		"postgres://tenure@db.example.com/postgres?sslmode=prefer", false,
	},
}

func TestNoKindSendsCredentialsUnencrypted(t *testing.T) {
	for _, kind := range catalog.Kinds() {
		for _, setting := range kind.Settings {
			if !strings.HasSuffix(strings.ToLower(setting.Name), "url") {
				continue
			}
			name := kind.Name + "." + setting.Name
			t.Run(name, func(t *testing.T) {
				test, there := secure[name]
				require.True(t, there, "say in this test how this setting is refused")
				open := func(change connector.Settings) error {
					settings := maps.Clone(test.settings)
					maps.Copy(settings, change)
					c, err := kind.Open(t.Context(), connector.Env{App: "app"}, settings)
					if err == nil {
						require.NoError(t, c.Close())
					}
					return err
				}
				require.NoError(t, open(nil))
				err := open(connector.Settings{setting.Name: test.exposed})
				require.ErrorContains(t, err, `setting "`+setting.Name+`"`)
				assert.ErrorContains(t, err, "encrypted")
				err = open(connector.Settings{setting.Name: test.exposed, "plaintext": true})
				if test.never {
					require.Error(t, err)
					return
				}
				require.NoError(t, err, "one name for the permission, whatever the kind")
			})
		}
	}
}
