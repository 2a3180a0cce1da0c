package schemas

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// Violation is one thing that is wrong with a document.
type Violation struct {
	Field   string // JSON pointer (RFC 6901); empty for the document itself
	Problem string // what is wrong: "is required", "must be a date (YYYY-MM-DD)"
}

func (v Violation) String() string {
	if v.Field == "" {
		return "the document " + v.Problem
	}
	return v.Field + " " + v.Problem
}

func (v Violation) compare(w Violation) int {
	return cmp.Or(strings.Compare(v.Field, w.Field), strings.Compare(v.Problem, w.Problem))
}

// InvalidError lists everything that is wrong with a document, by field.
type InvalidError []Violation

func (vs InvalidError) Error() string {
	texts := make([]string, len(vs))
	for i, v := range vs {
		texts[i] = v.String()
	}
	return strings.Join(texts, "; ")
}

// violations collects the leaves of an error: the errors around them only say on which path
// of the schema they were found.
func violations(e *jsonschema.ValidationError) InvalidError {
	if _, ok := e.ErrorKind.(*kind.AnyOf); ok && len(e.Causes) > 0 {
		return InvalidError{{Field: Pointer(e.InstanceLocation...), Problem: "needs one of " + strings.Join(wanted(e.Causes), ", ")}}
	}
	if len(e.Causes) > 0 {
		all := make(InvalidError, 0, len(e.Causes))
		for _, cause := range e.Causes {
			all = append(all, violations(cause)...)
		}
		return all
	}
	at := Pointer(e.InstanceLocation...)
	switch k := e.ErrorKind.(type) {
	case *kind.Required:
		return each(at, k.Missing, "is required")
	case *kind.AdditionalProperties:
		return each(at, k.Properties, "is not known")
	default:
		return InvalidError{{Field: at, Problem: problem(e.ErrorKind)}}
	}
}

// wanted returns the names of the fields that are missing and of which one would be enough.
func wanted(causes []*jsonschema.ValidationError) []string {
	var names []string
	for _, cause := range causes {
		for _, v := range violations(cause) {
			names = append(names, v.Field[strings.LastIndexByte(v.Field, '/')+1:])
		}
	}
	return slices.Compact(names)
}

func each(at string, names []string, problem string) InvalidError {
	all := make(InvalidError, 0, len(names))
	for _, name := range names {
		all = append(all, Violation{Field: at + Pointer(name), Problem: problem})
	}
	return all
}

// problem says in words what is wrong with a value, without repeating the value.
func problem(of jsonschema.ErrorKind) string {
	switch k := of.(type) {
	case *kind.Type:
		return fmt.Sprintf("must be %s, not %s", articled(k.Want...), articled(k.Got))
	case *kind.Enum:
		return "must be one of " + list(k.Want)
	case *kind.Const:
		return "must be " + list([]any{k.Want})
	case *kind.Format:
		return "must be " + formats[k.Want]
	case *kind.Pattern:
		return "has characters that are not allowed here"
	case *kind.MinLength:
		if k.Want == 1 {
			return "must not be empty"
		}
		return fmt.Sprintf("must have at least %d characters", k.Want)
	case *kind.MaxLength:
		return fmt.Sprintf("must have at most %d characters", k.Want)
	case *kind.FalseSchema:
		return "must not be here"
	default:
		return "is not valid (" + strings.Join(of.KeywordPath(), "/") + ")"
	}
}

// formats describes the formats that the schemas use.
var formats = map[string]string{
	"date":          "a date that exists (YYYY-MM-DD)",
	"date-time":     "an instant with an offset (RFC 3339, such as 2026-01-31T09:00:00Z)",
	"uri-reference": "a URI or a reference to one, such as /hr/main",
}

func articled(types ...string) string {
	named := make([]string, len(types))
	for i, t := range types {
		switch t {
		case "null":
			named[i] = "null"
		case "array", "object", "integer":
			named[i] = "an " + t
		default:
			named[i] = "a " + t
		}
	}
	return strings.Join(named, " or ")
}

// list returns values of a schema as a text, without the empty text.
func list(values []any) string {
	var texts []string
	for _, v := range values {
		if text := fmt.Sprint(v); text != "" {
			texts = append(texts, text)
		}
	}
	return strings.Join(texts, ", ")
}

// Pointer returns the JSON pointer (RFC 6901) of a path.
func Pointer(path ...string) string {
	var b strings.Builder
	for _, p := range path {
		b.WriteString("/" + escaper.Replace(p))
	}
	return b.String()
}

var escaper = strings.NewReplacer("~", "~0", "/", "~1")
