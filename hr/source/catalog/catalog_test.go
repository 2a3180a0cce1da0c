package catalog_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/hr/source/catalog"
)

func TestLookup(t *testing.T) {
	assert.Contains(t, catalog.Names(), catalog.Default)
	for _, kind := range catalog.Kinds() {
		found, ok := catalog.Lookup(kind.Name)
		assert.True(t, ok, kind.Name)
		assert.Equal(t, kind.Name, found.Name)
		assert.NotEmpty(t, kind.Summary, kind.Name)
		_, err := kind.Open(source.Settings{"nonsense": 1})
		assert.ErrorContains(t, err, `"nonsense"`, kind.Name)
	}
	_, ok := catalog.Lookup("nobody")
	assert.False(t, ok)
}

// credentials holds the settings with which each kind signs in to fetch.
var credentials = map[string]source.Settings{
	"bamboohr": {"apiKey": "abc"},
	"rippling": {"token": "abc"},
	"workday":  {"username": "u", "password": "abc"},
}

func TestNoKindSendsCredentialsUnencrypted(t *testing.T) {
	for _, kind := range catalog.Kinds() {
		for _, setting := range kind.Settings {
			if !strings.HasSuffix(strings.ToLower(setting.Name), "url") {
				continue
			}
			t.Run(kind.Name, func(t *testing.T) {
				require.Contains(t, credentials, kind.Name, "say in this test how this kind signs in")
				open := func(url string, plaintext bool) error {
					settings := maps.Clone(credentials[kind.Name])
					settings[setting.Name], settings["plaintext"] = url, plaintext
					_, err := kind.Open(settings)
					return err
				}
				require.NoError(t, open("https://hr.example.com", false))
				require.NoError(t, open("http://127.0.0.1:8080", false), "this machine itself")
				require.NoError(t, open("http://hr.example.com", true), "an operator has allowed it")
				require.ErrorContains(t, open("http://hr.example.com", false),
					`setting "`+setting.Name+`" must be https://, since http:// would send the credentials unencrypted`)
			})
		}
	}
}
