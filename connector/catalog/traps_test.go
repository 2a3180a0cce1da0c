package catalog_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector/connectortest"
)

var switches = regexp.MustCompile(`type (Switches|Deviations) struct`)

// Each kind whose vendor has a stand-in with switches tries every trap of connectortest.Traps.
func TestEveryVendorsTrapsAreTried(t *testing.T) {
	var kinds []string
	for _, dir := range stands(t) {
		kind := filepath.Base(filepath.Dir(dir))
		if !switches.MatchString(sources(t, filepath.Join(dir, "*.go"))) {
			continue
		}
		kinds = append(kinds, kind)
		assert.Contains(t, sources(t, filepath.Join("..", kind, "*_test.go")), `connectortest.RunTrapped(`, kind)
	}
	assert.ElementsMatch(t, kinds, slices.Collect(maps.Keys(connectortest.Traps)))
	for kind, traps := range connectortest.Traps {
		told := map[string]bool{}
		for _, trap := range traps {
			assert.False(t, told[trap.What], "%s: %s: twice", kind, trap.What)
			told[trap.What] = true
		}
	}
}

// stands returns the directories of the stand-ins.
func stands(t *testing.T) []string {
	t.Helper()
	dirs, err := filepath.Glob("../*/*test")
	require.NoError(t, err)
	require.NotEmpty(t, dirs)
	return dirs
}

func sources(t *testing.T, pattern string) string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	require.NoError(t, err)
	var all strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		all.Write(text)
	}
	return all.String()
}
