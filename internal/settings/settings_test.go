package settings_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/internal/settings"
	"github.com/tenurehq/tenure/secret"
)

var declared = []settings.Setting{
	{Name: "token", Type: settings.TypeSecret, Required: true},
	{Name: "url", Type: settings.TypeText, Default: "https://localhost"},
	{Name: "mode", Type: settings.TypeText, Choices: []string{"fast", "slow"}, Default: "fast"},
	{Name: "timeout", Type: settings.TypeDuration, Default: time.Second},
	{Name: "strict", Type: settings.TypeBool},
	{Name: "page", Type: settings.TypeInt, Default: 100},
	{Name: "scopes", Type: settings.TypeTexts},
	{Name: "names", Type: settings.TypeMap},
	{Name: "inner", Type: settings.TypeSettings},
}

func TestSettingsAreRead(t *testing.T) {
	v := settings.Read(declared, map[string]any{
		"token": "abc", "url": secret.Of("https://x"), "mode": "slow", "timeout": "90s", "strict": true, "page": 7,
		"scopes": []any{"a", "b"}, "names": map[string]any{"k": "v"}, "inner": map[string]any{"token": secret.Of("t")},
	})
	require.NoError(t, v.Err())
	token, err := v.Secret("token").Reveal()
	require.NoError(t, err)
	assert.Equal(t, "abc", token)
	assert.Equal(t, "https://x", v.Text("url"), "a reference in a plain text is resolved once")
	assert.Equal(t, "slow", v.Text("mode"))
	assert.Equal(t, 90*time.Second, v.Duration("timeout"))
	assert.True(t, v.Bool("strict"))
	assert.Equal(t, 7, v.Int("page"))
	assert.Equal(t, []string{"a", "b"}, v.Texts("scopes"))
	assert.Equal(t, map[string]string{"k": "v"}, v.Map("names"))
	assert.Len(t, v.Settings("inner"), 1)
	assert.True(t, v.Has("page"))
}

func TestAbsentSettingsHaveTheirDefaults(t *testing.T) {
	v := settings.Read(declared, map[string]any{"token": "abc"})
	require.NoError(t, v.Err())
	assert.Equal(t, "https://localhost", v.Text("url"))
	assert.Equal(t, "fast", v.Text("mode"))
	assert.Equal(t, time.Second, v.Duration("timeout"))
	assert.Equal(t, 100, v.Int("page"))
	assert.False(t, v.Bool("strict"))
	assert.Empty(t, v.Texts("scopes"))
	assert.Empty(t, v.Map("names"))
	assert.False(t, v.Has("page"))
	assert.Panics(t, func() { v.Text("tokken") }, "a setting that was not declared")
}

func TestASecretIsAsItIsWhenItIsUsed(t *testing.T) {
	now := "first"
	v := settings.Read(declared, map[string]any{"token": secret.New(func() (string, error) { return now, nil })})
	require.NoError(t, v.Err())
	token := v.Secret("token")
	now = "second"
	got, err := token.Reveal()
	require.NoError(t, err)
	assert.Equal(t, "second", got)
}

func TestSettingsThatWillNotDo(t *testing.T) {
	for name, test := range map[string]struct {
		settings map[string]any
		want     string
	}{
		"missing":        {map[string]any{}, `setting "token" is missing`},
		"empty":          {map[string]any{"token": ""}, `setting "token" is missing`},
		"null":           {map[string]any{"token": nil}, `setting "token" is missing`},
		"not text":       {map[string]any{"token": 4711}, `setting "token" must be text (put it in quotes)`},
		"not a duration": {map[string]any{"token": "4711", "timeout": "4711 parsecs"}, `setting "timeout" must be a duration above zero, such as "15s", "2m" or "30d"`},
		"zero duration":  {map[string]any{"token": "4711", "timeout": "0s"}, `setting "timeout" must be a duration above zero, such as "15s", "2m" or "30d"`},
		"not a bool":     {map[string]any{"token": "4711", "strict": "4711"}, `setting "strict" must be true or false`},
		"zero":           {map[string]any{"token": "4711", "page": 0}, `setting "page" must be a whole number above zero`},
		"not a list":     {map[string]any{"token": "4711", "scopes": "4711"}, `setting "scopes" must be a list of texts`},
		"list of others": {map[string]any{"token": "4711", "scopes": []any{4711}}, `setting "scopes" must be a list of texts`},
		"not a mapping":  {map[string]any{"token": "4711", "names": []any{}}, `setting "names" must be a mapping of names to texts`},
		"no choice":      {map[string]any{"token": "4711", "mode": "4711"}, `setting "mode" must be one of fast, slow`},
		"unresolved": {map[string]any{"token": "4711", "url": secret.New(func() (string, error) { return "", errors.New("${env:X} is missing") })},
			`setting "url" cannot be had: ${env:X} is missing`},
		"unknown": {map[string]any{"token": "4711", "Token": "4711"},
			`setting "Token" is not known (known are inner, mode, names, page, scopes, strict, timeout, token, url)`},
		"several": {map[string]any{"b": 4711, "strict": 4711},
			`setting "token" is missing; setting "strict" must be true or false; setting "b" is not known (known are inner, mode, names, page, scopes, strict, timeout, token, url)`},
	} {
		t.Run(name, func(t *testing.T) {
			err := settings.Read(declared, test.settings).Err()
			require.EqualError(t, err, test.want)
			assert.NotContains(t, err.Error(), "4711", "a value may be a secret")
		})
	}
}

func TestARejectedSetting(t *testing.T) {
	v := settings.Read(declared, map[string]any{"token": "4711"})
	v.Reject("url", "must be https")
	assert.EqualError(t, v.Err(), `setting "url" must be https`)
}
