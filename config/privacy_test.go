package config

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const pepper = "0123456789abcdef0123456789abcdef"

func TestPrivacyIsChecked(t *testing.T) {
	for text, want := range map[string]string{
		`{keep: 30d}`: "privacy.pepper: is missing",
		`{keep: 30d, pepper: "${file:secrets/token}"}`: "privacy.pepper: must have 32 characters at least",
		`{pepper: "0123456789abcdef0123456789abcdef"}`: "must not be written here",
		`{keptAccounts: never}`:                        "privacy.keptAccounts",
	} {
		_, err := read(base + "privacy: " + text)
		assert.ErrorContains(t, err, want, text)
	}
	cfg, err := read(base)
	require.NoError(t, err)
	assert.Equal(t, Privacy{KeptAccounts: KeptWait}, cfg.Privacy, "nobody is erased by themselves")
	assert.Nil(t, cfg.Privacy.Key())

	cfg, err = readFor(base+`privacy: {keep: 30d, pepper: "${file:secrets/none}"}`, PartLedger)
	require.NoError(t, err, "the starter needs none")
	assert.Nil(t, cfg.Privacy.Key())
}
