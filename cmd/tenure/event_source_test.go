package main

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/service"
)

// The bodies of an HR system's webhooks are checked with the settings of its topic.
func TestEventValidateOfAnHRSystem(t *testing.T) {
	golden := func(name string) string {
		text, err := os.ReadFile("../../hr/source/bamboohr/testdata/golden/" + name + "/record.json")
		require.NoError(t, err)
		return string(text)
	}
	posted, thin, deleted := golden("fields-updated"), golden("event-updated"), golden("event-deleted")
	s := newSite(t)
	topics := func(settings string) {
		s.write("tenure.yaml", "ledger: {url: \"sqlite:x\"}\nkafka:\n  brokers: [\"a:1\"]\n  topics:\n    - {name: hr.bamboohr, source: bamboohr, settings: "+settings+"}\n")
	}
	topics("{zone: Europe/Berlin}")
	s.write("posted.json", posted)
	s.write("thin.json", thin)
	s.write("deleted.json", deleted)

	assert.Equal(t, result{stdout: "posted.json: 1 valid, 0 invalid\n"}, s.run("event", "validate", "--source", "bamboohr", "posted.json"))
	assert.Equal(t, result{stdout: "deleted.json: 1 valid, 0 invalid\n"}, s.run("event", "validate", "--source", "bamboohr", "deleted.json"))

	got := s.run("event", "validate", "--source", "bamboohr", "thin.json")
	assert.Equal(t, service.ExitFailed, got.code, "nothing is configured to fetch it")
	assert.Contains(t, got.err, "thin.json:1: thin: /data does not bring the fields that are needed")

	topics("{zone: Europe/Berlin, companyDomain: example, apiKey: k}")
	got = s.run("event", "validate", "--source", "bamboohr", "thin.json")
	assert.Equal(t, service.ExitDone, got.code, got.err)
	assert.Contains(t, got.err, "is thin: the starter fetches")

	topics("{zones: {Paris: Europe/Paris}}")
	got = s.run("event", "validate", "--source", "bamboohr", "posted.json")
	assert.Equal(t, service.ExitFailed, got.code)
	assert.Contains(t, got.err, "schema: location names no place whose time zone is known")
	assert.NotContains(t, got.err, "Berlin")

	got = s.run("event", "validate", "--source", "bamboohr", "--topic", "other", "posted.json")
	assert.Equal(t, service.ExitUsage, got.code)
	assert.Contains(t, got.err, "add one, with its settings")
}
