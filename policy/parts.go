package policy

import (
	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// parts is a CEL library in which substring and charAt do not fail for a short text, as CEL's
// own do: they return the characters that there are, because names can be very short.
type parts struct{}

// CompileOptions implements cel.Library.
func (parts) CompileOptions() []cel.EnvOption {
	text, number := cel.StringType, cel.IntType
	return []cel.EnvOption{
		cel.Macros(
			cel.ReceiverMacro("substring", 1, instead("@substring")),
			cel.ReceiverMacro("substring", 2, instead("@substring")),
			cel.ReceiverMacro("charAt", 1, instead("@charAt")),
		),
		cel.Function("@substring",
			cel.Overload("part_from", []*cel.Type{text, number}, text,
				cel.BinaryBinding(func(s, from ref.Val) ref.Val { return part(s, from, nil) })),
			cel.Overload("part_from_to", []*cel.Type{text, number, number}, text,
				cel.FunctionBinding(func(args ...ref.Val) ref.Val { return part(args[0], args[1], args[2]) }))),
		cel.Function("@charAt",
			cel.Overload("part_at", []*cel.Type{text, number}, text,
				cel.BinaryBinding(func(s, at ref.Val) ref.Val { return part(s, at, at.(types.Int).Add(types.IntOne)) }))),
	}
}

// ProgramOptions implements cel.Library.
func (parts) ProgramOptions() []cel.ProgramOption { return nil }

// instead returns a macro that calls another function in place of a method. CEL has no other
// way to change a function of its libraries.
func instead(function string) cel.MacroFactory {
	return func(mef cel.MacroExprFactory, target ast.Expr, args []ast.Expr) (ast.Expr, *cel.Error) {
		return mef.NewCall(function, append([]ast.Expr{target}, args...)...), nil
	}
}

// part returns the characters of a text from one position up to another, or up to its end if
// that comes first.
func part(s, from, to ref.Val) ref.Val {
	letters := []rune(string(s.(types.String)))
	within := func(at ref.Val) int {
		n, ok := at.(types.Int)
		if !ok {
			return len(letters)
		}
		return int(min(max(n, 0), types.Int(len(letters))))
	}
	begin, end := within(from), len(letters)
	if to != nil {
		end = within(to)
	}
	return types.String(letters[begin:max(begin, end)])
}
