package config

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	connectors "github.com/tenurehq/tenure/connector/catalog"
	"github.com/tenurehq/tenure/hr/snapshot"
	sources "github.com/tenurehq/tenure/hr/source/catalog"
	"github.com/tenurehq/tenure/internal/settings"
	"github.com/tenurehq/tenure/receiver/scheme"
)

const schemaFile = "../schemas/config.schema.json"

func compileSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	schema, err := compiler.Compile(schemaFile)
	require.NoError(t, err)
	return schema
}

// jsonOf is a YAML text as JSON has it.
func jsonOf(t *testing.T, text string) any {
	t.Helper()
	var document any
	require.NoError(t, yaml.Unmarshal([]byte(text), &document))
	content, err := json.Marshal(document)
	require.NoError(t, err)
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(content))
	require.NoError(t, err)
	return value
}

func TestExamplesLoadAndFollowTheSchema(t *testing.T) {
	examples, err := filepath.Glob("../examples/*.yaml")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(examples), 2)
	for _, example := range examples {
		t.Run(filepath.Base(example), func(t *testing.T) {
			text, err := os.ReadFile(example)
			require.NoError(t, err)
			loadsAndFollowsTheSchema(t, example, string(text))
		})
	}
}

// The page of each app has a configuration that works, and none that does not.
func TestTheConfigurationsOfTheAppsPagesLoad(t *testing.T) {
	pages, err := filepath.Glob("../docs/apps/*.md")
	require.NoError(t, err)
	require.NotEmpty(t, pages)
	for _, page := range pages {
		t.Run(filepath.Base(page), func(t *testing.T) {
			text, err := os.ReadFile(page)
			require.NoError(t, err)
			all := regexp.MustCompile("(?s)```yaml\n(kafka:.*?)```").FindAllStringSubmatch(string(text), -1)
			require.NotEmpty(t, all, "a configuration that begins with kafka")
			for _, whole := range all {
				loadsAndFollowsTheSchema(t, "tenure.yaml", whole[1])
			}
		})
	}
}

// loadsAndFollowsTheSchema loads a configuration, with made-up texts in place of its secrets.
func loadsAndFollowsTheSchema(t *testing.T, file, text string) {
	t.Helper()
	assert.NoError(t, compileSchema(t).Validate(jsonOf(t, text)))
	loadsWithoutSecrets(t, file, text)
}

// loadsWithoutSecrets loads a configuration, with made-up texts in place of its secrets. The
// YAML files that it includes are read.
func loadsWithoutSecrets(t *testing.T, file, text string) *Config {
	t.Helper()
	l := &loader{
		file: file, needs: Parts(),
		lookupEnv: func(string) (string, bool) { return "https://secret.example", true }, // a URL is a secret as good as any
		readFile: func(path string) ([]byte, error) {
			if path == file {
				return []byte(text), nil
			}
			if filepath.Ext(path) == ".yaml" {
				return os.ReadFile(path)
			}
			if made, ok := madeUp[filepath.Ext(path)]; ok {
				return []byte(made), nil
			}
			return []byte("a-secret-of-some-length-that-is-enough"), nil
		},
		folder: func(string) fs.FS { return templates },
		kinds:  connectors.Kinds(), sources: sources.Kinds(),
	}
	cfg, err := l.load()
	require.NoError(t, err)
	assert.Empty(t, cfg.Warnings)
	return cfg
}

// The example of a whole company loads with its parts, each of which is well formed, and has
// the apps of which its README speaks.
func TestTheExampleOfACompanyLoads(t *testing.T) {
	const file = "../examples/company/tenure.yaml"
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	cfg := loadsWithoutSecrets(t, file, string(text))

	readme, err := os.ReadFile("../examples/company/README.md")
	require.NoError(t, err)
	for _, app := range cfg.Policy.Apps() {
		assert.Contains(t, string(readme), "| `"+app+"` |")
	}

	whole, _ := jsonOf(t, string(text)).(map[string]any)
	apps, roles := map[string]any{}, []any{}
	parts, err := filepath.Glob("../examples/company/*/*.yaml")
	require.NoError(t, err)
	for _, part := range parts {
		text, err := os.ReadFile(part)
		require.NoError(t, err)
		content, _ := jsonOf(t, string(text)).(map[string]any)
		more, _ := content["apps"].(map[string]any)
		maps.Copy(apps, more)
		granted, _ := content["roles"].([]any)
		roles = append(roles, granted...)
	}
	assert.Len(t, apps, 7)
	whole["apps"], whole["roles"] = apps, roles
	assert.NoError(t, compileSchema(t).Validate(whole))
}

// madeUp holds what the files of an example hold, by the ending of their names: a
// certificate with its private key, a private key, the key of an audit record's log, the key
// file of a service account of Google's.
var madeUp = map[string]string{
	".pem": certificatePEM + keyPEM, ".key": keyPEM, ".signer": auditKey, ".whsec": "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3",
	".json": func() string {
		account, _ := json.Marshal(map[string]string{
			"type": "service_account", "client_email": "tenure@project.iam.gserviceaccount.com", "private_key_id": "1",
			"private_key": keyPEM, "token_uri": "https://oauth2.googleapis.com/token", "client_id": "1",
		})
		return string(account)
	}(),
}

// The example with everything leaves out nothing but what production must not
// have.
func TestTheLongExampleShowsEveryKey(t *testing.T) {
	text, err := os.ReadFile("../examples/tenure.yaml")
	require.NoError(t, err)
	shown := shownKeys(t, string(text))
	for _, path := range keysOf(t, Document()) {
		if !strings.HasPrefix(path, "development") {
			assert.Contains(t, shown, path)
		}
	}
}

// shownKeys lists the keys of a configuration, as keysOf does.
func shownKeys(t *testing.T, text string) []string {
	t.Helper()
	keys := make(map[string]bool)
	var walk func(at any, s *settings.Setting, path string)
	walk = func(at any, s *settings.Setting, path string) {
		switch at := at.(type) {
		case map[string]any:
			for name, child := range at {
				switch s.Type {
				case settings.TypeNamed:
					walk(child, s.Each, join(path, "*"))
				case settings.TypeMapping:
					keys[join(path, name)] = true
					require.NotNil(t, s.Key(name), join(path, name))
					walk(child, s.Key(name), join(path, name))
				}
			}
		case []any:
			for _, item := range at {
				if s.Each != nil {
					walk(item, s.Each, path+"[]")
				}
			}
		}
	}
	walk(jsonOf(t, text), Document(), "")
	return slices.Sorted(maps.Keys(keys))
}

// Every key that the table declares is in the schema, and in the file that
// TestLoadReadsEveryKey reads; neither has another one.
func TestEveryKeyIsEverywhere(t *testing.T) {
	declared := keysOf(t, Document())
	require.Contains(t, declared, "apps.*.leaver.retain", "nothing is compared")
	assert.Equal(t, declared, schemaKeys(t), "run `make docs`")
	shown := shownKeys(t, everyKey(t))
	assert.Equal(t, declared, shown, "see testdata/every-key.yaml, and TestLoadReadsEveryKey")
}

// keysOf lists the keys of a declared mapping and below, by path; names that somebody
// gave are "*".
func keysOf(t *testing.T, of *settings.Setting) []string {
	t.Helper()
	var keys []string
	var walk func(s *settings.Setting, path string)
	walk = func(s *settings.Setting, path string) {
		for i := range s.Keys {
			child := join(path, s.Keys[i].Name)
			keys = append(keys, child)
			walk(&s.Keys[i], child)
		}
		switch s.Type {
		case settings.TypeList:
			walk(s.Each, path+"[]")
		case settings.TypeNamed:
			walk(s.Each, join(path, "*"))
		}
	}
	walk(of, "")
	slices.Sort(keys)
	return keys
}

// schemaKeys lists the properties of the schema in the same way.
func schemaKeys(t *testing.T) []string {
	t.Helper()
	var keys []string
	var walk func(s *jsonschema.Schema, path string)
	walk = func(s *jsonschema.Schema, path string) {
		for s.Ref != nil && len(s.Properties) == 0 {
			s = s.Ref
		}
		for name, child := range s.Properties {
			keys = append(keys, join(path, name))
			walk(child, join(path, name))
		}
		if additional, ok := s.AdditionalProperties.(*jsonschema.Schema); ok {
			walk(additional, join(path, "*"))
		}
		if s.Items2020 != nil {
			walk(s.Items2020, path+"[]")
		}
	}
	walk(compileSchema(t), "")
	slices.Sort(keys)
	return keys
}

// A default that is written out changes nothing: the table's defaults are the loader's.
func TestDefaultsThatAreWrittenChangeNothing(t *testing.T) {
	least := `
kafka: {brokers: ["localhost:9092"], tls: {}, topics: [{name: hr.events}]}
ledger: {url: "sqlite:tenure.db"}
webhooks: {listen: "127.0.0.1:80", endpoints: [{path: /hr, topic: hr.events, scheme: hmac, signature: {header: X}, secrets: ["${file:secrets/webhook}"]}]}
apps: {wiki: {connector: memory, leaver: {}}}
` + leastSnapshot
	var document map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(least), &document))
	assert.Greater(t, writeDefaults(t, Document(), document), 40)
	text, err := yaml.Marshal(document)
	require.NoError(t, err)
	with, without := plainConfig(t, string(text)), plainConfig(t, least)
	withApp, _ := with.Policy.App("wiki")
	withoutApp, _ := without.Policy.App("wiki")
	assert.Equal(t, withoutApp, withApp)
	assert.Equal(t, without.Policy.LongestUsername(), with.Policy.LongestUsername())
	with.Policy, without.Policy = nil, nil
	assert.Equal(t, without, with)
}

// plainConfig reads a configuration without what cannot be compared.
func plainConfig(t *testing.T, text string) *Config {
	t.Helper()
	cfg, err := read(text)
	require.NoError(t, err, text)
	cfg.Warnings = nil
	for i := range cfg.Webhooks.Endpoints {
		cfg.Webhooks.Endpoints[i].Secrets = nil
	}
	return cfg
}

// writeDefaults writes what is absent from a mapping and below, and returns how many keys.
func writeDefaults(t *testing.T, of *settings.Setting, mapping map[string]any) (written int) {
	t.Helper()
	for i := range of.Keys {
		s := &of.Keys[i]
		if _, ok := mapping[s.Name]; !ok && s.Default != nil && !of.Inherits {
			if reflect.DeepEqual(s.Default, settings.Empty()) {
				mapping[s.Name] = map[string]any{}
			} else {
				mapping[s.Name] = s.Default
			}
			written++
		}
		switch below := mapping[s.Name].(type) {
		case map[string]any:
			if s.Type == settings.TypeNamed {
				for _, item := range below {
					if item, ok := item.(map[string]any); ok {
						written += writeDefaults(t, s.Each, item)
					}
				}
				continue
			}
			written += writeDefaults(t, s, below)
		case []any:
			for _, item := range below {
				if item, ok := item.(map[string]any); ok {
					written += writeDefaults(t, s.Each, item)
				}
			}
		}
	}
	return written
}

// The defaults that other packages have too are theirs.
func TestDefaultsOfOtherPackages(t *testing.T) {
	of := func(path ...string) any {
		s := Document()
		for _, name := range path {
			if s.Each != nil {
				s = s.Each
			}
			s = s.Key(name)
			require.NotNil(t, s, name)
		}
		return s.Default
	}
	assert.Equal(t, snapshot.DefaultDateFormat.String(), of("snapshot", "dateFormat"))
	assert.EqualValues(t, scheme.Generic().Encoding, of("webhooks", "endpoints", "signature", "encoding"))
	assert.EqualValues(t, scheme.Generic().Signs, of("webhooks", "endpoints", "signature", "signs"))
}

// What the schema refuses the loader refuses too, and what is about form alone
// the schema refuses as well.
func TestSchemaAndLoaderAgreeOnForm(t *testing.T) {
	schema := compileSchema(t)
	tests := []struct {
		text string
		ok   bool
	}{
		{"", true},
		{"apps:\nroles:\njoiner:\nmover:\nleaver:\nattention:\nsweep:\nmetrics:\ndevelopment:", true},
		{"joiner: {leadTime: 1d12h}", true},
		{"joiner: {leadTime: ''}", false},
		{"joiner: {leadTime: 1h1d}", false},
		{"joiner: {leadTime: 30}", false},
		{"sweep: {every: 0s}", false},
		{"sweep: {every: 10s}", true},
		{"leaver: {delete: 'yes'}", false},
		{"leaver: {approval: required, remind: 1d}", true},
		{"leaver: {approval: none}", true},
		{"leaver: {approval: yes}", false},
		{"leaver: {remind: 0d}", false},
		{"apps: {wiki: {connector: memory, rate: 0/s}}", false},
		{"apps: {wiki: {connector: memory, rate: 010/s}}", true},
		{"apps: {wiki: {connector: memory, rate: 10/d}}", false},
		{"apps: {my wiki: {connector: memory}}", false},
		{"apps: {wiki: {}}", false},
		{"apps: {wiki: {connector: memory, settings: , attributes: , after: , leaver: }}", true},
		{"apps: {wiki: {connector: memory, settings: []}}", false},
		{"apps: {wiki: {connector: memory, attributes: {admin: true, floor: 3}}}", true},
		{"apps: {wiki: {connector: memory, attributes: {title: ''}}}", false},
		{"apps: {wiki: {connector: memory, attributes: {title: [a]}}}", false},
		{"roles: [{name: a, when: true, grants: []}]", true},
		{"roles: [{name: a, when: true, grants: }]", true},
		{"roles: [{name: 7, when: true, grants: []}]", false},
		{"roles: [{name: a, when: true}]", false},
		{"roles: {}", false},
		{"breaker:", true},
		{"breaker: {enabled: false}", true},
		{"breaker: {enabled: sometimes}", false},
		{"breaker: {window: 0s}", false},
		{"breaker: {settle: 0s, leavers: {count: 0, share: 0%, most: 0}, disables: }", true},
		{"breaker: {leavers: {share: 10}}", false},
		{"breaker: {deletions: {count: -1}}", false},
		{leastSnapshot, true},
		{"snapshot:", true},
		{"snapshot: {source: /hr}", false},
		{leastSnapshot + "  maxLeavers: {share: 101, count: 1}", false},
		{leastSnapshot + "  maxLeavers: {share: 0.5%, count: 0}", true},
		{leastSnapshot + "  left: {column: Status}", false},
		{leastSnapshot + "  covers: true", true},
		{leastSnapshot + "  dateFormat: ''", false},
		{"metrics: {worker: localhost}", false},
		{webhooks(`listen: "127.0.0.1:80"`, `scheme: bearer, secrets: ["${file:secrets/webhook}"]`), true},
		{webhooks(`listen: "127.0.0.1:80"`, `scheme: bearer, secrets: [plain text that is a secret]`), false},
		{webhooks(`listen: "127.0.0.1:80"`, `scheme: pigeon, secrets: ["${file:secrets/webhook}"]`), false},
		{webhooks("listen: \"127.0.0.1:80\"\n  maxBody: 64KB", `scheme: bearer, secrets: ["${file:secrets/webhook}"]`), false},
		{"development: {clock: {epoch: 2026-01-01T00:00:00Z, start: '2026-01-01T00:00:00Z', rate: 2}}", true},
		{"development: {clock: {epoch: 2026-01-01T00:00:00Z, start: noon, rate: 2}}", false},
		{"development: {clock: {epoch: 2026-01-01T00:00:00Z, rate: 2}}", false},
		{"development: {clock: {epoch: 2026-01-01T00:00:00Z, start: '2026-01-01T00:00:00Z', rate: 0}}", false},
	}
	for _, test := range tests {
		t.Run(test.text, func(t *testing.T) {
			_, err := read(base + test.text)
			assert.Equal(t, test.ok, err == nil, "loader: %v", err)
			err = schema.Validate(jsonOf(t, base+test.text))
			assert.Equal(t, test.ok, err == nil, "schema: %v", err)
		})
	}
}
