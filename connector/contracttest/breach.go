package contracttest

import (
	"errors"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// leaves returns the innermost errors of a validation, each once.
func leaves(err error) []Breach {
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		return []Breach{{Problem: err.Error()}}
	}
	var breaches []Breach
	seen := map[Breach]bool{}
	var walk func(*jsonschema.ValidationError)
	walk = func(e *jsonschema.ValidationError) {
		for _, cause := range e.Causes {
			walk(cause)
		}
		if len(e.Causes) > 0 {
			return
		}
		b := Breach{At: pathOf(e.InstanceLocation), Problem: problem(e.ErrorKind)}
		if !seen[b] {
			seen[b] = true
			breaches = append(breaches, b)
		}
	}
	walk(invalid)
	return breaches
}

// pathOf returns the path of a value. All elements of a list have the same.
func pathOf(names []string) string {
	var path strings.Builder
	for _, name := range names {
		if _, err := strconv.Atoi(name); err == nil {
			name = "*"
		}
		path.WriteString("/" + name)
	}
	return path.String()
}

var english = message.NewPrinter(language.English)

// problem says what is wrong without the value that is.
func problem(of jsonschema.ErrorKind) string {
	switch k := of.(type) {
	case *kind.FalseSchema:
		return "is no member that the contract has"
	case *kind.Required:
		return "lacks " + strings.Join(k.Missing, ", ")
	case *kind.Type:
		return "is " + k.Got + ", and has to be " + strings.Join(k.Want, " or ")
	case *kind.Enum:
		return "is none of the values that the contract lists"
	case *kind.Const:
		return "is not the value that the contract names"
	case *kind.Pattern:
		return "does not match " + k.Want
	case *kind.Format:
		return "is no " + k.Want
	case *kind.AnyOf, *kind.OneOf, *kind.Not:
		return "fits none of the forms that the contract has"
	}
	return of.LocalizedString(english)
}
