package main

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/internal/settings"
)

func TestWhatIsGeneratedIsUpToDate(t *testing.T) {
	reference, err := render(config.Document())
	require.NoError(t, err)
	schema, err := schemaOf(config.Document())
	require.NoError(t, err)
	for file, want := range map[string][]byte{referenceFile: reference, schemaFile: schema} {
		have, err := os.ReadFile("../../" + file)
		require.NoError(t, err)
		assert.Equal(t, string(want), string(have), file+" is stale: run `make docs`")
	}
}

// document has a key of every shape.
var document = &settings.Setting{Type: settings.TypeMapping, Keys: []settings.Setting{
	{Name: "app", Type: settings.TypeMapping, Required: true, Text: "Apps.", Keys: []settings.Setting{
		{Name: "name", Type: settings.TypeText, Text: "Its name.", With: "wait"},
		{Name: "wait", Type: settings.TypeSpan, Default: "1h", Text: "How long."},
		{Name: "all", Type: settings.TypeList, Text: "Each.", Each: &settings.Setting{Type: settings.TypeMapping, Keys: []settings.Setting{
			{Name: "x", Type: settings.TypeBool, Required: true, Text: "a|b"},
		}}},
		{Name: "by", Type: settings.TypeNamed, Text: "By name.", Names: "^[a-z]$", Each: &settings.Setting{Type: settings.TypeMapping, Inherits: true, Keys: []settings.Setting{
			{Name: "y", Type: settings.TypeFactor, Default: 2, Text: "Y."},
		}}},
		{Name: "inner", Type: settings.TypeMapping, Default: settings.Empty(), Text: "Within.", Keys: []settings.Setting{
			{Name: "z", Type: settings.TypeText, Choices: []string{"a", "b"}, Default: "a", Text: "Z."},
		}},
	}},
	{Name: "more", Type: settings.TypeTexts, AtLeastOne: true, Text: "Files."},
}}

func TestRowsOfEveryShape(t *testing.T) {
	page, err := render(document)
	require.NoError(t, err)
	for _, line := range []string{
		"Required. Apps.\n",
		"| `app.name` | text |  | Its name. |\n",
		"| `app.wait` | duration, not 0 | `1h` | How long. |\n",
		"| `app.all` | list |  | Each. |\n| `app.all[].x` | true or false | required | a\\|b |\n",
		"| `app.inner` | mapping |  | Within. |\n| `app.inner.z` | text | `a` | Z. |\n",
		"## `more`\n\nA list. Files.\n",
		"| `app.by` | mapping of names |  | By name. |\n| `app.by.NAME.y` | number above 0 | as for all | Y. |\n",
	} {
		assert.Contains(t, string(page), line)
	}
	assert.Equal(t, 1, strings.Count(string(page), "| key |"), "a list of plain values has no table")
}

func TestSchemaOfEveryShape(t *testing.T) {
	schema, err := schemaOf(document)
	require.NoError(t, err)
	for _, line := range []string{
		`  "required": ["app"],`,
		`      "dependentRequired": {"name": ["wait"]},`,
		`        "wait": {"description": "How long.", "$ref": "#/$defs/span", "default": "1h"},`,
		`              "x": {"description": "a|b", "$ref": "#/$defs/boolean"}`,
		`          "propertyNames": {"pattern": "^[a-z]$"},`,
		`              "y": {"description": "Y.", "$ref": "#/$defs/factor"}`,
		`          "type": ["object", "null"],`,
		`            "z": {"description": "Z.", "type": "string", "enum": ["a", "b"], "default": "a"}`,
		`    "more": {"description": "Files.", "type": "array", "minItems": 1, "items": {"$ref": "#/$defs/text"}}`,
	} {
		assert.Contains(t, string(schema), line+"\n")
	}
}

func TestEverythingIsDescribed(t *testing.T) {
	_, err := render(&settings.Setting{Keys: []settings.Setting{{Name: "app", Keys: []settings.Setting{{Name: "name", Type: settings.TypeText}}}}})
	assert.ErrorContains(t, err, "app.name has no description")
	_, err = schemaOf(&settings.Setting{Type: settings.TypeMapping, Keys: []settings.Setting{{Name: "app", Type: settings.TypeInt}}})
	assert.ErrorContains(t, err, "app is declared as whole number, which has no schema")
}
