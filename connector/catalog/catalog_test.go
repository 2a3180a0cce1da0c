package catalog_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/catalog"
)

func TestKindsAreSortedAndComplete(t *testing.T) {
	var names []string
	for _, kind := range catalog.Kinds() {
		names = append(names, kind.Name)
		assert.NotEmpty(t, kind.Summary, kind.Name)

		found, ok := catalog.Lookup(kind.Name)
		require.True(t, ok, kind.Name)
		assert.Equal(t, kind.Summary, found.Summary)
	}
	assert.True(t, slices.IsSorted(names), names)
	assert.Len(t, slices.Compact(names), len(catalog.Kinds()), "two kinds share a name")
	assert.Subset(t, names, []string{"memory", "scim"})
}

func TestLookupOfAnUnknownKind(t *testing.T) {
	_, ok := catalog.Lookup("SCIM")
	assert.False(t, ok)
}

func TestEveryKindRefusesUnknownSettingsByName(t *testing.T) {
	for _, kind := range catalog.Kinds() {
		_, err := kind.Open(t.Context(), connector.Env{App: "wiki"}, connector.Settings{"tokn": "s3cret-value"})
		var refused *connector.Error
		require.ErrorAs(t, err, &refused, kind.Name)
		assert.Equal(t, connector.KindInvalid, refused.Kind)
		assert.Contains(t, err.Error(), `"tokn"`)
		assert.NotContains(t, err.Error(), "s3cret-value")
	}
}

func TestEveryKindSaysWhatItsSettingsAreFor(t *testing.T) {
	for _, kind := range catalog.Kinds() {
		seen := map[string]bool{}
		for _, setting := range kind.Settings {
			name := kind.Name + "." + setting.Name
			assert.False(t, seen[setting.Name], "%s is there twice", name)
			seen[setting.Name] = true
			assert.NotEmpty(t, setting.Type, name)
			assert.Regexp(t, `^[A-Z].*\.$`, setting.Text, "%s: a sentence for people", name)
			assert.False(t, setting.Required && setting.Default != nil, "%s needs no default", name)
		}
		operations := map[string]bool{}
		for _, operation := range kind.Operations {
			assert.False(t, operations[operation.Op], "%s tells of %s twice", kind.Name, operation.Op)
			operations[operation.Op] = true
		}
	}
}

func TestEveryKindSaysHowItListsAndWhatALastUseIs(t *testing.T) {
	for _, kind := range catalog.Kinds() {
		assert.NotEmpty(t, kind.LastUse.By+kind.LastUse.Note, "%s: what a last use is, or why it is not told", kind.Name)
		if kind.LastUse.Note != "" {
			assert.Regexp(t, `^[A-Z].*\.$`, kind.LastUse.Note, "%s: a sentence for people", kind.Name)
		}
		assert.False(t, kind.LastUse.Lag > 0 && !kind.LastUse.Told(), "%s: late with what it does not tell", kind.Name)
		offers := func(op string) bool {
			return slices.ContainsFunc(kind.Operations, func(o connector.Operation) bool { return o.Op == op })
		}
		assert.Equal(t, offers(connector.OpList) && !offers(connector.OpPage), kind.Whole != "", "%s: pages, or why there are none", kind.Name)
	}
}
