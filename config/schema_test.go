package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	connectors "github.com/tenurehq/tenure/connector/catalog"
	"github.com/tenurehq/tenure/hr/snapshot"
	sources "github.com/tenurehq/tenure/hr/source/catalog"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/policy"
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
	schema := compileSchema(t)
	for _, example := range examples {
		t.Run(filepath.Base(example), func(t *testing.T) {
			text, err := os.ReadFile(example)
			require.NoError(t, err)
			assert.NoError(t, schema.Validate(jsonOf(t, string(text))))

			l := &loader{
				file: example, needs: Parts(),
				lookupEnv: func(string) (string, bool) { return "https://secret.example", true }, // a URL is a secret as good as any
				readFile: func(path string) ([]byte, error) {
					if path == example {
						return text, nil
					}
					if pem, ok := map[string]string{".pem": certificatePEM, ".key": keyPEM}[filepath.Ext(path)]; ok {
						return []byte(pem), nil
					}
					return []byte("a-secret-of-some-length"), nil
				},
				kinds: connectors.Kinds(), sources: sources.Kinds(),
			}
			cfg, err := l.load()
			require.NoError(t, err)
			assert.Empty(t, cfg.Warnings)
		})
	}
}

// The example with everything leaves out nothing but what production must not
// have.
func TestTheLongExampleShowsEveryKey(t *testing.T) {
	text, err := os.ReadFile("../examples/tenure.yaml")
	require.NoError(t, err)
	shown, all := keysOf(t, string(text)), keysOf(t, everyKey(t))
	for path := range all {
		if !strings.HasPrefix(path, "development") {
			assert.Contains(t, shown, path)
		}
	}
}

// keysOf lists the keys of a configuration; names that somebody gave are "*".
func keysOf(t *testing.T, text string) map[string]bool {
	t.Helper()
	keys := make(map[string]bool)
	var walk func(at any, path string)
	walk = func(at any, path string) {
		switch at := at.(type) {
		case map[string]any:
			for name, child := range at {
				childPath := join(path, name)
				if named(path) {
					childPath = join(path, "*")
				}
				keys[childPath] = true
				if !ofKind(childPath) {
					walk(child, childPath)
				}
			}
		case []any:
			for _, item := range at {
				walk(item, path+"[]")
			}
		}
	}
	walk(jsonOf(t, text), "")
	return keys
}

// named reports whether the keys of the mapping at path are names.
func named(path string) bool {
	switch path {
	case "apps", "apps.*.attributes", "snapshot.columns", "snapshot.defaults", "snapshot.values", "snapshot.values.*":
		return true
	default:
		return false
	}
}

// ofKind reports whether the keys of the mapping at path are those of a kind of app or
// HR system.
func ofKind(path string) bool { return path == "apps.*.settings" || path == "kafka.topics[].settings" }

func TestSchemaAndLoaderKnowTheSameKeys(t *testing.T) {
	fromSchema := schemaKeys(t)
	fromLoader := loaderKeys(t)
	assert.Equal(t, fromSchema, fromLoader)
	assert.Contains(t, fromSchema, "apps.*.leaver", "nothing was compared")
}

// schemaKeys lists the properties of every object of the schema, by path.
func schemaKeys(t *testing.T) map[string][]string {
	t.Helper()
	all := make(map[string][]string)
	var walk func(s *jsonschema.Schema, path string)
	walk = func(s *jsonschema.Schema, path string) {
		for s.Ref != nil && len(s.Properties) == 0 {
			s = s.Ref
		}
		if len(s.Properties) > 0 {
			all[path] = slices.Sorted(maps.Keys(s.Properties))
		}
		for name, child := range s.Properties {
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
	return all
}

// loaderKeys adds a key that is like no other to every mapping, one at a time,
// and reads in the error what keys there are.
func loaderKeys(t *testing.T) map[string][]string {
	t.Helper()
	all := make(map[string][]string)
	var document yaml.Node
	require.NoError(t, yaml.Unmarshal([]byte(everyKey(t)), &document))
	var walk func(node *yaml.Node, path string)
	walk = func(node *yaml.Node, path string) {
		switch node.Kind {
		case yaml.MappingNode:
			if !named(path) && !ofKind(path) {
				if keys := knownKeys(t, &document, node); keys != nil {
					all[path] = keys
				}
			}
			for i := 0; i < len(node.Content); i += 2 {
				name := node.Content[i].Value
				if named(path) {
					name = "*"
				}
				walk(node.Content[i+1], join(path, name))
			}
		case yaml.SequenceNode:
			for _, item := range node.Content {
				walk(item, path+"[]")
			}
		}
	}
	walk(document.Content[0], "")
	return all
}

func knownKeys(t *testing.T, document, mapping *yaml.Node) []string {
	t.Helper()
	original := mapping.Content
	defer func() { mapping.Content = original }()
	mapping.Content = append(slices.Clone(original), &yaml.Node{Kind: yaml.ScalarNode, Value: "?"}, &yaml.Node{Kind: yaml.ScalarNode, Value: "x"})
	text, err := yaml.Marshal(document)
	require.NoError(t, err)
	_, err = read(string(text))
	require.Error(t, err, "an unknown key was let through in\n%s", text)
	_, known, ok := strings.Cut(err.Error(), "known are ")
	require.True(t, ok, err)
	return strings.Split(known, ", ")
}

func TestSchemaHasTheDefaultsOfTheLoader(t *testing.T) {
	content, err := os.ReadFile(schemaFile)
	require.NoError(t, err)
	var schema any
	require.NoError(t, json.Unmarshal(content, &schema))
	byDefault := func(path string) any {
		at := schema
		for part := range strings.SplitSeq(path, ".") {
			at = at.(map[string]any)[part]
			require.NotNil(t, at, "%s in %s", part, path)
		}
		return at.(map[string]any)["default"]
	}
	duration := func(path string) time.Duration {
		d, err := ParseDuration(fmt.Sprint(byDefault(path)))
		require.NoError(t, err)
		return d
	}
	cfg, err := read(base + "apps: {wiki: {connector: memory}}\n" + leastSnapshot)
	require.NoError(t, err)
	wiki, _ := cfg.Policy.App("wiki")

	assert.Equal(t, policy.DefaultUsername, byDefault("properties.person.properties.username"))
	assert.Equal(t, policy.DefaultEmail, byDefault("properties.person.properties.email"))
	assert.Equal(t, cfg.Kafka.Group, byDefault("properties.kafka.properties.group"))
	assert.Equal(t, cfg.Kafka.GiveUpAfter, duration("properties.kafka.properties.giveUpAfter"))
	assert.Equal(t, []any{map[string]any{"name": cfg.Kafka.Topics[0].Name, "source": cfg.Kafka.Topics[0].Source}},
		byDefault("properties.kafka.properties.topics"))
	assert.Equal(t, defaultSource, byDefault("properties.kafka.properties.topics.items.properties.source"))
	assert.Equal(t, cfg.Kafka.Topics[0].StartOffset, byDefault("properties.kafka.properties.topics.items.properties.startOffset"))
	assert.Equal(t, cfg.Attention.After, duration("properties.attention.properties.after"))
	assert.Equal(t, cfg.Attention.Recheck, duration("properties.attention.properties.recheck"))
	assert.EqualValues(t, fmt.Sprintf("%dKiB", defaultMaxBody>>10), byDefault("properties.webhooks.properties.maxBody"))
	endpoint := "properties.webhooks.properties.endpoints.items.properties."
	assert.EqualValues(t, fmt.Sprintf("%d/s", defaultWebhookRate), byDefault(endpoint+"rate"))
	assert.EqualValues(t, scheme.Generic().Encoding, byDefault(endpoint+"signature.properties.encoding"))
	assert.EqualValues(t, scheme.Generic().Signs, byDefault(endpoint+"signature.properties.signs"))
	assert.Equal(t, cfg.Sweep.Every, duration("properties.sweep.properties.every"))
	assert.Equal(t, cfg.Sweep.Overdue, duration("properties.sweep.properties.overdue"))
	assert.Equal(t, snapshot.DefaultDateFormat.String(), byDefault("properties.snapshot.properties.dateFormat"))
	share, err := parseShare(fmt.Sprint(byDefault("properties.snapshot.properties.maxLeavers.properties.share")))
	require.NoError(t, err)
	assert.Equal(t, cfg.Snapshot.MaxLeavers.Share, share)
	assert.EqualValues(t, cfg.Snapshot.MaxLeavers.Count, byDefault("properties.snapshot.properties.maxLeavers.properties.count"))
	assert.Equal(t, cfg.Breaker.Window, duration("properties.breaker.properties.window"))
	assert.Equal(t, cfg.Breaker.Settle, duration("properties.breaker.properties.settle"))
	assert.Equal(t, cfg.Breaker.SettleImmediate, duration("properties.breaker.properties.settleImmediate"))
	assert.Equal(t, cfg.Breaker.Of[ledger.Suspensions].Window, duration("$defs.suspensionsLimit.properties.window"))
	for name, limit := range cfg.Breaker.Of {
		kind := "$defs.breakerLimit"
		if name == ledger.Suspensions {
			kind = "$defs.suspensionsLimit"
		}
		share, err := parseShare(fmt.Sprint(byDefault(kind + ".properties.share")))
		require.NoError(t, err)
		assert.InDelta(t, limit.Share, share, 0, name)
		assert.EqualValues(t, limit.Count, byDefault(kind+".properties.count"), name)
		assert.EqualValues(t, limit.Most, byDefault(kind+".properties.most"), name)
	}
	assert.Equal(t, wiki.Joiner.LeadTime, duration("$defs.joiner.properties.leadTime"))
	assert.Equal(t, wiki.Mover.Overlap, duration("$defs.mover.properties.overlap"))
	assert.Equal(t, wiki.Leaver.Retain, duration("$defs.leaver.properties.retain"))
	assert.Equal(t, wiki.Leaver.Delete, byDefault("$defs.leaver.properties.delete"))
	assert.Equal(t, wiki.Leaver.Approval, byDefault("$defs.leaver.properties.approval") == "required")
	assert.Equal(t, wiki.Leaver.Remind, duration("$defs.leaver.properties.remind"))
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

// The file with every key leaves out none that the schema has.
func TestEveryKeyIsThere(t *testing.T) {
	there := keysOf(t, everyKey(t))
	for object, keys := range schemaKeys(t) {
		for _, name := range keys {
			assert.True(t, there[join(object, name)], "%s is missing: add it to testdata/every-key.yaml, and to TestLoadReadsEveryKey", join(object, name))
		}
	}
}
