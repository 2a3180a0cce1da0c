package schemas_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/schemas"
)

// read decodes a file in the form that Validate takes.
func read(t *testing.T, path string) any {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var doc any
	require.NoError(t, d.Decode(&doc))
	return doc
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	return paths
}

func TestEverySchemaCompiles(t *testing.T) {
	for _, path := range glob(t, "*.schema.json") {
		_, err := schemas.Load(strings.TrimSuffix(path, ".schema.json"))
		assert.NoError(t, err, path)
	}
	_, err := schemas.Load("nothing")
	assert.ErrorContains(t, err, "schema nothing")
}

func TestExamplesAreValid(t *testing.T) {
	missing := map[hr.EventType]bool{
		hr.EventHired: true, hr.EventRehired: true, hr.EventTransferred: true, hr.EventUpdated: true,
		hr.EventConverted: true, hr.EventLeaveStarted: true, hr.EventLeaveEnded: true, hr.EventTerminated: true,
		hr.EventRescinded: true, hr.EventSuspended: true, hr.EventReinstated: true,
	}
	for _, path := range glob(t, "examples/*.json") {
		event := read(t, path)
		assert.NoError(t, schemas.OfEvent().Validate(event), path)
		assert.Empty(t, schemas.OfEvent().Unknown(event), path)
		delete(missing, hr.EventType(event.(map[string]any)["type"].(string)))
	}
	assert.Empty(t, missing, "event types without an example")
}

func TestInvalidExamples(t *testing.T) {
	for _, path := range glob(t, "examples/invalid/*.json") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			example := read(t, path).(map[string]any)
			var want []string
			for _, w := range example["want"].([]any) {
				want = append(want, w.(string))
			}
			err := schemas.OfEvent().Validate(example["event"])
			var found schemas.InvalidError
			require.ErrorAs(t, err, &found)
			var got []string
			for _, v := range found {
				got = append(got, v.String())
			}
			assert.Equal(t, want, got)
			assert.Equal(t, strings.Join(want, "; "), err.Error())
		})
	}
}

// No error quotes a value of the document, wherever it is: it may be somebody's name.
func TestViolationsDoNotQuoteValues(t *testing.T) {
	const secret = "Q\u00fcx-77 \u0001"
	var everywhere func(any) any
	everywhere = func(v any) any {
		switch v := v.(type) {
		case map[string]any:
			for name := range v {
				v[name] = everywhere(v[name])
			}
			return v
		default:
			return secret
		}
	}
	for _, path := range glob(t, "examples/*.json") {
		event := read(t, path).(map[string]any)
		kind := event["type"]
		event = everywhere(event).(map[string]any)
		event["type"] = kind
		err := schemas.OfEvent().Validate(event)
		require.Error(t, err, path)
		assert.NotContains(t, err.Error(), "77", path)
	}
}

func TestUnknownFields(t *testing.T) {
	event := read(t, "examples/hired.json").(map[string]any)
	event["traceparent"] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	data := event["data"].(map[string]any)
	data["salary"] = json.Number("1")
	data["termination"] = map[string]any{"anything": "not used by this type"}
	worker := data["worker"].(map[string]any)
	worker["a/b"] = map[string]any{"c": "d"}
	worker["location"].(map[string]any)["floor"] = "3"
	worker["attributes"].(map[string]any)["anything"] = "goes"

	require.NoError(t, schemas.OfEvent().Validate(event))
	assert.Equal(t, []string{"/data/salary", "/data/worker/a~1b", "/data/worker/location/floor"},
		schemas.OfEvent().Unknown(event))
}
