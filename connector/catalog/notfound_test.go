package catalog_test

import (
	"cmp"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/catalog"
	"github.com/tenurehq/tenure/connector/google/googletest"
	"github.com/tenurehq/tenure/secret"
)

// proxied maps every kind that speaks HTTP to settings by which it calls a proxy.
func proxied(t *testing.T, url string) map[string]connector.Settings {
	t.Helper()
	workspace, err := googletest.New()
	require.NoError(t, err)
	hidden := secret.Of("hidden")
	return map[string]connector.Settings{
		"atlassian":  {"url": url, "orgID": "o", "token": hidden, "domain": "example.com", "invitedTo": []any{"everybody"}},
		"entra":      {"url": url, "loginURL": url, "tenant": "t", "clientID": "c", "clientSecret": hidden, "domain": "example.com"},
		"github":     {"url": url, "org": "acme", "token": hidden, "loginSuffix": "-acme"},
		"google":     {"url": url, "licensingURL": url, "tokenURL": url + "/token", "key": workspace.Key(), "admin": googletest.Admin, "domain": googletest.Domain},
		"okta":       {"url": url, "token": hidden},
		"onelogin":   {"url": url, "clientID": "c", "clientSecret": hidden},
		"salesforce": {"url": url, "clientID": "c", "clientSecret": hidden, "usernameSuffix": "@example.com.crm", "profile": "Standard User"},
		"scim":       {"url": url, "token": hidden},
		"webhook":    {"url": url, "secret": secret.Of("whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 32)))},
		"zoom":       {"url": url, "tokenURL": url + "/oauth/token", "accountID": "a", "clientID": "c", "clientSecret": hidden, "domain": "example.com"},
	}
}

// ids maps kinds to an ID of the form that the app gives; the others take any.
var ids = map[string]string{"github": "4711", "salesforce": "005000000000001AAA", "onelogin": "4711"}

// without lists the kinds that speak no HTTP: no proxy is between them and the app.
var without = []string{"activedirectory", "jit", "ldap", "manual", "memory", "postgres"}

// What a proxy or a gateway answers proves nothing about an account: whoever took a 404 of
// theirs for the app's would make a second account, or take somebody who has left for cut off.
func TestA404OfAProxySaysNothingAboutAnAccount(t *testing.T) {
	for name, body := range map[string]string{
		"a page": "<html><h1>404 Not Found</h1></html>", "a gateway": `{"message":"no Route matched with those values"}`,
		"nothing": "", "a generic code": `{"status":404,"error":"Not Found"}`,
	} {
		proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			if strings.Contains(r.URL.Path, "token") { // the app is away, and not who signs in
				_, _ = w.Write([]byte(`{"access_token":"x","token_type":"Bearer","expires_in":3600,"instance_url":"http://` + r.Host + `"}`))
				return
			}
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte(body))
		}))
		t.Cleanup(proxy.Close)
		all := proxied(t, proxy.URL)
		for _, kind := range catalog.Kinds() {
			settings, speaks := all[kind.Name]
			if !speaks {
				assert.Contains(t, without, kind.Name, "say how to reach it through a proxy")
				continue
			}
			t.Run(kind.Name+" "+name, func(t *testing.T) {
				c, err := kind.Open(t.Context(), connector.Env{App: "app"}, settings)
				require.NoError(t, err)
				defer func() { assert.NoError(t, c.Close()) }()
				id := cmp.Or(ids[kind.Name], "7a4c1e52-0b5e-4c55-9a53-0d8d1f8a7e10")
				_, err = c.Read(t.Context(), id)
				assert.Error(t, err, "read")
				assert.False(t, connector.Is(err, connector.KindNotFound), "read: %v", err)
				if c.Capabilities().Delete {
					assert.Error(t, c.Delete(t.Context(), id), "nothing is deleted")
				}
				_, err = c.Find(t.Context(), connector.Keys{PersonID: "7", Username: "zoe"})
				assert.Error(t, err, "find")
			})
		}
	}
}
