// Package layers tests that imports between packages go down the table of layers in
// docs/architecture.md, and never up.
package layers

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	root   = "../.."
	module = "github.com/tenurehq/tenure/"
)

// table maps the packages that a row names to the number of the row, from 0 at the
// top. A name that ends in /* stands for all packages below a folder.
func table(t *testing.T) map[string]int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs/architecture.md"))
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(text), "\n| layer | packages |")
	require.True(t, found, "docs/architecture.md has no table of layers")
	name := regexp.MustCompile("`([a-z0-9/*-]+)`")
	layers := map[string]int{}
	row := 0
	for line := range strings.Lines(rest) {
		switch {
		case strings.TrimSpace(line) == "" && row > 0:
			return layers
		case !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "|-"):
			continue
		}
		cells := strings.Split(line, "|")
		require.Greater(t, len(cells), 2, line)
		for _, match := range name.FindAllStringSubmatch(cells[2], -1) {
			require.NotContains(t, layers, match[1], "it has two layers")
			layers[match[1]] = row
		}
		row++
	}
	return layers
}

// layerOf returns the layer of a package: by its name, or else by the longest folder
// above it that stands for all below.
func layerOf(layers map[string]int, name string) (int, bool) {
	if layer, ok := layers[name]; ok {
		return layer, true
	}
	for folder := name; ; {
		i := strings.LastIndex(folder, "/")
		if i < 0 {
			return 0, false
		}
		folder = folder[:i]
		if layer, ok := layers[folder+"/*"]; ok {
			return layer, true
		}
	}
}

type goPackage struct {
	ImportPath string
	Imports    []string
}

// packages returns the module's packages as the go command lists them. Imports of
// tests are left out: a test may use what is above.
func packages(t *testing.T) []goPackage {
	t.Helper()
	list := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", "./...")
	list.Dir = root
	out, err := list.Output()
	require.NoError(t, err)
	var all []goPackage
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all
		}
		require.NoError(t, err)
		all = append(all, p)
	}
}

func TestNoLayerImportsOneAboveIt(t *testing.T) {
	layers := table(t)
	require.NotEmpty(t, layers)
	all := packages(t)
	used := map[string]bool{}
	for _, p := range all {
		name := strings.TrimPrefix(p.ImportPath, module)
		layer, ok := layerOf(layers, name)
		if !assert.True(t, ok, "%s has no layer in docs/architecture.md", name) {
			continue
		}
		used[name] = true
		for folder := name; strings.Contains(folder, "/"); {
			folder = folder[:strings.LastIndex(folder, "/")]
			used[folder+"/*"] = true
		}
		for _, imported := range p.Imports {
			below, ours := strings.CutPrefix(imported, module)
			if !ours {
				continue
			}
			of, ok := layerOf(layers, below)
			assert.True(t, !ok || of >= layer, "%s imports %s, which is in a layer above it", name, below)
		}
	}
	for name := range layers {
		assert.True(t, used[name], "docs/architecture.md has a layer for %s, which is not there", name)
	}
}

func TestLayersAreFoundByTheLongestFolder(t *testing.T) {
	layers := map[string]int{"connector": 2, "connector/*": 1, "connector/jit/*": 0}
	for name, want := range map[string]int{"connector": 2, "connector/scim": 1, "connector/scim/scimtest": 1, "connector/jit/x": 0} {
		layer, ok := layerOf(layers, name)
		assert.True(t, ok, name)
		assert.Equal(t, want, layer, name)
	}
	_, ok := layerOf(layers, "hr")
	assert.False(t, ok)
}
