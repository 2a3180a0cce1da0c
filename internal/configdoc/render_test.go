package main

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheReferenceIsUpToDate(t *testing.T) {
	schema, err := os.ReadFile("../../" + schemaFile)
	require.NoError(t, err)
	want, err := render(schema)
	require.NoError(t, err)
	have, err := os.ReadFile("../../" + referenceFile)
	require.NoError(t, err)
	assert.Equal(t, string(want), string(have), referenceFile+" is stale: run `make docs`")
}

func TestRowsOfEveryShape(t *testing.T) {
	page, err := render([]byte(`{
		"required": ["app"],
		"properties": {"app": {"description": "Apps.", "properties": {
			"name": {"description": "Its name.", "$ref": "#/$defs/text"},
			"wait": {"description": "How long.", "$ref": "#/$defs/span", "default": "1h"},
			"all": {"description": "Each.", "type": ["array", "null"], "items": {"required": ["x"], "properties": {"x": {"description": "a|b", "type": "boolean"}}}},
			"by": {"description": "By name.", "type": "object", "additionalProperties": {"properties": {"y": {"description": "Y.", "type": "number", "default": 2}}}},
			"inner": {"description": "Within.", "type": "object", "properties": {"z": {"description": "Z.", "type": "boolean"}}}
		}}, "more": {"description": "Files.", "type": ["array", "null"], "items": {"type": "string"}}},
		"$defs": {"text": {"type": "string"}, "duration": {"type": "string"}, "span": {"$ref": "#/$defs/duration"}}
	}`))
	require.NoError(t, err)
	for _, line := range []string{
		"Required. Apps.\n",
		"| `app.name` | text |  | Its name. |\n",
		"| `app.wait` | duration, not 0 | `1h` | How long. |\n",
		"| `app.all` | list |  | Each. |\n| `app.all[].x` | boolean | required | a\\|b |\n",
		"| `app.inner` | map |  | Within. |\n| `app.inner.z` | boolean |  | Z. |\n",
		"## `more`\n\nA list. Files.\n",
		"| `app.by` | map |  | By name. |\n| `app.by.NAME.y` | number | `2` | Y. |\n",
	} {
		assert.Contains(t, string(page), line)
	}
	assert.Equal(t, 1, strings.Count(string(page), "| key |"), "a list of plain values has no table")
}

func TestEverythingIsDescribed(t *testing.T) {
	_, err := render([]byte(`{"properties": {"app": {"properties": {"name": {"type": "string"}}}}}`))
	assert.ErrorContains(t, err, "app.name has no description")
}
