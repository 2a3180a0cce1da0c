package policy

import (
	"fmt"
	"strings"

	"github.com/tenurehq/tenure/internal/nearest"
)

// FieldError describes a fault in one field of the rules, found by Compile or by an evaluation
// that failed for a person. It never holds personal data.
type FieldError struct {
	Path string // as in the configuration: "roles[1].when", "apps.wiki.attributes.title"
	// Line and Column are the place within the expression, both from 1; zero if the error
	// is about the field as a whole.
	Line, Column int
	Text         string // what is wrong, with a suggestion if there is one
}

func (e *FieldError) Error() string {
	if e.Line == 0 {
		return e.Path + ": " + e.Text
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.Path, e.Line, e.Column, e.Text)
}

// problems collects the faults of a set of rules.
type problems []error

func (p *problems) add(path, format string, args ...any) {
	*p = append(*p, &FieldError{Path: path, Text: fmt.Sprintf(format, args...)})
}

// unknownApp reports an app that a field names and the rules do not have.
func (p *problems) unknownApp(path, app string, apps []string) {
	p.add(path, "there is no app %q%s", app, nearest.Hint(app, apps))
}

// runtimeText returns why an evaluation failed. CEL's own messages may quote the value at
// fault, so it passes on only those that cannot.
func runtimeText(err error) string {
	const failed = "cannot be evaluated for this person"
	// CEL writes "kind: detail", and the detail may be a value.
	kind, _, _ := strings.Cut(err.Error(), ":")
	switch kind {
	case "division by zero", "modulus by zero", "integer overflow", "index out of range",
		"timestamp overflow", "duration overflow", "no such key", "no such overload":
		return failed + ": " + kind
	default:
		return failed
	}
}
