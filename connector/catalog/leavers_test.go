package catalog_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector/catalog"
)

// The page that compares what leavers meet has every kind that companies use.
func TestTheLeaversPageComparesEveryKind(t *testing.T) {
	page, err := os.ReadFile("../../docs/leavers.md")
	require.NoError(t, err)
	for _, kind := range catalog.Kinds() {
		if kind.Name != "memory" { // for tests
			assert.Contains(t, string(page), "| ["+kind.Name+"](", "docs/leavers.md has no row for it")
		}
	}
}
