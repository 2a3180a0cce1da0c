package source_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr/source"
)

// A reason that is not in the list has no metric of its own.
func TestReasonsAreListed(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "source.go", nil, 0)
	require.NoError(t, err)
	var declared []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(spec.Names[0].Name, "Reason") || spec.Names[0].Name == "Reasons" {
			return true
		}
		reason, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		require.NoError(t, err)
		declared = append(declared, reason)
		return true
	})
	require.NotEmpty(t, declared)
	assert.ElementsMatch(t, declared, source.Reasons)
}
