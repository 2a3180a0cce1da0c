package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/ledger"
)

// writers returns the methods of a ledger that write: those that a Reader does not have.
func writers() (names []string) {
	reader := reflect.TypeFor[ledger.Reader]()
	for m := range reflect.TypeFor[ledger.Ledger]().Methods() {
		if _, reads := reader.MethodByName(m.Name); !reads && m.Name != "Known" && m.Name != "Close" {
			names = append(names, m.Name)
		}
	}
	return names
}

// Everything that an operator can do is in package operator: the command line calls no
// method of the ledger that writes, whatever the variable is called.
func TestOnlyTheOperatorLayerWritesToTheLedger(t *testing.T) {
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	checked, writers := 0, writers()
	require.Contains(t, writers, "FinishStep")
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr: // a method that is used as a value counts, too
				assert.False(t, slices.Contains(writers, n.Sel.Name) && isLedger(n.X), "%s: %s of the ledger", name, n.Sel.Name)
			case *ast.CallExpr:
				method, ok := n.Fun.(*ast.SelectorExpr)
				if !ok || !slices.Contains(writers, method.Sel.Name) || len(n.Args) < 2 {
					return true
				}
				checked++
				assert.True(t, isOperator(method.X), "%s: %s is called on something that is no operator", name, method.Sel.Name)
			}
			return true
		})
	}
	assert.Greater(t, checked, 5, "the operator is called by another name: say it here")
}

// isLedger reports whether an expression has a name that this program gives to ledgers.
func isLedger(x ast.Expr) bool {
	switch x := x.(type) {
	case *ast.Ident:
		return x.Name == "l" || x.Name == "store"
	case *ast.SelectorExpr:
		return x.Sel.Name == "Ledger" || x.Sel.Name == "ledger"
	}
	return false
}

// isOperator reports whether an expression has a name that this program gives to
// operators.
func isOperator(x ast.Expr) bool {
	name, ok := x.(*ast.Ident)
	return ok && slices.Contains([]string{"o", "op"}, name.Name)
}
