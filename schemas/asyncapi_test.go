package schemas_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/hr/source/cloudevents"
)

// asyncAPI returns asyncapi.yaml, as decoded from JSON.
func asyncAPI(t *testing.T) map[string]any {
	t.Helper()
	text, err := os.ReadFile("asyncapi.yaml")
	require.NoError(t, err)
	var document any
	require.NoError(t, yaml.Unmarshal(text, &document))
	content, err := json.Marshal(document)
	require.NoError(t, err)
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(content))
	require.NoError(t, err)
	return value.(map[string]any)
}

// at returns the value at a path of a document.
func at(t *testing.T, document any, path ...string) map[string]any {
	t.Helper()
	for _, name := range path {
		require.Contains(t, document, name, path)
		document = document.(map[string]any)[name]
	}
	return document.(map[string]any)
}

// asyncapi.yaml is valid by the schema of AsyncAPI 3.0.0, which comes from the package
// @asyncapi/specs 6.11.1 (Apache-2.0).
func TestAsyncAPIIsValid(t *testing.T) {
	file, err := os.Open("testdata/asyncapi-3.0.0.schema.json.gz")
	require.NoError(t, err)
	defer func() { _ = file.Close() }()
	text, err := gzip.NewReader(file)
	require.NoError(t, err)
	schema, err := jsonschema.UnmarshalJSON(text)
	require.NoError(t, err)
	compiler := jsonschema.NewCompiler()
	compiler.UseRegexpEngine(func(pattern string) (jsonschema.Regexp, error) {
		return regexp.Compile(strings.ReplaceAll(pattern, `\_`, `_`))
	})
	require.NoError(t, compiler.AddResource("asyncapi.json", schema))
	compiled, err := compiler.Compile("asyncapi.json")
	require.NoError(t, err)
	document := asyncAPI(t)
	assert.NoError(t, compiled.Validate(document))

	delete(at(t, document, "channels", "events"), "messages")
	at(t, document, "operations", "receiveEvents")["action"] = "read"
	assert.Error(t, compiled.Validate(document), "the schema refuses nothing")
}

// Every reference leads to something.
func TestAsyncAPIReferences(t *testing.T) {
	document, found := asyncAPI(t), 0
	var walk func(any)
	walk = func(value any) {
		switch value := value.(type) {
		case map[string]any:
			if ref, ok := value["$ref"].(string); ok {
				found++
				file, pointer, _ := strings.Cut(ref, "#")
				target := any(document)
				if file != "" {
					text, err := os.ReadFile(file)
					require.NoError(t, err)
					require.NoError(t, json.Unmarshal(text, &target))
				}
				if pointer != "" {
					at(t, target, strings.Split(pointer, "/")[1:]...)
				}
			}
			for _, child := range value {
				walk(child)
			}
		case []any:
			for _, child := range value {
				walk(child)
			}
		}
	}
	walk(document)
	assert.Greater(t, found, 40)
}

func TestAsyncAPIHasAMessageForEveryType(t *testing.T) {
	var schema struct {
		Properties struct{ Type struct{ Enum []string } }
	}
	text, err := os.ReadFile("event.schema.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &schema))
	document := asyncAPI(t)
	var described []string
	for name := range at(t, document, "channels", "events", "messages") {
		message := at(t, document, "components", "messages", name)
		if name == "structured" {
			continue
		}
		kind := message["name"].(string)
		assert.Equal(t, kind, at(t, message, "headers", "properties", "ce_type")["const"])
		described = append(described, kind)
	}
	require.NotEmpty(t, schema.Properties.Type.Enum)
	assert.ElementsMatch(t, schema.Properties.Type.Enum, described)
}

// The decoder reads every example, and finds the type that the example is shown for.
func TestAsyncAPIExamples(t *testing.T) {
	document := asyncAPI(t)
	for name := range at(t, document, "channels", "events", "messages") {
		message := at(t, document, "components", "messages", name)
		examples := message["examples"].([]any)
		require.NotEmpty(t, examples, name)
		for _, example := range examples {
			record := source.Record{Headers: map[string]string{}}
			for header, value := range at(t, example, "headers") {
				record.Headers[header] = value.(string)
			}
			var err error
			record.Value, err = json.Marshal(at(t, example, "payload"))
			require.NoError(t, err)
			record.Key = []byte("10004")
			events, warnings, err := cloudevents.Decode(record)
			require.NoError(t, err, name)
			assert.Empty(t, warnings, name)
			if name != "structured" {
				assert.Equal(t, message["name"], string(events[0].Type))
			}
		}
	}
}

// header matches the constant of a header's name, which may begin with a prefix. prefix
// matches the constant of such a prefix.
var (
	header = regexp.MustCompile(`\n\s+Header\w+\s*=\s*(?:(\w+)\s*\+\s*)?"([^"]+)"`)
	prefix = regexp.MustCompile(`\n\s+(\w+Prefix)\s*=\s*"([^"]+)"`)
)

// asyncapi.yaml describes every header that the code writes, and no others.
func TestAsyncAPIHasEveryHeader(t *testing.T) {
	var written []string
	for _, dir := range []string{"ingest/deadletter", "receiver"} {
		files, err := filepath.Glob(filepath.Join("..", dir, "*.go"))
		require.NoError(t, err)
		require.NotEmpty(t, files, dir)
		var all strings.Builder
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			all.Write(text)
		}
		prefixes := map[string]string{"": ""}
		for _, m := range prefix.FindAllStringSubmatch(all.String(), -1) {
			prefixes[m[1]] = m[2]
		}
		for _, m := range header.FindAllStringSubmatch(all.String(), -1) {
			require.Contains(t, prefixes, m[1])
			written = append(written, prefixes[m[1]]+m[2])
		}
	}
	document := asyncAPI(t)
	var described []string
	for _, where := range []map[string]any{
		at(t, document, "components", "messages", "deadLetter", "headers", "properties"),
		at(t, document, "components", "messageTraits", "sentAgain", "headers", "properties"),
	} {
		for name := range where {
			described = append(described, name)
		}
	}
	require.Greater(t, len(written), 15)
	assert.ElementsMatch(t, written, described)
}
