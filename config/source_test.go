package config

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/secret"
)

const ledgerOnly = "ledger: {url: \"sqlite:x\"}\n"

func TestSettingsOfASource(t *testing.T) {
	cfg, err := read(ledgerOnly + `
kafka:
  brokers: ["a:1"]
  topics:
    - {name: hr.bamboohr, source: bamboohr, settings: {zone: Europe/Berlin, companyDomain: example, apiKey: "${file:secrets/token}"}}
    - {name: hr.events}
`)
	require.NoError(t, err)
	topic := cfg.Kafka.Topics[0]
	assert.Equal(t, "Europe/Berlin", topic.Settings["zone"])
	apiKey, err := topic.Settings["apiKey"].(secret.Secret).Reveal()
	require.NoError(t, err)
	assert.Equal(t, "s3cret", apiKey)
	assert.Nil(t, cfg.Kafka.Topics[1].Settings)
}

func TestSettingsThatASourceWillNotHave(t *testing.T) {
	for name, test := range map[string]struct{ topic, want string }{
		"no such source":  {"{name: a, source: bambohr}", `4:30: kafka.topics[0].source: there is no source "bambohr"; did you mean "bamboohr"?`},
		"unknown setting": {"{name: a, source: bamboohr, settings: {zon: UTC}}", `4:40: kafka.topics[0].settings: setting "zon" is not known`},
		"wrong setting":   {"{name: a, source: bamboohr, settings: {zone: Mars}}", `4:40: kafka.topics[0].settings: setting "zone" must hold IANA names`},
		"none are known":  {"{name: a, settings: {zone: UTC}}", `4:22: kafka.topics[0].settings: setting "zone" is not known (there are none)`},
		"missing secret":  {"{name: a, source: bamboohr, settings: {apiKey: \"${env:NOPE}\"}}", `kafka.topics[0].settings.apiKey: secret ${env:NOPE} is missing`},
		"no mapping":      {"{name: a, source: bamboohr, settings: [a]}", `kafka.topics[0].settings: must be a mapping`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := read(ledgerOnly + "kafka:\n  brokers: [\"a:1\"]\n  topics: [" + test.topic + "]\n")
			require.ErrorContains(t, err, test.want)
		})
	}
}
