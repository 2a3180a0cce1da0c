package config

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWhatIsWrongWithAudit(t *testing.T) {
	for section, want := range map[string]string{
		`{key: "` + auditKey + `"}`:                         "audit.key: must not be written here",
		`{key: "${file:secrets/audit}"}`:                    "audit.key: is the key of the log example.com/tenure, and audit.origin is tenure/audit",
		`{key: "${file:secrets/token}"}`:                    "audit.key: it is no key as tenure audit key writes it",
		`{key: "${file:secrets/none}"}`:                     "secret ${file:secrets/none} is missing",
		`{origin: two words}`:                               "audit.origin: must be one word",
		`{publish: [{file: a, kafka: b}]}`:                  "audit.publish[0]: must have one of file, http, witness and kafka",
		`{publish: [{}]}`:                                   "audit.publish[0]: must have one of file, http, witness and kafka",
		`{publish: [{http: "ftp://x"}]}`:                    "audit.publish[0].http: must be a URL",
		`{publish: [{witness: "https://u:p@example.com"}]}`: "without a password",
	} {
		_, err := read(base + "audit: " + section)
		require.ErrorContains(t, err, want, section)
		assert.NotContains(t, err.Error(), strings.Split(auditKey, "+")[4])
	}
	_, err := readFor(base+`audit: {key: "${file:secrets/none}"}`, PartLedger)
	assert.NoError(t, err, "a worker without the key leaves the log to others")
}
