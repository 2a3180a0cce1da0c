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
		_, err := kind.Open(t.Context(), "wiki", connector.Settings{"tokn": "s3cret-value"})
		var refused *connector.Error
		require.ErrorAs(t, err, &refused, kind.Name)
		assert.Equal(t, connector.KindInvalid, refused.Kind)
		assert.Contains(t, err.Error(), `"tokn"`)
		assert.NotContains(t, err.Error(), "s3cret-value")
	}
}
