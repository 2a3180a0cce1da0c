package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// writers are the methods of a ledger that write.
var writers = []string{
	"Record", "MarkDelivered", "RecordDeadLetter", "ClaimUsername", "SaveAssessment", "BeginStep", "NoteCreation", "FinishStep",
	"Act", "ActOnLetter", "OpenTask", "RemindOfTask", "ActOnTask", "ReserveCalls", "PauseCalls", "Admit", "DecideCohort",
	"PlaceHold", "ReleaseHold", "SetRetention", "ResetRetention", "ApproveDeletion", "RenamePerson", "LinkPeople", "UnlinkPeople",
	"Export", "Import",
}

// What an operator can do is in the package operator: the command line calls no method of
// the ledger's that writes, whatever it calls the ledger.
func TestOnlyTheOperatorLayerWritesToTheLedger(t *testing.T) {
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	checked := 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr: // also of a method that is not called here
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

// isLedger reports whether an expression is how this program names a ledger.
func isLedger(x ast.Expr) bool {
	switch x := x.(type) {
	case *ast.Ident:
		return x.Name == "l" || x.Name == "store"
	case *ast.SelectorExpr:
		return x.Sel.Name == "Ledger" || x.Sel.Name == "ledger"
	}
	return false
}

// isOperator reports whether an expression is how this program names an operator.
func isOperator(x ast.Expr) bool {
	name, ok := x.(*ast.Ident)
	return ok && slices.Contains([]string{"o", "op"}, name.Name)
}
