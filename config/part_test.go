package config

import (
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	connectors "github.com/tenurehq/tenure/connector/catalog"
	sources "github.com/tenurehq/tenure/hr/source/catalog"
)

// bare loads a text where there is nothing else: no other file, and no environment.
func bare(text string, parts ...Part) (*Config, []*FieldError) {
	l := &loader{
		file: "tenure.yaml", needs: parts,
		lookupEnv: func(string) (string, bool) { return "", false },
		readFile: func(path string) ([]byte, error) {
			if path == "tenure.yaml" {
				return []byte(text), nil
			}
			return nil, fs.ErrNotExist
		},
		folder: func(string) fs.FS { return os.DirFS("testdata/nothing") },
		kinds:  connectors.Kinds(), sources: sources.Kinds(),
	}
	cfg, _ := l.load()
	return cfg, l.problems
}

// What a part needs is looked for when somebody uses that part, and then only there.
func TestSecretsAndFilesAreNeededByPart(t *testing.T) {
	all := everyKey(t)
	withSecrets := strings.NewReplacer(
		"sqlite:tenure.db", "postgres://tenure:${env:NOPE}@db/tenure",
		"settings: {zone: Europe/Berlin,", `settings: {zone: Europe/Berlin, url: "${env:NOPE}", apiKey: "${file:nope}",`,
		"wiki: {connector: memory}", `wiki: {connector: scim, settings: {url: "${env:NOPE}", token: "${file:nope}"}}`,
	).Replace(all)
	require.Equal(t, 3, strings.Count(withSecrets, "${file:nope}")+strings.Count(withSecrets, "postgres://"), "the file has them")

	cfg, problems := bare(withSecrets)
	assert.Empty(t, problems)
	require.NotNil(t, cfg)
	assert.Empty(t, cfg.Ledger.URL)
	_, err := cfg.Kafka.SASL.Username.Reveal()
	assert.ErrorContains(t, err, "kafka.sasl.username: secret ${env:TOKEN} is missing", "who needs it all the same is told")
	for _, part := range Parts() {
		_, problems := bare(withSecrets, part)
		assert.NotEmpty(t, problems, part)
		for _, p := range problems {
			assert.Equal(t, part, partOf(p.Path), "%v", p)
		}
	}
	_, problems = bare(withSecrets, Parts()...)
	for _, part := range Parts() {
		assert.True(t, slices.ContainsFunc(problems, func(p *FieldError) bool { return partOf(p.Path) == part }), part)
	}
}

// All that can be said without them is said.
func TestWithoutSecretsTheRestIsChecked(t *testing.T) {
	for text, want := range map[string]string{
		`ledger: {url: "mysql://${env:NOPE}"}`:                                                                              "must begin with sqlite: or postgres://",
		`ledger: {url: "${pass:x}"}`:                                                                                        "${pass:x} is no secret",
		`apps: {a: {connector: scim, settings: {url: "${env:NOPE}"}}}`:                                                      `setting "token" is missing`,
		`apps: {a: {connector: scim, settings: {url: "${env:NOPE}", token: "${env:}"}}}`:                                    "${env:} is no secret",
		`apps: {a: {connector: scim, settings: {url: "${env:NOPE}", token: "${env:X}", x: 1}}}`:                             `setting "x" is not known`,
		`apps: {a: {connector: scim, settings: {url: [a], token: "${env:X}"}}}`:                                             `setting "url" must be text`,
		`apps: {a: {connector: ldap, settings: {url: "ldaps://x", bindDN: "cn=x", password: "${env:X}", people: "no DN"}}}`: `setting "people" must be a DN`,
		`apps: {a: {connector: postgres, settings: {url: "postgres://a@b/c?sslrootcert=/nope.pem&sslmode=perhaps"}}}`:       `setting "url" has a parameter`,
	} {
		if !strings.HasPrefix(text, "ledger") {
			text = "ledger: {url: sqlite:x}\n" + text
		}
		_, problems := bare("kafka: {brokers: [localhost:9092]}\n" + text)
		if assert.NotEmpty(t, problems, text) {
			assert.Contains(t, problems[0].Text, want, text)
		}
	}
}

// Settings that are not looked at lead to no complaint about others.
func TestWithheldSettingsBlameNobody(t *testing.T) {
	for _, app := range []string{
		`connector: ldap, settings: {url: "${env:U}", bindDN: "${env:B}", password: "${env:P}", people: "${env:D}", leavers: "ou=left,dc=x", externalID: "${env:E}", employeeNumber: employeeNumber, ca: "${env:C}"}`,
		`connector: activedirectory, settings: {url: "${env:U}", bindDN: "${env:B}", password: "${env:P}", people: "${env:D}", createIn: "OU=a,DC=x", leavers: "OU=b,DC=x", groups: "OU=c,DC=x"}`,
		`connector: webhook, settings: {url: "${env:U}", secret: "${env:S}"}`,
		`connector: postgres, settings: {url: "${env:U}", password: "${env:P}", heir: "${env:H}"}`,
		`connector: postgres, settings: {url: "postgres://a@b/c?sslrootcert=/nope.pem&sslcert=/nope.pem&sslkey=/nope.key"}`,
		`connector: scim, settings: {url: "${env:U}", profile: "${env:P}", tokenURL: "${env:T}", clientID: "${env:C}", clientSecret: "${env:S}"}`,
		`connector: jit, settings: {directory: "${env:D}", inner: {connector: scim, settings: {url: "${env:U}", token: "${env:T}"}}}`,
		`connector: jit, settings: {directory: dir, assignee: "${env:A}"}`,
		`connector: manual, settings: {assignee: "${env:A}"}`,
	} {
		_, problems := bare(base + "apps:\n  dir: {connector: memory}\n  a: {" + app + "}\n")
		assert.Empty(t, problems, app)
	}
	for _, topic := range []string{
		`source: bamboohr, settings: {url: "${env:U}", apiKey: "${env:K}"}`,
		`source: bamboohr, settings: {companyDomain: "${env:D}", apiKey: "${env:K}"}`,
		`source: workday, settings: {url: "${env:U}", username: "${env:N}", password: "${env:P}"}`,
		`source: rippling, settings: {url: "${env:U}", token: "${env:T}"}`,
	} {
		_, problems := bare("kafka: {brokers: [localhost:9092], topics: [{name: hr, " + topic + "}]}\nledger: {url: sqlite:x}\n")
		assert.Empty(t, problems, topic)
	}
}

func TestLoadForReadsTheEnvironment(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("NOT_THERE", "")
	text := base + `apps: {a: {connector: scim, settings: {url: "https://x", token: "${env:NOT_THERE}"}}}`
	require.NoError(t, os.WriteFile("tenure.yaml", []byte(text), 0o600))
	_, err := Load("tenure.yaml")
	require.ErrorContains(t, err, "${env:NOT_THERE} is missing")
	_, err = LoadFor("tenure.yaml", PartLedger, PartKafka)
	assert.NoError(t, err)
}
