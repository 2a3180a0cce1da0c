package export

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/constant"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const module = "github.com/tenurehq/tenure/"

// holders are the types whose field holds the action of an audit row.
var holders = map[string]string{
	"ledger.AuditRow": "Action", "ledger.ReviewFact": "Action", "ledger.RequestChange": "Action", "provision.performed": "action",
}

// The table has all actions that the product writes, and no others. They are found in its code:
// everything that comes to be the action of an audit row is followed to the constants that it
// can be. What cannot be followed fails the test.
func TestTheTableHasAllActionsThatAreWritten(t *testing.T) {
	code := load(t)
	found := map[string]string{}
	for _, p := range code.packages {
		for _, file := range p.files {
			code.sinks(p, file, func(e ast.Expr) {
				for action := range code.values(p, e, map[any]bool{}) {
					found[action] = code.fset.Position(e.Pos()).String()
				}
			})
		}
	}
	delete(found, "") // a row that is filled in later
	require.Empty(t, code.unknown)
	for action, where := range found {
		assert.Contains(t, actions, action, "%s writes it: add it to the table, and to docs/export.md if it is something new", where)
	}
	for action := range actions {
		assert.Contains(t, found, action, "nobody writes it")
	}
	t.Logf("%d actions: %s", len(found), slices.Sorted(maps.Keys(found)))
}

type code struct {
	fset     *token.FileSet
	packages map[string]*source
	assigned map[types.Object][]valueIn   // what variables and fields are set to
	returned map[types.Object][][]valueIn // what functions return
	calls    map[types.Object][]callIn
	unknown  []string
}

type source struct {
	files []*ast.File
	types *types.Package
	info  *types.Info
}

type valueIn struct {
	p *source
	e ast.Expr
	n int // of a call with several results
}

type callIn struct {
	p    *source
	call *ast.CallExpr
}

// load reads and checks the packages that may write audit rows.
func load(t *testing.T) *code {
	t.Helper()
	list := exec.CommandContext(t.Context(), "go", "list", "-export", "-deps", "-json=ImportPath,Dir,GoFiles,Export,Standard", "./ledger/relational", "./operator", "./provision", "./review", "./request", "./activities", "./reconcile/scan")
	list.Dir = filepath.Join("..", "..")
	list.Stderr = os.Stderr
	out, err := list.Output()
	require.NoError(t, err)
	c := &code{fset: token.NewFileSet(), packages: map[string]*source{}, assigned: map[types.Object][]valueIn{}, returned: map[types.Object][][]valueIn{}, calls: map[types.Object][]callIn{}}
	exports := map[string]string{}
	compiled := importer.ForCompiler(c.fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	for d := json.NewDecoder(bytes.NewReader(out)); d.More(); {
		var p struct {
			ImportPath, Dir, Export string
			GoFiles                 []string
		}
		require.NoError(t, d.Decode(&p))
		exports[p.ImportPath] = p.Export
		if !strings.HasPrefix(p.ImportPath, module) {
			continue
		}
		s := &source{info: &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{}, Selections: map[*ast.SelectorExpr]*types.Selection{}}}
		for _, name := range p.GoFiles {
			file, err := parser.ParseFile(c.fset, filepath.Join(p.Dir, name), nil, 0)
			require.NoError(t, err)
			s.files = append(s.files, file)
		}
		check := types.Config{Importer: importing(func(path string) (*types.Package, error) {
			if ours, ok := c.packages[path]; ok {
				return ours.types, nil
			}
			return compiled.Import(path)
		})}
		s.types, err = check.Check(p.ImportPath, c.fset, s.files, s.info)
		require.NoError(t, err)
		c.packages[p.ImportPath] = s
	}
	for _, p := range c.packages {
		for _, file := range p.files {
			c.index(p, file)
		}
	}
	return c
}

type importing func(path string) (*types.Package, error)

func (i importing) Import(path string) (*types.Package, error) { return i(path) }

// object returns what an expression names: a variable, a field, a function.
func (p *source) object(e ast.Expr) types.Object {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		if o := p.info.Defs[e]; o != nil {
			return o
		}
		return p.info.Uses[e]
	case *ast.SelectorExpr:
		return p.info.Uses[e.Sel]
	}
	return nil
}

// index notes where values go.
func (c *code) index(p *source, file *ast.File) {
	set := func(to ast.Expr, v valueIn) {
		if o := p.object(to); o != nil {
			c.assigned[o] = append(c.assigned[o], v)
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for i, to := range n.Lhs {
				if len(n.Rhs) == len(n.Lhs) {
					set(to, valueIn{p, n.Rhs[i], 0})
				} else {
					set(to, valueIn{p, n.Rhs[0], i})
				}
			}
		case *ast.ValueSpec:
			for i, to := range n.Names {
				if len(n.Values) == len(n.Names) {
					set(to, valueIn{p, n.Values[i], 0})
				}
			}
		case *ast.CallExpr:
			if o := p.object(n.Fun); o != nil {
				c.calls[o] = append(c.calls[o], callIn{p, n})
			}
		case *ast.CompositeLit:
			for _, element := range n.Elts {
				if pair, ok := element.(*ast.KeyValueExpr); ok {
					if key, ok := pair.Key.(*ast.Ident); ok {
						set(key, valueIn{p, pair.Value, 0})
					}
				}
			}
		case *ast.FuncDecl:
			o := p.info.Defs[n.Name]
			ast.Inspect(n, func(inner ast.Node) bool {
				if _, ok := inner.(*ast.FuncLit); ok {
					return false
				}
				if r, ok := inner.(*ast.ReturnStmt); ok {
					var results []valueIn
					for _, e := range r.Results {
						results = append(results, valueIn{p, e, 0})
					}
					c.returned[o] = append(c.returned[o], results)
				}
				return true
			})
		}
		return true
	})
}

// sinks calls f with every expression that comes to be an action.
func (c *code) sinks(p *source, file *ast.File, f func(ast.Expr)) {
	field := func(typed types.Type) string {
		named, ok := types.Unalias(typed).(*types.Named)
		if !ok || named.Obj().Pkg() == nil {
			return ""
		}
		return holders[named.Obj().Pkg().Name()+"."+named.Obj().Name()]
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CompositeLit:
			name := field(p.info.TypeOf(n))
			for _, element := range n.Elts {
				if pair, ok := element.(*ast.KeyValueExpr); ok && name != "" {
					if key, ok := pair.Key.(*ast.Ident); ok && key.Name == name {
						f(pair.Value)
					}
				}
			}
		case *ast.AssignStmt:
			for i, to := range n.Lhs {
				selector, ok := to.(*ast.SelectorExpr)
				if !ok || len(n.Rhs) != len(n.Lhs) {
					continue
				}
				typed := p.info.TypeOf(selector.X)
				if pointer, ok := typed.(*types.Pointer); ok {
					typed = pointer.Elem()
				}
				if name := field(typed); name != "" && selector.Sel.Name == name {
					f(n.Rhs[i])
				}
			}
		}
		return true
	})
}

// values returns the texts that an expression can be.
func (c *code) values(p *source, e ast.Expr, seen map[any]bool) map[string]bool {
	out := map[string]bool{}
	if v := p.info.Types[e].Value; v != nil && v.Kind() == constant.String {
		out[constant.StringVal(v)] = true
		return out
	}
	if o := p.object(e); o != nil {
		if seen[o] {
			return out
		}
		seen[o] = true
		c.follow(p, e, o, seen, out)
		return out
	}
	switch e := ast.Unparen(e).(type) {
	case *ast.BinaryExpr:
		for left := range c.values(p, e.X, maps.Clone(seen)) {
			for right := range c.values(p, e.Y, maps.Clone(seen)) {
				out[left+right] = true
			}
		}
	case *ast.IndexExpr:
		c.elements(p, e.X, seen, out)
	case *ast.CallExpr:
		c.result(p, e, 0, seen, out)
	default:
		c.unknown = append(c.unknown, fmt.Sprintf("%s: %T", c.fset.Position(e.Pos()), e))
	}
	return out
}

// constants adds the constants of a named type, and reports whether there are any.
func (c *code) constants(typed types.Type, out map[string]bool) bool {
	named, ok := types.Unalias(typed).(*types.Named)
	if !ok || named.Obj().Pkg() == nil {
		return false
	}
	any := false
	scope := named.Obj().Pkg().Scope()
	for _, name := range scope.Names() {
		if k, ok := scope.Lookup(name).(*types.Const); ok && types.Identical(k.Type(), named) {
			out[constant.StringVal(k.Val())], any = true, true
		}
	}
	return any
}

// follow adds what a variable, a field or a parameter can be.
func (c *code) follow(p *source, e ast.Expr, o types.Object, seen map[any]bool, out map[string]bool) {
	// What comes out of a request to the ledger may be any of its verbs.
	if v, ok := o.(*types.Var); ok && v.IsField() && c.constants(o.Type(), out) {
		return
	}
	ways := 0
	for _, v := range c.assigned[o] {
		ways++
		if call, ok := ast.Unparen(v.e).(*ast.CallExpr); ok {
			c.result(v.p, call, v.n, seen, out)
			continue
		}
		maps.Copy(out, c.values(v.p, v.e, seen))
	}
	for function, calls := range c.calls {
		signature, ok := function.Type().(*types.Signature)
		if !ok {
			continue
		}
		for i := range signature.Params().Len() {
			if signature.Params().At(i) != o {
				continue
			}
			for _, in := range calls {
				ways++
				maps.Copy(out, c.values(in.p, in.call.Args[i], seen))
			}
		}
	}
	if ways == 0 {
		c.unknown = append(c.unknown, fmt.Sprintf("%s: %s is set nowhere", c.fset.Position(e.Pos()), o.Name()))
	}
}

// result adds what the result n of a call, or a conversion, can be.
func (c *code) result(p *source, call *ast.CallExpr, n int, seen map[any]bool, out map[string]bool) {
	if p.info.Types[call.Fun].IsType() { // a conversion, of a type with constants perhaps
		maps.Copy(out, c.values(p, call.Args[0], seen))
		return
	}
	o := p.object(call.Fun)
	if o == nil || len(c.returned[o]) == 0 {
		c.unknown = append(c.unknown, fmt.Sprintf("%s: a call", c.fset.Position(call.Pos())))
		return
	}
	for _, results := range c.returned[o] {
		if n < len(results) {
			maps.Copy(out, c.values(results[n].p, results[n].e, seen))
		}
	}
}

// elements adds the elements of a map or list.
func (c *code) elements(p *source, e ast.Expr, seen map[any]bool, out map[string]bool) {
	literals := []valueIn{{p, e, 0}}
	if o := p.object(e); o != nil {
		literals = c.assigned[o]
	}
	for _, v := range literals {
		literal, ok := ast.Unparen(v.e).(*ast.CompositeLit)
		if !ok {
			c.unknown = append(c.unknown, fmt.Sprintf("%s: elements of %T", c.fset.Position(v.e.Pos()), v.e))
			continue
		}
		for _, element := range literal.Elts {
			if pair, ok := element.(*ast.KeyValueExpr); ok {
				element = pair.Value
			}
			maps.Copy(out, c.values(v.p, element, seen))
		}
	}
}
