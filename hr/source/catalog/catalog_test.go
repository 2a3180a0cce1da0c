package catalog_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tenurehq/tenure/hr/source/catalog"
)

func TestLookup(t *testing.T) {
	assert.Contains(t, catalog.Names(), catalog.Default)
	for _, name := range catalog.Names() {
		decode, ok := catalog.Lookup(name)
		assert.True(t, ok, name)
		assert.NotNil(t, decode, name)
	}
	_, ok := catalog.Lookup("nobody")
	assert.False(t, ok)
}
