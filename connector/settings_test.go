package connector_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
)

func TestSettingsAreRead(t *testing.T) {
	read := connector.ReadSettings(connector.Settings{"url": "https://x", "timeout": "90s", "createGroups": true})
	assert.Equal(t, "https://x", read.Required("url"))
	assert.Equal(t, 90*time.Second, read.Duration("timeout", time.Second))
	assert.True(t, read.Bool("createGroups", false))
	assert.Equal(t, "tenure", read.String("userAgent", "tenure"), "absent: the fallback")
	assert.Equal(t, time.Second, read.Duration("wait", time.Second))
	require.NoError(t, read.Err())
}

func TestSettingsThatWillNotDo(t *testing.T) {
	for name, test := range map[string]struct {
		settings connector.Settings
		want     string
	}{
		"missing":        {connector.Settings{}, `setting "token" is missing`},
		"empty":          {connector.Settings{"token": ""}, `setting "token" is missing`},
		"null":           {connector.Settings{"token": nil}, `setting "token" is missing`},
		"not text":       {connector.Settings{"token": 4711}, `setting "token" must be text (put it in quotes)`},
		"not a duration": {connector.Settings{"token": "4711", "timeout": "4711 parsecs"}, `setting "timeout" must be a duration above zero, such as "15s" or "2m"`},
		"zero duration":  {connector.Settings{"token": "4711", "timeout": "0s"}, `setting "timeout" must be a duration above zero, such as "15s" or "2m"`},
		"not a bool":     {connector.Settings{"token": "4711", "strict": "4711"}, `setting "strict" must be true or false`},
		"unknown":        {connector.Settings{"token": "4711", "Token": "4711"}, `setting "Token" is not known (known are strict, timeout, token)`},
		"several":        {connector.Settings{"b": 4711, "a": 4711}, `setting "token" is missing; setting "a" is not known (known are strict, timeout, token); setting "b" is not known (known are strict, timeout, token)`},
	} {
		t.Run(name, func(t *testing.T) {
			read := connector.ReadSettings(test.settings)
			read.Required("token")
			read.Duration("timeout", time.Second)
			read.Bool("strict", false)
			err := read.Err()

			var invalid *connector.Error
			require.ErrorAs(t, err, &invalid)
			assert.Equal(t, connector.KindInvalid, invalid.Kind)
			assert.Equal(t, connector.OpOpen, invalid.Op)
			assert.Equal(t, test.want, invalid.Message)
			assert.NotContains(t, err.Error(), "4711", "a value may be a secret")
		})
	}
}
