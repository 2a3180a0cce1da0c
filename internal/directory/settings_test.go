package directory

import (
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/internal/settings"
)

func TestSettings(t *testing.T) {
	good := map[string]any{"url": "ldaps://a.example.com ldaps://b.example.com:1636", "bindDN": "cn=tenure", "password": "s3cret"}
	for name, test := range map[string]struct {
		change map[string]any
		want   string // part of the error; empty for none
	}{
		"least":              {nil, ""},
		"StartTLS":           {map[string]any{"url": "ldap://ldap.example.com", "startTLS": true}, ""},
		"plain, and said so": {map[string]any{"url": "ldap://ldap.example.com", "plaintext": true}, ""},
		"this machine":       {map[string]any{"url": "ldap://127.0.0.1:3890"}, ""},
		"plain":              {map[string]any{"url": "ldap://ldap.example.com"}, `"url" would send the password unencrypted`},
		"one of two plain":   {map[string]any{"url": "ldaps://a.example.com ldap://b.example.com"}, `"url" would send the password unencrypted`},
		"both":               {map[string]any{"startTLS": true}, `"startTLS" is for ldap:// addresses`},
		"another scheme":     {map[string]any{"url": "https://ldap.example.com"}, `"url" must be like`},
		"no scheme":          {map[string]any{"url": "ldap.example.com"}, `"url" must be like`},
		"a password":         {map[string]any{"url": "ldaps://u:s3cret@ldap.example.com"}, `"url" must hold a scheme, a host and a port`},
		"a base":             {map[string]any{"url": "ldaps://ldap.example.com/dc=s3cret"}, `"url" must hold a scheme, a host and a port`},
		"no bind DN":         {map[string]any{"bindDN": ""}, `"bindDN" is missing`},
	} {
		t.Run(name, func(t *testing.T) {
			set := maps.Clone(good)
			maps.Copy(set, test.change)
			v := settings.Read(Settings, set)
			Read(v)
			if test.want == "" {
				assert.NoError(t, v.Err())
				return
			}
			require.ErrorContains(t, v.Err(), test.want)
			assert.NotContains(t, v.Err().Error(), "s3cret")
		})
	}
	config := Read(settings.Read(Settings, good))
	require.Len(t, config.URLs, 2)
	assert.Equal(t, "b.example.com:1636", config.URLs[1].Host)
	assert.Equal(t, 15*time.Second, config.Timeout)
	assert.Equal(t, 500, config.PageSize)
}
