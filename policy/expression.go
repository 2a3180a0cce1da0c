package policy

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/tenurehq/tenure/internal/nearest"
)

// The types that a field's expression may return.
var (
	boolean = []*cel.Type{cel.BoolType}
	str     = []*cel.Type{cel.StringType}
	value   = []*cel.Type{cel.StringType, cel.BoolType, cel.IntType, cel.ListType(cel.StringType)}
)

// expression is one compiled expression of the rules. It is safe for concurrent
// use.
type expression struct {
	path    string // of the field, for errors
	ast     *cel.Ast
	program cel.Program
}

// compile compiles and type-checks one field's expression. If there are faults, it adds them
// to problems and returns nil.
func (s *scope) compile(path, source string, gives []*cel.Type, problems *problems) *expression {
	if strings.TrimSpace(source) == "" {
		problems.add(path, "an expression is missing")
		return nil
	}
	ast, issues := s.env.Compile(source)
	if issues.Err() != nil {
		for _, issue := range issues.Errors() {
			*problems = append(*problems, &FieldError{
				Path: path, Line: issue.Location.Line(), Column: columnOf(issue, source), Text: s.explain(issue.Message),
			})
		}
		return nil
	}
	if !slices.ContainsFunc(gives, ast.OutputType().IsExactType) {
		problems.add(path, "the expression gives %s, but must give %s", ast.OutputType(), oneOf(gives))
		return nil
	}
	program, err := s.env.Program(ast, cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		problems.add(path, "%s", err)
		return nil
	}
	return &expression{path: path, ast: ast, program: program}
}

// columnOf returns the column of an issue, from 1. CEL locates a wrong field at the dot
// before it, and a wrong call at the parenthesis after it.
func columnOf(issue *common.Error, source string) int {
	column := issue.Location.Column()
	lines := strings.Split(source, "\n")
	line := issue.Location.Line() - 1
	if line < 0 || line >= len(lines) {
		return column + 1
	}
	text := []rune(lines[line])
	switch {
	case column >= len(text):
	case text[column] == '.':
		column++
	case text[column] == '(':
		for column > 0 && isIdentifier(text[column-1]) {
			column--
		}
	}
	return column + 1
}

func isIdentifier(r rune) bool {
	return r == '_' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z'
}

var (
	undefinedField = regexp.MustCompile(`^undefined field '(.*)'$`)
	undeclared     = regexp.MustCompile(`^undeclared reference to '(.*)' \(in container '.*'\)$`)
	noOverload     = regexp.MustCompile(`^found no matching overload for '(.*)' applied to '(.*)'$`)
)

// explain rewrites an error of the type checker or parser for people who have not read the CEL
// specification.
func (s *scope) explain(message string) string {
	if m := undefinedField.FindStringSubmatch(message); m != nil {
		return s.explainField(m[1])
	}
	if m := undeclared.FindStringSubmatch(message); m != nil {
		if m[1] == "manager" {
			return "manager is known to the attributes of apps only"
		}
		return fmt.Sprintf("%q is not known%s", m[1], nearest.Hint(m[1], s.names))
	}
	if m := noOverload.FindStringSubmatch(message); m != nil {
		name := strings.TrimPrefix(m[1], "@") // the functions of parts begin with @
		if symbol, ok := operators.FindReverse(name); ok && symbol != "" {
			name = symbol
		}
		return fmt.Sprintf("%q cannot be applied to %s", name, m[2])
	}
	if strings.Contains(message, "mismatched input '<EOF>'") {
		return "syntax error: the expression ends too soon"
	}
	// A syntax error lists every token that could have followed.
	text, _, _ := strings.Cut(message, " expecting {")
	return strings.Replace(text, "Syntax error", "syntax error", 1)
}

func (s *scope) explainField(name string) string {
	if _, here := s.paths[name]; !here && (name == "username" || name == "email") {
		return fmt.Sprintf("person.%s is not known here, since Tenure gives it only later", name)
	}
	names := make([]string, 0, len(s.paths))
	for field := range s.paths {
		names = append(names, field)
	}
	text := fmt.Sprintf("there is no field %q here", name)
	if meant := nearest.Of(name, names); meant != "" {
		text += fmt.Sprintf("; did you mean %s?", s.paths[meant])
	}
	return text
}

func oneOf(gives []*cel.Type) string {
	names := make([]string, len(gives))
	for i, t := range gives {
		names[i] = t.String()
	}
	if last := len(names) - 1; last > 0 {
		return strings.Join(names[:last], ", ") + " or " + names[last]
	}
	return names[0]
}

// eval returns the expression's value as a string, bool, int64 or []string. Its errors are
// *FieldError.
func (e *expression) eval(vars *variables) (any, error) {
	result, _, err := e.program.Eval(vars)
	if err != nil {
		return nil, e.failed(err)
	}
	value, err := native(result)
	if err != nil {
		return nil, e.failed(err)
	}
	return value, nil
}

func (e *expression) failed(err error) error {
	failure := &FieldError{Path: e.path, Text: runtimeText(err)}
	if celErr := new(types.Err); errors.As(err, &celErr) {
		at := e.ast.NativeRep().SourceInfo().GetStartLocation(celErr.NodeID())
		if at.Line() > 0 {
			failure.Line, failure.Column = at.Line(), at.Column()+1
		}
	}
	return failure
}

// native converts values of the types that compile accepts.
func native(result ref.Val) (any, error) {
	switch result := result.(type) {
	case types.String:
		return string(result), nil
	case types.Bool:
		return bool(result), nil
	case types.Int:
		return int64(result), nil
	default:
		return result.ConvertToNative(reflect.TypeFor[[]string]())
	}
}

// refersTo reports whether the expression reads a variable.
func (e *expression) refersTo(variable string) bool {
	for _, reference := range e.ast.NativeRep().ReferenceMap() {
		if reference.Name == variable {
			return true
		}
	}
	return false
}
