package catalog_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/hr/source/catalog"
)

func TestLookup(t *testing.T) {
	assert.Contains(t, catalog.Names(), catalog.Default)
	for _, kind := range catalog.Kinds() {
		found, ok := catalog.Lookup(kind.Name)
		assert.True(t, ok, kind.Name)
		assert.Equal(t, kind.Name, found.Name)
		assert.NotEmpty(t, kind.Summary, kind.Name)
		_, err := kind.Open(source.Settings{"nonsense": 1})
		assert.ErrorContains(t, err, `"nonsense"`, kind.Name)
	}
	_, ok := catalog.Lookup("nobody")
	assert.False(t, ok)
}
